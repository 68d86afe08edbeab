# SPDX-License-Identifier: Apache-2.0
"""Colours of marks and clips, by OpenTimelineIO's marker names."""

from __future__ import annotations

from backbeat.model.time import frame_at
from backbeat.model.timeline import Timeline

RGB = {
    "RED": (214, 48, 49),
    "ORANGE": (230, 126, 34),
    "YELLOW": (241, 196, 15),
    "GREEN": (39, 174, 96),
    "CYAN": (0, 188, 212),
    "BLUE": (41, 98, 255),
    "PURPLE": (142, 68, 173),
    "MAGENTA": (216, 27, 170),
    "PINK": (255, 138, 190),
    "WHITE": (240, 240, 240),
    "BLACK": (32, 32, 32),
}
KIND_COLOURS = {
    "downbeat": "RED",
    "beat": "GREEN",
    "section": "PURPLE",
    "hit": "ORANGE",
    "cue": "BLUE",
    "note": "YELLOW",
    "scene": "WHITE",
    "speed": "CYAN",
}
_SECTIONS = ("BLUE", "GREEN", "ORANGE", "PURPLE", "CYAN", "PINK", "YELLOW", "RED")


def named(colour: str) -> str:
    """Return the marker colour nearest to `colour`, a name or ``#rrggbb``; "" where it is neither."""
    if colour.upper() in RGB:
        return colour.upper()
    try:
        seen = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) if colour.startswith("#") else ()
    except ValueError:
        return ""
    if len(seen) != 3:
        return ""
    return min(RGB, key=lambda n: sum((a - b) ** 2 for a, b in zip(RGB[n], seen, strict=True)))


def section_colours(timeline: Timeline) -> list[tuple[int, str]]:
    """Return (first record frame, colour) of every section marker; equal names share a colour."""
    sections = sorted((m for m in timeline.markers if m.kind == "section"), key=lambda m: m.time)
    names = list(dict.fromkeys(m.name for m in sections))
    return [
        (frame_at(m.time, timeline.rate), named(m.colour) or _SECTIONS[names.index(m.name) % len(_SECTIONS)])
        for m in sections
    ]
