# SPDX-License-Identifier: Apache-2.0
"""How near the camera is to people: the height of the largest face in a few pictures of each shot.

The detector is MediaPipe's BlazeFace for faces within about 5 m (Bazarevsky et al. 2019; Apache-2.0), run by OpenCV on
the small grey picture that the eye has anyway. A look costs about 10 ms, so it is taken 0.25, 1.25, 3.25 … s after what
may be a cut, and every 4 s in long shots.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 192  # the net's picture, square
STRIDE = 4
LIKELY = 0.65
_FIRST, _LONGEST = 0.25, 4.0  # s after a cut to the first look, and between looks in a long shot
_SURE = 0.3  # least confidence
_CUT = 0.5  # novelty that may be a cut: look soon again


@dataclass(frozen=True, slots=True)
class Face:
    """A face: its box in shares of the picture's width and height, and how likely it is one."""

    x: float
    y: float
    width: float
    height: float
    score: float


class Faces:
    """Feed it pictures in order; it looks at few of them."""

    def __init__(self) -> None:
        self._next, self._step = _FIRST, 1.0
        self._seen: list[tuple[float, Face | None]] = []
        self._blind = False

    def see(self, time: float, luma: NDArray[np.uint8], novelty: float) -> None:
        """Take a small grey picture; `novelty` tells how likely it begins a shot."""
        if novelty > _CUT:
            self._next, self._step = time + _FIRST, 1.0
        if time < self._next or self._blind:
            return
        self._next, self._step = time + self._step, min(2 * self._step, _LONGEST)
        try:
            found = faces(luma)
        except cv2.error:  # an OpenCV that cannot run the net: sizes stay unknown
            self._blind = True
            return
        self._seen.append((time, found[0] if found else None))

    def of(self, start: float, end: float) -> tuple[float | None, float]:
        """Return (height of the largest face in shares of the picture's, confidence 0..1) for ``start <= t < end`` (s).

        None where too few of the looks found a face to be sure of one.
        """
        inside = [face for time, face in self._seen if start <= time < end]
        known = [face for face in inside if face is not None]
        if not known:
            return None, 0.0
        sure = len(known) / len(inside) * float(np.mean([face.score for face in known]))
        size = float(np.median([face.height for face in known]))
        return (round(min(1.0, size), 3), round(sure, 3)) if sure >= _SURE else (None, 0.0)


@cache
def _net() -> Any:
    # OpenCV 5's new engine loses one of the net's two outputs
    engine = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []
    with resources.as_file(resources.files("backbeat.watch").joinpath("blazeface.tflite")) as path:
        return cv2.dnn.readNetFromTFLite(str(path), *engine)


def faces(picture: NDArray[np.uint8]) -> tuple[Face, ...]:
    """Return the faces in a grey (h, w) or RGB (h, w, 3) picture, the largest first."""
    high, wide = picture.shape[:2]
    scale = SIZE / max(high, wide)
    h, w = max(1, round(high * scale)), max(1, round(wide * scale))
    small: Any = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    if small.ndim == 2:
        small = cv2.cvtColor(small, cv2.COLOR_GRAY2RGB)
    top, left = (SIZE - h) // 2, (SIZE - w) // 2
    square = np.zeros((SIZE, SIZE, 3), np.float32)
    square[top : top + h, left : left + w] = small.astype(np.float32) / 127.5 - 1
    net = _net()
    net.setInput(square.transpose(2, 0, 1)[None])
    scores, boxes = sorted(net.forward(net.getUnconnectedOutLayersNames()), key=lambda o: o.shape[-1])
    score = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -50, 50)))
    good = np.flatnonzero(score > LIKELY)
    side = SIZE // STRIDE
    centre = np.column_stack([good % side, good // side]).astype(float) * STRIDE + STRIDE / 2
    box = boxes.reshape(-1, 16)[good, :4].astype(float)
    middle = box[:, :2] + centre
    corners = np.column_stack([middle - box[:, 2:] / 2, box[:, 2:]])
    kept = cv2.dnn.NMSBoxes(corners.tolist(), score[good].tolist(), LIKELY, 0.3) if len(good) else []
    found = [
        Face(
            float((corners[i, 0] - left) / w), float((corners[i, 1] - top) / h),
            float(corners[i, 2] / w), float(corners[i, 3] / h), float(score[good[i]]),
        )
        for i in np.asarray(kept, int).reshape(-1).tolist()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda f: -f.height))
