# SPDX-License-Identifier: Apache-2.0
"""The search: rounds of a working set and prices, the certificate over all placements, and beams."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from backbeat.decide import beam, prices
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene, join
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices
from backbeat.decide.rows import Rows
from backbeat.decide.settle import Heats, balance, settle

ENOUGH = 500
USUAL = 100  # what the best shot but so many is worth in a slot, any shot is thought to be worth elsewhere
SWEEPS = 120  # for which the steps below are meant
START = ((0.1, 12),)
# Rounds: (temperature, steps) down the smooth bound; how far below the best of its slot, and what share of the bound
# below the best film through it, a placement may lie to be in the working set.
ROUNDS = (
    (((0.1, 8), (0.03, 15)), 1.0, 0.065),
    (((0.02, 20), (0.01, 30), (0.005, 30)), 0.4, 0.02),
    (((0.002, 30), (0.001, 40), (0.0005, 50), (0.0003, 50)), 0.12, 0.006),
)
LAST = (((0.0005, 60),), 0.15, 0.005)
EXTRA = 4  # most rounds more, where the bound over all placements still lies above that of the working set
UNSURE = 0.05  # by more than this share in a round: its working set was too small
SMALL = 50_000  # placements: a working set after that is kept as long as it is no larger
ANEW = (0.03, 20)  # steps to find the prices of such a set
LEVEL = 1e-3  # by more than this share
POOR = 2e-2  # and above which a wide look is worth its time
SPREAD = 1.5  # how far below the best of its slot a placement may look before there are prices
# Looks, narrow to wide: share of the bound below the best film that is taken in, placements a slot (more in a film of
# many clips), partial films a node, moves of annealing at the least. Where footage is scarce, the best of a slot are
# often all taken.
LOOKS = ((6e-3, 24, 12, 30_000), (2e-2, 80, 30, 100_000), (2e-2, 80, 90, 100_000))
WIDE = 40  # placements a slot that films are made of, where there are very many
# Annealing: moves a clip and the temperature that it begins at, of what beams found, and of the best film of all.
ANNEALED = ((300, 0.15), (1500, 0.06))
TURNS = 6  # of the latter at most,
GOOD, EASE = 6e-3, 1e-3  # and the gap with which it has had enough at first; more with each turn
LEAST = 10.0  # value below which a film's shares are taken of this
FAR = 150.0  # and above which it is taken of this: however long the film, one place strays no further


@dataclass(frozen=True, slots=True)
class Found:
    """An edit: placements in order, its true value, the bound over all placements, and the prices that prove it.

    `columns` are all placements, None where footage has an order.
    """

    net: Network
    path: Ints
    value: float
    bound: float
    prices: Prices
    columns: Columns | None = None


def find(sc: Scene, rows: Rows, sweeps: int, *, seek: bool = True) -> Found:
    """Return the best edit found; its path is empty if none reaches the end of the film, or only a bound is sought."""
    columns = Columns(sc, rows)
    at = prices.start_prices(sc, rows)
    net = Network(sc, rows, _first(columns, at))
    at = settle(net, at, _steps(START, sweeps))
    bound, best_at, unsure = np.inf, at, False
    for n, (heats, margin, away) in enumerate((*ROUNDS, *[LAST] * EXTRA)):
        proven = price_out(columns, at)
        if proven < bound:
            bound, best_at = proven, at
        missed = (proven - within(net, at)) / max(abs(proven), LEAST)
        if n >= len(ROUNDS) and missed <= LEVEL:
            break
        near = near_best(columns, at, margin, away)
        # Prices that do not hold for what was left out are no measure for what else may be left out.
        unsure = unsure or (n > 0 and missed > UNSURE)
        if unsure and (missed > UNSURE or net.p.size < SMALL):
            near = distinct(join([net.p, near]))
        net = Network(sc, rows, near)
        at = settle(net, at, _steps(heats if missed <= UNSURE or not n else (ANEW, *heats), sweeps))
    else:
        proven = price_out(columns, at)
        if proven < bound:
            bound, best_at = proven, at
    at = balanced(columns, best_at)
    proven = price_out(columns, at)
    if proven < bound:
        bound, best_at = proven, at
    if not seek:
        return Found(net, np.zeros(0, np.int64), NEVER, bound, best_at, columns)
    return dataclasses.replace(_best_film(columns, best_at, bound), columns=columns)


def balanced(columns: Columns, at: Prices) -> Prices:
    """Return `at` with the rows' prices made exact over all placements; see `balance`."""
    sc = columns.sc
    best = columns.tops(at)
    return balance(sc, columns.rows, best, through(sc, best), at)


def _steps(heats: Heats, sweeps: int) -> Heats:
    return tuple((heat, max(1, round(n * sweeps / SWEEPS))) for heat, n in heats)


def _working_set(columns: Columns, at: Prices, margin: float, away: float) -> Network:
    """Return the placements within `margin` of the best of their slot and `away` of the best film, as a network."""
    return Network(columns.sc, columns.rows, near_best(columns, at, margin, away, WIDE))


def _best_film(columns: Columns, at: Prices, bound: float) -> Found:
    """Return the best film that beams and annealing find at prices `at`."""
    net = _working_set(columns, at, 0.3, LOOKS[-1][0])
    best = Found(net, np.zeros(0, np.int64), NEVER, bound, at)
    if not net.p.size:
        return best
    films: list[Ints] = []
    for near, most, width, least in LOOKS:
        where = beam.field(net, at, max(most, columns.crowd), near * min(max(abs(bound), LEAST), FAR))
        films = best_films(where, width, least, films, bound)
        best = _better(best, films[0]) if films else best
        if _gap(best, bound) <= POOR:
            break
    return best


def best_films(where: beam.Field, width: int, least: int, others: list[Ints], bound: float = np.inf) -> list[Ints]:
    """Return `others` and the films that beams and annealing find, the best first; none if none reaches the end.

    Each is annealed for `least` moves or more; the best again and again, until it is near enough the `bound` or has
    had its turns.
    """
    found = beam.search(where, width)
    better = [beam.anneal(where, path, *ANNEALED[0], least, draw=n) for n, path in enumerate(found)]
    films = sorted([*others, *better], key=lambda path: -beam.value_of(where.net, path))
    if not films:
        return films
    best = beam.cross(where, films)
    for turn in range(TURNS):
        best = beam.anneal(where, best, *ANNEALED[1], least, draw=len(found) + turn)
        if bound - beam.value_of(where.net, best) <= (GOOD + turn * EASE) * min(abs(bound), 1e12):
            break
    return [best, *films]


def _better(best: Found, path: Ints) -> Found:
    value = beam.value_of(best.net, path)
    return dataclasses.replace(best, path=path, value=value) if value > best.value else best


def _gap(found: Found, bound: float) -> float:
    """Return the gap as a share of what is earned; infinite without a film."""
    if not len(found.path):
        return np.inf
    return (bound - found.value) / max(float(np.maximum(found.net.p.value[found.path], 0).sum()), 1e-9)


def _first(columns: Columns, at: Prices) -> Placements:
    """Return what looks best before there are prices, with a guess of what each shot will cost.

    A shot's price is guessed as what it is worth, in its best slot, above what is usual there; so the working set is
    not the same few brilliant shots in every slot.
    """
    hope = columns.hopes(at)
    few = hope[:, :: max(1, hope.shape[1] // ENOUGH)]  # of very many shots, some tell what is usual
    rank = max(few.shape[1] - 1 - USUAL * few.shape[1] // hope.shape[1], 0)
    usual = np.partition(few, rank, axis=1)[:, rank]
    usual = np.where(usual > NEVER / 2, usual, -NEVER)  # fewer may stand there: nothing to guess from
    guess = np.maximum((hope - usual[:, None]).max(axis=0), 0.0).astype(np.float64)
    return columns.near(at, columns.tops(at, guess) - SPREAD, guess)


def near_best(columns: Columns, at: Prices, margin: float, away: float, crowd: int = 0) -> Placements:
    """Return the placements within `margin` of the best of their slot, and of the best film through it.

    The latter is within the share `away` of the bound, of what the best film is worth. Of very many: see
    `Columns.near`.
    """
    top = columns.tops(at)
    around = through(columns.sc, top)
    best = float((around + top).max())
    least = best - away * min(max(abs(best + constant(columns.rows, at)), LEAST), FAR)
    return columns.near(at, np.maximum(top - margin, least - around), crowd=crowd)


def distinct(p: Placements) -> Placements:
    """Return `p` without repeats."""
    _, first = np.unique(np.stack([p.slot, p.low, p.high, np.round(p.factor * 1e4)]), axis=1, return_index=True)
    return p.take(np.sort(first))


def paths(sc: Scene, values: Floats) -> tuple[Floats, Floats]:
    """Return the best value of a path up to each node and on from it, for slot `values`."""
    n = len(sc.grid.frame)
    behind, ahead = [NEVER] * n, [NEVER] * n
    behind[0], ahead[-1] = 0.0, 0.0
    first, last, worth = sc.grid.first.tolist(), sc.grid.last.tolist(), values.tolist()
    for a, b, v in zip(first, last, worth, strict=True):
        behind[b] = max(behind[b], behind[a] + v)
    for a, b, v in zip(reversed(first), reversed(last), reversed(worth), strict=True):
        ahead[a] = max(ahead[a], ahead[b] + v)
    return np.array(behind), np.array(ahead)


def reduced(sc: Scene, rows: Rows, p: Placements, at: Prices) -> Floats:
    """Return what placements are worth after prices."""
    total = np.concatenate([[0.0], np.cumsum(at.frame)])
    return np.asarray(p.value - total[p.high] + total[p.low] - film.charge(rows, sc, p, at.row))


def constant(rows: Rows, at: Prices) -> float:
    """Return what the prices give back."""
    return float(at.frame.sum()) + rows.dual(at.row)


def through(sc: Scene, values: Floats) -> Floats:
    """Return for each slot the best path through it, less the slot's own value."""
    behind, ahead = paths(sc, values)
    return behind[sc.grid.first] + ahead[sc.grid.last]


def price_out(columns: Columns, at: Prices) -> float:
    """Return the bound over all placements at these prices: the best path through the best placement of each slot."""
    return _best_path(columns.sc, columns.rows, columns.tops(at), at)


def within(net: Network, at: Prices) -> float:
    """Return the same over the placements of `net` alone."""
    top = np.full(len(net.sc.start), NEVER)
    top[net.slots] = np.maximum.reduceat(net.reduced(at), net.begin)
    return _best_path(net.sc, net.rows, top, at)


def _best_path(sc: Scene, rows: Rows, top: Floats, at: Prices) -> float:
    return float((through(sc, top) + top).max()) + constant(rows, at)
