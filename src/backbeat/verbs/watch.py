# SPDX-License-Identifier: Apache-2.0
"""Watch footage: every take looked at once, kept in the cache, broken ones left out with their reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbeat.errors import BackbeatError, InputError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.footage import Take
from backbeat.verbs.session import Session
from backbeat.work.cache import fingerprint, key_of
from backbeat.work.pool import each, open_pool


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
    """
    from backbeat.media.folder import VIDEO, find
    from backbeat.watch.look import at_path

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
    for reason in reasons.values():
        session.progress.say(f"left out: {reason}")
    ordered = tuple(seen[p] for p in paths if p in seen)
    return Watched(ordered, tuple((p, reasons[p]) for p in paths if p in reasons))


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
