# SPDX-License-Identifier: Apache-2.0
"""Films whose footage keeps an order: by name, by time of shooting, by the story.

Footage lies on one axis in playing order (`pool.gather`), and each clip begins where the last one ended or later. What
a partial film can still earn depends on how far along the axis it is. A dynamic program over (node, shot), in which a
shot may be shown again but an earlier one may not, bounds that from above: the certificate. Another, over (node, piece)
with the footage in pieces of half a clip that are used up, is the outlook that guides the beam.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.decide import beam, search
from backbeat.decide import grid as music
from backbeat.decide.columns import Columns
from backbeat.decide.place import Scene, join
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices
from backbeat.decide.rows import Rows
from backbeat.decide.stage import expand

PAIRS = 40  # pairs a slot that are expanded
CHOICES = 300  # placements a slot that the beam looks at
WIDTH = 40
BEAMS = tuple((heat, many) for heat in (0.3, 1.0) for many in (1, 2, 3))  # as those of `beam`
LEEWAY = 0.1  # variance of counts that cannot change
LOST = 5.0  # each second that a film of too little footage lacks: more than any second can earn
# Pieces that a clip is thought to use up beyond its own length (what lies between it and the next is lost), and what
# ending early costs. A guide that counts on more footage than there is lets the film give out; then the next is tried.
GUIDES = ((0.0, np.inf), (0.25, np.inf), (0.5, np.inf), (1.0, LOST))


def find(sc: Scene, rows: Rows, sweeps: int, *, seek: bool = True) -> search.Found:
    """Return the best edit found in playing order, and a bound over all placements; see `search.find`."""
    guide = search.find(sc, rows, max(1, sweeps // 2), seek=False)
    # Order pays for itself: only the film's rows keep their prices.
    at = Prices(np.zeros(sc.pool.total), guide.prices.row)
    columns = Columns(sc, rows)
    values = pair_values(columns, at)
    ahead = look_ahead(sc, values)
    bound = float(ahead[0, 0]) + search.constant(rows, at)
    net = Network(sc, rows, columns.given)
    path = np.zeros(0, np.int64)
    if seek:
        for spare, lost in GUIDES:
            where = _guided(columns, at, values, spare, lost)
            net = where.net
            films = beam.search(where, WIDTH, even_outlook(sc, rows), BEAMS)
            if films:
                break
        path = max((beam.improve(where, one) for one in films), key=lambda one: beam.value_of(net, one), default=path)
    return search.Found(net, path, beam.value_of(net, path), bound, at)


def furthest(sc: Scene, rows: Rows, at: Prices) -> tuple[Network, Ints]:
    """Return the longest film in playing order that the footage allows, where none reaches the end."""
    columns = Columns(sc, rows)
    at = Prices(np.zeros(sc.pool.total), at.row)
    where = _guided(columns, at, pair_values(columns, at), *GUIDES[-1])
    return where.net, beam.furthest(where, WIDTH)


def _guided(columns: Columns, at: Prices, values: Floats, spare: float, lost: float) -> beam.Field:
    """Return the field of the pairs that the guide likes, ranked by it; see `pieces` and `guide_ahead`."""
    sc = columns.sc
    axis = pieces(sc, spare)
    outlook = guide_ahead(sc, axis, values, lost)
    through = best_through(sc, axis, values, outlook)
    rank = min(PAIRS, through.shape[1]) - 1
    good = through >= -np.partition(-through, rank, axis=1)[:, rank : rank + 1]
    good[columns.locked] = False
    free = expand(sc, *np.nonzero(good & (values > NEVER / 2)))
    return _field(Network(sc, columns.rows, join([columns.given, free])), at, axis, outlook)


def pair_values(columns: Columns, at: Prices) -> Floats:
    """Return [slots, shots] the most that any placement of each pair is worth at prices `at`; NEVER where none is."""
    sc = columns.sc
    out, p = columns.hopes(at).astype(np.float64), columns.given
    np.maximum.at(out, (p.slot, p.shot), search.reduced(sc, columns.rows, p, at))
    return out


def look_ahead(sc: Scene, values: Floats) -> Floats:
    """Return [nodes, shots] the most that a film at a node can still earn with this shot and later ones."""
    out = np.full((len(sc.grid.frame), values.shape[1]), NEVER)
    out[-1] = 0.0
    first, last = sc.grid.first, sc.grid.last
    begin = np.searchsorted(first, np.arange(len(out) + 1))
    for node in range(len(out) - 2, -1, -1):
        a, b = begin[node], begin[node + 1]
        if b > a:
            best = (values[a:b] + out[last[a:b]]).max(axis=0)
            out[node] = np.maximum.accumulate(best[::-1])[::-1]
    return out


@dataclass(frozen=True, slots=True)
class Pieces:
    """The axis of footage in pieces of about `seconds`: `shot` [pieces], `left` [pieces] how many remain of the shot.

    `begin` [shots + 1] is each shot's first piece. `uses` [slots] is how many pieces a slot uses up.
    """

    seconds: float
    shot: Ints
    left: Ints
    begin: Ints
    uses: Ints


def pieces(sc: Scene, spare: float = 0.0) -> Pieces:
    """Return the footage in pieces of half a usual clip, `spare` of one lost with each clip."""
    pool = sc.pool
    length = (pool.end - pool.start) / pool.rate
    rows = np.array([0.5 * float(np.median(sc.seconds)), float(length.sum()) / 6000, 0.3])
    seconds = float(rows.max())
    count = np.maximum(np.floor(length / seconds + 0.25).astype(np.int64), 1)
    begin = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    shot = np.repeat(np.arange(pool.size), count)
    uses = np.maximum(np.floor(sc.seconds / seconds + 0.75 + spare).astype(np.int64), 1)
    return Pieces(seconds, shot, begin[shot + 1] - np.arange(len(shot)), begin, uses)


def guide_ahead(sc: Scene, axis: Pieces, values: Floats, lost: float) -> Floats:
    """Return [nodes, pieces + 1] what a film at a node may still earn from this piece on, each piece used once.

    A film may end early at `lost` for each second that it lacks.
    """
    n = len(axis.shot)
    out = np.full((len(sc.grid.frame), n + 1), NEVER)
    if np.isfinite(lost):
        out[:] = (-lost * (sc.grid.frame[-1] - sc.grid.frame) / float(sc.problem.rate))[:, None]
    out[-1] = 0.0
    begin = np.searchsorted(sc.grid.first, np.arange(len(out) + 1))
    for node in range(len(out) - 2, -1, -1):
        best = out[node]
        for s in range(begin[node], begin[node + 1]):
            uses = int(axis.uses[s])
            if uses <= n:
                after = out[sc.grid.last[s]][uses:]
                gain = np.where(axis.left >= np.minimum(uses, axis.left.max()), values[s][axis.shot], NEVER)
                np.maximum(best[: n + 1 - uses], gain[: n + 1 - uses] + after, out=best[: n + 1 - uses])
        out[node] = np.maximum.accumulate(best[::-1])[::-1]
    return out


def best_through(sc: Scene, axis: Pieces, values: Floats, ahead: Floats) -> Floats:
    """Return [slots, shots] about what the best film with a clip of the shot in the slot earns."""
    n = len(axis.shot)
    behind = np.full((len(sc.grid.frame), n + 1), NEVER)
    behind[0] = 0.0
    out = np.full(values.shape, NEVER)
    for s in range(len(sc.grid.first)):  # slots are sorted by their first node, so all that leads there is known
        a, b, uses = int(sc.grid.first[s]), int(sc.grid.last[s]), int(axis.uses[s])
        if s == 0 or a != sc.grid.first[s - 1]:
            behind[a] = np.maximum.accumulate(behind[a])
        if uses > n:
            continue
        gain = np.where(axis.left >= np.minimum(uses, axis.left.max()), values[s][axis.shot], NEVER)
        come = behind[a][: n + 1 - uses] + gain[: n + 1 - uses]
        np.maximum(behind[b][uses:], come, out=behind[b][uses:])
        total = np.full(n, NEVER)
        total[: n + 1 - uses] = (come + ahead[b][uses:])[:n]
        out[s] = np.maximum.reduceat(total, axis.begin[:-1])
    return out


def even_outlook(sc: Scene, rows: Rows) -> beam.Outlook:
    """Return what a film in the style counts from each node on, evenly; see `beam.search`."""
    grid = sc.grid
    low, high = music.energy_bounds(sc.problem.song)
    frames = np.diff(grid.frame)
    mean = np.diff(grid.energy_sum[grid.frame]) / frames
    third = (mean >= low).astype(np.int64) + (mean >= high)
    passed = np.zeros((len(grid.frame), 3))
    np.add.at(passed, (np.arange(1, len(grid.frame)), third), frames)
    share = np.cumsum(passed, axis=0) / np.maximum(passed.sum(axis=0), 1)
    mean = np.repeat(1.0 - share, rows.styles // 3, axis=1) * grid.target
    return mean, 0.5 / (mean + LEEWAY)


def _field(net: Network, at: Prices, axis: Pieces, ahead: Floats) -> beam.Field:
    """Return a field whose placements are ranked with what may come after them."""
    _sc, pool = net.sc, net.sc.pool
    red = net.reduced(at)
    shot = net.p.shot
    used = (net.p.high - pool.base[shot] - pool.start[shot]) / pool.rate[shot] / axis.seconds
    reached = np.minimum(axis.begin[shot] + np.floor(used + 0.5).astype(np.int64), axis.begin[shot + 1])
    after = ahead[net.to_node, reached]
    # The best placement of each slot and place on the axis, so that a film anywhere along it finds what comes next.
    place = (net.p.low - pool.base[shot] - pool.start[shot]) / pool.rate[shot] / axis.seconds
    piece = axis.begin[shot] + np.minimum(place.astype(np.int64), axis.begin[shot + 1] - axis.begin[shot] - 1)
    order = np.lexsort((-(red + after), piece, net.row_of))
    new = np.r_[True, (np.diff(piece[order]) != 0) | (np.diff(net.row_of[order]) != 0)]
    rank = np.full(net.p.size, NEVER)
    rank[order[new]] = (red + after)[order[new]]
    arcs = [k[rank[k] > NEVER / 2] for k in beam.best_arcs(net, rank, CHOICES)]
    return beam.Field(net, red, arcs, at.row, after)
