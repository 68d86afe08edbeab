# SPDX-License-Identifier: Apache-2.0
"""Per-picture measurements: light, sharpness, motion, camera, and sudden changes of motion.

Motion is dense inverse search flow (Kroeger et al. 2016) at about 160 x 90. The camera is a similarity (shift, zoom,
roll) fitted to the flow by trimmed least squares; what it leaves is the motion of things. *Loss* is momentum that was
there a picture ago and is gone when followed along the flow (a stop counts once, a bounce twice); *gain* is motion that
nothing near foretold (recoil, a kick). Both are the advected form of the directogram of Davis & Agrawala (2018).
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.media.scan import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FIELDS = (
    "time", "mean", "spread", "dark", "bright", "sharp", "focus", "red", "green", "blue", "change", "motion",
    "right", "up", "zoom", "roll", "rest", "loss", "gain", "novelty", "corrupt",
)  # fmt: skip
_GRID = 4
_NEAR = np.ones((5, 5), np.uint8)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the eye saw, float32 arrays with one value a picture (n,).

    `time` s. `mean`, `spread` luma 0..1; `dark`, `bright` shares of pixels at the ends of the range. `sharp`: spread
    of the Laplacian of the small luma (0..1); `focus`: of full-size details, held between looks. `red` … `blue` means
    0..1. `change`: mean difference to the last picture 0..1. `novelty`: how far this picture is another scene than
    the last one (`compare`), 0..about 1. In percent of the picture's width a picture: `motion` (mean flow),
    `right`/`up` (camera shift), `rest` (mean flow beyond the camera's), `loss`, `gain`. `zoom` (relative) and `roll`
    (radians) a picture. `corrupt` 0 or 1.
    """

    time: NDArray[np.float64]
    mean: Floats
    spread: Floats
    dark: Floats
    bright: Floats
    sharp: Floats
    focus: Floats
    red: Floats
    green: Floats
    blue: Floats
    change: Floats
    motion: Floats
    right: Floats
    up: Floats
    zoom: Floats
    roll: Floats
    rest: Floats
    loss: Floats
    gain: Floats
    novelty: Floats
    corrupt: Floats


@cache
def _grid(width: int, height: int) -> Any:
    """Return the places of the flow grid as complex numbers, 0 in the middle, in widths of the picture, (h, w)."""
    y, x = np.mgrid[0:height:_GRID, 0:width:_GRID].astype(np.float32)
    return ((x - width / 2) + 1j * (y - height / 2)).astype(np.complex64) / width


class Eye:
    """Feed it pictures in order; `sight` returns the curves. Keeps two small pictures and a few numbers a picture."""

    def __init__(self) -> None:
        self._rows = array("d")
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow.setFinestScale(1)  # half of the small picture: at the preset's quarter a ball or a hand is lost
        self.small: Any = None  # uint8 (about 90, 160): the last picture
        self.novelty = 0.0
        self._beyond: list[Any] = []  # the last three pictures' flow beyond the camera's, the newest last
        self._focus = 0.0

    def see(self, picture: Picture) -> None:
        """Measure one picture."""
        luma = picture.luma
        mean, spread = (float(v[0, 0]) / 255 for v in cv2.meanStdDev(luma))
        histogram = cv2.calcHist([luma], [0], None, [64], [0, 256]).ravel() / luma.size
        sharp = detail(luma) / 255
        if picture.crops is not None:
            third = picture.crops.shape[0] // 3
            pieces = (picture.crops[i * third : (i + 1) * third] for i in range(3))
            self._focus = max(detail(p) for p in pieces) / 255
        red, green, blue = (float(c) / 255 for c in cv2.mean(picture.thumb)[:3])
        small = cv2.resize(luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA)
        moved = self._move(small)
        self.small, self.novelty = small, moved[-1]
        row = (picture.time, mean, spread, float(histogram[:2].sum()), float(histogram[62:].sum()), sharp, self._focus)
        self._rows.extend((*row, red, green, blue, *moved, float(picture.corrupt)))

    def _move(self, small: Any) -> tuple[float, ...]:
        still = (0.0,) * 10
        if self.small is None or self.small.shape != small.shape:
            self._beyond = []
            return still
        change = float(cv2.norm(small, self.small, cv2.NORM_L1)) / (255 * small.size)
        height, width = small.shape
        if change < 0.0004 or min(height, width) < 16:  # frozen: nothing moved, whatever moved has stopped
            if change > 0 or len(self._beyond) == 0:  # an exact repeat is a repeated picture, not a stop
                self._sudden(np.zeros(_grid(width, height).shape, np.complex64))
            return (change, *still[1:])
        flow = self._flow.calc(self.small, small, None)
        seen = np.ascontiguousarray(flow[::_GRID, ::_GRID]).view(np.complex64)[..., 0]  # right + i down
        shift, turn = _camera(_grid(width, height), seen)
        beyond = seen - (shift + turn * _grid(width, height))
        self._sudden(beyond)
        novelty = compare(self.small, small, flow)
        percent = 100 / width
        motion, rest = (float(np.abs(f).mean()) * percent for f in (seen, beyond))
        return (
            change, motion, shift.real * percent, -shift.imag * percent, turn.real / width, turn.imag / width, rest,
            0.0, 0.0, novelty,
        )  # fmt: skip

    def _sudden(self, now: Any) -> None:
        """Write how suddenly motion changed at the *last* picture into its row, now that it is seen whether it lasts.

        Flow flickers; so momentum counts as lost only if two pictures had it and two have not, and as gained likewise.
        """
        past = self._beyond
        if len(past) == 3 and all(p.shape == now.shape for p in past):
            older, before, then = past
            height, width = now.shape
            unit = 100.0 / (width * _GRID) / math.sqrt(height * width)
            was, speed, after, latest = (np.abs(f) for f in (older, before, then, now))
            kept = _kept(before, speed, (then, now))
            had = cv2.dilate(was, _NEAR) > 0.5 * speed
            lost = np.where((speed > 0.5) & had, speed - np.clip(kept, -speed, speed), 0)
            lasting = np.minimum(after, cv2.dilate(latest, _NEAR))
            known = cv2.dilate(np.maximum(was, speed), _NEAR)
            gained = np.maximum(lasting - known - 0.3, 0)
            row = len(self._rows) - len(FIELDS)
            self._rows[row + FIELDS.index("loss")] = float(np.minimum(lost, 20).sum()) * unit
            self._rows[row + FIELDS.index("gain")] = float(np.minimum(gained, 20).sum()) * unit
        self._beyond = [*past[-2:], now]

    def sight(self) -> Sight:
        """Return the curves so far."""
        table = np.frombuffer(self._rows, np.float64).reshape(-1, len(FIELDS))
        columns: dict[str, Any] = {name: table[:, i].astype(np.float32) for i, name in enumerate(FIELDS)}
        columns["time"] = table[:, 0].copy()
        return Sight(**columns)


def detail(luma: Any) -> float:
    """Return the spread of a picture's Laplacian, in levels (its mean is nothing)."""
    return float(cv2.norm(cv2.Laplacian(luma, cv2.CV_16S, ksize=1), cv2.NORM_L2)) / math.sqrt(int(luma.size))


def _kept(before: Any, speed: Any, later: Sequence[Any]) -> Any:
    """Return the most speed along `before` that any of `later` shows where the flow carries it, pixels; (h, w)."""
    height, width = before.shape
    x, y = _places(width, height)
    to_x, to_y = x + before.real / _GRID, y + before.imag / _GRID
    along = before.conj() / np.maximum(speed, 1e-3)
    there = (cv2.remap(f.view(np.float32).reshape(height, width, 2), to_x, to_y, cv2.INTER_NEAREST, None,
                       cv2.BORDER_REPLICATE) for f in later)  # fmt: skip
    kept = [(f.view(np.complex64)[..., 0] * along).real for f in there]
    return np.maximum(*kept)


def _camera(places: Any, seen: Any) -> tuple[complex, complex]:
    """Return (shift, turn) of the camera that most of the flow agrees with: flow = shift + turn * place.

    A similarity is linear in complex numbers: zoom is the real part of `turn`, roll the imaginary one. Least squares,
    then again on the better 60 %.
    """
    shift, turn = _fit(places.ravel(), seen.ravel())
    error = np.abs(seen - (shift + turn * places))
    good = error <= np.partition(error, int(0.6 * error.size), axis=None)[int(0.6 * error.size)]
    return _fit(places[good], seen[good])


def _fit(places: Any, seen: Any) -> tuple[complex, complex]:
    middle, mean = places.mean(), seen.mean()
    away = places - middle
    turn = complex(np.vdot(away, seen - mean)) / (float(np.vdot(away, away).real) + 1e-4)
    return complex(mean) - turn * complex(middle), turn


def compare(one: Any, other: Any, flow: Any) -> float:
    """Return how far two small lumas are different scenes, 0 (the same) to about 1.

    `one` is warped along `flow` onto `other`; what difference is left, as a share of what two unrelated pictures of
    their contrast would leave, is weighed with how little their fine detail correlates. Neither motion nor a change
    of light alone makes it large: a jerk keeps its detail, and a warp between two scenes never fits.
    """
    height, width = (int(v) for v in other.shape)
    x, y = _places(width, height)
    back = cv2.remap(one, x - flow[..., 0], y - flow[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    left = float(cv2.norm(back, other, cv2.NORM_L1)) / (255 * height * width)
    (m1, s1), (m2, s2) = ([float(v[0, 0]) / 255 for v in cv2.meanStdDev(p)] for p in (one, other))
    unrelated = 0.02 + 0.8 * math.sqrt(s1 * s1 + s2 * s2 + (m1 - m2) ** 2)
    return left / unrelated * (1 - _kinship(back, other))


@cache
def _places(width: int, height: int) -> tuple[Any, Any]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return x, y


def _kinship(one: Any, other: Any) -> float:
    """Return the correlation (-1..1) of the fine detail of two pictures; two flat ones are kin, one flat is not."""
    fine = [cv2.subtract(p, cv2.blur(p, (11, 11)), dtype=cv2.CV_32F) for p in (one, other)]
    power = [float(cv2.norm(f, cv2.NORM_L2)) / math.sqrt(int(one.size)) for f in fine]
    if min(power) < 0.7:
        return 1.0 if max(power) < 0.7 else 0.0
    return float(np.vdot(fine[0], fine[1])) / int(one.size) / (power[0] * power[1])
