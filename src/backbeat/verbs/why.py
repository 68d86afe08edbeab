# SPDX-License-Identifier: Apache-2.0
"""``why``: why a clip of a timeline stands where it does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from backbeat.errors import InputError
from backbeat.model.time import clock, parse_clock
from backbeat.model.timeline import Clip, Timeline


@dataclass(frozen=True, slots=True)
class Why:
    """The clip on screen at a moment, which of how many it is, and the clips beside it (None at the film's ends).

    `rates` are the frame rates of the timeline's takes, by path.
    """

    clip: Clip
    index: int
    count: int
    start: float
    end: float
    source_in: float
    before: Clip | None
    after: Clip | None
    rates: dict[str, Fraction]


def why(path: str, moment: str) -> Why:
    """Return what is known of the clip that ``film.otio`` shows at `moment` (seconds, or 0:42).

    Raises
    ------
    InputError
        If there is no such timeline or moment.
    """
    from backbeat.exchange import otio

    timeline = otio.load(path)
    try:
        at = parse_clock(moment)
    except ValueError:
        raise InputError(f"{moment}: not a moment", "give seconds or minutes and seconds, for example 0:42") from None
    if not 0 <= at < timeline.duration:
        raise InputError(
            f"{moment}: the film lasts {clock(timeline.duration)}", "give a moment before its end, for example 0:42"
        )
    return at_frame(timeline, int(at * timeline.rate))


def at_frame(timeline: Timeline, frame: int) -> Why:
    """Return what is known of the clip on screen at record `frame`: the topmost enabled one.

    Raises
    ------
    InputError
        If nothing is on screen there.
    """
    rate = timeline.rate
    for track in reversed([t for t in timeline.tracks if t.kind == "picture" and t.enabled]):
        clips = [c for c in track.clips if c.enabled]
        for i, clip in enumerate(clips):
            if clip.start <= frame < clip.end:
                return Why(
                    clip=clip,
                    index=i,
                    count=len(clips),
                    start=float(clip.start / rate),
                    end=float(clip.end / rate),
                    source_in=float(clip.source_in / clip.source_rate),
                    before=clips[i - 1] if i else None,
                    after=clips[i + 1] if i + 1 < len(clips) else None,
                    rates={take.path: take.rate for take in timeline.takes},
                )
    raise InputError(f"no picture at {clock(float(frame / rate))}", "the timeline has a gap there")
