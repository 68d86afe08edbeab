# SPDX-License-Identifier: Apache-2.0
"""From prices to an edit: a beam over the slots that knows which source frames each partial film has shown.

The prices stand for the future (what a piece of footage would be worth elsewhere), the beam for the past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.decide import rows as film
from backbeat.decide import terms
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices


@dataclass(slots=True)
class _States:
    """Partial films that end at one node: score, last set-up, and the spans they show [states, clips]."""

    score: Floats
    group: Ints
    low: Ints
    high: Ints
    path: Ints


def best_arcs(net: Network, red: Floats, most: int) -> list[Ints]:
    """Return for each slot of the network the indices of its `most` best placements, best first."""
    order = np.lexsort((-red, net.row_of))
    ends = np.append(net.begin[1:], len(red))
    return [order[a : min(b, a + most)] for a, b in zip(net.begin, ends, strict=True)]


def search(net: Network, prices: Prices, width: int = 30, most: int = 24) -> Ints:
    """Return the placements of the best film found, in order; empty if no film reaches the end."""
    red = net.reduced(prices)
    arcs = best_arcs(net, red, most)
    into: list[list[int]] = [[] for _ in range(net.nodes)]
    for s, b in enumerate(net.last):
        into[b].append(s)
    states: list[_States | None] = [None] * net.nodes
    empty = np.zeros((1, 0), np.int64)
    states[0] = _States(np.zeros(1), np.full(1, -1), empty, empty, empty)
    for node in range(1, net.nodes):
        states[node] = _arrive(net, red, arcs, into[node], states, width)
    end = states[-1]
    if end is None:
        return np.zeros(0, np.int64)
    films = [row[row >= 0] for row in end.path]
    return max(films, key=lambda path: value_of(net, path))


def furthest(net: Network, prices: Prices) -> Ints:
    """Return the placements of the longest film that the footage allows, where none reaches the end."""
    red = net.reduced(prices)
    arcs = best_arcs(net, red, 200)
    into: list[list[int]] = [[] for _ in range(net.nodes)]
    for s, b in enumerate(net.last):
        into[b].append(s)
    states: list[_States | None] = [None] * net.nodes
    empty = np.zeros((1, 0), np.int64)
    states[0] = _States(np.zeros(1), np.full(1, -1), empty, empty, empty)
    reached = 0
    for node in range(1, net.nodes):
        states[node] = _arrive(net, red, arcs, into[node], states, 60)
        if states[node] is not None:
            reached = node
    last = states[reached]
    assert last is not None
    film_of = last.path[0]
    return np.asarray(film_of[film_of >= 0], np.int64)


def _arrive(
    net: Network, red: Floats, arcs: list[Ints], slots: list[int], states: list[_States | None], width: int
) -> _States | None:
    """Return the states that reach a node through `slots`."""
    alike = terms.ALIKE * net.sc.problem.style.jump_cut
    scores, froms, whos, whiches = [], [], [], []
    for s in slots:
        before = states[net.first[s]]
        if before is None:
            continue
        k = arcs[s]
        score = before.score[:, None] + red[k] - alike * (before.group[:, None] == net.group[k])
        scores.append(score.ravel())
        froms.append(np.full(score.size, net.first[s]))
        whos.append(np.repeat(np.arange(len(before.score)), len(k)))
        whiches.append(np.tile(k, len(before.score)))
    if not scores:
        return None
    score, source = np.concatenate(scores), np.concatenate(froms)
    who, which = np.concatenate(whos), np.concatenate(whiches)
    order = np.argsort(-score, kind="stable")
    kept: list[int] = []
    seen: set[tuple[float, int]] = set()
    for chunk in range(0, len(order), 6 * width):
        look = order[chunk : chunk + 6 * width]
        free = _free(net, states, source[look], who[look], which[look])
        for c in look[free].tolist():
            key = (round(float(score[c]), 7), int(net.group[which[c]]))
            if key not in seen:
                seen.add(key)
                kept.append(c)
        if len(kept) >= width:
            break
    if not kept:
        return None
    pick = np.array(kept[:width])
    return _extend(net, states, source[pick], who[pick], which[pick], score[pick])


def _free(net: Network, states: list[_States | None], source: Ints, who: Ints, which: Ints) -> np.ndarray:
    """Whether each candidate shows no source frame that its film has shown."""
    out = np.ones(len(which), bool)
    if net.sc.problem.reuse:
        return out
    for node in np.unique(source):
        before = states[int(node)]
        assert before is not None
        mine = source == node
        low, high = net.p.low[which[mine]][:, None], net.p.high[which[mine]][:, None]
        w = who[mine]
        out[mine] = ~((before.low[w] < high) & (before.high[w] > low)).any(axis=1)
    return out


def _extend(net: Network, states: list[_States | None], source: Ints, who: Ints, which: Ints, score: Floats) -> _States:
    longest = max(s.path.shape[1] for s in (states[int(n)] for n in np.unique(source)) if s is not None) + 1
    low, high = np.full((2, len(which), longest), -1, np.int64)
    path = np.full((len(which), longest), -1, np.int64)
    for i, (n, w) in enumerate(zip(source.tolist(), who.tolist(), strict=True)):
        before = states[n]
        assert before is not None
        m = before.path.shape[1]
        low[i, :m], high[i, :m], path[i, :m] = before.low[w], before.high[w], before.path[w]
    low[:, -1], high[:, -1], path[:, -1] = net.p.low[which], net.p.high[which], which
    return _States(score, net.group[which], low, high, path)


def value_of(net: Network, path: Ints) -> float:
    """Return the true value of a film: its placements, its neighbours, its rows, its repeats."""
    if not len(path):
        return NEVER
    group = net.group[path]
    value = float(net.p.value[path].sum())
    value -= terms.ALIKE * net.sc.problem.style.jump_cut * int((group[1:] == group[:-1]).sum())
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
