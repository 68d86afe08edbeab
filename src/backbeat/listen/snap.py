# SPDX-License-Identifier: Apache-2.0
"""Beats onto the attack: a tracker says which beat, the attack curve says when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backbeat.listen.spectrum import ATTACK_STEP

Times = NDArray[np.float64]

LEAD = 0.002  # s, by which the curve's peak comes before the true instant: clicks 3.8, rendered projects 1.6 ms
_REACH = 0.06  # s, how far a stretch of beats may move together
_FINE = 0.012  # s, how far a beat may move alone
_AROUND = 8  # beats on either side that move together
EVEN = 0.004  # s, how far the beats of a machine stray from a straight line, as measured here
_SPANS = (4, 8, 16, 32, 64)  # beats on either side that a line may be laid through


def snap(times: Times, curve: NDArray[np.float32]) -> Times:
    """Return `times` moved onto the attacks of `curve` (see `spectrum.attack`).

    First a shift that neighbouring beats share, within 60 ms: the one with the most attack under it. Then half a
    step of each beat's own, within 12 ms, where its own attack is clear.
    """
    if len(times) < 2 or not len(curve):
        return times
    shifts = np.arange(-_REACH, _REACH + 1e-9, ATTACK_STEP / 2)
    axis = np.arange(len(curve)) * ATTACK_STEP + LEAD
    seen = np.interp((times[:, None] + shifts).ravel(), axis, curve).reshape(len(times), len(shifts))
    kernel = np.hanning(9)[1:-1]
    kernel /= kernel.sum()
    seen = np.apply_along_axis(np.convolve, 1, seen, kernel, "same")
    total = np.vstack([np.zeros(len(shifts)), np.cumsum(seen, axis=0)])
    index = np.arange(len(times))
    a, b = np.maximum(index - _AROUND, 0), np.minimum(index + _AROUND + 1, len(times))
    shared = (total[b] - total[a]) / (b - a)[:, None] + 0.5 * seen.mean(0)
    common = shifts[shared.argmax(1)]
    near = np.where(np.abs(shifts - common[:, None]) <= _FINE, seen, 0)
    clear = near.max(1) > 1.5 * np.median(seen, axis=1) + 1e-6
    own = np.where(clear, shifts[near.argmax(1)], common)
    moved = times + 0.5 * (common + own)
    return np.asarray(np.maximum.accumulate(np.maximum(moved, 0.0)), dtype=np.float64)


def straighten(times: Times, tolerance: float = EVEN) -> Times:
    """Return `times` laid on lines where they are as even as a machine's, and left alone where a human plays.

    Each beat takes the longest stretch around it, up to 64 beats either way, that a straight line fits within
    `tolerance` seconds (RMS); what a frame or a step of the attack curve blurs is averaged away.
    """
    count = len(times)
    if count < 2 * _SPANS[0] + 1:
        return times
    out = times.copy()
    index = np.arange(count, dtype=np.float64)
    for span in _SPANS:
        if count < 2 * span + 1:
            break
        kernel = np.hanning(2 * span + 3)[1:-1]

        def summed(values: Times, kernel: Times = kernel) -> Times:
            return np.asarray(np.convolve(values, kernel, "same"))

        weight = summed(np.ones(count))
        middle, mean = summed(index) / weight, summed(times) / weight
        across = summed(index * index) / weight - middle**2
        slope = (summed(index * times) / weight - middle * mean) / np.maximum(across, 1e-9)
        centred = summed(times * times) / weight - mean**2
        error = np.sqrt(np.maximum(centred - slope**2 * across, 0))
        line = mean + slope * (index - middle)
        even = error < tolerance
        out[even] = line[even]
    return np.asarray(np.maximum.accumulate(np.maximum(out, 0.0)), dtype=np.float64)
