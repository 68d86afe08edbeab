# SPDX-License-Identifier: Apache-2.0
"""A look-ahead limiter on the true peak: four times oversampled, without delay, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import tee

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly

RATE = 48_000
LOOK = 72  # samples of look-ahead, 1.5 ms
RELEASE = 0.06  # s, time constant of the recovery in dB
EDGE = 32  # samples that the oversampling filter needs on each side
Block = NDArray[np.float32]
Line = NDArray[np.float64]


def limited(blocks: Iterable[Block], ceiling_db: float) -> Iterator[Block]:
    """Yield the same blocks, float32 (2, n), held under `ceiling_db` dBTP (true peak as in ITU-R BS.1770 annex 2).

    The gain falls within the look-ahead before a peak and recovers by an exponential in dB. Where nothing is loud the
    samples pass unchanged. The result does not depend on how the sound is cut into blocks.
    """
    ceiling = 10 ** (ceiling_db / 20)
    out, ahead = tee(blocks)
    need = _windowed(ahead, EDGE, lambda x: _needed(x, ceiling), edge=0)
    low = _windowed((n[None] for n in need), LOOK, lambda x: minimum_filter1d(x[0], 2 * LOOK + 1))
    gains = _windowed((r[None] for r in _released(low)), LOOK // 2, lambda x: uniform_filter1d(x[0], LOOK))
    store = np.zeros(0)
    for block in out:
        n = block.shape[1]
        while store.size < n:
            store = np.concatenate([store, next(gains)])
        gain, store = store[:n], store[n:]
        yield block if gain.min(initial=0.0) > -1e-7 else (block * np.exp(gain)).astype(np.float32)


def true_peak(samples: NDArray[np.float32]) -> float:
    """Return the true peak of float32 (channels, n) in dBTP."""
    fine = float(np.abs(resample_poly(samples, 4, 1, axis=1)).max(initial=0.0))
    return float(20 * np.log10(max(fine, float(np.abs(samples).max(initial=0.0)), 1e-9)))


def _needed(block: NDArray[np.floating], ceiling: float) -> Line:
    """Return the log gain that each sample needs alone."""
    loud = np.abs(block).max(axis=0)
    if loud.max(initial=0.0) < 0.45 * ceiling:  # no interpolated peak can be that much higher
        return np.zeros(block.shape[1])
    fine = np.abs(resample_poly(block, 4, 1, axis=1)).max(axis=0).reshape(-1, 4)
    peak = np.maximum(loud, fine.max(axis=1))
    peak[1:] = np.maximum(peak[1:], fine[:-1, 1:].max(axis=1))  # a peak between two samples belongs to both
    return np.asarray(np.log(np.minimum(1.0, ceiling / np.maximum(peak, 1e-9))))


def _released(lows: Iterable[Line]) -> Iterator[Line]:
    """Yield r[n] = min(low[n], r[n-1] * a): falls at once, recovers exponentially."""
    last = 0.0
    for low in lows:
        for at in range(0, low.size, RATE):  # a**n must not underflow
            part = low[at : at + RATE]
            decay = np.exp(-np.arange(1, part.size + 1) / (RELEASE * RATE))
            line = decay * np.minimum(np.minimum.accumulate(part / decay), last)
            last = float(line[-1])
            yield line


def _windowed(
    blocks: Iterable[NDArray[np.floating]], reach: int, fn: Callable[[NDArray[np.floating]], Line], *, edge: int = 1
) -> Iterator[Line]:
    """Yield ``fn`` of a stream (k, n) whose every output needs `reach` inputs on both sides; as many out as in."""
    held: NDArray[np.floating] | None = None
    for block in blocks:
        if held is None:
            # Before the sound lies silence, but a gain goes on as it begins.
            held = np.repeat(block[:, :1], reach, axis=1) * edge
        held = np.concatenate([held, block], axis=1)
        if held.shape[1] > 2 * reach:
            yield fn(held)[reach:-reach]
            held = held[:, -2 * reach :]
    if held is not None:
        yield fn(np.concatenate([held, np.repeat(held[:, -1:], reach, axis=1) * edge], axis=1))[reach:-reach]
