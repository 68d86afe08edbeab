# SPDX-License-Identifier: Apache-2.0
"""What a shot looks like: usable edges, motion, camera, sharpness, light, flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.watch.eye import Sight

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Looks:
    """The figures of one shot, named as in `model.footage.Shot`."""

    quality: float
    motion: float
    direction: float | None
    camera: str
    shake: float
    sharpness: float
    exposure: float
    brightness: float
    colour: tuple[float, float, float]
    flags: tuple[str, ...]


# What is left of a shot's quality under each flag. A covered lens and a standing picture are of little use; clipped
# light may be meant.
_COST = {"black": 0.1, "frozen": 0.2, "covered": 0.2, "out of focus": 0.4, "clipped": 0.8, "corrupt": 0.5}


def _flags(sight: Sight, part: slice, moving: slice) -> tuple[str, ...]:
    """Return what is wrong with a shot.

    *Covered*: a lens cap, a finger, a pocket: dark or evenly coloured, without any detail. *Out of focus*: light
    enough to see, and not even the sharpest of the full-size details (at the best moment) has an edge.
    """
    count = part.stop - part.start
    mean, spread = float(sight.mean[part].mean()), float(sight.spread[part].mean())
    detail = float(np.percentile(sight.focus[part], 90))
    found = []
    if mean < 0.04 and spread < 0.03:
        found.append("black")
    elif spread < 0.035 and detail < 0.012:
        found.append("covered")
    elif detail < 0.01 and spread > 0.05:
        found.append("out of focus")
    if count > 10 and float(sight.change[moving].mean()) < 0.0003:
        found.append("frozen")
    if float(sight.bright[part].mean()) > 0.25:
        found.append("clipped")
    if float(sight.corrupt[part].mean()) > 0.2:
        found.append("corrupt")
    return tuple(found)


def dead(sight: Sight) -> NDArray[np.bool_]:
    """Return which pictures are black or corrupt, (n,)."""
    black = (sight.mean < 0.03) & (sight.spread < 0.02)
    return np.asarray(black | (sight.corrupt > 0), bool)


def looks(sight: Sight, first: int, last: int) -> Looks:
    """Measure pictures ``first <= k < last``; the motion of `first` itself belongs to the join before it."""
    part = slice(first, last)
    moving = slice(min(first + 1, last - 1), last)
    motion = float(np.median(sight.motion[moving]))
    shift = np.stack([sight.right[moving], sight.up[moving]])
    steady = shift.mean(1)
    jitter = float(np.hypot(*np.diff(shift, axis=1)).mean()) if shift.shape[1] > 2 else 0.0
    shake = min(1.0, jitter / 1.5)
    sharpness = min(1.0, float(np.median(sight.sharp[part])) / 0.08)
    mean = float(sight.mean[part].mean())
    clipped = float(sight.bright[part].mean()) + 0.5 * max(0.0, float(sight.dark[part].mean()) - 0.3)
    exposure = max(0.0, 1 - abs(mean - 0.45) / 0.45) ** 0.5 * max(0.0, 1 - 2 * clipped)
    flags = _flags(sight, part, moving)
    pan = float(np.hypot(*steady))
    zoom = float(np.median(sight.zoom[moving]))
    camera = ""
    if "frozen" not in flags:
        if pan > 0.35 and pan > jitter:
            camera = "pan" if abs(steady[0]) >= abs(steady[1]) else "tilt"
        elif abs(zoom) > 0.002:
            camera = "push"
        else:
            camera = "handheld" if jitter > 0.12 else "static"
    things = -steady if pan > 0.1 else np.zeros(2)
    direction = float(np.degrees(np.arctan2(things[1], things[0]))) if np.hypot(*things) > 0.1 else None
    quality = 0.45 * sharpness**0.5 + 0.35 * exposure + 0.2 * (1 - shake)
    for flag in flags:
        quality *= _COST[flag]
    return Looks(
        quality=round(quality, 3),
        motion=round(min(1.0, motion / 5), 4),
        direction=None if direction is None else round(direction, 1),
        camera=camera,
        shake=round(shake, 3),
        sharpness=round(sharpness, 3),
        exposure=round(exposure, 3),
        brightness=round(mean, 3),
        colour=(
            round(float(sight.red[part].mean()), 3),
            round(float(sight.green[part].mean()), 3),
            round(float(sight.blue[part].mean()), 3),
        ),
        flags=flags,
    )
