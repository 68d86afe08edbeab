# SPDX-License-Identifier: Apache-2.0
"""What another program wrote, as an edit or a log of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError
from backbeat.verbs.session import Session
from backbeat.work.output import check, placed

if TYPE_CHECKING:
    from backbeat.exchange.logs import LogRow
    from backbeat.model.footage import Media
    from backbeat.model.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read. `kind` is edit or log; `missing` media was not found, `unread` are (path, reason)."""

    kind: str
    file: str
    name: str = ""
    rate: Fraction | None = None
    frames: int = 0
    clips: int = 0
    cues: int = 0
    takes: int = 0
    missing: tuple[str, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


def import_(
    papers: Sequence[str],
    session: Session,
    *,
    output: str = "",
    rate: str = "",
    media_root: Sequence[str] = (),
    force: bool = False,
) -> Imported:
    """Read an edit into an ``.otio``, or a log into a JSON list of takes.

    Parameters
    ----------
    papers
        One file; of EDLs also several, a list a track.
    session
        Progress.
    output
        The file; "" puts ``NAME.otio`` (or ``NAME.log.json``) beside the paper.
    rate
        Frames a second of an EDL, which names none.
    media_root
        Folders in which missing media is looked for.
    force
        Replace an existing file.

    Raises
    ------
    InputError
        If the paper cannot be read, or the output exists.
    """
    from backbeat.exchange.logs import SUFFIXES as LOGS

    if not papers:
        raise InputError("import: nothing to read", "name a file: an edit of another program, or a log")
    first = Path(papers[0])
    if first.suffix.lower() in LOGS:
        target = output or str(first.with_suffix(".log.json"))
        check(target, force=force, inputs=papers)
        return _log(papers, target)
    target = output or str(first.with_suffix(".otio"))
    check(target, force=force, inputs=papers, suffixes=(".otio",))
    timeline, missing, unread = edit(papers, session, rate=rate, media_root=media_root, unpack=f"{target}.media")
    from backbeat.exchange.otio import save

    save(timeline, target)
    clips = sum(len(t.clips) for t in timeline.tracks)
    return Imported(
        "edit", target, timeline.name, timeline.rate, timeline.frames, clips, len(timeline.cues), len(timeline.takes),
        missing, unread,
    )  # fmt: skip


def edit(
    papers: Sequence[str],
    session: Session,
    *,
    rate: str = "",
    media_root: Sequence[str] = (),
    unpack: str = "",
) -> tuple[Timeline, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the edit in `papers` with its media found and probed, what is missing, and what cannot be read."""
    from backbeat.exchange.importers import read, settled
    from backbeat.exchange.relink import relinked
    from backbeat.media.probe import probe
    from backbeat.model.time import parse_rate

    try:
        pace = parse_rate(rate) if rate else None
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"--rate {rate}: no frame rate", "give one like 25, 23.976 or 30000/1001") from error
    timeline = read(papers[0], *papers[1:], rate=pace, unpack=Path(unpack) if unpack else None)
    timeline, missing = relinked(timeline, media_root)
    facts: dict[str, Media] = {}
    unread = []
    paths = dict.fromkeys(c.take for t in timeline.tracks for c in t.clips if c.take and Path(c.take).is_file())
    session.progress.start("probe", len(paths), "files")
    for path in paths:
        try:
            facts[path] = probe(path)
        except MediaError as error:
            unread.append((path, error.message))
        session.progress.advance()
    session.progress.stop()
    return settled(timeline, facts), missing, tuple(unread)


def _log(papers: Sequence[str], target: str) -> Imported:
    from backbeat.exchange.logs import read_log
    from backbeat.model.codec import SCHEMA, to_plain

    rows: list[LogRow] = [row for paper in papers for row in read_log(paper)]
    body = json.dumps({"schema": SCHEMA, "takes": to_plain(rows)}, ensure_ascii=False, indent=1)
    with placed(target) as temporary:
        Path(temporary).write_text(body + "\n", encoding="utf-8")
    return Imported("log", target, Path(papers[0]).stem, takes=len(rows))
