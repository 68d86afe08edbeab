# SPDX-License-Identifier: Apache-2.0
"""Parts of ``decide.py`` about size: many shots, a film of many scenes, the first film of a fresh process.

``python benchmarks/decide_scale.py SECONDS SHOTS STYLE SEED [TWICE]`` decides one film and prints a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from decide_common import RATE, Records, Row, column, instance, solved, spread


def one(seconds: float, shots: int, style: str, seed: int, *, twice: bool = False) -> Row:
    """Decide one film (twice) in this process; `peak` is its memory in MiB, imports and footage included."""
    problem = instance(seconds, shots, style, seed)
    wall = time.perf_counter()
    _, row = solved(problem)
    wall = time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out = row | {"wall": wall, "peak": peak}
    return out | {"again": solved(problem)[1]["cpu"]} if twice else out


def apart(*what: object) -> Row:
    """Return `one` of a fresh process."""
    command = [sys.executable, __file__, *map(str, what)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout))


def large(records: Records, options: argparse.Namespace) -> None:
    """Print what thousands of shots cost; the CPU includes whatever a first film loads."""
    print("| film, fresh process | seeds | gap % median / 95th / worst | CPU s | peak MiB |\n|---|---|---|---|---|")
    for shots in (500, 2000, 5000):
        rows = [
            records.get(
                f"large {options.style} {shots} {seed}", lambda n=shots, s=seed: apart(180, n, options.style, s)
            )
            for seed in range(options.seeds or 5)
        ]
        print(
            f"| 180 s × {shots}, `{options.style}` | {len(rows)} | {spread(column(rows, 'gap'), 100)} |"
            f" {spread(column(rows, 'cpu'), 1, 1)} | {spread(column(rows, 'peak'), 1, 0)} |",
            flush=True,
        )


def cold(records: Records, options: argparse.Namespace) -> None:
    """Print what the first film of a process costs above the second: modules, and a kernel if one is compiled."""
    rows = [
        records.get(f"cold {options.style} {k}", lambda: apart(60, 60, options.style, 0, "twice"))
        for k in range(options.seeds or 3)
    ]
    more = column(rows, "cpu") - column(rows, "again")
    print(
        f"60 s × 60, `{options.style}`, fresh process: first film {spread(column(rows, 'cpu'))} CPU s, the same again"
        f" {spread(column(rows, 'again'))}; more for the first: {spread(more)} s (median / 95th / worst of {len(rows)})"
    )


def film(records: Records, options: argparse.Namespace) -> None:
    """Print what the scenes of an hour cost, cut as `make` cuts them: `verbs.make.solve_all` through `work.pool`."""
    print("| scenes of 180 s × 500 | workers | CPU s, decided alone | wall s, all of the scene | wall s a scene |")
    print("|---|---|---|---|---|")
    walls = {}
    for scenes, workers in ((5, 1), (10, 1), (20, 1), (20, 2)):
        row = records.get(
            f"film {options.style} {scenes} {workers}", lambda n=scenes, w=workers: _scenes(n, w, options.style)
        )
        walls[scenes, workers] = row["wall"]
        alone = ""
        if workers == 1:
            known = [
                records.get(f"seeds {options.style} {k}", lambda k=k: solved(instance(180.0, 500, options.style, k))[1])
                for k in range(scenes)
            ]
            alone = f"{column(known, 'cpu').sum():.1f}"
        print(f"| {scenes} | {workers} | {alone} | {row['wall']:.1f} | {row['wall'] / scenes:.2f} |", flush=True)
    print(f"2 workers are {walls[20, 1] / walls[20, 2]:.2f} times as quick as 1")


def _scenes(count: int, workers: int, style: str) -> Row:
    """Solve `count` scenes of a project, none of them known, and return the wall time."""
    from backbeat.decide import styles
    from backbeat.decide.arrange import Way
    from backbeat.verbs.make import solve_all
    from backbeat.verbs.make_scene import SceneJob
    from backbeat.verbs.session import Session
    from backbeat.work.cache import Cache

    jobs = []
    for k in range(count):
        made = instance(180.0, 500, style, k)
        way = Way("straight", 0.0, ends=True)
        jobs.append(
            SceneJob(f"scene {k}", made.song, way, made.frames, RATE, 160, 90, styles.builtin(style), made.takes)
        )
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Cache(Path(folder)), str(workers))
        at = time.perf_counter()
        found, failed = solve_all(jobs, session)
        wall = time.perf_counter() - at
    if failed or len(found) != count:
        raise SystemExit(f"scenes failed: {failed}")
    return {"wall": wall, "gap": float(np.median([scene.gap for _, scene, _ in found]))}


if __name__ == "__main__":
    seconds, shots, style, seed, *rest = sys.argv[1:]
    print(json.dumps(one(float(seconds), int(shots), style, int(seed), twice=bool(rest))))
