# SPDX-License-Identifier: Apache-2.0
"""Holes in the production sound, and the quiet stretches of the same room that may fill them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.model.time import Span

Array = NDArray[Any]

HOLLOW = -78.0  # dBFS: below, a recording is not quiet but absent
SHORTEST, LONGEST = 0.08, 6.0  # s of a hole that is filled: longer ones are meant
LEAST, MOST = 0.4, 4.0  # s of tone worth taking, and as much as is taken
_NEAR = 90.0  # s from a hole within which its room is looked for
_WINDOW = 0.05  # s over which a level is meant where tone is sought
_EVEN = 4.0  # dB by which tone may rise and fall about its median
_ABOVE = 12.0  # dB over the film's quietest sound from which it is not room tone but something


@dataclass(frozen=True, slots=True)
class Patch:
    """A hole in the production sound and the film seconds of tone to fill it with, played there and back."""

    hole: Span
    tone: Span


def patches(level: Array, step: float, busy: Sequence[Span] = ()) -> tuple[Patch, ...]:
    """Return the holes of a production sound that can be filled, in order.

    Parameters
    ----------
    level
        Its level in dBFS (RMS), a value every `step` seconds of the film.
    step
        Seconds.
    busy
        Film seconds in which somebody speaks or something happens: no tone is taken there.
    """
    sounding = level > HOLLOW
    if not sounding.any():
        return ()
    holes = [
        Span(a * step, b * step)
        for a, b in _runs(~sounding)
        if a > 0 and b < len(level) and SHORTEST <= (b - a) * step <= LONGEST
    ]
    if not holes:
        return ()
    tones = _tones(level, step, busy)
    out = []
    for hole in holes:
        middle = (hole.start + hole.end) / 2
        near = [t for t in tones if abs((t.start + t.end) / 2 - middle) < _NEAR]
        if near:
            # the nearest; a longer one is worth ten seconds of way
            best = min(near, key=lambda t: abs((t.start + t.end) / 2 - middle) - 10 * min(t.length, MOST))
            out.append(Patch(hole, best))
    return tuple(out)


def _tones(level: Array, step: float, busy: Sequence[Span]) -> list[Span]:
    width = max(1, round(_WINDOW / step))
    level = 10 * np.log10(np.convolve(10 ** (level / 10), np.full(width, 1 / width), "same") + 1e-12)
    free = level > HOLLOW
    for span in busy:
        free[max(0, int((span.start - 0.15) / step)) : int((span.end + 0.15) / step) + 1] = False
    if not free.any():
        return []
    floor = float(np.percentile(level[free], 5))
    quiet = free & (level < floor + _ABOVE)
    out = []
    for a, b in _runs(quiet):
        inner, outer = a + width, b - width  # not its edges
        count = min(outer - inner, round(MOST / step))
        if count * step < LEAST:
            continue
        # the evenest stretch of it
        starts = range(inner, outer - count + 1, max(1, count // 4))
        first = min(starts, key=lambda i: float(np.ptp(level[i : i + count])))
        part = level[first : first + count]
        if np.abs(part - np.median(part)).max() <= _EVEN:
            out.append(Span(first * step, (first + count) * step))
    return out


def _runs(mask: Array) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
