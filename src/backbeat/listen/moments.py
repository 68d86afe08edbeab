# SPDX-License-Identifier: Apache-2.0
"""Instants that matter to an editor: accents, silences, fills, and where a song may begin and end."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from backbeat.listen.energy import STEP, linear
from backbeat.listen.spectrum import ATTACK_STEP, FPS
from backbeat.model.song import Accent, Beat, Point, Section

Array = NDArray[np.float32]
_QUIET = 1e-3  # of the song's loud level (-60 dB)


def sounding(mel: Array) -> tuple[float, float]:
    """Return the first and last second in which anything sounds, (0, 0) for silence."""
    level = np.sqrt(np.square(linear(mel)).sum(1))
    heard = np.flatnonzero(level > max(_QUIET * level.max(initial=0.0), 1e-7))
    return (heard[0] / FPS, (heard[-1] + 1) / FPS) if len(heard) else (0.0, 0.0)


def accents(attack: Array, mel: Array, beats: tuple[Beat, ...], sections: tuple[Section, ...]) -> tuple[Accent, ...]:
    """Return what stands out, in order of time."""
    found = _hits(attack, mel) + _silences(mel) + _turns(sections) + _fills(attack, beats, sections)
    return tuple(sorted(found, key=lambda a: a.time))


def _hits(attack: Array, mel: Array) -> list[Accent]:
    """Attacks far above their neighbourhood: a stab where it is quieter before and after, else a hit."""
    if len(attack) < 10 or attack.max() <= 0:
        return []
    half = int(2.0 / ATTACK_STEP)
    size = 25
    coarse = attack[: len(attack) // size * size].reshape(-1, size).max(1)  # about 50 ms
    around = max(half // size, 1)
    padded = np.pad(coarse, around, mode="reflect") if len(coarse) > around else np.pad(coarse, around, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1)[: len(coarse)]
    usual = np.percentile(windows, 90, axis=1)
    score = coarse / (usual + 0.1 * coarse.max() + 1e-9)
    level = np.sqrt(np.square(linear(mel)).sum(1))
    out = []
    for k in np.flatnonzero((score > 1.25) & (coarse > 0.35 * coarse.max())):
        if coarse[k] < coarse[max(k - 3, 0) : k + 4].max():
            continue
        time = (k * size + int(attack[k * size : (k + 1) * size].argmax())) * ATTACK_STEP
        frame = min(int(time * FPS), len(level) - 1)
        before = level[max(frame - FPS // 2, 0) : max(frame - 2, 1)].mean()
        after = level[frame + FPS // 3 : frame + FPS]
        peak = level[frame : frame + 6].max()
        lone = before < 0.5 * peak and len(after) > 0 and after.mean() < 0.5 * peak
        out.append(Accent(float(time), "stab" if lone else "hit", float(np.clip((score[k] - 1) / 1.5, 0.05, 1))))
    return out


def _silences(mel: Array) -> list[Accent]:
    """Find stops of more than 0.15 s inside the song, 30 dB below what sounds around."""
    level = np.sqrt(np.square(linear(mel)).sum(1))
    first, last = sounding(mel)
    quiet = level < 0.03 * np.percentile(level, 75)
    quiet[: int(first * FPS)] = False
    quiet[int(last * FPS) :] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return [
        Accent(float(a / FPS), "silence", float(min(1.0, (b - a) / FPS)), float((b - a) / FPS))
        for a, b in zip(edges[::2], edges[1::2], strict=True)
        if b - a >= 0.15 * FPS
    ]


def _turns(sections: tuple[Section, ...]) -> list[Accent]:
    """Find steps of energy from section to section."""
    out = []
    for before, here in itertools.pairwise(sections):
        step = here.energy - before.energy
        if step > 0.2:
            out.append(Accent(here.start, "drop", float(min(1.0, 1.5 * step))))
        elif step < -0.2:
            out.append(Accent(here.start, "break", float(min(1.0, -1.5 * step)), here.end - here.start))
    return out


def _fills(attack: Array, beats: tuple[Beat, ...], sections: tuple[Section, ...]) -> list[Accent]:
    """Last bars of sections with clearly more attacks than the bars before."""
    starts = [b.time for b in beats if b.position == 1]
    out = []
    for section in sections[:-1]:
        bars = [t for t in starts if section.start - 0.1 <= t < section.end - 0.3]
        if len(bars) < 3:
            continue
        ends = [*bars[1:], section.end]
        busy = [_busy(attack, a, b) for a, b in zip(bars, ends, strict=True)]
        usual = float(np.median(busy[:-1]))
        if busy[-1] > 1.3 * usual + 1e-9:
            strength = float(np.clip(busy[-1] / (usual + 1e-9) - 1, 0, 1))
            out.append(Accent(bars[-1], "fill", strength, section.end - bars[-1]))
    return out


def _busy(attack: Array, start: float, end: float) -> float:
    part = attack[int(start / ATTACK_STEP) : max(int(end / ATTACK_STEP), int(start / ATTACK_STEP) + 1)]
    return float(part.mean()) if len(part) else 0.0


def entries(beats: tuple[Beat, ...], sections: tuple[Section, ...], span: tuple[float, float]) -> tuple[Point, ...]:
    """Return where the song may be entered: its first sound, and the downbeats where sections start."""
    points = [Point(span[0], "start", 1.0)]
    points += [
        Point(_nearest(beats, section.start), "section", 0.4 + 0.4 * min(section.confidence, 1.0))
        for section in sections[1:]
        if span[0] + 1 < section.start < span[1] - 5
    ]
    return tuple(points)


def endings(
    mel: Array, energy: Array, beats: tuple[Beat, ...], sections: tuple[Section, ...], span: tuple[float, float]
) -> tuple[Point, ...]:
    """Return where the song may end: its own end, and section ends where the energy falls or the phrase closes."""
    points = []
    for section, after in itertools.pairwise(sections):
        if section.end > span[0] + 8:
            fall = max(section.energy - after.energy, 0.0)
            points.append(
                Point(_nearest(beats, section.end), "section", min(0.35 + 0.2 * section.confidence + fall, 0.85))
            )
    if span[1] > span[0]:
        tail = energy[max(int((span[1] - 8) / STEP), 0) : int(span[1] / STEP) + 1]
        faded = len(tail) >= 12 and bool(np.all(np.diff(np.convolve(tail, np.ones(4) / 4, "valid")) < 0.01))
        faded = faded and float(tail[0] - tail[-1]) > 0.3 and not _rings(mel, span[1])
        points.append(Point(span[1], "fade" if faded else "true ending", 0.6 if faded else 1.0))
    return tuple(points)


def _rings(mel: Array, end: float) -> bool:
    """Whether the last seconds are one chord dying away: no onset in the last two."""
    part = mel[max(int((end - 2) * FPS), 0) : int(end * FPS)]
    return len(part) > 2 and float(np.maximum(np.diff(part, axis=0), 0).sum(1).max()) < 0.15 * float(mel.sum(1).max())


def _nearest(beats: tuple[Beat, ...], time: float) -> float:
    downs = [b.time for b in beats if b.position == 1] or [b.time for b in beats]
    return min(downs, key=lambda t: abs(t - time)) if downs else time
