# SPDX-License-Identifier: Apache-2.0
"""The decision of a montage: which piece of which shot stands where, and a proof of how good that is."""

from __future__ import annotations

import dataclasses

import numpy as np

from backbeat.decide import beam, explain, given, locks, ordered, patch, prices, ramps, runners, search, terms
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.place import Placements, Scene, expand, join, scene, sped
from backbeat.decide.pool import Ints, gather
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.settle import Soft
from backbeat.errors import NoEditError
from backbeat.model.cue import Cue
from backbeat.model.timeline import NORMAL, Clip, Marker, Speed, Timeline, Track

SWEEPS = 120
LUKEWARM = 0.02  # temperature of the average film that a last search follows


def solve(problem: CutProblem, *, sweeps: int = SWEEPS) -> Solution:
    """Decide `problem`. Budgets are sweeps, never seconds: the same problem gives the same edit, byte for byte.

    With an earlier edit (``problem.previous``) of the same length, what still holds of it stays (see `patch`).

    Raises
    ------
    NoEditError
        If the locks contradict each other, there is no usable footage at all, or the film has no length.
    """
    sc = _scene(problem)
    rows = film.build(sc)
    mended = patch.mend(sc, rows) if problem.previous and problem.order == "free" else None
    find = search.find if problem.order == "free" else ordered.find
    found = find(sc, rows, sweeps, seek=mended is None)
    if mended is not None:
        return _solution(*mended, found.bound, ())
    net, path, bound = found.net, found.path, found.bound
    unmet: tuple[str, ...] = ()
    if not len(path):
        net = prices.Network(sc, rows, _all(sc))
        likely, _ = Soft(net).film(found.prices, LUKEWARM)
        films = beam.search(beam.field(net, found.prices, 200), width=60, plan=beam.expected(net, likely))
        path = films[0] if films else path
    if not len(path):
        path = beam.furthest(beam.field(net, found.prices, 200))
        if not len(path):
            raise NoEditError(
                "no shot is long enough for the first place in the film",
                "add longer takes, or use a style with shorter shots",
            )
        reached, asked = _seconds(problem, _end(net, path)), _seconds(problem, problem.frames)
        unmet = (f"the footage fills {reached:.1f} s of {asked:.1f} s",)
    return _solution(net, path, bound, unmet)


def resolve(problem: CutProblem, earlier: Solution, *, window: int = patch.WINDOW) -> Solution:
    """Decide `problem` anew near what no longer holds of `earlier` (its clips are ``problem.previous``), quickly.

    For an editor at work: a window of clips about each change is filled, the rest is kept, and the bound is that of
    `earlier`, raised by what the new locks and the wish to stay can add. Falls back to `solve`.

    Raises
    ------
    NoEditError
        As `solve` does.
    """
    problem = dataclasses.replace(problem, previous=earlier.clips)
    sc = _scene(problem)
    mended = patch.mend(sc, film.build(sc), window)
    if mended is None:
        return solve(problem)
    more = terms.KEPT * len(earlier.clips) + float(np.maximum(given.locked(sc).value, 0).sum())
    return _solution(*mended, earlier.bound + more, ())


def _scene(problem: CutProblem) -> Scene:
    """Return the tables of `problem`, its locks settled."""
    problem = locks.settle(problem)
    if problem.frames < 1:
        raise NoEditError("the film would have no frames", "ask for a longer film or a longer song")
    pool = gather(problem)
    if not pool.size:
        raise NoEditError("there is no usable shot in the footage", "add footage, or forbid fewer takes")
    sc = scene(problem, music.build(problem), pool)
    shortest = sc.span.min(axis=0)[pool.rate_id]
    if not (pool.end - pool.start >= shortest).any():
        raise NoEditError(
            "no shot is long enough for any place in the film", "add longer takes, or use a style with shorter shots"
        )
    return sc


def _seconds(problem: CutProblem, frames: int) -> float:
    return float(frames / problem.rate)


def _end(net: prices.Network, path: Ints) -> int:
    return int(net.sc.end[net.p.slot[path[-1]]]) if len(path) else 0


def _all(sc: Scene) -> Placements:
    slots, shots = len(sc.start), sc.pool.size
    parts = [sped(sc)]
    step = max(1, 4_000 // max(shots, 1))
    for a in range(0, slots, step):
        some = np.arange(a, min(a + step, slots))
        parts.append(expand(sc, np.repeat(some, shots), np.tile(np.arange(shots), len(some))))
    return join(parts)


def _solution(net: prices.Network, path: Ints, bound: float, unmet: tuple[str, ...]) -> Solution:
    sc, problem = net.sc, net.sc.problem
    clips: list[Clip] = []
    takes = explain.by_path(problem)
    for k in path.tolist():
        clip = clip_of(sc, net.p, k)
        worth = explain.clip_terms(clip, clips[-1] if clips else None, problem, sc.grid, takes)
        clip = dataclasses.replace(clip, terms=worth, value=sum(v for _, v in worth))
        clips.append(clip)
    clips = runners.with_alternates(net, path, clips)
    value = beam.value_of(net, path)
    earned = sum(v for c in clips for _, v in c.terms if v > 0)
    return Solution(
        clips=tuple(clips),
        value=value,
        bound=max(bound, value),
        gap=max(0.0, (bound - value) / max(earned, 1e-9)),
        unmet=unmet,
        seed=problem.seed,
        frames=clips[-1].end if clips else 0,
        film_cost=sum(c.value for c in clips) - value,
        notes=sc.grid.notes,
    )


def clip_of(sc: Scene, p: Placements, k: int) -> Clip:
    """Return placement `k` as a clip."""
    slot, shot = int(p.slot[k]), int(p.shot[k])
    take = sc.problem.takes[int(sc.pool.take[shot])]
    factor = float(p.factor[k])
    clip = Clip(
        start=int(sc.start[slot]),
        frames=int(sc.end[slot] - sc.start[slot]),
        take=take.media.path,
        source_in=int(p.low[k] - sc.pool.base[shot]),
        source_rate=take.media.rate,
        speed=NORMAL if factor == 1.0 else Speed(factor),
        shot=int(sc.pool.shot[shot]),
        locked=any(
            x.kind == "clip" and (x.start, x.end, x.take) == (int(sc.start[slot]), int(sc.end[slot]), take.media.path)
            for x in sc.problem.locks
        ),
        beat=int(sc.grid.beat[sc.grid.first[slot]]),
    )
    found = explain.find_shot({clip.take: take}, clip, sc.problem.rate)
    if found is None:
        return clip
    rate = float(sc.problem.rate)
    if factor != 1.0:
        clip = ramps.eased(clip, found[1], sc.problem, sc.grid)
    seen = explain.seen_hits(clip, found[1], sc.problem, sc.grid)
    return dataclasses.replace(clip, hits=tuple(s.frame / rate for s in seen))


def timeline(problem: CutProblem, solution: Solution, *, width: int, height: int, name: str) -> Timeline:
    """Return the film: one picture track, the song, beats, sections and hits as markers."""
    rate = problem.rate
    seconds = float(solution.frames / rate)
    song = problem.song
    title = song.tags.title or name
    used = {clip.take for clip in solution.clips}
    cue = Cue(song.path, 0.0, seconds, song_in=problem.song_in, name=title, usage="background instrumental")
    return Timeline(
        name=name,
        rate=rate,
        width=width,
        height=height,
        frames=solution.frames,
        tracks=(Track(solution.clips, "picture", "picture"),),
        cues=(cue,),
        markers=tuple(sorted(_markers(problem, solution, seconds), key=lambda m: (m.time, m.kind))),
        takes=tuple(t.media for t in problem.takes if t.media.path in used),
        metadata=(("style", problem.style.name), ("seed", str(problem.seed)), ("order", problem.order)),
    )


def _markers(problem: CutProblem, solution: Solution, seconds: float) -> list[Marker]:
    song, shift = problem.song, problem.song_in
    out = [
        Marker(b.time - shift, "downbeat" if b.position == 1 else "beat", str(b.position) if b.position > 0 else "")
        for b in song.beats
        if 0 <= b.time - shift < seconds
    ]
    for section in song.sections:
        start, end = max(section.start - shift, 0.0), min(section.end - shift, seconds)
        if end > start:
            out.append(Marker(start, "section", section.role or section.label, length=end - start))
    out += [Marker(t, "hit") for clip in solution.clips for t in clip.hits]
    return out
