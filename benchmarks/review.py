# SPDX-License-Identifier: Apache-2.0
"""How far the verdict can be trusted, and what it costs: ``python benchmarks/review.py [sims] [speed FILM]``.

Part 1 (``sims``, pure): stars and p-values of edits whose truth is known, 1,000 simulations of each kind.
Part 2 (``speed FILM``): CPU of a whole review, without cache, over decoding the film and hearing its sound.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np

from backbeat.decide.judge import Metric, cut_on_beat
from backbeat.decide.judge_cutting import cutting
from backbeat.decide.judge_pace import pace
from backbeat.model.film import Film, Music
from backbeat.model.song import Beat
from backbeat.model.time import frame_at

RATE = Fraction(24)
RUNS = 1000


def beats_of(draw: np.random.Generator, seconds: float, bpm: float) -> np.ndarray:
    """Return beats of a tempo that breathes by 0.4 %, at any phase."""
    n = int(seconds * bpm / 60) + 3
    gaps = 60 / bpm * (1 + 0.004 * np.sin(np.arange(n) / 37 + draw.uniform(0, 6)))
    return np.concatenate([[0.0], np.cumsum(gaps)]) - draw.uniform(0, 60 / bpm)


def frames(times: np.ndarray, seconds: float) -> list[float]:
    return sorted({frame_at(float(t), RATE) / 24 for t in times if 0 < t < seconds})


def lengths(draw: np.random.Generator, kind: str, n: int) -> np.ndarray:
    if kind == "lognormal":
        return draw.lognormal(0, 0.7, n)
    if kind == "autocorrelated":
        x = np.zeros(n)
        for i in range(1, n):
            x[i] = 0.8 * x[i - 1] + 0.6 * draw.normal()
        return np.exp(0.6 * x)
    return np.full(n, draw.uniform(0.97, 1.03))  # a metronome of another tempo


def unrelated(draw: np.random.Generator, kind: str, seconds: float, n: int) -> np.ndarray:
    got = lengths(draw, kind, n)
    return np.cumsum(got * seconds / got.sum())[:-1]


def on_beat(draw: np.random.Generator, beats: np.ndarray, n: int, share: float, shift: float) -> np.ndarray:
    cuts = np.sort(draw.choice(beats[1:-1], min(n, len(beats) - 2), replace=False)) + draw.normal(0, 0.015, n)
    off = draw.random(n) > share
    return cuts + shift + off * draw.uniform(-0.25, 0.25, n)


def row(name: str, found: list[Metric]) -> None:
    stars = np.array([m.stars for m in found if m.stars is not None])
    print(
        f"| {name} | {np.mean([m.value for m in found]):.2f} | {np.mean([m.chance for m in found]):.2f} "
        f"| {np.median([m.kappa for m in found]):.2f} | {np.median(stars):.1f} "
        f"[{np.quantile(stars, 0.05):.1f}-{np.quantile(stars, 0.95):.1f}] | {np.mean(stars <= 1.5):.1%} "
        f"| {np.mean([m.p < 0.05 for m in found]):.1%} |",
        flush=True,
    )


def simulate() -> None:
    print(f"\n{RUNS} simulations a row\n")
    print("| cuts | on a beat | chance | kappa | stars, median [5-95 %] | ≤ 1.5 stars | p < 0.05 |")
    print("|---|---|---|---|---|---|---|")
    for seconds, n in ((180.0, 90), (60.0, 20)):
        for kind in ("lognormal", "autocorrelated", "metronome"):
            found = []
            for run in range(RUNS):
                draw = np.random.default_rng([1, n, len(kind), run])
                beats = beats_of(draw, seconds, draw.uniform(90, 140))
                found.append(cut_on_beat(frames(unrelated(draw, kind, seconds, n), seconds), beats.tolist(), RATE))
            row(f"unrelated, {kind}, {n} in {seconds:.0f} s", found)
    for share, shift, name in (
        (0.3, 0.0, "30 % on the beat"), (0.5, 0.0, "50 %"), (0.7, 0.0, "70 %"), (0.9, 0.0, "90 %"),
        (0.9, -1.5 / 24, "90 %, 1.5 frames early"), (0.9, 0.1, "90 %, but 100 ms late"),
    ):  # fmt: skip
        for seconds, n in ((180.0, 90), (60.0, 20)):
            found = []
            for run in range(200):
                draw = np.random.default_rng([2, n, int(100 * share), run])
                beats = beats_of(draw, seconds, draw.uniform(90, 140))
                beats = beats[(beats > 0) & (beats < seconds)]
                found.append(cut_on_beat(frames(on_beat(draw, beats, n, share, shift), seconds), beats.tolist(), RATE))
            row(f"{name}, {n} in {seconds:.0f} s", found)


def music(times: np.ndarray, energy: np.ndarray | None = None) -> Music:
    beats = tuple(Beat(float(t), 1 + i % 4, 1.0) for i, t in enumerate(times))
    return Music(beats, energy=tuple(energy.tolist()) if energy is not None else (), energy_step=1.0)


def film_of(cuts: list[float], seconds: float) -> Film:
    return Film(RATE, round(seconds * 24), tuple(sorted({round(c * 24) for c in cuts})))


def octaves() -> None:
    """Unrelated cuts judged with the doubled grid admitted, as `cutting` does below 100 beats a minute."""
    print("\n| unrelated cuts, whole aspect | ≤ 1.5 stars |\n|---|---|")
    for seconds, n in ((180.0, 90), (60.0, 20)):
        poor = 0
        for run in range(RUNS):
            draw = np.random.default_rng([4, n, run])
            beats = beats_of(draw, seconds, draw.uniform(50, 100))
            cuts = frames(unrelated(draw, ("lognormal", "autocorrelated", "metronome")[run % 3], seconds, n), seconds)
            poor += (cutting(film_of(cuts, seconds), music(beats)).stars or 0) <= 1.5
        print(f"| 50-100 bpm, {n} in {seconds:.0f} s | {poor / RUNS:.1%} |", flush=True)


def game() -> None:
    seconds = 180.0
    grid = np.arange(0.1, seconds, 0.5)
    tune = music(grid, np.where((np.arange(180) // 16) % 2, 0.9, 0.2).astype(float))
    halves = np.sort(np.concatenate([grid, grid + 0.25]))
    draw = np.random.default_rng(2)
    fair = frames(on_beat(draw, grid, 90, 0.9, 0.0), seconds)
    late = frames(on_beat(draw, grid, 90, 0.9, 0.1), seconds)
    cases = {
        "an edit 90 % on the beat": (fair, tune),
        "the same, grid heard at half tempo": (fair, replace(tune, beats=tune.beats[::2])),
        "the same, grid heard at double tempo": (fair, music(halves)),
        "the same, 100 ms late": (late, tune),
        "a cut on every beat": (frames(grid, seconds), tune),
        "a cut on every half beat": (frames(halves, seconds), tune),
        "a cut every 3 frames": ([f / 24 for f in range(3, 4300, 3)], tune),
        "three perfect cuts": (frames(grid[[20, 100, 200]], seconds), tune),
        "eight perfect cuts": (frames(grid[20:330:40], seconds), tune),
        "one shot": ([], tune),
    }
    print("\n| trick | cutting | pace |\n|---|---|---|")
    for name, (cuts, heard) in cases.items():
        a, b = cutting(film_of(cuts, seconds), heard), pace(film_of(cuts, seconds), heard)
        print(f"| {name} | {_said(a.stars)} | {_said(b.stars)} |")


def _said(stars: float | None) -> str:
    return "not judged" if stars is None else f"{stars:.1f}"


def paces() -> None:
    print("\n| pace against energy | rho | p < 0.05 | stars, median | ≤ 1.5 stars |\n|---|---|---|---|---|")
    for seconds in (40, 60, 180, 400):
        for coupling in (0.0, 0.7, 1.5, 3.0):
            stars, rho, sure = [], [], []
            for run in range(RUNS if coupling == 0 else 200):
                draw = np.random.default_rng([3, seconds, int(10 * coupling), run])
                energy = _energy(draw, seconds)
                got = pace(
                    film_of(_paced(draw, seconds, energy, coupling), seconds), music(np.arange(0, seconds, 0.5), energy)
                )
                if got.stars is None or got.figure("rho") is None:
                    continue
                stars.append(got.stars)
                rho.append(got.figure("rho"))
                sure.append((got.figure("p") or 1.0) < 0.05)
            name = "unrelated" if coupling == 0 else f"shots {np.exp(coupling):.1f} times longer in quiet music"
            print(
                f"| {name}, {seconds} s | {np.median(rho):.2f} | {np.mean(sure):.1%} | {np.median(stars):.1f} "
                f"| {np.mean(np.array(stars) <= 1.5):.1%} |",
                flush=True,
            )


def _energy(draw: np.random.Generator, seconds: int) -> np.ndarray:
    values: list[float] = []
    level = 0.4
    while len(values) < seconds:
        level = float(np.clip(level + draw.normal(0, 0.35), 0.05, 1))
        values += [level] * int(draw.choice([8, 16, 16, 32]))
    return np.clip(np.array(values[:seconds]) + draw.normal(0, 0.03, seconds), 0, 1)


def _paced(draw: np.random.Generator, seconds: int, energy: np.ndarray, coupling: float) -> list[float]:
    cuts, at = [], 0.0
    while at < seconds:
        mean = np.exp(np.log(2.6) - coupling * (energy[min(seconds - 1, int(at))] - 0.5))
        at += float(mean * draw.lognormal(-0.2, 0.6))
        cuts.append(at)
    return [c for c in cuts if c < seconds]


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def speed(path: str) -> None:
    import av

    from backbeat.listen.hear import hear
    from backbeat.media.samples import read_sound
    from backbeat.verbs.review import ReviewOptions, review
    from backbeat.verbs.session import Session
    from backbeat.work.cache import Cache

    read_sound(path, rate=16_000, channels=1)  # imports are not the film's cost
    start = cpu()
    count = 0
    with av.open(path) as box:
        box.streams.video[0].thread_type = "AUTO"
        for packet in box.demux(video=0):
            count += len(packet.decode())
    decode = cpu() - start
    start = cpu()
    hear(path)
    sound = cpu() - start
    review(ReviewOptions(path), Session(Cache(None)))  # once, so that imports and models are loaded
    start = cpu()
    review(ReviewOptions(path), Session(Cache(None)))
    whole = cpu() - start
    print(f"\n{count} pictures: decode {decode:.1f} s, sound analysis {sound:.1f} s, review {whole:.1f} s of CPU")
    print(f"review / (decode + sound analysis) = {whole / (decode + sound):.2f}")


if __name__ == "__main__":
    asked = sys.argv[1:] or ["sims"]
    if "sims" in asked:
        simulate()
        octaves()
        game()
        paces()
    if "speed" in asked:
        speed(asked[asked.index("speed") + 1])
