# SPDX-License-Identifier: Apache-2.0
"""Songs and footage made up from a seed, as facts: nothing is decoded."""

from fractions import Fraction

import numpy as np

from backbeat.model.footage import Hit, Media, Shot, Take
from backbeat.model.song import Beat, Section, Song

RATE = Fraction(24)


def song(
    seconds: float, *, bpm: float = 120.0, bpm_end: float = 0.0, per_bar: int = 4, seed: int = 0, jitter: float = 0.004
) -> Song:
    """Return a song with beats (0.1 s after zero), sections of eight bars and an energy that changes with them.

    With `bpm_end` the tempo goes evenly (in beats a second) from `bpm` to that.
    """
    rng = np.random.default_rng(seed)
    period = 60.0 / bpm
    times = np.arange(0.1, seconds - 0.3, period)
    if bpm_end:
        slope = (bpm_end - bpm) / 60.0 / seconds
        count = np.arange(int((seconds - 0.4) * (bpm + bpm_end) / 120.0))
        times = 0.1 + (np.sqrt((bpm / 60.0) ** 2 + 2 * slope * count) - bpm / 60.0) / slope
    times += rng.normal(0, jitter, len(times)) if jitter else 0.0
    strong = rng.beta(2, 2, len(times)) * 0.6
    beats = tuple(
        Beat(float(t), i % per_bar + 1, float(min(1.0, s + (0.4 if i % per_bar == 0 else 0.0))))
        for i, (t, s) in enumerate(zip(times, strong, strict=True))
    )
    level, curve, sections = 0.4, np.zeros(max(1, int(seconds * 2))), []
    for k, at in enumerate(np.arange(0.1, seconds, 8 * per_bar * period)):
        level = float(np.clip(level + rng.normal(0, 0.35), 0.05, 1))
        curve[int(at * 2) :] = level
        sections.append(Section(float(at), min(seconds, float(at + 8 * per_bar * period)), "AB"[k % 2], level))
    return Song(
        "song.wav", seconds, beats, tuple(sections), energy=tuple(curve.tolist()), tempo=bpm, beats_per_bar=per_bar
    )


def takes(
    n: int,
    *,
    seed: int = 1,
    rates: tuple[Fraction, ...] = (Fraction(24),),
    lengths: tuple[float, float] = (2.0, 10.0),
    hits: int = 4,
    groups: int = 0,
) -> tuple[Take, ...]:
    """Return `n` takes of one shot each with up to `hits` hits."""
    rng = np.random.default_rng(seed)
    out = []
    for i in range(n):
        rate = rates[i % len(rates)]
        path = f"footage/take{i:04d}.mp4"
        frames = max(1, int(float(rng.uniform(*lengths)) * rate))
        times = np.sort(rng.uniform(0, float(frames / rate), int(rng.integers(0, hits + 1))))
        shot = Shot(
            path, 0, 0, frames,
            tuple(Hit(float(t), float(rng.beta(2, 2))) for t in times),
            quality=float(rng.beta(4, 2)),
            motion=float(rng.beta(2, 2)),
            direction=float(rng.uniform(0, 360)),
            group=int(rng.integers(0, groups or max(2, n // 4))),
        )  # fmt: skip
        out.append(Take(Media(path, rate, frames, 160, 90), (shot,), shot_at=float(i)))
    return tuple(out)
