# SPDX-License-Identifier: Apache-2.0
"""A picture of a song: waveform, sections by energy, the beat grid, accents and singing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.model.song import Song
from backbeat.model.time import clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLOURS = ("#7aa2c8", "#c8937a", "#8fb98a", "#b48ac0", "#c9b872", "#7fbcb8", "#c48398", "#9a9ad0")
_KINDS = {"drop": "#ff5040", "break": "#4080ff", "silence": "#ffffff", "fill": "#ffc040", "stab": "#ff80c0"}
_BACK, _INK, _FAINT = "#16181c", "#e8e8e8", "#70757d"


def write_png(song: Song, mono: NDArray[np.float32], path: str, *, width: int = 2000, height: int = 360) -> None:
    """Draw `song` over its samples (one channel, any rate) to a PNG at `path`."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, height), _BACK)
    draw = ImageDraw.Draw(picture)
    top, bottom = 40, height - 40
    middle, half = (top + bottom) / 2, (bottom - top) / 2

    def x(time: float) -> float:
        return time / max(song.duration, 1e-9) * (width - 1)

    names = {s.label: _COLOURS[i % len(_COLOURS)] for i, s in reversed(list(enumerate(song.sections)))}
    for section in song.sections:
        level = bottom - section.energy * (bottom - top)
        draw.rectangle((x(section.start), level, x(section.end) - 1, bottom), fill=_mixed(names[section.label], 0.3))
        draw.rectangle((x(section.start), 4, x(section.end) - 2, 20), fill=names[section.label])
        if x(section.end) - x(section.start) > 30:
            draw.text((x(section.start) + 3, 6), f"{section.label} {section.role}", fill=_BACK)
    peaks = _peaks(mono, width)
    for column, peak in enumerate(peaks):
        draw.line((column, middle - peak * half, column, middle + peak * half), fill=_FAINT)
    spacing = width / max(len(song.beats), 1)
    for beat in song.beats:
        if beat.position == 1:
            draw.line((x(beat.time), top, x(beat.time), bottom), fill=_mixed(_INK, 0.35 + 0.5 * beat.confidence))
        elif spacing > 3:
            draw.line((x(beat.time), bottom - 12, x(beat.time), bottom), fill=_mixed(_INK, 0.3 + 0.5 * beat.confidence))
    curve = [(x((i + 0.5) * song.energy_step), bottom - e * (bottom - top)) for i, e in enumerate(song.energy)]
    if len(curve) > 1:
        draw.line(curve, fill="#f0d060", width=2)
    for accent in song.accents:
        colour = _KINDS.get(accent.kind, "#a0ffa0")
        draw.line((x(accent.time), 22, x(accent.time), 24 + 12 * accent.strength), fill=colour, width=2)
    for span in song.vocals:
        draw.rectangle((x(span.start), bottom + 4, x(span.end), bottom + 9), fill="#e090d0")
    for second in range(0, int(song.duration) + 1, _every(song.duration)):
        draw.text((x(second) + 2, height - 22), clock(second)[:-4], fill=_INK)
    picture.save(path, format="PNG")


def _peaks(mono: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the greatest magnitude under each column, the loudest 1."""
    if not len(mono):
        return np.zeros(width, np.float32)
    starts = np.minimum(np.arange(width) * len(mono) // width, len(mono) - 1)
    peaks = np.maximum.reduceat(np.abs(mono), starts)
    return np.asarray(peaks / max(float(peaks.max()), 1e-9), dtype=np.float32)


def _every(seconds: float) -> int:
    return next((step for step in (5, 10, 15, 30, 60, 120, 300) if seconds / step <= 24), 600)


def _mixed(colour: str, share: float) -> tuple[int, int, int]:
    """Return `colour` over the background."""
    pairs = ((int(colour[i : i + 2], 16), int(_BACK[i : i + 2], 16)) for i in (1, 3, 5))
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in pairs)
    return red, green, blue
