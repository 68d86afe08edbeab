# SPDX-License-Identifier: Apache-2.0
"""Integrated loudness by EBU R128 / ITU-R BS.1770-4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENCE = -70.0  # LUFS, the absolute gate


def k_weighting(rate: int) -> NDArray[np.float64]:
    """Return the K-weighting filter as two second-order sections at any `rate` (the standard's analogue prototypes)."""
    k, q = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0]
    shelf += [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    a0 = 1 + k / q + k * k
    return np.array([shelf, [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]])


class Meter:
    """Hears a song block by block, so that none of it need be held.

    Parameters
    ----------
    rate
        Hz.
    channels
        How many, mono or stereo: each counts in full.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._hop = rate // 10
        self._sections = k_weighting(rate)
        self._state = np.zeros((2, channels, 2))
        self._left = np.zeros(0)  # power of the samples that do not fill a block yet
        self._power: list[NDArray[np.float64]] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """Hear the next samples, shape (channels, n)."""
        from scipy.signal import sosfilt

        heard, self._state = sosfilt(self._sections, samples, axis=1, zi=self._state)
        power = np.concatenate([self._left, np.square(heard, out=heard).sum(0)])
        whole = len(power) // self._hop * self._hop
        self._power.append(power[:whole].reshape(-1, self._hop).mean(1))
        self._left = power[whole:]

    def integrated(self) -> float:
        """Return the gated loudness (LUFS) of what was heard; -70 for silence or under 0.4 s."""
        power = np.concatenate(self._power or [np.zeros(0)])
        if len(power) < 4:
            return SILENCE
        power = np.convolve(power, np.full(4, 0.25), "valid")  # 400 ms, 75 % overlap
        power = power[power > 10 ** ((SILENCE + 0.691) / 10)]
        if not len(power):
            return SILENCE
        power = power[power > power.mean() / 10]  # the relative gate, -10 LU
        return float(max(-0.691 + 10 * np.log10(power.mean()), SILENCE))


def integrated(samples: NDArray[np.float32], rate: int) -> float:
    """Return the gated loudness (LUFS) of `samples`, shape (channels, n); -70 for silence or under 0.4 s."""
    meter = Meter(rate, len(samples))
    for start in range(0, samples.shape[1], rate):
        meter.add(samples[:, start : start + rate])
    return meter.integrated()
