# SPDX-License-Identifier: Apache-2.0
"""Prices settle where others find the least bound: a library's descent of the same bound, and a linear programme."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from backbeat.decide import cut, prices, search, settle, styles
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.place import Scene, join, scene
from backbeat.decide.pool import Floats, gather
from backbeat.decide.problem import CutProblem
from backbeat.decide.stage import expand, sped
from backbeat.model.plan import Want
from kit import by_highs, shoots


def tables(seconds: float, shots: int, style: str, seed: int = 0, **more: object) -> tuple[Scene, film.Rows]:
    song, takes = shoots.song(seconds, seed=seed), shoots.takes(shots, seed=seed + 1)
    if more.pop("must", False):
        more["wants"] = (Want(takes[0].media.path, must=True),)
    asked = CutProblem(song, takes, styles.builtin(style), Fraction(24), int(seconds * 24), **more)  # type: ignore[arg-type]
    sc = scene(asked, music.build(asked), gather(asked))
    return sc, film.build(sc)


def network(sc: Scene, rows: film.Rows) -> prices.Network:
    slots, shots = np.indices((len(sc.start), sc.pool.size)).reshape(2, -1)
    return prices.Network(sc, rows, join([expand(sc, slots, shots), sped(sc)]))


class Smooth:
    """The smooth bound and its slope, placement by placement, for prices of cells, of rows up and of rows down."""

    def __init__(self, net: prices.Network, cell: settle.Cells, heat: float) -> None:
        self.net, self.heat, rows, sc, p = net, heat, net.rows, net.sc, net.p
        self.cells, self.size = len(cell.frames), len(rows.low)
        # What each placement takes of each cell and counts in each row.
        self.takes = np.zeros((p.size, self.cells))
        for k, (a, b) in enumerate(zip(p.low, p.high, strict=True)):
            self.takes[k] = np.bincount(cell.of[a:b], minlength=self.cells) / np.maximum(cell.frames, 1)
        row, which, amount = film.table(rows, sc, p)
        self.counts = np.zeros((p.size, self.size))
        np.add.at(self.counts, (which, row), amount)
        self.high = np.where(np.isfinite(rows.high), rows.high, 0.0)

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        net, n, r, heat = self.net, self.cells, self.size, self.heat
        cost, up, down = x[:n], x[n : n + r], x[n + r :]
        red = net.p.value - self.takes @ cost - self.counts @ (up - down)
        behind = np.full(net.nodes, -np.inf)
        behind[0] = 0.0
        into = [np.flatnonzero(net.to_node == node) for node in range(net.nodes)]
        for node in range(1, net.nodes):
            if len(into[node]):
                behind[node] = heat * logsumexp((behind[net.from_node[into[node]]] + red[into[node]]) / heat)
        reach, likely = np.zeros(net.nodes), np.zeros(net.p.size)
        reach[-1] = 1.0
        for node in range(net.nodes - 1, 0, -1):
            if reach[node] > 0:
                k = into[node]
                likely[k] = reach[node] * softmax((behind[net.from_node[k]] + red[k]) / heat)
                np.add.at(reach, net.from_node[k], likely[k])
        counted = likely @ self.counts
        value = behind[-1] + cost.sum() + up @ self.high - down @ net.rows.low
        return float(value), np.concatenate([1 - likely @ self.takes, self.high - counted, counted - net.rows.low])


@pytest.mark.parametrize(("style", "more"), [("montage", {}), ("wright", {"must": True}), ("chase", {"reuse": True})])
def test_the_descent_reaches_the_least_of_the_smooth_bound(style: str, more: dict[str, object]) -> None:
    sc, rows = tables(8.0, 10, style, **more)
    net = network(sc, rows)
    nothing = prices.start_prices(sc, rows)
    cell = settle.cells(net, nothing)
    top = settle.highest(net, cell)
    for heat in (0.1, 0.02):
        smooth = Smooth(net, cell, heat)
        least = minimize(smooth, np.zeros(len(top)), jac=True, bounds=[(0, t) for t in top], method="L-BFGS-B",
                         options={"maxiter": 3000, "maxfun": 6000, "ftol": 1e-13, "gtol": 1e-7})  # fmt: skip
        found = settle.Bound(net, cell, top).descend(np.zeros(len(top)), ((0.1, 200), (heat, 600)))
        value, _ = smooth(found)
        assert ((found >= 0) & (found <= top)).all()
        assert value <= least.fun + 2e-3  # both stop near the least
        assert value < smooth(np.zeros(len(top)))[0] - 0.1  # and have come a long way


def test_prices_of_shots_that_are_not_looked_at_fall() -> None:
    """A network shows some shots only; what others cost has nobody to pay it."""
    sc, rows = tables(8.0, 12, "montage")
    net = network(sc, rows)
    dear = prices.Prices(np.full(sc.pool.total, 0.01), np.zeros(len(rows.low)))
    some = prices.Network(sc, rows, net.p.take(net.p.shot < 6))
    at = settle.settle(some, dear, ((0.05, 60),))
    shown = np.zeros(sc.pool.total, bool)
    for a, b in zip(some.p.low, some.p.high, strict=True):
        shown[a:b] = True
    assert at.frame[~shown].max() < 1e-9 < at.frame[shown].max()


@pytest.mark.parametrize("style", ["montage", "wright", "trailer"])
def test_rows_are_balanced_as_a_linear_programme_would(style: str) -> None:
    sc, rows = tables(30.0, 40, style, seed=2)
    columns = Columns(sc, rows)
    at = search.find(sc, rows, cut.SWEEPS // 4, seek=False).prices
    rough = dataclasses.replace(at, row=np.zeros_like(at.row))
    for start in (at, rough):
        best = columns.tops(start)
        ours = search.price_out(columns, search.balanced(columns, start))
        theirs = search.price_out(columns, by_highs.balance(sc, rows, best, start))
        assert theirs - 1e-6 <= ours <= theirs + 3e-4 * abs(theirs)
        if start is rough:
            assert ours < search.price_out(columns, start) - 0.05
