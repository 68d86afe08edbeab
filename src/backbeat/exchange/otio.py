# SPDX-License-Identifier: Apache-2.0
"""``film.otio``: the stored truth of an edit, an OpenTimelineIO file that any other program may open too.

What OpenTimelineIO has words for stands in its own words: tracks, gaps, clips with file references and source
timecode, time warps, dissolves, markers, sound tracks, runners-up as clips that are switched off. All else of a
`Timeline` stands beside it under ``metadata["backbeat"]``, so that `load` gives back exactly what `save` was given.
Where another program has moved, trimmed or replaced a clip, its word counts and the rest of ours is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backbeat.errors import InputError
from backbeat.exchange.otio_read import read
from backbeat.exchange.otio_write import build, urls_of
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
    text: str = build(timeline, urls_of(timeline, folder)).to_json_string(indent=2)
    return text.encode() + b"\n"


def load(path: str | Path) -> Timeline:
    """Return the timeline in an ``.otio`` file, ours or another program's; no media file is opened.

    Raises
    ------
    InputError
        If the file is missing, no OpenTimelineIO file, holds no timeline, or was written by a later version.
    """
    import opentimelineio as otio

    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", "give an .otio file")
    try:
        found: Any = otio.adapters.read_from_file(str(path), adapter_name="otio_json")
    except (otio.exceptions.OTIOError, ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: not an OpenTimelineIO file ({error})", "export it again from the program that made it"
        ) from error
    return read(found, path)
