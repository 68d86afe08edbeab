# SPDX-License-Identifier: Apache-2.0
"""Prices: the relaxed problem, in which footage may be used twice but is paid for.

A film is a path through the slots from its first frame to its last. "No source frame twice" and the rows of
`rows.py` couple the slots; with a price on each source frame and each row the coupling is gone and the best path is a
dynamic program. For any prices ≥ 0 its value is an upper bound for every edit (Lagrangian duality); prices near the
best make it a tight one; `settle` finds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backbeat.decide import rows as film
from backbeat.decide import terms
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.rows import Rows

NEVER = -1e15


@dataclass(frozen=True, slots=True)
class Prices:
    """`frame` [total] a source frame (axis of the pool), `row` [r] a row of the film."""

    frame: Floats
    row: Floats


@dataclass(frozen=True, slots=True)
class Relaxed:
    """The best path of the relaxed problem: `bound`, and the placements on it.

    `reach` [nodes] is the best value up to a node, `ahead` [nodes] from there on, both without `constant`.
    """

    bound: float
    path: Ints
    constant: float
    ahead: Floats
    reach: Floats


class Network:
    """Placements sorted by slot, with the tables that the sweeps need."""

    def __init__(self, sc: Scene, rows: Rows, placements: Placements) -> None:
        order = np.argsort(placements.slot, kind="stable")
        self.sc, self.rows, self.p = sc, rows, placements.take(order)
        self.slots, self.begin = np.unique(self.p.slot, return_index=True)
        self.row_of = np.searchsorted(self.slots, self.p.slot)
        self.first = sc.grid.first[self.slots].tolist()
        self.last = sc.grid.last[self.slots].tolist()
        self.nodes = len(sc.grid.frame)
        self.group = sc.pool.group[self.p.shot]
        self.way = sc.pool.way[self.p.shot]
        self.from_node, self.to_node = sc.grid.first[self.p.slot], sc.grid.last[self.p.slot]

    def reduced(self, prices: Prices) -> Floats:
        """Return each placement's value less what it pays."""
        total = np.concatenate([[0.0], np.cumsum(prices.frame)])
        paid = total[self.p.high] - total[self.p.low]
        return np.asarray(self.p.value - paid - film.charge(self.rows, self.sc, self.p, prices.row))

    def constant(self, prices: Prices) -> float:
        """Return what the prices give back."""
        return float(prices.frame.sum()) + self.rows.dual(prices.row)


def start_prices(sc: Scene, rows: Rows) -> Prices:
    """Return prices of nothing."""
    return Prices(np.zeros(sc.pool.total), np.zeros(len(rows.low)))


def ceiling(sc: Scene) -> float:
    """Return the highest price of a source frame: without limit, or what showing it again costs."""
    if not sc.problem.reuse:
        return math.inf
    return terms.AGAIN / float(sc.pool.rate.max(initial=24.0))


def top_groups(net: Network, red: Floats, how_many: int = 3) -> tuple[Ints, Floats]:
    """Return for each slot its best placement of each of the `how_many` best set-ups: index (-1 = none) and value."""
    left = red.copy()
    index = np.full((how_many, len(net.slots)), -1, np.int64)
    value = np.full((how_many, len(net.slots)), NEVER)
    for k in range(how_many):
        top = np.maximum.reduceat(left, net.begin)
        at = np.flatnonzero(left == top[net.row_of])
        at = at[np.r_[True, np.diff(net.row_of[at]) > 0]]
        live = top > NEVER / 2
        index[k, live], value[k, live] = at[live], top[live]
        left[net.group == net.group[at][net.row_of]] = NEVER
    return index, value


def relax(net: Network, prices: Prices) -> Relaxed:
    """Solve the relaxed problem exactly, neighbours of one set-up included.

    Two labels a node: the best value with which it is reached, and the best by a clip of another set-up. A slot needs
    its three best set-ups only, since at most one of them is that of the clip before.
    """
    index, value = top_groups(net, net.reduced(prices))
    label = _labels(net, index, value)
    path, node, which = [], net.nodes - 1, 0
    while node > 0 and label[node][which][2] >= 0:
        _, _, k, before, a = label[node][which]
        path.append(k)
        node, which = a, before
    ahead = [NEVER] * net.nodes
    ahead[-1] = 0.0
    for a, b, v in zip(reversed(net.first), reversed(net.last), value[0][::-1].tolist(), strict=True):
        ahead[a] = max(ahead[a], ahead[b] + v)
    constant = net.constant(prices)
    reach = np.array([pair[0][0] for pair in label])
    return Relaxed(float(reach[-1]) + constant, np.array(path[::-1], np.int64), constant, np.array(ahead), reach)


Label = tuple[float, int, int, int, int]  # value, set-up, placement, label before, node before


def _labels(net: Network, index: Ints, value: Floats) -> list[list[Label]]:
    """Return two labels a node; `index` and `value` are those of `top_groups`."""
    alike = terms.ALIKE * net.sc.problem.style.jump_cut
    groups = np.where(index >= 0, net.group[index], -2).T.tolist()
    nothing: Label = (NEVER, -1, -1, 0, 0)
    label = [[nothing, nothing] for _ in range(net.nodes)]
    label[0][0] = (0.0, -1, -1, 0, 0)
    for a, b, ks, vs, gs in zip(net.first, net.last, index.T.tolist(), value.T.tolist(), groups, strict=True):
        (v0, g0, *_), (v1, *_) = label[a]
        if v0 <= NEVER / 2:
            continue
        here = label[b]
        for k, v, g in zip(ks, vs, gs, strict=True):
            if k < 0:
                break
            base, which = v0, 0
            if g == g0:
                base, which = max((v0 - alike, 0), (v1, 1))
            _offer(here, (base + v, g, k, which, a))
    return label


def _offer(here: list[Label], new: Label) -> None:
    """Keep the best label and the best of another set-up."""
    if new[1] == here[0][1]:
        if new[0] > here[0][0]:
            here[0] = new
    elif new[0] > here[0][0]:
        here[:] = [new, here[0]]
    elif new[0] > here[1][0]:
        here[1] = new
