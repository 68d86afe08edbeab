# SPDX-License-Identifier: Apache-2.0
"""Which song for which scene: costs a person can argue with, and the best assignment over all scenes, proven."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.model.song import Key, Song

Array = NDArray[Any]

REUSED = 1.0  # what a song costs that another scene has already
_NODES = 20_000  # search nodes after which the best assignment so far is taken
_WEAK = 0.15


@dataclass(frozen=True, slots=True)
class SceneNeed:
    """What a scene asks of its music.

    `energy` 0..1 from its motion and cutting; `shot` its median shot length (s), 0 if it has no cuts; `speech` the
    share of it in which somebody speaks; `words` mood words of the editor; `pin` and `forbid` name songs by path.
    """

    name: str
    length: float
    energy: float = 0.5
    shot: float = 0.0
    speech: float = 0.0
    words: tuple[str, ...] = ()
    pin: str = ""
    forbid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One reason: what it costs (below 0 it speaks for the song) and why, in words."""

    name: str
    cost: float
    why: str


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


def mean_energy(song: Song) -> float:
    """Return the song's mean energy 0..1."""
    return float(np.mean(song.energy)) if song.energy else 0.5


def sung(song: Song) -> float:
    """Return the share of the song in which somebody sings."""
    return min(1.0, sum(v.length for v in song.vocals) / song.duration) if song.duration > 0 else 0.0


def terms(scene: SceneNeed, song: Song) -> tuple[Term, ...]:
    """Return the reasons for and against one song in one scene."""
    out = []
    energy = mean_energy(song)
    away = abs(energy - scene.energy)
    what = "as" if away < _WEAK else "more" if energy > scene.energy else "less"
    out.append(Term("energy", 1.5 * away, f"{what} intense {'as' if what == 'as' else 'than'} the picture"))
    if scene.shot > 0 and song.tempo > 0:
        beat = 60 / song.tempo
        off = min(abs(math.log2(scene.shot / (beat * k))) for k in (1, 2, 4, 8, 16))
        out.append(Term("tempo", 0.8 * min(off, 0.5), f"{song.tempo:.0f} bpm against shots of {scene.shot:.1f} s"))
    share = sung(song)
    if share > 0.05 and scene.speech > 0.05:
        out.append(Term("vocals", 2.5 * min(1.0, share * 1.5) * min(1.0, scene.speech * 2), "sung, under dialogue"))
    said = _words(song)
    if met := sorted(set(scene.words) & said):
        out.append(Term("words", -0.5 * len(met), f"named {', '.join(met)}"))
    part = scene.length / max(song.duration, 1.0)
    if part > 1.3:
        out.append(Term("length", 0.3 * min(3.0, part - 1), f"must be made {part:.1f} times as long"))
    elif part < 0.3:
        out.append(Term("length", 0.2, f"only {part:.0%} of it fits"))
    if song.beat_confidence < 0.4:
        out.append(Term("beat", 0.5, "its beat is uncertain"))
    licence = song.tags.licence.lower()
    if "nd" in licence.replace("-", " ").split() or "noderiv" in licence:
        out.append(Term("licence", 1.5, "its licence (NoDerivatives) forbids changing its length"))
    return tuple(sorted(out, key=lambda t: -abs(t.cost)))


def _words(song: Song) -> set[str]:
    text = " ".join((song.path.replace("\\", "/").rsplit("/", 2)[-1], song.tags.title, song.tags.artist))
    folder = song.path.replace("\\", "/").split("/")[-2:-1]
    clean = "".join(c if c.isalnum() else " " for c in " ".join([text, *folder]).lower())
    return set(clean.split())


def ranked(scene: SceneNeed, songs: Sequence[Song]) -> tuple[Choice, ...]:
    """Return the songs that the scene may have, the best first."""
    found = []
    for i, song in enumerate(songs):
        if song.path in scene.forbid or (scene.pin and song.path != scene.pin):
            continue
        reasons = terms(scene, song)
        found.append(Choice(i, song.path, sum(t.cost for t in reasons), reasons))
    return tuple(sorted(found, key=lambda c: (c.cost, c.path)))


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


def scene_energy(motion: float, cuts_a_second: float) -> float:
    """Return a scene's energy 0..1 from its mean motion (0..1) and its cut rate."""
    return min(1.0, 0.5 * min(1.0, motion * 1.5) + 0.5 * min(1.0, cuts_a_second / 0.7))


def median_shot(cuts: Sequence[float], start: float, end: float) -> float:
    """Return the median shot length (s) between `start` and `end`, 0 without a cut."""
    inside = [c for c in cuts if start < c < end]
    return float(np.median([b - a for a, b in pairwise([start, *inside, end])])) if inside else 0.0
