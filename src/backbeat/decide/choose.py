# SPDX-License-Identifier: Apache-2.0
"""Which song for which scene: costs a person can argue with, and the best assignment over all scenes, proven."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.decide.choose_terms import SceneNeed, Term, terms
from backbeat.model.song import Key, Song

Array = NDArray[Any]

REUSED = 1.0  # what a song costs that another scene has already
_NODES = 20_000  # search nodes after which the best assignment so far is taken


@dataclass(frozen=True, slots=True)
class Choice:
    """A song for a scene: its total cost and the reasons, the weightiest first."""

    song: int
    path: str
    cost: float
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A song for each scene (indices). No assignment costs less than `bound`; `proven` tells whether it is met."""

    songs: tuple[int, ...]
    cost: float
    bound: float
    proven: bool


def ranked(scene: SceneNeed, songs: Sequence[Song]) -> tuple[Choice, ...]:
    """Return the songs that the scene may have, the best first."""
    found = []
    for i, song in enumerate(songs):
        if song.path in scene.forbid or (scene.pin and song.path != scene.pin):
            continue
        reasons = terms(scene, song)
        found.append(Choice(i, song.path, sum(t.cost for t in reasons), reasons))
    return tuple(sorted(found, key=lambda c: (c.cost, c.path)))


def around(chosen: Sequence[int], place: int, songs: Sequence[Song]) -> tuple[Term, ...]:
    """Return what the other scenes' songs say about the one chosen at `place`: the neighbour before, and re-use."""
    song = songs[chosen[place]]
    out = []
    if chosen[place] in chosen[:place]:
        on = place and chosen[place - 1] == chosen[place]
        out.append(
            Term("used", REUSED, "it goes on from the scene before" if on else "used already in an earlier scene")
        )
    if place and chosen[place - 1] != chosen[place]:
        before = songs[chosen[place - 1]]
        keys = ""
        if song.key and before.key:
            steps = camelot(before.key, song.key)
            keys = f", keys {steps} step{'s' * (steps != 1)} apart"
        why = f"after {before.tempo:.0f} bpm comes {song.tempo:.0f}{keys}"
        out.append(Term("neighbour", clash(before, song), why))
    return tuple(out)


def clash(a: Song, b: Song) -> float:
    """Return what two songs cost as neighbours, 0..0.5: tempo (half and double allowed) and key."""
    cost = 0.0
    if a.tempo > 0 and b.tempo > 0:
        ratio = abs(math.log2(a.tempo / b.tempo))
        cost += 0.3 * min(1.0, min(ratio, abs(ratio - 1)) / 0.25)
    if a.key and b.key and min(a.key.strength, b.key.strength) > 0.05:
        cost += 0.2 * min(1.0, camelot(a.key, b.key) / 3)
    return cost


def camelot(a: Key, b: Key) -> int:
    """Return the steps between two keys on the Camelot wheel, 0..7; relative keys share a number, one step apart."""

    def place(key: Key) -> int:
        return (key.tonic + (0 if key.mode == "major" else 3)) * 7 % 12

    round_ = abs(place(a) - place(b))
    return min(round_, 12 - round_) + (a.mode != b.mode)


def _table(scenes: Sequence[SceneNeed], songs: Sequence[Song]) -> Array:
    """Return the cost of each song in each scene, (n, m), infinite where it is not allowed."""
    cost = np.full((len(scenes), len(songs)), np.inf)
    for i, scene in enumerate(scenes):
        for choice in ranked(scene, songs):
            cost[i, choice.song] = choice.cost
    if not np.isfinite(cost).any(1).all():
        raise ValueError("a scene may have no song")
    return cost


class _Search:
    """Depth first over the scenes, the cheapest song first; branches that cannot win are cut."""

    def __init__(self, cost: Array, pair: Array) -> None:
        self.cost, self.pair = cost, pair
        n = len(cost)
        # copies of each song at REUSED more make re-use part of the assignment problem
        wide = np.hstack([cost, *(cost + REUSED for _ in range(n - 1))])
        self.wide = np.where(np.isfinite(wide), wide, 1e6)
        self.best: tuple[float, tuple[int, ...]] = (np.inf, ())
        self.nodes = 0

    def rest(self, i: int, used: frozenset[int]) -> float:
        """Return the cheapest that scenes from `i` on can cost, neighbours apart: never above the truth."""
        from scipy.optimize import linear_sum_assignment

        if i == len(self.cost):
            return 0.0
        part = self.wide[i:].copy()
        part[:, [*used]] += REUSED
        rows, columns = linear_sum_assignment(part)
        return float(part[rows, columns].sum())

    def run(self, i: int = 0, so_far: float = 0.0, chosen: tuple[int, ...] = ()) -> None:
        """Search on from scene `i`."""
        self.nodes += 1
        if i == len(self.cost):
            if so_far < self.best[0] - 1e-12:
                self.best = (so_far, chosen)
            return
        used = frozenset(chosen)
        step = self.cost[i] + np.where(np.isin(np.arange(len(self.pair)), list(used)), REUSED, 0.0)
        if chosen:
            step = step + self.pair[chosen[-1]]
        for j in np.argsort(step, kind="stable"):
            if not np.isfinite(step[j]) or (self.nodes > _NODES and np.isfinite(self.best[0])):
                break
            now = so_far + float(step[j])
            if now + self.rest(i + 1, used | {int(j)}) < self.best[0] - 1e-12:
                self.run(i + 1, now, (*chosen, int(j)))


def assign(scenes: Sequence[SceneNeed], songs: Sequence[Song]) -> Assignment:
    """Return the cheapest assignment of songs to scenes: own costs, neighbours, and `REUSED` for each song used again.

    Exact by branch and bound (the bound is an assignment problem without the neighbours); after 20,000 nodes the best
    so far is taken and its distance to the bound is told.

    Raises
    ------
    ValueError
        If a scene may have no song at all.
    """
    if not scenes:
        return Assignment((), 0.0, 0.0, proven=True)
    cost = _table(scenes, songs)
    pair = np.array([[0.0 if a is b else clash(a, b) for b in songs] for a in songs])
    search = _Search(cost, pair)
    bound = search.rest(0, frozenset())
    search.run()
    proven = search.nodes <= _NODES
    value, chosen = search.best
    return Assignment(chosen, value, value if proven else bound, proven)
