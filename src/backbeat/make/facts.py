# SPDX-License-Identifier: Apache-2.0
"""Before work begins: are all files there, and is everything known of them that the render needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import MediaError
from backbeat.media.box import is_sequence
from backbeat.media.probe import probe

if TYPE_CHECKING:
    from backbeat.model.timeline import Timeline


def completed(timeline: Timeline) -> Timeline:
    """Return `timeline` with the facts of every take that an enabled clip names (the files of NLEs bring few).

    Raises
    ------
    MediaError
        If takes or songs are missing or a take cannot be read; all missing ones are named at once.
    """
    used = {c.take for t in timeline.tracks if t.enabled for c in t.clips if c.enabled and c.take}
    songs = {c.path for c in timeline.cues}
    gone = sorted(p for p in used | songs if not Path(p).is_file() and not is_sequence(p))
    if gone:
        more = f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        raise MediaError(f"missing: {', '.join(gone[:3])}{more}", "put the files back where they were, or relink them")
    known = {m.path for m in timeline.takes if m.pixel_format and m.width > 0}
    fresh = tuple(probe(p) for p in sorted(used - known))
    if not fresh:
        return timeline
    kept = tuple(m for m in timeline.takes if m.path not in {f.path for f in fresh})
    return replace(timeline, takes=(*kept, *fresh))
