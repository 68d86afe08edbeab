# SPDX-License-Identifier: Apache-2.0
"""How bright and how intense a song sounds beside other songs, from its spectrum alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 1
RATE = 24_000
_WINDOW = 2048
_WINDOWS = 400  # looked at over the whole song: enough for a mean
# What counts as 0 and as 1, about the 5th and 95th percentile of 55 songs of many kinds.
CENTROID = (500.0, 4_000.0)  # Hz
FLATNESS = (-32.0, -7.0)  # dB
LOUDNESS = (-30.0, -8.0)  # LUFS


@dataclass(frozen=True, slots=True)
class Character:
    """`brightness` 0..1: where the middle of its spectrum lies. `intensity` 0..1: how it feels beside other songs."""

    brightness: float
    intensity: float


def character(mono: NDArray[np.float32], loudness: float) -> Character:
    """Return the character of mono sound at `RATE`; `loudness` is its integrated loudness (LUFS).

    Intensity is flatness of the spectrum (0.45), its centroid (0.3) and loudness (0.25): the features that go best with
    learned models of musical energy (rank correlation 0.8 together over 33 songs).
    """
    count = len(mono) // _WINDOW
    if not count:
        return Character(0.5, 0.5)
    step = max(1, count // _WINDOWS)
    rows = mono[: count * _WINDOW].reshape(count, _WINDOW)[::step] * np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(rows, axis=1)).astype(np.float64) ** 2
    hz = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    heard = power.sum(1) > 1e-4 * power.sum(1).max()
    if float(power.sum()) < 1e-6 or not heard.any():
        return Character(0.5, 0.0)
    size = np.sqrt(power[heard])
    bright = _scaled(float(np.log(max(float((size @ hz).sum() / size.sum()), 1.0))), *np.log(CENTROID))
    band = power[heard][:, (hz > 100) & (hz < 8_000)] + 1e-12
    flat = float(np.median(10 * np.log10(np.exp(np.log(band).mean(1)) / band.mean(1))))
    intensity = 0.45 * _scaled(flat, *FLATNESS) + 0.3 * bright + 0.25 * _scaled(loudness, *LOUDNESS)
    return Character(round(bright, 4), round(intensity, 4))


def _scaled(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))
