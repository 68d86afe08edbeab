# SPDX-License-Identifier: Apache-2.0
"""A click over a song, to hear whether the beats are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.model.song import Beat

if TYPE_CHECKING:
    from numpy.typing import NDArray


def over(samples: NDArray[np.float32], rate: int, beats: tuple[Beat, ...]) -> NDArray[np.float32]:
    """Return `samples`, shape (channels, n), 6 dB down with a click on each beat: high on downbeats, low on others."""
    out = samples * np.float32(0.5)
    time = np.arange(round(0.03 * rate)) / rate
    shape = 0.5 * np.exp(-time / 0.006)
    high, low = (np.asarray(shape * np.sin(2 * np.pi * f * time), dtype=np.float32) for f in (2000.0, 1100.0))
    for beat in beats:
        start = round(beat.time * rate)
        if 0 <= start < out.shape[1]:
            sound = (high if beat.position == 1 else low)[: out.shape[1] - start]
            out[:, start : start + len(sound)] += sound
    return np.asarray(np.clip(out, -1, 1), dtype=np.float32)
