# SPDX-License-Identifier: Apache-2.0
"""The sample shoot: a drawn car chase of twelve takes with blows at known times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from backbeat.make.sample import foley, paint, scenes, scenes_more
from backbeat.media.write import Colour, PictureFormat, SoundFormat, join, write_pictures
from backbeat.work.output import placed

VERSION = 1
RATE = Fraction(24)
BUILDERS: dict[str, scenes.Build] = {
    "street": scenes.street, "pursuit": scenes.pursuit, "rim": scenes.rim, "dials": scenes.dials,
    "above": scenes_more.above, "door": scenes_more.door, "ramp": scenes_more.ramp, "driver": scenes_more.driver,
    "roofs": scenes_more.roofs,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setup:
    """One set-up inside a take: what is drawn, in which light, for how long, and its blows (seconds, kind)."""

    scene: str
    seconds: float
    hits: tuple[tuple[float, str], ...]
    palette: int = 0
    ambience: str = "engine"


@dataclass(frozen=True, slots=True)
class Sample:
    """One take: a file name and its set-ups, one after another (more than one: the take holds source cuts)."""

    name: str
    setups: tuple[Setup, ...]
    seed: int

    @property
    def seconds(self) -> float:
        """Length of the take."""
        return sum(s.seconds for s in self.setups)

    @property
    def hits(self) -> tuple[tuple[float, str], ...]:
        """Every blow as (seconds of the take, kind)."""
        out: list[tuple[float, str]] = []
        begin = 0.0
        for setup in self.setups:
            out += [(begin + time, kind) for time, kind in setup.hits]
            begin += setup.seconds
        return tuple(out)

    @property
    def cuts(self) -> tuple[int, ...]:
        """First frames after a source cut."""
        ends = np.cumsum([s.seconds for s in self.setups])[:-1]
        return tuple(round(float(end) * RATE) for end in ends)


def _one(
    name: str, seed: int, scene: str, seconds: float, hits: str, palette: int = 0, ambience: str = "engine"
) -> Sample:
    return Sample(name, (_setup(scene, seconds, hits, palette, ambience),), seed)


def _setup(scene: str, seconds: float, hits: str, palette: int = 0, ambience: str = "engine") -> Setup:
    pairs = tuple((float(time), kind) for time, kind in (item.split() for item in hits.split(",")))
    return Setup(scene, seconds, pairs, palette, ambience)


SHOOT = (
    _one("A001_street", 1, "street", 11, "2.375 impact, 5.25 impact, 8.5 impact"),
    _one("A002_pursuit", 2, "pursuit", 10, "1.75 impact, 4.625 impact, 8.125 impact"),
    _one("A003_wheel", 3, "rim", 8, "1.5 impact, 4.25 impact, 6.125 impact"),
    _one("A004_dials", 4, "dials", 9, "1.25 shift, 3.5 shift, 6.0 shift", 1),
    _one("A005_above", 5, "above", 10, "2.0 impact, 5.125 impact, 7.75 impact"),
    _one("A006_door", 6, "door", 9, "3.0 slam, 5.5 slam", 2, "street"),
    _one("A007_jump", 7, "ramp", 9, "2.5 landing, 6.25 landing", 2),
    _one("A008_driver", 8, "driver", 10, "2.25 impact, 6.5 impact"),
    _one("A009_roofs", 9, "roofs", 10, "3.0 blast, 7.0 blast", 1, "air"),
    _one("A010_night", 12, "street", 10, "1.625 impact, 4.875 impact, 7.5 impact", 1),
    Sample("A011_mixed", (_setup("pursuit", 6, "2.5 impact", 1), _setup("ramp", 5, "3.0 landing", 0)), 10),
    Sample("A012_mixed", (_setup("dials", 4, "1.75 shift", 0), _setup("above", 6, "2.5 impact, 4.5 impact", 1)), 13),
)  # fmt: skip


def pictures(sample: Sample) -> Iterator[av.VideoFrame]:
    """Draw a take picture by picture (yuv420p, BT.601 matrix, limited range)."""
    shade = paint.vignette()
    canvas = np.zeros((paint.HEIGHT, paint.WIDTH, 3), np.uint8)
    for setup in sample.setups:
        draw = BUILDERS[setup.scene](paint.PALETTES[setup.palette], sample.seed, [time for time, _ in setup.hits])
        for n in range(round(setup.seconds * RATE)):
            now = float(n / RATE)
            draw(canvas, now)
            picture = canvas
            past = [(now - time, kind) for time, kind in setup.hits if time <= now + 1e-6]
            if past:
                age, kind = min(past)
                soft = kind in {"shift", "slam"}
                picture = paint.blow(canvas, age, 0.55 if soft else 1.0, white=0.0 if soft else 0.45)
            cv2.multiply(picture, shade, dst=picture, scale=1 / 255)
            planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
            yield av.VideoFrame.from_ndarray(planes, format="yuv420p")


def write(job: tuple[Sample, str]) -> str:
    """Draw one take into a file; a module-level job of small values, for `work.pool`. Return the file's path."""
    sample, path = job
    cv2.setNumThreads(1)
    form = PictureFormat(
        "libx264", paint.WIDTH, paint.HEIGHT, RATE, options=(("preset", "superfast"), ("crf", "20")),
        colour=Colour(matrix=6), gop=24, threads=1,
    )  # fmt: skip
    sound = foley.production(sample.seconds, sample.hits, sample.seed, ambience=sample.setups[0].ambience)
    with placed(path) as whole:
        silent = f"{whole}.silent.mp4"
        try:
            for _ in write_pictures(silent, pictures(sample), form):
                pass
            for _ in join(whole, [silent], form, iter([np.stack([sound, sound])]), SoundFormat(bit_rate=128_000)):
                pass
        finally:
            Path(silent).unlink(missing_ok=True)
    return path
