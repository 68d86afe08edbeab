# SPDX-License-Identifier: Apache-2.0
"""From prices to an edit: a beam over the slots that knows which source frames each partial film has shown.

The prices stand for the future (what a piece of footage would be worth elsewhere), the beam for the past.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import rows as film
from backbeat.decide import terms
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices, relax

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANS = (0.05, 0.4)  # what a partial film pays for each clip by which it strays from the plan: loose, close


@dataclass(slots=True)
class _States:
    """Partial films that end at one node.

    `score` at prices, last set-up, direction of its motion [states, 2], counts of the style's rows [states, rows],
    spans shown [states, clips].
    """

    score: Floats
    group: Ints
    way: Floats
    count: Floats
    low: Ints
    high: Ints
    path: Ints


def best_arcs(net: Network, red: Floats, most: int) -> list[Ints]:
    """Return for each slot of the network the indices of its `most` best placements, best first."""
    order = np.lexsort((-red, net.row_of))
    ends = np.append(net.begin[1:], len(red))
    return [order[a : min(b, a + most)] for a, b in zip(net.begin, ends, strict=True)]


def expected(net: Network, likely: Floats) -> Floats:
    """Return [nodes, rows] how many clips of each row of the style have ended by each node, on average."""
    n = net.rows.styles
    place = np.array(net.last)[net.row_of] * n + net.sc.grid.row[net.p.slot]
    plan = np.cumsum(np.bincount(place, likely, net.nodes * n).reshape(net.nodes, n), axis=0)
    # What is left of the prices' error is scaled away: at the end of the film the plan keeps every row.
    end = np.clip(plan[-1], net.rows.low[:n], net.rows.high[:n])
    return np.asarray(plan * np.where(plan[-1] > 0, end / np.maximum(plan[-1], 1e-9), 1.0))


@dataclass(frozen=True, slots=True)
class Field:
    """What beams search in: a network, its reduced values at some prices, and the best placements of each slot.

    `ahead` [placements], where the order of footage matters, is what may still come after each.
    """

    net: Network
    red: Floats
    arcs: list[Ints]
    into: list[list[int]]
    ahead: Floats | None = None


def field(net: Network, at: Prices, most: int, away: float = np.inf) -> Field:
    """Return the field of `net` at prices `at`, `most` placements a slot, none `away` below the best film."""
    into: list[list[int]] = [[] for _ in range(net.nodes)]
    for s, b in enumerate(net.last):
        into[b].append(s)
    red = net.reduced(at)
    arcs = best_arcs(net, red, most)
    if np.isfinite(away):
        relaxed = relax(net, at)
        through = relaxed.reach[net.from_node] + red + relaxed.ahead[net.to_node]
        arcs = [k[through[k] >= through.max() - away] for k in arcs]
    return Field(net, red, arcs, into)


class Beam:
    """A search for the best film, or for the best filling of the nodes `first`..`last` of one.

    `plan` [nodes, rows], where given, is what a film should have counted by each node (`expected`): the prices of the
    rows leave ties between styles of shot lengths, the plan breaks them as the average film does. `free` marks the
    placements that may be used; `before` is the clip before. With `others` [rows], the counts of the rest
    of a film that is kept, placements are worth their value itself and partial films pay their rows as they are: the
    rest of the film is known, so nothing needs a price.
    """

    def __init__(
        self,
        where: Field,
        *,
        width: int,
        plan: Floats | None = None,
        first: int = 0,
        last: int = -1,
        free: NDArray[np.bool_] | None = None,
        before: int = -1,
        others: Floats | None = None,
        close: float = PLANS[0],
    ) -> None:
        net = where.net
        self.net, self.width, self.plan, self.others, self.close = net, width, plan, others, close
        self.red = where.red if others is None else net.p.value
        self.arcs, self.ahead = where.arcs, where.ahead
        self.ordered = net.sc.problem.order != "free"
        self.style = net.sc.problem.style
        self.alike = terms.ALIKE * self.style.jump_cut
        self.row = net.sc.grid.row[net.slots].tolist()
        self.states: list[_States | None] = [None] * net.nodes
        none = np.zeros((1, 0), np.int64)
        group, way = (net.group[before], net.way[before]) if before >= 0 else (-1, np.zeros(2))
        self.states[first] = _States(
            np.zeros(1), np.full(1, group), np.reshape(way, (1, 2)), np.zeros((1, net.rows.styles)), none, none, none
        )
        for node in range(first + 1, last + 1 if last >= 0 else net.nodes):
            self.states[node] = self._arrive(node, where.into[node], free)

    def films(self, node: int = -1) -> list[Ints]:
        """Return the films that reach `node`."""
        end = self.states[node]
        return [] if end is None else [np.asarray(row[row >= 0], np.int64) for row in end.path]

    def furthest(self) -> int:
        """Return the last node that any film reaches."""
        return max(n for n, s in enumerate(self.states) if s is not None)

    def _off_plan(self, count: Floats, row: int, node: int) -> Floats:
        """Return what partial films with `count`, and one more in `row`, pay for straying from the plan at `node`."""
        if self.others is not None:
            n = self.net.rows.styles
            low, high, rate = self.net.rows.low[:n], self.net.rows.high[:n], self.net.rows.rate[:n]
            now = count + self.others
            now[:, row] += 1
            total, end = now.sum(axis=1), self.net.rows
            whole = end.rate[-1] * (np.maximum(total - end.high[-1], 0) + np.maximum(end.low[-1] - total, 0))
            return np.asarray((rate * (np.maximum(now - high, 0) + np.maximum(low - now, 0))).sum(axis=1) + whole)
        if self.plan is None:
            return np.zeros(len(count))
        off = np.abs(count - self.plan[node])
        one = np.abs(count[:, row] + 1 - self.plan[node][row]) - off[:, row]
        return np.asarray(self.close * (off.sum(axis=1) + one))

    def _arrive(self, node: int, slots: list[int], free: NDArray[np.bool_] | None) -> _States | None:
        """Return the states that reach `node` through `slots`."""
        net = self.net
        ranks, scores, froms, whos, whiches = [], [], [], [], []
        for s in slots:
            before = self.states[net.first[s]]
            if before is None:
                continue
            k = self.arcs[s] if free is None else self.arcs[s][free[self.arcs[s]]]
            score = before.score[:, None] + self.red[k] - self.alike * (before.group[:, None] == net.group[k])
            along = before.way[:, :1] * net.way[k, 0] + before.way[:, 1:] * net.way[k, 1]
            score -= terms.against(along, self.style)
            scores.append(score.ravel())
            rank = score - self._off_plan(before.count, self.row[s], node)[:, None]
            if self.ordered:
                if self.ahead is not None and self.others is None:
                    rank = rank + self.ahead[k]
                rank[net.p.low[k] < before.high.max(axis=1, initial=-1)[:, None]] = NEVER
            ranks.append(rank.ravel())
            froms.append(np.full(score.size, net.first[s]))
            whos.append(np.repeat(np.arange(len(before.score)), len(k)))
            whiches.append(np.tile(k, len(before.score)))
        if not scores:
            return None
        rank, score, source = np.concatenate(ranks), np.concatenate(scores), np.concatenate(froms)
        who, which = np.concatenate(whos), np.concatenate(whiches)
        kept = self._choose(rank, source, who, which)
        if not kept:
            return None
        pick = np.array(kept)
        return self._extend(source[pick], who[pick], which[pick], score[pick])

    def _choose(self, rank: Floats, source: Ints, who: Ints, which: Ints) -> list[int]:
        """Return the best candidates that show nothing twice; of equals one."""
        width, kept = self.width, []
        order = np.argsort(-rank, kind="stable") if len(rank) < 8 * width else _top(rank, 8 * width)
        seen: set[tuple[float, int]] = set()
        for chunk in range(0, len(order), 4 * width):
            look = order[chunk : chunk + 4 * width]
            free = self._free(rank[look], source[look], who[look], which[look])
            for c in look[free].tolist():
                key = (round(float(rank[c]), 7), int(self.net.group[which[c]]))
                if key not in seen:
                    seen.add(key)
                    kept.append(c)
            if len(kept) >= width:
                return kept[:width]
        if not kept and len(order) < len(rank):
            rest = np.argsort(-rank, kind="stable")
            kept = rest[self._free(rank[rest], source[rest], who[rest], which[rest])].tolist()
        return kept[:width]

    def _free(self, rank: Floats, source: Ints, who: Ints, which: Ints) -> NDArray[np.bool_]:
        """Whether each candidate shows no source frame that its film has shown."""
        out = rank > NEVER / 2
        if self.net.sc.problem.reuse or self.ordered:
            return out
        for node in sorted(set(source.tolist())):
            before = self.states[node]
            assert before is not None
            mine = source == node
            low, high = self.net.p.low[which[mine]][:, None], self.net.p.high[which[mine]][:, None]
            w = who[mine]
            out[mine] &= ~((before.low[w] < high) & (before.high[w] > low)).any(axis=1)
        return out

    def _extend(self, source: Ints, who: Ints, which: Ints, score: Floats) -> _States:
        net, n = self.net, len(which)
        parts = {node: self.states[node] for node in sorted(set(source.tolist()))}
        longest = max(s.path.shape[1] for s in parts.values() if s is not None) + 1
        low, high, path = np.full((3, n, longest), -1, np.int64)
        count = np.zeros((n, net.rows.styles))
        for node, before in parts.items():
            assert before is not None
            mine = np.flatnonzero(source == node)
            m = before.path.shape[1]
            low[mine, :m], high[mine, :m] = before.low[who[mine]], before.high[who[mine]]
            path[mine, :m], count[mine] = before.path[who[mine]], before.count[who[mine]]
        low[:, -1], high[:, -1], path[:, -1] = net.p.low[which], net.p.high[which], which
        count[np.arange(n), net.sc.grid.row[net.p.slot[which]]] += 1
        return _States(score, net.group[which], net.way[which], count, low, high, path)


def _top(rank: Floats, n: int) -> Ints:
    """Return the indices of the `n` highest, highest first, ties by index."""
    some = np.sort(np.argpartition(-rank, n - 1)[:n])
    return some[np.argsort(-rank[some], kind="stable")]


def search(where: Field, width: int = 30, plan: Floats | None = None, plans: tuple[float, ...] = PLANS) -> Ints:
    """Return the placements of the best film found, in order; empty if no film reaches the end."""
    films = [
        film
        for close in (plans if plan is not None else plans[:1])
        for film in Beam(where, width=width, plan=plan, close=close).films()
    ]
    return max(films, key=lambda path: value_of(where.net, path)) if films else np.zeros(0, np.int64)


def furthest(where: Field) -> Ints:
    """Return the placements of the longest film that the footage allows, where none reaches the end."""
    found = Beam(where, width=60)
    films = found.films(found.furthest())
    return max(films, key=lambda path: value_of(where.net, path))


def improve(where: Field, path: Ints, *, clips: int = 10, step: int = 5, width: int = 12) -> Ints:
    """Return `path` with window after window of `clips` filled anew, the rest kept, where that is worth more."""
    net = where.net
    value = value_of(net, path)
    at = 0
    while at < len(path):
        stop = min(at + clips, len(path))
        first, last = int(net.from_node[path[at]]), int(net.to_node[path[stop - 1]])
        better = refill(where, path[:at], path[stop:], first, last, width)
        if better is not None:
            new = value_of(net, better)
            if new > value + 1e-9:
                path, value = better, new
        at += step
    return path


def refill(
    where: Field, before: Ints, after: Ints, first: int, last: int, width: int, *, priced: bool = False
) -> Ints | None:
    """Return the best film found that keeps the placements `before` and `after`, and fills the nodes between them.

    None if there is none. `priced`: at the field's prices, for a long stretch, in place of the kept film's own counts.
    """
    net = where.net
    kept = np.concatenate([before, after])
    inside = [
        where.arcs[s] for s, (a, b) in enumerate(zip(net.first, net.last, strict=True)) if first <= a and b <= last
    ]
    some = np.concatenate(inside) if inside else np.zeros(0, np.int64)
    low, high = net.p.low[some], net.p.high[some]
    ok = np.ones(len(some), bool)
    if net.sc.problem.order != "free":
        ok = low >= net.p.high[before].max(initial=-1)
        ok &= high <= net.p.low[after].min(initial=net.sc.pool.total + 1)
    elif not net.sc.problem.reuse and len(kept):
        order = np.argsort(net.p.low[kept])
        start, stop = net.p.low[kept][order], net.p.high[kept][order]
        # Kept spans do not overlap: a placement is free if no kept span starts inside it and the one before has ended.
        begun = np.searchsorted(start, low, side="right")
        ended = np.where(begun > 0, stop[np.maximum(begun - 1, 0)] <= low, True)
        ok = ended & (np.searchsorted(start, high, side="left") == begun)
    free = np.zeros(net.p.size, bool)
    free[some] = ok
    others = film.counts(net.rows, net.sc, net.p.take(kept), np.ones(len(kept)))[: net.rows.styles]
    known = None if priced else others
    beam = Beam(
        where,
        width=width,
        first=first,
        last=last,
        free=free,
        before=int(before[-1]) if len(before) else -1,
        others=known,
    )
    films = [np.concatenate([before, mid, after]) for mid in beam.films(last)]
    return max(films, key=lambda film: value_of(net, film)) if films else None


def value_of(net: Network, path: Ints) -> float:
    """Return the true value of a film: its placements, its neighbours, its rows, its repeats."""
    if not len(path):
        return NEVER
    group = net.group[path]
    value = float(net.p.value[path].sum())
    value -= terms.ALIKE * net.sc.problem.style.jump_cut * int((group[1:] == group[:-1]).sum())
    value -= float(terms.against((net.way[path][1:] * net.way[path][:-1]).sum(axis=1), net.sc.problem.style).sum())
    value -= net.rows.cost(film.counts(net.rows, net.sc, net.p.take(path), np.ones(len(path))))
    return value - again_cost(net, path)


def again_cost(net: Network, path: Ints) -> float:
    """Return what showing footage again costs, where it is allowed."""
    if not net.sc.problem.reuse:
        return 0.0
    order = path[np.argsort(net.p.low[path], kind="stable")]
    top = np.maximum.accumulate(net.p.high[order])
    over = np.minimum(top[:-1], net.p.high[order][1:]) - net.p.low[order][1:]
    shown_again = np.maximum(over, 0)
    return terms.AGAIN * float((shown_again / net.sc.pool.rate[net.p.shot[order]][1:]).sum())
