# SPDX-License-Identifier: Apache-2.0
"""Beats onto the attack: a tracker says which beat, the attack curve says when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backbeat.listen.spectrum import ATTACK_STEP

Times = NDArray[np.float64]

LEAD = 0.0038  # s, by which the curve's peak comes before the true instant; measured on clicks, drums, soft tones
_REACH = 0.06  # s, how far a stretch of beats may move together
_FINE = 0.012  # s, how far a beat may move alone
_AROUND = 8  # beats on either side that move together


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
