# SPDX-License-Identifier: Apache-2.0
"""How long the film may honestly be: what the song offers, what the footage carries, where music ends."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from backbeat.decide import grid as music
from backbeat.errors import InputError, NoEditError
from backbeat.model.footage import Take
from backbeat.model.plan import Style
from backbeat.model.song import Song
from backbeat.model.time import clock, frame_at

CARRY = 0.6  # share of good footage that a film without drag uses (--length auto)
SPARE = 0.94  # share of the footage that a tight tiling can fill
SHORTEST = 1.0  # s; no film is shorter


@dataclass(frozen=True, slots=True)
class Length:
    """`frames` of film; the song is at `song_in` seconds when it starts; `why` says how that came about."""

    frames: int
    song_in: float
    why: str


def film_frames(
    song: Song, takes: tuple[Take, ...], style: Style, rate: Fraction, length: str | float, reuse: bool = False
) -> Length:
    """Return the length of a film of `takes` to `song`.

    `length` is "song" (all of it), "auto" (as long as the material carries) or seconds. Where the footage does not
    suffice and `reuse` is not allowed, the film is as long as it honestly can be and ends on a musical point.

    Raises
    ------
    InputError
        If `length` is none of these.
    NoEditError
        If song or footage is too short for any film.
    """
    if song.duration < SHORTEST:
        raise NoEditError(f"the song lasts only {song.duration:.1f} s", "choose a longer song")
    asked, why, exact = _asked(song, takes, style, length)
    can = capacity(song, takes, style)
    if can < SHORTEST / 2 and not reuse:
        raise NoEditError(f"the usable footage lasts only {can:.1f} s", "add footage")
    if not reuse and can < asked:
        why = f"the footage carries {clock(can)} of the {clock(asked)} wanted; --reuse allows more"
        asked, exact = can, False
    start = 0.0
    end = asked if exact else _musical_end(song, asked)
    return Length(
        max(1, frame_at(end - start, rate)), start, why if exact or length == "song" else _ends(song, end, why)
    )


def _asked(song: Song, takes: tuple[Take, ...], style: Style, length: str | float) -> tuple[float, str, bool]:
    if length == "song":
        return song.duration, "the whole song", True
    if length == "auto":
        good = carried(takes, style)
        wanted = min(song.duration, max(good, min(10.0, song.duration)))
        return wanted, "as long as the material carries", wanted >= song.duration
    if isinstance(length, str):
        raise InputError(f"--length {length}: no such length", "use seconds, song or auto")
    if not length >= SHORTEST:
        raise InputError(f"--length {length:g}: too short for a film", f"use at least {SHORTEST:g} seconds")
    if length > song.duration:
        return song.duration, f"the song ends at {clock(song.duration)}", True
    return float(length), f"{length:g} s as asked", True


def carried(takes: tuple[Take, ...], style: Style) -> float:
    """Return how many seconds of film the footage carries without drag."""
    return CARRY * sum(
        (s.end_frame - s.start_frame) / float(t.media.rate)
        for t in takes
        for s in t.shots
        if s.quality >= style.quality_floor
    )


def capacity(song: Song, takes: tuple[Take, ...], style: Style) -> float:
    """Return how many seconds of film the footage can fill without showing a frame twice.

    Shots are cut into whole beats, so what is left over of each is lost: a shot of 1.9 beats fills one.
    """
    beats = [b.time for b in song.beats] if music.has_beats(song) else [t for t, _ in music.instants(song)]
    period = float(np.median(np.diff(beats))) if len(beats) > 1 else 0.5
    unit = period * min(1.0, *style.lengths)
    shots = [(s.end_frame - s.start_frame) / float(t.media.rate) for t in takes for s in t.shots]
    whole = [np.floor(n / unit + 1e-6) * unit for n in shots]
    tight = float(sum(whole))
    return tight if len(shots) <= 2 else tight * SPARE


def _musical_end(song: Song, latest: float) -> float:
    """Return the best place to end at or before `latest`: a true ending, cadence, section, downbeat, beat."""
    floor = max(SHORTEST, 0.75 * latest)
    points = [(p.time, 3.0 + p.grade) for p in song.endings]
    points += [(s.end, 2.5) for s in song.sections]
    points += [(b.time, 2.0 if b.position == 1 else 1.0) for b in song.beats]
    points = [(t, g - 2.0 * (latest - t) / max(latest, 1e-9)) for t, g in points if floor <= t <= latest]
    if points:
        return max(points, key=lambda p: (p[1], p[0]))[0]
    early = [b.time for b in song.beats if SHORTEST <= b.time <= latest]
    return max(early, default=latest)


def _ends(song: Song, end: float, why: str) -> str:
    for point in song.endings:
        if abs(point.time - end) < 0.05:
            return f"{why}; ends on a {point.kind} at {clock(end)}"
    for section in song.sections:
        if abs(section.end - end) < 0.05:
            return f"{why}; ends with a section at {clock(end)}"
    if any(abs(b.time - end) < 0.05 and b.position == 1 for b in song.beats):
        return f"{why}; ends on a downbeat at {clock(end)}"
    return f"{why}; ends at {clock(end)}"
