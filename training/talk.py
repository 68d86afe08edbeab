# SPDX-License-Identifier: Apache-2.0
"""Fit the six neurons of ``watch/talk.py``.

    uv run --group bench python training/talk.py ../src/backbeat/watch/talk.npz [--songs FOLDER] [--voices FOLDER]

Voices, songs and effects are the benchmark's half "dev" (benchmarks/speech.py), mixed at chance levels; the half "test"
is not touched. Log loss, weights held small, L-BFGS.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import speech as bench

from backbeat.watch.talk import features

HIDDEN, SMALL, THIN = 6, 1e-3, 4


def mixes(bank: bench.Bank, seed: int = 5) -> list[tuple[Any, Any]]:
    """Return (wave, who speaks every 10 ms): each voice with seven songs at -15 to 5 dB, some with effects too."""
    random = np.random.default_rng(seed)
    beds = [*bank.music, *bank.sung]
    out = []
    for i, talk in enumerate(bank.talks):
        for j in range(7):
            wave = bench.mixed(talk, beds[(7 * i + j) % len(beds)][1], float(random.uniform(-15, 5)), random)
            if random.random() < 0.3:
                wave = wave + bench.mixed(talk, bank.effects, float(random.uniform(-10, 3)), random) - talk.wave
            out.append((wave, talk.mask))
    return out


def fit(seen: Any, truth: Any, seed: int = 0) -> dict[str, Any]:
    """Return the weights."""
    mean, spread = seen.mean(0), seen.std(0) + 1e-6
    z, n = (seen - mean) / spread, seen.shape[1]
    random = np.random.default_rng(seed)

    def parts(w: Any) -> tuple[Any, Any, Any, Any]:
        return w[: n * HIDDEN].reshape(n, HIDDEN), w[n * HIDDEN :][:HIDDEN], w[-HIDDEN - 1 : -1], w[-1]

    def loss(w: Any) -> tuple[float, Any]:
        a, b, c, d = parts(w)
        inner = np.tanh(z @ a + b)
        score = inner @ c + d
        wrong = (1 / (1 + np.exp(-score)) - truth) / len(truth)
        back = np.outer(wrong, c) * (1 - inner**2)
        slope = np.concatenate([(z.T @ back).ravel(), back.sum(0), inner.T @ wrong, [wrong.sum()]]) + 2 * SMALL * w
        return float((np.logaddexp(0, score) - truth * score).mean() + SMALL * (w**2).sum()), slope

    first = np.concatenate([
        random.normal(0, 0.9 / np.sqrt(n), n * HIDDEN), np.zeros(HIDDEN), random.normal(0, 0.3, HIDDEN), [0.0],
    ])  # fmt: skip
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 400})
    print(f"{len(truth)} steps, loss {found.fun:.4f}")
    a, b, c, d = parts(found.x)
    named = {"mean": mean, "spread": spread, "hidden": a, "hidden_bias": b, "out": c, "out_bias": d}
    return {k: np.asarray(v, np.float32) for k, v in named.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    bench.inputs(parser)
    given = parser.parse_args()
    bank = bench.bank("dev", given)
    silent = [w for _, w in (*bank.music, *bank.sung)] + [bank.effects] * 3
    known = [(m.wave, m.mask) for m in bench.conditions(bank)] + mixes(bank)
    known += [(w, np.zeros(len(w) // 160, bool)) for w in silent]
    seen, truth = [], []
    for wave, mask in known:
        events = bench.heard(wave).events
        size = min(len(events), len(mask))
        seen.append(features(events[:size])[::THIN])
        truth.append(mask[:size][::THIN].astype(float))
    np.savez_compressed(given.out, **fit(np.concatenate(seen), np.concatenate(truth)))


if __name__ == "__main__":
    main()
