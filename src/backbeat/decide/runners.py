# SPDX-License-Identifier: Apache-2.0
"""Runners-up: what else could stand in a clip's place, and what the film would lose by it."""

from __future__ import annotations

import dataclasses

import numpy as np

from backbeat.decide import explain, terms
from backbeat.decide.pool import Ints
from backbeat.decide.prices import Network
from backbeat.model.timeline import Alternate, Clip

NEAR = 200  # placements of a slot that are compared


def with_alternates(net: Network, path: Ints, clips: list[Clip]) -> list[Clip]:
    """Return `clips` each with its runners-up, shots that the film has free for its place, and its reason."""
    sc, problem = net.sc, net.sc.problem
    takes = explain.by_path(problem)
    order = np.argsort(net.p.low[path], kind="stable")
    low, high = net.p.low[path][order], net.p.high[path][order]
    alike = terms.ALIKE * problem.style.jump_cut
    out = []
    for i, (k, clip) in enumerate(zip(path.tolist(), clips, strict=True)):
        row = int(net.row_of[k])
        stop = net.begin[row + 1] if row + 1 < len(net.begin) else net.p.size
        near = np.arange(net.begin[row], stop)
        near = near[net.p.shot[near] != net.p.shot[k]]
        if not problem.reuse:
            begun = np.searchsorted(low, net.p.low[near], side="right")
            ended = np.where(begun > 0, high[np.maximum(begun - 1, 0)] <= net.p.low[near], True)
            near = near[ended & (np.searchsorted(low, net.p.high[near], side="left") == begun)]
        if problem.order != "free":
            floor = net.p.high[path[i - 1]] if i else 0
            roof = net.p.low[path[i + 1]] if i + 1 < len(path) else sc.pool.total
            near = near[(net.p.low[near] >= floor) & (net.p.high[near] <= roof)]
        beside = [int(net.group[path[j]]) for j in (i - 1, i + 1) if 0 <= j < len(path)]
        here = np.append(near, k)
        worth = net.p.value[here] - alike * sum((net.group[here] == g).astype(float) for g in beside)
        for j in (j for j in (i - 1, i + 1) if 0 <= j < len(path)):
            worth = worth - terms.against((net.way[here] * net.way[path[j]]).sum(axis=1), problem.style)
        worth, own = worth[:-1], float(worth[-1])
        best = near[np.argsort(-worth, kind="stable")[:NEAR]]
        worth = np.sort(-worth, kind="stable")[:NEAR] * -1
        _, first = np.unique(net.p.shot[best], return_index=True)
        chosen = [] if clip.locked else np.sort(first)[: problem.alternates].tolist()
        runners = tuple(
            Alternate(
                take=problem.takes[int(sc.pool.take[net.p.shot[best[c]]])].media.path,
                shot=int(sc.pool.shot[net.p.shot[best[c]]]),
                source_in=int(net.p.low[best[c]] - sc.pool.base[net.p.shot[best[c]]]),
                loss=round(own - float(worth[c]), 6),
            )
            for c in chosen
        )
        known = dataclasses.replace(clip, alternates=runners)
        out.append(dataclasses.replace(known, reason=explain.reason(known, problem, sc.grid, takes)))
    return out
