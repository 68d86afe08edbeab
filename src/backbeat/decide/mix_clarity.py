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
CENTRES = _LOWEST * 2 ** (np.arange(_BANDS) / 3)  # Hz
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
    return _power(_spectrum(x))


def _spectrum(x: Array) -> Array:
    return np.asarray(scipy.fft.rfft(_frames(x), _FFT, axis=1))


def _power(spectrum: Array) -> Array:
    return np.asarray(np.sqrt(_octaves() @ (np.abs(spectrum) ** 2).T))


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
    found = by_band(*(at_rate(x, rate) for x in (clean, heard)))
    return float("nan") if found is None else float(found.mean())


def at_rate(samples: Array, rate: int) -> Array:
    """Return samples at `RATE`, float64."""
    if rate != RATE:
        common = gcd(rate, RATE)
        samples = scipy.signal.resample_poly(samples, RATE // common, rate // common)
    return np.asarray(samples, float)


def by_band(clean: Array, heard: Array) -> Array | None:
    """Return the mean correlation of each third octave, (15,), None under 0.4 s of speech; at `RATE`."""
    if min(len(clean), len(heard)) < _FRAME:
        return None
    clean, heard = _without_silence(clean, heard)
    if len(clean) < _FRAME:
        return None
    x, y = _bands(clean), _bands(heard)
    return None if x.shape[1] < _SEGMENT else _correlation(_segments(x), _segments(y))


def table(speech: Array, music: Array, levels: Array) -> Array | None:
    """Return the correlation of each third octave with the music at each of `levels` (dB): (levels, 15); at `RATE`.

    The bands do not know of each other, so any shaping of the music can be looked up here. None under 0.4 s of speech.
    """
    if min(len(speech), len(music)) < _FRAME:
        return None
    speech, music = _without_silence(speech, music)
    if len(speech) < _FRAME:
        return None
    clean = _bands(speech)
    if clean.shape[1] < _SEGMENT:
        return None
    parts = [_spectrum(x) for x in (speech, music)]
    said = _segments(clean)
    gains = 10 ** (np.asarray(levels, float) / 20)
    return np.array([_correlation(said, _segments(_power(parts[0] + g * parts[1]))) for g in gains])


def _segments(bands: Array) -> Array:
    """Return every stretch of 384 ms, shape (segments, 15, 30)."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(bands, _SEGMENT, axis=1).transpose(1, 0, 2))


def _correlation(xs: Array, ys: Array) -> Array:
    tiny = np.finfo(float).eps
    scaled = ys * np.linalg.norm(xs, axis=2, keepdims=True) / (np.linalg.norm(ys, axis=2, keepdims=True) + tiny)
    clipped = np.minimum(scaled, xs * (1 + _CLIP))
    xs = xs - xs.mean(2, keepdims=True)
    clipped = clipped - clipped.mean(2, keepdims=True)
    xs = xs / (np.linalg.norm(xs, axis=2, keepdims=True) + tiny)
    clipped = clipped / (np.linalg.norm(clipped, axis=2, keepdims=True) + tiny)
    return np.asarray((xs * clipped).sum(2).mean(0))
