# SPDX-License-Identifier: Apache-2.0
"""Tiny films with known truth, made on the fly."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 160, 90


def scenery(seed: int, width: int = 2 * WIDTH, height: int = 2 * HEIGHT) -> Any:
    """Return a smooth coloured picture (height, width, 3) uint8 that no other seed resembles."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (6, 10, 3)).astype(np.uint8)
    fine = random.integers(0, 255, (18, 32, 3)).astype(np.uint8)
    big = [cv2.resize(c, (width, height), interpolation=cv2.INTER_CUBIC) for c in (coarse, fine)]
    return cv2.addWeighted(big[0], 0.7, big[1], 0.3, 0)


def pan(seed: int, count: int, speed: float = 0.7) -> list[Any]:
    """Return `count` pictures of a slow pan over a scenery."""
    wide = scenery(seed)
    out = []
    for i in range(count):
        x = (i * speed) % WIDTH
        shift = np.array([[1, 0, -x], [0, 1, -20]], np.float32)
        out.append(cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    return out


def write(
    path: Path | str,
    pictures: Iterable[Any],
    *,
    rate: Fraction | int = 25,
    sound: Any = None,
    sound_rate: int = 48_000,
    sound_start: float = 0.0,
    ticks: list[int] | None = None,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> str:
    """Write a film; `ticks` are the pictures' times in 1/1000 s (variable rate) and `sound` mono float."""
    path = str(path)
    with av.open(path, "w") as box:
        stream: Any = box.add_stream(codec, rate=rate)
        stream.pix_fmt = pixels
        stream.options = options if options is not None else {"crf": "18", "preset": "ultrafast"}
        base = Fraction(1, 1000) if ticks else 1 / Fraction(rate)
        first = True
        track: Any = None
        if sound is not None:
            track = box.add_stream("pcm_s16le" if not path.endswith(".mp4") else "aac", rate=sound_rate)
            track.layout = "mono"
        for i, picture in enumerate(pictures):
            if first:
                stream.height, stream.width = picture.shape[:2]
                stream.codec_context.time_base = base
                first = False
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(format=pixels)
            frame.pts = ticks[i] if ticks else i
            frame.time_base = base
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
        if track is not None:
            wave = np.asarray(np.clip(sound, -1, 1) * 32767, np.int16).reshape(1, -1)
            for a in range(0, wave.shape[1], 1024):
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, a : a + 1024]), "s16", "mono")
                block.sample_rate = sound_rate
                block.pts = a + round(sound_start * sound_rate)
                block.time_base = Fraction(1, sound_rate)
                box.mux(track.encode(block))
            box.mux(track.encode(None))
    return path


def clicks(times: list[float], length: float, rate: int = 48_000, seed: int = 0) -> Any:
    """Return quiet noise with loud, decaying bursts at `times` (s)."""
    random = np.random.default_rng(seed)
    wave = 0.001 * random.standard_normal(round(length * rate))
    tail = np.exp(-np.arange(round(0.15 * rate)) / (0.02 * rate))
    for t in times:
        a = round(t * rate)
        part = wave[a : a + len(tail)]
        part += 0.6 * tail[: len(part)] * random.standard_normal(len(part))
    return np.clip(wave, -1, 1)
