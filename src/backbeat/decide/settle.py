# SPDX-License-Identifier: Apache-2.0
"""Prices settled: the least upper bound that the relaxed problem can give, by a smooth descent.

At temperature ``heat`` the best path is replaced by log-sum-exp over all paths. That makes the bound a smooth convex
function of the prices (Nesterov, "Smooth minimization of non-smooth functions", 2005), above the true bound by at most
``heat`` times the entropy of the paths, with what the average film shows and counts as its gradient. A projected
L-BFGS (Nocedal 1980; active set as in Bertsekas 1982) goes down it, a temperature at a time.

Source frames share a price in cells of a few frames: fewer variables settle sooner, and any prices prove a bound.
Sums avoid BLAS, whose threads would make the last bits, and so the edit, depend on the machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg.blas import dtbsv

from backbeat.decide.place import Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices, ceiling, logadd

if TYPE_CHECKING:
    from collections.abc import Callable

CELL = 1 / 3  # s of source that share a price, at most
MEMORY = 10  # steps that the descent remembers
DEAR = (
    5.0  # the most that a usual clip's footage may cost, or what the best is worth; more would say: too little footage
)
STEEP = 300.0  # logarithm of the largest number that potentials out of date may lead to


Heats = tuple[tuple[float, int], ...]  # (temperature, steps) in order


@dataclass(frozen=True, slots=True)
class Cells:
    """`of` [total] the cell of each source frame; `frames` [cells] how many a cell has. The last is of no shot.

    `part` [total] is where in its cell each frame begins, 0..1.
    """

    of: Ints
    frames: Floats
    part: Floats


@dataclass(frozen=True, slots=True)
class Ends:
    """Where placements begin or end: the cell [placements], and the share of it that lies behind."""

    cell: Ints
    part: Floats

    def passed(self, total: Floats, cost: Floats) -> Floats:
        """Return what all footage before costs; `total` [cells] is what the cells before each cost, `cost` the cell."""
        return np.asarray(total[self.cell] + self.part * cost[self.cell])

    def beyond(self, weight: Floats, cells: int) -> Floats:
        """Return [cells] how often each is shown by placements that go on from here for ever."""
        begun = np.asarray(np.bincount(self.cell, weight, cells), float)
        return np.cumsum(begun) - np.bincount(self.cell, weight * self.part, cells)


def cells(sc: Scene) -> Cells:
    """Return each shot cut into even cells no longer than `CELL`, nor than half of the shortest slot."""
    pool = sc.pool
    longest = min(CELL, 0.5 * float(sc.seconds.min(initial=9.0)))
    length = pool.end - pool.start
    count = np.maximum(np.ceil(length / np.maximum(longest * pool.rate, 1.0)).astype(np.int64), 1)
    first = np.cumsum(count) - count
    of = np.full(pool.total, int(count.sum()), np.int64)
    for a, n, k, c in zip((pool.base + pool.start).tolist(), length.tolist(), count, first, strict=True):
        of[a : a + n] = c + np.arange(n) * k // n
    frames = np.bincount(of, minlength=int(count.sum()) + 1).astype(float)
    new = np.r_[True, of[1:] != of[:-1]] if len(of) else np.zeros(0, bool)
    begin = np.maximum.accumulate(np.where(new, np.arange(len(of)), 0))
    return Cells(of, frames, (np.arange(len(of)) - begin) / frames[of])


def ends(cell: Cells, last: Ints) -> Ends:
    """Return where placements end whose last source frame is `last`."""
    return Ends(cell.of[last], cell.part[last] + 1 / cell.frames[cell.of[last]])


class Soft:
    """The average film of a network at given prices and temperature."""

    def __init__(self, net: Network) -> None:
        self.net = net
        alive = _alive(net)
        self.whole = bool(alive.any())
        nodes, place = np.unique(np.stack([net.first, net.last])[:, alive], return_inverse=True)
        self.first, self.last = place.reshape(2, -1)
        self.nodes, self.alive = len(nodes), np.flatnonzero(alive)
        self.width = int((self.last - self.first).max(initial=0))
        self.count = np.diff(np.append(net.begin, net.p.size))
        self.row = net.sc.grid.row[net.slots]
        self.take = net.sc.pool.take[net.p.shot]
        self.seconds = net.sc.seconds[net.p.slot]
        must = net.rows.must[self.take]
        self.asked = np.flatnonzero(must >= 0)
        self.must = must[self.asked]
        phrase = net.rows.phrase[net.p.slot]
        self.full = np.flatnonzero((phrase >= 0) & (net.p.full > 0))
        self.phrase, self.hits = phrase[self.full], net.p.full[self.full]
        self.potential: Floats | None = None

    def film(self, prices: Prices, heat: float) -> tuple[Floats, float]:
        """Return how likely each placement is on a random path weighed by exp(value / heat), and the soft optimum."""
        total = np.concatenate([[0.0], np.cumsum(prices.frame)])
        return self.paying(total[self.net.p.high] - total[self.net.p.low], prices.row, heat)

    def paying(self, paid: Floats, row: Floats, heat: float) -> tuple[Floats, float]:
        """Return the same for placements that have `paid` [placements] for their footage."""
        net = self.net
        red = net.p.value - paid
        of_take = row[net.rows.styles : net.rows.styles + net.rows.takes]
        if of_take.any():
            red -= of_take[self.take] * self.seconds
        if len(self.asked):
            red[self.asked] -= row[self.must]
        if len(self.full):
            red[self.full] -= row[self.phrase] * self.hits
        top = np.maximum.reduceat(red, net.begin)
        grown = np.exp((red - np.repeat(top, self.count)) / heat)
        mass = np.add.reduceat(grown, net.begin)
        value = top + heat * np.log(mass) - row[self.row] - row[-1]
        chance = np.zeros(len(value))
        chance[self.alive], best = self._slots(value[self.alive], heat)
        return np.repeat(chance / mass, self.count) * grown, best

    def counts(self, likely: Floats) -> Floats:
        """Return the counts [rows] of the average film."""
        rows = self.net.rows
        slot = np.add.reduceat(likely, self.net.begin)
        out = np.zeros(len(rows.low))
        out[: rows.styles] = np.bincount(self.row, slot, rows.styles)
        out[rows.styles : rows.styles + rows.takes] = np.bincount(self.take, likely * self.seconds, rows.takes)
        if len(self.asked):
            out += np.bincount(self.must, likely[self.asked], len(out))
        if len(self.full):
            out += np.bincount(self.phrase, likely[self.full] * self.hits, len(out))
        out[-1] = slot.sum()
        return out

    def _slots(self, value: Floats, heat: float) -> tuple[Floats, float]:
        """Return how likely a random path takes each slot, for soft slot `value`, and the soft optimum.

        The sums over paths solve a banded triangular system. Potentials, the soft optimum up to each node, keep its
        numbers near 1; those of the call before serve if the prices have not moved far.
        """
        n, first, last = self.nodes, self.first, self.last
        if self.potential is not None:
            weight = (value + self.potential[first] - self.potential[last]) / heat
            if weight.max() < STEEP:
                begun = np.zeros(n)
                begun[0] = 1.0
                reach = dtbsv(self.width, self._band(np.exp(weight)), begun, lower=1, diag=1)
                good = bool(np.isfinite(reach).all() and reach.min() > 1e-250)
                self.potential = self.potential + heat * np.log(reach) if good else None
            else:
                self.potential = None
        if self.potential is None:
            behind = [NEVER] * n
            behind[0] = 0.0
            for a, b, v in zip(first.tolist(), last.tolist(), value.tolist(), strict=True):
                behind[b] = logadd(behind[b], behind[a] + v, heat)
            self.potential = np.array(behind)
        weight = np.exp((value + self.potential[first] - self.potential[last]) / heat)
        ended = np.zeros(n)
        ended[-1] = 1.0
        on = dtbsv(self.width, self._band(weight), ended, lower=1, trans=1, diag=1)
        return weight * on[last], float(self.potential[-1])

    def _band(self, weight: Floats) -> Floats:
        band = np.zeros((self.width + 1, self.nodes))
        band[self.last - self.first, self.first] = -weight
        return np.asarray(band)


def _alive(net: Network) -> np.ndarray:
    """Return which slots of the network are on a path from the first node to the last."""
    reached, leads = [False] * net.nodes, [False] * net.nodes
    reached[0] = leads[-1] = True
    for a, b in zip(net.first, net.last, strict=True):
        reached[b] = reached[b] or reached[a]
    for a, b in zip(reversed(net.first), reversed(net.last), strict=True):
        leads[a] = leads[a] or leads[b]
    return np.asarray(np.array(reached)[net.first] & np.array(leads)[net.last])


def settle(net: Network, prices: Prices, heats: Heats) -> Prices:
    """Return better prices: for each (temperature, steps) of `heats` that many steps down the smooth bound."""
    soft = Soft(net)
    if not soft.whole:
        return prices
    sc, rows = net.sc, net.rows
    cell = cells(sc)
    n, r = len(cell.frames), len(rows.low)
    begin, end = Ends(cell.of[net.p.low], cell.part[net.p.low]), ends(cell, net.p.high - 1)
    usual = max(1.0, float(np.median(net.p.high - net.p.low)))
    size = np.maximum(cell.frames, 1.0)
    dear = min(ceiling(sc), max(DEAR, float(net.p.value.max())) / usual) * cell.frames
    dear[-1] = 0.0
    bounded = np.isfinite(rows.high)
    high = np.where(bounded, rows.high, 0.0)
    rate = np.where(np.arange(r) == rows.bursts, 0.0, rows.rate)
    top = np.concatenate([dear, np.where(bounded, rate, 0.0), rate])
    x = np.concatenate(
        [np.bincount(cell.of, prices.frame, n), np.maximum(prices.row, 0.0), np.maximum(-prices.row, 0.0)]
    )

    def read(x: Floats) -> Prices:
        return Prices((x[:n] / size)[cell.of], x[n : n + r] - x[n + r :])

    def bound(x: Floats, heat: float) -> tuple[float, Floats]:
        cost, row = x[:n], x[n : n + r] - x[n + r :]
        before = np.cumsum(cost) - cost
        likely, best = soft.paying(end.passed(before, cost) - begin.passed(before, cost), row, heat)
        used = begin.beyond(likely, n) - end.beyond(likely, n)
        counted = soft.counts(likely)
        give = x[:n].sum() + (x[n : n + r] * high).sum() - (x[n + r :] * rows.low).sum()
        return best + float(give), np.concatenate([1.0 - used, high - counted, counted - rows.low])

    x = np.clip(x, 0.0, top)
    for heat, steps in heats:
        x = descend(partial(bound, heat=heat), x, top, steps)
    return read(x)


def descend(function: Callable[[Floats], tuple[float, Floats]], x: Floats, top: Floats, steps: int) -> Floats:
    """Return `x` after `steps` projected L-BFGS steps down `function` (value, gradient) within 0..`top`."""
    value, slope = function(x)
    moved: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        free = ~(((x <= 0) & (slope > 0)) | ((x >= top) & (slope < 0)))
        way = _way(np.where(free, slope, 0.0), moved)
        way[~free] = 0.0
        fall = float((way * slope).sum())
        if fall >= 0:  # no way down: forget and go straight
            moved.clear()
            way = np.where(free, -slope, 0.0)
            way *= 0.1 / max(float(np.abs(way).max()), 0.1)
            fall = float((way * slope).sum())
        if fall > -1e-9 * max(abs(value), 1.0):
            break
        stride = 1.0
        for _ in range(8):
            new = np.clip(x + stride * way, 0.0, top)
            worth, gradient = function(new)
            if worth <= value + 1e-4 * float(((new - x) * slope).sum()):
                break
            stride *= 0.4
        else:
            break
        step, turn = new - x, gradient - slope
        bend = float((step * turn).sum())
        if bend > 1e-10 * float((turn * turn).sum()):
            moved.append((step, turn, bend))
            del moved[:-MEMORY]
        x, value, slope = new, worth, gradient
    return x


def _way(slope: Floats, moved: list[tuple[Floats, Floats, float]]) -> Floats:
    """Return the L-BFGS direction: minus the slope through what `moved` tells of the curvature."""
    way, weights = -slope, []
    if not moved:
        return way * (0.1 / max(float(np.abs(slope).max()), 0.1))
    for step, turn, bend in reversed(moved):
        a = float((step * way).sum()) / bend
        weights.append(a)
        way = way - a * turn
    step, turn, bend = moved[-1]
    way *= bend / float((turn * turn).sum())
    for (step, turn, bend), a in zip(moved, reversed(weights), strict=True):
        way = way + (a - float((turn * way).sum()) / bend) * step
    return way
