# SPDX-License-Identifier: Apache-2.0
"""Prices of the film's rows, made exact for given prices of footage by a small linear programme.

With the footage priced, each slot is worth what its best placement leaves. What remains is a path through the slots
whose counts are bound: a linear programme of one variable a slot, which HiGHS solves at once (Huangfu and Hall 2018).
Its shadow prices are the rows' best prices; a descent comes near them only slowly.
"""

from __future__ import annotations

import numpy as np

from backbeat.decide.place import Scene
from backbeat.decide.pool import Floats
from backbeat.decide.prices import Prices
from backbeat.decide.rows import Rows
from backbeat.work.hush import hushed


def balance(sc: Scene, rows: Rows, at: Prices, best: Floats, around: Floats, away: float = 1.0) -> Prices:
    """Return `at` with better prices for the rows of lengths and of all clips.

    `best` [slots] is what the best placement of each leaves at prices `at`, `around` [slots] the best path through
    each less that; slots `away` from the best film are left out.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, eye_array, hstack, vstack

    whole = best + around
    slots = np.flatnonzero(whole >= whole.max() - away)
    n, nodes, each = len(slots), len(sc.grid.frame), np.arange(len(slots))
    kept = np.r_[np.arange(rows.styles), len(rows.low) - 1]
    kinds = np.r_[sc.grid.row[slots], np.full(n, rows.styles)]
    counted = coo_array((np.ones(2 * n), (kinds, np.r_[each, each])), shape=(len(kept), n)).tocsr()
    high, low = np.isfinite(rows.high[kept]), rows.low[kept] > 0
    over, under = counted[np.flatnonzero(high)], counted[np.flatnonzero(low)]
    spare = eye_array(over.shape[0] + under.shape[0])
    limits = hstack([vstack([over, -under]), -spare]).tocsr()
    ends = np.r_[sc.grid.first[slots], sc.grid.last[slots]]
    flow = coo_array((np.r_[np.ones(n), -np.ones(n)], (ends, np.r_[each, each])), shape=(nodes, n + spare.shape[0]))
    balanced = np.zeros(nodes)
    balanced[0], balanced[-1] = 1.0, -1.0
    free = best[slots] + at.row[sc.grid.row[slots]] + at.row[-1]
    rate = np.r_[rows.rate[kept][high], rows.rate[kept][low]]
    with hushed():
        found = linprog(
            np.r_[-free, rate],
            A_ub=limits,
            b_ub=np.r_[rows.high[kept][high], -rows.low[kept][low]],
            A_eq=flow.tocsr(),
            b_eq=balanced,
            method="highs-ds",
        )
    if found.x is None:
        return at
    up, down = np.split(-found.ineqlin.marginals, [over.shape[0]])
    row = at.row.copy()
    row[kept] = 0.0
    row[kept[high]] += up
    row[kept[low]] -= down
    return Prices(at.frame, rows.clip(row))
