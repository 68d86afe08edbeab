# SPDX-License-Identifier: Apache-2.0
"""The decision against other methods on the same instances, and what it costs: ``python benchmarks/decide.py``.

Value as a share of the proven bound (100 = proven optimal); CPU seconds of one process. Annealing is Metropolis over
whole clips (choice of shot, in-point, cut points), as Audeosynth (Liao et al. 2015) searches.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from backbeat.decide import beam, cut, prices, styles
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.place import scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import style_counts, verify
from backbeat.model.plan import Lock
from kit import shoots

Method = Callable[[prices.Network], np.ndarray]


def instance(seconds: float, shots: int, style: str, seed: int) -> CutProblem:
    song, takes = shoots.song(seconds, seed=seed), shoots.takes(shots, seed=1000 + seed)
    return CutProblem(song, takes, styles.builtin(style), Fraction(24), int(seconds * 24))


def network(problem: CutProblem) -> prices.Network:
    """Return the placements that every other method is given: the best 60 pairs of each slot by optimistic value."""
    sc = scene(problem, music.build(problem), gather(problem))
    rows = film.build(sc)
    columns, at = Columns(sc, rows), prices.start_prices(sc, rows)
    for kind in range(len(columns.kinds)):
        hope = columns.optimistic(kind, at)
        rank = min(60, hope.shape[1]) - 1
        columns.expand(kind, hope >= -np.partition(-hope, rank, axis=1)[:, rank : rank + 1])
    return prices.Network(sc, rows, columns.placements())


def clash(net: prices.Network, k: int, path: list[int]) -> bool:
    return any(net.p.low[k] < net.p.high[q] and net.p.high[k] > net.p.low[q] for q in path)


def greedy(net: prices.Network) -> np.ndarray:
    """From the first frame on, the best placement a beat that shows nothing again."""
    path, node = [], 0
    rate = net.p.value / np.maximum(net.sc.grid.length[net.p.slot], 0.5)
    while node < net.nodes - 1:
        here = np.flatnonzero(net.from_node == node)
        for k in here[np.argsort(-rate[here], kind="stable")]:
            if not clash(net, k, path):
                path.append(int(k))
                node = int(net.to_node[k])
                break
        else:
            return np.zeros(0, np.int64)
    return np.array(path)


def repair(net: prices.Network) -> np.ndarray:
    """Viterbi; then each clip that shows something again is replaced by the best free one of its slot."""
    path = prices.relax(net, prices.start_prices(net.sc, net.rows)).path.tolist()
    out: list[int] = []
    for k in path:
        if clash(net, k, out):
            same = np.flatnonzero(net.p.slot == net.p.slot[k])
            for q in same[np.argsort(-net.p.value[same], kind="stable")]:
                if not clash(net, q, out):
                    out.append(int(q))
                    break
            else:
                return np.zeros(0, np.int64)
        else:
            out.append(int(k))
    return np.array(out)


def plain_beam(net: prices.Network) -> np.ndarray:
    return beam.search(beam.field(net, prices.start_prices(net.sc, net.rows), 24), width=100)


def annealing(net: prices.Network, moves: int = 6000) -> np.ndarray:
    """Metropolis from the greedy film: two neighbouring slots are filled anew at random."""
    rng = np.random.default_rng(0)
    path = greedy(net)
    if not len(path):
        return path
    by_from: dict[int, np.ndarray] = {n: np.flatnonzero(net.from_node == n) for n in range(net.nodes)}
    value = best_value = beam.value_of(net, path)
    best = path
    for m in range(moves):
        heat = 0.5 * (0.005 / 0.5) ** (m / moves)
        i = int(rng.integers(0, len(path)))
        j = min(len(path), i + int(rng.integers(1, 3)))
        node, end, new = int(net.from_node[path[i]]), int(net.to_node[path[j - 1]]), []
        rest = [*path[:i].tolist(), *path[j:].tolist()]
        while node < end and len(new) < 4:
            here = by_from[node]
            k = int(here[rng.integers(0, len(here))])
            if net.to_node[k] > end or clash(net, k, rest + new):
                break
            new.append(k)
            node = int(net.to_node[k])
        if node != end:
            continue
        trial = np.array([*path[:i], *new, *path[j:]])
        worth = beam.value_of(net, trial)
        if worth > value or rng.random() < np.exp((worth - value) / heat):
            path, value = trial, worth
            if value > best_value:
                best, best_value = path, value
    return best


def methods(seconds: float, shots: int, seeds: int) -> None:
    print(f"\n{seconds:g} s of song, {shots} shots, montage, {seeds} seeds: value (share of the proven bound), CPU s")
    others: dict[str, Method] = {
        "greedy": greedy, "Viterbi + repair": repair, "beam, no prices": plain_beam, "annealing": annealing
    }  # fmt: skip
    table: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(seeds):
        problem = instance(seconds, shots, "montage", seed)
        at = time.process_time()
        found = cut.solve(problem)
        table.setdefault("backbeat", []).append((found.value, found.value / found.bound, time.process_time() - at))
        net = network(problem)
        for name, method in others.items():
            at = time.process_time()
            path = method(net)
            value = beam.value_of(net, path) if len(path) else float("nan")
            table.setdefault(name, []).append((value, value / found.bound, time.process_time() - at))
    for name, rows in table.items():
        value, share, cpu = np.nanmedian(np.array(rows), axis=0)
        print(f"| {name} | {value:.1f} | {100 * share:.1f} % | {cpu:.2f} |")


def scale(sizes: list[tuple[float, int]], style: str, seeds: int) -> None:
    print(f"\nproven gap and CPU s, {style}, {seeds} seeds each: median (worst)")
    for seconds, shots in sizes:
        gaps, cpus, off = [], [], []
        for seed in range(seeds):
            problem = instance(seconds, shots, style, seed)
            at = time.process_time()
            found = cut.solve(problem)
            cpus.append(time.process_time() - at)
            gaps.append(found.gap)
            assert not verify(found, problem)
            grid = music.build(problem)
            counts = np.array(style_counts(found.clips, grid), float).reshape(3, -1).sum(axis=0)
            target = grid.target.reshape(3, -1).sum(axis=0)
            off.append(0.5 * np.abs(counts / counts.sum() - target / target.sum()).sum())
        print(
            f"| {seconds:g} s × {shots} | {100 * np.median(gaps):.2f} % ({100 * max(gaps):.2f}) "
            f"| {np.median(cpus):.2f} ({max(cpus):.2f}) | style TV {np.median(off):.3f} ({max(off):.3f}) |",
            flush=True,
        )


def again(seconds: float, shots: int, changes: int) -> None:
    problem = instance(seconds, shots, "wright", 0)
    first = cut.solve(problem)
    rng, cpus, moved = np.random.default_rng(0), [], []
    key = {(c.start, c.frames, c.take, c.source_in) for c in first.clips}
    while len(cpus) < changes:
        clip = first.clips[int(rng.integers(0, len(first.clips)))]
        take = problem.takes[int(rng.integers(0, shots))]
        if take.media.frames < clip.frames:
            continue
        start = int(rng.integers(0, take.media.frames - clip.frames + 1))
        asked = dataclasses.replace(problem, locks=(Lock("clip", clip.start, clip.end, take.media.path, start),))
        at = time.process_time()
        found = cut.resolve(asked, first)
        cpus.append(time.process_time() - at)
        new = {(c.start, c.frames, c.take, c.source_in) for c in found.clips} - key
        moved.append((len(new) - 1) / len(first.clips))
    print(f"\nre-solve after one lock, {seconds:g} s × {shots}, {changes} changes: CPU ms median", end=" ")
    print(
        f"{1000 * np.median(cpus):.0f}, p95 {1000 * np.quantile(cpus, 0.95):.0f}; other clips changed median", end=" "
    )
    print(f"{100 * np.median(moved):.1f} %, worst {100 * max(moved):.1f} %")


def shoot(seeds: int) -> None:
    """Print how 12 takes of about 3 hits each fare against a 60 s song."""
    on, cuts, dense = [], [], []
    for seed in range(seeds):
        song = shoots.song(60.0, seed=seed)
        takes = shoots.takes(12, seed=seed, lengths=(9.0, 14.0), hits=6)
        problem = CutProblem(song, takes, styles.builtin("wright"), Fraction(24), 60 * 24)
        found = cut.solve(problem)
        grid = music.build(problem)
        frames = [round(h * 24) for c in found.clips for h in c.hits]
        on += [int(np.abs(grid.beat_frame - f).min()) <= 1 for f in frames]
        lead = music.lead_frames(problem)
        cuts += [int(np.abs(grid.beat_frame - lead - c.start).min()) <= 1 for c in found.clips[1:]]
        dense.append(len(found.clips) / len(grid.beat_frame))
    print(
        f"\n12 takes, about 3 hits each, 60 s, wright, {seeds} seeds: hits within ±1 frame of a beat "
        f"{100 * np.mean(on):.1f} % of {len(on)}; cuts on planned beats {100 * np.mean(cuts):.1f} %; "
        f"beats cut {100 * np.mean(dense):.0f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="two seeds of everything")
    seeds = 2 if parser.parse_args().quick else 8
    shoot(seeds)
    methods(90.0, 150, min(seeds, 3))
    scale([(60.0, 120), (180.0, 500)], "montage", seeds)
    scale([(180.0, 500)], "wright", min(seeds, 2))
    scale([(180.0, 5000)], "montage", 1)
    again(180.0, 500, 20)


if __name__ == "__main__":
    main()
