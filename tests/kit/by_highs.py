# SPDX-License-Identifier: Apache-2.0
"""Row prices by a linear programme (HiGHS), as a second opinion on those that `backbeat.decide.settle` balances."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, eye_array, hstack, vstack

from backbeat.decide.place import Scene
from backbeat.decide.pool import Floats
from backbeat.decide.prices import NEVER, Prices
from backbeat.decide.rows import Rows


def balance(sc: Scene, rows: Rows, best: Floats, at: Prices) -> Prices:
    """Return `at` with the best prices that the rows of lengths and of all clips can have; `best` [slots] is at `at`.

    One variable a slot: a path through the slots whose counts are bound. Its shadow prices are the rows' best prices.
    """
    slots = np.flatnonzero(best > NEVER / 2)
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
    begun = np.zeros(nodes)
    begun[0], begun[-1] = 1.0, -1.0
    free = best[slots] + at.row[sc.grid.row[slots]] + at.row[-1]
    rate = np.r_[rows.rate[kept][high], rows.rate[kept][low]]
    asked = np.r_[rows.high[kept][high], -rows.low[kept][low]]
    found = linprog(np.r_[-free, rate], A_ub=limits, b_ub=asked, A_eq=flow.tocsr(), b_eq=begun, method="highs-ds")
    up, down = np.split(-found.ineqlin.marginals, [over.shape[0]])
    row = at.row.copy()
    row[kept] = 0.0
    row[kept[high]] += up
    row[kept[low]] -= down
    return Prices(at.frame, rows.clip(row))
