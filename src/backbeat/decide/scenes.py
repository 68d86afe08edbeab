# SPDX-License-Identifier: Apache-2.0
"""Where the scenes of a locked film begin: marked by its editor, parted by black, or told from its shots' look.

Shots are cut into runs that are alike in colour, light, motion and speech, by dynamic programming with a price for each
run (after Hanjalic, Lagendijk & Biemond 1999, and kernel change points, Harchaoui & Cappé 2007). Two set-ups that
alternate are one scene: splitting them makes neither half more alike. A set-up that comes back ties what lies between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.model.time import Span
from backbeat.model.timeline import Marker

Array = NDArray[Any]

SHORTEST = 12.0  # s: nothing shorter is worth a song of its own
PRICE = 18.0  # what another scene costs, in seconds x squared usual deviations
# Usual deviations inside a scene: red and blue over green, light, octaves of motion, share of speech.
USUAL = (0.04, 0.04, 0.10, 1.2, 0.6)
TIE = 4.0  # what parting two shots of one set-up costs, for each that comes back
SUREST = 0.85  # the most that is claimed of a scene told by its look: on films not used to choose these constants
# seven in ten were right, most of the others one shot off
DARK = 0.25  # s of black, dissolve or no picture from which a cut is likely to part scenes
_BACK = 45.0  # s within which a set-up's return ties
_MARK = re.compile(r"^\s*(scene|sc\.?|szene|scène)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LookedShot:
    """A shot of the film: film seconds, mean `colour` and `light` 0..1, `motion` 0..1, share of `speech` 0..1.

    `group` is equal for shots of one set-up (-1 = unknown); `dark`: seconds of black or dissolve before it.
    """

    span: Span
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    light: float = 0.5
    motion: float = 0.0
    speech: float = 0.0
    group: int = -1
    dark: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundScene:
    """A scene; `confidence` 0..1 that it begins there (the first one's is 1), and `why`."""

    span: Span
    confidence: float
    why: str


def scenes_of(shots: Sequence[LookedShot], duration: float, markers: Sequence[Marker] = ()) -> tuple[FoundScene, ...]:
    """Return the scenes of a film, which tile it.

    Markers of kind scene, or whose name begins with "scene", are the editor's word and settle it.
    """
    marked = sorted({m.time for m in markers if m.kind == "scene" or _MARK.match(m.name)})
    if marked:
        edges = [t for t in marked if 0.5 < t < duration - 0.5]
        return _tiled(edges, duration, [(1.0, "marked by the editor")] * len(edges))
    rows = [s for s in shots if s.span.length > 0]
    if len(rows) < 2 or duration < 2 * SHORTEST:
        return _tiled([], duration, [])
    cost, tie = _Runs(rows), _ties(rows)
    starts = _cut(rows, cost, tie, duration)
    told = []
    for k, i in enumerate(starts):
        first = starts[k - 1] if k else 0
        last = starts[k + 1] if k + 1 < len(starts) else len(rows)
        gain = cost(first, last) - cost(first, i) - cost(i, last) - tie[i]
        price = _price(rows[i])
        sure = min(SUREST, gain / (gain + 2 * price)) if gain > 0 else 0.0
        told.append((round(float(sure), 2), cost.why(first, i, last)))
    return _tiled([rows[i].span.start for i in starts], duration, told)


def _tiled(edges: Sequence[float], duration: float, told: Sequence[tuple[float, str]]) -> tuple[FoundScene, ...]:
    spans = [Span(a, z) for a, z in pairwise([0.0, *edges, duration])]
    return tuple(FoundScene(s, *t) for s, t in zip(spans, [(1.0, "the film's beginning"), *told], strict=True))


def _price(shot: LookedShot) -> float:
    return PRICE * (0.4 if shot.dark >= DARK else 1.0)


def _features(shot: LookedShot) -> tuple[float, ...]:
    red, green, blue = shot.colour
    return red - green, blue - green, shot.light, math.log2(max(shot.motion, 0.01)), shot.speech


class _Runs:
    """Sums that tell in one step how unlike the shots ``first .. last`` are among themselves."""

    def __init__(self, rows: Sequence[LookedShot]) -> None:
        values = np.array([_features(r) for r in rows])
        self.values = values / np.array(USUAL)
        # a long shot does not speak for more than eight seconds
        self.weight = np.array([min(r.span.length, 8.0) for r in rows])
        self.sums = self._running(self.values * self.weight[:, None])
        self.squares = self._running((self.values**2 * self.weight[:, None]).sum(1))
        self.weights = self._running(self.weight)

    @staticmethod
    def _running(values: Array) -> Array:
        return np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, 0)])

    def mean(self, first: int, last: int) -> Array:
        return np.asarray((self.sums[last] - self.sums[first]) / (self.weights[last] - self.weights[first]))

    def __call__(self, first: int, last: int) -> float:
        if last <= first:
            return 0.0
        total = self.sums[last] - self.sums[first]
        inside = (
            self.squares[last] - self.squares[first] - (total**2).sum() / (self.weights[last] - self.weights[first])
        )
        return float(inside)

    def why(self, first: int, at: int, last: int) -> str:
        """Say what changes most at `at`, in words."""
        step = self.mean(at, last) - self.mean(first, at)
        said = [
            (float(np.abs(step[:2]).max()), "another colour"),
            (abs(float(step[2])), "lighter" if step[2] > 0 else "darker"),
            (abs(float(step[3])), "more motion" if step[3] > 0 else "less motion"),
            (abs(float(step[4])), "more talk" if step[4] > 0 else "less talk"),
        ]
        return ", ".join(words for size, words in sorted(said, reverse=True)[:2] if size > 0.5) or "another look"


def _ties(rows: Sequence[LookedShot]) -> Array:
    """Return what parting the shots before i from those after costs, (n,): set-ups that come back soon."""
    out = np.zeros(len(rows))
    last: dict[int, int] = {}
    for i, row in enumerate(rows):
        if row.group >= 0:
            before = last.get(row.group)
            if before is not None and row.span.start - rows[before].span.end < _BACK:
                out[before + 1 : i + 1] += TIE
            last[row.group] = i
    return out


def _cut(rows: Sequence[LookedShot], cost: _Runs, tie: Array, duration: float) -> list[int]:
    """Return the shots that begin a scene, the first one left out: the cheapest of all partitions."""
    n = len(rows)
    starts = np.array([0.0, *(r.span.start for r in rows[1:]), duration])
    value = np.full(n + 1, np.inf)
    came = np.zeros(n + 1, int)
    value[0] = 0.0
    for j in range(1, n + 1):
        for i in range(j):
            if starts[j] - starts[i] < SHORTEST or not np.isfinite(value[i]):
                continue
            total = value[i] + cost(i, j) + (_price(rows[i]) + tie[i] if i else 0.0)
            if total < value[j]:
                value[j], came[j] = total, i
    found, j = [], n
    while j > 0:
        j = int(came[j])
        if j:
            found.append(j)
    return found[::-1]
