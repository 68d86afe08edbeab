# SPDX-License-Identifier: Apache-2.0
"""A film on one picture: thumbnails, waveform, sections, beats, hits, and the cuts coloured by how they meet a beat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from backbeat.model.time import clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.timeline import Timeline

WIDTH, MARGIN = 1440, 16
PICTURE, WAVE, RULER = 76, 46, 18
ROW = PICTURE + WAVE + RULER + 10
# BGR
_BACK, _INK, _QUIET = (24, 20, 18), (225, 225, 225), (110, 104, 100)
_ON, _OFF, _WAVE, _HIT = (120, 205, 90), (70, 120, 250), (150, 120, 80), (80, 200, 255)
_SECTIONS = ((92, 66, 46), (62, 84, 46), (46, 66, 96), (88, 50, 82), (86, 82, 44))


@dataclass(frozen=True, slots=True)
class Strip:
    """What is drawn: `thumbs` BGR pictures, one a clip of the first picture track; `envelope` 0..1, `step` s apart."""

    timeline: Timeline
    thumbs: tuple[NDArray[np.uint8], ...]
    envelope: NDArray[np.float32]
    step: float


def poster(strip: Strip, *, rows: int = 0) -> NDArray[np.uint8]:
    """Return the picture, BGR uint8 (height, 1440, 3); a row for about every 24 s unless `rows` says otherwise."""
    length = max(strip.timeline.duration, 0.1)
    rows = rows or min(12, max(1, round(length / 24)))
    canvas = np.full((rows * ROW + 2 * MARGIN + 22, WIDTH, 3), _BACK, np.uint8)
    for row in range(rows):
        _row(canvas, strip, row * length / rows, (row + 1) * length / rows, MARGIN + row * ROW)
    _legend(canvas, strip)
    return canvas


def _row(canvas: NDArray[np.uint8], strip: Strip, begin: float, end: float, top: int) -> None:
    timeline = strip.timeline
    scale = (WIDTH - 2 * MARGIN) / (end - begin)

    def place(seconds: float) -> int:
        return MARGIN + round((min(max(seconds, begin), end) - begin) * scale)

    wave, foot = top + PICTURE, top + PICTURE + WAVE
    names = sorted({m.name for m in timeline.markers if m.kind == "section"})
    sections = [m for m in timeline.markers if m.kind == "section"]
    for i, mark in enumerate(sections):
        until = sections[i + 1].time if i + 1 < len(sections) else timeline.duration
        if mark.time < end and until > begin:
            colour = _SECTIONS[names.index(mark.name) % len(_SECTIONS)]
            cv2.rectangle(canvas, (place(mark.time), wave), (place(until), foot + RULER - 4), colour, -1)
            if mark.time >= begin:
                _write(canvas, mark.name, place(mark.time) + 4, foot + RULER - 7)
    for x in range(MARGIN, WIDTH - MARGIN):
        i = int((begin + (x - MARGIN) / scale) / strip.step)
        if i < len(strip.envelope):
            tall = round(float(strip.envelope[i]) * (WAVE - 8) / 2)
            cv2.line(canvas, (x, wave + WAVE // 2 - tall), (x, wave + WAVE // 2 + tall), _WAVE, 1)
    beats = [m for m in timeline.markers if m.kind in {"beat", "downbeat"}]
    for mark in beats:
        if begin <= mark.time < end:
            tall = 14 if mark.kind == "downbeat" else 7
            cv2.line(canvas, (place(mark.time), foot), (place(mark.time), foot - tall), _INK, 1)
    _clips(canvas, strip, begin, end, top, place, np.array([m.time for m in beats]))


def _clips(
    canvas: NDArray[np.uint8],
    strip: Strip,
    begin: float,
    end: float,
    top: int,
    place: object,
    beats: NDArray[np.float64],
) -> None:
    assert callable(place)
    rate = float(strip.timeline.rate)
    clips = strip.timeline.tracks[0].clips
    for clip, thumb in zip(clips, strip.thumbs, strict=False):
        start, stop = clip.start / rate, clip.end / rate
        if stop <= begin or start >= end:
            continue
        x0, x1 = place(start), place(stop)
        if x1 - x0 > 2:
            canvas[top : top + PICTURE - 2, x0:x1] = _fill(thumb, x1 - x0, PICTURE - 2)
        for hit in clip.hits:
            if begin <= hit < end:
                x, y = place(hit), top + PICTURE + 5
                cv2.fillPoly(canvas, [np.array([(x - 4, y), (x, y - 5), (x + 4, y), (x, y + 5)])], _HIT, cv2.LINE_AA)
        if clip.start and begin <= start < end:
            # editors' tolerance: two frames early to one late at 24 fps
            near = beats[np.abs(beats - start).argmin()] - start if len(beats) else math.inf
            on = -1.5 / 24 <= near <= 2.5 / 24
            cv2.line(canvas, (x0, top - 3), (x0, top + PICTURE + WAVE), _ON if on else _OFF, 2)


def _fill(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the middle of a picture, cropped to fill."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(large[y : y + height, x : x + width], np.uint8)


def _legend(canvas: NDArray[np.uint8], strip: Strip) -> None:
    y = canvas.shape[0] - MARGIN
    title = f"{strip.timeline.name}   {clock(strip.timeline.duration)}   {len(strip.thumbs)} clips"
    _write(canvas, title, MARGIN, y)
    x = 620
    for colour, text in ((_ON, "cut on a beat"), (_OFF, "cut off the beat"), (_HIT, "hit"), (_INK, "beat, downbeat")):
        cv2.rectangle(canvas, (x, y - 9), (x + 12, y), colour, -1)
        _write(canvas, text, x + 18, y)
        x += 60 + 9 * len(text)


def _write(canvas: NDArray[np.uint8], text: str, x: int, y: int) -> None:
    plain = text.encode("ascii", "replace").decode()  # OpenCV's own letters know no others
    cv2.putText(canvas, plain, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
