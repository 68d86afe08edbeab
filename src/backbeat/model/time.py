# SPDX-License-Identifier: Apache-2.0
"""Clocks: seconds on the song side, whole frames at an exact rate on the picture side.

All spans are half-open. `frame_at` is the only place that rounds between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Rates that cameras and deliverables use; a measured rate within 0.1 % of one is taken for it.
STANDARD_RATES = tuple(
    Fraction(n, d)
    for n, d in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48000, 1001), (48, 1),
        (50, 1), (60000, 1001), (60, 1), (100, 1), (120000, 1001), (120, 1), (240, 1),
        (12, 1), (15, 1), (10, 1),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of seconds, ``start <= t < end``."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start

    def overlap(self, other: Span) -> float:
        """Seconds shared with `other`, 0 if none."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))


def frame_at(seconds: float | Fraction, rate: Fraction) -> int:
    """Return the frame whose start lies nearest to `seconds`; halves go up."""
    above, below = seconds.as_integer_ratio()  # whole numbers throughout: exact, and fast
    return (2 * above * rate.numerator + below * rate.denominator) // (2 * below * rate.denominator)


def seconds_at(frame: int, rate: Fraction) -> float:
    """Return the time at which `frame` starts."""
    return float(frame / rate)


def nearest_rate(measured: float | Fraction) -> Fraction:
    """Return the standard rate within 0.1 % of `measured`, else `measured` itself as a short fraction."""
    value = float(measured)
    # 23.976 and 24 lie 0.1 % apart, so the nearest wins, not the first within reach.
    best = min(STANDARD_RATES, key=lambda r: abs(float(r) - value))
    if abs(float(best) - value) <= 5e-4 * value:
        return best
    return Fraction(measured).limit_denominator(1001)


def parse_rate(text: str) -> Fraction:
    """Read ``"24"``, ``"23.976"``, ``"30000/1001"``; 23.976 and kin become exact.

    Raises
    ------
    ValueError
        If `text` is no positive number, or above 1000.
    """
    rate = Fraction(text.strip())
    if not 0 < rate <= 1000:
        raise ValueError(text)
    return rate if rate.denominator in (1, 1001) else nearest_rate(rate)


def clock(seconds: float) -> str:
    """Return ``m:ss.mmm``, or ``h:mm:ss.mmm`` from an hour on, for people."""
    ms = round(abs(seconds) * 1000)
    sign = "-" if seconds < 0 else ""
    minutes, ms = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{head}:{ms // 1000:02d}.{ms % 1000:03d}"


def parse_clock(text: str) -> float:
    """Read seconds from ``"42"``, ``"1:02.5"`` or ``"1:00:00"``.

    Raises
    ------
    ValueError
        If a part is no number.
    """
    total = 0.0
    for part in text.strip().split(":"):
        total = total * 60 + float(part)
    return total
