# SPDX-License-Identifier: Apache-2.0
"""What a user says of a song's beats: first-class, small, stored with the song by content."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backbeat.errors import InputError
from backbeat.listen.tracker import Grid


@dataclass(frozen=True, slots=True)
class Corrections:
    """Hand corrections, applied in this order.

    `bpm` is a hint to the tracker (beats a minute, 7 % either way), 0 = none. `beats` are tapped times (s) that replace
    the tracker's. `scale` 2 doubles the beats, 0.5 halves them (any power of two). `shift_ms` moves all, later is
    positive. `bar_start` is a time (s) at which a bar begins, None = as heard. `meter` beats a bar, 0 = as heard.
    """

    bpm: float = 0.0
    beats: tuple[float, ...] = ()
    scale: float = 1.0
    shift_ms: float = 0.0
    bar_start: float | None = None
    meter: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to correct."""
        return self == Corrections()


def checked(corrections: Corrections) -> Corrections:
    """Return `corrections` if they make sense.

    Raises
    ------
    InputError
        If a value is out of range.
    """
    if corrections.bpm and not 30 <= corrections.bpm <= 300:
        raise InputError(f"--bpm {corrections.bpm:g}: no tempo of music", "give beats a minute between 30 and 300")
    if corrections.scale not in {0.25, 0.5, 1.0, 2.0, 4.0}:
        raise InputError(f"beats times {corrections.scale:g} cannot be done", "halve or double them")
    if abs(corrections.shift_ms) > 2000:
        raise InputError(f"a shift of {corrections.shift_ms:g} ms is too far", "give at most 2000 ms")
    if corrections.meter and not 1 <= corrections.meter <= 12:
        raise InputError(f"{corrections.meter} beats a bar cannot be", "give 1 to 12")
    if any(b <= a for a, b in zip(corrections.beats[:-1], corrections.beats[1:], strict=True)):
        raise InputError("the tapped beats do not rise", "sort the times in the beats file")
    return corrections


def apply(grid: Grid, corrections: Corrections) -> Grid:
    """Return the grid as corrected (the `bpm` hint is the tracker's matter)."""
    times, positions, trust, meter = grid.times, grid.positions, grid.trust, grid.meter
    if corrections.beats:
        times = np.array(corrections.beats, np.float64)
        positions = np.full(len(times), -1)
        trust = np.ones(len(times))
    scale = corrections.scale
    while scale > 1 and len(times) > 1:
        middle = (times[:-1] + times[1:]) / 2
        known = positions >= 1
        doubled = np.where(known, 2 * positions - 1, -1)
        times = np.insert(times, np.arange(1, len(times)), middle)
        positions = np.insert(doubled, np.arange(1, len(doubled)), np.where(known[:-1], doubled[:-1] + 1, -1))
        trust = np.insert(trust, np.arange(1, len(trust)), np.minimum(trust[:-1], trust[1:]))
        # A bar of 8 is called two of 4.
        positions = np.where(positions >= 1, (positions - 1) % meter + 1, -1)
        scale /= 2
    while scale < 1 and len(times) > 1:
        first = int(np.argmax(positions == 1)) % 2 if (positions == 1).any() else 0
        times, trust, kept = times[first::2], trust[first::2], positions[first::2]
        origin = int(np.argmax(kept == 1)) if (kept == 1).any() else 0
        positions = (np.arange(len(times)) - origin) % meter + 1 if (kept >= 1).any() else kept
        scale *= 2
    if corrections.shift_ms:
        times = times + corrections.shift_ms / 1000
    if corrections.meter:
        meter = corrections.meter
    if len(times) and (corrections.meter or corrections.bar_start is not None):
        here = corrections.bar_start
        if here is None:
            here = float(times[int(np.argmax(positions == 1))])
        origin = int(np.abs(times - here).argmin())
        positions = (np.arange(len(times)) - origin) % meter + 1
    keep = times >= 0
    sure = 1.0 if corrections.beats else grid.confidence
    return Grid(times[keep], positions[keep].astype(np.int64), trust[keep], meter, sure)
