# SPDX-License-Identifier: Apache-2.0
"""Tempo read from a finished grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.model.song import Beat

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPAN = 8  # beats


def tempo_of(times: NDArray[np.float64]) -> float:
    """Return the median tempo (beats a minute) over stretches of 8 beats, 0 without beats."""
    if len(times) < 2:
        return 0.0
    span = min(_SPAN, len(times) - 1)
    return float(60 * span / np.median(times[span:] - times[:-span]))


def curve(beats: tuple[Beat, ...]) -> list[tuple[float, float]]:
    """Return (time s, beats a minute) every fourth beat, each over the 8 beats around."""
    times = np.array([b.time for b in beats])
    if len(times) < _SPAN + 1:
        return [(float(times[0]), tempo_of(times))] if len(times) > 1 else []
    out = []
    for i in range(0, len(times), 4):
        a = min(max(i - _SPAN // 2, 0), len(times) - 1 - _SPAN)
        out.append((float(times[i]), float(60 * _SPAN / (times[a + _SPAN] - times[a]))))
    return out
