# SPDX-License-Identifier: Apache-2.0
"""Gradual changes: dissolves and fades.

A dissolve is a stretch whose pictures lie on the straight line between its ends and lose fine detail in the middle; a
fade is one that ends in black or white (the family of Lienhart 1999; the loss of detail is Alattar 1993). Every start
and every length is tried, so tests of a few numbers, done for all at once, come before those of whole pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.watch.eye import detail
from backbeat.watch.secondlook import unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_LENGTHS = (6, 9, 13, 18, 24, 30)
_COARSE = (24, 9)


def mixes(
    thumbs: Sequence[Bytes], smalls: Sequence[Bytes], cuts: Sequence[tuple[int, int]]
) -> list[tuple[int, int, float]]:
    """Return (first mixed picture, first picture after, score 0..1) of dissolves and fades that hold no cut.

    Parameters
    ----------
    thumbs, smalls
        RGB thumbs (27, 48, 3) and small lumas of a run of pictures.
    cuts
        (start, end) of the cuts already known.
    """
    n = len(thumbs)
    if n <= _LENGTHS[0]:
        return []
    small = [cv2.cvtColor(t, cv2.COLOR_RGB2YCrCb) for t in thumbs]
    colour = np.stack(small).astype(np.int16)
    flat = colour.reshape(n, -1).astype(np.float32)
    coarse = np.stack([cv2.resize(t, _COARSE, interpolation=cv2.INTER_AREA) for t in small]).reshape(n, -1)
    coarse = coarse.astype(np.float32) - 128
    products = _products(coarse, max(_LENGTHS))
    light = np.array([cv2.meanStdDev(s) for s in smalls])[:, :, 0, 0]
    blank = (light[:, 1] < 8) & ((light[:, 0] <= 40) | (light[:, 0] >= 225))
    fine = np.array([detail(s) for s in smalls])
    barred = np.zeros(n + 1, np.int64)
    for start, end in cuts:
        barred[start : end + 1] = 1
    barred = np.cumsum(barred)
    scored: list[tuple[float, int, int]] = []
    for length in _LENGTHS:
        starts = np.flatnonzero(barred[length:n] == barred[: max(0, n - length)])
        starts = _straight(coarse, products, starts, length)
        # black or white at one end: a fade keeps its scene, only paler
        starts = starts[blank[starts] | blank[starts + length] | _paler(fine, starts, length)]
        scored += [(s, a, a + length) for a in starts.tolist() if (s := _line(flat, a, length)) > 0]
    found: list[tuple[int, int, float]] = []
    taken = np.zeros(n + 8, bool)
    for score, a, b in sorted(scored, reverse=True):
        # what fades out may fade in at once: black or white is shared
        near = slice(a + 1 if blank[a] else max(0, a - 4), b if blank[b] else b + 5)
        if taken[near].any() or not _alone(colour, a, b):
            continue
        if not (blank[a] or blank[b]) and unlike(smalls[a], smalls[b]) < 0.3:
            continue
        taken[near] = True
        first, last = _edges(flat, a, b, (b - a) // 2)
        found.append((first + 1, last, min(1.0, score / 80)))
    return found


def _products(flat: Any, reach: int) -> Any:
    """Return the inner product of each picture with itself and each of the next `reach`, (reach + 1, n)."""
    n = len(flat)
    out = np.zeros((reach + 1, n), np.float32)
    for d in range(min(reach + 1, n)):  # not by matrix products: BLAS would wake a thread for each core
        out[d, : n - d] = np.einsum("ij,ij->i", flat[: n - d], flat[d:])
    return out


def _steps(length: int) -> list[int]:
    return [round(t * length) for t in (1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6)]


def _steady(along: Any) -> Any:
    """Return whether shares of the way (5, …) rise, are small at first, about half in the middle, large at last."""
    middle = (along[2] > 0.25) & (along[2] < 0.75)
    return np.all(np.diff(along, axis=0) > -0.02, axis=0) & middle & (along[0] < 0.45) & (along[-1] > 0.55)


def _straight(coarse: Any, products: Any, starts: Any, length: int) -> Any:
    """Return those of `starts` from which the way to the picture `length` on is gone about straight and steadily."""
    steps = _steps(length)
    own, ends = products[0, starts], products[length, starts]
    power = np.maximum(products[0, starts + length] - 2 * ends + own, 1)
    # (picture at a step - start) . (end - start), as a share of the whole way
    along = np.array([(products[length - t, starts + t] - products[t, starts] - ends + own) / power for t in steps])
    kept = np.flatnonzero(_steady(along))
    starts, along = starts[kept], along[:, kept, None]
    gap = coarse[starts + length] - coarse[starts]
    size = np.abs(gap).mean(1)
    away = (coarse[starts + t] - coarse[starts] for t in steps)
    off = sum(np.abs(a - share * gap).mean(1) for a, share in zip(away, along, strict=True)) / len(steps)
    return starts[(off < 0.3 * size) & (size >= 4)]


def _paler(fine: Any, starts: Any, length: int) -> Any:
    """Return whether fine detail is lost in the middle, but no more than a mix of two unrelated pictures loses."""
    first, last = fine[starts], fine[starts + length]
    third, half, late = (fine[starts + round(t * length)] for t in (1 / 3, 1 / 2, 2 / 3))
    least = np.minimum(np.minimum(third, half), late)
    # unrelated details add as powers: a half-half mix keeps this much, where a moving camera may have nothing yet
    kept = np.hypot(first, last) / 2
    return (least < 0.93 * (first + last) / 2) & (half > 0.6 * kept)


def _line(flat: Any, a: int, length: int) -> float:
    """Return how well pictures a .. a + length lie on the line between the ends, 0 if they do not."""
    gap = flat[a + length] - flat[a]
    size = 3 * float(np.abs(gap).mean())
    if size < 24:
        return 0.0
    away = flat[[a + t for t in _steps(length)]] - flat[a]
    share = (away * gap).sum(1) / float((gap * gap).sum())
    if not _steady(share):
        return 0.0
    off = 3 * float(np.abs(away - share[:, None] * gap).mean())
    return size - off if off < 0.22 * size else 0.0


def _edges(flat: Any, a: int, b: int, reach: int) -> tuple[int, int]:
    """Return (a, b) moved outwards by at most `reach` each for as long as the pictures go on along the same line."""
    gap = flat[b] - flat[a]
    step = 0.4 / (b - a) * float((gap * gap).sum())  # 0.4 of an even step
    first, last = a, b
    while first > max(0, a - reach) and float(((flat[first] - flat[first - 1]) * gap).sum()) > step:
        first -= 1
    while last < min(len(flat) - 1, b + reach) and float(((flat[last + 1] - flat[last]) * gap).sum()) > step:
        last += 1
    return first, last


def _alone(colour: Any, a: int, b: int) -> bool:
    """Whether pictures a and b are unlike, and each is much more like the pictures outside."""
    length = b - a
    ends = distance(colour[a], colour[b])
    if ends < 16 or distance(colour[max(0, a - length)], colour[a]) > 0.8 * ends:
        return False
    return distance(colour[b], colour[min(len(colour) - 1, b + length)]) <= 0.8 * ends


def distance(one: Any, other: Any) -> float:
    """Return the difference of two int16 thumbs, each of 18 blocks at its best small shift, the five best aside."""
    padded = np.pad(other, ((2, 2), (3, 3), (0, 0)), mode="edge")
    shifted = np.lib.stride_tricks.sliding_window_view(padded, (27, 48, 3), axis=(0, 1, 2))  # (5, 7, 1, 27, 48, 3)
    gaps = shifted.reshape(35, 27, 144) - one.reshape(27, 144)
    rows = np.abs(gaps, out=gaps).reshape(35, 3, 9, 144).sum(2, dtype=np.int32)
    blocks = rows.reshape(35, 3, 6, 24).sum(3) / 72
    return float(np.sort(blocks.min(0).ravel())[5:].mean())
