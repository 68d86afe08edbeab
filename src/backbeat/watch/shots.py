# SPDX-License-Identifier: Apache-2.0
"""Shot boundaries from 48 x 27 thumbnails: hard cuts to the frame, gradual changes as spans.

A cut is a difference that no small shift of any block explains, that stands out from its neighbours, and after which
the old picture does not come back (a flash or something that passes the lens). A gradual change is a stretch whose
pictures lie on the straight line between its ends (Lienhart 1999 gives the family).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Thumbs = NDArray[np.uint8]

MARGIN = 64  # pictures of context that a decision may look at
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class Boundary:
    """A change of shot between pictures ``start - 1`` and ``end``; a hard cut has ``start == end``.

    `kind`: cut, gradual, or refused (looked like a cut and is none: a flash, something passing). `score` 0..1.
    """

    start: int
    end: int
    kind: str
    score: float


class OwnShots:
    """The built-in detector; torch-free. Feed thumbnails in order, then `finish`."""

    name = "own"

    def __init__(self) -> None:
        self._thumbs: list[Thumbs] = []
        self._base = 0
        self._done = 0
        self._found: list[Boundary] = []

    def see(self, thumb: Thumbs) -> None:
        """Take the next thumbnail, uint8 (27, 48, 3) RGB."""
        self._thumbs.append(thumb)
        if self._base + len(self._thumbs) - self._done >= _CHUNK + MARGIN:
            self._work(last=False)

    def finish(self) -> list[Boundary]:
        """Return all boundaries in order."""
        if self._thumbs and self._base + len(self._thumbs) > self._done:
            self._work(last=True)
        return self._found

    def _work(self, *, last: bool) -> None:
        pictures = np.stack(self._thumbs)
        begin = self._done - self._base
        stop = len(pictures) if last else len(pictures) - MARGIN
        for b in detect(pictures):
            if begin <= b.start < stop:
                self._found.append(Boundary(b.start + self._base, b.end + self._base, b.kind, b.score))
        self._done = self._base + stop
        keep = max(0, stop - MARGIN)
        self._thumbs = self._thumbs[keep:]
        self._base += keep


def features(thumbs: Thumbs) -> tuple[Any, Any]:
    """Return (pictures as int16 YCrCb (n, 27, 48, 3), motion-tolerant difference to the last one (n,))."""
    colour = np.stack([cv2.cvtColor(t, cv2.COLOR_RGB2YCrCb) for t in thumbs]).astype(np.int16)
    step = np.zeros(len(colour), np.float32)
    plain = np.zeros(len(colour), np.float32)
    plain[1:] = np.abs(colour[1:] - colour[:-1]).sum(-1).mean((1, 2)) if len(colour) > 1 else 0
    for i in np.nonzero(plain > 4)[0]:
        step[i] = distance(colour[i - 1], colour[i])
    return colour, step


def distance(one: Any, other: Any) -> float:
    """Return the difference of two pictures, each of 18 blocks at its best small shift, the five best blocks aside."""
    padded = np.pad(other, ((2, 2), (3, 3), (0, 0)), mode="edge")
    shifted = np.lib.stride_tricks.sliding_window_view(padded, (27, 48), axis=(0, 1))  # (5, 7, 3, 27, 48)
    gaps = np.abs(shifted - one.transpose(2, 0, 1)).sum(2, dtype=np.int16)
    blocks = gaps.reshape(5, 7, 3, 9, 6, 8).mean((3, 5), dtype=np.float32)
    best = blocks.min((0, 1)).ravel()
    return float(np.sort(best)[5:].mean())


def detect(thumbs: Thumbs) -> list[Boundary]:
    """Return the boundaries within a run of thumbnails, in order."""
    colour, step = features(thumbs)
    n = len(colour)
    found: list[Boundary] = []
    for i in range(1, n):
        if step[i] < 14 or step[i] < step[max(1, i - 2) : i + 3].max():
            continue
        around = np.concatenate([step[max(1, i - 8) : i], step[i + 1 : i + 9]])
        ratio = step[i] / (float(np.median(around)) + 3) if len(around) else 9.0
        if ratio < 2.6:
            continue
        kind = "refused" if _comes_back(colour, i, float(step[i])) else "cut"
        if kind == "cut" and found and found[-1].kind == "cut" and i - found[-1].start < 3:
            if step[i] <= step[found[-1].start]:
                continue
            found.pop()
        found.append(Boundary(i, i, kind, min(1.0, ratio / 8)))
    cuts = np.array([b.start for b in found if b.kind == "cut"])
    found += _gradual(colour, cuts)
    return sorted(found, key=lambda b: b.start)


def _comes_back(colour: Any, i: int, step: float) -> bool:
    n = len(colour)
    for ahead in (3, 5, 8, 11):
        for back in (1, 2, 3):
            if (
                i >= back
                and i + ahead - back < n
                and distance(colour[i - back], colour[i + ahead - back]) < 0.33 * step
            ):
                return True
    return False


def _gradual(colour: Any, cuts: Any) -> list[Boundary]:
    """Return dissolves and fades: stretches on the straight line between two unlike pictures."""
    n = len(colour)
    best: dict[tuple[int, int], float] = {}
    flat = colour.reshape(n, -1).astype(np.float32)
    for length in (8, 14, 22, 30):
        for a in range(0, n - length, 2):
            b = a + length
            if len(cuts) and bool(((cuts > a) & (cuts <= b)).any()):
                continue
            gap = flat[b] - flat[a]
            size = float(np.abs(gap).mean()) * 3
            if size < 24:
                continue
            score = _line(flat, a, length, gap, size)
            if score > 0:
                best[a, b] = score
    found: list[Boundary] = []
    taken = np.zeros(n + 8, bool)
    for (a, b), score in sorted(best.items(), key=lambda item: -item[1]):
        if taken[max(0, a - 4) : b + 5].any():
            continue
        ends = distance(colour[a], colour[b])
        if ends < 16:
            continue
        length = b - a
        pre = distance(colour[max(0, a - length)], colour[a])
        post = distance(colour[b], colour[min(n - 1, b + length)])
        if max(pre, post) > 0.8 * ends:
            continue
        taken[max(0, a - 4) : b + 5] = True
        found.append(Boundary(a + 1, b, "gradual", min(1.0, score / 80)))
    return found


def _line(flat: Any, a: int, length: int, gap: Any, size: float) -> float:
    power = float(gap @ gap)
    along, off = [], []
    for t in (1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6):
        away = flat[a + round(t * length)] - flat[a]
        share = float(away @ gap) / power
        along.append(share)
        off.append(float(np.abs(away - share * gap).mean()) * 3)
    steady = all(q - p > -0.02 for p, q in pairwise(along))
    if steady and along[0] < 0.45 and along[-1] > 0.55 and 0.25 < along[2] < 0.75 and np.mean(off) < 0.22 * size:
        return size - float(np.mean(off))
    return 0.0
