# SPDX-License-Identifier: Apache-2.0
"""Code values of any depth and transfer to the 8-bit, full-range, display-like luma that analysers expect."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@cache
def _table(depth: int, *, full: bool, transfer: str) -> NDArray[np.uint8]:
    """Return the look-up table of a depth (``2**depth`` entries).

    PQ (SMPTE ST 2084) is taken to nits and rolled off with Reinhard's curve about 203 nits, the reference white of
    ITU-R BT.2408; HLG and log-like curves are already near display gamma and stay as they are.
    """
    top = (1 << depth) - 1
    code = np.arange(top + 1, dtype=np.float64)
    unit = code / top if full else np.clip((code - 16 * (1 << (depth - 8))) / (219 * (1 << (depth - 8))), 0, 1)
    if transfer == "smpte2084":
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        root = unit ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10_000 / 203
        unit = (light * (1 + light / 16) / (1 + light)) ** (1 / 2.2)
    elif transfer == "linear":
        unit = unit ** (1 / 2.2)
    return np.asarray(np.clip(np.round(unit * 255), 0, 255), np.uint8)


def to_eight_bits(values: NDArray[Any], depth: int, *, full: bool, transfer: str) -> NDArray[np.uint8]:
    """Return `values` (uint8 or uint16 codes of `depth` bits) as full-range uint8, tone-mapped where HDR."""
    if depth == 8 and full and transfer not in {"smpte2084", "linear"}:
        return np.asarray(values, np.uint8)
    table = _table(depth, full=full, transfer=transfer)
    if depth == 8:
        import cv2

        return np.asarray(cv2.LUT(values, table), np.uint8)
    return np.asarray(table[np.minimum(values, len(table) - 1)], np.uint8)
