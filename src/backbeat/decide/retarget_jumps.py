# SPDX-License-Identifier: Apache-2.0
"""Which jumps inside a song are worth trying, and what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.model.song import Beat
from backbeat.model.time import Span

Array = NDArray[Any]

SEAM_COST = 0.35  # what any seam costs, however well it fits
_CONTEXT = 4  # beats either side that must fit at a jump
_BAD = 3.0  # what a seam measured as doubtful costs on top
_DOUBTFUL = 80.0  # percentile of it: other measures than ours, and ears, may put it above the 90th


@dataclass(frozen=True, slots=True)
class Jumps:
    """The best jumps into each beat: from `source` (n, m), the last beat played before it, at `cost` (n, m)."""

    source: NDArray[np.intp]
    cost: Array


def bar_length(distance: Array, known: int = 0) -> int:
    """Return the beats in a bar: `known` where it is (> 1), else the lag at which the song repeats best.

    Four, unless another lag of 3..7 beats (and its double) repeats clearly better.
    """
    if known > 1:
        return known

    def unlike(lag: int) -> float:
        return float(np.mean(np.diagonal(distance, lag)) + np.mean(np.diagonal(distance, 2 * lag)))

    scores = {k: unlike(k) for k in (4, 3, 5, 6, 7) if len(distance) > 4 * k}
    best = min(scores, key=scores.__getitem__, default=4)
    return best if 4 in scores and scores[best] < 0.93 * scores[4] else 4


def fits(distance: Array) -> Array:
    """Return how badly the surroundings of two beats fit, shape (n, n): triangular mean over four beats either side."""
    n = len(distance)
    total, weight = np.zeros((n, n)), np.zeros((n, n))
    for k in range(-_CONTEXT, _CONTEXT):
        w = 1 - abs(k + 0.5) / (_CONTEXT + 0.5)
        a, z = max(0, -k), min(n, n - k)
        if z > a:
            total[a:z, a:z] += w * distance[a + k : z + k, a + k : z + k]
            weight[a:z, a:z] += w
    return np.asarray(total / weight)


def jumps(
    distance: Array,
    beats: Sequence[Beat],
    *,
    bar: int,
    vocals: Sequence[Span] = (),
    forbidden: Sequence[Span] = (),
    keep: int = 24,
) -> Jumps:
    """Return the `keep` best jumps into each beat.

    A jump from i to j puts j where i + 1 would have been, so its cost is how badly i + 1 and j fit. Jumps keep the
    place in the bar and whole bars, prefer phrases of two and four bars, are at least two bars long, and stay out of
    sung phrases where they can and out of `forbidden` spans always.
    """
    n = len(beats)
    fit = fits(distance)
    cost = np.full((n, n), np.inf)
    cost[:-1] = fit[1:]
    leave, land = np.indices((n, n))
    lag = leave + 1 - land
    cost[np.abs(lag) < max(2 * bar, 6)] = np.inf
    place = np.array([b.position for b in beats])
    following = np.append(place[1:], -1)
    known = (following[:, None] > 0) & (place[None, :] > 0)
    cost[known & (following[:, None] != place[None, :])] = np.inf
    cost += np.where(lag % bar != 0, 1.0, 0.0)
    cost += np.where(lag % (2 * bar) != 0, 0.06, 0.0) + np.where(lag % (4 * bar) != 0, 0.06, 0.0)
    edge = min(2 * bar, n)
    cost[:edge] = np.inf  # two bars of the beginning and of the ending stay whole
    cost[:, n - edge :] = np.inf
    cost[:, :2] = np.inf
    times = np.array([b.time for b in beats])
    for spans, price in ((vocals, 0.35), (forbidden, np.inf)):
        for span in spans:
            # a phrase's first and last 0.2 s are breath
            inside = np.flatnonzero((times > span.start + 0.2) & (times < span.end - 0.2))
            cost[:, inside] += price
            cost[inside[inside > 0] - 1] += price
    order = np.argsort(cost, axis=0, kind="stable")[: min(keep, n)].T
    best = np.take_along_axis(cost.T, order, 1)
    priced = np.where(np.isfinite(best), SEAM_COST + 0.5 * (best / 0.5) ** 2, np.inf)
    return Jumps(np.ascontiguousarray(order), np.ascontiguousarray(priced))


def repriced(table: Jumps, measured: Mapping[tuple[int, int], float]) -> Jumps:
    """Return `table` with the cost of jumps that were rendered and measured: percentile 0..100 of the song's beats."""
    cost = table.cost.copy()
    for (leave, land), percentile in measured.items():
        column = np.flatnonzero(table.source[land] == leave)
        bad = _BAD if percentile >= _DOUBTFUL else 0.0
        cost[land, column] = SEAM_COST + 0.5 * (percentile / 75) ** 2 + bad + max(0.0, percentile - _DOUBTFUL) * 0.2
    return replace(table, cost=cost)
