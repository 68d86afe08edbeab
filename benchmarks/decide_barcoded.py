# SPDX-License-Identifier: Apache-2.0
"""The shoot of ``decide.py`` with real files: twelve barcoded takes, a song of a minute, the film read back.

Nothing that the program says of itself is used: which source picture a film picture shows is read from its code, the
beats are those of the song as it was synthesised, the hits those that were drawn. Only "planned beats" are the beats
that the program heard (markers of its timeline).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from decide_common import Records, Row, column

from backbeat.exchange import otio
from kit import coded

SECONDS, FIRST, TEMPI = 60.0, 0.37, (96.0, 108.0, 120.0, 126.0, 140.0)


def barcoded(records: Records, options: argparse.Namespace) -> None:
    """Print how hits and cuts of films made through the command line fall."""
    folder = options.folder / "barcoded"
    rows = [
        records.get(f"barcoded {options.style} {seed}", lambda seed=seed: _film(folder, options.style, seed))
        for seed in range(options.seeds or len(TEMPI))
    ]
    print("| film | pictures wrong | hits ±1 frame (chance) | cuts on planned beats | on true beats | beats cut |")
    print("|---|---|---|---|---|---|")
    names = [(f"{TEMPI[k % len(TEMPI)]:g} bpm", [row]) for k, row in enumerate(rows)]
    for label, some in (*names, (f"**{len(rows)} films**", rows)):
        total = {k: column(some, k).sum() for k in ("wrong", "hits", "on", "cuts", "planned", "true", "beats")}
        print(
            f"| {label} | {total['wrong']:.0f} |"
            f" {total['on'] / total['hits']:.1%} of {total['hits']:.0f} ({np.mean(column(some, 'chance')):.0%}) |"
            f" {total['planned'] / total['cuts']:.1%} of {total['cuts']:.0f} | {total['true'] / total['cuts']:.1%} |"
            f" {total['cuts'] / total['beats']:.0%} |"
        )


def shoot(folder: Path, seed: int) -> dict[str, coded.Coded]:
    """Write twelve takes of 7 to 10 s, with two to four hits each at least 0.8 s apart."""
    takes, rng = {}, np.random.default_rng(300 + seed)
    folder.mkdir(parents=True)
    for i in range(12):
        frames, count = int(rng.integers(170, 240)), int(rng.integers(2, 5))
        room = frames / 24 - 1.0
        hits = [0.5 + float(h) for h in (np.arange(count) + rng.uniform(0.1, 0.6, count)) * room / count]
        path = folder / f"take {i:02d}.mp4"
        takes[str(path)] = coded.write_take(path, 20 + i, frames=frames, hits=hits)
    return takes


def _film(folder: Path, style: str, seed: int) -> Row:
    bpm = TEMPI[seed % len(TEMPI)]
    place = folder / f"{style}-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    takes = shoot(place / "shoot", seed)
    coded.write_song(place / "song.wav", bpm, SECONDS, first=FIRST)
    film = place / "film.mp4"
    command = [sys.executable, "-m", "backbeat", "cut", place / "shoot", place / "song.wav", "-o", film, "--force"]
    command += ["--json", "--progress", "none", "--style", style, "--length", "song"]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    said = json.loads(done.stdout)
    timeline, read = otio.load(str(film.with_suffix(".otio"))), coded.read_film(film)
    shutil.rmtree(place)
    rate = float(timeline.rate)
    ids = {path: take.take for path, take in takes.items()}
    wrong = sum(a != b for a, b in zip(read.codes, coded.expected_codes(timeline, ids), strict=True))
    codes = read.codes
    cuts = [n for n, (a, b) in enumerate(pairwise(codes), 1) if a and b and (a[0] != b[0] or not 0 <= b[1] - a[1] <= 2)]
    shown: dict[tuple[int, int], int] = {}
    for n, code in enumerate(codes):
        if code:
            shown.setdefault(code, n)
    edges = np.array([0, *cuts, len(codes)])
    seen = []
    for take in takes.values():
        for hit in take.hits:
            here = [shown.get((take.take, round(hit * 24) + d)) for d in (0, 1)]
            at = next((n for n in here if n is not None), None)
            # In a clip's first or last two pictures nobody sees a hit.
            if at is not None and np.abs(edges - at).min() >= 2:
                seen.append(at)
    true = np.array(coded.song_beats(bpm, SECONDS, first=FIRST)) - said["song_in"]
    heard = np.array([m.time for m in timeline.markers if m.kind in {"beat", "downbeat"}])

    def near(frames: list[int], beats: np.ndarray) -> int:
        frame = np.round(beats * rate)
        return sum(int(np.abs(frame - f).min()) <= 1 for f in frames)

    return {"wrong": wrong, "hits": len(seen), "on": near(seen, true), "cuts": len(cuts), "planned": near(cuts, heard),
            "true": near(cuts, true), "beats": len(true), "chance": 3 / (rate * 60 / bpm),
            "seconds": len(codes) / rate}  # fmt: skip
