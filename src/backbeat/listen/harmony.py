# SPDX-License-Identifier: Apache-2.0
"""Pitch classes and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import fft

from backbeat.listen.spectrum import RATE
from backbeat.model.song import Key

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW, _HOP = 8192, 4096
CHROMA_STEP = _HOP / RATE
# Temperley, "What's key for key?" (1999): how well each degree fits a major and a minor key.
_MAJOR = np.array([5.0, 2.0, 3.5, 2.0, 4.5, 4.0, 2.0, 4.5, 2.0, 3.5, 1.5, 4.0])
_MINOR = np.array([5.0, 2.0, 3.5, 4.5, 2.0, 4.0, 2.0, 4.5, 3.5, 2.0, 1.5, 4.0])


def chroma(mono: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pitch classes, shape (frames every `CHROMA_STEP` s, 12), C first, each frame's greatest 1 (or all 0).

    Spectral peaks between 65 and 2,100 Hz, each at its interpolated frequency, less the song's own tuning.
    """
    padded = np.pad(mono, (_WINDOW // 2, _WINDOW // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    window = np.hanning(_WINDOW).astype(np.float32)
    low, high = int(65 * _WINDOW / RATE), int(2100 * _WINDOW / RATE)
    out = np.zeros((len(frames), 12), np.float32)
    rows, pitches, weights = [], [], []
    for i in range(0, len(frames), 256):
        power = np.log1p(np.abs(fft.rfft(frames[i : i + 256] * window, axis=1)[:, low - 1 : high + 1]))
        mid, left, right = power[:, 1:-1], power[:, :-2], power[:, 2:]
        row, peak = np.nonzero((mid > left) & (mid >= right) & (mid > 0.3 * power.max(1, keepdims=True) + 1e-3))
        a, b, c = left[row, peak], mid[row, peak], right[row, peak]
        offset = 0.5 * (a - c) / np.minimum(a - 2 * b + c, -1e-9)
        rows.append(row + i)
        pitches.append(12 * np.log2((peak + low + offset) * RATE / _WINDOW / 440) + 69)
        weights.append(b * b)
    row, pitch, weight = np.concatenate(rows), np.concatenate(pitches), np.concatenate(weights)
    if not len(row):
        return out
    tuning = np.angle(np.sum(weight * np.exp(2j * np.pi * pitch))) / (2 * np.pi)
    np.add.at(out, (row, np.rint(pitch - tuning).astype(int) % 12), weight.astype(np.float32))
    return np.asarray(out / np.maximum(out.max(1, keepdims=True), 1e-9), dtype=np.float32)


def key(pitch_classes: NDArray[np.float32]) -> Key | None:
    """Return the key of the whole song by Temperley's profiles, None where nothing is pitched."""
    total = pitch_classes.sum(0)
    if total.max() <= 0 or np.ptp(total) < 1e-6:
        return None
    fits = [
        (float(np.corrcoef(np.roll(profile, tonic), total)[0, 1]), tonic, mode)
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for tonic in range(12)
    ]
    fits.sort(reverse=True)
    best, tonic, mode = fits[0]
    return Key(tonic, mode, float(np.clip((best - fits[1][0]) * 5, 0, 1)) if best > 0 else 0.0)
