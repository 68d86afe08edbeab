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
    """What each anchor's neighbours give when it stands on a frame.

    Pairs [p] of an anchor (`column` in `use`) and a hit of its shot `gap` frames after it, in order of anchor, each
    first with itself. `gain` and `cut` are curves by frame, one after another for each blur and strength; `base` and
    `cut_base` are where a pair's begins in them.
    """

    def __init__(self, sc: Scene, a: Anchors, use: Ints) -> None:
        self.sc, self.a, self.use = sc, a, use
        pool, rate = sc.pool, float(sc.problem.rate)
        longest = float(sc.seconds.max()) * rate + 4
        own_rate, time = pool.rate[a.shot[use]], pool.hit_time
        # The anchor's own record frame is rounded with its in-point; with one rate the rounding is known.
        at = time[use] * own_rate
        snapped = np.where(a.blur[use] == 0, np.floor(at + 0.5), at)
        columns, others, gaps = [np.arange(len(use))], [use], [np.zeros(len(use))]
        for step in (s for n in range(1, int(np.diff(pool.hit_ptr).max(initial=1))) for s in (n, -n)):
            other = use + step
            same = (other >= 0) & (other < len(a.shot))
            same[same] = a.shot[other[same]] == a.shot[use[same]]
            column = np.flatnonzero(same)
            gap = (time[other[column]] * own_rate[column] - snapped[column]) * (rate / own_rate[column])
            close = np.abs(gap) < longest
            columns.append(column[close])
            others.append(other[column[close]])
            gaps.append(np.floor(gap[close] + 0.5 + 1e-6))
        order = np.argsort(np.concatenate(columns), kind="stable")
        self.column = np.concatenate(columns)[order]
        self.own = np.r_[True, self.column[1:] != self.column[:-1]]
        self.gap = np.concatenate(gaps)[order].astype(np.int32)
        who = np.concatenate(others)[order]
        self.blur = a.blur[use[self.column]].astype(np.int32)
        self.weight = (sc.problem.style.hit_weight * a.strength[who]).astype(np.float32)
        self._curves(a.strong[who])

    def _curves(self, strong: NDArray[np.bool_]) -> None:
        """Lay the curves of what a hit gives, the bonus for a pair included, one after another."""
        grid, radii = self.sc.grid, range(int(self.blur.max(initial=0)) + 1)
        weak = grid.worth * grid.bell
        curves = []
        for r in radii:
            for curve in (weak, weak - terms.MISS * (1.0 - grid.bell)):
                widest = _widest(curve, r)
                # Where frames are not known exactly, a miss is not sure either.
                widest = np.maximum(widest, 0) if r else widest
                curves.append(widest + np.float32(terms.PAIR) * np.maximum(widest, 0))
        cut = np.where(grid.bell > 0.5, grid.worth, 0.0) * self.sc.problem.style.hit_on_cut
        self.frames = len(cut)
        self.gain = np.concatenate(curves).astype(np.float32)
        self.cut = np.concatenate([_widest(cut, r) for r in radii])
        self.base = ((2 * self.blur + strong) * self.frames).astype(np.int32)
        self.cut_base = self.blur * np.int32(self.frames)

    def value(self, slot: Ints, frame: Ints, *, on_cut: bool) -> Singles:
        """Return [slots, anchors] the bound with each anchor on `frame` [slots]; -1e9 where it cannot stand so."""
        sc, a, use = self.sc, self.a, self.use
        into, left = (frame - sc.start[slot]).astype(np.int32), (sc.end[slot] - frame).astype(np.int32)
        before, after = a.before[use], a.after[use]
        fits = (before >= into.min()) & (after >= left.min())
        out = np.full((len(slot), len(use)), -1e9, np.float32)
        pair = np.flatnonzero(fits[self.column] & (self.gap < left.max()) & (-self.gap <= into.max() + 4))
        if not len(pair):
            return out
        gap, blur, own = self.gap[pair], self.blur[pair], np.flatnonzero(self.own[pair])
        at = frame.astype(np.int32)[:, None] + gap
        np.clip(at, 0, self.frames - 1, out=at)
        gain = self.gain[at + self.base[pair]]
        since = into[:, None] + gap  # frames of the slot before the hit
        length = (into + left)[:, None]
        gain *= (since >= terms.HIDDEN - blur) & (since < length - terms.HIDDEN + blur)
        if sc.problem.style.hit_on_cut > 0:
            row, k = np.nonzero((since < terms.HIDDEN) & (since >= -blur))
            gain[row, k] += self.cut[at[row, k] + self.cut_base[pair[k]]]
        there = sc.grid.worth[frame] * (sc.problem.style.hit_on_cut if on_cut else 1.0)
        gain[:, own] = there.astype(np.float32)[:, None]
        gain *= self.weight[pair]
        value = np.add.reduceat(gain, own, axis=1)
        some = np.flatnonzero(fits)
        value[(into[:, None] > before[some]) | (left[:, None] > after[some])] = -1e9
        out[:, some] = value
        return out


def _widest(curve: Floats, radius: int) -> Singles:
    """Return the maximum of `curve` within `radius` frames."""
    out = curve.copy()
    for shift in range(1, radius + 1):
        out[shift:] = np.maximum(out[shift:], curve[:-shift])
        out[:-shift] = np.maximum(out[:-shift], curve[shift:])
    return out.astype(np.float32)
