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


def integrated(samples: NDArray[np.float32], rate: int) -> float:
    """Return the gated loudness (LUFS) of `samples`, shape (channels, n); -70 for silence or under 0.4 s."""
    from scipy.signal import sosfilt

    hop = rate // 10
    blocks = samples.shape[1] // hop
    if blocks < 4:
        return SILENCE
    sections = k_weighting(rate)
    power = np.zeros(blocks)
    # Both channels of a mono song are one sound: hear it once.
    same = samples.shape[0] == 2 and np.array_equal(samples[0], samples[1])
    for channel in samples[:1] if same else samples:
        heard = sosfilt(sections, channel[: blocks * hop])
        power += np.square(heard).reshape(blocks, hop).mean(1) * (2 if same else 1)
    power = np.convolve(power, np.full(4, 0.25), "valid")  # 400 ms, 75 % overlap
    power = power[power > 10 ** ((SILENCE + 0.691) / 10)]
    if not len(power):
        return SILENCE
    power = power[power > power.mean() / 10]  # the relative gate, -10 LU
    return float(max(-0.691 + 10 * np.log10(power.mean()), SILENCE))
