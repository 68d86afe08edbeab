# SPDX-License-Identifier: Apache-2.0
"""Shot boundaries: hard cuts to the frame, gradual changes as spans, and what only looked like a cut.

A cut is a picture that is another scene than the last one even after motion is undone (`eye.compare`), and alone in
being so. Where several pictures in a row are disturbed (a flash, a shake, something that passes the lens, a whip pan),
the pictures before and after are compared: the same scene again means no cut. Dissolves and fades are in `gradual`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

from backbeat.watch.gradual import mixes
from backbeat.watch.secondlook import changed, unlike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

MARGIN = 64  # pictures of context that a decision may look at
_CHUNK = 1024
_DISTURBED = 0.07  # novelty from which a picture belongs to a disturbance
_CUT = 0.17  # least novelty of a lone cut
_LONE = 0.45  # a lone cut's neighbours stay below this share of it
_ROUGH = 0.58  # least novelty of a cut among disturbed pictures: above any camera jerk measured
_SAME = 0.14  # novelty across a disturbance below which the scene is the same
_RECOLOURED = 5.0  # least jump of the colours (mean of 255 levels) that is a cut by itself
_SIDE = 3  # pictures on either side of it
_FAINT = 0.06  # least novelty of a cut that a second look confirms, and how far above its neighbours it stands
_ABOVE = 5.0
_GONE = 0.42  # least share of the picture that such a cut replaces
_FLASH = 8.0  # least rise of light (mean of 255 levels) of a flash
_STAYED = 0.4  # share of the picture that may be gone across a flash


@dataclass(frozen=True, slots=True)
class Boundary:
    """A change of shot: pictures up to ``start - 1`` belong to the shot before, from `end` on to the shot after.

    A hard cut has ``start == end``. `kind`: cut, gradual, or refused (it looked like a cut and is none). `score` 0..1.
    """

    start: int
    end: int
    kind: str
    score: float


class ShotFinder(Protocol):
    """Finds boundaries from pictures fed in order."""

    def see(self, thumb: Bytes, small: Bytes, novelty: float) -> None:
        """Take the next picture: RGB thumb (27, 48, 3), small luma (h, w), and its novelty against the last."""

    def finish(self) -> list[Boundary]:
        """Return all boundaries in order."""


class OwnShots:
    """The built-in finder; torch-free. Works on chunks, so hours need no more memory than minutes."""

    name = "own"

    def __init__(self) -> None:
        self._thumbs: list[Bytes] = []
        self._smalls: list[Bytes] = []
        self._novelty: list[float] = []
        self._base = 0
        self._done = 0
        self._found: list[Boundary] = []

    def see(self, thumb: Bytes, small: Bytes, novelty: float) -> None:
        """Take the next picture."""
        self._thumbs.append(thumb)
        self._smalls.append(small)
        self._novelty.append(novelty)
        if self._base + len(self._thumbs) - self._done >= _CHUNK + MARGIN:
            self._work(last=False)

    def finish(self) -> list[Boundary]:
        """Return all boundaries in order."""
        if self._thumbs and self._base + len(self._thumbs) > self._done:
            self._work(last=True)
        return self._found

    def detect(self, thumbs: Sequence[Bytes], smalls: Sequence[Bytes], novelty: Sequence[float]) -> list[Boundary]:
        """Return the boundaries of one chunk."""
        return detect(thumbs, smalls, novelty)

    def _work(self, *, last: bool) -> None:
        begin = self._done - self._base
        stop = len(self._thumbs) if last else len(self._thumbs) - MARGIN
        for b in self.detect(self._thumbs, self._smalls, self._novelty):
            if begin <= b.start < stop:
                self._found.append(Boundary(b.start + self._base, b.end + self._base, b.kind, b.score))
        self._done = self._base + stop
        keep = max(0, stop - MARGIN)
        del self._thumbs[:keep], self._smalls[:keep], self._novelty[:keep]
        self._base += keep


def detect(thumbs: Sequence[Bytes], smalls: Sequence[Bytes], novelty: Sequence[float]) -> list[Boundary]:
    """Return the boundaries within a run of pictures, in order."""
    new = np.asarray(novelty, np.float64)
    found = []
    for first, last in disturbances(new):
        blend = last == first + 1 and _is_mix(thumbs, first) and unlike(smalls[first - 1], smalls[last]) >= _CUT
        top = float(new[first : last + 1].max())
        blended = Boundary(first, last, "cut", min(1.0, 2 * top))
        found.append(blended if blend else _unblended(_judge(first, last, new, smalls), thumbs))
    cuts = [(b.start, b.end) for b in found if b.kind != "refused"]
    found += [Boundary(a, b, "gradual", score) for a, b, score in mixes(thumbs, smalls, cuts)]
    found += recoloured(thumbs, [b for b in found if b.kind != "refused"])
    found += faint(smalls, new, [b for b in found if b.kind != "refused"])
    return sorted(found, key=lambda b: b.start)


def recoloured(thumbs: Sequence[Bytes], known: Sequence[Boundary]) -> list[Boundary]:
    """Return cuts that show in colour alone: the colours jump once and are steady on both sides.

    They are what a large still overlay (burnt-in timecode, a logo, a test code) hides from `compare`, because its fine
    detail goes on. Colour here is what is left of RGB without its grey, so neither flashes nor fades make it jump.
    """
    if len(thumbs) < 2 * _SIDE:
        return []
    rgb = np.asarray(thumbs, np.float32)
    colour = rgb - rgb.mean(axis=3, keepdims=True)
    step = np.abs(np.diff(colour, axis=0)).mean(axis=(1, 2, 3))
    found = []
    # a jump is far above the steps about it; medians are dear, and moving pictures have many large steps
    usual = scipy.ndimage.median_filter(step, 7, mode="nearest")
    for i in (np.flatnonzero((step >= 0.8 * _RECOLOURED) & (step > 2 * usual)) + 1).tolist():
        sides = colour[max(0, i - _SIDE) : i], colour[i : i + _SIDE]
        if min(len(side) for side in sides) < 2 or any(b.start - 2 <= i <= b.end + 2 for b in known):
            continue
        before, after = (np.median(side, axis=0) for side in sides)
        jump = float(np.abs(after - before).mean())
        unrest = max(float(np.abs(side - np.median(side, axis=0)).mean(axis=(1, 2, 3)).max()) for side in sides)
        # the same colours in the same places, stronger or weaker, are a jerk or a change of white balance
        pattern = [side - side.mean(axis=(0, 1)) for side in (before, after)]
        scale = float(np.sqrt((pattern[0] ** 2).sum() * (pattern[1] ** 2).sum()))
        alike = float((pattern[0] * pattern[1]).sum()) / scale if scale > 0 else 1.0
        if jump >= max(_RECOLOURED, 3 * unrest) and alike < 0.6:
            found.append(Boundary(i, i, "cut", min(1.0, jump / 50)))
    return found


def faint(smalls: Sequence[Bytes], new: Any, known: Sequence[Boundary]) -> list[Boundary]:
    """Return cuts of little novelty (a large overlay goes on, or both shots are soft) that a second look confirms.

    They stand far above their neighbours, and replace much of the picture whichever two pictures across are compared.
    """
    found = []
    for i in np.flatnonzero(new >= _FAINT).tolist():
        around = np.concatenate([new[max(1, i - 3) : i], new[i + 1 : i + 4]])
        if not 2 <= i < len(new) - 2 or new[i] < _ABOVE * float(around.max(initial=0.0)):
            continue
        if any(b.start - 2 <= i <= b.end + 2 for b in known) or _flashed(smalls, i):
            continue
        if all(changed(smalls[i - a], smalls[i + b]) >= _GONE for a, b in ((1, 0), (2, 0), (1, 1), (2, 2))):
            found.append(Boundary(i, i, "cut", min(1.0, 0.4 + float(new[i]))))
    return found


def _flashed(smalls: Sequence[Bytes], peak: int) -> bool:
    """Whether light leaps up at `peak` and falls again, and the scene is the one before: a flash, an explosion."""
    light = [float(p.mean()) for p in smalls[max(0, peak - 1) : peak + 9]]
    rise = max(light[1:3], default=0.0) - light[0]
    if rise < _FLASH:
        return False
    later = [k for k in (2, 3, 5, 8) if k + 1 < len(light) and max(light[1:3]) - light[k + 1] >= rise / 3]
    if any(changed(smalls[peak - 1], smalls[peak + k]) < _STAYED for k in later):
        return True
    # sparks and smoke remain, but what is left of the scene comes back as the light goes
    first = unlike(smalls[peak - 1], smalls[peak])
    return any(unlike(smalls[peak - 1], smalls[peak + k]) < 0.65 * first for k in later if k >= 5)


def disturbances(new: Any) -> list[tuple[int, int]]:
    """Return runs (first, last) of pictures whose novelty is high; runs two apart are one."""
    places = np.flatnonzero(new >= _DISTURBED)
    runs: list[tuple[int, int]] = []
    for i in places.tolist():
        if runs and i - runs[-1][1] <= 2:
            runs[-1] = (runs[-1][0], i)
        else:
            runs.append((i, i))
    return [r for r in runs if new[r[0] : r[1] + 1].max() >= _CUT]


def _judge(first: int, last: int, new: Any, smalls: Sequence[Bytes]) -> Boundary:
    """Return what a disturbance is."""
    peak = first + int(np.argmax(new[first : last + 1]))
    top = float(new[peak])
    join = smalls[peak - 1 : peak + 1]
    if any(p.std() < 10 for p in join) and all(p.mean() < 32 for p in join):
        return Boundary(peak, peak, "refused", min(1.0, top))  # a step of a fade into or out of black
    around = np.concatenate([new[max(1, peak - 2) : peak], new[peak + 1 : peak + 3]])
    usual = np.concatenate([new[max(1, peak - 10) : max(1, peak - 2)], new[peak + 3 : peak + 11]])
    level = float(np.median(usual)) if len(usual) else 0.0
    lone = top >= _CUT + 2 * level and float(around.max(initial=0.0)) < _LONE * top
    # before and after: a little further off too, for what passes the lens is half in the picture at its edges
    wide = last - first >= 2
    befores = {max(0, first - k) for k in ((1, 3) if wide else (1,))}
    afters = {min(len(smalls) - 1, last + k) for k in ((1, 3) if wide else (1, 2))}
    back = any(unlike(smalls[a], smalls[b]) < max(_SAME, 0.25 * top) for a in befores for b in afters)
    if back or not (lone or top >= _ROUGH) or _flashed(smalls, peak):
        return Boundary(peak, peak, "refused", min(1.0, top))
    if lone:
        # a weak one is judged again with a better flow, which follows faster jerks
        sure = top >= _ROUGH or unlike(smalls[peak - 1], smalls[peak]) >= _CUT
        return Boundary(peak, peak, "cut" if sure else "refused", min(1.0, top))
    return Boundary(first, last, "cut", min(1.0, top))


def _unblended(found: Boundary, thumbs: Sequence[Bytes]) -> Boundary:
    """Widen a hard cut over a picture that mixes both shots, as conversions between frame rates leave."""
    at = found.start
    if found.kind != "cut" or found.end != at or not 2 <= at < len(thumbs) - 1:
        return found
    for middle in (at - 1, at):
        if _is_mix(thumbs, middle):
            return Boundary(middle, middle + 1, "cut", found.score)
    return found


def _is_mix(thumbs: Sequence[Bytes], middle: int) -> bool:
    """Whether a picture lies on the straight line between its neighbours, clearly inside."""
    if not 1 <= middle < len(thumbs) - 1:
        return False
    before, mixed, after = (thumbs[middle + k].astype(np.float32) for k in (-1, 0, 1))
    gap = after - before
    away = mixed - before
    share = float((away * gap).sum() / max(1.0, float((gap * gap).sum())))
    return 0.12 < share < 0.88 and float(np.abs(away - share * gap).mean()) < 0.2 * float(np.abs(gap).mean())
