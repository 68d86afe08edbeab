# SPDX-License-Identifier: Apache-2.0
"""A dearer comparison of two pictures for the doubtful places: each spot judged by itself, light undone before motion.

`eye.compare` judges a picture as a whole, every pair of pictures of a take. Here the pictures are first evened out
(each spot to the mean and contrast of its surroundings), so that flow follows through a flash;
then every spot votes, so that a large still overlay is no more than its area.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.watch.eye import compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_WIDE, _NARROW = (21, 21), (15, 15)  # surroundings for evening out, and for comparing; pixels of some 160 x 90
_NOISE = 4.0  # added to levels and to variances: what grain and coding leave


def changed(one: Bytes, other: Bytes) -> float:
    """Return the share (0..1) of the detailed area of `other` that is not found again in `one`.

    A spot is found again if flow there and back meets (the consistency check of Sundaram et al. 2010) and what the flow
    brings correlates with what is there.
    """
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    even = [_even(p) for p in (one, other)]
    there, back = flow.calc(even[0], even[1], None), flow.calc(even[1], even[0], None)
    height, width = (int(v) for v in one.shape)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    to_x, to_y = x + back[..., 0], y + back[..., 1]
    brought = cv2.remap(one, to_x, to_y, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE).astype(np.float32)
    here = other.astype(np.float32)
    m1, m2 = cv2.blur(brought, _NARROW), cv2.blur(here, _NARROW)
    v1 = np.maximum(cv2.blur(brought * brought, _NARROW) - m1 * m1, 0)
    v2 = np.maximum(cv2.blur(here * here, _NARROW) - m2 * m2, 0)
    alike = (cv2.blur(brought * here, _NARROW) - m1 * m2) / np.sqrt((v1 + _NOISE) * (v2 + _NOISE))
    returned = cv2.remap(there, to_x, to_y, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, (1e3, 1e3, 0, 0)) + back
    lost = np.hypot(returned[..., 0], returned[..., 1]) > 1 + 0.1 * np.hypot(back[..., 0], back[..., 1])
    gone = np.maximum(lost, np.clip((0.7 - alike) / 0.4, 0, 1))
    detailed = np.clip((np.sqrt(np.maximum(v1, v2)) - 2) / 4, 0, 1)
    return float((detailed * gone).sum() / max(1e-6, float(detailed.sum())))


def unlike(one: Bytes, other: Bytes) -> float:
    """Return the novelty of `other` (`eye.compare`) against a picture that need not be its neighbour."""
    flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return compare(one, other, flow.calc(one, other, None))


def _even(picture: Bytes) -> Bytes:
    """Return a picture with the mean and the contrast of each spot's surroundings made the same everywhere."""
    levels = picture.astype(np.float32)
    mean = cv2.blur(levels, _WIDE)
    spread = np.sqrt(np.maximum(cv2.blur(levels * levels, _WIDE) - mean * mean, 0))
    return np.clip(128 + 45 * (levels - mean) / (spread + _NOISE), 0, 255).astype(np.uint8)
