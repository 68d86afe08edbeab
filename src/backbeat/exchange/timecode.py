# SPDX-License-Identifier: Apache-2.0
"""SMPTE timecode: labels of frames, with the numbers that drop-frame counting leaves out."""

from __future__ import annotations

import re
from fractions import Fraction

_LABEL = re.compile(r"^\s*(\d{1,2})[:;.](\d{2})[:;.](\d{2})([:;.,])(\d{2,3})\s*$")
DROP_RATES = (Fraction(30000, 1001), Fraction(60000, 1001))


def nominal(rate: Fraction) -> int:
    """Return how many frames a timecode second counts: 24 for 23.976, 30 for 29.97."""
    return -(-rate.numerator // rate.denominator)


def label(frame: int, rate: Fraction, *, drop: bool = False) -> str:
    """Return ``hh:mm:ss:ff`` of `frame`, or ``hh:mm:ss;ff`` in drop-frame counting; it wraps at 24 hours."""
    base = nominal(rate)
    if drop:
        skip = base // 15  # 2 numbers a minute at 29.97, 4 at 59.94, but none every tenth
        minute, ten = 60 * base - skip, 600 * base - 9 * skip
        tens, rest = divmod(frame, ten)
        frame += 9 * skip * tens + (skip * ((rest - skip) // minute) if rest > skip else 0)
    frame %= 24 * 3600 * base
    seconds, frames = divmod(frame, base)
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours:02d}:{minutes % 60:02d}:{seconds % 60:02d}{';' if drop else ':'}{frames:02d}"


def frame_of(text: str, rate: Fraction, *, drop: bool | None = None) -> int:
    """Return the frame that a label names; `drop` None: a ``;`` or ``,`` before the frames says so.

    Raises
    ------
    ValueError
        If `text` is no timecode, or names a frame that does not exist.
    """
    found = _LABEL.match(text)
    if not found:
        raise ValueError(text)
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    base = nominal(rate)
    if minutes > 59 or seconds > 59 or frames >= base:
        raise ValueError(text)
    total = (hours * 3600 + minutes * 60 + seconds) * base + frames
    if drop is None:
        drop = found[4] in ";," and rate in DROP_RATES
    if drop:
        skip, count = base // 15, hours * 60 + minutes
        total -= skip * (count - count // 10)
    return total


def relabelled(frame: int, source: Fraction, record: Fraction, *, drop: bool) -> int:
    """Return the frame at `record` whose label reads as `frame` does at `source`, frames scaled.

    A camera at 50 fps and a list at 25 agree in hours, minutes and seconds, whatever the clocks' true pace.
    """
    if source == record:
        return frame
    text = label(frame, source, drop=source in DROP_RATES)
    base, ours = nominal(source), nominal(record)
    frames = min(int(text[9:]) * ours // base, ours - 1)
    return frame_of(f"{text[:8]}{';' if drop else ':'}{frames:02d}", record, drop=drop)
