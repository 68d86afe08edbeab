# SPDX-License-Identifier: Apache-2.0
"""The scenes' music joined: each edge is judged, blends are measured before they are taken, cues are placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from backbeat.model.cue import Cue
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.joins import Join, Side
    from backbeat.model.project import ScenePlan
    from backbeat.model.song import Song
    from backbeat.verbs.make_scene import SceneCut

BESIDE = 4.0  # s before and after a blend whose loudness it leads from and to
NEXT = 8.0  # s either side of an edge that are listened to
_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A solved scene in the film: it begins at `start` s."""

    scene: SceneCut
    plan: ScenePlan
    song: Song
    start: float

    @property
    def end(self) -> float:
        """Film seconds."""
        return self.start + self.scene.timeline.duration


@dataclass(frozen=True, slots=True)
class JoinMade:
    """A join as it was made: `time` of the picture cut, its kind and why, and how long both songs sound.

    `downbeat_ms` is how late the new song's downbeat comes after the picture cut (None: it has no beat there),
    `flam_ms` the median distance of the attacks of a blend.
    """

    time: float
    into: str
    kind: str
    why: str
    overlap: float
    bars: int = 0
    downbeat_ms: float | None = None
    flam_ms: float | None = None
    notes: tuple[str, ...] = ()


def join_all(
    places: Sequence[Placed], session: Session, *, default: str = "auto"
) -> tuple[tuple[Cue, ...], tuple[JoinMade, ...]]:
    """Return the film's cues, joined, and how each edge was made."""
    cues = [cue_of(places[0])]
    told = []
    session.progress.start("joining songs", len(places) - 1, "joins")
    for old, new in pairwise(places):
        cue = cue_of(new)
        join, flam, lag = _judged(old, new, cues[-1], cue, default)
        last = cues.pop()
        if join.kind == "on":
            from backbeat.decide.joins import joined_on

            cues.append(joined_on(last, cue, new.start))
        else:
            first, second = made_of(old, new, last, cue, join, lag)
            cues += [first, second]
        overlap = 0.0 if join.kind in {"on", "cut"} else max(0.0, cues[-2].end - new.start)
        row = JoinMade(
            new.start, new.plan.name, join.kind, join.why, round(overlap, 3), join.bars, _downbeat(new),
            None if flam is None else round(1000 * flam, 2), join.notes,
        )  # fmt: skip
        told.append(row)
        session.progress.advance()
    session.progress.stop()
    return tuple(cues), tuple(told)


def cue_of(place: Placed) -> Cue:
    """Return the cue of a scene at its place in the film, from 0 at the earliest."""
    cue = place.scene.cue.later(place.start)
    if cue.start < 0:
        cue = replace(cue, start=0.0, song_in=cue.song_in - cue.start * cue.stretch)
    return cue


def side_of(place: Placed, *, old: bool) -> Side:
    """Return the music of a scene as its end (`old`) or its beginning sounds."""
    from backbeat.decide.joins import Side

    scene, song = place.scene, place.scene.heard
    length = scene.timeline.duration
    a, z = (max(0.0, length - NEXT), length) if old else (0.0, min(NEXT, length))
    steps = range(math.floor(a / song.energy_step), math.ceil(z / song.energy_step))
    near = [song.energy_at((i + 0.5) * song.energy_step) for i in steps] or [0.5]
    whole = song.energy[: math.ceil(length / song.energy_step)] or (0.5,)
    tempo = song.tempo
    played = place.scene.cue
    straight = not (played.seams or played.tempo_map or played.ring_out)
    left = place.song.last_sound - played.song_in - (length - played.start) * played.stretch
    return Side(
        song=place.song.path, energy=(sum(near) / len(near) + sum(whole) / len(whole)) / 2, tempo=tempo,
        bar=60 / tempo * max(1, song.beats_per_bar) if tempo > 0 else 2.0, key=song.key,
        confidence=song.beat_confidence, sung=any(v.start < z + NEXT * old and v.end > a for v in song.vocals),
        mood=place.plan.mood, lasts=length, on_end=scene.on_end, over=scene.ending == "the song's own" and old,
        room=left if straight else 0.0, talk=min((w.start for w in scene.words), default=math.inf),
    )  # fmt: skip


def _judged(old: Placed, new: Placed, one: Cue, other: Cue, default: str) -> tuple[Join, float | None, float]:
    """Return the join of an edge, what flam was measured for it, and the lag to be mended."""
    from backbeat.decide.joins import choose, unblendable

    asked = old.plan.join if old.plan.join != "auto" else default
    before, after = side_of(old, old=True), side_of(new, old=False)
    edge = new.start
    here = one.song_in + (edge - one.start) * one.stretch if not one.tempo_map else one.tempo_map[-1][1]
    there = other.song_in + (edge - other.start) * other.stretch
    on = one.path == other.path and before.room > 0 and abs(here - there) < 0.02 and old.plan.join == "auto"
    measured = None
    if not on and asked in {"auto", "blend"} and not unblendable(before, after):
        bars = choose(before, after, asked="blend", flam=0.0).bars
        measured = flam_of(old, new, one, other, bars)
    flam, lag = measured or (None, 0.0)
    return choose(before, after, asked=asked, flam=flam, on=on), flam, lag


def _bars_end(old: Placed, new: Placed, one: Cue, bars: int) -> tuple[float, float] | None:
    """Return seconds of `bars` bars of the new song after the edge, and the old song's second that falls there."""
    from backbeat.decide.arrange import downbeats
    from backbeat.decide.joins import tempo_ratio

    edge = new.start
    after = [t for t in downbeats(new.scene.heard) if t > 0.3]
    here = one.song_in + (edge - one.start) * one.stretch if not one.tempo_map else one.tempo_map[-1][1]
    before = [t for t in downbeats(old.song) if t > here + 0.3]
    ratio = tempo_ratio(old.scene.heard.tempo, new.scene.heard.tempo)
    half = round(new.scene.heard.tempo / old.scene.heard.tempo / ratio * 4) / 4  # 0.5, 1 or 2
    theirs = round(bars / half)
    if len(after) < bars or len(before) < theirs or theirs < 1:
        return None
    return after[bars - 1], before[theirs - 1]


def flam_of(old: Placed, new: Placed, one: Cue, other: Cue, bars: int) -> tuple[float, float] | None:
    """Return (median distance of attacks, lag) where the two would sound together, None where it cannot be told."""
    import soxr

    from backbeat.decide.joins import blended
    from backbeat.listen.flam import flam
    from backbeat.listen.spectrum import RATE

    place = _bars_end(old, new, one, bars)
    if place is None:
        return None
    length, song = place
    first = blended(one, new.start, song, length)
    sounds = [
        soxr.resample(sound_of(c, new.start, length).mean(0), _RATE, RATE).astype("float32") for c in (first, other)
    ]
    beats = [b.time for b in new.scene.heard.beats if 0.1 < b.time < length - 0.1]
    found = flam(sounds[0], sounds[1], beats)
    return None if found is None else (found.left, found.lag)


def sound_of(cue: Cue, start: float, length: float) -> NDArray[np.float32]:
    """Return film seconds ``start .. start + length`` of a cue, float32 (2, n), at its gain, keys left out."""
    import numpy as np

    from backbeat.make.retarget import cue_samples
    from backbeat.media.samples import read_sound

    made = cue_samples(read_sound(cue.path, rate=_RATE, channels=2), cue)
    a = round((start - cue.start) * _RATE)
    piece = made[:, max(0, a) : a + round(length * _RATE)]
    return np.asarray(piece * 10 ** (cue.gain_db / 20), np.float32)


def made_of(old: Placed, new: Placed, one: Cue, other: Cue, join: Join, lag: float) -> tuple[Cue, Cue]:
    """Return the old and the new cue as their join makes them; `lag` (s) is mended in a blend."""
    from backbeat.decide.arrange import downbeats
    from backbeat.decide.joins import LEAST_RING, blend_gains, blended, handed

    edge = new.start
    if join.kind == "blend":
        place = _bars_end(old, new, one, join.bars)
        assert place is not None  # measured before it was chosen
        length, song = place
        first = blended(one, edge, song, length, lag)
        step = length / (4 * join.bars)
        alone = [levels_of(sound_of(c, edge, length), step) for c in (first, other)]
        ends = sound_of(first, edge - BESIDE, BESIDE), sound_of(other, edge + length, BESIDE)
        begin, finish = (levels_of(s, s.shape[1] / _RATE)[0] for s in ends)
        gains = blend_gains(edge, step, alone[0], alone[1], begin, finish)
        return replace(first, gain_keys=gains.old), replace(other, gain_keys=gains.new)
    length = old.scene.timeline.duration
    bars = [t for t in downbeats(old.scene.heard) if 0 < t <= length - LEAST_RING]
    last = old.start + (bars[-1] if bars else length / 2)
    beat = 60 / new.scene.heard.tempo if new.scene.heard.tempo > 0 else 0.5
    return handed(one, join, edge, last, beat), other


def levels_of(sound: NDArray[np.float32], step: float) -> tuple[float, ...]:
    """Return the loudness (LUFS, ungated) of each `step` seconds of (2, n) at 48 kHz."""
    import numpy as np
    from scipy.signal import lfilter

    from backbeat.make.loudness import PASS, SHELF

    for b, a in (SHELF, PASS):
        sound = lfilter(b, a, sound, axis=1)
    size = round(step * _RATE)
    count = sound.shape[1] // size
    power = (sound[:, : count * size].astype(float) ** 2).sum(0).reshape(count, size).mean(1)
    return tuple(float(v) for v in -0.691 + 10 * np.log10(np.maximum(power, 1e-7)))


def _downbeat(new: Placed) -> float | None:
    from backbeat.decide.arrange import downbeats

    bars = downbeats(new.scene.heard)
    near = min(bars, key=abs, default=math.inf)
    return round(1000 * near, 2) if abs(near) < 0.3 else None
