# SPDX-License-Identifier: Apache-2.0
"""``film.otio``: the stored truth of an edit, an OpenTimelineIO file that any other program may open too.

What OpenTimelineIO has words for stands in its own words: tracks, gaps, clips with file references and source
timecode, time warps, dissolves, markers, sound tracks, runners-up as clips that are switched off. All else of a
`Timeline` stands beside it under ``metadata["backbeat"]``, so that `load` gives back exactly what `save` was given.
Where another program has moved, trimmed or replaced a clip, its word counts and the rest of ours is kept.
"""

from __future__ import annotations

from pathlib import Path

from backbeat.errors import InputError
from backbeat.exchange.otio_read import read
from backbeat.exchange.otio_write import build, text, urls_of
from backbeat.model.timeline import Timeline
from backbeat.work.output import placed


def save(timeline: Timeline, path: str | Path) -> None:
    """Write `timeline` to `path`; the same timeline at the same place gives the same bytes.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    data = to_bytes(timeline, Path(path).absolute().parent)
    with placed(str(path)) as temporary:
        Path(temporary).write_bytes(data)


def to_bytes(timeline: Timeline, folder: Path) -> bytes:
    """Return what `save` writes for a file in `folder`."""
    words = text(build(timeline, urls_of(timeline, folder))) + "\n"
    return words.encode("utf-8", "backslashreplace")  # a file name that is no proper text goes escaped


def load(path: str | Path) -> Timeline:
    """Return the timeline in an ``.otio`` file, ours or another program's; no media file is opened.

    Raises
    ------
    InputError
        If the file is missing, no OpenTimelineIO file, holds no timeline, or was written by a later version.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", "give an .otio file")
    try:
        words = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not an OpenTimelineIO file ({error})", "export it again") from error
    return read(words, path)
