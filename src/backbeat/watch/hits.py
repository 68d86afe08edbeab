# SPDX-License-Identifier: Apache-2.0
"""Hits: instants of impact, heard in the production sound, seen in the picture, or both.

The sound tells the time (it is exact to milliseconds), the picture confirms. Without sound there are only *motion
peaks*: ranked, and never presented as certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

from backbeat.model.footage import Hit
from backbeat.watch.ear import Hearing, Transient
from backbeat.watch.eye import Sight
from backbeat.watch.shots import Boundary

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 0.3  # strength of the weakest hit worth telling
_LEAST_PEAK = 0.12
ECHO = 0.15  # s within which the stronger of two sounds is the hit and the other its echo
_AGREED = 5  # sounds that must agree on the offset of a take
_FAR = np.arange(0.3, 1.2, 0.02)
SEEN_WITHIN = 0.1  # s between what is heard and what is seen


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a take in order, and the offset (s) to add to sound times to meet the picture.

    `peaks`: motion peaks of a take with sound, for those of its shots in which nothing is heard; less certain.
    """

    hits: tuple[Hit, ...]
    offset: float = 0.0
    peaks: tuple[Hit, ...] = ()


class HitFinder(Protocol):
    """Finds the hits of a take."""

    def find(self, sight: Sight, hearing: Hearing, boundaries: Sequence[Boundary]) -> Found:
        """Return the hits of a take from what was seen and heard, and where its shots end."""


class OwnHits:
    """The built-in finder."""

    name = "own"

    def find(self, sight: Sight, hearing: Hearing, boundaries: Sequence[Boundary]) -> Found:
        """Return the hits of a take."""
        seen = evidence(sight, boundaries)
        if hearing.silent:
            return Found(tuple(motion_peaks(sight, seen)))
        loud = [(t, heard(t)) for t in hearing.transients]
        offset = estimate_offset(loud, sight, seen)
        fused = [fuse(t, ear, offset, sight, seen) for t, ear in loud]
        hits = tuple(without_echoes([h for h in fused if h.strength >= _LEAST]))
        return Found(hits, offset, tuple(motion_peaks(sight, seen)))


def heard(sound: Transient) -> float:
    """Return how much a sudden sound is an impact's, 0..1.

    An impact rises within milliseconds, far over what was before, in the high bands too, and is loud; a syllable is
    all of that but the first. The factors multiply, so that one that is missing is not made up for.
    """
    attack = ramp(sound.attack, 4, 14)
    strength = attack**0.5 * ramp(sound.jump, 7, 25) ** 0.4 * ramp(sound.high, 6, 32) ** 0.25
    strength *= ramp(sound.level, -42, -14) ** 0.35
    # under speech it must also be louder than the talk: a consonant's burst is not
    sure = attack * ramp(sound.over, -2, 5)
    return float(strength * (1 - 0.8 * sound.speech * (1 - sure)))


def ramp(value: float, low: float, high: float) -> float:
    """Return 0 at `low` and below, 1 at `high` and above, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def evidence(sight: Sight, boundaries: Sequence[Boundary]) -> NDArray[np.float32]:
    """Return how suddenly motion changed at each picture, 0..1.2, cuts muted; (n,).

    A boundary that was refused (flash, jolt, something close) is no cut but evidence of a hit.
    """
    raw = (sight.loss + 0.7 * sight.gain).astype(np.float32)
    if len(raw) < 3:
        return np.zeros(len(raw), np.float32)
    for b in boundaries:
        if b.kind != "refused":
            raw[max(0, b.start - 1) : b.end + 3] = 0
    above = raw - scipy.ndimage.median_filter(raw, size=25, mode="nearest")
    scale = float(np.percentile(above, 97)) + 0.05 * float(raw.mean()) + 0.02
    seen = np.asarray(np.clip(above / scale, 0, 1.2), np.float32)
    for b in boundaries:
        if b.kind == "refused":
            seen[b.start] = 1.2
    return seen


def estimate_offset(loud: Sequence[tuple[Transient, float]], sight: Sight, seen: Any) -> float:
    """Return the seconds to add to sound times so that what is heard meets what is seen, 0 where unsure.

    Every impact-like sound votes with its strength for the lags at which something is seen, up to 160 ms either way;
    lags of 0.3 to 1.2 s, which no recorder has, say what chance gives. The best lag counts only if five sounds agree on
    it (among few, some lag always pleases most), it is far above chance, and clearly above no lag at all.
    """
    strong = [(t.time, s) for t, s in loud if s > 0.35]
    if len(strong) < _AGREED or len(sight.time) < 10:
        return 0.0
    step = float(np.median(np.diff(sight.time))) or 0.04
    weight = sum(s for _, s in strong)

    def votes(lags: Any) -> Any:
        # what changes between two pictures happened half a step before the second
        return np.array([s * np.interp(t + lags, sight.time - step / 2, seen) for t, s in strong])

    lags = np.arange(-0.16, 0.1601, 0.005)
    each = votes(lags)
    near = each.sum(0) / weight
    far = np.concatenate([votes(-_FAR), votes(_FAR)], axis=1).sum(0) / weight
    best = int(np.argmax(near))
    agreed = int((each[:, best] > 0.3 * np.array([s for _, s in strong])).sum())
    centre = float(near[np.abs(lags) <= step / 2].max())
    if agreed < _AGREED or near[best] < max(0.2, float(far.mean() + 4.5 * far.std()), 1.3 * centre):
        return 0.0
    return round(float(lags[best]), 3)


def fuse(sound: Transient, ear: float, offset: float, sight: Sight, seen: Any) -> Hit:
    """Return the hit that a sudden sound is, given what is seen about it."""
    time = sound.time + offset
    near = (sight.time > time - SEEN_WITHIN) & (sight.time < time + SEEN_WITHIN)
    eye = min(1.0, float(seen[near].max())) if near.any() else 0.0
    # drums of music that plays on the set are heard and not seen
    heard_only = 0.55 * (1 - 0.5 * sound.music)
    strength = ear * (heard_only + (1 - heard_only) * eye)
    bright = sight.mean[near]
    flash = bool(len(bright)) and float(bright.max() - np.median(bright)) > 0.15
    return Hit(
        time=round(max(0.0, time), 4),
        strength=round(strength, 3),
        kind="flash" if flash else "impact",
        evidence="both" if eye > 0.4 else "heard",
        confidence=round(min(1.0, 0.25 + 0.75 * strength) if eye > 0.4 else 0.8 * strength, 3),
    )


def motion_peaks(sight: Sight, seen: Any) -> list[Hit]:
    """Return the strongest sudden changes of motion of footage without sound, in order of time."""
    if len(seen) < 5:
        return []
    step = float(np.median(np.diff(sight.time))) or 0.04
    # seen is relative to the take; how large the change is in the picture makes takes comparable
    size = scipy.ndimage.maximum_filter1d(sight.loss + 0.7 * sight.gain, 3)
    peaks, _ = scipy.signal.find_peaks(seen, height=0.3, distance=max(1, round(0.15 / step)), prominence=0.3)
    # the change shows between the last picture and this one
    found = [
        Hit(
            round(max(0.0, float(sight.time[p]) - step / 2), 4),
            round(0.6 * min(1.0, float(seen[p])) * ramp(float(size[p]), 0.0, 3.0) ** 0.5, 3),
            "motion peak",
            "seen",
            0.4,
        )
        for p in peaks
    ]
    most = 3 + round(float(sight.time[-1] - sight.time[0]))  # about one a second: the rest is noise
    kept = sorted(found, key=lambda h: -h.strength)[:most]
    return sorted((h for h in kept if h.strength >= _LEAST_PEAK), key=lambda h: h.time)


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
