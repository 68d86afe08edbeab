# SPDX-License-Identifier: Apache-2.0
"""How far apart the attacks of two songs lie that play on one beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.listen.spectrum import ATTACK_STEP, attack

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 0.06  # s either side of a beat in which its attack is looked for
FEWEST = 8  # beats with a clear attack in both, or nothing is said


@dataclass(frozen=True, slots=True)
class Flam:
    """`lag`: seconds by which the first song's attacks are late; `left`: the median distance once that is mended."""

    lag: float
    left: float


def flam(one: NDArray[np.float32], other: NDArray[np.float32], beats: Sequence[float]) -> Flam | None:
    """Compare two songs, mono float32 at 22,050 Hz on one clock, at `beats` (s). None where too few beats are clear.

    The lag is where the attack curves agree best within 60 ms; what is left is the median, over the beats that are
    clear in both, of how far their own attacks lie apart then.
    """
    curves = [attack(x) for x in (one, other)]
    size = min(len(c) for c in curves)
    a, b = (np.sqrt(c[:size]) - float(np.sqrt(c[:size]).mean()) for c in curves)
    most = round(REACH / ATTACK_STEP)
    scores = [float(a[most + k : size - most + k] @ b[most : size - most]) for k in range(-most, most + 1)]
    lag = (int(np.argmax(scores)) - most) * ATTACK_STEP
    first, second = (_attacks(c[:size], beats, shift) for c, shift in zip(curves, (lag, 0.0), strict=True))
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < FEWEST:
        return None
    return Flam(lag, float(np.median(np.abs(first[both] - lag - second[both]))))


def _attacks(curve: NDArray[np.float32], beats: Sequence[float], shift: float) -> NDArray[np.float64]:
    """Return the instant of the attack nearest each beat, NaN where none stands out."""
    usual = float(np.median(curve)) + 1e-6
    high = float(np.quantile(curve, 0.95))
    out = np.full(len(beats), np.nan)
    half = round(REACH / ATTACK_STEP)
    for i, beat in enumerate(beats):
        at = round((beat + shift) / ATTACK_STEP)
        piece = curve[max(0, at - half) : at + half + 1]
        if len(piece) < half or piece.max() < max(2 * usual, 0.3 * high):
            continue
        k = int(piece.argmax())
        out[i] = (max(0, at - half) + k) * ATTACK_STEP
    return out
