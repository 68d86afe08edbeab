# SPDX-License-Identifier: Apache-2.0
"""Where to look when a wide picture is cropped to a tall one: a calm path after the motion."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from backbeat.make.planes import planes
from backbeat.media.frames import Reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.make.pool import Pool
    from backbeat.model.timeline import Clip

# Looks a second, their size, and how long (s) the path takes to follow.
LOOKS, SIZE, CALM = 6, (64, 36), 0.6
# How much a picture's detail counts beside its motion, and how much its middle.
DETAIL, MIDDLE = 0.1, 0.3


@dataclass(frozen=True, slots=True)
class Path:
    """Centres (x, y), shares of the shown picture, every `step` record frames of a clip."""

    centres: tuple[tuple[float, float], ...]
    step: int

    def at(self, offset: int) -> tuple[float, float]:
        """Return the centre `offset` record frames into the clip, in steps too small to see."""
        place = np.arange(len(self.centres)) * self.step
        x, y = (float(np.interp(offset, place, [c[i] for c in self.centres])) for i in (0, 1))
        return round(x, 4), round(y, 4)


def follow(clip: Clip, rate: Fraction, pool: Pool) -> Path:
    """Look through a clip once at a small size and return the path of what moves.

    Weight of a place: change since the last look, plus some of its detail, plus a pull to the middle; the path is the
    weights' centre, smoothed over 0.6 s. This decodes the clip a second time.
    """
    step = max(1, round(rate / LOOKS))
    centres = []
    with Reader(clip.take, pool.table(clip.take)) as reader:
        last: NDArray[np.float32] | None = None
        backwards = clip.speed.factor < 0
        for offset in range(0, clip.frames, step):
            index = reader.table.index(clip.source_frame(offset, rate), clip.source_rate)
            frame = reader.picture(index, backwards=backwards)
            luma = cv2.resize(planes(frame)[0], SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
            luma /= 1 << (frame.format.components[0].bits - 8)
            luma = np.rot90(luma, frame.rotation // 90) if frame.rotation % 360 else luma
            change = np.zeros_like(luma) if last is None or last.shape != luma.shape else np.abs(luma - last)
            last = luma
            centres.append(_centre(change, luma))
    if len(centres) > 1:
        centres[0] = centres[1]  # the first look knows no motion
    line = np.array(centres or [(0.5, 0.5)])
    smooth = gaussian_filter1d(line, CALM * LOOKS, axis=0, mode="nearest")
    return Path(tuple((float(x), float(y)) for x, y in smooth), step)


def _centre(change: NDArray[np.float32], luma: NDArray[np.float32]) -> tuple[float, float]:
    moved = cv2.GaussianBlur(np.ascontiguousarray(change), (0, 0), 2)
    detail = cv2.GaussianBlur(np.abs(cv2.Laplacian(np.ascontiguousarray(luma), cv2.CV_32F)), (0, 0), 2)
    height, width = luma.shape
    # A camera that moves changes everything; what changes more than most counts.
    weight = np.maximum(moved - np.median(moved), 0) ** 2 + (DETAIL * detail) ** 2
    y, x = np.mgrid[0:height, 0:width]
    total = float(weight.sum())
    pull = MIDDLE * float(weight.mean()) * width * height + 1e-6
    cx = (float((weight * (x + 0.5)).sum()) / width + 0.5 * pull) / (total + pull)
    cy = (float((weight * (y + 0.5)).sum()) / height + 0.5 * pull) / (total + pull)
    return cx, cy
