# SPDX-License-Identifier: Apache-2.0
"""An edited scene moved onto the music with the least change: exact, by dynamic programming.

Each shot may lose or gain frames at its head and tail, slip inside its handles and run a little faster or slower. The
state is how far a cut has drifted from where it was; between two cuts the best head change and speed are chosen. All
lengths are record frames; a shot's source is counted in record frames too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

FREE = 1_000_000  # frames: no limit
_CHANGE = 0.012  # a frame more or less at one end
_LENGTH = 0.008  # a frame of length
_RUNTIME = 0.02  # a frame of run-time
_SPEED = 1.0  # times |log speed|
_OVERLAP = 0.05  # sound carried over a cut
_LOST = 0.3  # times the strength of a hit that is trimmed away


@dataclass(frozen=True, slots=True)
class SyncShot:
    """A shot of the scene as it was cut.

    `before`, `after`: frames of handle. `hits`: (frames after its start, strength 0..1). `head_free`, `tail_free`:
    frames at either end that carry no word and may be trimmed; `head_over`, `tail_over`: film frames, at the
    speed chosen, that may be trimmed from the picture although words lie there, because the neighbour is silent and
    the sound can be carried over the cut. `speeds`: factors allowed besides 1. `fixed`: nothing changes. `cut`: a
    visible cut stands at its start.
    """

    frames: int
    before: int = 0
    after: int = 0
    hits: tuple[tuple[float, float], ...] = ()
    head_free: int = FREE
    tail_free: int = FREE
    head_over: int = 0
    tail_over: int = 0
    speeds: tuple[float, ...] = ()
    fixed: bool = False
    cut: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """What may change, in frames: run-time, either end of a shot, slip; `shortest` shot; `drift` of any cut."""

    runtime: int = 24
    trim: int = 12
    slip: int = 8
    shortest: int = 6
    drift: int = 24


@dataclass(frozen=True, slots=True)
class Grid:
    """What the song asks for, seconds of the song: `times` rising, `weights` 0..1 (a downbeat 1)."""

    times: tuple[float, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one shot.

    `head` > 0 frames are taken from its start (< 0: given), `tail` < 0 from its end (> 0: given), both of source at
    normal speed; then it runs at `speed` over record frames `start`..`end`.
    """

    start: int
    end: int
    head: int
    tail: float
    speed: float

    @property
    def slip(self) -> int:
        """Frames by which the whole shot slips inside its source: what head and tail share."""
        whole = round(self.tail)
        if self.head * whole <= 0:
            return 0
        return min(self.head, whole) if self.head > 0 else max(self.head, whole)


@dataclass(frozen=True, slots=True)
class SyncSolution:
    """The scene on the song: a change a shot, the song's time at the first picture, the value reached."""

    changes: tuple[Change, ...]
    song_in: float
    value: float


def rewards(grid: Grid, song_in: float, frames: int, rate: Fraction) -> tuple[Array, Array]:
    """Return what a cut, and a hit of strength 1, is worth on each film frame, shapes (frames,).

    A bell of one frame at 24 pictures a second about each beat; off the beat a little less than nothing.
    """
    centre = (np.asarray(grid.times, float) - song_in) * float(rate)
    weight = np.asarray(grid.weights, float)
    width = max(1.0, float(rate) / 24)
    bell = np.zeros(frames)
    keep = (centre > -5 * width) & (centre < frames + 5 * width)
    for c, w in zip(centre[keep], weight[keep], strict=True):
        a, z = max(0, int(c - 4 * width)), min(frames, int(c + 4 * width) + 2)
        if z > a:
            bell[a:z] = np.maximum(bell[a:z], w * np.exp(-0.5 * ((np.arange(a, z) - c) / width) ** 2))
    return 0.8 * bell - 0.1, bell - 0.1


def cuts_of(shots: Sequence[SyncShot]) -> NDArray[np.int_]:
    """Return the frame at which each shot starts, and the end: (n + 1,)."""
    return np.concatenate([[0], np.cumsum([s.frames for s in shots])]).astype(int)


def offsets(
    shots: Sequence[SyncShot], grid: Grid, rate: Fraction, limits: Limits, candidates: Array, *, keep: int = 2
) -> tuple[float, ...]:
    """Return the `keep` most promising song times for the first picture among `candidates` (s), best first.

    Each cut and hit takes the best reward within five frames, less what moving there costs; the sum ranks. Candidates
    within two frames of a better one are left out.
    """
    starts = cuts_of(shots)
    events = [(int(f), 0.8) for f, s in zip(starts[1:-1], shots[1:], strict=True) if s.cut]
    events += [(int(f + h), w) for f, s in zip(starts[:-1], shots, strict=True) for h, w in s.hits]
    if not events or not len(candidates):
        return tuple(float(c) for c in candidates[:keep])
    frame = np.array([e[0] for e in events])
    worth = np.array([e[1] for e in events])
    step = 1 / (2 * float(rate))  # half frames
    first, last = float(candidates.min()), float(candidates.max())
    count = int((last - first + starts[-1] / float(rate)) / step) + 64
    _, bell = rewards(grid, first, count, Fraction(rate) * 2)
    reach = min(5, limits.trim) * 2
    best = bell.copy()
    for k in range(1, reach + 1):
        best[k:] = np.maximum(best[k:], bell[:-k] - 0.5 * k * 1.5 * _CHANGE)
        best[:-k] = np.maximum(best[:-k], bell[k:] - 0.5 * k * 1.5 * _CHANGE)
    shift = np.rint((np.asarray(candidates) - first) / step).astype(int)
    score = np.array([float((best[np.minimum(2 * frame + s, count - 1)] * worth).sum()) for s in shift])
    chosen: list[float] = []
    for i in np.argsort(-score, kind="stable"):
        if all(abs(candidates[i] - c) > 2 / float(rate) for c in chosen):
            chosen.append(float(candidates[i]))
        if len(chosen) == keep:
            break
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class _Inner:
    """One shot's inner choices: c pairs of head and speed, `places` drifts of its start, `span` changes of its length.

    `cost` (c, span) is what a choice costs. `at` (c, hits) is how many frames after the new start each hit of
    `strength` (hits,) falls; a length that does not reach it loses it. Choices whose hits fall alike differ only in
    cost, so the value is taken over groups of them; the best single choice is found again on the way back.
    """

    heads: Array
    speeds: Array
    cost: Array
    at: NDArray[np.int_]
    strength: Array
    place: NDArray[np.int_]
    length: NDArray[np.int_]
    hit_worth: Array

    def value(self) -> Array:
        """Return the best over all choices, (places, span)."""
        if not self.at.shape[1]:
            return np.broadcast_to(-self.cost.min(0), (len(self.place), self.cost.shape[1]))
        key = self.at @ (4096 ** np.arange(self.at.shape[1]) % 2**40)
        order = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[order], prepend=key[order[0]] - 1))
        cost = np.minimum.reduceat(self.cost[order], first, axis=0)
        at = self.at[order[first]]
        worth = np.zeros((len(at), len(self.place)), np.float32)
        late = []
        for k, strength in enumerate(self.strength):
            gain = strength * self.hit_worth[np.clip(self.place + at[:, k, None], 0, len(self.hit_worth) - 1)]
            seen = (at[:, k, None] >= 0) & (at[:, k, None] < self.length)
            if seen.all():
                worth += gain
            elif seen.any():
                late.append((gain, seen))
        total = worth[:, :, None] - cost[:, None, :]
        for gain, seen in late:
            total += gain[:, :, None] * seen[:, None, :]
        return np.asarray(total.max(0))

    def choice(self, place: int, step: int) -> tuple[int, float]:
        """Return the best (head, speed) for one drift and one change of length."""
        total = -self.cost[:, step]
        for k, strength in enumerate(self.strength):
            at = self.at[:, k]
            gain = strength * self.hit_worth[np.clip(self.place[place] + at, 0, len(self.hit_worth) - 1)]
            total = total + gain * ((at >= 0) & (at < self.length[step]))
        best = int(total.argmax())
        return int(self.heads[best]), float(self.speeds[best])


def _inner(shot: SyncShot, start: int, hit_worth: Array, limits: Limits, drift: int) -> _Inner:
    """Price head, speed and length of one shot for every drift of its start."""
    change = np.arange(2 * limits.trim + 1) - limits.trim
    place = start + np.arange(2 * drift + 1) - drift
    length = shot.frames
    most = min(limits.trim, max(0, length - limits.shortest))
    heads = np.arange(
        -min(shot.before, limits.trim), min(most, max(shot.head_free, 2 * shot.head_over)) + 1, dtype=float
    )
    speed = np.array([1.0, *(f for f in shot.speeds if f != 1.0)])
    if shot.fixed:
        heads, speed = heads[:0], speed[:1]
    h = np.repeat(heads, len(speed))[:, None]
    r = np.tile(speed, len(heads))[:, None]
    tail = (length + change) * r + h - length
    slip = np.where(h * tail > 0, np.minimum(np.abs(h), np.abs(tail)), 0.0)
    cost = _CHANGE * 0.5 * (np.abs(h) + np.abs(tail)) + _SPEED * np.abs(np.log(r)) + _LENGTH * np.abs(change)
    cost += _OVERLAP * (h > shot.head_free) + _OVERLAP * (-tail > shot.tail_free + 0.01)
    allowed = (
        (tail <= min(shot.after, limits.trim) + 0.01)
        & (h <= np.maximum(shot.head_free, shot.head_over * r))
        & (-tail <= np.minimum(most, np.maximum(shot.tail_free, shot.tail_over * r)) + 0.01)
        & (slip <= limits.slip + 0.01)
        & (length + change >= min(limits.shortest, length))
    )
    alive = allowed.any(1)
    if alive.any():
        h, r, cost = h[alive], r[alive], np.where(allowed, cost, np.inf)[alive]
    else:  # as it was, or not at all
        h, r, cost = np.zeros((1, 1)), np.ones((1, 1)), np.where(change == 0, 0.0, np.inf)[None]
    offset = np.array([o for o, _ in shot.hits])
    strength = np.array([w for _, w in shot.hits], np.float32)
    at = np.floor((offset - h) / r + 0.5).astype(int)
    for k, weight in enumerate(strength):
        lost = (at[:, k, None] < 0) | (at[:, k, None] >= length + change)
        cost = cost + _LOST * float(weight) * lost
    return _Inner(h[:, 0], r[:, 0], cost.astype(np.float32), at, strength, place, length + change, hit_worth)


def solve(
    shots: Sequence[SyncShot], grid: Grid, song_in: float, rate: Fraction, limits: Limits, *, shorten: int = 0
) -> SyncSolution | None:
    """Return the best scene with the song at `song_in` (s) at its first picture, None where the limits allow none.

    `shorten` is a run-time (frames) that is aimed at below the present one.
    """
    if not shots:
        return SyncSolution((), song_in, 0.0)
    starts = cuts_of(shots)
    drift = max(limits.drift, min(limits.runtime, 120))
    places, span = 2 * drift + 1, 2 * limits.trim + 1
    cut_worth, hit_worth = rewards(grid, song_in, int(starts[-1]) + drift + 2 * limits.trim + 2, rate)
    hit_worth = hit_worth.astype(np.float32)
    score = np.full(places, -np.inf)
    score[drift] = 0.0
    back = np.full((len(shots), places), -1, np.int32)
    inner: list[_Inner] = []
    earlier = np.arange(places)[:, None] - (np.arange(span) - limits.trim)  # drift before, for each drift after
    inside = (earlier >= 0) & (earlier < places)
    arrive = np.clip(earlier, 0, places - 1)
    column = np.broadcast_to(np.arange(span), arrive.shape)
    for i, shot in enumerate(shots):
        best = _inner(shot, int(starts[i]), hit_worth, limits, drift)
        inner.append(best)
        total = np.where(inside, (score[:, None] + best.value())[arrive, column], -np.inf)
        choice = total.argmax(1)
        score = np.take_along_axis(total, choice[:, None], 1)[:, 0]
        back[i] = choice
        if i + 1 < len(shots) and shots[i + 1].cut:
            at = np.clip(starts[i + 1] + np.arange(places) - drift, 0, len(cut_worth) - 1)
            score = score + cut_worth[at]
    away = np.abs(np.arange(places) - drift + shorten)
    final = np.where(away <= limits.runtime, score - _RUNTIME * away, -np.inf)
    end = int(final.argmax())
    if not np.isfinite(final[end]):
        return None
    value = float(final[end])
    changes: list[Change] = []
    for i in range(len(shots) - 1, -1, -1):
        step = int(back[i, end])
        begin = end - (step - limits.trim)
        head, speed = inner[i].choice(begin, step)
        first, last = int(starts[i]) + begin - drift, int(starts[i + 1]) + end - drift
        changes.append(Change(first, last, head, (last - first) * speed + head - shots[i].frames, speed))
        end = begin
    return SyncSolution(tuple(reversed(changes)), song_in, value)


def sync(
    shots: Sequence[SyncShot],
    grid: Grid,
    rate: Fraction,
    limits: Limits,
    candidates: Array,
    *,
    shorten: int = 0,
    keep: int = 2,
) -> SyncSolution | None:
    """Return the best scene over the song times `candidates` (s): all ranked, the best `keep` solved exactly."""
    found = [
        s
        for c in offsets(shots, grid, rate, limits, candidates, keep=keep)
        if (s := solve(shots, grid, c, rate, limits, shorten=shorten)) is not None
    ]
    return max(found, key=lambda s: s.value, default=None)
