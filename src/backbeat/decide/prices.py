# SPDX-License-Identifier: Apache-2.0
"""Prices: the relaxed problem, in which footage may be used twice but is paid for.

A film is a path through the slots from its first frame to its last. "No source frame twice" and the rows of
`rows.py` couple the slots; with a price on each source frame and each row the coupling is gone and the best path is a
dynamic program. For any prices ≥ 0 its value is an upper bound for every edit (Lagrangian duality); prices near the
best make it a tight one. They are found by sweeps of a soft dynamic program (log-sum-exp at falling temperature) that
raise the price of what is used more than once, then by a subgradient polish.
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
DEAR = 5.0  # the most that a usual clip's footage may cost; more would only say that there is too little of it


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


def soft(net: Network, prices: Prices, heat: float) -> tuple[Floats, float]:
    """Return how likely each placement is on a random path weighed by exp(value / heat), and the soft optimum."""
    red = net.reduced(prices)
    top = np.maximum.reduceat(red, net.begin)
    grown = np.exp((red - top[net.row_of]) / heat)
    mass = np.add.reduceat(grown, net.begin)
    value = (top + heat * np.log(mass)).tolist()
    chance, best = _slot_chances(net, value, heat)
    return (chance / mass)[net.row_of] * grown, best


def _slot_chances(net: Network, value: list[float], heat: float) -> tuple[Floats, float]:
    """Return how likely a random path takes each slot, for soft slot `value`, and the soft optimum."""
    ahead, behind = [NEVER] * net.nodes, [NEVER] * net.nodes
    behind[0] = 0.0
    ahead[-1] = 0.0
    add = _logadd
    for a, b, v in zip(net.first, net.last, value, strict=True):
        behind[b] = add(behind[b], behind[a] + v, heat)
    for a, b, v in zip(reversed(net.first), reversed(net.last), reversed(value), strict=True):
        ahead[a] = add(ahead[a], ahead[b] + v, heat)
    best = behind[-1]
    through = np.array(behind)[net.first] + np.array(value) + np.array(ahead)[net.last] - best
    return np.exp(np.minimum(through / heat, 0.0)), best


def settle_rows(net: Network, prices: Prices, sweeps: int, heat: float) -> Prices:
    """Return prices whose rows of the style balance, with the footage's prices as they are: cheap, a slot at a time."""
    rows, n = net.rows, net.rows.styles
    mine = np.r_[np.arange(n), len(rows.low) - 1]
    of_slot = net.sc.grid.row[net.slots]
    red = net.reduced(prices)
    top = np.maximum.reduceat(red, net.begin)
    mass = np.add.reduceat(np.exp((red - top[net.row_of]) / heat), net.begin)
    plain = top + heat * np.log(mass) + prices.row[of_slot] + prices.row[-1]
    row, side = prices.row.copy(), np.zeros(len(mine))
    step = np.full(len(mine), 0.05)
    for _ in range(sweeps):
        chance, _ = _slot_chances(net, (plain - row[of_slot] - row[-1]).tolist(), heat)
        counted = np.r_[np.bincount(of_slot, chance, n)[:n], chance.sum()]
        over, under = counted - rows.high[mine], counted - rows.low[mine]
        at_rest = np.maximum(over, 0.0) + np.minimum(under, 0.0)
        new = np.clip(np.where(row[mine] > 0, over, np.where(row[mine] < 0, under, at_rest)), -1.0, 1.0)
        step = np.clip(_step(step, new * side), 1e-4, 0.2)
        moved = np.clip(row[mine] + step * new, -rows.rate[mine], rows.rate[mine])
        row[mine], side = np.where(moved * row[mine] < 0, 0.0, moved), new
    return Prices(prices.frame, row)


def _logadd(x: float, y: float, heat: float) -> float:
    if y > x:
        x, y = y, x
    far = (y - x) / heat
    return x + heat * math.log1p(math.exp(far)) if far > -30 else x


def used(net: Network, weight: Floats) -> Floats:
    """Return how often each source frame is shown when placement k is used `weight[k]` times."""
    n = net.sc.pool.total + 1
    return np.cumsum(np.bincount(net.p.low, weight, n) - np.bincount(net.p.high, weight, n))[:-1]


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


def sweep(net: Network, prices: Prices, sweeps: int, hot: float = 0.4, cold: float = 0.03) -> Prices:
    """Return better prices after `sweeps` soft sweeps at falling temperature."""
    sc, rows = net.sc, net.rows
    frame, row = prices.frame.copy(), prices.row.copy()
    # A price change is spread over the source frames of a usual clip.
    usual = max(1.0, float(np.median(net.p.high - net.p.low)))
    top = min(ceiling(sc), DEAR / usual)
    for k in range(sweeps):
        heat = hot * (cold / hot) ** (k / max(1, sweeps - 1))
        likely, _ = soft(net, Prices(frame, row), heat)
        frame = np.clip(frame + heat / usual * np.log(np.maximum(used(net, likely), 1e-3)), 0.0, top)
        row = _row_step(rows, row, film.counts(rows, sc, net.p, likely), heat)
    return Prices(frame, row)


def _row_step(rows: Rows, price: Floats, counted: Floats, heat: float) -> Floats:
    """Return prices moved by the ratio of what counts to what may: up where too much, down where too little.

    A price above 0 belongs to the upper bound of its row, one below 0 to the lower; neither crosses 0 in one step.
    """
    over = heat * np.clip(np.log(np.maximum(counted, 1e-3) / np.clip(rows.high, 0.05, 1e9)), -1.0, 1.0)
    under = heat * np.clip(np.log(np.maximum(counted, 1e-3) / np.maximum(rows.low, 1e-3)), -1.0, 1.0)
    under = np.where(rows.low > 0, under, heat)
    up = np.where(price > 0, np.maximum(price + over, 0.0), np.maximum(over, 0.0))
    down = np.where(price < 0, np.minimum(price + under, 0.0), np.minimum(under, 0.0))
    return rows.clip(np.where(price > 0, up, np.where(price < 0, down, up + down)))


def polish(net: Network, prices: Prices, sweeps: int, hot: float, cold: float) -> Prices:
    """Return prices that balance better at low temperature: each moves by a step of its own.

    A step grows while the usage keeps to one side of what is allowed and is halved when it changes sides (Riedmiller
    and Braun's Rprop, 1993), which does not mind that footage and rows live on different scales.
    """
    rows = net.rows
    frame, row = prices.frame.copy(), prices.row.copy()
    usual = max(1.0, float(np.median(net.p.high - net.p.low)))
    top = min(ceiling(net.sc), DEAR / usual)
    frame_step, row_step = np.full(len(frame), 0.6 * hot / usual), np.full(len(row), 0.6 * hot)
    frame_side, row_side = np.zeros(len(frame)), np.zeros(len(row))
    for k in range(sweeps):
        heat = hot * (cold / hot) ** (k / max(1, sweeps - 1))
        likely, _ = soft(net, Prices(frame, row), heat)
        side = np.clip(4.0 * (used(net, likely) - 1.0), -1.0, 1.0)
        side[(frame <= 0) & (side < 0)] = 0.0
        frame_step = np.clip(_step(frame_step, side * frame_side), 1e-5, 2.0 / usual)
        frame, frame_side = np.clip(frame + frame_step * side, 0.0, top), side
        counted = film.counts(rows, net.sc, net.p, likely)
        over, under = counted - rows.high, counted - rows.low
        at_rest = np.maximum(over, 0.0) + np.minimum(under, 0.0)
        side = np.clip(2.0 * np.where(row > 0, over, np.where(row < 0, under, at_rest)), -1.0, 1.0)
        row_step = np.clip(_step(row_step, side * row_side), 1e-4, 0.5)
        moved = rows.clip(row + row_step * side)
        row, row_side = np.where(moved * row < 0, 0.0, moved), side
    return Prices(frame, row)


def _step(step: Floats, agreement: Floats) -> Floats:
    return np.asarray(np.where(agreement > 0, step * 1.3, np.where(agreement < 0, step * 0.5, step)))
