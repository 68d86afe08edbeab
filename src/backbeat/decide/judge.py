# SPDX-License-Identifier: Apache-2.0
"""How well cuts and hits fall on beats, beyond chance: pure, seeded, and hard to flatter.

Every rate stands with its n, its chance level, its lower bound and a p-value. The 1-second "beat hit scores" of the
literature are not here on purpose: random cuts score 0.8-1.0 on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PHRASE = 8.0  # seconds: neighbouring cuts are not independent, so phrases are drawn and shifted as a whole
LEAST = 3  # fewer events than this are no evidence
_DRAWS = 999
_Z = 1.6448536269514722  # one-sided 5 %


@dataclass(frozen=True, slots=True)
class Window:
    """How far from a beat still counts, in frames at 24 fps: `early` before it, `late` after it."""

    early: float
    late: float

    def seconds(self, rate: Fraction) -> tuple[float, float]:
        """Return (early, late) seconds at `rate`: the frames' time plus half a frame of rounding either way."""
        half = 0.5 / float(rate)
        return self.early / 24.0 + half, self.late / 24.0 + half


# Picture first is forgiven, sound first is not (ITU-R BT.1359: 45 ms against 125 ms), and editors lead: -2 … +1.
CUT_WINDOW = Window(2.0, 1.0)
HIT_WINDOW = Window(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """A rate beyond chance.

    `value` is the share of `n` events inside the window, `chance` what unrelated events would reach, `kappa` =
    (value - chance) / (1 - chance), `low` its lower bound (95 %, one-sided), `p` from the phrase-jitter null, `stars`
    1..5 (None for fewer than three events), `median_error` seconds, negative = before the beat.
    """

    value: float
    chance: float
    kappa: float
    low: float
    p: float
    n: int
    stars: float | None
    median_error: float


NOTHING = Metric(0.0, 0.0, 0.0, 0.0, 1.0, 0, None, 0.0)


def cut_on_beat(
    cuts: Sequence[float], beats: Sequence[float], rate: Fraction, *, window: Window = CUT_WINDOW, seed: int = 0
) -> Metric:
    """Judge how far cuts fall on beats.

    Parameters
    ----------
    cuts
        Film seconds at which a new shot begins (its frame over the rate).
    beats
        Film seconds, rising.
    rate
        Frames a second: a cut can only fall on a frame, so half a frame is added to the window either way.
    """
    return rate_on_grid(cuts, beats, window.seconds(rate), seed=seed)


def hit_on_beat(
    hits: Sequence[float], beats: Sequence[float], rate: Fraction, *, window: Window = HIT_WINDOW, seed: int = 0
) -> Metric:
    """Judge how far `hits` (film seconds) fall on `beats` (film seconds), within ±1 frame at 24 fps.

    Choose which hits count (by strength) before looking at the music.
    """
    return rate_on_grid(hits, beats, window.seconds(rate), seed=seed)


def stars_of(low: float) -> float:
    """Return 1..5 stars from the lower bound of a chance-corrected rate: 1 = no better than chance, 5 from 0.8 on."""
    return 1.0 + 4.0 * min(1.0, max(0.0, low / 0.8))


def rate_on_grid(
    events: Sequence[float], beats: Sequence[float], reach: tuple[float, float], *, seed: int = 0, alpha: float = 0.05
) -> Metric:
    """Return the share of `events` that lie on `beats` (both film seconds), against chance.

    A beat counts for one event alone, the nearest, so that cutting everywhere earns nothing. The chance level is the
    mean of min(1, window / local beat period). The lower bound is the smaller of a block
    bootstrap over phrases and Wilson's score bound, which guards short lists. The null of `p` shifts every phrase of
    events by its own uniform ± half a beat: one global shift saturates, and a shuffle of the shot lengths is weak
    for regular cutting. Events where no beat is near (no music) are not counted.

    Parameters
    ----------
    reach
        Seconds (before, after) a beat that count.
    alpha
        Level of the lower bound; smaller where several grids were tried.
    """
    near = nearest(np.asarray(events, float), np.asarray(beats, float))
    n = len(near.time)
    if n == 0:
        return NOTHING
    draw = np.random.default_rng(seed)
    on = _one_a_beat(near, inside(near.offset, reach))
    chance = np.minimum(1.0, (reach[0] + reach[1]) / near.period)
    value, level = float(on.mean()), float(chance.mean())
    low = min(_bootstrap(near.time, on, chance, draw, alpha), _kappa(_wilson(value, n, alpha), level))
    return Metric(
        value=value,
        chance=level,
        kappa=_kappa(value, level),
        low=low,
        p=_phrase_jitter(near, on, reach, draw),
        n=n,
        stars=stars_of(low) if n >= LEAST else None,
        median_error=float(np.median(near.offset)),
    )


@dataclass(frozen=True, slots=True)
class Near:
    """Events on a grid, arrays of shape (k,).

    `time`, `offset` (negative = before the beat) and `period` (of the local beat) are seconds; `beat` is the index of
    the nearest beat and `index` that of the event.
    """

    time: Floats
    offset: Floats
    period: Floats
    beat: NDArray[np.intp]
    index: NDArray[np.intp]


def inside(offset: Floats, reach: tuple[float, float]) -> Bools:
    """Return which offsets (s, negative = early) lie in the window; a nanosecond of rounding is forgiven."""
    return (offset >= -reach[0] - 1e-9) & (offset <= reach[1] + 1e-9)


def nearest(events: Floats, beats: Floats) -> Near:
    """Return the events that lie on the grid, each with its nearest beat.

    The period is that of the beat interval which holds the event. A gap of more than two usual periods is a place
    without beats: an event there counts only within half a usual period of either edge; so at both ends of the grid.
    """
    if len(beats) < 2 or len(events) == 0:
        none = np.empty(0, np.intp)
        return Near(np.empty(0), np.empty(0), np.empty(0), none, none)
    gaps = np.diff(beats)
    usual = float(np.median(gaps))
    right = np.searchsorted(beats, events, side="right")
    inner = np.clip(right, 1, len(beats) - 1)
    before, after = events - beats[inner - 1], events - beats[inner]
    beat = np.where(before < -after, inner - 1, inner)
    offset = events - beats[beat]
    period = gaps[inner - 1]
    outside = (right == 0) | (right == len(beats)) | (period > 2 * usual)
    keep = ~outside | (np.abs(offset) <= usual / 2)
    return Near(events[keep], offset[keep], np.where(outside, usual, period)[keep], beat[keep], np.flatnonzero(keep))


def _one_a_beat(near: Near, on: Bools) -> Bools:
    """Keep of the events `on` one beat only the nearest."""
    order = np.lexsort((np.abs(near.offset), ~on, near.beat))
    first = np.ones(len(order), bool)
    first[1:] = near.beat[order][1:] != near.beat[order][:-1]
    kept = np.zeros(len(on), bool)
    kept[order[first]] = True
    return on & kept


def _kappa(value: float, chance: float) -> float:
    return (value - chance) / (1.0 - chance) if chance < 1.0 - 1e-9 else 0.0


def _phrases(times: Floats) -> NDArray[np.intp]:
    return np.unique(np.floor(times / PHRASE), return_inverse=True)[1]


def _bootstrap(times: Floats, on: Bools, chance: Floats, draw: np.random.Generator, alpha: float) -> float:
    phrase = _phrases(times)
    many = int(phrase.max()) + 1
    sums = np.stack([np.bincount(phrase, w, many) for w in (on.astype(float), chance, np.ones(len(on)))])
    picks = draw.integers(0, many, (_DRAWS, many))
    hit, level, count = sums[:, picks].sum(axis=2)
    room = count - level
    kappas = np.where(room > 1e-9, (hit - level) / np.maximum(room, 1e-9), 0.0)
    return float(np.quantile(kappas, alpha))


def _wilson(share: float, n: int, alpha: float) -> float:
    z = _Z if alpha == 0.05 else _quantile(1.0 - alpha)
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n)


def _quantile(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


def _phrase_jitter(near: Near, on: Bools, reach: tuple[float, float], draw: np.random.Generator) -> float:
    phrase = _phrases(near.time)
    shifts = draw.uniform(-0.5, 0.5, (_DRAWS, int(phrase.max()) + 1))[:, phrase]
    # Shifting an event by a share of its period turns its phase; the phase wraps at half a period.
    turned = (near.offset / near.period + shifts + 0.5) % 1.0 - 0.5
    null = inside(turned * near.period, reach).mean(axis=1)
    return float((1 + np.count_nonzero(null >= on.mean() - 1e-12)) / (_DRAWS + 1))
