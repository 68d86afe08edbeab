# SPDX-License-Identifier: Apache-2.0
"""A song that stops on a beat and echoes: its last beat into a delay line that darkens and dies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Samples = NDArray[np.float32]

RELEASE = 0.06  # s in which the song itself stops
FIRST, AGAIN = -5.0, -5.0  # dB of the first echo, and of each one against the one before


def echoed_out(samples: Samples, ring: int, delay: int, rate: int) -> Samples:
    """Return `samples`, float32 (channels, n), with the last `ring` of them made of echoes.

    The song stops where they begin; the `delay` samples before that come again every `delay` samples, each time softer
    and darker, and are silent at the end.
    """
    out = samples.copy()
    n = out.shape[1]
    stop = max(0, n - ring)
    release = min(ring, round(RELEASE * rate))
    out[:, stop + release :] = 0
    out[:, stop : stop + release] *= np.cos(np.linspace(0, np.pi / 2, release, dtype=np.float32)) ** 2
    delay = max(min(delay, stop), 1)
    edge = min(delay // 8, rate // 100)
    piece = samples[:, stop - delay : stop].copy()
    piece[:, :edge] *= np.linspace(0, 1, edge, dtype=np.float32)
    piece[:, delay - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
    gain, at = 10 ** (FIRST / 20), stop
    while at < n and gain > 1e-3:
        piece = np.asarray(lfilter([0.6], [1, -0.4], piece, axis=1), np.float32)
        z = min(n, at + delay)
        out[:, at:z] += piece[:, : z - at] * gain
        gain *= 10 ** (AGAIN / 20)
        at += delay
    last = max(1, ring // 4)
    out[:, n - last :] *= np.cos(np.linspace(0, np.pi / 2, last, dtype=np.float32)) ** 2
    return out
