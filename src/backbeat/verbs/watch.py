# SPDX-License-Identifier: Apache-2.0
"""Watch footage: every take looked at once, kept in the cache, broken ones left out with their reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbeat.errors import BackbeatError, InputError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.footage import LogEntry, Take
from backbeat.verbs.session import Session
from backbeat.work.cache import fingerprint, key_of
from backbeat.work.pool import each, open_pool

if TYPE_CHECKING:
    from backbeat.exchange import contact

WRITTEN = (".json", ".csv", ".png", ".html")
LOGS = frozenset([".ale", ".csv", ".fcpxml"])


@dataclass(frozen=True, slots=True)
class Watched:
    """Takes in the order of their places; `left_out` are (path, reason) of those that cannot be used."""

    takes: tuple[Take, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def takes(places: Sequence[str], session: Session, **options: Any) -> Watched:
    """Return everything seen in the footage at `places`.

    Parameters
    ----------
    places
        Files, folders (searched to the bottom) or patterns of numbered pictures.
    session
        Cache, workers, progress.
    **options
        Handed to `watch.look.look`.

    Raises
    ------
    InputError
        If no footage lies there.
    MissingPartError
        If a backend that is asked for is absent.
    """
    from backbeat.media.folder import VIDEO, find
    from backbeat.verbs.words import worded
    from backbeat.watch.alike import grouped
    from backbeat.watch.look import at_path, shot_finder

    paths = find(list(places), VIDEO)
    if not paths:
        raise InputError(f"{', '.join(places) or 'nothing'}: no footage there", "give video files or a folder of them")
    seen: dict[str, Take] = {}
    reasons: dict[str, str] = {}
    jobs: list[tuple[str, str, dict[str, Any]]] = []
    for path in paths:
        key = _key(path, options)
        kept = session.cache.get(key) if key else None
        take = _read(kept) if kept is not None else None
        if take is None:
            jobs.append((path, key, options))
        else:
            seen[path] = at_path(take, path)
    if jobs:
        shot_finder(options.get("shots", "own"))  # a missing part is told once, not for every take
        sizes = {path: _size(path) for path, _, _ in jobs}
        session.progress.start("watching", sum(sizes.values()), "MB")
        with open_pool(session.workers) as pool:
            for index, result in each(pool, _look, jobs):
                path, key, _ = jobs[index]
                if isinstance(result, BackbeatError):
                    reasons[path] = result.message
                elif isinstance(result, Exception):
                    reasons[path] = f"{path}: cannot be watched ({type(result).__name__}: {result})"
                else:
                    seen[path] = result
                    if key:
                        session.cache.put(key, to_plain(result))
                session.progress.advance(sizes[path])
        session.progress.stop()
    logs = read_logs(paths)
    ordered = [_logged(seen[p], logs, places) for p in paths if p in seen]
    ordered = worded(ordered, session)
    return Watched(grouped(ordered), tuple((p, reasons[p]) for p in paths if p in reasons))


def read_logs(paths: Sequence[str]) -> dict[str, LogEntry]:
    """Return what the logs beside the footage say, by `watch.logs.key`; unreadable ones say nothing."""
    from backbeat.watch.logs import parse

    found: dict[str, LogEntry] = {}
    for folder in sorted({Path(p).parent for p in paths}):
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() in LOGS and file.is_file() and file.stat().st_size < 50_000_000:
                found |= parse(file.read_text(encoding="utf-8", errors="replace"), file.suffix.lower())
    return found


def _logged(take: Take, logs: dict[str, LogEntry], places: Sequence[str]) -> Take:
    from backbeat.watch.logs import entry_for

    folders: tuple[str, ...] = ()
    for place in places:
        if Path(place).is_dir() and Path(take.media.path).is_relative_to(place):
            folders = Path(take.media.path).relative_to(place).parent.parts
            break
    return replace(take, log=entry_for(take.media.path, logs, folders))


def _look(job: tuple[str, str, dict[str, Any]]) -> Take:
    from backbeat.watch.look import look

    path, _, options = job
    return look(path, **options)


def _key(path: str, options: dict[str, Any]) -> str:
    """Return the cache key of looking at `path`, "" where it cannot be read."""
    from backbeat.media.box import is_sequence, sequence_files
    from backbeat.watch.look import VERSION

    try:
        if is_sequence(path):
            files = sequence_files(path)
            content = key_of(len(files), *(fingerprint(str(f)) for f in (files[0], files[-1]))) if files else ""
        else:
            content = fingerprint(path)
    except OSError:
        return ""
    return key_of(content, "watch", VERSION, options) if content else ""


def _read(kept: Any) -> Take | None:
    try:
        return from_plain(Take, kept)
    except (TypeError, ValueError, KeyError):
        return None


def _size(path: str) -> float:
    """Return megabytes, for progress."""
    try:
        return round(max(0.1, Path(path).stat().st_size / 1e6), 1)
    except OSError:
        return 0.1


def write(watched: Watched, path: str, session: Session) -> None:
    """Write what was seen: facts as ``.json``, a table as ``.csv``, a contact sheet as ``.png`` or ``.html``.

    Raises
    ------
    InputError
        If the suffix is another, or the file cannot be written.
    """
    from backbeat.exchange import contact
    from backbeat.work.output import check, placed

    check(path, force=True, inputs=[t.media.path for t in watched.takes], suffixes=WRITTEN)
    suffix = Path(path).suffix.lower()
    with placed(path) as temporary:
        if suffix == ".json":
            Path(temporary).write_text(json.dumps(to_plain(watched), ensure_ascii=False), encoding="utf-8")
        elif suffix == ".csv":
            Path(temporary).write_text(contact.table(watched.takes), encoding="utf-8", newline="")
        elif suffix == ".png":
            from backbeat.exchange.contact_png import MOST, drawn

            count = sum(len(t.shots) for t in watched.takes)
            rows = list(_rows(watched, session, MOST))
            drawn(rows, watched.left_out, count - len(rows)).save(temporary, format="png")
        else:
            from backbeat.media.stills import jpeg

            # of thousands of shots only the compressed pictures are held
            kept = [(replace(row, pictures=()), [jpeg(p) for p in row.pictures]) for row in _rows(watched, session)]
            page = contact.page([row for row, _ in kept], watched.left_out, [images for _, images in kept])
            Path(temporary).write_text(page, encoding="utf-8")


def _rows(watched: Watched, session: Session, most: int = 1_000_000_000) -> Iterator[contact.Row]:
    """Yield the first `most` rows of a contact sheet: pictures are decoded again, only these."""
    from backbeat.exchange.contact import Row
    from backbeat.media.stills import stills

    session.progress.start("contact sheet", len(watched.takes), "takes")
    for take in watched.takes:
        shots = take.shots[:most]
        most -= len(shots)
        wanted = [f for s in shots for f in (s.start_frame, (s.start_frame + s.end_frame) // 2, s.end_frame - 1)]
        pictures = stills(take.media, wanted) if wanted else []
        yield from (Row(take, s, tuple(pictures[3 * i : 3 * i + 3])) for i, s in enumerate(shots))
        session.progress.advance()
    session.progress.stop()
