# SPDX-License-Identifier: Apache-2.0
"""How long each scene of a film lasts: a run-time shared by what the scenes carry, every scene ending on a phrase."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backbeat.decide.grid import has_beats
from backbeat.decide.retarget_cue import BEFORE_BEAT, CROSSFADE
from backbeat.model.cue import Seam
from backbeat.model.song import Song

SHORTEST = 2.0  # s: no scene is made shorter than this by a budget
PHRASE = 4  # bars
SURE, INTRO = 0.3, 12.0  # confidence of a downbeat to come in on; s of a song that are passed over for one
STRETCH = 0.015
SHORT, MANY = 6.0, 32  # a scene (s) too short for a path through its song; beats that such a path needs
_REACH = 0.25  # share of a scene's length by which it may end early to end well


def share(total: float, carries: Sequence[float], most: Sequence[float]) -> tuple[float, ...]:
    """Return each scene's seconds of `total`: in proportion to what its material carries, and at most `most`.

    What one scene cannot fill goes to the others; where none can, the film is shorter than `total`.
    """
    lengths = [0.0] * len(carries)
    floors = [min(SHORTEST, m) for m in most]
    free = set(range(len(carries)))
    left = total
    while free:
        weight = sum(max(carries[i], 0.1) for i in free)
        fair = {i: left * max(carries[i], 0.1) / weight for i in free}
        full = [i for i in free if fair[i] >= most[i]]
        small = [i for i in free if fair[i] < floors[i]]
        bound = full or small
        if not bound:
            for i in free:
                lengths[i] = fair[i]
            break
        for i in bound:
            lengths[i] = most[i] if full else floors[i]
            left -= lengths[i]
            free.discard(i)
        left = max(left, 0.0)
    return tuple(lengths)


def downbeats(song: Song) -> list[float]:
    """Return the downbeats, or every fourth beat where bars are unknown; none where there is no beat to trust."""
    if not has_beats(song):
        return []
    found = [b.time for b in song.beats if b.position == 1]
    return found or [b.time for b in song.beats][:: max(1, song.beats_per_bar)]


def entry(song: Song, *, first: bool) -> float:
    """Return where the song comes in: the first scene begins as the song does, others with its first sure downbeat.

    Bars that were counted back into silence, or through a beginning without a beat, are passed over, for twelve seconds
    at most. A song without beats begins at its beginning.
    """
    begin = next((p.time for p in song.entries if p.kind == "start"), 0.0) - 0.05
    bars = [t for t in downbeats(song) if t >= begin]
    if not bars:
        return max(0.0, begin)
    # a long introduction before the first downbeat is music too, not a pick-up
    if first and bars[0] < 4.0:
        return 0.0
    sure = {b.time: b.confidence for b in song.beats}
    near = [t for t in bars if t <= bars[0] + INTRO]
    return next((t for t in near if sure[t] >= SURE), max(near, key=lambda t: sure[t]))


def phrase_end(song: Song, start: float, target: float, most: float) -> float:
    """Return the best song second to end a scene at that began at `start` and should last about `target` s.

    Ends of sections and of four-bar phrases are preferred to other downbeats, near ones to far ones; never later than
    `most` s after the start, nor than the song lasts. Without a beat to end on it is the target itself.
    """
    limit = min(start + most, song.last_sound)
    aim = min(start + target, limit)
    bars = downbeats(song)
    bar = (bars[-1] - bars[0]) / (len(bars) - 1) if len(bars) > 1 else 2.0
    sections = [s.start for s in song.sections] + [s.end for s in song.sections[-1:]]
    low = aim - max(_REACH * target, 1e-6)

    def cost(t: float) -> float:
        away = abs(t - aim) / bar
        if any(abs(t - s) < 0.1 for s in sections):
            return away - 1.5
        opening = max((s for s in sections if s <= t + 0.1), default=start)
        return away - (1.0 if round((t - opening) / bar) % PHRASE == 0 else 0.0)

    found = [t for t in bars if low <= t <= limit + 1e-6 and t > start + 0.5]
    if found:
        return min(found, key=lambda t: (cost(t), t))
    early = [t for t in bars if start + 0.5 < t <= limit + 1e-6]
    return early[-1] if early and aim - early[-1] < bar else aim


def card_end(beats: Song, least: float) -> float:
    """Return the first downbeat at or after `least` s (a song on the scene's clock), `least` where there is none."""
    return next((t for t in downbeats(beats) if t >= least - 1e-6), least)


@dataclass(frozen=True, slots=True)
class Way:
    """How a song fills its scene.

    `kind`: straight (played from `song_in` at `stretch` song seconds a second), or fit (brought to length with seams).
    `ends` tells whether a beat of the song falls on the scene's end, or the song itself ends there.
    """

    kind: str
    song_in: float
    stretch: float = 1.0
    ends: bool = False


def way(song: Song, song_in: float, length: float, *, last: bool) -> Way:
    """Return how `song` from `song_in` fills `length` s: straight where at most 1.5 % of stretch will do, else fit.

    A song that is too short is fit whatever its beats, so that the scene is not left silent.
    The last scene of a film asks for the song's own ending, others for a downbeat on their last instant.
    """
    bars = [t for t in downbeats(song) if t <= song.last_sound]
    rest = song.last_sound - song_in
    if rest < length / (1 + STRETCH):
        return Way("fit", song_in)  # too short: whatever it takes
    if not bars:
        return Way("straight", song_in)
    if abs(rest / length - 1) <= STRETCH:
        return Way("straight", song_in, rest / length, ends=True)
    long = len(song.beats) >= MANY and length >= SHORT
    if last and long:
        return Way("fit", song_in)
    near = min(bars, key=lambda t: abs(t - song_in - length))
    stretch = (near - song_in) / length
    if abs(stretch - 1) <= STRETCH:
        return Way("straight", song_in, stretch, ends=True)
    return Way("fit" if long else "straight", song_in)


def looped(song: Song, song_in: float, length: float) -> tuple[Seam, ...]:
    """Return the seams by which a song that is too short fills `length` s: from its last downbeat to its first.

    Without beats its end runs into its beginning over a second.
    """
    bars = [t for t in downbeats(song) if t >= song_in - 0.01]
    if len(bars) > 1:
        out, into, fade = bars[-1] - BEFORE_BEAT, bars[0] - BEFORE_BEAT, CROSSFADE
    else:
        fade = min(1.0, song.last_sound / 4)
        out, into = song.last_sound - fade / 2, fade / 2
    first, turn = out - song_in, out - into
    if into < 0 or turn < 0.5 or first <= 0:
        return ()
    count = max(0, math.ceil((length - (song.last_sound - song_in)) / turn))
    return tuple(Seam(out, into, 0.0, fade) for _ in range(min(count, 10_000)))
