# SPDX-License-Identifier: Apache-2.0
"""Films whose best edit is known beforehand, because prices prove it (a planted optimum by dual certificate).

A film is a path through the slots. Give every node a potential, some source frames a price, some of the style's counts
a price, and let the *excess* of a placement be its value less what it pays less the rise in potential. If no placement
has an excess above 0, no film is worth more than the rise from the first node to the last plus what the prices give
back (weak duality); an edit whose placements all have an excess of 0, which shows every priced frame once and keeps
every priced count at its priced end, is worth exactly that. Takes are made for such an edit; each take's `hero` then
lifts or lowers all its placements until its best one has an excess of 0 (planted) or of almost 0 (decoys). The price
stands on frames that nearly every piece of a planted take shows, so without prices it is tempting everywhere.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from backbeat.decide import explain, styles, verify
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.place import Placements, Scene, scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem
from backbeat.decide.stage import expand
from backbeat.model.footage import Hit, Media, Shot, Take
from backbeat.model.plan import Want
from backbeat.model.timeline import Clip
from kit import shoots

RATE = 24
HANDLE = 4  # source frames that a planted take has to spare at either end
CANDIDATES = 12  # takes that are made for each clip, the best of which is planted
REACHES = (np.inf, 16.0, 6.0, 2.0, 0.0)  # beats about its clip in which a planted take may stand, the widest first
RISE, SPREAD = 0.25, 0.15  # of the potentials a beat, and about that


@dataclass(frozen=True)
class Planted:
    """A problem, its best edit, and the worth of that: no other edit of the same placements is worth more."""

    problem: CutProblem
    clips: tuple[Clip, ...]
    value: float


@dataclass(frozen=True)
class _Duals:
    """Potentials [nodes], and prices of the style's counts [rows of the style] and of the number of clips."""

    potential: np.ndarray
    row: np.ndarray
    clip: float

    def excess(self, sc: Scene, p: Placements) -> np.ndarray:
        rise = self.potential[sc.grid.last] - self.potential[sc.grid.first]
        return np.asarray(p.value - rise[p.slot] - self.row[sc.grid.row[p.slot]] - self.clip)


def planted(seconds: float, decoys: int, slack: float, seed: int, style: str = "montage") -> Planted:
    """Return a film of known optimum among `decoys`, the best placement of each at most `slack` short of good enough.

    Half of the decoys are the planted takes' doubles, half any footage.
    """
    rng = np.random.default_rng(seed)
    even = dataclasses.replace(styles.builtin(style), speed=(1.0, 1.0))
    any_take = shoots.takes(1, lengths=(30.0, 30.0))
    sketch = CutProblem(shoots.song(seconds, seed=seed), any_take, even, shoots.RATE, int(seconds * RATE))
    sc = scene(sketch, music.build(sketch), gather(sketch))
    plan = _plan(sc, rng)
    for wild in (1.0, 0.7, 0.5, 0.3, 0.15, 0.0):
        duals = _duals(sc, plan, wild, rng)
        made = _takes_for(sketch, plan, duals, rng)
        if made is not None:
            break
    assert made is not None
    takes, wants, clips, prices = made
    more = _decoys(sketch, takes, decoys, rng)
    wanted = _lowered(sketch, more, duals, slack, rng)
    every = (*takes, *more)
    order = rng.permutation(len(every))
    problem = dataclasses.replace(sketch, takes=tuple(every[k] for k in order), wants=(*wants, *wanted))
    value = _proven(problem, clips, duals, prices)
    return Planted(problem, clips, value)


def _plan(sc: Scene, rng: np.random.Generator) -> tuple[Clip, ...]:
    """Return slots from end to end, as empty clips, drawn at random among those that keep the style's counts."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array, hstack, vstack

    rows, grid, n = film.build(sc), sc.grid, len(sc.start)
    each, some = np.arange(n), np.append(np.arange(rows.styles), len(rows.low) - 1)
    nodes, counts = len(grid.frame), len(some)
    flow = coo_array(
        (np.r_[np.ones(n), -np.ones(n)], (np.r_[grid.first, grid.last], np.r_[each, each])), shape=(nodes, n)
    )
    balance = np.zeros(nodes)
    balance[0], balance[-1] = 1.0, -1.0
    held = coo_array((np.ones(2 * n), (np.r_[grid.row, np.full(n, counts - 1)], np.r_[each, each])), shape=(counts, n))
    slack = coo_array((np.ones(counts), (np.arange(counts), np.arange(counts))), shape=(counts, counts))
    table = vstack([hstack([flow, coo_array((nodes, 2 * counts))]), hstack([held, slack, -slack])]).tocsr()
    found = milp(
        np.r_[rng.random(n) * grid.length, np.full(2 * counts, 50.0)],
        constraints=LinearConstraint(table, np.r_[balance, rows.low[some]], np.r_[balance, rows.high[some]]),
        integrality=np.r_[np.ones(n), np.zeros(2 * counts)],
        bounds=Bounds(0.0, np.r_[np.ones(n), np.full(2 * counts, np.inf)]),
        options={"mip_rel_gap": 0.2},
    )
    chosen = np.flatnonzero(found.x[:n] > 0.5)
    return tuple(
        Clip(int(sc.start[s]), int(sc.end[s] - sc.start[s]), "", 0, shoots.RATE)
        for s in chosen[np.argsort(sc.start[chosen])]
    )


def _duals(sc: Scene, clips: tuple[Clip, ...], wild: float, rng: np.random.Generator) -> _Duals:
    """Return potentials about an even rise, and row prices that hold for the counts of `clips`; `wild` 0..1."""
    rows, grid = film.build(sc), sc.grid
    some = np.append(np.arange(rows.styles), -1)
    low, high, rate = rows.low[some], rows.high[some], rows.rate[some]
    counts = np.array([*verify.style_counts(clips, grid), len(clips)], float)
    draw = rng.uniform(0.0, 0.6 * wild, len(counts)) * rate
    price = np.where(counts >= high, draw, np.where(counts <= low, -draw, 0.0))
    price = np.where(counts > high, rate, np.where(counts < low, -rate, price))
    beats = np.maximum.accumulate(grid.position - grid.position[0])
    noise = rng.normal(0, SPREAD * wild, len(beats)) * (np.arange(len(beats)) > 0)
    return _Duals(RISE * beats + noise, price[:-1], float(price[-1]))


def _takes_for(
    sketch: CutProblem, plan: tuple[Clip, ...], duals: _Duals, rng: np.random.Generator
) -> tuple[list[Take], list[Want], tuple[Clip, ...], list[float]] | None:
    """Return a take for each clip of `plan`, its wish, its clip, and the price of the take's middle frame.

    None if under these prices no take can be planted for one of them.
    """
    grid, chosen = music.build(sketch), []
    position = grid.position
    for i, clip in enumerate(plan):
        made = tuple(_take(f"footage/p{i:03d}-{c}.mp4", clip, sketch, grid, rng) for c in range(CANDIDATES))
        problem = dataclasses.replace(sketch, takes=made)
        sc = scene(problem, grid, gather(problem))
        p = _everything(sc)
        excess = duals.excess(sc, p)
        own = (sc.start[p.slot] == clip.start) & (sc.end[p.slot] == clip.end)
        first, last = position[grid.first[p.slot]], position[grid.last[p.slot]]
        away = np.maximum(first[own][0] - first, last - last[own][0])
        found = []
        for c in range(CANDIDATES):
            mine = p.shot == c
            here = np.flatnonzero(mine & own)
            best = here[np.argmax(excess[here])]
            middle = int(sc.pool.base[c]) + made[c].media.frames // 2
            pays = (p.low <= middle) & (p.high > middle)
            for n, reach in enumerate(REACHES):
                near = mine & (away <= reach + 1e-6)
                # Pieces that do not show the middle do not pay: they bound what it may cost.
                room = float(excess[best] - excess[near & ~pays].max(initial=-np.inf))
                if room > 0 and excess[near & pays].max() <= excess[best]:
                    found.append((n, c, best, min(float(rng.uniform(0.0, 1.0)), 0.9 * room)))
                    break
        if not found:
            return None
        n, c, best, price = min(found)
        shift = int(sc.pool.base[c])
        inside = own | ((p.shot == c) & (away <= REACHES[n] + 1e-6))
        early = float(sc.start[p.slot[inside]].min()) / sketch.frames if n else 0.0
        late = float(sc.end[p.slot[inside]].max()) / sketch.frames if n else 1.0
        path = made[c].media.path
        chosen.append(
            (
                made[c],
                Want(path, hero=price - float(excess[best]), earliest=early, latest=late),
                Clip(clip.start, clip.frames, path, int(p.low[best]) - shift, shoots.RATE, shot=0),
                price,
            )
        )
    takes, wants, clips, prices = zip(*chosen, strict=True)
    return list(takes), list(wants), clips, list(prices)


def _take(path: str, clip: Clip, problem: CutProblem, grid: music.Grid, rng: np.random.Generator) -> Take:
    """Return a take that suits the place of `clip`: hits on most beats inside, motion as lively as the music."""
    inside = grid.beat_frame[(grid.beat_frame >= clip.start + 2) & (grid.beat_frame < clip.end - 2)]
    hits = tuple(
        Hit((HANDLE + int(f) - clip.start) / RATE, float(rng.uniform(0.5, 1.0))) for f in inside if rng.random() < 0.8
    )
    frames = clip.frames + 2 * HANDLE
    motion = float(np.clip(problem.song.energy_at(clip.start / RATE) + rng.normal(0, 0.1), 0, 1))
    shot = Shot(path, 0, 0, frames, hits, quality=float(rng.beta(4, 2)), motion=motion)
    return Take(Media(path, shoots.RATE, frames, 160, 90), (shot,))


def _decoys(sketch: CutProblem, takes: list[Take], count: int, rng: np.random.Generator) -> list[Take]:
    """Return `count` takes: doubles of the planted ones, and any footage."""
    out = list(shoots.takes(count // 2, seed=int(rng.integers(1 << 30))))
    for n in range(count - len(out)):
        twin = takes[int(rng.integers(0, len(takes)))]
        path = f"footage/twin{n:03d}.mp4"
        shots = tuple(dataclasses.replace(s, take=path) for s in twin.shots)
        out.append(Take(dataclasses.replace(twin.media, path=path), shots))
    return out


def _lowered(
    sketch: CutProblem, takes: list[Take], duals: _Duals, slack: float, rng: np.random.Generator
) -> list[Want]:
    """Return a wish for each decoy by which its best placement is short of an excess of 0 by `slack` at most."""
    grid, out = music.build(sketch), []
    for k in range(0, len(takes), 20):
        some = tuple(takes[k : k + 20])
        problem = dataclasses.replace(sketch, takes=some)
        sc = scene(problem, grid, gather(problem))
        p = _everything(sc)
        top = np.full(len(some), -np.inf)
        np.maximum.at(top, p.shot, duals.excess(sc, p))
        short = slack * rng.uniform(0.25, 1.0, len(some))
        out += [Want(t.media.path, hero=-float(e) - float(s)) for t, e, s in zip(some, top, short, strict=True)]
    return out


def _everything(sc: Scene) -> Placements:
    slots, shots = np.indices((len(sc.start), sc.pool.size)).reshape(2, -1)
    return expand(sc, slots, shots)


def _proven(problem: CutProblem, clips: tuple[Clip, ...], duals: _Duals, prices: list[float]) -> float:
    """Return the worth of `clips`, having checked the whole certificate on the finished problem."""
    grid = music.build(problem)
    sc = scene(problem, grid, gather(problem))
    take = {t.media.path: n for n, t in enumerate(problem.takes)}
    frame = np.zeros(sc.pool.total)
    shown = np.zeros(sc.pool.total, int)
    for clip, price in zip(clips, prices, strict=True):
        base = int(sc.pool.base[np.flatnonzero(sc.pool.take == take[clip.take])[0]])
        frame[base + problem.takes[take[clip.take]].media.frames // 2] = price
        shown[base + clip.source_in : base + clip.source_in + clip.frames] += 1
    assert shown.max() == 1
    assert (shown[frame > 0] == 1).all()
    total = np.concatenate([[0.0], np.cumsum(frame)])
    step = max(1, 40_000 // sc.pool.size)
    for a in range(0, len(sc.start), step):
        some = np.arange(a, min(a + step, len(sc.start)))
        p = expand(sc, np.repeat(some, sc.pool.size), np.tile(np.arange(sc.pool.size), len(some)))
        assert (duals.excess(sc, p) - (total[p.high] - total[p.low])).max(initial=-1.0) < 1e-9
    rise = float(duals.potential[-1] - duals.potential[0])
    rows = film.build(sc)
    price = np.zeros(len(rows.low))
    price[: rows.styles], price[-1] = duals.row, duals.clip
    bound = rise + float(frame.sum()) + rows.dual(price)
    value = worth(problem, clips)
    assert abs(value - bound) < 1e-6, (value, bound)
    return value


def worth(problem: CutProblem, clips: tuple[Clip, ...]) -> float:
    """Return the worth of an edit, from its clips alone."""
    grid, takes, before, total = music.build(problem), explain.by_path(problem), None, 0.0
    for clip in clips:
        total += sum(v for _, v in explain.clip_terms(clip, before, problem, grid, takes))
        before = clip
    return total - verify.film_cost(clips, problem, grid)
