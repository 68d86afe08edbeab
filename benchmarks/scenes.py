# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes of known contacts: balls that fall, bounce off floor and walls, over a moving background.

Contact times are exact (closed-form flight), pictures have 180-degree motion blur, each contact sounds with a level
that follows its speed, over noise and, where asked, late or early against the picture.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

RATE, WIDTH, HEIGHT, SOUND = 25, 320, 180, 48_000


@dataclass(frozen=True)
class Contact:
    """`time` s, `strength` 0..1 of the hardest."""

    time: float
    strength: float


def fly(seed: int, length: float) -> tuple[Any, list[Contact]]:
    """Return (positions every 1/400 s, (n, 2) pixels; contacts) of one ball."""
    dice = np.random.default_rng(seed)
    step = 1 / 400
    place = np.array([dice.uniform(60, 260), dice.uniform(20, 60)])
    speed = np.array([dice.uniform(-160, 160), 0.0])
    radius, gravity = 16.0, 500.0
    path, found = [], []
    for i in range(round(length / step)):
        speed[1] += gravity * step
        place = place + speed * step
        for axis, low, high in ((0, radius, WIDTH - radius), (1, radius, HEIGHT - radius)):
            if place[axis] < low or place[axis] > high:
                hard = abs(float(speed[axis]))
                place[axis] = min(max(place[axis], low), high)
                speed[axis] *= -dice.uniform(0.55, 0.8)
                if hard > 60:
                    found.append(Contact(i * step, hard))
        if abs(speed[1]) < 90 and place[1] > HEIGHT - radius - 3:
            # thrown again
            speed = np.array([dice.uniform(-220, 220), -dice.uniform(300, 420)])
            found.append(Contact(i * step, 0.0))  # as sudden as a contact, and silent: counts neither way
        path.append(place.copy())
    most = max((c.strength for c in found), default=1.0)
    return np.array(path), [Contact(round(c.time, 4), c.strength / most) for c in found]


def background(seed: int) -> Any:
    """Return a large textured picture, uint8 (h, w, 3)."""
    dice = np.random.default_rng(seed)
    layers = [dice.integers(0, 255, (h, w, 3)).astype(np.uint8) for h, w in ((8, 12), (40, 60), (120, 180))]
    size = (2 * WIDTH, 2 * HEIGHT)
    big = [cv2.resize(a, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) for a in layers]
    return np.clip(0.55 * big[0] + 0.3 * big[1] + 0.15 * big[2], 0, 255).astype(np.uint8)


def make(
    path: Path, seed: int, *, length: float = 20.0, camera: str = "still", late: float = 0.0, silent: bool = False
) -> tuple[list[Contact], list[Contact]]:
    """Write a scene; return its contacts of strength 0.3 and more, and the weaker ones."""
    flight, contacts = fly(seed, length)
    wide = background(seed + 100)
    dice = np.random.default_rng(seed + 7)
    wobble = np.cumsum(dice.normal(0, 1.0, (round(length * RATE), 2)), axis=0)
    wobble -= np.linspace(0, 1, len(wobble))[:, None] * wobble[-1]
    colour = [int(c) for c in dice.integers(30, 255, 3)]
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"}
        track: Any = None if silent else box.add_stream("pcm_s16le", rate=SOUND)
        if track is not None:
            track.layout = "mono"
        for k in range(round(length * RATE)):
            x, y = {"still": (60, 40), "pan": (60 + 50 * np.sin(k / 50), 40), "hand": tuple(60 + wobble[k])}[camera]
            view = cv2.getRectSubPix(wide, (WIDTH, HEIGHT), (float(x) + WIDTH / 2, float(y) + HEIGHT / 2))
            total = np.zeros((HEIGHT, WIDTH, 3), np.float32)
            for j in range(8):  # 180-degree shutter
                at = flight[min(len(flight) - 1, k * 16 + j)]
                one = view.copy()
                cv2.circle(one, (round(16 * at[0]), round(16 * at[1])), 16 * 16, colour, -1, cv2.LINE_AA, 4)
                total += one
            noisy = total / 8 + dice.normal(0, 2, (HEIGHT, WIDTH, 1))
            frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, RATE)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
        if track is not None:
            for a, block in enumerate(np.split(_sound(contacts, length, late, dice), round(length))):
                sound = av.AudioFrame.from_ndarray(block.reshape(1, -1), "s16", "mono")
                sound.sample_rate, sound.pts, sound.time_base = SOUND, a * SOUND, Fraction(1, SOUND)
                box.mux(track.encode(sound))
            box.mux(track.encode(None))
    return [c for c in contacts if c.strength >= 0.3], [c for c in contacts if c.strength < 0.3]


def _sound(contacts: list[Contact], length: float, late: float, dice: Any) -> Any:
    wave = 0.003 * dice.standard_normal(round(length) * SOUND)
    for contact in contacts:
        a = round((contact.time + late) * SOUND)
        n = min(round(0.12 * SOUND), len(wave) - a)
        if n > 0 and a >= 0:
            t = np.arange(n) / SOUND
            thud = np.sin(2 * np.pi * dice.uniform(90, 220) * t) * np.exp(-t / 0.04)
            crack = dice.standard_normal(n) * np.exp(-t / 0.006)
            wave[a : a + n] += 0.5 * contact.strength * (thud + 0.7 * crack)
    return np.asarray(np.clip(wave, -1, 1) * 32767, np.int16)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for i, kind in enumerate(("still", "pan", "hand")):
        known, weak = make(folder / f"{kind}.mkv", i, camera=kind)
        print(kind, len(known), len(weak))
