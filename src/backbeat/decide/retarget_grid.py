# SPDX-License-Identifier: Apache-2.0
"""The grid under beats that were heard: jitter and slips of the ear taken out, so that no seam bends the pulse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.model.song import Beat

Array = NDArray[Any]

_NEAR = 0.02  # s: a beat this near a grid line lies on it
_SURE = 0.5  # share of beats that must lie on the grid, and in each third of the song on it or half a beat off it
_LONG = 60.0  # s: shorter songs look rigid by chance


def rigid(times: Sequence[float] | Array) -> tuple[float, float] | None:
    """Return (period, first) of the one steady grid under the beats, None where there is none.

    Robust to beats missed, added or heard off the beat for a while: the period is the one, within 1.5 % of the median
    step, that lines up most beats; then a straight line is fitted through those.
    """
    t = np.asarray(times, float)
    if len(t) < 32 or t[-1] - t[0] < _LONG:
        return None
    step = float(np.median(np.diff(t)))
    # so fine that the far end moves by 4 ms from one candidate to the next
    count = int(0.03 * step / (0.004 * step / (t[-1] - t[0]))) + 1
    periods = np.linspace(0.985 * step, 1.015 * step, max(64, count))
    clear = np.abs(np.exp(2j * np.pi * t[None, :] / periods[:, None]).mean(1))
    period = float(periods[int(clear.argmax())])
    phase = float(np.angle(np.exp(2j * np.pi * t / period).mean()) / (2 * np.pi) * period)
    for reach in (3 * _NEAR, 2 * _NEAR, _NEAR):
        k = np.rint((t - phase) / period)
        on = np.abs(t - phase - k * period) < reach
        if on.sum() < 16:
            return None
        period, phase = (float(v) for v in np.polyfit(k[on], t[on], 1))
    k = np.rint((t - phase) / period)
    on = np.abs(t - phase - k * period) < _NEAR
    off = np.abs(np.abs(t - phase - k * period) - period / 2) < _NEAR
    # a song that changes its tempo fits in one part only
    if on.mean() < _SURE or any(part.mean() < _SURE for part in np.array_split(on | off, 3)):
        return None
    return period, float(phase + k[0] * period)


def regular(beats: Sequence[Beat], bar: int) -> tuple[Beat, ...]:
    """Return the beats on their steady grid where the song has one, else the beats with their jitter smoothed.

    On a steady grid, missed beats are put in and places in the bar are those that most of the beats heard agree on.
    """
    times = np.array([b.time for b in beats])
    grid = rigid(times)
    if grid is None:
        return tuple(replace(b, time=float(t)) for b, t in zip(beats, smoothed(times), strict=True))
    period, first = grid
    count = round(float(times[-1] - first) / period) + 1
    line = first + period * np.arange(count)
    nearest = np.abs(times[None, :] - line[:, None]).argmin(1)
    off = np.abs(times[nearest] - line)
    votes = np.zeros(max(1, bar))
    for k, (i, away) in enumerate(zip(nearest, off, strict=True)):
        if away < _NEAR and beats[i].position > 0:
            votes[(k - beats[i].position + 1) % bar] += 1
    shift = int(votes.argmax()) if votes.any() else -1
    return tuple(
        Beat(
            float(line[k]),
            (k - shift) % bar + 1 if shift >= 0 else -1,
            beats[i].strength if off[k] < period / 3 else 0.3,
            beats[i].confidence if off[k] < _NEAR else 0.5 * beats[i].confidence,
        )
        for k, i in enumerate(nearest)
    )


def smoothed(times: Sequence[float] | Array) -> Array:
    """Return beat times with a straight line fitted through the eight beats either side of each.

    Where the steps about a beat differ by more than an eighth (a pause, a new tempo, rubato), it stays as it was.
    """
    t = np.asarray(times, float)
    n = len(t)
    out = t.copy()
    if n < 8:
        return out
    k = np.arange(n)
    for i in range(n):
        a, z = max(0, i - 8), min(n, i + 9)
        step = np.diff(t[a:z])
        if np.ptp(step) < 0.12 * np.median(step):
            slope, offset = np.polyfit(k[a:z], t[a:z], 1)
            out[i] = slope * i + offset
    return np.maximum.accumulate(out)
