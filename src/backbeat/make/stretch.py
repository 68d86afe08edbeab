# SPDX-License-Identifier: Apache-2.0
"""Sound faster or slower. Pitch is kept, except within half a percent, where moving it is inaudible and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr
from python_stretch import Signalsmith

from backbeat.make.pieces import RATE, Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.media.sounds import SoundReader

# Up to here the speed is changed by resampling (varispeed).
VARISPEED = 0.005
# Below and above these factors a stretch is no longer sound but texture; the piece stays silent.
SLOWEST, FASTEST = 0.1, 8.0
# Source samples handed to the stretcher around a piece, so that its windows are full at the edges.
MARGIN = 9600


def stretched(reader: SoundReader, piece: Piece) -> NDArray[np.float32]:
    """Return the whole of a piece whose factor is not 1, float32 (2, piece.end - piece.start)."""
    count = piece.end - piece.start
    speed = abs(piece.factor)
    if not SLOWEST <= speed <= FASTEST:
        return np.zeros((2, count), np.float32)
    # A margin whose stretched length is whole keeps the piece's first sample exact.
    margin = round(MARGIN / speed)
    length = round((count + 2 * margin) * speed)
    if piece.factor > 0:
        sound = reader.read(round((piece.source - margin / RATE * speed) * RATE), length)
    else:
        start = round((piece.source + margin / RATE * speed) * RATE) - length
        sound = np.ascontiguousarray(reader.read(start, length)[:, ::-1])
    if abs(speed - 1) <= VARISPEED:
        out = soxr.resample(sound.T, RATE * speed, RATE, quality="VHQ").T if speed != 1 else sound
    else:
        machine = Signalsmith.Stretch(1)  # seeded: the same sound every time
        machine.preset(2, RATE)
        machine.timeFactor = speed
        out = machine.process(sound)
    whole = np.zeros((2, count), np.float32)
    found = out[:, margin : margin + count]
    whole[:, : found.shape[1]] = found
    return whole
