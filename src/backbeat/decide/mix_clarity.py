# SPDX-License-Identifier: Apache-2.0
"""How clear speech is under music: short-time objective intelligibility (STOI), in plain numpy.

After Taal, Hendriks, Heusdens & Jensen, "An algorithm for intelligibility prediction of time-frequency weighted noisy
speech", IEEE TASLP 2011; the constants are the paper's.
"""

from __future__ import annotations

from functools import cache
from math import gcd
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

Array = NDArray[Any]

RATE = 10_000
_FRAME, _FFT, _HOP = 256, 512, 128
_BANDS, _LOWEST = 15, 150.0
_SEGMENT = 30  # frames, 384 ms
_CLIP = 10 ** (15 / 20)  # lower bound of the signal to distortion ratio: -15 dB
_RANGE = 40.0  # dB below the loudest frame from which a frame counts as silent
SHORTEST = (_SEGMENT * _HOP + _FRAME) / RATE  # seconds of speech that an estimate needs


@cache
def _octaves() -> Array:
    """Return one-third octave bands, shape (15, 257) of 0 and 1."""
    hz = np.linspace(0, RATE, _FFT + 1)[: _FFT // 2 + 1]
    k = np.arange(_BANDS)
    out = np.zeros((_BANDS, len(hz)))
    for i, (low, high) in enumerate(
        zip(_LOWEST * 2 ** ((2 * k - 1) / 6), _LOWEST * 2 ** ((2 * k + 1) / 6), strict=True)
    ):
        out[i, np.argmin((hz - low) ** 2) : np.argmin((hz - high) ** 2)] = 1
    return out


def _frames(x: Array) -> Array:
    window = np.hanning(_FRAME + 2)[1:-1]
    return np.asarray(np.lib.stride_tricks.sliding_window_view(x, _FRAME)[::_HOP] * window)


def _without_silence(clean: Array, heard: Array) -> tuple[Array, Array]:
    """Leave out frames in which the clean speech is silent, overlap-adding the rest."""
    a, b = _frames(clean), _frames(heard)
    level = 20 * np.log10(np.linalg.norm(a, axis=1) + 1e-12)
    keep = level > level.max() - _RANGE
    out = []
    for rows in (a[keep], b[keep]):
        joined = np.zeros((len(rows) - 1) * _HOP + _FRAME if len(rows) else 0)
        for i, row in enumerate(rows):
            joined[i * _HOP : i * _HOP + _FRAME] += row
        out.append(joined)
    return out[0], out[1]


def _bands(x: Array) -> Array:
    """Return magnitudes in third octaves, shape (15, frames)."""
    power = np.abs(scipy.fft.rfft(_frames(x), _FFT, axis=1)) ** 2
    return np.asarray(np.sqrt(_octaves() @ power.T))


def stoi(clean: Array, heard: Array, rate: int) -> float:
    """Return the intelligibility of `heard` given the `clean` speech in it: about 0 (nothing) .. 1 (all).

    Parameters
    ----------
    clean, heard
        Mono samples of equal length, in step.
    rate
        Their sample rate (Hz).

    Returns
    -------
    float
        NaN where there is under 0.4 s of speech.
    """
    if rate != RATE:
        common = gcd(rate, RATE)
        clean, heard = (scipy.signal.resample_poly(x, RATE // common, rate // common) for x in (clean, heard))
    if min(len(clean), len(heard)) < _FRAME:
        return float("nan")
    clean, heard = _without_silence(np.asarray(clean, float), np.asarray(heard, float))
    if len(clean) < _FRAME:
        return float("nan")
    x, y = _bands(clean), _bands(heard)
    if x.shape[1] < _SEGMENT:
        return float("nan")
    # (segments, 15, 30)
    xs = np.lib.stride_tricks.sliding_window_view(x, _SEGMENT, axis=1).transpose(1, 0, 2)
    ys = np.lib.stride_tricks.sliding_window_view(y, _SEGMENT, axis=1).transpose(1, 0, 2)
    tiny = np.finfo(float).eps
    scaled = ys * np.linalg.norm(xs, axis=2, keepdims=True) / (np.linalg.norm(ys, axis=2, keepdims=True) + tiny)
    clipped = np.minimum(scaled, xs * (1 + _CLIP))
    xs = xs - xs.mean(2, keepdims=True)
    clipped = clipped - clipped.mean(2, keepdims=True)
    xs = xs / (np.linalg.norm(xs, axis=2, keepdims=True) + tiny)
    clipped = clipped / (np.linalg.norm(clipped, axis=2, keepdims=True) + tiny)
    return float((xs * clipped).sum(2).mean())
