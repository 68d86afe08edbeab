# SPDX-License-Identifier: Apache-2.0
"""The production sound of an edit, mended and moved: room tone in its holes, its impacts on the beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backbeat.model.time import Span
from backbeat.model.timeline import NORMAL, Clip, Speed, Timeline, Track

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.room_tone import Patch
    from backbeat.decide.snap import Nudge
    from backbeat.model.song import Song
    from backbeat.verbs.sync_scene import Scene

STEP = 0.01  # s between levels
_RATE = 48_000
_HEARD = {"heard", "both"}


@dataclass(frozen=True, slots=True)
class Toned:
    """A timeline with room tone in the holes of its production sound, and which were filled."""

    timeline: Timeline
    filled: tuple[Patch, ...] = ()


def with_room_tone(timeline: Timeline, busy: Sequence[Span]) -> Toned:
    """Fill short holes in the production sound with quiet stretches of the same room.

    `busy` are film seconds in which somebody speaks or something happens; no tone is taken there. Only holes between
    two sounding stretches are filled, and none where a clip is at another speed.
    """
    from backbeat.decide.room_tone import patches

    level = levels(replace(timeline, cues=()))
    if level is None:
        return Toned(timeline)
    made: list[Clip] = []
    filled = []
    for patch in patches(level, STEP, busy):
        clips = _tone(timeline, patch)
        if clips:
            made += clips
            filled.append(patch)
    if not made:
        return Toned(timeline)
    return Toned(replace(timeline, tracks=(*timeline.tracks, Track(tuple(made), "sound", "room tone"))), tuple(filled))


def levels(timeline: Timeline) -> NDArray[np.float64] | None:
    """Return the level of a timeline's sound in dBFS every `STEP` seconds, None where nothing sounds."""
    import numpy as np

    from backbeat.make.mix import Mixer
    from backbeat.make.pieces import pieces_of

    pieces = pieces_of(timeline)
    if not pieces:
        return None
    count, size = round(timeline.duration * _RATE), round(STEP * _RATE)
    power = []
    with Mixer(pieces, count) as mixer:
        for block in mixer.blocks():
            rows = block[:, : block.shape[1] // size * size].astype(float)
            power.append((rows**2).mean(0).reshape(-1, size).mean(1))
    return np.asarray(10 * np.log10(np.concatenate(power) + 1e-12)) if power else None


def _tone(timeline: Timeline, patch: Patch) -> list[Clip]:
    """Return the clips that play a stretch of tone there and back over a hole, none where no clip gives it."""
    rate = timeline.rate
    first, last = math.ceil(patch.tone.start * rate), math.floor(patch.tone.end * rate)
    giver = next(
        (
            c
            for t in timeline.tracks
            if t.enabled
            for c in t.clips
            if c.enabled
            and c.take
            and (t.kind == "sound" or c.sound_gain_db is not None)
            and c.start <= first
            and last <= c.end
            and c.speed == NORMAL
            and c.source_rate == rate
        ),
        None,
    )
    if giver is None or last - first < 4:
        return []
    low = giver.source_in + first - giver.start
    at, stop = math.floor(patch.hole.start * rate), min(math.ceil(patch.hole.end * rate), timeline.frames)
    out: list[Clip] = []
    while at < stop:
        frames = min(last - first, stop - at)
        back = len(out) % 2 == 1
        clip = Clip(
            at, frames, giver.take, low + (last - first) if back else low, rate, name="room tone",
            speed=Speed(-1.0) if back else NORMAL, sound_gain_db=giver.sound_gain_db or 0.0,
        )  # fmt: skip
        out.append(clip)
        at += frames
    return out


@dataclass(frozen=True, slots=True)
class Snapped:
    """A timeline with impacts of its production sound moved onto the beat, and which."""

    timeline: Timeline
    moves: tuple[Nudge, ...] = ()


def snapped(timeline: Timeline, film: Scene, songs: Sequence[Song], words: Sequence[Span]) -> Snapped:
    """Move gunshots and slams of the production sound onto the beats of the cues, by one frame at most."""
    from backbeat.decide.retarget_cue import cue_beats
    from backbeat.decide.snap import nudged, nudges

    known = {s.path: s for s in songs}
    beats = [
        time
        for cue in timeline.cues
        for time, _ in cue_beats(cue, [b.time for b in known[cue.path].beats], [1.0] * len(known[cue.path].beats))
    ]
    found = [(time, strength) for time, strength, evidence in film_hits(film) if evidence in _HEARD]
    moved, done = nudged(timeline, nudges(found, beats, words, timeline.rate, timeline.frames))
    return Snapped(moved, done)


def film_hits(film: Scene) -> list[tuple[float, float, str]]:
    """Return (film second, strength, evidence) of the hits that the film shows, in order."""
    rate = film.timeline.rate
    found = []
    for piece in film.pieces:
        clip = piece.clip
        shift = float(clip.start / rate) - float(clip.source_in / clip.source_rate)
        found += [
            (h.time + shift, h.strength, h.evidence)
            for h in piece.hits
            if clip.start / rate <= h.time + shift < clip.end / rate
        ]
    return sorted(found)
