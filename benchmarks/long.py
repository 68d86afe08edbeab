# SPDX-License-Identifier: Apache-2.0
"""Long films and many cuts: wrong pictures, where the sound lies from start to end, CPU and memory.

    uv run python benchmarks/long.py [--minutes 30] [--clip 40] [--size 160x90] [--rate 25] [--keep FOLDER]

Two barcoded takes of a minute are cut into clips of `--clip` frames with their own sound. Every picture of the film is
decoded to (take, frame); the sound is compared with the takes' at the start, in the middle and at the end, where the
picture says which sound belongs there: what is told is the offset of sound to picture.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def main() -> None:
    from backbeat.make.film import render
    from backbeat.media.probe import probe
    from backbeat.model.timeline import Clip, Timeline, Track
    from kit import coded

    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clip", type=int, default=40)
    parser.add_argument("--size", default="160x90")
    parser.add_argument("--rate", default="25")
    parser.add_argument("--keep", default="")
    given = parser.parse_args()
    folder = Path(given.keep or tempfile.mkdtemp(prefix="backbeat-long-"))
    folder.mkdir(exist_ok=True)
    rate = Fraction(given.rate)
    width, height = (int(n) for n in given.size.split("x"))
    length = int(60 * rate) if width < 640 else int(15 * rate)
    paths = [str(folder / f"take{take}-{width}.mp4") for take in (1, 2)]
    for take, path in enumerate(paths, 1):
        if not Path(path).exists():
            options = {"preset": "veryfast", "crf": "20", "bf": "3"}
            coded.write_take(path, take, frames=length, rate=rate, size=(width, height), gop=50, options=options)
    rng = np.random.default_rng(3)
    frames = round(given.minutes * 60 * rate)
    clips, at = [], 0
    while at < frames:
        n = min(given.clip, frames - at)
        clips.append(Clip(at, n, paths[len(clips) % 2], int(rng.integers(0, length - n)), rate, sound_gain_db=0.0))
        at += n
    media = tuple(probe(p) for p in paths)
    timeline = Timeline("long", rate, width, height, frames, (Track(tuple(clips)),), takes=media)
    film = str(folder / "film.mp4")
    before = resource.getrusage(resource.RUSAGE_SELF)
    made = render(timeline, film)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    read = coded.read_film(film)
    wanted = coded.expected_codes(timeline, {p: i for i, p in enumerate(paths, 1)})
    wrong = sum(a != b for a, b in zip(read.codes, wanted, strict=True))
    late = max(abs(t - float(i / rate)) for i, t in enumerate(read.times))
    heard = coded.read_samples(film)
    offsets = []
    for clip in (clips[0], clips[len(clips) // 2], clips[-2]):
        sound = coded.take_sound(1 + paths.index(clip.take), float(length / rate))[0]
        a, b, n = (round(float(x / rate) * 48_000) for x in (clip.start, clip.source_in, clip.frames))
        offsets.append(1000 * coded.lag(heard[a + 200 : a + n - 200], sound[b + 200 : b + n - 200])[0])
    print(f"{frames} frames of {width}x{height} at {rate}, {len(clips)} clips; {cpu:.1f} CPU s, {made.seconds:.1f} s")
    print(f"peak {after.ru_maxrss // 1024} MB; {wrong} wrong pictures; time stamps within {1000 * late:.3f} ms")
    print(
        "sound against picture at the start, in the middle, at the end (ms): " + " ".join(f"{o:+.3f}" for o in offsets)
    )
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
