# SPDX-License-Identifier: Apache-2.0
"""Prices settled: the least upper bound that the relaxed problem can give, by a smooth descent.

At temperature ``heat`` the best path is replaced by log-sum-exp over all paths. That makes the bound a smooth convex
function of the prices (Nesterov, "Smooth minimization of non-smooth functions", 2005), above the true bound by at most
``heat`` times the entropy of the paths, with what the average film shows and counts as its gradient. A projected
L-BFGS (Nocedal 1980; active set as in Bertsekas 1982) goes down it, a temperature at a time, in the kernel.

Source frames share a price in cells of a few frames: fewer variables settle sooner, and any prices prove a bound.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from backbeat.decide.kernel import Kernel
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import Network, Prices, ceiling
from backbeat.decide.rows import Rows

CELL = 1 / 3  # s of source that share a price, at most
MEMORY = 10  # steps that the descent remembers
LANES = 8  # vectors are a multiple of so many numbers long
DEAR = 5.0  # the most that a usual clip's footage costs, unless the best is worth more: beyond, there is too little

Heats = tuple[tuple[float, int], ...]  # (temperature, steps) in order
EVEN: Heats = ((0.01, 60), (0.003, 60), (0.001, 100), (0.0003, 60))  # for rows alone,
AWAY = 2.0  # in slots through which a film is worth at most so much less than the best


@dataclass(frozen=True, slots=True)
class Cells:
    """`of` [total] the cell of each source frame; `frames` [cells] how many a cell has. The last is of no shot in use.

    `part` [total] is where in its cell each frame begins, 0..1.
    """

    of: Ints
    frames: Floats
    part: Floats


def cells(net: Network, prices: Prices) -> Cells:
    """Return each shot that is paid for, or may be, cut into even cells.

    They are no longer than `CELL`, nor than half of the shortest slot.
    """
    pool = net.sc.pool
    longest = min(CELL, 0.5 * float(net.sc.seconds.min(initial=9.0)))
    total = np.concatenate([[0.0], np.cumsum(prices.frame)])
    used = total[pool.base + pool.end] > total[pool.base + pool.start]
    used[net.p.shot] = True
    shots = np.flatnonzero(used)
    length, begin = (pool.end - pool.start)[shots], (pool.base + pool.start)[shots]
    count = np.maximum(np.ceil(length / np.maximum(longest * pool.rate[shots], 1.0)).astype(np.int64), 1)
    within = _runs(length)
    frame = np.repeat(begin, length) + within
    each = within * np.repeat(count, length) // np.repeat(length, length)
    of: Ints = np.full(pool.total, int(count.sum()), np.int64)
    of[frame] = np.repeat(np.cumsum(count) - count, length) + each
    frames = np.bincount(of, minlength=int(count.sum()) + 1).astype(float)
    part = np.zeros(pool.total)
    part[frame] = _runs(frames[:-1].astype(np.int64)) / frames[of[frame]]
    return Cells(of, frames, part)


def _runs(length: Ints) -> Ints:
    """Return 0, 1, 2... for each of `length` in turn."""
    return np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)


class Bound:
    """The smooth bound of a network, in the kernel's memory. What is packed has the order of ``kernel/settle.c``.

    Vectors hold the prices of the cells, of the rows upwards and of the rows downwards; `ceiling` is the highest.
    """

    def __init__(self, net: Network, cell: Cells, ceiling: Floats) -> None:
        self.kernel = kernel = Kernel()
        p, rows, sc = net.p, net.rows, net.sc
        slots, r, n = len(net.slots), len(rows.low), len(cell.frames)
        room = -(-len(ceiling) // LANES) * LANES
        used = np.zeros(sc.pool.total + 1, bool)
        used[p.low] = used[p.high] = True
        points = np.flatnonzero(used)  # source frames where placements begin or end
        number = np.cumsum(used, dtype=np.int32) - 1
        of, part = _where(cell, points)
        into = np.argsort(net.last, kind="stable")
        into_begin = np.searchsorted(np.array(net.last)[into], np.arange(net.nodes + 1))
        sizes = (net.nodes, slots, p.size, len(points), n, r, rows.styles, rows.takes, int((rows.must >= 0).any()))
        ints = [np.append(net.begin, p.size), net.first, sc.grid.row[net.slots], rows.phrase[net.slots]]
        ints += [into_begin, into, number[p.low], number[p.high], sc.pool.take[p.shot], rows.must, of]
        high = np.where(np.isfinite(rows.high), rows.high, 0.0)
        floats = [
            sc.seconds[net.slots],
            p.value,
            p.full,
            part,
            rows.low,
            high,
            np.pad(ceiling, (0, room - len(ceiling))),
        ]
        places = [kernel.put(x, np.int32) for x in ints] + [kernel.put(x, np.float64) for x in floats]
        self.x = kernel.room(room, "f8")
        listed = p.size + 2 * slots
        rooms = [*[(len(points), "f8")] * 2, *[(n, "f8")] * 2, *[(r, "f8")] * 2, (p.size, "f8"), (listed, "f8")]
        rooms += [*[(slots, "f8")] * 3, *[(net.nodes, "f8")] * 2, (listed, "i4"), *[(slots, "i4")] * 2]
        rooms += [*[(room, "f8")] * 4, *[(MEMORY * room, "f8")] * 2]
        places += [self.x, *(kernel.room(count, kind) for count, kind in rooms)]
        packed = struct.pack(f"<{len(sizes) + 1}i{len(places)}I", *sizes, room, *places)
        self.at = kernel.put(np.frombuffer(packed, np.uint8), np.uint8)

    def descend(self, x: Floats, heats: Heats) -> Floats:
        """Return `x` after so many steps down the bound at each temperature in turn."""
        self.kernel.write(self.x, x)
        for heat, steps in heats:
            self.kernel.call("descend", self.at, heat, steps)
        return self.kernel.read(self.x, len(x), np.float64)


def _where(cell: Cells, points: Ints) -> tuple[Ints, Floats]:
    """Return for each point its cell, and the share of the cell that lies before it."""
    none = len(cell.frames) - 1
    of, part = np.append(cell.of, none)[points], np.append(cell.part, 0.0)[points]
    past = np.flatnonzero(of == none)  # where a shot ends
    of[past], part[past] = cell.of[points[past] - 1], 1.0
    return of, part


def settle(net: Network, prices: Prices, heats: Heats) -> Prices:
    """Return better prices: for each (temperature, steps) of `heats` that many steps down the smooth bound."""
    if not net.p.size:
        return prices
    cell = cells(net, prices)
    n, r = len(cell.frames), len(net.rows.low)
    top = highest(net, cell)
    x = [np.bincount(cell.of, prices.frame, n), np.maximum(prices.row, 0.0), np.maximum(-prices.row, 0.0)]
    found = Bound(net, cell, top).descend(np.clip(np.concatenate(x), 0.0, top), heats)
    return Prices((found[:n] / np.maximum(cell.frames, 1.0))[cell.of], found[n : n + r] - found[n + r :])


def balance(sc: Scene, rows: Rows, best: Floats, around: Floats, at: Prices) -> Prices:
    """Return `at` with the prices of the rows of lengths and of all clips settled, those of footage as they are.

    `best` [slots] is what the best placement of each leaves at prices `at`, `around` [slots] the best path through each
    less that: all that the rows can choose from. So small a problem can be followed down to hardly any temperature.
    """
    whole = best + around
    slots = np.flatnonzero(whole >= whole.max() - AWAY)
    nothing, zeros = np.zeros(len(slots), np.int64), np.zeros(len(slots))
    free = best[slots] + at.row[sc.grid.row[slots]] + at.row[-1]
    net = Network(sc, rows, Placements(slots, nothing, nothing, nothing, free, zeros, zeros, zeros))
    kept = np.zeros(len(rows.low), bool)
    kept[: rows.styles] = kept[-1] = True
    cell = Cells(np.zeros(sc.pool.total, np.int64), np.zeros(1), np.zeros(sc.pool.total))
    top = np.where(np.r_[False, kept, kept], highest(net, cell), 0.0)
    row = np.where(kept, at.row, 0.0)
    x = np.concatenate([[0.0], np.maximum(row, 0.0), np.maximum(-row, 0.0)])
    found = Bound(net, cell, top).descend(np.clip(x, 0.0, top), EVEN)
    up, down = np.split(found[1:], 2)
    return Prices(at.frame, rows.clip(np.where(kept, up - down, at.row)))


def highest(net: Network, cell: Cells) -> Floats:
    """Return the highest prices of the cells, of the rows upwards and of the rows downwards."""
    rows = net.rows
    usual = max(1.0, float(np.median(net.p.high - net.p.low)))
    dear = min(ceiling(net.sc), max(DEAR, float(net.p.value.max())) / usual) * cell.frames
    dear[-1] = 0.0
    rate = np.where(np.arange(len(rows.low)) == rows.bursts, 0.0, rows.rate)
    return np.concatenate([dear, np.where(np.isfinite(rows.high), rate, 0.0), rate])
