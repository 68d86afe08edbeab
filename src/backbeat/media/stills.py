# SPDX-License-Identifier: Apache-2.0
"""Small colour pictures of chosen source frames, upright, for contact sheets and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.errors import MediaError
from backbeat.media.frames import Reader
from backbeat.model.footage import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray


def stills(media: Media, frames: Sequence[int], height: int = 90) -> list[NDArray[np.uint8]]:
    """Return the source frames `frames` (rising reads fastest) as RGB, `height` lines high, shape as displayed.

    A frame that cannot be decoded comes back grey.
    """
    width = max(2, round(height * media.width / max(1, media.height)))
    turned = media.rotation % 180 == 90
    stored = (height, width) if turned else (width, height)
    out: list[NDArray[np.uint8]] = []
    with Reader(media.path) as reader:
        for frame in frames:
            try:
                picture = reader.picture(reader.table.index(frame, media.rate))
                small: Any = picture.reformat(width=stored[0], height=stored[1], format="rgb24").to_ndarray()
            except MediaError:
                small = np.full((stored[1], stored[0], 3), 96, np.uint8)
            turn = {
                90: cv2.ROTATE_90_CLOCKWISE,
                180: cv2.ROTATE_180,
                270: cv2.ROTATE_90_COUNTERCLOCKWISE,
            }.get(media.rotation)
            out.append(np.asarray(small if turn is None else cv2.rotate(small, turn), np.uint8))
    return out


def jpeg(picture: NDArray[np.uint8], quality: int = 78) -> bytes:
    """Return an RGB picture as JPEG."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data.tobytes()) if done else b""
