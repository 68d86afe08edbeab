# SPDX-License-Identifier: Apache-2.0
"""The search: rounds of expanding what matters, prices, a beam, and the certificate over all placements."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import beam, prices
from backbeat.decide import rows as film
from backbeat.decide.balance import balance
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices
from backbeat.decide.rows import Rows
from backbeat.decide.settle import Heats, Soft, settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIRST = 24  # pairs a slot that are expanded before there are prices
OF_SHOT = 3  # and best slots of each shot and length
MORE = 20  # pairs a slot and round after that
SWEEPS = 120  # for which the steps below are meant
START = ((0.1, 12),)
# Rounds: (temperature, steps) down the smooth bound; how far below the best of its slot, and what share of the bound
# below the best film through it, a placement may lie to be in the working set.
ROUNDS = (
    (((0.1, 8), (0.03, 15)), 1.0, 0.065),
    (((0.02, 25),), 0.6, 0.035),
    (((0.01, 40),), 0.3, 0.015),
    (((0.004, 40),), 0.2, 0.008),
    (((0.002, 40),), 0.15, 0.006),
)
LAST = (((0.002, 40),), 0.15, 0.005)
EXTRA = 4  # most rounds more, where the bound over all placements still lies above that of the working set
UNSURE = 0.05  # by more than this share in a round: its working set was too small
SMALL = 50_000  # placements: a working set after that is kept as long as it is no larger
ANEW = (0.03, 20)  # steps to find the prices of such a set
HEAT = 0.002  # temperature of the average film that beams follow
LEVEL = 1e-3  # by more than this share
POOR = 2e-2  # and above which a wide look is worth its time
SPREAD = 1.5  # how far below the best of its slot a placement may look before there are prices
# Looks, narrow to wide: share of the bound below the best film that is taken in, placements a slot, partial films a
# node. Where footage is scarce, the best of a slot are often all taken.
LOOKS = ((6e-3, 24, 30), (2e-2, 80, 30), (2e-2, 80, 90))
STARTS = 5  # films of the beams over which windows are moved
WINDOWS = 60  # a film
MANY = 30_000  # placements in a working set; above that it holds
EACH = 2  # of each slot and shot, at most,
CROWD = 40  # and of each slot
CLOSE = 2e-4  # share of the bound: a pair that cannot raise it by more needs no closer look
LEAST = 10.0  # value below which a film's shares are taken of this


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
    bound, best_at, kept, unsure = np.inf, at, np.zeros(0, np.int64), False
    for n, (heats, margin, away) in enumerate((*ROUNDS, *[LAST] * EXTRA)):
        proven = price_out(columns, at)
        if proven < bound:
            bound, best_at = proven, at
        missed = (proven - prices.relax(net, at).bound) / max(abs(proven), LEAST)
        if n >= len(ROUNDS) and missed <= LEVEL:
            break
        near = near_best(columns, at, margin, away)
        # Prices that do not hold for what was left out are no measure for what else may be left out.
        unsure = unsure or (n > 0 and missed > UNSURE)
        kept = np.union1d(kept, near) if unsure and (missed > UNSURE or len(kept) < SMALL) else near
        net = Network(sc, rows, columns.placements().take(kept))
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
    best = tops(columns, at)
    return balance(sc, columns.rows, at, best, through(sc, best))


def _steps(heats: Heats, sweeps: int) -> Heats:
    return tuple((heat, max(1, round(n * sweeps / SWEEPS))) for heat, n in heats)


def _working_set(columns: Columns, at: Prices, margin: float, away: float) -> Network:
    """Return the placements within `margin` of the best of their slot and `away` of the best film, as a network."""
    return Network(columns.sc, columns.rows, columns.placements().take(near_best(columns, at, margin, away)))


def _best_film(columns: Columns, at: Prices, bound: float) -> Found:
    """Return the best film that beams and windows find at prices `at`."""
    net = _working_set(columns, at, 0.3, LOOKS[-1][0])
    best = Found(net, np.zeros(0, np.int64), NEVER, bound, at)
    if not net.p.size:
        return best
    likely, _ = Soft(net).film(at, HEAT)
    plan = beam.expected(net, likely)
    films: list[Ints] = []
    for near, most, width in LOOKS:
        where = beam.field(net, at, most, near * max(abs(bound), LEAST))
        found = beam.search(where, width, plan)
        better = [beam.improve(where, path, windows=WINDOWS) for path in found[:STARTS]]
        films = sorted([*films, *better], key=lambda path: -beam.value_of(net, path))
        crossed = beam.cross(where, [*films, *found])
        films.insert(0, beam.improve(where, crossed, windows=WINDOWS))
        best = _better(best, films[0])
        if _gap(best, bound) <= POOR:
            break
    return best


def _better(best: Found, path: Ints) -> Found:
    value = beam.value_of(best.net, path)
    return dataclasses.replace(best, path=path, value=value) if value > best.value else best


def _gap(found: Found, bound: float) -> float:
    """Return the gap as a share of what is earned; infinite without a film."""
    if not len(found.path):
        return np.inf
    return (bound - found.value) / max(float(np.maximum(found.net.p.value[found.path], 0).sum()), 1e-9)


def _first(columns: Columns, at: Prices) -> Placements:
    """Expand what looks best before there are prices, with a guess of what each shot will cost.

    A shot's price is guessed as what it is worth, in its best slot, above that slot's hundredth shot; so the working
    set is not the same few brilliant shots in every slot.
    """
    guess = np.zeros(columns.sc.pool.size, np.float32)
    hopes = [columns.optimistic(kind, at) for kind in range(len(columns.kinds))]
    for k, hope in zip(columns.kinds, hopes, strict=True):
        usual = np.partition(-hope, min(100, hope.shape[1] - 1), axis=1)[:, min(100, hope.shape[1] - 1)]
        usual = np.where(usual < -NEVER / 2, usual, NEVER)  # fewer may stand there: nothing to guess from
        np.maximum.at(guess, k.shots, (hope + usual[:, None]).max(axis=0))
    for kind, k in enumerate(columns.kinds):
        hope = hopes[kind] - guess[k.shots]
        rank = min(FIRST, hope.shape[1] - 1)
        which = hope >= -np.partition(-hope, rank, axis=1)[:, rank : rank + 1]
        if len(k.slots) > 2 * OF_SHOT:
            which |= hope >= -np.partition(-hope, OF_SHOT, axis=0)[OF_SHOT]
        columns.expand(kind, which & (hope > NEVER / 2))
    p = columns.placements()
    return p.take(_near_best(columns.sc, p, p.value - guess[p.shot], SPREAD))


def near_best(columns: Columns, at: Prices, margin: float, away: float) -> Ints:
    """Return the indices of the placements within `margin` of the best of their slot, and of the best film through it.

    The latter is within the share `away` of the bound, of what the best film is worth.
    """
    sc, p = columns.sc, columns.placements()
    red = reduced(sc, columns.rows, p, at)
    top = slot_best(sc, p, red)
    around = through(sc, top)
    best = float((around + top).max())
    least = best - away * max(abs(best + constant(columns.rows, at)), LEAST)
    return _crowd(p, red, np.flatnonzero(red >= np.maximum(top - margin, least - around)[p.slot]))


def _near_best(sc: Scene, p: Placements, red: Floats, margin: float) -> Ints:
    """Return the indices of placements within `margin` of their slot's best, `CROWD` a slot at most."""
    return _crowd(p, red, np.flatnonzero(red >= (slot_best(sc, p, red) - margin)[p.slot]))


def _crowd(p: Placements, red: Floats, near: Ints) -> Ints:
    """Return of the placements `near`, if many, the best `EACH` of each slot and shot and `CROWD` of each slot."""
    for key, most in (((p.slot, p.shot), EACH), ((p.slot,), CROWD)):
        if len(near) > MANY:
            near = _best_of(
                near, red, np.ravel_multi_index([k[near] for k in key], [int(k.max()) + 1 for k in key]), most
            )
    return np.sort(near)


def _best_of(near: Ints, red: Floats, key: Ints, most: int) -> Ints:
    """Return of the placements `near` the `most` best of each `key`."""
    value = red[near]
    span = float(value.max() - value.min()) + 1.0  # one number that sorts by key first and by value next
    order = np.argsort(key * span - value)
    sorted_key = key[order]
    first = np.flatnonzero(np.r_[True, sorted_key[1:] != sorted_key[:-1]])
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
    return near[order[rank < most]]


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


def slot_best(sc: Scene, p: Placements, red: Floats) -> Floats:
    """Return the best of `red` in each slot."""
    out = np.full(len(sc.start), NEVER)
    np.maximum.at(out, p.slot, red)
    return out


def tops(columns: Columns, at: Prices) -> Floats:
    """Return [slots] the most that any placement can be worth at prices `at`: exact where it was expanded."""
    return hoped(columns, at, {kind: columns.optimistic(kind, at) for kind in range(len(columns.kinds))})


def hoped(columns: Columns, at: Prices, hopes: dict[int, NDArray[np.float32]]) -> Floats:
    """Return the tops of the slots in the kinds whose optimistic values are `hopes`."""
    p = columns.placements()
    out = slot_best(columns.sc, p, reduced(columns.sc, columns.rows, p, at))
    for kind, hope in hopes.items():
        slots = columns.kinds[kind].slots
        out[slots] = np.maximum(out[slots], hope.max(axis=1))
    return out


def constant(rows: Rows, at: Prices) -> float:
    """Return what the prices give back."""
    return float(at.frame.sum()) + rows.dual(at.row)


def through(sc: Scene, values: Floats) -> Floats:
    """Return for each slot the best path through it, less the slot's own value."""
    behind, ahead = paths(sc, values)
    return behind[sc.grid.first] + ahead[sc.grid.last]


def price_out(columns: Columns, at: Prices, passes: int = 1) -> float:
    """Expand the pairs that could raise the bound at these prices; return the bound over all placements.

    The bound is a dynamic program over the slots, each with the best exact value of its expanded pairs or the
    optimistic one of the others, whichever is higher.
    """
    sc, rows = columns.sc, columns.rows
    give = constant(rows, at)
    bound = np.inf
    for _ in range(passes):
        p = columns.placements()
        exact = slot_best(sc, p, reduced(sc, rows, p, at)) if p.size else np.full(len(sc.start), NEVER)
        hopes = [columns.optimistic(kind, at) for kind in range(len(columns.kinds))]
        hope = exact.copy()
        for k, guess in zip(columns.kinds, hopes, strict=True):
            hope[k.slots] = np.maximum(hope[k.slots], guess.max(axis=1))
        best = float((through(sc, exact) + exact).max())
        around = through(sc, hope)
        bound = min(bound, float((around + hope).max()) + give)
        floor = best + CLOSE * abs(best + give)
        made = 0
        for kind, k in enumerate(columns.kinds):
            need = (floor - around[k.slots])[:, None]
            rank = min(MORE, hopes[kind].shape[1]) - 1
            need = np.maximum(need, -np.partition(-hopes[kind], rank, axis=1)[:, rank : rank + 1])
            made += columns.expand(kind, (hopes[kind] >= need) & (hopes[kind] > NEVER / 2))
        if not made:
            break
    return bound
