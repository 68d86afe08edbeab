# SPDX-License-Identifier: Apache-2.0
"""Runners-up: what else could stand in a clip's place, and what the film would lose by it."""

from __future__ import annotations

import dataclasses

import numpy as np

from backbeat.decide import beam, explain, reasons, rows, terms
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import Network
from backbeat.model.timeline import NORMAL, Alternate, Clip, Speed

NEAR = 200  # placements of a slot that are compared
TOLD = 2  # terms that are named of a difference
LEAST = 0.005  # and the least that is


def with_alternates(net: Network, path: Ints, clips: list[Clip], earlier: tuple[Clip, ...] = ()) -> list[Clip]:
    """Return `clips` each with its runners-up, shots that the film has free for its place, and its reason.

    A runner-up's loss is what the film would lose by it, were that one clip replaced. Where `net` has nothing to
    compare, a clip that stood in the `earlier` film keeps those that it has, less those whose footage a new clip shows.
    """
    problem, takes = net.sc.problem, explain.by_path(net.sc.problem)
    film = _Film(net, path)
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
            found = _found(film, clips, i, film.free(np.arange(net.begin[row], stop), i), takes)
        now = clip if found == clip.alternates else dataclasses.replace(clip, alternates=found)
        told = reasons.reworded(now) if now.reason else reasons.reason(now, problem, net.sc.grid, takes)
        out.append(now if told == now.reason else dataclasses.replace(now, reason=told))
    return out


def _meets(one: Alternate, frames: float, shown: list[tuple[str, int, int]]) -> bool:
    return any(one.take == take and one.source_in < high and one.source_in + frames > low for take, low, high in shown)


class _Film:
    """A film as a path in a network: what it shows and what it counts."""

    def __init__(self, net: Network, path: Ints) -> None:
        self.net, self.path = net, path
        order = np.argsort(net.p.low[path], kind="stable")
        self.low, self.high = net.p.low[path][order], net.p.high[path][order]
        self.value = beam.value_of(net, path)
        self.counts = rows.counts(net.rows, net.sc, net.p.take(path), np.ones(len(path)))

    def free(self, near: Ints, i: int) -> Ints:
        """Return those of the placements `near`, of other shots, that could stand for clip `i`."""
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

    def loss(self, i: int, k: int) -> float:
        """Return what the film loses by placement `k` in the place of clip `i`."""
        new = self.path.copy()
        new[i] = k
        return self.value - beam.value_of(self.net, new)

    def beside(self, i: int, here: Ints) -> Floats:
        """Return what placements `here` pay for their neighbours in the place of clip `i`."""
        net, style, cost = self.net, self.net.sc.problem.style, np.zeros(len(here))
        for j in (j for j in (i - 1, i + 1) if 0 <= j < len(self.path)):
            other = self.path[j]
            cost += terms.ALIKE * style.jump_cut * (net.group[here] == net.group[other])
            cost += terms.against((net.way[here] * net.way[other]).sum(axis=1), style)
        return cost

    def takes(self, i: int, here: Ints) -> Floats:
        """Return what the film pays for its takes with placements `here` in the place of clip `i`."""
        net, own = self.net, self.path[i]
        part = net.rows
        take, mine = net.sc.pool.take[net.p.shot[here]], int(net.sc.pool.take[net.p.shot[own]])
        seconds = float(net.sc.seconds[net.p.slot[own]])
        now = self.counts.copy()
        now[part.styles + mine] -= seconds
        if part.must[mine] >= 0:
            now[part.must[mine]] -= 1
        favour, asked = part.styles + take, part.must[take]
        cap = np.maximum(now[favour] + seconds - part.high[favour], 0) - np.maximum(now[favour] - part.high[favour], 0)
        met = np.where(asked >= 0, part.rate[asked] * (now[asked] < part.low[asked]), 0.0)
        return np.asarray(part.rate[favour] * cap - met)


def _found(film: _Film, clips: list[Clip], i: int, near: Ints, takes: explain.Takes) -> tuple[Alternate, ...]:
    """Return the best of the placements `near`, of as many shots, and what the film loses by each for clip `i`."""
    net, sc, problem = film.net, film.net.sc, film.net.sc.problem
    worth = net.p.value[near] - film.beside(i, near) - film.takes(i, near)
    best = near[np.argsort(-worth, kind="stable")[:NEAR]]
    _, first = np.unique(net.p.shot[best], return_index=True)
    out = []
    for k in best[np.sort(first)[: problem.alternates]].tolist():
        shot, factor = int(net.p.shot[k]), float(net.p.factor[k])
        take, into = problem.takes[int(sc.pool.take[shot])].media, int(net.p.low[k] - sc.pool.base[shot])
        other = Alternate(take.path, int(sc.pool.shot[shot]), into, round(film.loss(i, k), 6), factor)
        clip = dataclasses.replace(
            clips[i], take=take.path, source_in=into, source_rate=take.rate,
            speed=NORMAL if factor == 1.0 else Speed(factor), shot=other.shot,
        )  # fmt: skip
        now = explain.clip_terms(clip, clips[i - 1] if i else None, problem, sc.grid, takes)
        out.append(dataclasses.replace(other, why=_difference(clips[i].terms, now, other.loss)))
    return tuple(sorted(out, key=lambda a: a.loss))


def _difference(own: explain.Terms, other: explain.Terms, loss: float) -> str:
    """Return in which terms a runner-up differs most, from the clip that it could stand for."""
    one, two = dict(own), dict(other)
    change = {name: two.get(name, 0.0) - one.get(name, 0.0) for name in {**one, **two}}
    rest = -loss - sum(change.values())
    if abs(rest) >= LEAST:
        change["the rest of the film"] = rest
    most = sorted(change.items(), key=lambda item: (-abs(item[1]), item[0]))[:TOLD]
    return ", ".join(f"{name} {value:+.2f}" for name, value in most if abs(value) >= LEAST)
