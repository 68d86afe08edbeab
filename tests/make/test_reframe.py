# SPDX-License-Identifier: Apache-2.0
"""A tall crop of a wide picture goes where something moves."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from backbeat.make.film import render
from backbeat.make.settings import RenderSettings
from backbeat.model.timeline import Clip
from make.films import edit

RATE = Fraction(25)


def _walk(path: Path, first: float, last: float) -> None:
    """Write two seconds of a bright square that bobs as it goes from `first` to `last`, shares of the width."""
    with av.open(str(path), "w") as box:
        stream = box.add_stream("libx264", rate=RATE, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for n in range(50):
            picture = np.full((180, 320, 3), 60, np.uint8)
            x, y = round(320 * (first + (last - first) * n / 49)), 90 + round(30 * np.sin(n))
            picture[y - 12 : y + 12, x - 12 : x + 12] = 240
            box.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        box.mux(stream.encode())


def _seen(film: str) -> float:
    """Return in which share of the pictures the square is."""
    with av.open(film) as box:
        return float(np.mean([(f.to_ndarray(format="gray") > 180).sum() > 30 for f in box.decode(video=0)]))


def test_the_crop_follows_what_moves(tmp_path: Path) -> None:
    for name, first, last in (("left", 0.15, 0.15), ("right", 0.85, 0.85), ("walk", 0.2, 0.8)):
        take = tmp_path / f"{name}.mp4"
        _walk(take, first, last)
        timeline = edit([Clip(0, 50, str(take), 0, RATE)], RATE, size=(320, 180))
        seen = {}
        for reframe in ("centre", "follow"):
            film = str(tmp_path / f"{name}-{reframe}.mp4")
            render(timeline, film, settings=RenderSettings(size=(100, 180), fit="fill", reframe=reframe))
            seen[reframe] = _seen(film)
        assert seen["follow"] > 0.9, name
        assert seen["centre"] < 0.7, name  # the walk is in the middle for 124 of 192 columns
