# SPDX-License-Identifier: Apache-2.0
"""What watching costs over decoding, CPU seconds measured side by side in one process.

    python benchmarks/speed_watch.py FOLDER             one take, decoded by threads
    python benchmarks/speed_watch.py FOLDER --worker    as one of several workers: one thread each, both sides

FOLDER keeps camera-like test footage (1080p H.264 at about 15 Mbit/s, 720p, 360p; textured, moving, grainy).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from backbeat.watch.look import look

SIZES = {"1080p 15 Mbit/s": (1920, 1080, 15), "720p 6 Mbit/s": (1280, 720, 6), "360p 1.5 Mbit/s": (640, 360, 1.5)}
SECONDS, RATE = 8, 25


def footage(path: Path, width: int, height: int, megabits: float) -> None:
    """Write a handheld pan over a textured picture, with grain and a tone."""
    dice = np.random.default_rng(1)
    coarse = cv2.resize(dice.integers(0, 255, (60, 100, 3)).astype(np.uint8), (2 * width, 2 * height))
    fine = cv2.resize(dice.integers(0, 255, (540, 960, 3)).astype(np.uint8), (2 * width, 2 * height))
    wide = cv2.addWeighted(coarse, 0.7, fine, 0.3, 0)
    grain = [dice.normal(0, 3, (height, width, 1)).astype(np.int16) for _ in range(6)]
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = round(megabits * 1e6)
        rate = f"{megabits}M"  # held each second, as cameras do: no first picture of a whole second's bits
        stream.options = {"preset": "fast", "g": "50", "maxrate": rate, "bufsize": rate}
        track: Any = box.add_stream("aac", rate=48_000)
        for k in range(SECONDS * RATE):
            x, y = width * 0.2 + k * width / 500 + dice.normal(0, 2), height * 0.3 + dice.normal(0, 2)
            view = cv2.getRectSubPix(wide, (width, height), (x + width / 2, y + height / 2))
            noisy = np.clip(view.astype(np.int16) + grain[k % 6], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, RATE)
            box.mux(stream.encode(frame))
            tone = (0.1 * np.sin(np.arange(1920) / 20)).astype(np.float32)
            sound = av.AudioFrame.from_ndarray(np.stack([tone, tone]), "fltp", "stereo")
            sound.sample_rate, sound.pts, sound.time_base = 48_000, k * 1920, Fraction(1, 48_000)
            box.mux(track.encode(sound))
        box.mux(stream.encode(None))
        box.mux(track.encode(None))


def decode(path: Path) -> int:
    """Decode every picture and all sound, and do nothing with them."""
    count = 0
    with av.open(str(path)) as box:
        box.streams.video[0].thread_type = "AUTO" if parent_process() is None else "NONE"
        for frame in box.decode(box.streams.video[0], box.streams.audio[0]):
            count += isinstance(frame, av.VideoFrame)
    return count


def cpu(works: Sequence[Callable[[], object]], times: int = 5) -> list[float]:
    """Return the least CPU seconds of each work, done in turns so that all see the same machine."""
    costs: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for work, cost in zip(works, costs, strict=True):
            began = time.process_time()
            work()
            cost.append(time.process_time() - began)
    return [min(cost) for cost in costs]


def measure(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    print("| footage | decode, ms a picture | watch, ms a picture | ratio | over decode |\n|---|---|---|---|---|")
    for name, (width, height, megabits) in SIZES.items():
        path = folder / f"{height}p.mp4"
        if not path.exists():
            footage(path, width, height, megabits)
        count = decode(path)
        look(str(path))  # whatever loads but once
        both = cpu([lambda path=path: decode(path), lambda path=path: look(str(path))])
        plain, whole = (seconds / count * 1000 for seconds in both)
        print(f"| {name} | {plain:.2f} | {whole:.2f} | {whole / plain:.2f} | +{whole - plain:.2f} ms |", flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    if "--worker" not in sys.argv:
        measure(folder)
        return
    worker = get_context("spawn").Process(target=measure, args=(folder,))
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()
