# SPDX-License-Identifier: Apache-2.0
"""A finished film's sound as a whole: loudness over time, true peak, how it ends, and a waveform to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.listen.loudness import SILENCE, integrated, k_weighting
from backbeat.model.film import Mix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RATE = 48_000
VERSION = 2
STEP = 0.1
_FINE = 0.01
_DEAD = 10 ** (-72 / 20)


@dataclass(frozen=True, slots=True)
class Mixdown:
    """`mix` and its `wave`: peaks 0..1 of equal spans of the film, for drawing."""

    mix: Mix
    wave: tuple[float, ...]


def mixdown(samples: Floats, offset: float, duration: float, *, points: int = 2000) -> Mixdown:
    """Measure the sound of a film.

    Parameters
    ----------
    samples
        Float32 (channels, n) at 48 kHz.
    offset
        Seconds of the first sample on the picture's clock.
    duration
        Seconds of picture.
    points
        Length of the waveform.
    """
    peak = float(np.abs(samples).max(initial=0.0))
    end = offset + samples.shape[1] / RATE
    placed = on_picture(samples, offset)
    if peak < _DEAD:
        return Mixdown(Mix((), STEP, SILENCE, -120.0, offset, end, 0.0, silent=True), ())
    level = _level(placed)
    mix = Mix(
        momentary=tuple(np.round(momentary(placed), 2).tolist()),
        step=STEP,
        integrated=round(integrated(samples, RATE), 2),
        true_peak=round(true_peak(samples), 2),
        start=round(offset, 4),
        end=round(end, 4),
        ending_drop=round(_ending(level, min(end, duration)), 2),
        level=tuple(np.round(level, 1).tolist()),
        peak_at=round(float(np.abs(samples).max(0).argmax()) / RATE + offset, 3),
        level_step=_FINE,
    )
    return Mixdown(mix, _wave(placed, duration, points))


def on_picture(samples: Floats, offset: float) -> Floats:
    """Return `samples` so that the first one sounds with the first picture: padded by silence or shortened."""
    lead = round(offset * RATE)
    return np.pad(samples, ((0, 0), (lead, 0))) if lead > 0 else samples[:, -lead:]


def momentary(samples: Floats) -> NDArray[np.float64]:
    """Return the momentary loudness (EBU R128: 0.4 s, K-weighted, LUFS) every 0.1 s, windows centred."""
    from scipy.signal import sosfilt

    hop = round(STEP * RATE)
    blocks = -(-samples.shape[1] // hop)
    power = np.zeros(blocks)
    sections = k_weighting(RATE)
    for channel in samples:
        heard = np.zeros(blocks * hop, np.float32)
        heard[: len(channel)] = sosfilt(sections, channel)
        power += np.square(heard).reshape(blocks, hop).mean(1)
    # Block k spans k·0.1 … (k+1)·0.1 s; the window about k·0.1 s is blocks k-2 … k+1.
    padded = np.pad(power, (2, 1), mode="edge")
    window = np.convolve(padded, np.full(4, 0.25), "valid")
    return np.maximum(-0.691 + 10 * np.log10(np.maximum(window, 1e-12)), SILENCE)


def true_peak(samples: Floats) -> float:
    """Return the highest peak between samples (dBTP), 4 times oversampled about the loudest places only."""
    import soxr

    size, margin = 4096, 256
    blocks = -(-samples.shape[1] // size)
    padded = np.pad(samples, ((0, 0), (margin, blocks * size - samples.shape[1] + margin)))
    loud = np.abs(padded[:, margin:-margin]).max(0).reshape(blocks, size).max(1)
    top = float(loud.max())
    best = top
    # Between samples a wave rises by 3 dB at the very most in practice.
    for block in np.flatnonzero(loud > 0.7 * top)[:400]:
        piece = padded[:, block * size : (block + 1) * size + 2 * margin]
        up = soxr.resample(np.ascontiguousarray(piece.T), RATE, 4 * RATE, quality="HQ")
        # The margins only settle the filter.
        best = max(best, float(np.abs(up[4 * margin : -4 * margin]).max()))
    return float(20 * np.log10(best))


def _level(samples: Floats) -> NDArray[np.float64]:
    hop = round(_FINE * RATE)
    blocks = samples.shape[1] // hop
    power = np.square(samples[:, : blocks * hop]).mean(0).reshape(blocks, hop).mean(1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), float)


def _ending(level: NDArray[np.float64], end: float) -> float:
    """Return how far the last 50 ms (dB) lie below the loudest second of the last five."""
    last = level[: max(1, int(end / _FINE))]
    if len(last) < 150:
        return 0.0
    power = 10 ** (last[-500:] / 10)
    seconds = np.convolve(power, np.full(100, 0.01), "valid")
    return float(10 * np.log10(seconds.max() / max(power[-5:].mean(), 1e-12)))


def _wave(samples: Floats, duration: float, points: int) -> tuple[float, ...]:
    mono = np.abs(samples).max(0)
    whole = max(1, round(duration * RATE))
    mono = np.pad(mono, (0, max(0, whole - len(mono))))[:whole]
    edges = np.linspace(0, whole, min(points, whole) + 1).astype(int)
    return tuple(np.round(np.maximum.reduceat(mono, edges[:-1]), 3).tolist())
