# SPDX-License-Identifier: Apache-2.0
"""Gunshots and slams of the production sound moved onto the beat, by one frame at most; the picture stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from backbeat.model.time import Span, frame_at
from backbeat.model.timeline import NORMAL, Clip, Timeline, Track

STRONG = 0.5  # of a hit that may be moved: weaker ones nobody counts
BEFORE, AFTER = 0.12, 0.5  # s about a hit that move with it
_SPACE = 0.25  # s between what is moved


@dataclass(frozen=True, slots=True)
class Nudge:
    """The sound of record frames ``first .. last`` is heard `frames` (1 or -1) later; `time` of the hit, `beat` met."""

    first: int
    last: int
    frames: int
    time: float
    beat: float


def nudges(
    hits: Sequence[tuple[float, float]], beats: Sequence[float], words: Sequence[Span], rate: Fraction, frames: int
) -> tuple[Nudge, ...]:
    """Return what may be moved, in order.

    A hit is moved where that brings it nearer to a beat: between half a frame and one and a half off it. Nothing is
    moved that is talked over, or lies within a quarter of a second of what is moved already.

    Parameters
    ----------
    hits
        (film second, strength 0..1) of impacts that are heard.
    beats
        Film seconds.
    words
        Where somebody speaks, film seconds.
    rate, frames
        Of the film.
    """
    step = float(1 / rate)
    out: list[Nudge] = []
    for time, strength in sorted(hits):
        if strength < STRONG or not beats:
            continue
        beat = min(beats, key=lambda b: abs(b - time))
        off = beat - time
        if not 0.55 * step < abs(off) < 1.45 * step:
            continue
        first, last = frame_at(time - BEFORE, rate), frame_at(time + AFTER, rate)
        moved = Span(float((first - 2) / rate), float((last + 2) / rate))
        if first < 2 or last > frames - 2 or any(w.overlap(moved) > 0 for w in words):
            continue
        if out and moved.start < float(out[-1].last / rate) + _SPACE:
            continue
        out.append(Nudge(first, last, 1 if off > 0 else -1, time, beat))
    return tuple(out)


def nudged(timeline: Timeline, moves: Sequence[Nudge]) -> tuple[Timeline, tuple[Nudge, ...]]:
    """Return the timeline with its production sound moved, and the moves that were possible.

    The sound of a picture clip goes to a sound track of its own. A stretch is moved where one clip at normal speed
    covers it with a frame to spare on either side; the frame that is lost at one end is played twice at the other.
    """
    done: list[Nudge] = []
    tracks: list[Track] = []
    loose: list[Clip] = []
    for track in timeline.tracks:
        clips: list[Clip] = []
        for clip in track.clips:
            sounding = clip.enabled and clip.take and (track.kind == "sound" or clip.sound_gain_db is not None)
            mine = [m for m in moves if sounding and track.enabled and _covers(clip, m, timeline.rate)]
            done += mine
            if not mine:
                clips.append(clip)
            elif track.kind == "sound":
                clips += _split(clip, mine)
            else:
                loose += [replace(c, title=None, hits=()) for c in _split(clip, mine)]
                clips.append(replace(clip, sound_gain_db=None))
        tracks.append(replace(track, clips=tuple(clips)))
    if loose:
        tracks.append(Track(tuple(sorted(loose, key=lambda c: c.start)), "sound", "production sound"))
    return replace(timeline, tracks=tuple(tracks)), tuple(sorted(set(done), key=lambda m: m.first))


def _covers(clip: Clip, move: Nudge, rate: Fraction) -> bool:
    inside = clip.start + 1 < move.first and move.last < clip.end - 1
    return inside and clip.speed == NORMAL and clip.source_rate == rate and clip.source_in > 0


def _split(clip: Clip, moves: Sequence[Nudge]) -> list[Clip]:
    edges = [clip.start, *(e for m in moves for e in (m.first, m.last)), clip.end]
    out = []
    for i, (a, z) in enumerate(pairwise(edges)):
        late = moves[i // 2].frames if i % 2 else 0
        source = clip.source_in + (a - clip.start) - late
        out.append(replace(clip, start=a, frames=z - a, source_in=source, sound_gain_db=clip.sound_gain_db or 0.0))
    return out
