# SPDX-License-Identifier: Apache-2.0
"""What the decision is worth and what it costs, one part at a time.

    python benchmarks/decide.py --part PART [--seeds N] [--style NAME] [--folder DIR] [--fresh]

    seeds      180 s of song, 500 shots: proven gap, CPU, distance to the style
    large      180 s, 5,000 shots, in a fresh process: gap, CPU, peak memory
    film       60 minutes in 20 scenes as `make` cuts them: CPU for 5, 10, 20 scenes, wall time with 1 and 2 workers
    cold       the first film of a fresh process against the second
    again      re-solve after one lock: ms, other clips changed, loss against a search of the whole film
    shoot      12 takes of about 3 hits each, 60 s: hits and cuts on beats
    methods    greedy, Viterbi + repair, beam without prices, annealing on the same placements
    stuck      long, short, scarce, odd: what the solver says and costs
    planted    films whose optimum is known by a dual certificate
    barcoded   `shoot` with real files, through the command line, read back from the film

CPU seconds are of one process and one thread. Every figure is kept in the folder, by version of the solver: a run that
was cut off goes on, and one that is finished prints its rows at once. ``--fresh`` measures anew.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from decide_common import RATE, Records, Row, column, instance, solved, spread, warm

from backbeat.decide import cut, explain, locks, search, styles, terms
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.place import scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem, Solution
from backbeat.errors import NoEditError
from backbeat.model.plan import Lock
from kit import planted as known
from kit import shoots


def seeds(records: Records, options: argparse.Namespace) -> None:
    """Print how near to proven optimal films of 180 s and 500 shots are, and what they cost."""
    size, style = "180 s × 500", options.style
    rows = [
        records.get(f"seeds {style} {seed}", lambda seed=seed: solved(instance(180.0, 500, style, seed))[1])
        for seed in range(options.seeds or 100)
    ]
    gap, cpu = column(rows, "gap"), column(rows, "cpu")
    print("| film | seeds | gap ≤ 1 % | CPU ≤ 1.5 s | both | gap %: median / 95th / worst | CPU s: same |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {size}, `{style}` | {len(rows)} | {np.mean(gap <= 0.01):.0%} | {np.mean(cpu <= 1.5):.0%} |"
        f" {np.mean((gap <= 0.01) & (cpu <= 1.5)):.0%} | {spread(gap, 100)} | {spread(cpu)} |"
    )
    print(
        f"style: total-variation distance {spread(column(rows, 'tv'), 1, 3)} (by length alone"
        f" {spread(column(rows, 'pooled'), 1, 3)}), count error {spread(column(rows, 'count'), 100, 1)} %"
        f" (median / 95th / worst); broken rules {int(column(rows, 'wrong').sum())}"
    )


def again(records: Records, options: argparse.Namespace) -> None:
    """Print what one lock costs an editor: every other one takes footage that the film shows elsewhere."""
    problem = instance(180.0, 500, options.style, 0)
    first: list[Solution] = []

    def start() -> Solution:
        if not first:
            first.append(cut.solve(problem))
        return first[0]

    rows = [
        records.get(f"again {options.style} {k}", lambda k=k: _changed(problem, start(), k))
        for k in range(options.seeds or 40)
    ]
    ms, loss = column(rows, "cpu"), column(rows, "loss")
    print("| re-solve after one lock | changes | CPU ms median / 95th / worst | other clips changed % | loss % |")
    print("|---|---|---|---|---|")
    print(
        f"| 180 s × 500, `{options.style}` | {len(rows)} | {spread(ms, 1000, 0)} |"
        f" {spread(column(rows, 'moved'), 100, 1)} | {spread(loss, 100, 3)} |"
    )
    slowest = 1000 * np.quantile(column(rows, "wall"), 0.95)
    print(f"loss ≤ 0.1 % in {np.mean(loss <= 1e-3):.0%}; 95th percentile by wall clock {slowest:.0f} ms")


def _changed(problem: CutProblem, first: Solution, k: int) -> Row:
    """Lock a piece of footage over one clip; return what re-solving costs and loses.

    `loss` is against a search of the whole film from nothing, with the same locks and the same worth of staying.
    """
    rng = np.random.default_rng(k)
    lock = None
    while lock is None:
        clip = first.clips[int(rng.integers(0, len(first.clips)))]
        other = first.clips[int(rng.integers(0, len(first.clips)))]
        take = next(t for t in problem.takes if t.media.path == other.take) if k % 2 else None
        take = take or problem.takes[int(rng.integers(0, len(problem.takes)))]
        room = take.media.frames - clip.frames
        if room >= 0 and other is not clip:
            at = min(other.source_in, room) if k % 2 else int(rng.integers(0, room + 1))
            lock = Lock("clip", clip.start, clip.end, take.media.path, at)
    asked = dataclasses.replace(problem, locks=(lock,))
    wall, at = time.perf_counter(), time.process_time()
    found = cut.resolve(asked, first)
    cpu, wall = time.process_time() - at, time.perf_counter() - wall
    kept = {(c.start, c.frames, c.take, c.source_in) for c in first.clips}
    new = {(c.start, c.frames, c.take, c.source_in) for c in found.clips} - kept
    whole = _searched(dataclasses.replace(asked, previous=first.clips))
    moved = (len(new) - 1) / len(first.clips)
    return {"cpu": cpu, "wall": wall, "moved": moved, "loss": (whole - found.value) / max(abs(whole), 1e-9)}


def _searched(problem: CutProblem) -> float:
    """Return the worth of the best film that a search of the whole film finds, whatever stood before."""
    problem = locks.settle(problem)
    sc = scene(problem, music.build(problem), gather(problem))
    return float(search.find(sc, film.build(sc), cut.SWEEPS).value)


def shoot(records: Records, options: argparse.Namespace) -> None:
    """Print how 12 takes of about 3 hits each fare against a minute of song."""
    rows = [
        records.get(f"shoot {options.style} {seed}", lambda seed=seed: _shoot(options.style, seed))
        for seed in range(options.seeds or 20)
    ]
    hits, on = column(rows, "hits").sum(), column(rows, "on").sum()
    cuts, planned = column(rows, "cuts").sum(), column(rows, "planned").sum()
    print(
        "| 12 takes, 60 s | seeds | strong hits within ±1 frame | cuts on planned beats | beats cut | gap % | CPU s |"
    )
    print("|---|---|---|---|---|---|---|")
    print(
        f"| `{options.style}` | {len(rows)} | {on / hits:.1%} of {hits:.0f} | {planned / cuts:.1%} of {cuts:.0f} |"
        f" {np.mean(column(rows, 'dense')):.0%} | {spread(column(rows, 'gap'), 100)} | {spread(column(rows, 'cpu'))} |"
    )


def _shoot(style: str, seed: int) -> Row:
    song = shoots.song(60.0, seed=seed)
    takes = shoots.takes(12, seed=seed, lengths=(9.0, 14.0), hits=6)
    problem = CutProblem(song, takes, styles.builtin(style), RATE, 60 * 24)
    found, row = solved(problem)
    grid, by_path = music.build(problem), explain.by_path(problem)
    frames = []
    for clip in found.clips:
        shown = explain.find_shot(by_path, clip, problem.rate)
        seen = explain.seen_hits(clip, shown[1], problem, grid) if shown else []
        frames += [s.frame for s in seen if s.hit.strength >= terms.STRONG]
    lead = music.lead_frames(problem)
    beats, starts = grid.beat_frame, np.array([c.start for c in found.clips[1:]])
    on = sum(int(np.abs(beats - f).min()) <= 1 for f in frames)
    planned = sum(int(np.abs(beats - lead - s).min()) <= 1 for s in starts)
    return row | {"hits": len(frames), "on": on, "cuts": len(starts), "planned": planned,
                  "dense": len(starts) / len(beats)}  # fmt: skip


def stuck(records: Records, _: argparse.Namespace) -> None:
    """Print what becomes of problems that are long, short, scarce or odd."""
    print("| film | film s | clips | gap % | CPU s | said |\n|---|---|---|---|---|---|")
    for name, make in hard().items():
        row = records.get(f"stuck {name}", lambda make=make: _said(make))
        gap = "none" if row["unmet"] else f"{100 * row['gap']:.2f}"  # the bound is of films of the length asked
        print(
            f"| {name} | {row['seconds']:.1f} | {row['clips']} | {gap} | {row['cpu']:.1f} |"
            f" {row['unmet'] or row['notes']}{' BROKEN RULES' if row['wrong'] else ''} |"
        )


def _said(make: Callable[[], CutProblem]) -> Row:
    problem = make()
    at = time.process_time()
    try:
        found, row = solved(problem)
    except NoEditError as error:
        cpu = time.process_time() - at
        return {"cpu": cpu, "gap": 0.0, "clips": 0, "seconds": 0.0, "unmet": str(error), "notes": "", "wrong": 0}
    return row | {"seconds": float(found.frames / problem.rate)}


def hard() -> dict[str, Callable[[], CutProblem]]:
    """Return the problems of ``stuck`` by name."""

    def odd(seconds: float, shots: int, style: str = "montage", **more: object) -> CutProblem:
        song = {k: more.pop(k) for k in ("bpm", "per_bar", "bpm_end") if k in more}
        footage = {k: more.pop(k) for k in ("lengths", "hits") if k in more}
        beats = more.pop("beats", True)
        heard = shoots.song(seconds, seed=7, **song)  # type: ignore[arg-type]
        takes = shoots.takes(shots, seed=1007, **footage)  # type: ignore[arg-type]
        heard = heard if beats else dataclasses.replace(heard, beats=(), beat_confidence=0.0)
        return CutProblem(heard, takes, styles.builtin(style), RATE, int(seconds * RATE), **more)  # type: ignore[arg-type]

    return {
        "180 s × 3,000 takes": lambda: odd(180.0, 3000),
        "12 minutes × 1,500": lambda: odd(720.0, 1500),
        "20 s × 60": lambda: odd(20.0, 60),
        "60 s × 120, 3/4": lambda: odd(60.0, 120, per_bar=3),
        "60 s × 120, 7/8 at 200 bpm, `chase`": lambda: odd(60.0, 120, "chase", per_bar=7, bpm=200.0),
        "60 s × 120, 90 to 140 bpm": lambda: odd(60.0, 120, bpm=90.0, bpm_end=140.0),
        "60 s × 120, no beats": lambda: odd(60.0, 120, beats=False),
        "20 s, one take of 15 s": lambda: odd(20.0, 1, lengths=(15.0, 15.0)),
        "20 s, one take of 15 s, re-use": lambda: odd(20.0, 1, lengths=(15.0, 15.0), reuse=True),
        "20 s × 1, shorter than a beat": lambda: odd(20.0, 1, bpm=60.0, lengths=(0.3, 0.4)),
        "20 s × 40, one shorter than a beat": lambda: odd(20.0, 40, bpm=60.0, lengths=(0.5, 6.0)),
        "60 s × 8, too little": lambda: odd(60.0, 8),
        "60 s × 8, re-use": lambda: odd(60.0, 8, reuse=True),
        "60 s × 60, order by name": lambda: odd(60.0, 60, order="name"),
        "60 s × 60, order by time": lambda: odd(60.0, 60, order="time"),
        "60 s × 60, order by story": lambda: odd(60.0, 60, order="story"),
        "60 s × 120, 29.97 fps": lambda: dataclasses.replace(
            odd(60.0, 120), rate=Fraction(30000, 1001), frames=int(60 * Fraction(30000, 1001))
        ),
    }


def planted(records: Records, options: argparse.Namespace) -> None:
    """Print films whose optimum is known: how much of it is found, and what is claimed."""
    print("| planted film | seeds | optimum found | true gap % median / 95th / worst | reported gap % | CPU s |")
    print("|---|---|---|---|---|---|")
    for seconds, decoys, slack in ((60.0, 120, 0.05), (180.0, 400, 0.2), (180.0, 400, 0.0), (180.0, 1500, 0.0)):
        name = f"{seconds:g} s, {decoys} decoys, slack {slack:g}"
        measure = partial(_planted, seconds, decoys, slack)
        rows = [records.get(f"planted {name} {seed}", partial(measure, seed)) for seed in range(options.seeds or 5)]
        true = column(rows, "true")
        broken = sum(not row["held"] for row in rows)
        print(
            f"| {name} | {len(rows)} | {np.mean(true <= 1e-9):.0%} | {spread(true, 100, 3)} |"
            f" {spread(column(rows, 'gap'), 100)} | {spread(column(rows, 'cpu'))} |"
            + (f" BOUND BELOW THE OPTIMUM in {broken} |" if broken else "")
        )


def _planted(seconds: float, decoys: int, slack: float, seed: int) -> Row:
    made = known.planted(seconds, decoys, slack, seed)
    found, row = solved(made.problem)
    earned = sum(v for c in found.clips for _, v in c.terms if v > 0)
    return row | {"true": (made.value - found.value) / earned, "held": bool(found.bound >= made.value - 1e-6),
                  "optimum": made.value}  # fmt: skip


def main() -> None:
    """Run one part, or all."""
    import decide_barcoded
    import decide_rivals
    import decide_scale

    parts = {
        "seeds": seeds, "large": decide_scale.large, "film": decide_scale.film, "cold": decide_scale.cold,
        "again": again, "shoot": shoot, "methods": decide_rivals.methods, "stuck": stuck, "planted": planted,
        "barcoded": decide_barcoded.barcoded,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*parts, "all"], default="all")
    parser.add_argument("--seeds", type=int, default=0, help="how many (0: the part's own number)")
    parser.add_argument("--style", default="")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "backbeat-bench-decide")
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    records = Records(options.folder, fresh=options.fresh)
    if options.part not in {"cold", "large"}:
        warm()
    for name, part in parts.items():
        if options.part in {name, "all"}:
            own = "wright" if name in {"again", "shoot", "barcoded"} else "montage"
            print(f"\n{name}:", flush=True)
            part(records, argparse.Namespace(**{**vars(options), "style": options.style or own}))


if __name__ == "__main__":
    main()
