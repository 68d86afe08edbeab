# SPDX-License-Identifier: Apache-2.0
"""Beat trackers behind one protocol, and the default one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from backbeat.listen import net, spectrum
from backbeat.listen.decode import Path, decode, tempos
from backbeat.listen.snap import snap, straighten
from backbeat.listen.spectrum import Look

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

    def track(self, look: Look, bpm: float | None = None) -> Grid:
        """Return the grid of a song; `bpm` is a hint that a user gave."""


class OwnTracker:
    """The default: nothing downloaded, numpy alone."""

    name = "own"

    def track(self, look: Look, bpm: float | None = None) -> Grid:
        """Return the grid of a song."""
        seen = evidence(look.mel)
        return settle(best_path(seen, bpm), look, seen)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a song tells of its beats.

    `beat` and `down` are log odds a frame of a plain beat and of a downbeat against neither; `tempo` is the mean log
    probability of each of `net.tempo_states` over the song.
    """

    beat: NDArray[np.float32]
    down: NDArray[np.float32]
    tempo: NDArray[np.float32]


# Chosen on one half of the charted songs (see benchmarks/ear.py).
_EAGER = 0.5  # added to all odds: how readily a beat is counted
_VOTE = 1.0  # weight of the network's tempo over the whole song, a beat
_ODD = 0.25  # a beat; made-up songs in 5 and 7 gain 0.3 to 1.5, no song in 3 or 4 more than 0.18
_FRAME = 0.009  # s, the blur of whole frames
_CENTRE, _WIDTH, _USUAL = 125.0, 0.6, 0.3  # the usual tempo: centre, octaves, weight
# The loss weighed beats and downbeats so much more than nothing (training/train.py); the odds give it back.
_LOSS = np.log((2.0, 4.0)).astype(np.float32)


def evidence(mel: NDArray[np.float32]) -> Evidence:
    """Return what the network tells of a log-mel picture."""
    classes, tempo = net.run(mel)
    odds = classes[:, 1:] - classes[:, :1] - _LOSS + np.float32(_EAGER)
    return Evidence(odds[:, 0], odds[:, 1], tempo.mean(0))


def best_path(seen: Evidence, bpm: float | None = None) -> Path:
    """Return the best path in 3 or 4, or in 5 or 7 where that explains the song clearly better."""
    prior = tempo_prior(seen.tempo, bpm)
    usual = decode(seen.beat, seen.down, spectrum.FPS, prior, (3, 4))
    odd = decode(seen.beat, seen.down, spectrum.FPS, prior, (5, 7))
    return odd if odd.score > usual.score + _ODD * len(usual.frames) else usual


def tempo_prior(votes: NDArray[np.float32], bpm: float | None) -> NDArray[np.float32]:
    """Return the log weight of each state of `decode.tempos`: the song's vote and the usual tempo, or the hint."""
    states = tempos()
    if bpm is not None:
        return np.where(np.abs(np.log(states / bpm)) < 0.07, 0.0, -1e9).astype(np.float32)
    vote = np.interp(np.log(states), np.log(net.tempo_states()), votes)
    usual = -0.5 * _USUAL * (np.log2(states / _CENTRE) / _WIDTH) ** 2
    return np.asarray(usual + _VOTE * (vote - vote.max()), dtype=np.float32)


def settle(path: Path, look: Look, seen: Evidence) -> Grid:
    """Return the grid of a path: on the attacks, carried on to both ends of the sound, with its trust."""
    if len(path.frames) < 4:
        none = np.zeros(0)
        return Grid(none, none.astype(np.int64), none, path.meter, 0.0)
    rough = straighten(path.frames / spectrum.FPS, _FRAME)
    times = straighten(snap(rough, look.attack))
    odds = np.maximum(seen.beat, seen.down) - _EAGER
    near = np.stack([odds[np.clip(path.frames + k, 0, len(odds) - 1)] for k in (-1, 0, 1)]).max(0)
    sure = 1 / (1 + np.exp(-near))
    # A beat may be sure though nothing sounds on it: those around it say so.
    around = np.convolve(np.pad(sure, 4, mode="reflect"), np.full(9, 1 / 9), "valid") if len(sure) > 8 else sure
    trust = belief(0.5 * sure + 0.5 * around)
    times, positions, trust = _carried(times, path.positions, trust, path.meter, len(look.mono) / spectrum.RATE)
    return Grid(times, positions, trust, path.meter, float(belief(sure.mean())))


def belief(sure: NDArray[np.floating] | np.floating) -> NDArray[np.float64]:
    """Return how far a grid can be trusted, 0..1, given the network's mean probability on its beats.

    A logistic curve read off the F-measures of all 55 charted songs by eye, none held back: 0.25 means as often wrong
    as right. It orders songs; it is no calibrated probability.
    """
    return np.asarray(1 / (1 + np.exp(-(np.asarray(sure, dtype=np.float64) - 0.25) / 0.08)))


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
    weak = 0.3  # of beats that nothing was heard of
    return (
        np.concatenate([ahead, times, after]),
        np.concatenate([before, positions, behind]),
        np.concatenate([np.full(len(ahead), weak), trust, np.full(len(after), weak)]),
    )
