# SPDX-License-Identifier: Apache-2.0
"""A source picture onto the film's canvas: turned, scaled, letterboxed or cropped. Planes that fit pass untouched."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from backbeat.media.write import Colour

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Fitter:
    """Fits pictures of any size into ``width x height`` of one pixel format.

    `mode`: letterbox (all is seen, black bars), fill (no bars, the rest is cropped) or stretch.
    """

    def __init__(self, width: int, height: int, pixel_format: str, *, mode: str = "letterbox", colour: Colour) -> None:
        self.width, self.height, self.pixel_format, self.mode = width, height, pixel_format, mode
        self.colour = colour
        self._scale = VideoReformatter()

    def black(self) -> av.VideoFrame:
        """Return a black picture."""
        frame = av.VideoFrame(self.width, self.height, self.pixel_format)
        for values, value in zip(planes(frame), blacks(frame, self.colour), strict=True):
            values[:] = value
        return frame

    def fit(self, frame: av.VideoFrame, *, pixel_aspect: Fraction = Fraction(1)) -> av.VideoFrame:
        """Return `frame` on the canvas; the frame itself where nothing needs to be done."""
        turn = -frame.rotation % 360
        if turn % 90 == 0 and turn:
            frame = turned(self._square(frame), turn)
            pixel_aspect = 1 / pixel_aspect if turn % 180 else pixel_aspect
        shown = Fraction(frame.width) * pixel_aspect / frame.height
        canvas = Fraction(self.width, self.height)
        if self.mode == "stretch" or shown == canvas:
            return self._scaled(frame, self.width, self.height)
        wide = shown > canvas
        if (self.mode == "fill") == wide:
            width, height = _even(self.height * shown), self.height
        else:
            width, height = self.width, _even(self.width / shown)
        return placed(self._scaled(frame, width, height), self.black())

    def _square(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return `frame` with chroma that is as wide as high, so that it can be turned."""
        square = {"yuv422p": "yuv444p", "yuv422p10le": "yuv444p10le"}.get(self.pixel_format, self.pixel_format)
        return self._scale.reformat(frame, format=square)

    def _scaled(self, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        if (frame.width, frame.height, frame.format.name) == (width, height, self.pixel_format):
            return frame
        smaller = frame.width > 2 * width
        return self._scale.reformat(
            frame, width, height, self.pixel_format, interpolation="AREA" if smaller else "BICUBIC", threads=1
        )


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


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


def placed(frame: av.VideoFrame, canvas: av.VideoFrame) -> av.VideoFrame:
    """Return `canvas` with `frame` in its middle; what hangs over is cropped."""
    subsampled = [(p.width, p.height) for p in canvas.planes]
    full = subsampled[0]
    for into, values, (width, height) in zip(planes(canvas), planes(frame), subsampled, strict=True):
        sx, sy = -(-full[0] // width), -(-full[1] // height)
        x, y = (canvas.width - frame.width) // 2 // sx, (canvas.height - frame.height) // 2 // sy
        # Offsets in whole chroma samples, so that luma and chroma stay together.
        if (sx, sy) == (1, 1):
            x, y = x // 2 * 2, y // 2 * 2
        x0, y0, u0, v0 = max(x, 0), max(y, 0), max(-x, 0), max(-y, 0)
        w, h = min(width - x0, values.shape[1] - u0), min(height - y0, values.shape[0] - v0)
        into[y0 : y0 + h, x0 : x0 + w] = values[v0 : v0 + h, u0 : u0 + w]
    return canvas


def turned(frame: av.VideoFrame, degrees: int) -> av.VideoFrame:
    """Return a 4:2:0 or 4:4:4 planar frame turned clockwise by a multiple of 90 degrees."""
    width, height = (frame.height, frame.width) if degrees % 180 else (frame.width, frame.height)
    out = av.VideoFrame(width, height, frame.format.name)
    for into, values in zip(planes(out), planes(frame), strict=True):
        into[:] = np.rot90(values, -degrees // 90)
    return out
