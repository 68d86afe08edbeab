# SPDX-License-Identifier: Apache-2.0
"""Ducks: the dip of music under speech, as a gain curve and as bells that clear the band of speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from backbeat.make.pieces import RATE
from backbeat.model.cue import BELL_Q, BELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.cue import Duck

# The music begins to dip before the speech and comes back after it (s), with straight lines in dB.
ATTACK, RELEASE = 0.25, 0.6


def duck_curve(ducks: tuple[Duck, ...], first: int, last: int, *, bell: int | None = None) -> NDArray[np.float64]:
    """Return the gain of ducks in dB over film samples ``first .. last`` (`bell`: that of one of the bells).

    Where ducks overlap the deepest counts.
    """
    n = np.arange(first, last) / RATE
    level = np.zeros(last - first)
    for duck in ducks:
        depth = min(0.0, duck.depth_db if bell is None else duck.bells[bell] if bell < len(duck.bells) else 0.0)
        a, b = duck.span.start, duck.span.end
        if depth and b + RELEASE > n[0] and a - ATTACK < n[-1]:
            level = np.minimum(level, np.interp(n, [a - ATTACK, a, b, b + RELEASE], [0, depth, depth, 0]))
    return level


class Dip:
    """The bells of one piece; ask for its samples in order, so that the filters run on."""

    def __init__(self, ducks: tuple[Duck, ...]) -> None:
        self._ducks = ducks
        self._states = [np.zeros((2, 2)) for _ in BELLS]

    def applied(self, samples: NDArray[np.float32], first: int) -> NDArray[np.float32]:
        """Return float32 (2, n) from film sample `first` with the bells at their depth of each moment.

        A peaking filter (RBJ cookbook) is ``x + (gain - 1) * bandpass(x)``, so its depth may move freely.
        """
        out = samples.astype(np.float64)
        for i, hz in enumerate(BELLS):
            w = 2 * np.pi * hz / RATE
            alpha = np.sin(w) / (2 * BELL_Q)
            b = np.array([alpha, 0, -alpha]) / (1 + alpha)
            a = np.array([1, -2 * np.cos(w) / (1 + alpha), (1 - alpha) / (1 + alpha)])
            depth = duck_curve(self._ducks, first, first + samples.shape[1], bell=i)
            band, self._states[i] = lfilter(b, a, out, axis=1, zi=self._states[i])
            out = out + (10 ** (depth / 20) - 1) * band
        return out.astype(np.float32)
