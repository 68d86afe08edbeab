# SPDX-License-Identifier: Apache-2.0
"""More set-ups of the sample shoot: from above, at the door, over the ramp, at the wheel, over the roofs."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
)
from backbeat.make.sample.scenes import Draw, _backdrop, _since, _street


def above(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Two cars from the air, side by side; they touch at each hit."""
    rng = np.random.default_rng(seed)
    roofs = [(int(y), int(w)) for y, w in zip(np.arange(0, 1200, 100), rng.integers(90, 175, 12), strict=True)]

    def top(canvas: Picture, x: float, y: float, turn: float, colour: Colour, *, bar: bool, blink: float) -> None:
        c, s = math.cos(turn), math.sin(turn)

        def at(u: float, v: float) -> tuple[float, float]:
            return x + c * u - s * v, y + s * u + c * v

        for side in (-1, 1):
            gx, gy = at(side * 13, -74)
            glow(canvas, gx, gy, 46, (160, 215, 235), 0.55)
        quad(canvas, [at(*p) for p in ((-23, -46), (-15, -54), (15, -54), (23, -46), (23, 48), (-23, 48))], colour)
        quad(canvas, [at(*p) for p in ((-18, -22), (18, -22), (15, -8), (-15, -8))], (70, 50, 40))
        quad(canvas, [at(*p) for p in ((-15, 24), (15, 24), (18, 36), (-18, 36))], (70, 50, 40))
        if bar:
            glow(canvas, *at(-10, 4), 44, (70, 60, 255), blink)
            glow(canvas, *at(10, 4), 44, (255, 110, 60), 1 - blink)
        for side in (-1, 1):
            glow(canvas, *at(side * 17, 50), 16, (60, 60, 255), 0.8)

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        ahead = min((h - t for h in hits if h > t), default=2.0)
        run = 620 * t
        fill(canvas, 0, HEIGHT, light.road)
        for x in (232, 408):
            for k in range(-1, 5):
                y = k * 100 + run % 100
                quad(canvas, [(x - 3, y), (x + 3, y), (x + 3, y + 52), (x - 3, y + 52)], light.mark)
        for y, w in roofs:
            place = (y + run) % 1200 - 200
            for x0, x1, hue in ((0, w - 40, light.near), (WIDTH - w + 40, WIDTH, light.far)):
                cv2.rectangle(canvas, (x0, int(place)), (x1, int(place) + 92), hue, -1)
                cv2.rectangle(canvas, (x0 + 10, int(place) + 12), (x0 + 34, int(place) + 30), light.window, -1)
        apart = 50 + 64 * min(1.0, ahead * 1.6, age / 0.9)
        sway = 30 * math.sin(0.8 * t + seed)
        yaw = 0.05 * math.sin(2.1 * t) + (0.32 * math.exp(-age / 0.3) * math.sin(9 * age) if age < 2 else 0)
        hero = (320 + sway + apart / 2, 190 - 26 * math.sin(0.7 * t))
        top(canvas, *hero, yaw, RED if seed % 2 else TEAL, bar=False, blink=0)
        blink = float(math.sin(15 * t) > 0)
        other = (hero[0] - apart, 206.0)
        top(canvas, *other, -yaw * 0.6, POLICE, bar=True, blink=blink)
        sparks(canvas, hero[0] - 25, 200, age, seed * 5 + which, drift=0)

    return draw


def door(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw a parked car: its door swings shut at the first hit, the lights flare at the second, and it leaves."""
    layers = _backdrop(light, seed, 236)

    def draw(canvas: Picture, t: float) -> None:
        first = hits[0]
        leave = max(0.0, t - (hits[1] if len(hits) > 1 else 99.0) - 0.1)
        move = 80 * leave * leave
        _street(canvas, light, layers, 3 * t, 306)
        x = 110 + move
        # The man walks to the door and gets in.
        if t < first - 0.5:
            px = 520 - 150 * min(1.6, t)
            quad(canvas, [(px - 11, 318), (px - 3, 250), (px + 5, 250), (px + 13, 318)], (22, 18, 20))
            quad(canvas, [(px - 13, 262), (px - 10, 208), (px + 12, 208), (px + 14, 262)], (30, 24, 60))
            cv2.circle(canvas, (int(px + 1), 194), 13, (90, 120, 170), -1, AA)
        car(canvas, x + 60, 322, 420, RED, roll=move / 33, squat=4 * math.exp(-abs(t - first) / 0.1))
        swing = 0.0 if t >= first else min(1.0, (first - t) / 0.35) if first - t < 0.35 else 1.0
        swing = min(swing, max(0.0, (t - 0.3) / 0.5))
        hinge, width, y = x + 256, 96, 322
        reach = hinge - width * math.cos(1.15 * swing)
        drop = 34 * swing
        quad(
            canvas, [(hinge, y - 138), (reach, y - 138 + drop), (reach, y - 40 + drop), (hinge, y - 40)], (36, 30, 170)
        )
        pane = [(hinge - 4, y - 132), (reach + 6, y - 132 + drop), (reach + 6, y - 100 + drop), (hinge - 4, y - 100)]
        quad(canvas, pane, (84, 64, 52))
        if len(hits) > 1 and t >= hits[1]:
            flare = 0.5 + 0.9 * math.exp(-(t - hits[1]) / 0.15)
            glow(canvas, x + 410, 262, 150, (190, 235, 255), flare)
            smoke(canvas, x + 20, 322, (t - hits[1]) % 1.4, seed, drift=-190)

    return draw


def ramp(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw the jump: the red car flies and lands at each hit."""
    layers = _backdrop(light, seed, 236)
    ground, flight = 306, 1.15

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        ahead = min((h - t for h in hits if h > t), default=99.0)
        shift = 600 * t
        _street(canvas, light, layers, shift, ground)
        lift, tilt = 0.0, 0.0
        if ahead < flight:
            p = 1 - ahead / flight
            lift = 118 * 4 * p * (1 - p)
            tilt = 0.30 * (1 - 2 * p)
        for h in hits:  # the ramp runs by under the take-off
            x = 330 + 600 * (h - flight - t)
            if -260 < x < 700:
                quad(canvas, [(x - 150, ground + 6), (x + 62, ground - 42), (x + 62, ground + 6)], (70, 90, 120))
                cv2.line(canvas, (int(x - 150), ground + 6), (int(x + 62), ground - 42), (150, 180, 210), 4, AA)
        squat = 13 * math.exp(-age / 0.16) * math.cos(19 * age) if age < 1.5 else 0.0
        cv2.ellipse(canvas, (360, ground + 8), (int(130 - lift * 0.4), 9), 0, 0, 360, (16, 14, 14), -1, AA)
        car(
            canvas,
            270,
            ground - lift,
            252,
            RED if seed % 2 else TEAL,
            roll=t * 26,
            tilt=tilt,
            squat=squat + math.sin(21 * t),
        )
        for place in (275, 430):
            sparks(canvas, place, ground - 4, age, seed + which + place, count=34, drift=-420)
            smoke(canvas, place, ground + 2, age, seed + which * 3 + place, drift=-320)

    return draw


def driver(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw the driver's profile; lamps sweep over him, and the rear window bursts at each hit."""
    skyline = city(seed + 3, 150, light.near, light.window, lit=0.4)

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        fill(canvas, 0, HEIGHT, light.sky_low)
        lay(canvas, skyline, 760 * t, 250)
        fill(canvas, 250, HEIGHT, light.road)
        for k in range(3):
            glow(canvas, 700 - (t * 640 + k * 300) % 900, 70, 120, light.lamp, 0.9)
        frame: Colour = (26, 22, 22)
        quad(canvas, [(0, 0), (640, 0), (640, 34), (0, 46)], frame)
        quad(canvas, [(0, 236), (640, 250), (640, 360), (0, 360)], frame)
        quad(canvas, [(196, 0), (236, 0), (206, 300), (160, 300)], frame)
        nod = 3 * math.sin(5.3 * t) + (16 * math.exp(-age / 0.2) if age < 1 else 0)
        skin, dark = (64, 84, 128), (30, 26, 30)
        x, y = 380 + nod, 170 + nod * 0.4
        quad(canvas, [(x - 96, 360), (x - 74, y + 92), (x - 22, y + 66), (x + 44, y + 78), (x + 76, 360)], dark)
        quad(canvas, [(x - 22, y + 88), (x - 26, y + 36), (x + 30, y + 36), (x + 26, y + 88)], skin)
        cv2.ellipse(canvas, (int(x + 4), int(y)), (50, 62), 8, 0, 360, skin, -1, AA)
        quad(canvas, [(x + 48, y - 8), (x + 70, y + 18), (x + 46, y + 24)], skin)
        cv2.ellipse(canvas, (int(x - 6), int(y - 20)), (54, 50), 8, 150, 330, dark, -1, AA)
        quad(canvas, [(x + 6, y - 12), (x + 56, y - 16), (x + 54, y + 4), (x + 12, y + 6)], (16, 14, 14))
        quad(canvas, [(470, 262), (560, 232), (600, 250), (520, 330)], (44, 40, 40))
        sweep = (t * 640) % 300
        glow(canvas, 640 - sweep * 2.4, 150, 170, light.lamp, 0.32)
        if age < 1.6:  # cracks in the rear window behind him
            rng = np.random.default_rng(seed + which)
            reach = min(1.0, age / 0.04)
            for a in rng.uniform(0, 2 * math.pi, 17):
                far = rng.uniform(40, 120) * reach
                end = (int(96 + far * math.cos(a)), int(130 + far * 0.8 * math.sin(a)))
                cv2.line(canvas, (96, 130), end, (235, 240, 240), 1 if far < 80 else 2, AA)
            glow(canvas, 96, 130, 130, (140, 220, 255), max(0.0, 1 - age / 0.3))
            sparks(canvas, 100, 130, age, seed + which, count=30, drift=260)

    return draw


def roofs(light: Palette, seed: int, hits: Sequence[float]) -> Draw:
    """Draw the town from afar, a helicopter with its searchlight, a fireball between the houses at each hit."""
    sky = gradient(light.sky_top, light.sky_low, HEIGHT)
    far = city(seed, 170, light.far, light.window, lit=0.22)
    near = city(seed + 1, 120, light.near, light.window, lit=0.3)
    beam = np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def draw(canvas: Picture, t: float) -> None:
        age, which = _since(hits, t)
        canvas[:] = sky
        glow(canvas, 520 - 6 * t, 70, 44, (215, 235, 245), 1.0)
        lay(canvas, far, 22 * t + seed * 90, 330)
        place = (210 + 190 * (which % 2), 268)
        if age < 2.2:
            size = int(40 + 120 * min(1.0, age / 0.25))
            fade = math.exp(-age / 0.7)
            glow(canvas, *place, size + 60, (40, 110, 255), fade)
            glow(canvas, place[0], place[1] - 46 * age, size, (90, 190, 255), fade)
            sparks(canvas, *place, age, seed + which, count=60)
            smoke(canvas, place[0], place[1] - 50 * age, age * 0.6, seed + which, drift=30)
        lay(canvas, near, 60 * t + seed * 50, HEIGHT)
        x, y = 90 + 70 * t, 92 + 12 * math.sin(1.4 * t)
        aim = x + 120 + 90 * math.sin(1.1 * t)
        beam[:] = 0
        quad(beam, [(x + 8, y + 12), (aim - 56, 350), (aim + 56, 350)], (80, 84, 84))
        cv2.add(canvas, beam, dst=canvas)
        cv2.ellipse(canvas, (int(x), int(y)), (24, 11), 0, 0, 360, (14, 12, 12), -1, AA)
        cv2.line(canvas, (int(x - 20), int(y - 2)), (int(x - 62), int(y - 8)), (14, 12, 12), 5, AA)
        spread = 44 * abs(math.cos(31 * t)) + 6
        cv2.line(canvas, (int(x - spread), int(y - 15)), (int(x + spread), int(y - 15)), (40, 40, 40), 2, AA)
        glow(canvas, x + 10, y + 10, 20, WHITE, 0.9)
        if math.sin(6 * t) > 0.4:
            glow(canvas, x - 60, y - 8, 14, (60, 60, 255), 1.0)

    return draw
