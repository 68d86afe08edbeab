# SPDX-License-Identifier: Apache-2.0
"""Why a clip stands where it stands, in words: where it is cut, which hit meets which beat, and what came second."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from backbeat.decide import terms
from backbeat.decide.explain import Seen, Takes, find_shot, seen_hits
from backbeat.decide.grid import Grid
from backbeat.decide.problem import CutProblem
from backbeat.model.song import Song
from backbeat.model.time import clock
from backbeat.model.timeline import Alternate, Clip

KINDS = ("a section change", "a downbeat", "a beat", "a half-beat", "a point off the grid")
WORTH = ". Worth "  # where what a clip is worth begins
NEAR = 0.05  # s; a beat of the grid and the song's own are one


def reason(clip: Clip, problem: CutProblem, grid: Grid, takes: Takes) -> str:
    """Return why `clip` stands here, in a sentence or two."""
    found = find_shot(takes, clip, problem.rate)
    if found is None:
        return "Locked by the editor."
    parts = ["locked by the editor"] if clip.locked else []
    node = int(np.searchsorted(grid.frame, clip.start))
    if clip.start == 0:
        parts.append("opens the film")
    elif node < len(grid.kind):
        kind, where = int(grid.kind[node]), _place(problem.song, clip.beat)
        named = KINDS[kind] if kind == 0 or not where else where
        parts.append(f"cut on {named}" + (f" ({where})" if kind == 0 and where else ""))
    hits = (_met(seen, problem, grid) for seen in seen_hits(clip, found[1], problem, grid))
    parts += [told for told in hits if told]
    if clip.speed.factor != 1.0 or not clip.speed.constant:
        parts.append(f"speed {clip.speed.factor:.2f} so that two hits meet two beats")
    said = "; ".join(parts)
    return said[:1].upper() + said[1:] + WORTH + _worth(clip)


def reworded(clip: Clip) -> str:
    """Return the reason that `clip` has, with what it is worth and what came second as they are now."""
    return clip.reason.partition(WORTH)[0] + WORTH + _worth(clip) if WORTH in clip.reason else clip.reason


def _met(seen: Seen, problem: CutProblem, grid: Grid) -> str:
    """Return what a hit does in its clip, "" for a weak one that is near no beat."""
    rate, hit = float(problem.rate), seen.hit
    if seen.off is None:
        return ""
    at, frames = clock(seen.frame / rate), round(seen.off * rate)
    if seen.on_cut:
        return f"{hit.kind} on the cut itself at {at}"
    if frames <= 1:
        beat = int(np.abs(grid.beat_frame - seen.frame).argmin())
        return f"{hit.kind} (strength {hit.strength:.2f}) meets {_beat(problem, grid, beat)} at {at}"
    return f"{hit.kind} at {at} misses its beat by {frames} frames" if hit.strength >= terms.STRONG else ""


def _beat(problem: CutProblem, grid: Grid, beat: int) -> str:
    """Return what a musician calls a beat of the grid."""
    time, beats = float(grid.beat_time[beat]) + problem.song_in, problem.song.beats
    i = bisect_left(beats, time - NEAR, key=lambda b: b.time)
    near = i < len(beats) and beats[i].time <= time + NEAR
    where = _place(problem.song, i) if near else ""
    if float(grid.beat_worth[beat]) >= 0.99:
        return f"a section's first beat ({where})" if where else "a section's first beat"
    return where or ("a strong beat" if float(grid.beat_worth[beat]) >= 0.9 else "a beat")


def _place(song: Song, beat: int) -> str:
    """Return "beat 3 of bar 5" for a beat of the song, "" where its bar is not known."""
    if not 0 <= beat < len(song.beats) or song.beats[beat].position < 1:
        return ""
    bar = sum(b.position == 1 for b in song.beats[: beat + 1])
    position = song.beats[beat].position
    return (f"the downbeat of bar {bar}" if position == 1 else f"beat {position} of bar {bar}") if bar else ""


def _worth(clip: Clip) -> str:
    best = sorted(((v, n) for n, v in clip.terms if v > 0), reverse=True)[:3]
    worth = ", ".join(f"{n} {v:.2f}" for v, n in best)
    told = f"{clip.value:.2f}" + (f" ({worth})." if worth else ".")
    return told + (f" Next best here: {second(clip.alternates[0])}." if clip.alternates else "")


def second(other: Alternate) -> str:
    """Return what a runner-up would cost the film, and by what."""
    name = other.take.rsplit("/", 1)[-1]
    how = f"{other.loss:.2f} less" if other.loss >= 0 else f"{-other.loss:.2f} more"
    return f"{name}, {how}" + (f" ({other.why})" if other.why else "")
