# SPDX-License-Identifier: Apache-2.0
"""Runners-up: what else could stand in a clip's place, and what the film would lose by it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import explain, terms
from backbeat.decide.pool import Ints
from backbeat.decide.prices import Network
from backbeat.model.timeline import Alternate, Clip

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAR = 200  # placements of a slot that are compared


def with_alternates(net: Network, path: Ints, clips: list[Clip], earlier: tuple[Clip, ...] = ()) -> list[Clip]:
    """Return `clips` each with its runners-up, shots that the film has free for its place, and its reason.

    Where `net` has nothing to compare, a clip that stood in the `earlier` film keeps those that it has, less those
    whose footage a new clip shows.
    """
    problem, takes = net.sc.problem, explain.by_path(net.sc.problem)
    free = _Free(net, path)
    stood = {explain.place_of(c) for c in earlier}
    new = [(c.take, *c.source_span(problem.rate)) for c in clips if earlier and explain.place_of(c) not in stood]
    out = []
    for i, clip in enumerate(clips):
        row = int(net.row_of[path[i]])
        stop = int(net.begin[row + 1]) if row + 1 < len(net.begin) else net.p.size
        if clip.locked:
            found: tuple[Alternate, ...] = ()
        elif stop - net.begin[row] == 1:
            shown = clip.frames * float(clip.source_rate / problem.rate) * problem.style.speed[1] + 1
            found = tuple(a for a in clip.alternates if problem.reuse or not _meets(a, shown, new))
        else:
            found = _found(net, path, i, free.of(np.arange(net.begin[row], stop), i))
        if found == clip.alternates and clip.reason:
            out.append(clip)
            continue
        now = dataclasses.replace(clip, alternates=found)
        out.append(dataclasses.replace(now, reason=explain.reason(now, problem, net.sc.grid, takes)))
    return out


def _meets(one: Alternate, frames: float, shown: list[tuple[str, int, int]]) -> bool:
    return any(one.take == take and one.source_in < high and one.source_in + frames > low for take, low, high in shown)


class _Free:
    """Which placements show nothing that the film shows."""

    def __init__(self, net: Network, path: Ints) -> None:
        self.net, self.path = net, path
        order = np.argsort(net.p.low[path], kind="stable")
        self.low, self.high = net.p.low[path][order], net.p.high[path][order]

    def of(self, near: Ints, i: int) -> Ints:
        """Return those of `near` that could stand for clip `i`, of other shots."""
        net, path, problem = self.net, self.path, self.net.sc.problem
        near = near[net.p.shot[near] != net.p.shot[path[i]]]
        if not problem.reuse:
            begun = np.searchsorted(self.low, net.p.low[near], side="right")
            ended = np.where(begun > 0, self.high[np.maximum(begun - 1, 0)] <= net.p.low[near], True)
            near = near[ended & (np.searchsorted(self.low, net.p.high[near], side="left") == begun)]
        if problem.order != "free":
            floor = net.p.high[path[i - 1]] if i else 0
            roof = net.p.low[path[i + 1]] if i + 1 < len(path) else net.sc.pool.total
            near = near[(net.p.low[near] >= floor) & (net.p.high[near] <= roof)]
        return near


def _found(net: Network, path: Ints, i: int, near: Ints) -> tuple[Alternate, ...]:
    """Return the best of the placements `near`, of as many shots, and what each is worth less than clip `i`."""
    sc, problem = net.sc, net.sc.problem
    worth = _worth(net, path, i, np.append(near, path[i]))
    worth, own = worth[:-1], float(worth[-1])
    order = np.argsort(-worth, kind="stable")[:NEAR]
    best, worth = near[order], worth[order]
    _, first = np.unique(net.p.shot[best], return_index=True)
    return tuple(
        Alternate(
            take=problem.takes[int(sc.pool.take[net.p.shot[best[c]]])].media.path,
            shot=int(sc.pool.shot[net.p.shot[best[c]]]),
            source_in=int(net.p.low[best[c]] - sc.pool.base[net.p.shot[best[c]]]),
            loss=round(own - float(worth[c]), 6),
        )
        for c in np.sort(first)[: problem.alternates].tolist()
    )


def _worth(net: Network, path: Ints, i: int, here: Ints) -> NDArray[np.float64]:
    """Return what placements `here` are worth in the place of clip `i`, between its neighbours."""
    style, worth = net.sc.problem.style, net.p.value[here]
    for j in (j for j in (i - 1, i + 1) if 0 <= j < len(path)):
        worth = worth - terms.ALIKE * style.jump_cut * (net.group[here] == net.group[path[j]])
        worth = worth - terms.against((net.way[here] * net.way[path[j]]).sum(axis=1), style)
    return np.asarray(worth)
