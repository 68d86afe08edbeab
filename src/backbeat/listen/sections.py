# SPDX-License-Identifier: Apache-2.0
"""Where a song changes: novelty over bars, phrases of usual lengths, labels by likeness."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from backbeat.listen.energy import STEP
from backbeat.listen.harmony import CHROMA_STEP
from backbeat.listen.spectrum import FPS
from backbeat.model.song import Section

Matrix = NDArray[np.float64]

# What a section of so many bars costs, on top of the flat price of a boundary: songs go by fours and eights.
_LENGTHS = {4: 0.0, 8: -0.1, 16: -0.05, 12: 0.02, 2: 0.3, 6: 0.12, 10: 0.15, 3: 0.4, 5: 0.35, 7: 0.3, 9: 0.2}
_ODD = 0.3
_PRICE = 0.32
_LONGEST = 32  # bars
_SHORT = 8.0  # s: what is shorter is more likely a phrase than a section, however many bars it has


def find(
    bars: NDArray[np.float64],
    mel: NDArray[np.float32],
    chroma: NDArray[np.float32],
    energy: NDArray[np.float32],
    end: float,
) -> tuple[Section, ...]:
    """Return the sections from 0 to `end` seconds; boundaries lie on `bars` (times of downbeats)."""
    edges = np.unique(np.concatenate([[0.0], bars[(bars > 0.5) & (bars < end - 1.0)], [end]]))
    if len(edges) < 6:
        return (Section(0.0, end, "A", _mean(energy, 0.0, end), "", 0.0),)
    feature = bar_features(edges, mel, chroma)
    novelty = _novelty(feature, energy, edges)
    cuts = _phrases(novelty, edges)
    spans = [(float(edges[a]), float(edges[b])) for a, b in itertools.pairwise(cuts)]
    labels = _labels(feature, cuts)
    trust = [0.5] + [float(np.clip(novelty[c], 0, 1)) for c in cuts[1:-1]]
    levels = [_mean(energy, a, b) for a, b in spans]
    roles = _roles(labels, levels)
    return tuple(
        Section(a, b, label, level, role, confidence)
        for (a, b), label, level, role, confidence in zip(spans, labels, levels, roles, trust, strict=True)
    )


def bar_features(edges: NDArray[np.float64], mel: NDArray[np.float32], chroma: NDArray[np.float32]) -> Matrix:
    """Return one row a bar: timbre (12 cosine terms of the log-mel), its spread, and pitch classes; standardised."""
    index = np.arange(mel.shape[1])
    cosine = np.cos(np.pi * np.outer(index + 0.5, np.arange(12)) / mel.shape[1]) / np.sqrt(mel.shape[1])
    timbre = mel @ cosine.astype(np.float32)
    quarters = [np.linspace(a, b, 5) for a, b in itertools.pairwise(edges)]
    rows = []
    for q in quarters:
        part = [_slice(timbre, q[0], q[4], 1 / FPS)]
        tones = [_slice(chroma, a, b, CHROMA_STEP).mean(0) for a, b in itertools.pairwise(q)]
        rows.append(np.concatenate([part[0].mean(0), 0.5 * part[0].std(0), *(0.5 * t for t in tones)]))
    table = np.array(rows)
    groups = [slice(0, 12), slice(12, 24), slice(24, table.shape[1])]
    for group, weight in zip(groups, (1.0, 0.5, 0.8), strict=True):
        block = table[:, group] - table[:, group].mean(0)
        table[:, group] = weight * block / (np.sqrt(np.square(block).sum(1).mean()) + 1e-9)
    return table


def _slice(rows: NDArray[np.float32], start: float, end: float, step: float) -> NDArray[np.float32]:
    a = min(int(start / step), len(rows) - 1)
    return rows[a : max(int(end / step), a + 1)]


def _mean(energy: NDArray[np.float32], start: float, end: float) -> float:
    return float(_slice(energy, start, end, STEP).mean())


def _novelty(feature: Matrix, energy: NDArray[np.float32], edges: NDArray[np.float64]) -> Matrix:
    """Return how much changes at each bar line, 0..1: Foote's checkerboard over 2 and 4 bars, and steps of energy."""
    count = len(feature)
    unit = feature / (np.linalg.norm(feature, axis=1, keepdims=True) + 1e-9)
    likeness = unit @ unit.T
    total = np.zeros(count + 1)
    for reach in (2, 4):
        if count < 2 * reach:
            continue
        axis = np.arange(-reach + 0.5, reach)
        taper = np.exp(-0.5 * (axis / (0.5 * reach)) ** 2)
        kernel = np.outer(taper * np.sign(axis), taper * np.sign(axis))
        padded = np.pad(likeness, reach, mode="reflect")
        found = [(padded[k : k + 2 * reach, k : k + 2 * reach] * kernel).sum() for k in range(count + 1)]
        score = np.maximum(found, 0)
        total += 0.5 * score / (np.percentile(score, 98) + 1e-9)
    level = np.array([_mean(energy, a, b) for a, b in itertools.pairwise(edges)])
    for k in range(1, count):
        step = abs(level[k : k + 2].mean() - level[max(k - 2, 0) : k].mean())
        total[k] += 1.2 * max(step - 0.08, 0)
    return np.asarray(np.clip(total, 0, 1.5))


def _phrases(novelty: Matrix, edges: NDArray[np.float64]) -> list[int]:
    """Return bar indices of the boundaries, both ends included: the best path of novelty less the price of lengths."""
    count = len(novelty) - 1
    best = np.full(count + 1, -np.inf)
    best[0] = 0.0
    back = np.zeros(count + 1, int)
    for j in range(1, count + 1):
        for length in range(1, min(_LONGEST, j) + 1):
            at_edge = j - length == 0 or j == count
            seconds = float(edges[j] - edges[j - length])
            cost = _PRICE + (0.0 if at_edge else _LENGTHS.get(length, _ODD)) + 0.3 * max(0.0, 1 - seconds / _SHORT)
            score = best[j - length] + (float(novelty[j]) if j < count else 0.0) - cost
            if score > best[j]:
                best[j], back[j] = score, j - length
    cuts = [count]
    while cuts[-1] > 0:
        cuts.append(int(back[cuts[-1]]))
    return cuts[::-1]


def _labels(feature: Matrix, cuts: list[int]) -> list[str]:
    """Return A, B, A …: average linkage of the sections' mean bars."""
    means = np.array([feature[a:b].mean(0) for a, b in itertools.pairwise(cuts)])
    if len(means) == 1:
        return ["A"]
    from scipy.cluster.hierarchy import fcluster, linkage

    spread = float(np.sqrt(np.square(feature - feature.mean(0)).sum(1).mean()))
    groups = fcluster(linkage(means, "average"), 0.75 * spread, "distance")
    names: dict[int, str] = {}
    for group in groups:
        number = len(names)
        names.setdefault(int(group), chr(65 + number % 26) + (str(number // 26) if number >= 26 else ""))
    return [names[int(group)] for group in groups]


def _roles(labels: list[str], levels: list[float]) -> list[str]:
    """Return intro, outro, break, drop where energy and place leave little doubt, else ""."""
    roles = [""] * len(labels)
    if len(labels) < 3:
        return roles
    middle = float(np.median(levels))
    if levels[0] < middle - 0.12:
        roles[0] = "intro"
    if levels[-1] < middle - 0.12:
        roles[-1] = "outro"
    for i in range(1, len(labels) - 1):
        before, here, after = levels[i - 1], levels[i], levels[i + 1]
        if here < before - 0.15 and here < after - 0.15:
            roles[i] = "break"
        elif here > before + 0.22 and here >= np.percentile(levels, 70):
            roles[i] = "drop"
    return roles
