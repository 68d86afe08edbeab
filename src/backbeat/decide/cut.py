# SPDX-License-Identifier: Apache-2.0
"""The decision of a montage: which piece of which shot stands where, and a proof of how good that is."""

from __future__ import annotations

import dataclasses

import numpy as np

from backbeat.decide import beam, explain, given, locks, ordered, patch, prices, ramps, runners, search
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.known import Known, carried, lasting, remember
from backbeat.decide.known import bound as bound_of
from backbeat.decide.place import Placements, Scene, join, scene
from backbeat.decide.pool import Ints, Pool, gather
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.stage import expand, sped
from backbeat.errors import NoEditError
from backbeat.model.cue import Cue
from backbeat.model.timeline import NORMAL, Clip, Marker, Speed, Timeline, Track

SWEEPS = 120
SCARCE = 100_000  # moves of annealing where all placements are looked at


def solve(problem: CutProblem, *, sweeps: int = SWEEPS) -> Solution:
    """Decide `problem`. Budgets are sweeps, never seconds: the same problem gives the same edit, byte for byte.

    With an earlier edit (``problem.previous``) of the same length, what still holds of it stays (see `patch`).

    Raises
    ------
    NoEditError
        If the locks contradict each other, there is no usable footage at all, or the film has no length.
    """
    sc = _scene(locks.settle(problem))
    rows = film.build(sc)
    if problem.order != "free":
        found = ordered.find(sc, rows, sweeps)
    else:
        stays = bool(problem.previous) and patch.standing(sc) is not None
        found = search.find(sc, rows, sweeps, seek=not stays)
        mended = patch.mend(sc, rows, found.prices) if stays else None
        if mended is not None:
            net, path = patch.beside(mended, found.net)
            return _solution(net, path, found.bound, known=_known(found))
        if stays:
            found = search.find(sc, rows, sweeps)
    net, path, bound = found.net, found.path, found.bound
    unmet: tuple[str, ...] = ()
    if not len(path) and problem.order == "free":
        net = prices.Network(sc, rows, _all(sc))
        films = search.best_films(beam.field(net, found.prices, 200, np.inf), 60, SCARCE, [])
        path = films[0] if films else path
    if not len(path):
        if problem.order == "free":
            path = beam.furthest(beam.field(net, found.prices, 200))
        else:
            net, path = ordered.furthest(sc, rows, found.prices)
        if not len(path):
            raise NoEditError(
                "no shot is long enough for the first place in the film",
                "add longer takes, or use a style with shorter shots",
            )
        reached, asked = _seconds(problem, _end(net, path)), _seconds(problem, problem.frames)
        lost = [x for x in sc.problem.locks if max(x.start, x.end) > _end(net, path)]
        unmet = (
            f"the footage fills {reached:.1f} s of {asked:.1f} s",
            *(f"{locks.name(lock, problem)} lies beyond what the footage fills" for lock in lost),
        )
    return _solution(net, path, bound, unmet, known=_known(found))


def resolve(problem: CutProblem, earlier: Solution, *, window: int = patch.WINDOW) -> Solution:
    """Decide `problem` anew near what no longer holds of `earlier` (its clips are ``problem.previous``), quickly.

    For an editor at work, who changes locks: a window of clips about each change is filled, the rest is kept, and the
    bound is proven by the prices of `earlier`. Where more than locks has changed, or no window can be filled, it is
    decided as `solve` does.

    Raises
    ------
    NoEditError
        As `solve` does.
    """
    problem = dataclasses.replace(problem, previous=earlier.clips)
    known, settled = earlier.known, locks.settle(problem)
    if known is None or not known.serves(settled):
        return solve(problem)
    sc = _scene(settled, known.pool(settled))
    rows = film.build(sc)
    at = carried(known, rows)
    top = lasting(known, sc)
    mended = patch.mend(sc, rows, at, window, also=np.isnan(top))
    if mended is None:
        return solve(problem)
    bound = bound_of(top, mended.stands, mended.columns, mended.slots, sc, rows, at)
    return _solution(mended.net, mended.path, bound, known=known, earlier=earlier.clips)


def _scene(problem: CutProblem, pool: Pool | None = None) -> Scene:
    """Return the tables of `problem`, whose locks are settled; `pool` is its footage, where that is known."""
    if problem.frames < 1:
        raise NoEditError("the film would have no frames", "ask for a longer film or a longer song")
    pool = pool or gather(problem)
    if not pool.size:
        raise NoEditError("there is no usable shot in the footage", "add footage, or forbid fewer takes")
    sc = scene(problem, music.build(problem), pool)
    shortest = sc.span.min(axis=0)[pool.rate_id]
    if not (pool.end - pool.start >= shortest).any():
        raise NoEditError(
            "no shot is long enough for any place in the film", "add longer takes, or use a style with shorter shots"
        )
    return sc


def _known(found: search.Found) -> Known | None:
    return None if found.columns is None else remember(found.columns, found.prices)


def _seconds(problem: CutProblem, frames: int) -> float:
    return float(frames / problem.rate)


def _end(net: prices.Network, path: Ints) -> int:
    return int(net.sc.end[net.p.slot[path[-1]]]) if len(path) else 0


def _all(sc: Scene) -> Placements:
    slots, shots, fixed = len(sc.start), sc.pool.size, given.locked(sc)
    parts = [sped(sc), given.earlier(sc)]
    step = max(1, 200_000 // max(shots, 1))
    for a in range(0, slots, step):
        some = np.arange(a, min(a + step, slots))
        parts.append(expand(sc, np.repeat(some, shots), np.tile(np.arange(shots), len(some))))
    free = join(parts)
    return join([free.take(~np.isin(free.slot, fixed.slot)), fixed])


def _solution(
    net: prices.Network,
    path: Ints,
    bound: float,
    unmet: tuple[str, ...] = (),
    *,
    known: Known | None = None,
    earlier: tuple[Clip, ...] = (),
) -> Solution:
    """Return the film; `earlier` are the clips of a film that differs by its locks alone: those that stay are known."""
    sc, problem = net.sc, net.sc.problem
    clips = runners.with_alternates(net, path, _clips(sc, net.p.take(path), earlier), earlier)
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
        known=known,
    )


def _clips(sc: Scene, p: Placements, earlier: tuple[Clip, ...]) -> list[Clip]:
    """Return the placements `p` of a film as clips with their terms."""
    problem, takes = sc.problem, explain.by_path(sc.problem)
    locked = {(x.start, x.end, x.take) for x in problem.locks if x.kind == "clip"}
    stood = {explain.place_of(c): c for c in earlier}
    out: list[Clip] = []
    stays = True  # the clip before: the first clip has none, now as in the earlier film
    for k in range(p.size):
        bare = _bare(sc, p, k, locked)
        old = stood.get(explain.place_of(bare))
        if old is not None and stays and old.locked == bare.locked:
            out.append(explain.kept(old))
        else:
            clip = _eased(bare, problem, sc.grid, takes)
            worth = explain.clip_terms(clip, out[-1] if out else None, problem, sc.grid, takes)
            out.append(dataclasses.replace(clip, terms=worth, value=sum(v for _, v in worth)))
        stays = old is not None
    return out


def _bare(sc: Scene, p: Placements, k: int, locked: set[tuple[int, int, str]]) -> Clip:
    """Return placement `k` as a clip, without what can be said of it."""
    slot, shot = int(p.slot[k]), int(p.shot[k])
    take = sc.problem.takes[int(sc.pool.take[shot])]
    start, end, path, factor = int(sc.start[slot]), int(sc.end[slot]), take.media.path, float(p.factor[k])
    return Clip(
        start=start,
        frames=end - start,
        take=path,
        source_in=int(p.low[k] - sc.pool.base[shot]),
        source_rate=take.media.rate,
        speed=NORMAL if factor == 1.0 else Speed(factor),
        shot=int(sc.pool.shot[shot]),
        beat=int(sc.grid.beat[sc.grid.first[slot]]),
        locked=(start, end, path) in locked,
    )


def _eased(clip: Clip, problem: CutProblem, grid: music.Grid, takes: explain.Takes) -> Clip:
    """Return `clip` with its ramp and its hits."""
    found = explain.find_shot(takes, clip, problem.rate)
    if found is None:
        return clip
    rate = float(problem.rate)
    if clip.speed.factor != 1.0:
        clip = ramps.eased(clip, found[1], problem, grid)
    seen = explain.seen_hits(clip, found[1], problem, grid)
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
