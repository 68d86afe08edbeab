# SPDX-License-Identifier: Apache-2.0
"""Brushes of the sample shoot: sky, city, road, cars, light. Pictures are BGR uint8, 640 x 360."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

WIDTH, HEIGHT = 640, 360
AA = cv2.LINE_AA
WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Palette:
    """The light of one hour: colours in BGR."""

    sky_top: Colour
    sky_low: Colour
    far: Colour
    near: Colour
    window: Colour
    road: Colour
    mark: Colour
    lamp: Colour


DUSK = Palette((78, 30, 42), (70, 120, 245), (88, 52, 82), (48, 26, 38), (120, 205, 255), (52, 40, 48), (150, 190, 220),
               (140, 210, 255))  # fmt: skip
NIGHT = Palette((30, 14, 8), (96, 54, 30), (56, 38, 26), (26, 18, 14), (190, 230, 250), (38, 32, 28), (190, 190, 180),
                (235, 240, 255))  # fmt: skip
DAWN = Palette((150, 120, 60), (190, 205, 250), (150, 130, 130), (82, 70, 78), (200, 220, 240), (80, 78, 84),
               (225, 230, 235), (220, 235, 255))  # fmt: skip
PALETTES = (DUSK, NIGHT, DAWN)
RED: Colour = (44, 38, 205)
TEAL: Colour = (150, 130, 30)
POLICE: Colour = (225, 225, 225)


def gradient(top: Colour, low: Colour, height: int) -> Picture:
    """Return a vertical gradient, (height, WIDTH, 3)."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** 1.4
    column = np.array(top, np.float32) * (1 - share) + np.array(low, np.float32) * share
    return np.ascontiguousarray(np.broadcast_to(column, (height, WIDTH, 3)).astype(np.uint8))


def city(seed: int, height: int, body: Colour, window: Colour, *, lit: float = 0.3) -> Picture:
    """Return a strip of houses, (height, 3 * WIDTH, 3), that joins end to end; black (0) is air."""
    rng = np.random.default_rng(seed)
    strip = np.zeros((height, 3 * WIDTH, 3), np.uint8)
    x = 0
    while x < strip.shape[1]:
        width = int(rng.integers(36, 96))
        tall = int(height * rng.uniform(0.35, 0.98))
        shade = rng.uniform(0.8, 1.15)
        colour = tuple(int(min(255, max(1, c * shade))) for c in body)
        cv2.rectangle(strip, (x, height - tall), (x + width, height), colour, -1)
        for row in range(height - tall + 7, height - 4, 11):
            for column in range(x + 6, min(x + width - 6, strip.shape[1]), 10):
                if rng.random() < lit:
                    cv2.rectangle(strip, (column, row), (column + 3, row + 5), window, -1)
        x += width + int(rng.integers(0, 10))
    return strip


def fill(canvas: Picture, top: int, low: int, colour: Colour) -> None:
    """Fill the rows ``top <= y < low`` (much faster than assigning a tuple)."""
    cv2.rectangle(canvas, (0, top), (canvas.shape[1] - 1, low - 1), colour, -1)


def lay(canvas: Picture, strip: Picture, x: float, bottom: int) -> None:
    """Lay a city strip, moved left by `x` pixels, with its foot at row `bottom`."""
    at = int(x) % strip.shape[1]
    part = strip[:, at : at + WIDTH]
    if part.shape[1] < WIDTH:
        part = np.concatenate([part, strip[:, : WIDTH - part.shape[1]]], axis=1)
    place = canvas[bottom - strip.shape[0] : bottom]
    cv2.copyTo(part, cv2.inRange(part, (1, 1, 1), (255, 255, 255)), place)


_GLOWS: dict[int, NDArray[np.float32]] = {}


def glow(canvas: Picture, x: float, y: float, radius: int, colour: Colour, amount: float = 1.0) -> None:
    """Add a soft round light."""
    if radius not in _GLOWS:
        r = np.hypot(*np.ogrid[-radius : radius + 1, -radius : radius + 1]) / radius
        _GLOWS[radius] = (np.clip(1 - r, 0, 1) ** 2)[..., None].astype(np.float32)
    left, top = int(x) - radius, int(y) - radius
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(WIDTH, left + 2 * radius + 1), min(HEIGHT, top + 2 * radius + 1)
    if x0 >= x1 or y0 >= y1:
        return
    light = _GLOWS[radius][y0 - top : y1 - top, x0 - left : x1 - left] * (np.array(colour, np.float32) * amount)
    place = canvas[y0:y1, x0:x1]
    cv2.add(place, light.astype(np.uint8), dst=place)


def quad(canvas: Picture, points: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a polygon with smooth edges."""
    cv2.fillPoly(canvas, [np.round(np.array(points) * 16).astype(np.int32)], colour, AA, 4)


def wheel(canvas: Picture, x: float, y: float, radius: float, angle: float) -> None:
    """Draw a wheel turned by `angle` (radians)."""
    centre = (round(x * 16), round(y * 16))
    for share, colour in ((1.0, (22, 20, 20)), (0.64, (150, 150, 155)), (0.54, (60, 58, 60))):
        cv2.circle(canvas, centre, round(radius * share * 16), colour, -1, AA, 4)
    for k in range(5):
        a = angle + k * 2 * math.pi / 5
        end = (round((x + 0.58 * radius * math.cos(a)) * 16), round((y + 0.58 * radius * math.sin(a)) * 16))
        cv2.line(canvas, centre, end, (170, 170, 175), max(1, round(radius * 0.13)), AA, 4)
    cv2.circle(canvas, centre, round(radius * 0.12 * 16), (200, 200, 205), -1, AA, 4)


# A saloon from the side, nose to the right: x 0..1 along its length, y 0..1 upwards in the same unit.
_BODY = ((0.0, 0.10), (0.01, 0.20), (0.20, 0.225), (0.33, 0.345), (0.60, 0.35), (0.74, 0.235), (0.96, 0.20),
         (1.0, 0.13), (0.99, 0.07), (0.02, 0.06))  # fmt: skip
_GLASS = ((0.235, 0.23), (0.345, 0.325), (0.455, 0.33), (0.455, 0.23)), (
    (0.475, 0.23), (0.475, 0.33), (0.59, 0.33), (0.69, 0.235))  # fmt: skip


def car(
    canvas: Picture, x: float, y: float, length: float, colour: Colour, *, roll: float, tilt: float = 0.0,
    squat: float = 0.0, lights: float = 0.0, facing: int = 1,
) -> None:  # fmt: skip
    """Draw a car from the side with its rear wheel's foot at (x, y).

    `roll` turns the wheels (radians), `tilt` lifts the nose (radians), `squat` presses the body down (pixels),
    `lights` 0..1 burns the police bar, `facing` -1 mirrors.
    """
    sin, cos = math.sin(tilt), math.cos(tilt)

    def place(u: float, v: float) -> tuple[float, float]:
        du, dv = (u - 0.19) * length, v * length
        return x + facing * (du * cos - dv * sin), y - (du * sin + dv * cos)

    def body(u: float, v: float) -> tuple[float, float]:
        px, py = place(u, v)
        return px, py + squat

    quad(canvas, [body(*p) for p in _BODY], colour)
    shade: Colour = (int(colour[0] * 0.55), int(colour[1] * 0.55), int(colour[2] * 0.55))
    quad(canvas, [body(*p) for p in ((0.01, 0.13), (0.995, 0.125), (0.99, 0.07), (0.02, 0.06))], shade)
    for pane in _GLASS:
        quad(canvas, [body(*p) for p in pane], (70, 50, 40))
    quad(canvas, [body(*p) for p in ((0.96, 0.185), (0.993, 0.16), (0.993, 0.14), (0.95, 0.15))], (200, 245, 255))
    quad(canvas, [body(*p) for p in ((0.005, 0.19), (0.03, 0.19), (0.03, 0.15), (0.003, 0.15))], (60, 60, 250))
    for u in (0.19, 0.81):
        wx, wy = place(u, 0.075)
        wheel(canvas, wx, wy, 0.078 * length, facing * roll)
    if lights > 0:
        quad(canvas, [body(*p) for p in ((0.44, 0.35), (0.56, 0.35), (0.55, 0.385), (0.45, 0.385))], (90, 90, 90))
        for u, hue, on in ((0.46, (60, 60, 255), lights), (0.54, (255, 110, 60), 1 - lights)):
            gx, gy = body(u, 0.37)
            glow(canvas, gx, gy, round(length * 0.22), hue, on)
    nose = body(1.0, 0.155)
    glow(canvas, nose[0] + facing * 0.06 * length, nose[1], round(length * 0.2), (150, 210, 235), 0.6)


def sparks(canvas: Picture, x: float, y: float, age: float, seed: int, *, count: int = 46, drift: float = 0.0) -> None:
    """Draw the sparks of a blow `age` seconds ago."""
    if not 0 <= age < 0.7:
        return
    rng = np.random.default_rng(seed)
    angle, speed = rng.uniform(-math.pi, 0.35, count), rng.uniform(90, 520, count)
    hold = rng.uniform(0.2, 0.7, count)
    glow(canvas, x, y, 90, (120, 200, 255), max(0.0, 1 - age / 0.25))
    for a, v, life in zip(angle, speed, hold, strict=True):
        if age >= life:
            continue
        px = x + (math.cos(a) * v + drift) * age
        py = y + math.sin(a) * v * age + 420 * age * age
        dx, dy = (math.cos(a) * v + drift) * 0.022, (math.sin(a) * v + 840 * age) * 0.022
        fade = 1 - age / life
        hue = (int(90 * fade), int(120 + 120 * fade), 255)
        cv2.line(canvas, (int(px), int(py)), (int(px - dx), int(py - dy)), hue, 2 if fade > 0.5 else 1, AA)


def smoke(canvas: Picture, x: float, y: float, age: float, seed: int, *, drift: float = -160.0) -> None:
    """Draw the dust or smoke thrown up `age` seconds ago."""
    if not 0 <= age < 1.4:
        return
    rng = np.random.default_rng(seed)
    for k in range(9):
        dx, dy, grow = rng.uniform(-50, 50), rng.uniform(-34, 2), rng.uniform(0.7, 1.3)
        radius = int((10 + 46 * age) * grow)
        fade = (1 - age / 1.4) * 0.34
        glow(canvas, x + dx * (0.3 + age) + drift * age * grow, y + dy * (0.4 + age) - k, radius, (150, 150, 160), fade)


def blow(canvas: Picture, age: float, strength: float, *, white: float) -> Picture:
    """Shake and flash the whole picture for a blow `age` seconds ago; return the picture to show."""
    if not 0 <= age < 0.6:
        return canvas
    push = strength * 15 * math.exp(-age / 0.11)
    if push > 0.4:
        dx, dy = push * math.cos(61 * age + 0.4), push * math.cos(47 * age)
        move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        canvas = cv2.warpAffine(canvas, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)
    light = white * strength * math.exp(-age / 0.07)
    if light > 0.02:
        cv2.addWeighted(canvas, 1 - light, np.full_like(canvas, 245), light, 0, dst=canvas)
    return canvas


def vignette() -> NDArray[np.uint8]:
    """Return the darkening towards the corners as a 0..255 factor, (HEIGHT, WIDTH, 3)."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    factor = np.clip(1.05 - 0.28 * (x * x + y * y), 0, 1)
    return np.repeat((255 * factor)[..., None], 3, axis=2).astype(np.uint8)
