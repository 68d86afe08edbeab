# SPDX-License-Identifier: Apache-2.0
"""The planes of a picture as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.media.write import Colour

# Pictures are compared at this size: small enough to be cheap, large enough that two shots differ.
LOOK = (32, 18)


def planes(frame: av.VideoFrame) -> list[NDArray[Any]]:
    """Return writable views of a planar frame's planes, each (height, width), uint8 or uint16."""
    views = []
    deep = frame.format.components[0].bits > 8
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
        views.append((rows.view(np.uint16) if deep else rows)[:, : plane.width])
    return views


def blacks(frame: av.VideoFrame, colour: Colour) -> tuple[int, int, int]:
    """Return the values of black in each plane of a YUV frame."""
    shift = frame.format.components[0].bits - 8
    return (0 if colour.range == 2 else 16) << shift, 128 << shift, 128 << shift


def copied(frame: av.VideoFrame) -> av.VideoFrame:
    """Return a picture of its own with the same content."""
    out = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for into, values in zip(planes(out), planes(frame), strict=True):
        into[:] = values
    return out


def look_of(frame: av.VideoFrame) -> NDArray[np.float32]:
    """Return a picture's small luma view, float32 (18, 32), 0..255."""
    luma = planes(frame)[0]
    small = cv2.resize(luma, LOOK, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small / (1 << (frame.format.components[0].bits - 8)), np.float32)
