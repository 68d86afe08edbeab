# SPDX-License-Identifier: Apache-2.0
"""What deciding a film has found out, kept for the next decision of nearly the same film.

The prices that proved the bound, and what the best placement of each slot is worth at them. When a lock changes, the
bound follows from these by one pass over the slots: any prices prove a bound, so the old ones still do.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import given, search
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Pool
from backbeat.decide.prices import NEVER, Prices
from backbeat.decide.problem import CutProblem
from backbeat.decide.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A decided scene: its rows, its prices, and the `top` [slots] that any placement can be worth at them.

    A slot that a lock filled has no top (not a number): what else might stand there was not looked at.
    """

    scene: Scene
    rows: Rows
    prices: Prices
    top: Floats

    def serves(self, problem: CutProblem) -> bool:
        """Whether `problem` differs by its locks alone, and bans no less than was banned."""
        one, other = (dataclasses.replace(p, locks=(), previous=()) for p in (problem, self.scene.problem))
        return one == other and _banned(self.scene.problem) <= _banned(problem)

    def pool(self, problem: CutProblem) -> Pool | None:
        """Return the footage, if that of `problem` is the same."""
        return self.scene.pool if _banned(self.scene.problem) == _banned(problem) else None


def _banned(problem: CutProblem) -> set[str]:
    return {lock.take for lock in problem.locks if lock.kind == "forbid"}


def remember(columns: Columns, at: Prices) -> Known:
    """Return what is known of a scene after it was priced out at prices `at`."""
    sc = columns.sc
    top = columns.tops(at).copy()
    top[given.locked(sc).slot] = np.nan
    return Known(sc, columns.rows, at, top)


def carried(known: Known, rows: Rows) -> Prices:
    """Return the known prices for `rows`: a ban may have taken rows away and given others no upper bound."""
    old, row = known.rows, np.zeros(len(rows.low))
    kept = rows.styles + rows.takes + rows.phrases
    row[:kept] = known.prices.row[:kept]
    both = (rows.must >= 0) & (old.must >= 0)
    row[rows.must[both]] = known.prices.row[old.must[both]]
    row[-1] = known.prices.row[-1]
    return Prices(known.prices.frame, rows.clip(row))


def lasting(known: Known, sc: Scene) -> Floats:
    """Return the tops of the slots of `sc` that were known; not a number for the others, which a lock has made."""
    place = given.slots_of(known.scene, np.stack([sc.start, sc.end], axis=1))
    return np.where(place >= 0, known.top[place], np.nan)


def bound(
    top: Floats,
    stands: Placements,
    columns: Columns | None,
    looked: NDArray[np.bool_],
    sc: Scene,
    rows: Rows,
    at: Prices,
) -> float:
    """Return an upper bound of every edit of `sc`, whose problem differs from the known one by its locks alone.

    At prices `at` each slot that was known keeps its `top`, or is worth what a lock or the earlier edit (`stands`)
    puts there; `columns` are those of the slots `looked` at, all new ones among them. The best path through them
    bounds every edit.
    """
    fixed, new = given.locked(sc), np.isnan(top)

    def filled(of_new: Floats) -> Floats:
        out = top.copy()
        out[new] = of_new
        np.maximum.at(out, stands.slot, search.reduced(sc, rows, stands, at))
        out[fixed.slot] = search.reduced(sc, rows, fixed, at)
        return out

    best = filled(np.full(int(new.sum()), NEVER))
    if columns is not None and new.any():
        best = filled(columns.tops(at, some=new[looked])[new[looked]])
    return _longest(sc, best) + search.constant(rows, at)


def _longest(sc: Scene, values: Floats) -> float:
    """Return the best value of a path through the slots."""
    reach = [NEVER] * len(sc.grid.frame)
    reach[0] = 0.0
    for a, b, v in zip(sc.grid.first.tolist(), sc.grid.last.tolist(), values.tolist(), strict=True):
        reach[b] = max(reach[b], reach[a] + v)
    return reach[-1]


def only(sc: Scene, slots: NDArray[np.bool_]) -> Scene:
    """Return `sc` with the slots of the mask `slots` alone, and the beats about them alone."""
    low, high = sc.start[slots].min(), sc.end[slots].max()
    beats = sc.grid.beat_frame
    a = max(0, int(np.searchsorted(beats, low)) - 1)
    b = int(np.searchsorted(beats, high)) + 1
    of_slots = {name: getattr(sc.grid, name)[slots] for name in ("first", "last", "length", "row", "energy")}
    of_beats = {name: getattr(sc.grid, name)[a:b] for name in ("beat_time", "beat_frame", "beat_worth")}
    mine = {name: getattr(sc, name)[slots] for name in ("start", "end", "seconds", "span", "base", "section")}
    return dataclasses.replace(
        sc, grid=dataclasses.replace(sc.grid, **of_slots, **of_beats), inner=sc.inner[slots] - a, **mine
    )
