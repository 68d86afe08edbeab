# SPDX-License-Identifier: Apache-2.0
"""Activations to a grid: a semi-Markov form of the bar pointer model, solved exactly by dynamic programming.

The model is that of Krebs, Böck & Widmer (ISMIR 2015): a hidden tempo and position in the bar; the tempo changes at
beats only. Between beats nothing is emitted, so a path is scored by its beats alone: the sum over beats of the log
odds that a (down)beat sounds there. Hence states live on beats, not on frames: 12 frames are solved in one step of
array arithmetic, for no interval is shorter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SLOWEST, FASTEST = 45.0, 230.0  # beats a minute
RATIO = 1.03  # between neighbouring tempo states
_LEAVE = np.array([0.0, 1.2, 3.5, 6.5])  # cost of a change by 0..3 tempo states (0, 3, 6, 9 %) at one beat
_LATE = np.float32(0.6)  # cost of a beat a frame early or late
_LOW = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Path:
    """A decoded grid: `frames` of the beats, `positions` in the bar (1 = downbeat), `meter`, and the path's `score`."""

    frames: NDArray[np.int64]
    positions: NDArray[np.int64]
    meter: int
    score: float


def tempos() -> NDArray[np.float64]:
    """Return the tempo states, beats a minute, rising."""
    count = int(np.log(FASTEST / SLOWEST) / np.log(RATIO)) + 1
    return np.asarray(SLOWEST * RATIO ** np.arange(count), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Places:
    """The positions in the bar of every meter laid end to end."""

    meters: tuple[int, ...]
    before: NDArray[np.int64]
    is_down: NDArray[np.bool_]

    @classmethod
    def of(cls, meters: tuple[int, ...]) -> _Places:
        before: list[int] = []
        for meter in meters:
            start = len(before)
            before += [start + (i - 1) % meter for i in range(meter)]
        is_down = np.concatenate([np.arange(m) == 0 for m in meters])
        return cls(meters, np.array(before), is_down)

    def tell(self, place: int) -> tuple[int, int]:
        """Return (meter, offset of its first place)."""
        offset = 0
        for meter in self.meters:
            if place < offset + meter:
                return meter, offset
            offset += meter
        raise ValueError(place)


def decode(beat: Array, down: Array, fps: int, prior: Array, meters: tuple[int, ...] = (3, 4)) -> Path:
    """Return the best path from the first to the last period of the song.

    Parameters
    ----------
    beat, down
        Log odds, a frame each, that a beat that is no downbeat, or a downbeat, sounds there rather than nothing.
    fps
        Frames a second.
    prior
        Log weight of each state of `tempos`, paid at every beat; ``-1e9`` forbids a tempo.
    meters
        Beats a bar that are considered; one holds for the whole path.
    """
    n = len(beat)
    kept = np.flatnonzero(prior > _LOW / 2)
    if n < 2 or not len(kept):
        return Path(np.zeros(0, np.int64), np.zeros(0, np.int64), meters[0], 0.0)
    first, last = int(kept[0]), int(kept[-1]) + 1
    period = np.rint(60 * fps / tempos()[first:last]).astype(np.int64)
    weight = prior[first:last].astype(np.float32)
    places = _Places.of(meters)
    odds = np.where(places.is_down, down[:, None], beat[:, None]).astype(np.float32)
    # Row r of the tables holds frame r - reach; the rows before the song cannot be reached.
    reach = int(period.max()) + 1
    step = int(period.min()) - 1  # so many frames do not depend on each other
    arrive = np.full((n + reach, len(places.before), len(period)), _LOW, np.float32)
    ring = reach + 2 * step  # of the scores of leaving only the slowest period is looked back at
    leave = np.full((ring, *arrive.shape[1:]), _LOW, np.float32)
    which = np.arange(len(period))
    for start in range(0, n, step):
        stop = min(start + step, n)
        rows = np.arange(start, stop)[:, None] + reach - period
        best = leave[rows % ring, :, which]  # (frame, state, place)
        for late in (-1, 1):
            np.maximum(best, leave[(rows - late) % ring, :, which] - _LATE, out=best)
        came = best[:, :, places.before].transpose(0, 2, 1) + weight
        if start < reach:  # the first beat comes within the slowest period
            came[: reach - start] = np.maximum(came[: reach - start], 0)
        here = came + odds[start:stop, :, None]
        arrive[start + reach : stop + reach] = here
        leave[np.arange(start + reach, stop + reach) % ring] = _moved(here)
    return _trace(arrive, period, weight, places, reach)


def _moved(here: Array) -> Array:
    """Return the best score of leaving in each tempo state, given the score of arriving in each."""
    out = here.copy()
    for jump in range(1, min(len(_LEAVE), here.shape[2])):
        cost = np.float32(_LEAVE[jump])
        np.maximum(out[..., jump:], here[..., :-jump] - cost, out=out[..., jump:])
        np.maximum(out[..., :-jump], here[..., jump:] - cost, out=out[..., :-jump])
    return out


def _trace(arrive: Array, period: NDArray[np.int64], weight: Array, places: _Places, reach: int) -> Path:
    """Follow the best path back; its choices are found again instead of having been stored."""
    tail = arrive[-reach:]
    row, place, state = (int(v) for v in np.unravel_index(int(tail.argmax()), tail.shape))
    row += len(arrive) - len(tail)
    score = float(arrive[row, place, state])
    meter, offset = places.tell(place)
    states = np.arange(len(period))
    frames, positions = [row - reach], [place - offset + 1]
    while True:
        place = int(places.before[place])
        rows = [row - int(period[state]) - late for late in (0, -1, 1)]
        leave = _moved(arrive[rows, place][:, None])[:, 0, state]
        values = [float(score) - float(_LATE) * (i > 0) for i, score in enumerate(leave)]
        choice = int(np.argmax(values))
        if row < 2 * reach and values[choice] + float(weight[state]) <= 0:
            break
        row = rows[choice]
        jumps = np.abs(states - state)
        cost = np.append(_LEAVE, np.inf)[np.minimum(jumps, len(_LEAVE))]
        state = int((arrive[row, place] - cost).argmax())
        frames.append(row - reach)
        positions.append(place - offset + 1)
    return Path(np.array(frames[::-1]), np.array(positions[::-1]), meter, score)
