# SPDX-License-Identifier: Apache-2.0
"""Beat trackers behind one protocol, and the default one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from backbeat.listen import spectrum
from backbeat.listen.decode import Path, decode, tempos
from backbeat.listen.snap import snap, straighten

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Grid:
    """A beat grid: `times` (s), `positions` in the bar (1 = downbeat, -1 = unknown), `trust` of each beat 0..1."""

    times: NDArray[np.float64]
    positions: NDArray[np.int64]
    trust: NDArray[np.float64]
    meter: int = 4
    confidence: float = 0.0


class BeatTracker(Protocol):
    """Finds beats. `name` is what ``--tracker`` calls it."""

    name: str

    def track(self, mono: NDArray[np.float32], bpm: float | None = None) -> Grid:
        """Return the grid of `mono` (22,050 Hz, one channel); `bpm` is a hint that a user gave."""


class OwnTracker:
    """The default: nothing downloaded, numpy alone."""

    name = "own"

    def track(self, mono: NDArray[np.float32], bpm: float | None = None) -> Grid:
        """Return the grid of `mono` (22,050 Hz)."""
        mel = spectrum.log_mel(mono)
        beat, down = evidence(mel)
        path = decode(beat, down, spectrum.FPS, tempo_prior(bpm), (4,))
        return settle(path, mono, beat)


def evidence(mel: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the log odds of a plain beat and of a downbeat, a frame each."""
    onset, low = spectrum.flux(mel)
    beat = 1.6 * onset - 2.2
    return (beat - 0.2).astype(np.float32), (beat + 0.5 * low - 0.4).astype(np.float32)


def tempo_prior(bpm: float | None) -> NDArray[np.float32]:
    """Return the log weight of each tempo, a beat: broad about 125, or within 7 % of the hint."""
    states = tempos()
    if bpm is not None:
        return np.where(np.abs(np.log(states / bpm)) < 0.07, 0.0, -1e9).astype(np.float32)
    return np.asarray(-0.5 * (np.log2(states / 125) / 0.6) ** 2 * 0.3, dtype=np.float32)


def settle(path: Path, mono: NDArray[np.float32], beat: NDArray[np.float32]) -> Grid:
    """Return the grid of a path: on the attacks, carried on to both ends of the sound, with its trust."""
    if len(path.frames) < 4:
        none = np.zeros(0)
        return Grid(none, none.astype(np.int64), none, path.meter, 0.0)
    times = straighten(snap(path.frames / spectrum.FPS, spectrum.attack(mono)))
    odds = np.array([beat[max(f - 1, 0) : f + 2].max() for f in path.frames])
    trust = 1 / (1 + np.exp(-odds))
    steps = np.diff(times)
    smooth = np.median(np.abs(np.diff(steps))) / max(np.median(steps), 1e-3)
    confidence = float(np.clip(trust.mean() * np.exp(-4 * smooth), 0, 1))
    times, positions, trust = _carried(times, path.positions, trust, path.meter, len(mono) / spectrum.RATE)
    return Grid(times, positions, trust, path.meter, confidence)


def _carried(
    times: NDArray[np.float64], positions: NDArray[np.int64], trust: NDArray[np.float64], meter: int, end: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Carry the grid on to 0 and to `end` by the period of its first and last beats."""
    head, tail = float(np.median(np.diff(times[:9]))), float(np.median(np.diff(times[-9:])))
    ahead = times[0] - head * np.arange(int(times[0] / head), 0, -1)
    after = times[-1] + tail * np.arange(1, int((end - times[-1]) / tail) + 1)
    first, last = int(positions[0]) - 1, int(positions[-1]) - 1
    before = (first - np.arange(len(ahead), 0, -1)) % meter + 1
    behind = (last + np.arange(1, len(after) + 1)) % meter + 1
    weak = 0.3
    return (
        np.concatenate([ahead, times, after]),
        np.concatenate([before, positions, behind]),
        np.concatenate([np.full(len(ahead), weak), trust, np.full(len(after), weak)]),
    )
