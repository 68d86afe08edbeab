# SPDX-License-Identifier: Apache-2.0
"""The most that the hits of a shot can give in a slot: a close upper bound for every pair, in a few array passes.

Every placement at normal speed that earns anything by its hits puts one of them, the anchor, on a beat inside the slot
or on the cut (`place.expand` makes no others). For an anchor on a beat the record frames of the shot's other hits are
known whatever the slot, so what they give is looked up once for each (anchor, beat); a slot then sums those that it
shows. The bound is the value itself but for a share of the pair bonus, where take and film have one rate; other rates
are rounded in the bound's favour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backbeat.decide import terms
from backbeat.decide.place import Scene, cut_frame
from backbeat.decide.pool import Floats, Ints

Singles = NDArray[np.float32]
BLOCK = 400_000  # anchors times slots in one pass; small enough for the cache


@dataclass(frozen=True, slots=True)
class Anchors:
    """Hits as anchors [a], in order of shot: record frames of source `before` and `after` each inside its shot."""

    shot: Ints
    strength: Floats
    strong: NDArray[np.bool_]
    before: Floats
    after: Floats
    blur: Ints
    begin: Ints  # of each shot that has hits
    owner: Ints  # the shots that have hits


def anchors(sc: Scene) -> Anchors:
    """Return the anchors of a scene."""
    pool, rate = sc.pool, float(sc.problem.rate)
    shot = np.repeat(np.arange(pool.size), np.diff(pool.hit_ptr))
    at = pool.hit_time * pool.rate[shot]
    blur = np.ceil(0.5 * rate / pool.rate[shot]).astype(np.int64) * (pool.rate[shot] != rate)
    scale = rate / pool.rate[shot]
    # An in-point is rounded by half a source frame at most.
    spare = 0.5 * scale + 1e-6
    owner, begin = np.unique(shot, return_index=True)
    return Anchors(
        shot=shot,
        strength=pool.hit_strength,
        strong=pool.hit_strength >= terms.STRONG,
        before=(at - pool.start[shot]) * scale + spare,
        after=(pool.end[shot] - at) * scale + spare + scale,
        blur=blur,
        begin=begin,
        owner=owner,
    )


def most(sc: Scene, slots: Ints, shots: Ints) -> Singles:
    """Return [slots, shots] an upper bound of `place.sync` over all placements at normal speed."""
    out = np.zeros((len(slots), sc.pool.size), np.float32)
    a = anchors(sc)
    if len(a.shot):
        column = np.zeros(sc.pool.size, bool)
        column[shots] = True
        use = np.flatnonzero(column[a.shot])
        if len(use):
            _sum(sc, a, slots, use, out)
    return out[:, shots]


def _sum(sc: Scene, a: Anchors, slots: Ints, use: Ints, out: Singles) -> None:
    """Raise `out` [slots, all shots] to the best of each anchor of `use` on each beat of each slot."""
    low, high = sc.inner[slots, 0], np.maximum(sc.inner[slots, 1], sc.inner[slots, 0])
    owner, begin = np.unique(a.shot[use], return_index=True)
    step = max(1, BLOCK // len(use))
    tables = _Tables(sc, a, use)
    most_inside = int((high - low).max(initial=0))
    for o in range(-1 if sc.problem.style.hit_on_cut > 0 else 0, most_inside):
        rows = np.flatnonzero(high - low > o) if o >= 0 else np.flatnonzero(sc.start[slots] > 0)
        for k in range(0, len(rows), step):
            row = rows[k : k + step]
            slot = slots[row]
            frame = sc.grid.beat_frame[low[row] + o] if o >= 0 else cut_frame(sc, slot)
            value = tables.value(slot, frame, on_cut=o < 0)
            best = np.maximum.reduceat(value, begin, axis=1)
            out[np.ix_(row, owner)] = np.maximum(out[np.ix_(row, owner)], best)


class _Tables:
    """What each anchor's neighbours give when it stands on a frame."""

    def __init__(self, sc: Scene, a: Anchors, use: Ints) -> None:
        self.sc, self.a, self.use = sc, a, use
        pool, rate = sc.pool, float(sc.problem.rate)
        longest = float(sc.seconds.max()) * rate + 4
        strong = sc.grid.worth * sc.grid.bell - terms.MISS * (1.0 - sc.grid.bell)
        weak = sc.grid.worth * sc.grid.bell
        cut = np.where(sc.grid.bell > 0.5, sc.grid.worth, 0.0) * sc.problem.style.hit_on_cut
        self.curves = [[_widest(c, r) for c in (weak, strong, cut)] for r in range(int(a.blur.max(initial=0)) + 1)]
        # The anchor's own record frame is rounded with its in-point; with one rate the rounding is known.
        at = pool.hit_time[use] * pool.rate[a.shot[use]]
        snapped = np.where(a.blur[use] == 0, np.floor(at + 0.5), at)
        self.near: list[tuple[Ints, Ints]] = []  # for each neighbour: columns of `use`, frames from the anchor
        self.who: list[Ints] = []
        for step in (s for n in range(1, int(np.diff(pool.hit_ptr).max(initial=1))) for s in (n, -n)):
            other = use + step
            same = (other >= 0) & (other < len(a.shot))
            same[same] = a.shot[other[same]] == a.shot[use[same]]
            column = np.flatnonzero(same)
            gap = (pool.hit_time[other[column]] * pool.rate[a.shot[use[column]]] - snapped[column]) * (
                rate / pool.rate[a.shot[use[column]]]
            )
            close = np.abs(gap) < longest
            if close.any():
                self.near.append((column[close], np.floor(gap[close] + 0.5 + 1e-6).astype(np.int64)))
                self.who.append(other[column[close]])

    def value(self, slot: Ints, frame: Ints, *, on_cut: bool) -> Singles:
        """Return [slots, anchors] the bound with each anchor on `frame` [slots]; -1e9 where it cannot stand so."""
        sc, a, use = self.sc, self.a, self.use
        weight = sc.problem.style.hit_weight
        into, left = (frame - sc.start[slot]).astype(np.float32), (sc.end[slot] - frame).astype(np.float32)
        own = sc.grid.worth[frame] * (sc.problem.style.hit_on_cut if on_cut else 1.0)
        out = (own[:, None] * (weight * a.strength[use])).astype(np.float32)
        hidden = terms.HIDDEN
        for (column, gap), who in zip(self.near, self.who, strict=True):
            reach = gap < left.max(initial=0)
            reach &= -gap <= into.max(initial=0) + 4
            c, g, w = column[reach], gap[reach], who[reach]
            if not len(c):
                continue
            at = frame[:, None] + g
            seen = (at >= sc.start[slot][:, None] + hidden - a.blur[use[c]]) & (
                at < sc.end[slot][:, None] - hidden + a.blur[use[c]]
            )
            gain = self._gain(at, w, a.blur[use[c]]) * seen
            if sc.problem.style.hit_on_cut > 0:
                first = (at >= sc.start[slot][:, None] - a.blur[use[c]]) & (at < sc.start[slot][:, None] + hidden)
                gain += self._cut(at, w, a.blur[use[c]]) * first
            out[:, c] += gain
        out[(into[:, None] > a.before[use]) | (left[:, None] > a.after[use])] = -1e9
        return out

    def _gain(self, at: Ints, who: Ints, blur: Ints) -> Singles:
        weight = (self.sc.problem.style.hit_weight * self.a.strength[who]).astype(np.float32)
        at = np.clip(at, 0, len(self.curves[0][0]) - 1)
        out = np.zeros(at.shape, np.float32)
        strong = self.a.strong[who]
        for r in np.unique(blur).tolist():
            for s in (False, True):
                mine = np.flatnonzero((blur == r) & (strong == s))
                if len(mine):
                    out[:, mine] = self.curves[r][int(s)][at[:, mine]]
        out *= weight
        if blur.any():  # where frames are not known exactly, a miss is not sure either
            out[:, blur > 0] = np.maximum(out[:, blur > 0], 0.0)
        return np.asarray(out + np.float32(terms.PAIR) * np.maximum(out, 0.0), np.float32)

    def _cut(self, at: Ints, who: Ints, blur: Ints) -> Singles:
        weight = (self.sc.problem.style.hit_weight * self.a.strength[who]).astype(np.float32)
        at = np.clip(at, 0, len(self.curves[0][0]) - 1)
        out = self.curves[int(blur.max(initial=0))][2][at]
        return np.asarray(out * weight, np.float32)


def _widest(curve: Floats, radius: int) -> Singles:
    """Return the maximum of `curve` within `radius` frames."""
    out = curve.copy()
    for shift in range(1, radius + 1):
        out[shift:] = np.maximum(out[shift:], curve[:-shift])
        out[:-shift] = np.maximum(out[:-shift], curve[shift:])
    return out.astype(np.float32)
