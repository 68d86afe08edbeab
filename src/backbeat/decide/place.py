# SPDX-License-Identifier: Apache-2.0
"""Placements (a piece of a shot in a slot, and what it is worth there), and the scene that they are made from.

`stage` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import grid as music
from backbeat.decide import terms
from backbeat.decide.grid import Grid
from backbeat.decide.pool import Floats, Ints, Pool
from backbeat.decide.problem import CutProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Placements:
    """Parallel arrays: `slot`, `shot`, `low`/`high` (half-open on the axis of source frames), `value`, `factor`.

    `sync` is the part of `value` that the hits earn, `full` how many of them count as full hits on beats.
    """

    slot: Ints
    shot: Ints
    low: Ints
    high: Ints
    value: Floats
    factor: Floats
    sync: Floats
    full: Floats

    @property
    def size(self) -> int:
        """How many."""
        return len(self.slot)

    def take(self, keep: NDArray[np.int64] | NDArray[np.bool_]) -> Placements:
        """Return the placements that `keep` picks (indices or a mask)."""
        return Placements(*(getattr(self, name)[keep] for name in self.__slots__))


def join(parts: list[Placements]) -> Placements:
    """Return all `parts` as one."""
    return Placements(*(np.concatenate([getattr(p, name) for p in parts]) for name in Placements.__slots__))


def none() -> Placements:
    """Return no placements."""
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Placements(ints, ints, ints, ints, floats, floats, floats, floats)


@dataclass(frozen=True, slots=True)
class Scene:
    """A problem with its grid and its pool, and what both together fix.

    `span` [slots, rates]: source frames that a slot shows at normal speed. `seconds` [slots]. `start` [slots] record
    frame. `inner` [slots, 2]: the beats whose frames lie visibly inside the slot. `base` [slots]: worth of the cut.
    `section` [slots]: the song's section in which the middle of the slot lies, -1 for none.
    `made` is what was built of it.
    """

    problem: CutProblem
    grid: Grid
    pool: Pool
    start: Ints
    end: Ints
    seconds: Floats
    span: Ints
    inner: Ints
    base: Floats
    section: Ints
    made: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)


def scene(problem: CutProblem, grid: Grid, pool: Pool) -> Scene:
    """Return the tables that every placement needs."""
    rate = float(problem.rate)
    start, end = grid.frame[grid.first], grid.frame[grid.last]
    counts, where = np.unique(end - start, return_inverse=True)
    span = np.array([[shown(int(n), r, problem.rate) for r in pool.rates] for n in counts], np.int64)
    inner = np.stack(
        [
            np.searchsorted(grid.beat_frame, start + terms.HIDDEN),
            np.searchsorted(grid.beat_frame, end - terms.HIDDEN),
        ],
        axis=1,
    )
    return Scene(
        problem=problem,
        grid=grid,
        pool=pool,
        start=start,
        end=end,
        seconds=(end - start) / rate,
        span=span.reshape(len(counts), len(pool.rates))[where],
        inner=inner,
        base=slot_worth(problem, grid, start, end),
        section=music.section_at(problem.song, problem.song_in + (start + end) / 2 / rate),
    )


def slot_worth(problem: CutProblem, grid: Grid, start: Ints, end: Ints) -> Floats:
    """Return what a slot is worth whatever stands in it: the class of its cut, the opening, the ending."""
    worth = np.where(start == 0, 0.0, terms.cut_worth(grid.kind[grid.first], problem.style))
    bar = max(problem.song.beats_per_bar, 1)
    held = np.minimum(grid.length / bar, 1.0)
    return np.asarray(worth + terms.OPENING * held * (start == 0) + terms.ENDING * held * (end == problem.frames))


def shown(frames: int, source_rate: Fraction, rate: Fraction) -> int:
    """Return how many source frames, first to last, a clip of `frames` at normal speed spans."""
    position = Fraction(frames - 1) * source_rate / rate
    return -((1 - 2 * position) // 2) + 1


def offset_at(seconds: Floats, source_rate: Floats) -> Ints:
    """Return the source frames passed after `seconds` of source time, rounded as `Clip.source_frame` does."""
    # The 1e-7 keeps exact ties (half a frame) from being lifted by float error; see Clip.source_frame.
    return np.ceil(np.round(seconds * 1e6) / 1e6 * source_rate - 0.5 - 1e-7).astype(np.int64)


def ragged(counts: Ints) -> tuple[Ints, Ints]:
    """Return (owner, number within the owner) for rows with `counts` items each."""
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, number


def cut_frame(sc: Scene) -> Ints:
    """Return [slots] the frame on which a hit is the cut: the cut's own beat, one frame into the clip at most."""
    beats = sc.grid.beat_frame
    if not len(beats):
        return sc.start
    beat = np.clip(np.searchsorted(beats, sc.start), 0, len(beats) - 1)
    return np.asarray(sc.start + np.clip(beats[beat] - sc.start, 0, 1))
