# SPDX-License-Identifier: Apache-2.0
"""Scenes that were perfect on the beat, disturbed, and brought back: quality and CPU of the exact alignment.

    python benchmarks/sync.py

Each cut of a planted edit is moved by up to five frames at either side; hits move with their pictures. Rates are at
+-1 frame; *chance* is what frames anywhere would reach.
"""

import time
from fractions import Fraction

import numpy as np

from backbeat.decide.align import FREE, Grid, Limits, SyncShot, cuts_of, sync

RATE = Fraction(24)


def plant(n: int, seed: int, *, bpm: float = 120.0, jitter: int = 5, talk: float = 0.4) -> tuple[list[SyncShot], float]:
    rng = np.random.default_rng(seed)
    per = 60 / bpm * 24
    edges, shots = [0.0], []
    for _ in range(n):
        beats = int(rng.choice([1, 2, 2, 4, 4, 8], p=[0.1, 0.2, 0.2, 0.2, 0.2, 0.1]))
        k = min(beats, int(rng.integers(0, 4)))
        on = edges[-1] + np.sort(rng.choice(np.arange(beats), k, replace=False)) * per
        shots.append((on, rng.uniform(0.4, 1, k)))
        edges.append(edges[-1] + beats * per)
    cuts = np.round(edges).astype(int)
    out = []
    for i, (on, strength) in enumerate(shots):
        head, tail = (int(v) for v in rng.integers(-jitter, jitter + 1, 2))
        frames = max(8, int(cuts[i + 1] - cuts[i]) - head + tail)
        hits = [(float(t - cuts[i] - head), float(s)) for t, s in zip(on, strength, strict=True)]
        speaks = rng.random() < talk
        out.append(
            SyncShot(
                frames, 20, 20, tuple(h for h in hits if 0 <= h[0] < frames), 3 if speaks else FREE,
                3 if speaks else FREE, speeds=(0.97, 1.03) if speaks else (0.9, 0.97, 1.03, 1.1),
            )
        )  # fmt: skip
    return out, per


def on_beat(frames: list[float], per: float, song_in: float) -> float:
    away = (np.asarray(frames, float) + song_in * 24 + per / 2) % per - per / 2
    return float((np.abs(away) <= 1.01).mean())


def main() -> None:
    print("| shots | talking | tempo | cuts before | cuts after | hits before | hits after | run-time change | CPU |")
    print("|---|---|---|---|---|---|---|---|---|")
    cases = [(60, 0.4, 120), (250, 0, 120), (250, 0.4, 120), (250, 1, 120), (250, 0.4, 97.3), (1000, 0.4, 120)]
    for n, talk, bpm in cases:
        rows = []
        for seed in range(3):
            shots, per = plant(n, seed, bpm=bpm, talk=talk)
            seconds = sum(s.frames for s in shots) / 24
            times = np.arange(0, seconds + 90, per / 24)
            grid = Grid(tuple(times), tuple(np.where(np.arange(len(times)) % 4 == 0, 1.0, 0.75)))
            began = time.process_time()
            found = sync(shots, grid, RATE, Limits(), np.arange(0, 60, 1 / 48))
            spent = time.process_time() - began
            assert found is not None
            starts = cuts_of(shots)
            before = [a + h for a, s in zip(starts[:-1], shots, strict=True) for h, _ in s.hits]
            after = [
                c.start + (h - c.head) / c.speed
                for c, s in zip(found.changes, shots, strict=True)
                for h, _ in s.hits
                if 0 <= (h - c.head) / c.speed < c.end - c.start
            ]
            rows.append((
                on_beat(list(starts[1:-1]), per, found.song_in),
                on_beat([c.start for c in found.changes[1:]], per, found.song_in),
                on_beat(before, per, found.song_in),
                on_beat(after, per, found.song_in) * len(after) / max(1, len(before)),
                found.changes[-1].end - starts[-1],
                spent,
            ))  # fmt: skip
        c0, c1, h0, h1, _, cpu = np.mean(rows, axis=0)
        most = max(abs(r[4]) for r in rows)
        print(
            f"| {n} | {talk:.0%} | {bpm:g} | {c0:.2f} | {c1:.2f} | {h0:.2f} | {h1:.2f} | {most} frames | {cpu:.2f} s |"
        )


if __name__ == "__main__":
    main()
