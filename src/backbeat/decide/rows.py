# SPDX-License-Identifier: Apache-2.0
"""What the whole film owes, counted over its clips: the style's lengths, no favourite take, takes that must be used.

Each row counts something over the film and pays `rate` for every unit outside ``[low, high]``. A price in
``[-rate, rate]`` a unit, charged to the clips, stands for it in the relaxed problem; `dual` is what such prices give
back. (Exact penalty: the best prices make the relaxed problem's value the least upper bound of the penalised one.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.decide import terms
from backbeat.decide.grid import Grid
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.problem import CutProblem

SHORT = 60  # clips; in films of fewer their number is held to 5 %
FAIR = 2.0  # a take may fill this many times its even share of the film before it counts as a favourite


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows [r]: bounds and rate.

    The first `styles` count clips by length, the next `takes` seconds of each take; then come clips of takes that must
    be used; the last counts all clips.

    `must` [takes] is the row of a take that must be used, -1 for others.
    """

    low: Floats
    high: Floats
    rate: Floats
    styles: int
    takes: int
    must: Ints

    def dual(self, prices: Floats) -> float:
        """Return the constant of the relaxed problem for `prices` [r]."""
        up = np.where(prices > 0, self.high, 0.0)
        return float((np.where(prices > 0, prices, 0.0) * up + np.minimum(prices, 0.0) * self.low).sum())

    def cost(self, counts: Floats) -> float:
        """Return what a film with these `counts` [r] pays."""
        return float((self.rate * (np.maximum(counts - self.high, 0) + np.maximum(self.low - counts, 0))).sum())

    def clip(self, prices: Floats) -> Floats:
        """Return `prices` within their range: rows that have no upper bound pay only for too little."""
        return np.clip(prices, -self.rate, np.where(np.isinf(self.high), 0.0, self.rate))


def build(sc: Scene) -> Rows:
    """Return the rows of a scene."""
    target = sc.grid.target
    low, high = style_bounds(target)
    fewest, most = film_bounds(float(target.sum()))
    n = len(sc.problem.takes)
    caps = shares(sc.problem, sc.grid)
    share = np.array([caps.get(t.media.path, np.inf) for t in sc.problem.takes])
    wanted = {w.take for w in sc.problem.wants if w.must}
    asked = [t for t, take in enumerate(sc.problem.takes) if take.media.path in wanted and (sc.pool.take == t).any()]
    must = np.full(n, -1, np.int64)
    must[asked] = len(target) + n + np.arange(len(asked))
    return Rows(
        low=np.concatenate([low, np.zeros(n), np.ones(len(asked)), [fewest]]),
        high=np.concatenate([high, share, np.full(len(asked), np.inf), [most]]),
        rate=np.concatenate(
            [
                np.full(len(target), terms.STRAY),
                np.full(n, terms.FAVOURITE),
                np.full(len(asked), terms.MISSING),
                [terms.STRAY],
            ]
        ),
        styles=len(target),
        takes=n,
        must=must,
    )


def style_bounds(target: Floats) -> tuple[Floats, Floats]:
    """Return the fewest and the most clips of each length that pass for the style: whole numbers about `target`."""
    return np.floor(target * 0.98 + 1e-9), np.ceil(target * 1.02 - 1e-9)


def film_bounds(clips: float) -> tuple[float, float]:
    """Return the fewest and the most clips of a film for which the style asks `clips`.

    In a short film the whole numbers about each length's count could add up to a tenth too many; in a long one they
    hold the sum by themselves, and a tight row over them would only make the prices slow to settle.
    """
    nearest = float(np.round(clips))
    slack = 0.05 if clips < SHORT else 0.1
    return min(float(np.ceil(clips * (1 - slack))), nearest), max(float(np.floor(clips * (1 + slack))), nearest)


def shares(problem: CutProblem, grid: Grid) -> dict[str, float]:
    """Return the seconds that each take may fill before it counts as a favourite: twice its share of the footage."""
    forbidden = {lock.take for lock in problem.locks if lock.kind == "forbid"}
    length = {
        t.media.path: float(sum(s.end_frame - s.start_frame for s in t.shots) / t.media.rate)
        for t in problem.takes
        if t.media.path not in forbidden
    }
    seconds = float(problem.frames / problem.rate)
    real = sum(1 for v in length.values() if v > 0)
    total = max(sum(length.values()), 1e-9)
    longest = float((grid.frame[grid.last] - grid.frame[grid.first]).max(initial=0)) / float(problem.rate)
    return {
        path: max(FAIR * seconds / max(real, 1), FAIR * seconds * own / total, longest) for path, own in length.items()
    }


def charge(rows: Rows, sc: Scene, p: Placements, prices: Floats) -> Floats:
    """Return what each placement is charged for the rows it counts in."""
    take = sc.pool.take[p.shot]
    out = prices[sc.grid.row[p.slot]] + prices[rows.styles + take] * sc.seconds[p.slot]
    must = rows.must[take]
    return np.asarray(out + np.where(must >= 0, prices[must], 0.0) + prices[-1])


def table(rows: Rows, sc: Scene, p: Placements) -> tuple[Ints, Ints, Floats]:
    """Return (row, placement, amount): what each placement counts in each row of the film."""
    take, each = sc.pool.take[p.shot], np.arange(p.size)
    must = rows.must[take]
    asked = np.flatnonzero(must >= 0)
    every = np.full(p.size, len(rows.low) - 1)
    return (
        np.concatenate([sc.grid.row[p.slot], rows.styles + take, must[asked], every]),
        np.concatenate([each, each, asked, each]),
        np.concatenate([np.ones(p.size), sc.seconds[p.slot], np.ones(len(asked)), np.ones(p.size)]),
    )


def counts(rows: Rows, sc: Scene, p: Placements, weight: Floats) -> Floats:
    """Return the counts [r] of placements used `weight` times each."""
    row, which, amount = table(rows, sc, p)
    return np.asarray(np.bincount(row, amount * weight[which], len(rows.low)), float)
