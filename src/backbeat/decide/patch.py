# SPDX-License-Identifier: Apache-2.0
"""An earlier edit mended: what still holds stays, and only windows about what no longer does are decided anew."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import beam, explain, given, prices, terms
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene, join
from backbeat.decide.pool import Ints
from backbeat.decide.prices import NEVER, Network
from backbeat.decide.rows import Rows
from backbeat.decide.settle import settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 2  # clips on either side of what has changed
PAIRS = 24  # pairs a slot that are looked at inside a window
WIDTH = 24
HEATS = ((0.1, 8), (0.03, 8))


def mend(sc: Scene, rows: Rows, window: int = WINDOW) -> tuple[Network, Ints] | None:
    """Return the earlier edit of ``sc.problem.previous`` mended, as a network and a path in it.

    None if the earlier edit is not of this film's length, or no window short of the whole film can be filled.
    """
    earlier = sorted(sc.problem.previous, key=lambda c: c.start)
    edges = [c.start for c in earlier] + [earlier[-1].end if earlier else 0]
    if edges[0] != 0 or edges[-1] != sc.problem.frames or any(a.end != b.start for a, b in itertools.pairwise(earlier)):
        return None
    fixed = given.locked(sc)
    standing = _standing(sc, fixed)
    broken = [i for i, p in enumerate(standing) if p is None]
    while True:
        runs = _runs(broken, window, len(earlier))
        spans = [(edges[a], edges[b]) for a, b in runs]
        found = _fill(sc, rows, standing, runs, spans, fixed)
        if found is not None:
            return found
        if not runs or (len(runs) == 1 and runs[0] == (0, len(earlier))):
            return None
        window = 2 * window + 2


def _standing(sc: Scene, fixed: Placements) -> list[Placements | None]:
    """Return for each clip of the earlier edit its placement, None where it cannot stay."""
    takes = explain.by_path(sc.problem)
    forbidden = {lock.take for lock in sc.problem.locks if lock.kind == "forbid"}
    cuts = np.array([lock.start for lock in sc.problem.locks if lock.kind == "cut"], np.int64)
    slow, fast = sc.problem.style.speed
    out: list[Placements | None] = []
    for clip in sorted(sc.problem.previous, key=lambda c: c.start):
        start, end = sc.start[fixed.slot], sc.end[fixed.slot]
        meets = np.flatnonzero((start < clip.end) & (end > clip.start))
        plain = dataclasses.replace(clip, locked=False)
        if len(meets):
            same = meets[(start[meets] == clip.start) & (end[meets] == clip.end)]
            p = given.of_clip(sc, plain, takes) or given.of_clip(sc, dataclasses.replace(clip, locked=True), takes)
            held = (
                len(same) == 1 and p is not None and p.low[0] == fixed.low[same[0]] and p.shot[0] == fixed.shot[same[0]]
            )
            out.append(fixed.take(same) if held else None)
            continue
        if clip.take in forbidden or ((cuts > clip.start) & (cuts < clip.end)).any():
            out.append(None)
            continue
        p = given.of_clip(sc, plain, takes) if slow <= clip.speed.factor <= fast else None
        if p is not None and not sc.problem.reuse and ((fixed.low < p.high[0]) & (fixed.high > p.low[0])).any():
            p = None
        out.append(p if p is None else dataclasses.replace(p, value=p.value + terms.KEPT))
    return out


def _runs(broken: list[int], window: int, n: int) -> list[tuple[int, int]]:
    """Return the windows about broken clips, half-open, joined where they meet."""
    out: list[tuple[int, int]] = []
    for i in broken:
        a, b = max(0, i - window), min(n, i + window + 1)
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def _fill(
    sc: Scene,
    rows: Rows,
    standing: list[Placements | None],
    runs: list[tuple[int, int]],
    spans: list[tuple[int, int]],
    fixed: Placements,
) -> tuple[Network, Ints] | None:
    """Return the film with the clips outside `runs` kept and the record spans inside them decided anew."""
    inside = np.zeros(len(standing), bool)
    for a, b in runs:
        inside[a:b] = True
    kept = [p for p, new in zip(standing, inside, strict=True) if p is not None and not new]
    pieces = [given.nothing(), *kept]
    for a, b in spans:
        pieces.append(_beside(_window(sc, rows, (sc.start >= a) & (sc.end <= b)), fixed, sc))
    net = Network(sc, rows, join(pieces))
    at = settle(net, prices.start_prices(sc, rows), HEATS)
    where = beam.field(net, at, 2 * PAIRS)
    path = np.array([_index(net, p) for p in kept], np.int64)
    for a, b in spans:
        first, last = int(np.searchsorted(sc.grid.frame, a)), int(np.searchsorted(sc.grid.frame, b))
        start = sc.start[net.p.slot[path]]
        before, after = path[start < a], path[start >= b]
        films = [beam.refill(where, before, after, first, last, WIDTH, priced=p) for p in (True, False)]
        good = [one for one in films if one is not None]
        if not good:
            return None
        path = max(good, key=lambda one: beam.value_of(net, one))
    return net, path


def _window(sc: Scene, rows: Rows, mask: NDArray[np.bool_]) -> Placements:
    """Return the placements of the slots in `mask` that are worth a look: the best pairs of each."""
    where = np.flatnonzero(mask)
    grid = dataclasses.replace(
        sc.grid, **{name: getattr(sc.grid, name)[mask] for name in ("first", "last", "length", "row", "energy")}
    )
    part = dataclasses.replace(
        sc,
        grid=grid,
        **{name: getattr(sc, name)[mask] for name in ("start", "end", "seconds", "span", "inner", "base", "section")},
    )
    columns = Columns(part, rows)
    free = prices.start_prices(part, rows)
    for kind in range(len(columns.kinds)):
        hope = columns.optimistic(kind, free)
        rank = min(PAIRS, hope.shape[1]) - 1
        columns.expand(kind, (hope >= -np.partition(-hope, rank, axis=1)[:, rank : rank + 1]) & (hope > NEVER / 2))
    p = columns.placements()
    return dataclasses.replace(p, slot=where[p.slot])


def _beside(p: Placements, fixed: Placements, sc: Scene) -> Placements:
    """Return the placements that show nothing of what locked clips show, and the locked clips themselves."""
    if sc.problem.reuse or not fixed.size:
        return p
    own = np.isin(p.slot, fixed.slot)
    clash = ((p.low[:, None] < fixed.high) & (p.high[:, None] > fixed.low)).any(axis=1)
    return p.take(own | ~clash)


def _index(net: Network, p: Placements) -> int:
    """Return where the one placement `p` is in `net`."""
    same = (net.p.slot == p.slot[0]) & (net.p.low == p.low[0]) & (net.p.factor == p.factor[0])
    return int(np.flatnonzero(same & (net.p.shot == p.shot[0]))[0])
