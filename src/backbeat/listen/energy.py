# SPDX-License-Identifier: Apache-2.0
"""How intense a song feels, twice a second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backbeat.listen.spectrum import FPS

STEP = 0.5  # s
_RANGE = 45.0  # dB under its loudest half second that a song may use
Array = NDArray[np.float32]


def linear(mel: Array) -> Array:
    """Return the log-mel picture as magnitudes again."""
    return np.asarray(np.expm1(mel) / 20, dtype=np.float32)


def curve(mel: Array) -> Array:
    """Return intensity 0..1, one value every `STEP` seconds.

    Loudness, low end, brightness and busyness (rise of the spectrum), each scaled by its own range in this song, half
    of the weight on loudness; the whole is smoothed over two seconds and scaled so that the song uses 0..1. A song of
    one level throughout stays near the middle.
    """
    count = max(int(np.ceil(len(mel) / (FPS * STEP))), 1)
    if not len(mel):
        return np.full(count, 0.5, np.float32)
    magnitude = linear(mel)
    rise = np.maximum(np.diff(mel, axis=0, prepend=mel[:1]), 0).sum(1)
    parts = (
        (0.5, _decibels(np.square(magnitude).sum(1)), 12.0),
        (0.2, _decibels(np.square(magnitude[:, :8]).sum(1)), 18.0),
        (0.1, _decibels(np.square(magnitude[:, 40:]).sum(1)), 18.0),
        (0.2, rise, float(0.8 * np.percentile(_steps(rise, count), 90)) + 1e-6),
    )
    total = np.zeros(count)
    loud = _steps(parts[0][1], count)
    sounding = loud > loud.max() - _RANGE  # silence before and after is no part of the song's own range
    for weight, values, least in parts:
        seen = _steps(values, count)
        low, high = np.percentile(seen[sounding], (5, 95))
        middle, spread = (low + high) / 2, max(high - low, least)
        total += weight * np.clip((seen - middle) / spread + 0.5, 0, 1)
    kernel = np.hanning(7)[1:-1]
    padded = np.pad(total, 2, mode="edge")
    return np.clip(np.convolve(padded, kernel / kernel.sum(), "valid"), 0, 1).astype(np.float32)


def _decibels(power: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(10 * np.log10(np.maximum(power, 1e-8)))


def _steps(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """Return the mean of each half second."""
    size = int(FPS * STEP)
    padded = np.pad(np.asarray(values, np.float64), (0, count * size - len(values)), mode="edge")
    return np.asarray(padded.reshape(count, size).mean(1))
