# SPDX-License-Identifier: Apache-2.0
"""Integrated loudness (EBU R 128, ITU-R BS.1770-4) block by block, so that hours need no memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.time import Span

RATE = 48_000
# K-weighting at 48 kHz (BS.1770-4, tables 1 and 2): a shelf for the head, a high-pass for the ear.
SHELF = ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585])
PASS = ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621])
STEP = RATE // 10  # gating blocks of 400 ms overlap by 75 %
SILENCE = -70.0  # LUFS, the absolute gate


class Meter:
    """Collects sound and tells its integrated loudness."""

    def __init__(self) -> None:
        self._states = [np.zeros((2, 2)), np.zeros((2, 2))]
        self._rest = np.zeros((2, 0))
        self._powers: list[NDArray[np.float64]] = []  # of each 100 ms, both channels together

    def add(self, block: NDArray[np.floating]) -> None:
        """Take in (2, n) at 48 kHz."""
        sound: NDArray[np.float64] = np.asarray(block, np.float64)
        for i, (b, a) in enumerate((SHELF, PASS)):
            sound, self._states[i] = lfilter(b, a, sound, axis=1, zi=self._states[i])
        sound = np.concatenate([self._rest, sound], axis=1)
        whole = sound.shape[1] // STEP * STEP
        self._rest = sound[:, whole:]
        self._powers.append((sound[:, :whole] ** 2).sum(axis=0).reshape(-1, STEP).mean(axis=1))

    def integrated(self, within: Sequence[Span] = ()) -> float:
        """Return LUFS, -70 for silence or less than 0.4 s.

        With `within` (seconds of what was taken in) only blocks whose middle lies there count: the loudness of
        dialogue. The gate then leaves out its pauses.
        """
        powers = np.concatenate(self._powers) if self._powers else np.zeros(0)
        if powers.size < 4:
            return SILENCE
        blocks = np.convolve(powers, np.full(4, 0.25), "valid")
        if within:
            middle = (np.arange(len(blocks)) + 2) * STEP / RATE
            inside = np.zeros(len(blocks), bool)
            for span in within:
                inside |= (middle >= span.start) & (middle < span.end)
            blocks = blocks[inside]
        loud = blocks[blocks > _power(SILENCE)]
        if not loud.size:
            return SILENCE
        kept = loud[loud > loud.mean() * 10**-1.0]  # the relative gate, 10 LU under the mean
        return float(-0.691 + 10 * np.log10(kept.mean()))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def loudness(blocks: Iterable[NDArray[np.floating]], within: Sequence[Span] = ()) -> float:
    """Return the integrated loudness of blocks (2, n) at 48 kHz; `within` as in `Meter.integrated`."""
    meter = Meter()
    for block in blocks:
        meter.add(block)
    return meter.integrated(within)
