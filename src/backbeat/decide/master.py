# SPDX-License-Identifier: Apache-2.0
"""The best film that a few slots can make: the restricted master problem of column generation, as a small MIP.

Good films share most of their cuts. Of the slots of a few films, and of the likeliest slots of the average film, the
best placements at the settled prices are taken, and HiGHS finds their best film outright: a path through the slots, no
source frame twice, the film's rows paid as they are. Nothing here bounds the whole problem; the prices do that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.decide import beam, terms
from backbeat.decide import rows as film
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import Network
from backbeat.work.hush import hushed

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEST = 12  # placements a slot
NODES = 8  # of branch and bound: a budget that is not a clock
CLOSE = 0.2  # value within which a film's MIP is good enough, as a share of the film no more than the next two
SHARES = (1.5e-3, 1e-2)
REGION = (8, 32)  # clips that are decided anew at once: a third of the film, within these
LIKELY = 60  # slots of the average film that a region may use besides those of the films found
FEW = 3  # placements of a slot outside the region


def pick(net: Network, red: Floats, slots: NDArray[np.bool_], films: list[Ints], best: int = BEST) -> Ints:
    """Return the indices of the `best` placements of each slot that `slots` [all slots] marks, and those of `films`."""
    some = np.flatnonzero(slots[net.p.slot])
    order = some[np.lexsort((-red[some], net.row_of[some]))]
    row = net.row_of[order]
    good = order[np.arange(len(order)) - np.searchsorted(row, row) < best]
    return np.unique(np.concatenate([good, *films]))


def assign(net: Network, red: Floats, films: list[Ints]) -> Ints:
    """Return the best film of the slots of `films`."""
    slots = np.zeros(len(net.sc.start), bool)
    slots[net.p.slot[np.concatenate(films)]] = True
    return solve(net, pick(net, red, slots, films), beam.value_of(net, films[0]))


def improve(net: Network, red: Floats, path: Ints, films: list[Ints], chance: Floats) -> Ints:
    """Return `path` with stretch after stretch of it decided anew, the rest of its cuts kept.

    Inside a stretch the slots of all `films` may be used, and the likeliest by `chance` [slots]; outside it only other
    placements of the path's own slots, to make footage free.
    """
    grid, at = net.sc.grid, 0
    region = min(max(REGION[0], len(path) // 3), REGION[1])
    known = np.zeros(len(chance), bool)
    known[net.p.slot[np.concatenate(films)]] = True
    while at < len(path):
        stop = min(at + region, len(path))
        inside = (grid.first >= net.from_node[path[at]]) & (grid.last <= net.to_node[path[stop - 1]])
        order = np.argsort(np.where(inside, -chance, 1.0), kind="stable")
        usable = known.copy()
        usable[order[:LIKELY]] = True
        own = np.zeros(len(chance), bool)
        own[net.p.slot[path]] = True
        some = np.union1d(
            pick(net, red, (usable | own) & inside, [path]), pick(net, red, own & ~inside, [path], best=FEW)
        )
        value = beam.value_of(net, path)
        new = solve(net, some, value)
        if beam.value_of(net, new) > value + 1e-9:
            path = new
        at += region // 2
    return path


def solve(net: Network, some: Ints, known: float) -> Ints:
    """Return the best film of the placements `some`, in order; empty if none is found within the budget.

    `known` is what a film of them is worth.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array, hstack, vstack

    none = np.zeros(0, np.int64)
    close = min(max(CLOSE / max(abs(known), 1.0), SHARES[0]), SHARES[1])
    p, rows, sc = net.p.take(some), net.rows, net.sc
    n, each = p.size, np.arange(p.size)
    into, out = net.to_node[some], net.from_node[some]
    _, place = np.unique(np.r_[out, into, 0, net.nodes - 1], return_inverse=True)
    nodes = int(place.max()) + 1
    flow = coo_array((np.r_[np.ones(n), -np.ones(n)], (place[: 2 * n], np.r_[each, each])), shape=(nodes, n))
    balance = np.zeros(nodes)
    balance[0], balance[-1] = 1.0, -1.0
    twice, apart = _beside(net, some)
    counted = film.table(rows, sc, p)
    bounded = np.flatnonzero((np.bincount(counted[0], minlength=len(rows.low)) > 0) | (rows.low > 0))
    table = coo_array((counted[2], (counted[0], counted[1])), shape=(len(rows.low), n)).tocsr()[bounded]
    low, high, rate = rows.low[bounded], rows.high[bounded], rows.rate[bounded]
    r, pairs = len(bounded), apart.shape[0]
    slack = coo_array((np.ones(r), (np.arange(r), np.arange(r))), shape=(r, r))
    alike = coo_array((np.ones(pairs), (np.arange(pairs), np.arange(pairs))), shape=(pairs, pairs))

    def wide(block: Any, over: Any, under: Any, beside: Any) -> Any:
        h = block.shape[0]
        parts = [(over, r), (under, r), (beside, pairs)]
        return hstack([block, *(coo_array((h, k)) if x is None else x for x, k in parts)])

    limits = [
        LinearConstraint(wide(flow, None, None, None).tocsr(), balance, balance),
        LinearConstraint(wide(table, -slack, slack, None).tocsr(), low, high),
        LinearConstraint(
            vstack([wide(twice, None, None, None), wide(apart, None, None, -alike)]).tocsr(), -np.inf, 1.0
        ),
    ]
    cost = np.r_[-p.value, rate, rate, np.full(pairs, terms.ALIKE * sc.problem.style.jump_cut)]
    more = 2 * r + pairs
    with hushed():
        found = milp(
            cost,
            constraints=limits,
            integrality=np.r_[np.ones(n), np.zeros(more)],
            bounds=Bounds(0.0, np.r_[np.ones(n), np.full(more, np.inf)]),
            options={"mip_rel_gap": close, "node_limit": NODES},
        )
    if found.x is None:
        return none
    chosen = some[np.flatnonzero(found.x[:n] > 0.5)]
    path = chosen[np.argsort(net.from_node[chosen], kind="stable")]
    joined = len(path) and net.from_node[path[0]] == 0 and net.to_node[path[-1]] == net.nodes - 1
    return path if joined and (net.from_node[path[1:]] == net.to_node[path[:-1]]).all() else none


def _beside(net: Network, some: Ints) -> tuple[Any, Any]:
    """Return two tables of what may stand once: placements that show one source frame, neighbours of one set-up.

    Spans that overlap pairwise share a frame (Helly), and the first shared one begins a span: one line for each begin.
    """
    from scipy.sparse import coo_array

    p, n = net.p.take(some), len(some)
    begin = np.unique(p.low)
    first, last = np.searchsorted(begin, p.low), np.searchsorted(begin, p.high)
    count = last - first
    which = np.repeat(np.arange(n), count)
    line = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    shown = coo_array((np.ones(len(which)), (line, which)), shape=(len(begin), n)).tocsr()
    shown = shown[np.flatnonzero(np.diff(shown.indptr) > 1)]
    groups = int(net.group.max(initial=0)) + 1
    key = np.r_[net.to_node[some], net.from_node[some]] * groups + np.r_[net.group[some], net.group[some]]
    meeting = np.intersect1d(key[:n], key[n:]) if net.sc.problem.style.jump_cut > 0 else np.zeros(0, np.int64)
    here = np.flatnonzero(np.isin(key, meeting))
    beside = coo_array(
        (np.ones(len(here)), (np.searchsorted(meeting, key[here]), here % n)), shape=(len(meeting), n)
    ).tocsr()
    return shown, beside
