# SPDX-License-Identifier: Apache-2.0
"""The search: rounds of expanding what matters, prices, a beam, and the certificate over all placements."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from backbeat.decide import beam, prices
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices
from backbeat.decide.rows import Rows

FIRST = 24  # pairs a slot that are expanded before there are prices
OF_SHOT = 3  # and best slots of each shot and length
MORE = 20  # pairs a slot and round after that
# Rounds: share of the sweeps, temperatures, and how far below the best of its slot a placement is still worth keeping.
ROUNDS = ((0.15, 0.15, 0.04, 1.0), (0.25, 0.04, 0.012, 0.6), (0.4, 0.012, 0.004, 0.35))
EXTRA = 3  # most rounds more, where the bound over all placements still lies above that of the working set
# Rounds of polish, beam and windows while the gap is not good: share of the sweeps, temperatures, whether to look wide.
MORE_ROUNDS = ((0.4, 0.012, 0.002, False),)
# Where footage is scarce its prices settle slowly; in a film of at most so many slots it is cheap to settle them.
SMALL = 1500
SMALL_ROUNDS = ((1.25, 0.03, 0.004, True), (0.8, 0.01, 0.001, True))
POOR = 4e-2  # gap, as a share of what is earned, above which these rounds are run
GOOD = 7e-3  # share of what is earned
LEVEL = 2e-3  # by more than this share
SPREAD = 1.5  # how far below the best of its slot a placement may look before there are prices
CHOICES = 24  # placements a slot that a beam looks at
WIDE = 80  # and in a wide look: where footage is scarce, the best of a slot are often all taken
PASSES = 2  # how often the finished film is gone through, window by window
CROWD = 100  # most placements a slot in the working set
WARM = 0.2  # share of the sweeps of the first, hot round
CLOSE = 2e-4  # share of the bound: a pair that cannot raise it by more needs no closer look


@dataclass(frozen=True, slots=True)
class Found:
    """An edit: placements in order, its true value, the bound over all placements, and the prices that prove it."""

    net: Network
    path: Ints
    value: float
    bound: float
    prices: Prices


def find(sc: Scene, rows: Rows, sweeps: int, *, seek: bool = True) -> Found:
    """Return the best edit found; its path is empty if none reaches the end of the film, or only a bound is sought."""
    columns = Columns(sc, rows)
    at = prices.start_prices(sc, rows)
    net = Network(sc, rows, _first(columns, at))
    at = prices.sweep(net, at, max(1, round(WARM * sweeps)), hot=1.0, cold=ROUNDS[0][1])
    kept = np.zeros(0, np.int64)
    bound = np.inf
    for n, (share, hot, cold, margin) in enumerate((*ROUNDS, *[ROUNDS[-1]] * EXTRA)):
        proven = price_out(columns, at)
        bound = min(bound, proven)
        if n >= len(ROUNDS) and proven - prices.relax(net, at).bound <= LEVEL * abs(proven):
            break
        # What was in the set stays: a price found without a placement may be too low to do without it.
        kept = np.union1d(kept, near_best(columns, at, margin))
        net = Network(sc, rows, columns.placements().take(kept))
        at = prices.polish(net, at, max(1, round(share * sweeps)), hot, cold)
        at = prices.settle_rows(net, at, max(1, sweeps // 3), cold)
    else:
        bound = min(bound, price_out(columns, at))
    if not seek:
        return Found(net, np.zeros(0, np.int64), NEVER, bound, at)
    best = _films(net, at, PASSES)
    small = len(sc.start) <= SMALL
    for share, hot, cold, wide in (*MORE_ROUNDS, *(SMALL_ROUNDS if small else ())):
        gap = _gap(best, bound)
        # Without a film that reaches the end the usual look is of no use again.
        if gap <= (POOR if wide else GOOD) or not (wide or len(best.path)):
            continue
        kept = np.union1d(kept, near_best(columns, at, ROUNDS[-1][3]))
        net = Network(sc, rows, columns.placements().take(kept))
        at = prices.polish(net, at, max(1, round(share * sweeps)), hot, cold)
        bound = min(bound, price_out(columns, at))
        again = _wide_films(net, at) if wide else _films(net, at, 1)
        best = again if again.value > best.value else best
    return dataclasses.replace(best, bound=bound)


def _gap(found: Found, bound: float) -> float:
    """Return the gap as a share of what is earned; infinite without a film."""
    if not len(found.path):
        return np.inf
    return (bound - found.value) / max(float(np.maximum(found.net.p.value[found.path], 0).sum()), 1e-9)


def _films(net: Network, at: Prices, passes: int) -> Found:
    """Return the best film that beams and windows find at prices `at`; nothing is proven of it."""
    likely, _ = prices.soft(net, at, ROUNDS[-1][2])
    where = beam.field(net, at, CHOICES)
    path = beam.search(where, plan=beam.expected(net, likely))
    for _ in range(passes if len(path) else 0):
        path = beam.improve(where, path)
    return Found(net, path, beam.value_of(net, path), np.inf, at)


def _wide_films(net: Network, at: Prices) -> Found:
    """Return the best film that a wide look finds at prices `at`, with windows for the film of each plan."""
    likely, _ = prices.soft(net, at, ROUNDS[-1][2])
    where, plan = beam.field(net, at, WIDE), beam.expected(net, likely)
    best, value = np.zeros(0, np.int64), NEVER
    for close in beam.PLANS:
        path = beam.search(where, plan=plan, plans=(close,))
        for _ in range(PASSES if len(path) else 0):
            path = beam.improve(where, path)
        if (worth := beam.value_of(net, path)) > value:
            best, value = path, worth
    return Found(net, best, value, np.inf, at)


def _first(columns: Columns, at: Prices) -> Placements:
    """Expand what looks best before there are prices, with a guess of what each shot will cost.

    A shot's price is guessed as what it is worth, in its best slot, above that slot's hundredth shot; so the working
    set is not the same few brilliant shots in every slot.
    """
    guess = np.zeros(columns.sc.pool.size, np.float32)
    hopes = [columns.optimistic(kind, at) for kind in range(len(columns.kinds))]
    for k, hope in zip(columns.kinds, hopes, strict=True):
        usual = np.partition(-hope, min(100, hope.shape[1] - 1), axis=1)[:, min(100, hope.shape[1] - 1)]
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


def near_best(columns: Columns, at: Prices, margin: float) -> Ints:
    """Return the indices of the placements that come within `margin` of the best of their slot."""
    p = columns.placements()
    return _near_best(columns.sc, p, reduced(columns.sc, columns.rows, p, at), margin)


def _near_best(sc: Scene, p: Placements, red: Floats, margin: float) -> Ints:
    """Return the indices of placements within `margin` of their slot's best, `CROWD` a slot at most."""
    near = np.flatnonzero(red >= slot_best(sc, p, red)[p.slot] - margin)
    if len(near) > CROWD * len(sc.start) // 2:
        order = near[np.lexsort((-red[near], p.slot[near]))]
        slot = p.slot[order]
        near = np.sort(order[np.arange(len(order)) - np.searchsorted(slot, slot) < CROWD])
    return near


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
    return np.asarray(p.value - (total[p.high] - total[p.low]) - film.charge(rows, sc, p, at.row))


def slot_best(sc: Scene, p: Placements, red: Floats) -> Floats:
    """Return the best of `red` in each slot."""
    out = np.full(len(sc.start), NEVER)
    np.maximum.at(out, p.slot, red)
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
