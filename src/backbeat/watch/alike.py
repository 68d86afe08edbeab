# SPDX-License-Identifier: Apache-2.0
"""Shots of the same set-up: retakes, the same angle again, the same picture twice.

A picture's print is 63 signs of its low DCT coefficients (pHash, Zauner 2010), blind to brightness, contrast and size.
Two shots are alike when most prints of the shorter one have a near print in the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.model.footage import Take

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERY = 0.5  # s between prints
PER_SHOT = 5
NEAR = 12  # bits of 63 by which prints of one set-up may differ; unrelated pictures differ by about 31 +- 4
_CORNER = 8


def fingerprint(thumb: NDArray[np.uint8]) -> int:
    """Return the print of an RGB thumb (27, 48, 3), 0 for a plain picture that has none."""
    grey = cv2.resize(cv2.cvtColor(thumb, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    if float(grey.std()) < 4:
        return 0
    low = cv2.dct(grey.astype(np.float32))[:_CORNER, :_CORNER].ravel()[1:]
    bits = low > np.median(low)
    return int("".join("1" if b else "0" for b in bits), 2)


class Prints:
    """Prints of a take, two a second; feed it pictures in order."""

    def __init__(self) -> None:
        self._next = 0.0
        self._time: list[float] = []
        self._print: list[int] = []

    def see(self, time: float, thumb: NDArray[np.uint8]) -> None:
        """Take a picture."""
        if time + 1e-6 >= self._next:
            self._next = time + EVERY
            self._time.append(time)
            self._print.append(fingerprint(thumb))

    def of(self, start: float, end: float) -> tuple[int, ...]:
        """Return up to five prints spread over ``start <= t < end`` (s)."""
        inside = [p for t, p in zip(self._time, self._print, strict=True) if start <= t < end and p]
        if len(inside) <= PER_SHOT:
            return tuple(inside)
        return tuple(inside[round(i * (len(inside) - 1) / (PER_SHOT - 1))] for i in range(PER_SHOT))


def grouped(takes: Sequence[Take]) -> tuple[Take, ...]:
    """Return `takes` with `Shot.group` set: equal for shots of one set-up, a group of its own otherwise."""
    shots = [(t, s) for t in takes for s in t.shots]
    table = np.zeros((len(shots), PER_SHOT), np.uint64)
    count = np.zeros(len(shots), np.int64)
    for i, (_, shot) in enumerate(shots):
        count[i] = len(shot.prints[:PER_SHOT])
        table[i, : count[i]] = np.array(shot.prints[:PER_SHOT], np.uint64)
    leader = list(range(len(shots)))

    def root(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    for i in range(len(shots)):
        for j in (np.flatnonzero(_alike(table, count, i)) + i + 1).tolist():
            leader[max(root(i), root(j))] = min(root(i), root(j))
    numbers: dict[int, int] = {}
    groups = [numbers.setdefault(root(i), len(numbers)) for i in range(len(shots))]
    out = []
    at = 0
    for take in takes:
        mine = groups[at : at + len(take.shots)]
        at += len(take.shots)
        out.append(replace(take, shots=tuple(replace(s, group=g) for s, g in zip(take.shots, mine, strict=True))))
    return tuple(out)


def _alike(table: Any, count: Any, i: int) -> Any:
    """Return which shots after `i` are alike to it, bool (n - i - 1,)."""
    rest = table[i + 1 :]
    if not len(rest) or not count[i]:
        return np.zeros(len(rest), bool)
    mine = table[i, : count[i]]
    gap = np.bitwise_count(rest[:, :, None] ^ mine[None, None, :])  # (n, theirs, mine)
    gap = np.where(rest[:, :, None] == 0, 64, gap)
    near = gap <= NEAR
    fewer = np.minimum(count[i + 1 :], count[i])
    matched = np.minimum(near.any(2).sum(1), near.any(1).sum(1))
    return np.asarray((fewer > 0) & (matched * 2 > fewer), bool)
