# SPDX-License-Identifier: Apache-2.0
"""An earlier edit mended: what still holds stays, and only windows about what no longer does are decided anew."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backbeat.decide import beam, given, known
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene, join
from backbeat.decide.pool import Ints
from backbeat.decide.prices import Network, Prices
from backbeat.decide.rows import Rows
from backbeat.model.timeline import Clip

WINDOW = 2  # clips on either side of what has changed
CROWD = 80  # placements a slot that are looked at inside a window,
EACH = 4  # of each shot at most
WIDTH = 24

Run = tuple[int, int]  # clips of the earlier edit, half-open
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """The earlier edit: `edges` [clips + 1] record frames, placements `p`, and `where` [clips] each one's, -1: none."""

    edges: list[int]
    p: Placements
    where: Ints

    def within(self, runs: list[Run]) -> Mask:
        """Return which clips lie in `runs`."""
        out = np.zeros(len(self.where), bool)
        for a, b in runs:
            out[a:b] = True
        return out


@dataclass(frozen=True, slots=True)
class Mended:
    """A mended film as a `path` in `net`, and what was looked at for it: the `slots` of a mask and their `columns`.

    `stands` are the placements of the earlier edit.
    """

    net: Network
    path: Ints
    stands: Placements
    slots: Mask
    columns: Columns | None


def mend(sc: Scene, rows: Rows, at: Prices, window: int = WINDOW, also: Mask | None = None) -> Mended | None:
    """Return the earlier edit of ``sc.problem.previous`` mended.

    `at` are prices of this film, or of nearly the same one; slots of the mask `also` are looked at besides. None if the
    earlier edit is not of this film's length, or no window short of the whole film can be filled.
    """
    old = standing(sc)
    if old is None:
        return None
    broken = np.flatnonzero(old.where < 0).tolist()
    n = len(old.where)
    while True:
        found = _fill(sc, rows, at, old, broken, window, also)
        if found is not None:
            return found
        if not broken or _runs(broken, window, n) == [(0, n)]:
            return None
        window = 2 * window + 2


def standing(sc: Scene) -> Standing | None:
    """Return what of the earlier edit can stay; None if it is not an edit of this film's length."""
    problem, previous = sc.problem, sc.problem.previous
    order = sorted(range(len(previous)), key=lambda i: previous[i].start)
    clips = [previous[i] for i in order]
    if not clips or clips[0].start != 0 or clips[-1].end != problem.frames:
        return None
    if any(a.end != b.start for a, b in itertools.pairwise(clips)):
        return None
    fixed = given.locked(sc)
    p, which = given.standing(sc)
    start, end = np.array([c.start for c in clips]), np.array([c.end for c in clips])
    where: Ints = np.full(len(clips), -1, np.int64)
    where[np.argsort(order)[which]] = np.arange(p.size)
    for lock in problem.locks:
        if lock.kind == "cut":
            where[(start < lock.start) & (lock.start < end)] = -1
    if not problem.reuse:
        where[np.isin(where, np.flatnonzero(_clash(p, fixed)))] = -1
    for k in range(fixed.size):
        begin, stop = sc.start[fixed.slot[k]], sc.end[fixed.slot[k]]
        where[(start < stop) & (end > begin)] = -1
        i = int(np.searchsorted(start, begin))
        if i < len(clips) and (start[i], end[i]) == (begin, stop) and _shows(sc, clips[i], fixed, k):
            where[i] = p.size + k
    return Standing([*start.tolist(), problem.frames], join([p, fixed]), where)


def _shows(sc: Scene, clip: Clip, p: Placements, k: int) -> bool:
    """Whether placement `k` shows what `clip` shows."""
    shot = p.shot[k]
    low = clip.source_in + sc.pool.base[shot]
    return bool(sc.problem.takes[int(sc.pool.take[shot])].media.path == clip.take and p.low[k] == low)


def _runs(broken: list[int], window: int, n: int) -> list[Run]:
    """Return the windows about broken clips, half-open, joined where they meet."""
    out: list[Run] = []
    for i in broken:
        a, b = max(0, i - window), min(n, i + window + 1)
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def _fill(
    sc: Scene, rows: Rows, at: Prices, old: Standing, broken: list[int], window: int, also: Mask | None
) -> Mended | None:
    """Return the film with what is more than `window` clips away from `broken` ones kept, and the rest decided anew."""
    # One clip more than is decided anew on either side, so that runners-up know their new neighbours.
    outer = _runs(broken, window + 1, len(old.where))
    inside = np.zeros(len(sc.start), bool)
    for a, b in outer:
        inside |= (sc.start >= old.edges[a]) & (sc.end <= old.edges[b])
    looked = inside if also is None else inside | also
    columns = Columns(known.only(sc, looked), rows) if looked.any() else None
    pieces = [old.p.take(old.where[(old.where >= 0) & ~old.within(outer)])]
    if columns is not None:
        pieces.append(_beside(_window(columns, at, looked, inside), given.locked(sc), sc))
    net = Network(sc, rows, join(pieces))
    where = beam.field(net, at, CROWD)
    path = _indices(net, old.p.take(old.where[old.where >= 0]))
    for reach in range(window + 1):
        for a, b in _runs(broken, reach, len(old.where)):
            path = _better(where, path, old.edges[a], old.edges[b])
    return Mended(net, path, old.p, looked, columns) if _whole(net, path) else None


def _whole(net: Network, path: Ints) -> bool:
    ends = net.to_node[path]
    joined = len(path) > 0 and (net.from_node[path] == np.r_[0, ends[:-1]]).all()
    return bool(joined and ends[-1] == net.nodes - 1)


def _better(where: beam.Field, path: Ints, begin: int, end: int) -> Ints:
    """Return `path` with the record frames `begin`..`end` filled anew, where that is worth more or they lie open."""
    net = where.net
    frame = net.sc.grid.frame
    start = net.sc.start[net.p.slot[path]]
    before, inside, after = path[start < begin], path[(start >= begin) & (start < end)], path[start >= end]
    first, last = int(np.searchsorted(frame, begin)), int(np.searchsorted(frame, end))
    films = [beam.refill(where, before, after, first, last, WIDTH, priced=p) for p in (True, False)]
    good = [one for one in films if one is not None]
    if len(inside) and net.from_node[inside[0]] == first and net.to_node[inside[-1]] == last:
        held = net.to_node[inside[:-1]] == net.from_node[inside[1:]]
        good += [path] if held.all() else []
    return max(good, key=lambda one: beam.value_of(net, one)) if good else path


def _window(columns: Columns, at: Prices, slots: Mask, inside: Mask) -> Placements:
    """Return the placements of the slots `inside` that are worth a look: the best of each.

    `columns` are those of the slots of the mask `slots`, of which `inside` are some.
    """
    found = columns.best(at, inside[slots], CROWD, EACH)
    return dataclasses.replace(found, slot=np.flatnonzero(slots)[found.slot])


def _beside(p: Placements, fixed: Placements, sc: Scene) -> Placements:
    """Return the placements that show nothing of what locked clips show, and the locked clips themselves."""
    return p if sc.problem.reuse else p.take(np.isin(p.slot, fixed.slot) | ~_clash(p, fixed))


def _clash(p: Placements, fixed: Placements) -> Mask:
    """Return which of `p` show something that one of `fixed` shows."""
    if not fixed.size:
        return np.zeros(p.size, bool)
    order = np.argsort(fixed.low, kind="stable")
    low, high = fixed.low[order], np.maximum.accumulate(fixed.high[order])
    begun = np.searchsorted(low, p.high)  # those that start before the placement's end
    return np.asarray((begun > 0) & (high[np.maximum(begun - 1, 0)] > p.low))


def _indices(net: Network, p: Placements) -> Ints:
    """Return where placements `p` are in `net`, in order of the film."""
    out = []
    for k in np.argsort(net.sc.start[p.slot], kind="stable").tolist():
        row = int(np.searchsorted(net.slots, p.slot[k]))
        a, b = int(net.begin[row]), int(net.begin[row + 1]) if row + 1 < len(net.begin) else net.p.size
        same = (net.p.low[a:b] == p.low[k]) & (net.p.factor[a:b] == p.factor[k]) & (net.p.shot[a:b] == p.shot[k])
        here = np.flatnonzero(same)  # as it is, and as a clip that stays
        out.append(a + int(here[net.p.value[a + here].argmax()]))
    return np.array(out, np.int64)


def beside(mended: Mended, other: Network) -> tuple[Network, Ints]:
    """Return the mended film with the placements of `other` beside the kept clips that stand alone in their slots."""
    net, path = mended.net, mended.path
    ends = np.append(net.begin[1:], net.p.size)
    alone = net.slots[(ends - net.begin) == 1]
    more = Network(net.sc, net.rows, join([net.p, other.p.take(np.isin(other.p.slot, alone))]))
    # Slots are the same, and within each those of `net` come first.
    return more, more.begin[net.row_of[path]] + path - net.begin[net.row_of[path]]
