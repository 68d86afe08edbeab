# SPDX-License-Identifier: Apache-2.0
"""Eased ramps: a clip whose speed is changed runs a little faster into the hit that it is for, and slower out of it."""

from __future__ import annotations

import dataclasses

from backbeat.decide import explain
from backbeat.decide.grid import Grid
from backbeat.decide.problem import CutProblem
from backbeat.model.footage import Shot
from backbeat.model.timeline import Clip, Speed

REACH = 0.25  # s of film on either side of the hit
EASE = 0.12  # how much faster the last half of the run-in is, where the style's range allows


def eased(clip: Clip, shot: Shot, problem: CutProblem, grid: Grid) -> Clip:
    """Return `clip` with its constant speed bent about its strongest hit on a beat.

    The curve meets the straight line at the clip's ends, at the hit, and `REACH` before and after it: every other hit
    stays on its frame and the same source frames are used. Where another hit or an end is too near, it stays straight.
    """
    factor = clip.speed.factor
    low, high = problem.style.speed
    if not problem.reuse:  # slower than its pictures last would show some of them twice
        low = max(low, 1.001 * min(1.0, float(problem.rate / clip.source_rate)))
    ease = min(EASE, high / factor - 1, 1 - low / factor)
    seen = [s for s in explain.seen_hits(clip, shot, problem, grid) if not s.on_cut and s.bell > 0.5]
    if ease < 0.02 or not seen:
        return clip
    best = max(seen, key=lambda s: s.hit.strength)
    at = (best.hit.time - clip.source_in / float(clip.source_rate)) / factor
    length = float(clip.frames / problem.rate)
    others = [abs(h.time - best.hit.time) / factor for h in shot.hits if h is not best.hit]
    if at - REACH <= 0 or at + REACH >= length or min(others, default=9.0) <= REACH:
        return clip
    half = REACH / 2
    bend = half * factor * ease
    points = (
        (0.0, 0.0),
        (at - REACH, (at - REACH) * factor),
        (at - half, (at - half) * factor - bend),
        (at, at * factor),
        (at + half, (at + half) * factor - bend),
        (at + REACH, (at + REACH) * factor),
        (length, length * factor),
    )
    return dataclasses.replace(clip, speed=Speed(factor, points))
