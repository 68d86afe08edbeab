# SPDX-License-Identifier: Apache-2.0
"""Small barcoded shoots and edits for the renderer's tests."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from backbeat.media.probe import probe
from backbeat.model.cue import Cue
from backbeat.model.timeline import Clip, Timeline, Track
from kit import coded

RATES = [
    Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(48), Fraction(50),
    Fraction(60000, 1001), Fraction(60),
]  # fmt: skip
SIZE = (160, 90)


def edit(
    clips: Sequence[Clip], rate: Fraction, *, cues: tuple[Cue, ...] = (), size: tuple[int, int] = SIZE, **more: Any
) -> Timeline:
    frames = max(c.end for c in clips)
    takes = tuple(probe(p) for p in sorted({c.take for c in clips if c.take}))
    tracks = more.pop("tracks", (Track(tuple(clips)),))
    return Timeline("test", rate, *size, frames, tracks, cues=cues, takes=takes, **more)


def wrong(film: Path | str, timeline: Timeline, takes: dict[str, int], *, reach: int = 0) -> list[Any]:
    """Return (frame, shown, expected) of every picture that is not the expected one (`reach` source frames off)."""
    shown = coded.read_film(film).codes
    wanted = coded.expected_codes(timeline, takes)
    assert len(shown) == len(wanted)
    return [
        (i, a, b)
        for i, (a, b) in enumerate(zip(shown, wanted, strict=True))
        if a != b and (a is None or b is None or a[0] != b[0] or abs(a[1] - b[1]) > reach)
    ]
