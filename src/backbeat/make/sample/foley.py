# SPDX-License-Identifier: Apache-2.0
"""The sample shoot's production sound: engine, tyres, siren, and a blow at each hit. Mono float32 at 48 kHz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 48_000
Samples = NDArray[np.float32]


def _low(noise: NDArray[np.float64], corner: float) -> NDArray[np.float64]:
    share = 1 - np.exp(-2 * np.pi * corner / RATE)
    return np.asarray(lfilter([share], [1, share - 1], noise), np.float64)


def blow(kind: str, seed: int) -> Samples:
    """Return the sound of one hit: impact, slam, landing, shift or blast."""
    rng = np.random.default_rng(seed)
    length, fall, corner, body, hz = {
        "impact": (0.9, 0.12, 6000.0, 0.7, 70.0),
        "slam": (0.4, 0.035, 2500.0, 0.8, 95.0),
        "landing": (0.8, 0.10, 3000.0, 0.9, 52.0),
        "shift": (0.25, 0.018, 5000.0, 0.4, 180.0),
        "blast": (1.6, 0.40, 1800.0, 1.0, 38.0),
    }[kind]
    t = np.arange(round(length * RATE)) / RATE
    noise = _low(rng.standard_normal(t.size), corner)
    crack = noise / np.abs(noise).max() * np.exp(-t / fall)
    thump = np.sin(2 * np.pi * hz * t * (1 + np.exp(-t / 0.03))) * np.exp(-t / (fall * 1.6))
    ring = np.sin(2 * np.pi * 1340 * t) * np.exp(-t / 0.06) * (0.15 if kind in {"impact", "shift"} else 0.0)
    return np.asarray(0.62 * crack + body * 0.5 * thump + ring, np.float32)


def production(seconds: float, hits: Sequence[tuple[float, str]], seed: int, *, ambience: str) -> Samples:
    """Return a take's sound.

    Parameters
    ----------
    seconds
        Its length.
    hits
        (seconds, kind) of each blow; its first sample lies exactly there.
    seed
        Makes it this take's own.
    ambience
        engine, street or air.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    noise = rng.standard_normal(t.size)
    out = 0.02 * _low(noise, 700) * 6
    if ambience == "engine":
        revs = 62 + 26 * np.sin(0.7 * t + seed) + 10 * np.sin(2.3 * t)
        for at, _kind in hits:
            revs -= 22 * np.where(t >= at, np.exp(-(t - at).clip(0) / 0.5), 0)
        phase = 2 * np.pi * np.cumsum(revs) / RATE
        out += 0.05 * sum(np.sin(k * phase + k) / k**0.8 for k in (1, 2, 3, 4.5, 6))
    if ambience in {"engine", "air"}:
        wail = 2 * np.pi * np.cumsum(760 + 240 * np.sign(np.sin(2 * np.pi * 0.8 * t + seed))) / RATE
        out += (0.012 if ambience == "engine" else 0.006) * np.sin(wail)
    if ambience == "air":
        out += 0.05 * _low(noise, 180) * 8 * (1 + np.sin(2 * np.pi * 11 * t))
    for k, (at, kind) in enumerate(hits):
        sound = blow(kind, seed * 17 + k)
        i = round(at * RATE)
        sound = sound[: max(0, out.size - i)]
        out[i : i + sound.size] += sound
    return np.tanh(out).astype(np.float32)
