# SPDX-License-Identifier: Apache-2.0
"""A second, plain beat tracker that shares nothing with the first: the review's other ear.

Onset strength on a log-frequency spectrum, one tempo by its autocorrelation, beats by dynamic programming (Ellis 2007).
It is the weaker ear; its worth is that it errs elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.listen.tracker import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.listen.spectrum import Look

RATE = 22_050
_HOP = 128  # 5.8 ms
_WINDOW = 1024
_BANDS = 30
_TIGHT = 400.0  # Ellis's weight of steady tempo against strong onsets
_CENTRE, _SPREAD = 120.0, 0.9  # beats a minute and octaves: the tempo people tap


class PlainTracker:
    """Finds beats by dynamic programming over onsets; no bars."""

    name = "plain"

    def track(self, look: Look, bpm: float | None = None) -> Grid:
        """Return the grid of a song; `bpm` is a hint that a user gave."""
        onset = onsets(look.mono)
        if len(onset) < 400 or float(onset.max(initial=0.0)) <= 0:
            none = np.zeros(0)
            return Grid(none, none.astype(np.int64), none, 4, 0.0)
        period, clarity = tempo(onset, bpm)
        frames = follow(onset, period)
        times = np.array([_peak(onset, f) for f in frames]) * _HOP / RATE
        keep = np.concatenate([[True], np.diff(times) > 0.05])
        times = times[keep]
        return Grid(times, np.full(len(times), -1), np.full(len(times), clarity), 4, clarity)


def onsets(mono: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return onset strength every 128 samples of `mono` (22,050 Hz).

    It is the rise of log energy, summed over bands, less its slow mean.
    """
    from scipy.ndimage import gaussian_filter1d

    padded = np.pad(mono, _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    edges = np.geomspace(40, 9000, _BANDS + 1) / RATE * _WINDOW
    place = np.arange(_WINDOW // 2 + 1)
    bank = ((place[:, None] >= edges[:-1]) & (place[:, None] < np.maximum(edges[1:], edges[:-1] + 1))).astype(
        np.float32
    )
    window = np.hanning(_WINDOW).astype(np.float32)
    bands = np.empty((len(frames), _BANDS), np.float32)
    for a in range(0, len(frames), 4096):
        bands[a : a + 4096] = np.log1p(50 * np.abs(np.fft.rfft(frames[a : a + 4096] * window, axis=1)) @ bank)
    rise = np.zeros(len(bands))
    rise[2:] = np.maximum(0, bands[2:] - bands[:-2]).sum(1)
    rise = gaussian_filter1d(rise, 1.5)
    rise -= gaussian_filter1d(rise, RATE / _HOP)
    return np.asarray(np.maximum(rise, 0) / (rise.std() + 1e-9), float)


def tempo(onset: NDArray[np.float64], bpm: float | None) -> tuple[float, float]:
    """Return (period in frames, clarity 0..1): the best lag of the autocorrelation with its half and double."""
    size = 1 << (2 * len(onset) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(onset - onset.mean(), size)) ** 2
    auto = np.fft.irfft(spectrum)[: len(onset)]
    auto = auto / max(float(auto[0]), 1e-9)
    lags = np.arange(round(60 / 240 * RATE / _HOP), min(round(60 / 45 * RATE / _HOP), len(auto) // 4))
    here = np.array([auto[max(1, k - 1) : k + 2].max() for k in lags])
    double = np.array([auto[2 * k - 2 : 2 * k + 3].max(initial=0.0) for k in lags])
    four = np.array([auto[4 * k - 3 : 4 * k + 4].max(initial=0.0) for k in lags])
    octaves = np.log2(60 * RATE / _HOP / lags / (bpm or _CENTRE))
    score = (here + 0.5 * double + 0.5 * four) * np.exp(-0.5 * (octaves / (0.1 if bpm else _SPREAD)) ** 2)
    best = int(lags[int(score.argmax())])
    # Eight periods on, the lag is known eight times finer.
    fine = float(best)
    for many in (2, 4, 8):
        centre = round(fine * many)
        if centre + many + 2 >= len(auto):
            break
        fine = (centre - many + int(np.argmax(auto[centre - many : centre + many + 1]))) / many
    return fine, float(np.clip(here[int(score.argmax())] * 2, 0, 1))


def follow(onset: NDArray[np.float64], period: float) -> NDArray[np.int64]:
    """Return the frames of the beats: the best chain of onsets whose steps keep to `period` (Ellis 2007)."""
    near, far = max(1, round(period / 2)), round(period * 2)
    steps = np.arange(near, far + 1)
    cost = -_TIGHT * np.log(steps / period) ** 2 / 10
    total = onset.copy()
    back = np.full(len(onset), -1)
    for i in range(near, len(onset)):
        reach = min(far, i)
        past = total[i - reach : i - near + 1][::-1] + cost[: reach - near + 1]
        best = int(past.argmax())
        if past[best] > 0:
            total[i] += past[best]
            back[i] = i - near - best
    last = len(onset) - 1 - int(np.argmax(total[::-1][: round(2 * period)]))
    chain = [last]
    while back[chain[-1]] >= 0:
        chain.append(int(back[chain[-1]]))
    return np.array(chain[::-1], np.int64)


def _peak(onset: NDArray[np.float64], frame: int) -> float:
    """Return the place of the onset's peak within three frames, between frames by a parabola."""
    low = max(1, frame - 3)
    at = low + int(np.argmax(onset[low : min(len(onset) - 1, frame + 4)])) if low < len(onset) - 1 else frame
    if not 0 < at < len(onset) - 1:
        return float(frame)
    a, b, c = onset[at - 1], onset[at], onset[at + 1]
    bend = a - 2 * b + c
    return at + (0.5 * (a - c) / bend if bend < 0 else 0.0)
