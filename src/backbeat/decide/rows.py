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
from backbeat.decide.grid import QUICK, Grid
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.problem import CutProblem

SHORT = 60  # clips; in films of fewer their number is held to 5 %
FAIR = 2.0  # a take may fill this many times its even share of the film before it counts as a favourite


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows [r]: bounds and rate.

    The first `styles` count clips by length, the next `takes` seconds of each take; then come the
    full hits of each of `phrases`, clips of takes that must be used, runs of quick shots; the last counts all clips.

    `must` [takes] is the row of a take that must be used, `phrase` [slots] that of the slot's phrase, `bursts` that of
    the runs; -1 where there is none. Runs depend on neighbours: they have no price, and only `of_film` counts them.
    """

    low: Floats
    high: Floats
    rate: Floats
    styles: int
    takes: int
    must: Ints
    phrases: int
    phrase: Ints
    bursts: int

    def dual(self, prices: Floats) -> float:
        """Return the constant of the relaxed problem for `prices` [r]."""
        up = np.where(prices > 0, self.high, 0.0)
        return float((np.where(prices > 0, prices, 0.0) * up + np.minimum(prices, 0.0) * self.low).sum())

    def cost(self, counts: Floats) -> float:
        """Return what a film with these `counts` [r] pays."""
        return float((self.rate * (np.maximum(counts - self.high, 0) + np.maximum(self.low - counts, 0))).sum())

    def clip(self, prices: Floats) -> Floats:
        """Return `prices` within their range: rows that have no upper bound pay only for too little."""
        low, high = np.where(self.low <= 0, 0.0, -self.rate), np.where(np.isinf(self.high), 0.0, self.rate)
        out = np.clip(prices, low, high)
        if self.bursts >= 0:
            out[self.bursts] = 0.0
        return out


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
    style, at = sc.problem.style, len(target) + n
    phrases = len(sc.grid.phrase_frame) + 1 if style.hits_per_phrase > 0 else 0
    must = np.full(n, -1, np.int64)
    must[asked] = at + phrases + np.arange(len(asked))
    runs = [burst_bounds(sc.grid, style.burst_length)] if style.burst_length > 0 else []
    blocks = [  # low, high, rate
        (low, high, np.full(len(target), terms.STRAY)),
        (np.zeros(n), share, np.full(n, terms.FAVOURITE)),
        (np.zeros(phrases), np.full(phrases, style.hits_per_phrase), np.full(phrases, terms.CROWDED)),
        (np.ones(len(asked)), np.full(len(asked), np.inf), np.full(len(asked), terms.MISSING)),
        *((np.array([few]), np.array([many]), np.array([terms.BURST])) for few, many in runs),
        (np.array([fewest]), np.array([most]), np.array([terms.STRAY])),
    ]
    lows, highs, rates = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return Rows(
        low=lows,
        high=highs,
        rate=rates,
        styles=len(target),
        takes=n,
        must=must,
        phrases=phrases,
        phrase=at + sc.grid.phrase(sc.start) if phrases else np.full(len(sc.start), -1, np.int64),
        bursts=at + phrases + len(asked) if runs else -1,
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


def burst_bounds(grid: Grid, length: float) -> tuple[float, float]:
    """Return the fewest and the most runs of quick shots: what its quick shots fill, a fifth more or less."""
    quick = np.tile(grid.lengths <= QUICK, 3)
    runs = float(grid.target[quick].sum()) / length
    return float(np.floor(runs * 0.8)), float(np.ceil(runs * 1.2))


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
    out = np.asarray((prices[sc.grid.row] + prices[-1])[p.slot], float)
    of_take = prices[rows.styles : rows.styles + rows.takes]
    if of_take.any():
        out += of_take[sc.pool.take][p.shot] * sc.seconds[p.slot]
    if (rows.must >= 0).any():
        out += np.where(rows.must >= 0, prices[rows.must], 0.0)[sc.pool.take][p.shot]
    if rows.phrases:
        out += prices[rows.phrase][p.slot] * p.full
    return out


def table(rows: Rows, sc: Scene, p: Placements) -> tuple[Ints, Ints, Floats]:
    """Return (row, placement, amount): what each placement counts in each row of the film."""
    take, each = sc.pool.take[p.shot], np.arange(p.size)
    must, phrase = rows.must[take], rows.phrase[p.slot]
    asked, full = np.flatnonzero(must >= 0), np.flatnonzero((phrase >= 0) & (p.full > 0))
    every = np.full(p.size, len(rows.low) - 1)
    return (
        np.concatenate([sc.grid.row[p.slot], rows.styles + take, must[asked], phrase[full], every]),
        np.concatenate([each, each, asked, full, each]),
        np.concatenate([np.ones(p.size), sc.seconds[p.slot], np.ones(len(asked)), p.full[full], np.ones(p.size)]),
    )


def counts(rows: Rows, sc: Scene, p: Placements, weight: Floats) -> Floats:
    """Return the counts [r] of placements used `weight` times each."""
    row, which, amount = table(rows, sc, p)
    return np.asarray(np.bincount(row, amount * weight[which], len(rows.low)), float)


def of_film(rows: Rows, sc: Scene, p: Placements) -> Floats:
    """Return the counts [r] of a film: its placements in order, runs of quick shots among them."""
    out = counts(rows, sc, p, np.ones(p.size))
    if rows.bursts >= 0:
        quick = sc.grid.quick[p.slot]
        out[rows.bursts] = (quick & ~np.r_[False, quick[:-1]]).sum()
    return out
