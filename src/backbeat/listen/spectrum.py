# SPDX-License-Identifier: Apache-2.0
"""Samples to spectra: the log-mel picture that the ear looks at, and a fine attack curve for exact times."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

RATE = 22_050
FPS = 50
BANDS = 64
_HOP = RATE // FPS
_WINDOW = 1024
_LOW, _HIGH = 30.0, 10_500.0
_BLOCK = 2048

ATTACK_STEP = 44 / RATE  # s, about 2 ms
_ATTACK_HOP = 44
_ATTACK_WINDOW = 256

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Look:
    """One channel at `RATE`, its log-mel picture and its attack curve: what every part of the ear looks at."""

    mono: Array
    mel: Array
    attack: Array


def look(mono: Array) -> Look:
    """Return the look of `mono` (22,050 Hz)."""
    return Look(mono, log_mel(mono), attack(mono))


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700))


@cache
def mel_bank() -> Array:
    """Return the triangles that fold a spectrum into bands, shape (513, 64); each band's weights sum to 1."""
    edges = 700 * (10 ** (np.linspace(_mel(_LOW), _mel(_HIGH), BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_WINDOW, 1 / RATE)
    bank = np.zeros((BANDS, len(bins)))
    for band in range(BANDS):
        low, mid, high = edges[band : band + 3]
        bank[band] = np.clip(np.minimum((bins - low) / (mid - low), (high - bins) / (high - mid)), 0, None)
        if not bank[band].any():  # a band narrower than a bin takes the nearest
            bank[band, np.abs(bins - mid).argmin()] = 1
    return np.ascontiguousarray((bank / bank.sum(1, keepdims=True)).T, dtype=np.float32)


def _frames(mono: Array, window: int, hop: int) -> NDArray[np.float32]:
    """Return overlapping frames, shape (1 + n // hop, window), frame k centred on sample ``k * hop``."""
    padded = np.pad(np.asarray(mono, np.float32), (window // 2, window // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]


def level(mono: Array) -> float:
    """Return the level that counts as loud in this sound: the 90th percentile of the RMS of 50-ms blocks."""
    size = RATE // 20
    whole = len(mono) // size * size
    if not whole:
        return float(np.sqrt(np.mean(np.square(mono)))) if len(mono) else 0.0
    return float(np.percentile(np.sqrt(np.square(mono[:whole].reshape(-1, size)).mean(1)), 90))


def log_mel(mono: Array) -> Array:
    """Return the log-mel picture of `mono` (22,050 Hz), shape (frames at 50 a second, 64), levelled by `level`."""
    gain = 0.2 / max(level(mono), 1e-5)
    frames = _frames(mono, _WINDOW, _HOP)
    window = (np.hanning(_WINDOW + 1)[:-1] * gain).astype(np.float32)
    out = np.empty((len(frames), BANDS), np.float32)
    bank = mel_bank()
    for i in range(0, len(frames), _BLOCK):
        spectrum = fft.rfft(frames[i : i + _BLOCK] * window, axis=1)
        out[i : i + _BLOCK] = np.abs(spectrum).astype(np.float32) @ bank
    np.log1p(20 * out, out=out)
    return out


def attack(mono: Array) -> Array:
    """Return how strongly sound sets in, one value every `ATTACK_STEP` seconds.

    Rise of the compressed spectrum over 4 ms, summed over bands of equal width in octaves, so that a kick counts as
    much as a hat. Its peak comes `listen.snap.LEAD` before the instant of the attack.
    """
    gain = 0.2 / max(level(mono), 1e-5)
    frames = _frames(mono, _ATTACK_WINDOW, _ATTACK_HOP)
    window = (np.hanning(_ATTACK_WINDOW + 1)[:-1] * gain).astype(np.float32)
    edges = np.array([0, 2, 4, 7, 12, 20, 35, 62, _ATTACK_WINDOW // 2 + 1])
    parts = []
    for i in range(0, len(frames), 4 * _BLOCK):
        power = np.abs(fft.rfft(frames[i : i + 4 * _BLOCK] * window, axis=1)).astype(np.float32)
        parts.append(np.log1p(10 * np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges).astype(np.float32)))
    bands = np.concatenate(parts)
    rise = np.zeros(len(bands), np.float32)
    if len(bands) > 2:
        rise[1:-1] = np.maximum(bands[2:] - bands[:-2], 0).sum(1)
    return rise
