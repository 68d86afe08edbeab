# SPDX-License-Identifier: Apache-2.0
"""Sound levels as keyframes: gain in dB and fades in one curve, for programs that know no fades."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from backbeat.exchange.sheet import ZERO, Event

FLOOR_DB = -96.0


def gain_at(event: Event, time: Fraction) -> float:
    """Return the gain of `event` in dB, `time` record seconds after its start, fades left out."""
    keys = event.gain
    if not keys:
        return 0.0
    if time <= keys[0][0]:
        return keys[0][1]
    for (t0, v0), (t1, v1) in pairwise(keys):
        if time < t1:
            return v0 + float((time - t0) / (t1 - t0)) * (v1 - v0)
    return keys[-1][1]


def amplitudes(event: Event, rate: Fraction) -> list[tuple[Fraction, float]]:
    """Return (record seconds after the start, factor >= 0) with gain and fades together; straight between.

    Where the gain moves, points stand close enough that straight factors follow straight decibels within 0.2 dB.
    """
    length = event.frames / rate
    if len(event.gain) < 2 and not event.fade_in and not event.fade_out:
        return [(ZERO, _factor(gain_at(event, ZERO)))]
    times = {ZERO, length, *(t for t, _ in event.gain if ZERO <= t <= length)}
    for (t0, v0), (t1, v1) in pairwise(event.gain):
        parts = max(min(int(abs(v1 - v0) / 3) + 1, int((t1 - t0) * rate)), 1)  # keys lie on frames
        times |= {t0 + (t1 - t0) * i / parts for i in range(parts)}
    fade_in, fade_out = min(event.fade_in, length), min(event.fade_out, length)
    times |= {fade_in, length - fade_out}
    curve = []
    for time in sorted(t for t in times if ZERO <= t <= length):
        factor = _factor(gain_at(event, time))
        if fade_in and time < fade_in:
            factor *= float(time / fade_in)
        if fade_out and time > length - fade_out:
            factor *= float((length - time) / fade_out)
        curve.append((time, factor))
    return curve


def decibels(factor: float) -> float:
    """Return the level of a factor, not below `FLOOR_DB`."""
    from math import log10

    return max(20 * log10(factor), FLOOR_DB) if factor > 0 else FLOOR_DB


def _factor(db: float) -> float:
    return 10.0 ** (db / 20) if db > FLOOR_DB else 0.0
