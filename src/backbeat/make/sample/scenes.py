# SPDX-License-Identifier: Apache-2.0
"""The set-ups of the sample shoot. Each builder returns ``draw(canvas, t)``: a pure function of the take's seconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from backbeat.make.sample.paint import (
    AA,
    HEIGHT,
    POLICE,
    RED,
    TEAL,
    WHITE,
    WIDTH,
    Colour,
    Palette,
    Picture,
    car,
    city,
    fill,
    glow,
    gradient,
    lay,
    quad,
    smoke,
    sparks,
    wheel,
)

Draw = Callable[[Picture, float], None]
Build = Callable[[Palette, int, Sequence[float]], Draw]


def _since(hits: Sequence[float], t: float) -> tuple[float, int]:
    """Return the seconds since the last hit (or a large number) and which one it was."""
    past = [(t - h, i) for i, h in enumerate(hits) if h <= t + 1e-6]
    return min(past) if past else (99.0, 0)


def _backdrop(light: Palette, seed: int, horizon: int) -> tuple[Picture, Picture, Picture]:
    sky = gradient(light.sky_top, light.sky_low, horizon)
    far = city(seed, int(horizon * 0.62), light.far, light.window, lit=0.16)
    near = city(seed + 1, int(horizon * 0.84), light.near, light.window, lit=0.3)
    return sky, far, near


def _street(
    canvas: Picture, light: Palette, layers: tuple[Picture, Picture, Picture], shift: float, ground: int
) -> None:
    """Paint sky, houses, lamps, a wet road that mirrors them, and its marks, moved left by `shift` pixels."""
    sky, far, near = layers
    horizon = sky.shape[0]
    canvas[:horizon] = sky
    lay(canvas, far, shift * 0.08, horizon)
    lay(canvas, near, shift * 0.3, horizon)
    fill(canvas, horizon, HEIGHT, light.road)
    mirror = canvas[max(0, 2 * horizon - HEIGHT) : horizon][::-1]
    place = canvas[horizon : horizon + mirror.shape[0]]
    cv2.addWeighted(place, 0.72, np.ascontiguousarray(mirror), 0.28, 0, dst=place)
    fill(canvas, horizon, horizon + 7, light.near)
    for k in range(-1, 3):
        x = k * 300 - shift * 0.85 % 300
        cv2.line(canvas, (int(x), horizon + 6), (int(x), horizon - 120), (30, 26, 26), 4, AA)
        cv2.line(canvas, (int(x), horizon - 120), (int(x) + 34, horizon - 126), (30, 26, 26), 3, AA)
        glow(canvas, x + 36, horizon - 122, 62, light.lamp, 0.8)
        glow(canvas, x + 36, horizon + 26, 44, light.lamp, 0.25)
    for k in range(-1, 7):
        x = k * 120 - shift * 1.25 % 120
        quad(canvas, [(x, ground + 36), (x + 62, ground + 36), (x + 56, ground + 42), (x - 6, ground + 42)], light.mark)


def street(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw the chase from the side: the police car rams the red one at each hit."""
    layers = _backdrop(light, seed, 236)
    ground = 306
    speed = 560 + 60 * (seed % 4)
    facing = -1 if seed % 2 else 1

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        ahead = min((h - t for h in hits if h > t), default=2.0)
        lurch = 34 * math.exp(-age / 0.35) if age < 2 else 0.0
        gap = 26 + min(96.0, 150 * min(ahead, max(0.0, age - 0.15) if age < 90 else 9.0))
        shift = speed * t + 14 * math.sin(1.3 * t)
        _street(canvas, light, layers, shift, ground)
        bob = 1.6 * math.sin(23 * t) + 1.2 * math.sin(17 * t)
        front = 350 + 26 * math.sin(0.9 * t + seed) + lurch
        back = front - 225 - gap + 8 + lurch * 0.2
        blink = 0.5 + 0.5 * math.copysign(1, math.sin(15 * t))
        police, hero = (WHITE if light.road[0] > 60 else POLICE), (RED if seed % 3 else TEAL)
        car(canvas, back, ground + 4, 230, police, roll=t * 26, squat=bob * 0.7, lights=max(0.05, blink))
        car(canvas, front, ground, 240, hero, roll=t * 26, squat=bob)
        sparks(canvas, front - 50, ground - 34, age, seed * 31 + which, drift=-speed * 0.4)
        smoke(canvas, front - 30, ground - 4, age, seed * 7 + which, drift=-speed * 0.5)
        if facing < 0:
            canvas[:] = canvas[:, ::-1]

    return draw


def _rows(horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return depth per row below the horizon, and column coordinates."""
    rows = np.arange(HEIGHT - horizon, dtype=np.float32) + 1.5
    return 150.0 / rows, rows / (HEIGHT - horizon), np.arange(WIDTH, dtype=np.float32)


def pursuit(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw the road from behind the wheel: a car ahead is rammed at each hit, houses and lamps fly by."""
    horizon = 150
    depth, near, columns = _rows(horizon)
    sky = gradient(light.sky_top, light.sky_low, horizon)
    skyline = city(seed + 5, 70, light.far, light.window, lit=0.2)
    rng = np.random.default_rng(seed)
    houses = [(k * 5.0 + rng.uniform(0, 2), side, rng.uniform(0.6, 1.5)) for k in range(10) for side in (-1, 1)]
    speed = 15 + seed % 3 * 3
    inks = np.array([light.near, light.road, light.mark], np.uint8)

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        ahead = min((h - t for h in hits if h > t), default=2.0)
        bend = 90 * math.sin(0.55 * t + seed)
        canvas[:horizon] = sky
        lay(canvas, skyline, 300 + bend * 1.5 + 20 * t, horizon)
        middle = WIDTH / 2 + bend * (1 - near) ** 2
        u = (columns[None] - middle[:, None]) / (near * WIDTH * 0.62)[:, None]
        stripe = ((depth + speed * t) % 3.0 < 1.5)[:, None]
        wide = np.abs(u)
        kind = (wide < 1).astype(np.uint8)
        kind[((np.abs(wide - 0.33) < 0.012) & stripe) | ((wide > 0.95) & (wide < 0.98))] = 2
        np.take(inks, kind, axis=0, out=canvas[horizon:])
        for z, side, tall in sorted(((h[0] - speed * t) % 50 + 0.9, h[1], h[2]) for h in houses)[::-1]:
            scale = 150 / z / (HEIGHT - horizon)
            x = WIDTH / 2 + bend * max(0.0, 1 - scale) ** 2 + side * scale * WIDTH * 0.72
            y = horizon + 150 / z
            fog = min(1.0, 4 / z)
            body = tuple(int(a * fog + b * (1 - fog)) for a, b in zip(light.near, light.sky_low, strict=True))
            if z < 45:
                colour: Colour = (body[0], body[1], body[2])
                quad(canvas, [(x, y), (x + side * 300 * scale, y), (x + side * 300 * scale, y - 330 * tall * scale),
                              (x, y - 330 * tall * scale)], colour)  # fmt: skip
                glow(canvas, x - side * 20 * scale, y - 160 * scale, max(4, min(90, int(90 * scale))), light.lamp, fog)
        far = 2.3 + 1.6 * min(1.0, ahead, max(0.0, age) / 1.2)
        scale = 2.2 / far
        x = WIDTH / 2 + 46 * math.sin(1.7 * t + seed) * scale + bend * 0.1
        y = horizon + 150 / far * 1.5
        _rear(canvas, x, y, 92 * scale, RED if seed % 2 else TEAL, brake=math.exp(-age / 0.4))
        sparks(canvas, x, y - 20, age, seed * 13 + which)
        fill(canvas, 322, HEIGHT, (18, 16, 16))
        quad(canvas, [(0, 300), (200, 322), (440, 322), (640, 300), (640, 360), (0, 360)], (18, 16, 16))
        blink = math.sin(15 * t) > 0
        glow(canvas, 120 if blink else 520, 350, 150, (70, 60, 240) if blink else (250, 110, 60), 0.7)

    return draw


def _rear(canvas: Picture, x: float, y: float, half: float, colour: Colour, *, brake: float) -> None:
    """Draw a car from behind; `half` its half width in pixels, (x, y) the middle of its foot."""
    cv2.ellipse(canvas, (int(x), int(y)), (int(half * 1.05), int(half * 0.12)), 0, 0, 360, (12, 10, 10), -1, AA)
    for side in (-1, 1):
        quad(canvas, [(x + side * half * a, y - half * b) for a, b in ((0.9, 0), (0.6, 0), (0.6, 0.3), (0.9, 0.3))],
             (20, 18, 18))  # fmt: skip
    top = [(-0.98, 0.16), (-1, 0.62), (-0.72, 0.72), (-0.52, 1.16), (0.52, 1.16), (0.72, 0.72), (1, 0.62), (0.98, 0.16)]
    quad(canvas, [(x + half * a, y - half * b) for a, b in top], colour)
    pane = [(-0.62, 0.74), (-0.46, 1.08), (0.46, 1.08), (0.62, 0.74)]
    quad(canvas, [(x + half * a, y - half * b) for a, b in pane], (64, 48, 40))
    quad(canvas, [(x + half * a, y - half * b) for a, b in ((-0.3, 0.3), (0.3, 0.3), (0.3, 0.42), (-0.3, 0.42))],
         (210, 215, 215))  # fmt: skip
    for side in (-1, 1):
        lamp = [(side * 0.95, 0.5), (side * 0.66, 0.5), (side * 0.66, 0.6), (side * 0.95, 0.6)]
        quad(canvas, [(x + half * a, y - half * b) for a, b in lamp], (70, 70, 255))
        glow(
            canvas, x + side * half * 0.8, y - half * 0.55, max(3, int(half * 0.6)), (60, 60, 255), 0.35 + 0.65 * brake
        )


def rim(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw a wheel from near by: it strikes the kerb at each hit and smokes."""
    streak = np.random.default_rng(seed).integers(0, 40, (70, 40), np.uint8)

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        fill(canvas, 0, HEIGHT, light.near)
        fill(canvas, 0, 90, light.far)
        blur = cv2.resize(np.roll(streak, -int(t * 90) % 40, axis=1), (WIDTH, 70), interpolation=cv2.INTER_LINEAR)
        fill(canvas, 290, HEIGHT, light.road)
        cv2.add(canvas[290:], cv2.merge([blur, blur, blur]), dst=canvas[290:])
        for k in range(4):
            x = 640 - (t * 900 + k * 330) % 1320
            glow(canvas, x, 60, 110, light.lamp, 0.45)
        jolt = 20 * math.exp(-age / 0.13) * math.cos(30 * age) if age < 1 else 0.0
        wing = ((0, 40), (640, 20), (640, 150), (540, 165), (460, 90), (330, 66), (190, 100), (120, 190), (0, 200))
        quad(canvas, [(float(x), float(y)) for x, y in wing], RED if seed % 3 else TEAL)
        cv2.ellipse(canvas, (320, int(205 - jolt)), (168, 160), 0, 180, 360, (14, 12, 12), -1, AA)
        wheel(canvas, 320, 205 - jolt, 122, t * 21)
        sparks(canvas, 300, 318, age, seed + which * 3, count=80, drift=-500)
        smoke(canvas, 250, 312, age, seed + which, drift=-330)
        smoke(canvas, 330, 318, age - 0.1, seed + which + 50, drift=-300)

    return draw


def dials(light: Palette, _seed: int, hits: Sequence[float]) -> Draw:
    """Draw the dashboard: revs climb, the lever slams into the next gear at each hit."""

    def draw(canvas: Picture, t: float) -> None:
        age, _ = _since(hits, t)
        gears = sum(h <= t for h in hits)
        fill(canvas, 0, HEIGHT, (20, 17, 16))
        fill(canvas, 0, 84, light.far)
        for k in range(3):
            glow(canvas, 680 - (t * 420 + k * 260) % 780, 40, 130, light.lamp, 0.8)
        quad(canvas, [(0, 84), (640, 70), (640, 100), (0, 116)], (34, 30, 30))
        # the needle falls within a sixth of a second and climbs again
        drop = 0.5 * math.exp(-age / 0.9) * min(1.0, age / 0.16)
        rev = (0.86 - drop if gears else min(0.86, 0.2 + 0.5 * t)) + 0.015 * math.sin(40 * t)
        pace = min(0.95, 0.15 + 0.16 * gears + 0.03 * t)
        for x, y, radius, value, hue in ((190, 228, 108, rev, (80, 80, 255)), (400, 236, 86, pace, (120, 220, 255))):
            cv2.circle(canvas, (x, y), radius, (8, 8, 8), -1, AA)
            cv2.circle(canvas, (x, y), radius, (120, 120, 125), 3, AA)
            for k in range(11):
                a = math.radians(140 + 26 * k)
                c, s = math.cos(a), math.sin(a)
                ink = (70, 70, 255) if k > 8 else (215, 215, 215)
                start, end = (int(x + radius * 0.78 * c), int(y + radius * 0.78 * s)), (
                    int(x + radius * 0.92 * c), int(y + radius * 0.92 * s))  # fmt: skip
                cv2.line(canvas, start, end, ink, 3, AA)
            a = math.radians(140 + 260 * value)
            cv2.line(
                canvas, (x, y), (int(x + radius * 0.8 * math.cos(a)), int(y + radius * 0.8 * math.sin(a))), hue, 5, AA
            )
            cv2.circle(canvas, (x, y), 9, (60, 60, 60), -1, AA)
            glow(canvas, x, y, radius, hue, 0.16)
        swing = 1 - math.exp(-age / 0.05) if gears else 0.0
        side = 1 if gears % 2 else -1
        tip = (560 + 26 * side * swing - 26 * side * (1 - swing), 190 + 22 * side * (2 * swing - 1))
        cv2.line(canvas, (560, 345), (int(tip[0]), int(tip[1])), (110, 110, 112), 12, AA)
        cv2.circle(canvas, (int(tip[0]), int(tip[1])), 25, (36, 32, 150), -1, AA)
        glow(canvas, tip[0] - 7, tip[1] - 8, 15, WHITE, 0.6)
        cv2.ellipse(canvas, (560, 352), (64, 30), 0, 180, 360, (44, 40, 40), -1, AA)
        glow(canvas, 320, 200, 300, light.lamp, 0.10 + 0.25 * math.exp(-age / 0.1))

    return draw
