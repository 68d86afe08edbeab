# SPDX-License-Identifier: Apache-2.0
"""What a clip is worth: its terms, recomputed from the clip alone."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from backbeat.decide import terms
from backbeat.decide.grid import Grid
from backbeat.decide.pool import is_for, shot_motion, shot_way
from backbeat.decide.problem import CutProblem
from backbeat.model.footage import Hit, Shot, Take
from backbeat.model.timeline import Clip


@dataclass(frozen=True, slots=True)
class Seen:
    """A hit as the film shows it: record `frame`, `off` (s, from the nearest beat; None without beats), worth there."""

    hit: Hit
    frame: int
    off: float | None
    weight: float
    bell: float
    on_cut: bool


Takes = dict[str, Take]
Terms = tuple[tuple[str, float], ...]


def by_path(problem: CutProblem) -> Takes:
    """Return the takes of `problem` by their path."""
    return {take.media.path: take for take in problem.takes}


def find_shot(takes: Takes, clip: Clip, rate: Fraction) -> tuple[Take, Shot] | None:
    """Return the take and shot that `clip` shows, None if no shot holds all of it.

    What is locked need not lie in a usable range; it belongs to the shot that it shows most of.
    """
    take = takes.get(clip.take)
    if take is None:
        return None
    low, high = clip.source_span(rate)
    for shot in take.shots:
        if shot.start_frame <= low and high <= shot.end_frame:
            return take, shot
    if clip.locked and take.shots:
        return take, max(take.shots, key=lambda s: min(high, s.end_frame) - max(low, s.start_frame))
    return None


def record_frame(clip: Clip, hit: Hit, problem: CutProblem) -> int:
    """Return the record frame at which `hit` shows in `clip`; outside the clip if it does not."""
    passed = hit.time - clip.source_in / float(clip.source_rate)
    return clip.start + math.floor(record_seconds(clip, passed) * float(problem.rate) + 0.5 + 1e-6)


def record_seconds(clip: Clip, passed: float) -> float:
    """Return the record seconds into `clip` at which `passed` seconds of source have gone by."""
    if clip.speed.constant:
        return passed / clip.speed.factor
    points = clip.speed.points
    return float(np.interp(passed, [p[1] for p in points], [p[0] for p in points], left=-1.0))


def seen_hits(clip: Clip, shot: Shot, problem: CutProblem, grid: Grid) -> list[Seen]:
    """Return the hits of `shot` that fall inside `clip` by time, with what the music says of their frame."""
    low, high = clip.source_span(problem.rate)
    out = []
    for hit in shot.hits:
        if not low <= hit.time * float(clip.source_rate) < high:
            continue
        frame = min(record_frame(clip, hit, problem), clip.end)
        off = None
        if len(grid.beat_frame):
            off = float(np.abs(grid.beat_frame - frame).min()) / float(problem.rate)
        on_cut = frame < clip.start + terms.HIDDEN and clip.start > 0
        if on_cut or clip.start + terms.HIDDEN <= frame < clip.end - terms.HIDDEN:
            out.append(Seen(hit, frame, off, float(grid.worth[frame]), float(grid.bell[frame]), on_cut))
    return out


def full_hits(clip: Clip, shot: Shot, problem: CutProblem, grid: Grid) -> int:
    """Return how many hits of `clip` count as full: seen inside it, strong, and on a beat."""
    seen = [s for s in seen_hits(clip, shot, problem, grid) if not s.on_cut]
    return sum(bool(terms.full_hit(s.hit.strength, s.weight, s.bell)) for s in seen)


def clip_terms(clip: Clip, before: Clip | None, problem: CutProblem, grid: Grid, takes: Takes) -> Terms:
    """Return the terms of `clip` after `before`, computed from the clip and the footage alone."""
    found = find_shot(takes, clip, problem.rate)
    if found is None:
        return (("hits", 0.0),)
    take, shot = found
    style, seconds = problem.style, clip.frames / float(problem.rate)
    hits = on_cut = best = caught = 0.0
    for seen in seen_hits(clip, shot, problem, grid):
        if seen.on_cut:
            if style.hit_on_cut > 0 and seen.bell > 0.5:
                on_cut += float(terms.cut_on_hit(seen.hit.strength, seen.weight, style))
            continue
        gain = float(terms.hit_gain(seen.hit.strength, seen.weight, seen.bell, style))
        hits += gain
        caught += max(gain, 0.0)
        best = max(best, gain, 0.0)
    pairs = float(terms.pair_bonus(caught, best))
    start = int(np.searchsorted(grid.frame, clip.start))
    end = min(int(np.searchsorted(grid.frame, clip.end)), len(grid.frame) - 1)
    held = min((float(grid.position[end]) - float(grid.position[start])) / max(problem.song.beats_per_bar, 1), 1.0)
    cut = 0.0 if clip.start == 0 else float(terms.cut_worth(grid.kind[start], style))
    wish = next((w for w in problem.wants if w.take == clip.take), None)
    energy = float(grid.energy_sum[clip.end] - grid.energy_sum[clip.start]) / max(clip.frames, 1)
    out = {
        "hits": hits,
        "pairs": pairs,
        "hit on cut": on_cut,
        "cut": cut,
        "quality": float(terms.quality(shot.quality, seconds, style)),
        "energy": float(terms.energy_match(shot_motion(shot), energy, seconds, style)),
        "circled": terms.CIRCLED * seconds if take.log.circled else 0.0,
        "section": _for_section(clip, take, problem),
        "hero": wish.hero if wish else 0.0,
        "opening": terms.OPENING * held if clip.start == 0 else 0.0,
        "ending": terms.ENDING * held if clip.end == problem.frames else 0.0,
        "speed": -float(terms.speed_cost(clip.speed.factor)),
        "kept": terms.KEPT if not clip.locked and stays(clip, problem) else 0.0,
        "neighbour": -terms.ALIKE * style.jump_cut if before and alike(before, clip, takes, problem.rate) else 0.0,
    }
    other = find_shot(takes, before, problem.rate) if before else None
    if other is not None:
        a, b = shot_way(other[1]), shot_way(shot)
        out["direction"] = -float(terms.against(a[0] * b[0] + a[1] * b[1], style))
    return tuple((name, round(value, 9)) for name, value in out.items() if abs(value) > 1e-12)


def _for_section(clip: Clip, take: Take, problem: CutProblem) -> float:
    """Return the worth of a take that its log gives to the section in which the middle of `clip` lies."""
    rate = float(problem.rate)
    at = problem.song_in + (clip.start + clip.end) / 2 / rate
    here = [s for s in problem.song.sections if s.start <= at]
    return float(terms.tagged(clip.frames / rate)) if here and at < here[-1].end and is_for(take, here[-1]) else 0.0


def stays(clip: Clip, problem: CutProblem) -> bool:
    """Whether `clip` stands just as it stood in the earlier edit."""
    key = place_of(clip)
    return any(clip.start == c.start and key == place_of(c) for c in problem.previous)


def place_of(clip: Clip) -> tuple[int, int, str, int, float]:
    """Return what makes two clips the same: where they stand, what they show, and how fast."""
    return clip.start, clip.frames, clip.take, clip.source_in, clip.speed.factor


def kept(clip: Clip) -> Clip:
    """Return `clip` as it stands on in the next edit, after the same clip: its worth with the term for that."""
    if clip.locked or any(name == "kept" for name, _ in clip.terms):
        return clip
    beside = [t for t in clip.terms if t[0] in {"neighbour", "direction"}]
    worth = (*(t for t in clip.terms if t not in beside), ("kept", terms.KEPT), *beside)
    seconds = tuple(dataclasses.replace(a, loss=round(a.loss + terms.KEPT, 6)) for a in clip.alternates)
    return dataclasses.replace(clip, terms=worth, value=sum(v for _, v in worth), alternates=seconds)


def alike(one: Clip, other: Clip, takes: Takes, rate: Fraction) -> bool:
    """Whether two clips come from one set-up."""
    a, b = find_shot(takes, one, rate), find_shot(takes, other, rate)
    if a is None or b is None:
        return False
    if a[1].group >= 0 or b[1].group >= 0:
        return a[1].group == b[1].group
    return a[0].media.path == b[0].media.path and a[1] is b[1]
