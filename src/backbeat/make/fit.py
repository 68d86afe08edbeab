# SPDX-License-Identifier: Apache-2.0
"""A source picture onto the film's canvas: turned, scaled, letterboxed or cropped, in the film's colour.

Planes that fit already pass untouched.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from backbeat.make.colour import needs_mapping
from backbeat.make.planes import blacks, planes
from backbeat.make.tonemap import ToneMapper

if TYPE_CHECKING:
    from backbeat.media.write import Colour

# FFmpeg's scaler has names of its own for matrices (by ISO/IEC 23091-2 number).
_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}


class Fitter:
    """Fits pictures of any size, format and colour into ``width x height`` of one format and colour.

    `mode`: letterbox (all is seen, black bars), fill (no bars, the rest is cropped) or stretch.
    """

    def __init__(self, width: int, height: int, pixel_format: str, *, mode: str = "letterbox", colour: Colour) -> None:
        self.width, self.height, self.pixel_format, self.mode = width, height, pixel_format, mode
        self.colour = colour
        self._scale = VideoReformatter()
        self._mappers: dict[tuple[object, ...], ToneMapper] = {}

    def close(self) -> None:
        """Remove temporary files."""
        for mapper in self._mappers.values():
            mapper.close()
        self._mappers.clear()

    def black(self) -> av.VideoFrame:
        """Return a black picture."""
        frame = av.VideoFrame(self.width, self.height, self.pixel_format)
        for values, value in zip(planes(frame), blacks(frame, self.colour), strict=True):
            values[:] = value
        return frame

    def fit(
        self,
        frame: av.VideoFrame,
        source: Colour,
        *,
        pixel_aspect: Fraction = Fraction(1),
        centre: tuple[float, float] = (0.5, 0.5),
    ) -> av.VideoFrame:
        """Return `frame` on the canvas; the frame itself where nothing needs to be done.

        `centre` (shares of the shown picture) is kept in view where the fit crops.
        """
        turn = -frame.rotation % 360
        if turn % 90 == 0 and turn:
            # Chroma must be as wide as high to be turned.
            square = {"yuv422p": "yuv444p", "yuv422p10le": "yuv444p10le"}.get(self.pixel_format, self.pixel_format)
            frame = turned(self._coded(frame, (frame.width, frame.height), square, source), turn)
            pixel_aspect = 1 / pixel_aspect if turn % 180 else pixel_aspect
            source = self.colour
        shown = Fraction(frame.width) * pixel_aspect / frame.height
        canvas = Fraction(self.width, self.height)
        # A canvas rounded to even numbers is no reason for a bar of one line.
        if self.mode == "stretch" or abs(shown / canvas - 1) < Fraction(2, max(self.width, self.height)):
            return self._coded(frame, (self.width, self.height), self.pixel_format, source)
        if (self.mode == "fill") == (shown > canvas):
            size = _even(self.height * shown), self.height
        else:
            size = self.width, _even(self.width / shown)
        return placed(self._coded(frame, size, self.pixel_format, source), self.black(), centre)

    def _coded(self, frame: av.VideoFrame, size: tuple[int, int], form: str, source: Colour) -> av.VideoFrame:
        """Return `frame` in another size, format and the film's colour."""
        if needs_mapping(source, self.colour):
            key = (frame.width, frame.height, frame.format.name, size, form, source)
            if key not in self._mappers:
                self._mappers[key] = ToneMapper(frame, size, source, self.colour, form)
            return self._mappers[key].mapped(frame)
        same = _MATRIX.get(source.matrix, 1) == _MATRIX.get(self.colour.matrix, 1) and source.range == self.colour.range
        if same and (frame.width, frame.height, frame.format.name) == (*size, form):
            return frame
        smaller = frame.width >= 2 * size[0]
        return self._scale.reformat(
            frame,
            *size,
            form,
            src_colorspace=_MATRIX.get(source.matrix, 1),
            dst_colorspace=_MATRIX.get(self.colour.matrix, 1),
            src_color_range=source.range,
            dst_color_range=self.colour.range,
            interpolation="AREA" if smaller else "BICUBIC",
            threads=1,
        )


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def placed(frame: av.VideoFrame, canvas: av.VideoFrame, centre: tuple[float, float] = (0.5, 0.5)) -> av.VideoFrame:
    """Return `canvas` with `frame` in its middle; what hangs over is cropped, with `centre` kept in view."""
    left = _offset(canvas.width, frame.width, centre[0])
    top = _offset(canvas.height, frame.height, centre[1])
    subsampled = [(p.width, p.height) for p in canvas.planes]
    full = subsampled[0]
    for into, values, (width, height) in zip(planes(canvas), planes(frame), subsampled, strict=True):
        sx, sy = -(-full[0] // width), -(-full[1] // height)
        x, y = left // sx, top // sy
        x0, y0, u0, v0 = max(x, 0), max(y, 0), max(-x, 0), max(-y, 0)
        w, h = min(width - x0, values.shape[1] - u0), min(height - y0, values.shape[0] - v0)
        into[y0 : y0 + h, x0 : x0 + w] = values[v0 : v0 + h, u0 : u0 + w]
    return canvas


def _offset(room: int, length: int, centre: float) -> int:
    """Return where `length` begins in `room`: a whole number of chroma samples, negative where it hangs over."""
    if length <= room:
        return (room - length) // 4 * 2
    return -min(max(round((length * centre - room / 2) / 2) * 2, 0), length - room)


def turned(frame: av.VideoFrame, degrees: int) -> av.VideoFrame:
    """Return a 4:2:0 or 4:4:4 planar frame turned clockwise by a multiple of 90 degrees."""
    width, height = (frame.height, frame.width) if degrees % 180 else (frame.width, frame.height)
    out = av.VideoFrame(width, height, frame.format.name)
    for into, values in zip(planes(out), planes(frame), strict=True):
        into[:] = np.rot90(values, -degrees // 90)
    return out
