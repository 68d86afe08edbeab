# SPDX-License-Identifier: Apache-2.0
"""The compiled search: what it says of films is what the definition says, and its steps never make a film worse."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backbeat.decide import beam, prices, styles
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.kernel import Kernel
from backbeat.decide.place import scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem
from backbeat.model.plan import Want
from kit import shoots

ROOT = Path(__file__).parents[2]


def field(
    seed: int = 0, *, reuse: bool = False, shots: int = 40, style: str = "wright", away: float | None = None
) -> beam.Field:
    song, takes = shoots.song(30.0, seed=seed), shoots.takes(shots, seed=seed + 1)
    wants = (Want(takes[0].media.path, must=True),)
    problem = CutProblem(song, takes, styles.builtin(style), shoots.RATE, 30 * 24, reuse=reuse, wants=wants)
    sc = scene(problem, music.build(problem), gather(problem))
    rows = film.build(sc)
    columns = Columns(sc, rows)
    at = prices.start_prices(sc, rows)
    near = columns.near(at, columns.tops(at) - 1.5)
    return beam.field(prices.Network(sc, rows, near), at, 20, away)


def shows_twice(where: beam.Field, path: np.ndarray) -> bool:
    p = where.net.p
    order = path[np.argsort(p.low[path])]
    return bool((p.high[order][:-1] > p.low[order][1:]).any())


def whole(where: beam.Field, path: np.ndarray) -> bool:
    net = where.net
    ends = np.r_[net.from_node[path], net.nodes - 1]
    return bool(ends[0] == 0 and (net.to_node[path] == ends[1:]).all())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_films_are_whole_and_show_nothing_twice(seed: int) -> None:
    where = field(seed)
    films = beam.search(where)
    assert films
    for path in films:
        assert whole(where, path)
        assert not shows_twice(where, path)
    values = [beam.value_of(where.net, path) for path in films]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("reuse", [False, True])
def test_windows_and_crossing_never_make_a_film_worse(reuse: bool) -> None:
    where = field(3, reuse=reuse)
    films = beam.search(where)
    value = beam.value_of(where.net, films[-1])
    better = beam.improve(where, films[-1], windows=80)
    assert whole(where, better)
    assert reuse or not shows_twice(where, better)
    assert beam.value_of(where.net, better) >= value - 1e-9
    assert beam.value_of(where.net, better) > value + 0.1, "eighty windows of a poor film must find something"
    crossed = beam.cross(where, [films[-1], films[0], better])
    assert whole(where, crossed)
    assert reuse or not shows_twice(where, crossed)
    assert beam.value_of(where.net, crossed) >= value - 1e-9


@pytest.mark.parametrize("style", ["wright", "trailer", "montage"])
@pytest.mark.parametrize("reuse", [False, True])
def test_annealing_gains_and_keeps_account(style: str, reuse: bool) -> None:
    """What it thinks a film is worth, move after move, is what `value_of` says: or its best would not be better."""
    where = field(3, reuse=reuse, style=style, away=3.0)
    poor = beam.search(where)[-1]
    value = beam.value_of(where.net, poor)
    for draw, heat in enumerate((1e-6, 0.03, 0.3)):
        better = beam.anneal(where, poor, 200, heat, 30_000, draw=draw)
        assert whole(where, better)
        assert reuse or not shows_twice(where, better)
        assert beam.value_of(where.net, better) > value + 0.1
        again = beam.anneal(where, better, 1, 1e-9)
        assert beam.value_of(where.net, again) >= beam.value_of(where.net, better) - 1e-9
    assert (better == beam.anneal(where, poor, 200, heat, 30_000, draw=draw)).all(), "the same draw, the same film"


def test_a_stretch_is_filled_and_the_rest_kept() -> None:
    where = field(1)
    path = beam.search(where)[0]
    first, last = int(where.net.from_node[path[2]]), int(where.net.to_node[path[6]])
    for priced in (True, False):
        found = beam.refill(where, path[:2], path[7:], first, last, 12, priced=priced)
        assert found is not None
        assert whole(where, found)
        assert not shows_twice(where, found)
        assert (found[:2] == path[:2]).all()
        assert (found[-len(path[7:]) :] == path[7:]).all()


def test_two_instances_find_the_same_film() -> None:
    one, other = field(4), field(4)
    assert [f.tolist() for f in beam.search(one)] == [f.tolist() for f in beam.search(other)]


def test_memory_holds_what_is_put_there_and_grows() -> None:
    kernel = Kernel()
    small = kernel.put([1, 2, 3], np.int32)
    large = kernel.put(np.arange(3_000_000.0), np.float64)
    assert kernel.read(small, 3, np.int32).tolist() == [1, 2, 3]
    assert kernel.read(large, 3_000_000, np.float64)[-1] == 2_999_999
    assert large % 16 == 0
    assert not kernel.read(kernel.room(1000, np.uint8), 1000, np.uint8).any()


@pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None, reason="the compiler is not installed (--group kernel)"
)
def test_the_module_is_what_the_source_gives() -> None:
    subprocess.run([sys.executable, str(ROOT / "kernel/build.py"), "--check"], check=True)
