# SPDX-License-Identifier: Apache-2.0
"""Hits: instants of impact, heard in the production sound, seen in the picture, or both.

The sound tells the time (it is exact to milliseconds), the picture confirms. Without sound there are only *motion
peaks*: ranked, and never presented as certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import find_peaks

from backbeat.model.footage import Hit
from backbeat.watch.ear import Hearing, Transient
from backbeat.watch.eye import Sight
from backbeat.watch.shots import Boundary

if TYPE_CHECKING:
    from numpy.typing import NDArray

ECHO = 0.15  # s within which the stronger of two sounds is the hit and the other its echo
SEEN_WITHIN = 0.1  # s between what is heard and what is seen


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a take in order, and the offset (s) to add to sound times to meet the picture."""

    hits: tuple[Hit, ...]
    offset: float = 0.0


class OwnHits:
    """The built-in finder."""

    name = "own"

    def find(self, sight: Sight, hearing: Hearing, boundaries: Sequence[Boundary]) -> Found:
        """Return the hits of a take."""
        seen = evidence(sight, boundaries)
        if hearing.silent:
            return Found(tuple(motion_peaks(sight, seen)))
        heard = [fuse(t, sight, seen) for t in hearing.transients]
        strong = [h for h in heard if h.strength >= 0.15]
        return Found(tuple(without_echoes(strong)))


def evidence(sight: Sight, boundaries: Sequence[Boundary]) -> NDArray[np.float32]:
    """Return how suddenly motion changed at each picture, 0..1.2, cuts muted; (n,)."""
    raw = (sight.loss + 0.7 * sight.gain).astype(np.float32)
    for b in boundaries:
        if b.kind != "refused":
            raw[max(0, b.start - 1) : b.end + 3] = 0
    if len(raw) < 3:
        return np.zeros(len(raw), np.float32)
    above = raw - median_filter(raw, size=25, mode="nearest")
    scale = float(np.percentile(above, 97)) + 0.05 * float(raw.mean()) + 0.02
    return np.asarray(np.clip(above / scale, 0, 1.2), np.float32)


def fuse(sound: Transient, sight: Sight, seen: Any) -> Hit:
    """Return the hit that a sudden sound is, given what is seen about it."""
    near = (sight.time > sound.time - SEEN_WITHIN) & (sight.time < sound.time + SEEN_WITHIN)
    eye = min(1.0, float(seen[near].max())) if near.any() else 0.0
    ear = (
        0.4 * min(1.0, sound.flux / 0.6)
        + 0.35 * min(1.0, sound.jump / 22)
        + 0.25 * min(1.0, max(0.0, (sound.level + 40) / 30))
    )
    talk = sound.speech if sound.jump < 20 and eye < 0.8 else 0.3 * sound.speech
    strength = ear * (0.5 + 0.5 * eye) * (1 - 0.7 * talk)
    return Hit(
        round(sound.time, 4), round(strength, 3), "impact", "both" if eye > 0.4 else "heard",
        round(strength * (0.6 + 0.4 * eye), 3),
    )  # fmt: skip


def motion_peaks(sight: Sight, seen: Any) -> list[Hit]:
    """Return the sudden changes of motion of footage without sound, ranked by strength."""
    if len(seen) < 5:
        return []
    step = float(np.median(np.diff(sight.time))) or 0.04
    peaks, _ = find_peaks(seen, height=0.5, distance=max(1, round(0.15 / step)), prominence=0.3)
    # the change shows between the last picture and this one
    return [
        Hit(
            round(max(0.0, float(sight.time[p]) - step / 2), 4),
            round(0.6 * min(1.0, float(seen[p])), 3),
            "motion peak",
            "seen",
            0.4,
        )
        for p in peaks
    ]


def without_echoes(hits: Sequence[Hit]) -> list[Hit]:
    """Return `hits` (in order) less those that follow or lead a stronger one too closely."""
    kept: list[Hit] = []
    for hit in hits:
        if kept and hit.time - kept[-1].time < ECHO:
            if hit.strength > kept[-1].strength:
                kept[-1] = hit
        else:
            kept.append(hit)
    return kept


def shifted(hits: Sequence[Hit], by: float) -> list[Hit]:
    """Return `hits` moved by `by` seconds."""
    return [replace(h, time=round(h.time + by, 4)) for h in hits]
