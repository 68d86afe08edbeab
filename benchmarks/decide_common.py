# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks of the decision share: made-up problems, what is told of a film, and a record of what was run.

Imported before numpy, so that every figure is of one thread.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import hashlib
import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from backbeat.decide import cut, styles, verify
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem, Solution
from kit import shoots

ROOT = Path(__file__).parents[1]
RATE = Fraction(24)
Row = dict[str, Any]


def instance(seconds: float, shots: int, style: str, seed: int, **more: Any) -> CutProblem:
    """Return a made-up song and shoot: takes of 2–10 s with up to four hits."""
    song, takes = shoots.song(seconds, seed=seed), shoots.takes(shots, seed=1000 + seed)
    return CutProblem(song, takes, styles.builtin(style), RATE, int(seconds * RATE), **more)


def warm() -> None:
    """Decide something small, so that nothing timed afterwards loads a module."""
    cut.solve(instance(8.0, 20, "montage", 0))


def solved(problem: CutProblem) -> tuple[Solution, Row]:
    """Decide `problem`; return the film and what is told of it."""
    at = time.process_time()
    found = cut.solve(problem)
    cpu = time.process_time() - at
    wrong = verify.verify(found, problem)
    return found, {"cpu": cpu, "gap": found.gap, "value": found.value, "unmet": "; ".join(found.unmet),
                   "notes": "; ".join(found.notes), "wrong": len(wrong), "clips": len(found.clips),
                   **style_error(found, problem)}  # fmt: skip


def style_error(found: Solution, problem: CutProblem) -> Row:
    """Return how far the film is from the style's histogram.

    `tv`: total-variation distance over lengths in quiet, middling and loud passages; `pooled`: over lengths alone;
    `count`: clips too many or too few, as a share of what the style asks.
    """
    grid = music.build(problem)
    counts = np.array(verify.style_counts(found.clips, grid), float)
    far = []
    for have, want in ((counts, grid.target), (counts.reshape(3, -1).sum(0), grid.target.reshape(3, -1).sum(0))):
        far.append(float(0.5 * np.abs(have / max(have.sum(), 1) - want / max(want.sum(), 1e-9)).sum()))
    asked = float(grid.target.sum())
    return {"tv": far[0], "pooled": far[1], "count": abs(len(found.clips) - asked) / max(asked, 1e-9)}


def version() -> str:
    """Return a short name of the solver as it stands: figures of one version are not mixed with another's."""
    here = ROOT / "src" / "backbeat" / "decide"
    files = sorted(p for p in here.rglob("*") if p.suffix in {".py", ".c", ".h", ".wasm", ".toml"})
    return hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()[:10]


class Records:
    """Measured rows by name, kept in a file of this version of the solver: a run that was cut off goes on."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"decide-{version()}.jsonl"
        self.known: dict[str, Row] = {}
        if not fresh and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                name, row = json.loads(line)
                self.known[name] = row

    def get(self, name: str, measure: Callable[[], Row]) -> Row:
        """Return the row of `name`, measured now if it is not known."""
        if name not in self.known:
            self.known[name] = measure()
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, self.known[name]]) + "\n")
            print(f"  {name}: {tell(self.known[name])}", file=sys.stderr, flush=True)
        return self.known[name]


def tell(row: Row) -> str:
    """Return a row in one line."""
    return ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items() if v != "")


def column(rows: list[Row], name: str) -> np.ndarray:
    """Return one figure of all `rows`."""
    return np.array([row[name] for row in rows], float)


def spread(values: np.ndarray, scale: float = 1.0, digits: int = 2) -> str:
    """Return median, 95th percentile and worst of `values`."""
    parts = (np.median(values), np.quantile(values, 0.95), values.max())
    return " / ".join(f"{scale * p:.{digits}f}" for p in parts)
