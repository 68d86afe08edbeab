# SPDX-License-Identifier: Apache-2.0
"""Other methods on the placements that the decision has: greedy, Viterbi + repair, a beam without prices, annealing.

All of them know the whole objective: what neighbours cost, the style's counts, favourites. Each is told the best pairs
of slot and shot by their best placement, so that none drowns in poor ones.
"""

from __future__ import annotations

import argparse
import math
import time
from bisect import bisect_right, insort
from collections.abc import Callable
from itertools import islice, pairwise

import numpy as np
from decide_common import Records, Row, column, instance, solved

from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide import terms
from backbeat.decide.place import Placements, Scene, join, scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem
from backbeat.decide.stage import expand, sped

PAIRS = 40  # shots of each slot that the others may use
MOVES = 1_000_000  # of annealing
WIDTH, LOOK, GROW = 60, 5, 12  # of the beam: films a node, free placements of a slot they look at, offspring


class Field:
    """Placements as plain lists, by the node that they begin at, and what a whole film pays."""

    def __init__(self, problem: CutProblem) -> None:
        sc = scene(problem, music.build(problem), gather(problem))
        p = _best(sc)
        self.size, self.nodes = p.size, len(sc.grid.frame)
        self.value, self.low, self.high = p.value.tolist(), p.low.tolist(), p.high.tolist()
        self.begin, self.end = sc.grid.first[p.slot].tolist(), sc.grid.last[p.slot].tolist()
        self.beats = np.maximum(sc.grid.length[p.slot], 0.5).tolist()
        self.group, way = sc.pool.group[p.shot].tolist(), sc.pool.way[p.shot]
        self.way = [(float(x), float(y)) for x, y in way]
        self.seconds = sc.seconds[p.slot].tolist()
        rows = film.build(sc)
        self.rate, self.least, self.most = rows.rate.tolist(), rows.low.tolist(), rows.high.tolist()
        self.row = sc.grid.row[p.slot].tolist()
        self.of_take = (rows.styles + sc.pool.take[p.shot]).tolist()
        self.alike = terms.ALIKE * problem.style.jump_cut
        self.turned = terms.AGAINST * problem.style.match_action
        order = np.argsort(p.slot, kind="stable")
        starts = np.array(self.begin)
        self.from_node = [np.flatnonzero(starts == n).tolist() for n in range(self.nodes)]
        slot = p.slot[order]
        cuts = np.flatnonzero(np.diff(slot)) + 1
        self.same = {int(p.slot[part[0]]): part.tolist() for part in np.split(order, cuts)}
        self.slot = p.slot.tolist()

    def join_cost(self, one: int, other: int) -> float:
        """Return what the cut between two placements costs."""
        (a, b), (c, d) = self.way[one], self.way[other]
        return self.alike * (self.group[one] == self.group[other]) + self.turned * (a * c + b * d < -0.5)


class Film:
    """A film being made: its counts, its footage, its worth."""

    def __init__(self, field: Field) -> None:
        self.field, self.counts = field, [0.0] * len(field.rate)
        self.cost = sum(r * low for r, low in zip(field.rate, field.least, strict=True))
        self.shown: list[tuple[int, int]] = []

    def count(self, k: int, sign: int) -> None:
        """Count placement `k` in (+1) or out (-1)."""
        f = self.field
        for row, amount in ((f.row[k], 1.0), (f.of_take[k], f.seconds[k]), (-1, 1.0)):
            have = self.counts[row]
            now = have + sign * amount
            low, high = f.least[row], f.most[row]
            self.cost += f.rate[row] * (max(now - high, low - now, 0.0) - max(have - high, low - have, 0.0))
            self.counts[row] = now

    def put(self, k: int) -> None:
        """Show placement `k`."""
        self.count(k, 1)
        insort(self.shown, (self.field.low[k], self.field.high[k]))

    def take_out(self, k: int) -> None:
        """Show placement `k` no more."""
        self.count(k, -1)
        self.shown.remove((self.field.low[k], self.field.high[k]))

    def free(self, k: int) -> bool:
        """Whether nothing of placement `k` is shown yet."""
        low, high = self.field.low[k], self.field.high[k]
        i = bisect_right(self.shown, (low, high))
        return (i == 0 or self.shown[i - 1][1] <= low) and (i == len(self.shown) or self.shown[i][0] >= high)

    def adds(self, k: int, before: int) -> float:
        """Return what placement `k` after `before` (-1: none) adds to the film."""
        was = self.cost
        self.count(k, 1)
        more = self.field.value[k] - (self.cost - was)
        self.count(k, -1)
        return more - (self.field.join_cost(before, k) if before >= 0 else 0.0)


def _best(sc: Scene) -> Placements:
    """Return the placements of the `PAIRS` shots of each slot that have the best one."""
    shots, parts = sc.pool.size, []
    step = max(1, 20_000 // shots)
    fast = sped(sc)
    for a in range(0, len(sc.start), step):
        some = np.arange(a, min(a + step, len(sc.start)))
        p = expand(sc, np.repeat(some, shots), np.tile(np.arange(shots), len(some)))
        p = join([p, fast.take((fast.slot >= a) & (fast.slot < a + step))])
        top = np.full((len(some), shots), -np.inf)
        np.maximum.at(top, (p.slot - a, p.shot), p.value)
        rank = min(PAIRS, shots) - 1
        good = top >= -np.partition(-top, rank, axis=1)[:, rank : rank + 1]
        parts.append(p.take(good[p.slot - a, p.shot]))
    return join(parts)


def worth(field: Field, path: list[int]) -> float:
    """Return what a film is worth; nan if it is none."""
    if not path or field.begin[path[0]] != 0 or field.end[path[-1]] != field.nodes - 1:
        return math.nan
    made = Film(field)
    for k in path:
        made.put(k)
    joins = sum(field.join_cost(a, b) for a, b in pairwise(path))
    return sum(field.value[k] for k in path) - joins - made.cost


def greedy(field: Field) -> list[int]:
    """From the first frame on, whatever adds most a beat and shows nothing again."""
    made, path, node = Film(field), [-1], 0
    while node < field.nodes - 1:
        free = [k for k in field.from_node[node] if made.free(k)]
        if not free:
            return []
        best = max(free, key=lambda k: made.adds(k, path[-1]) / field.beats[k])
        made.put(best)
        path.append(best)
        node = field.end[best]
    return path[1:]


def viterbi(field: Field) -> list[int]:
    """The best path by clips and neighbours alone; then whatever shows something again is replaced in its slot."""
    top = {s: sorted(ks, key=lambda k: -field.value[k])[:20] for s, ks in field.same.items()}
    at: list[dict[int, tuple[float, int]]] = [{} for _ in range(field.nodes)]  # placement: (value, the one before)
    at[0] = {-1: (0.0, -1)}
    for node in range(field.nodes):
        reached = sorted(at[node].items(), key=lambda item: -item[1][0])[:20]
        if not reached:
            continue
        at[node] = dict(reached)
        for slot in {field.slot[k] for k in field.from_node[node]}:
            for k in top[slot]:
                value, before = max((v - (field.join_cost(b, k) if b >= 0 else 0.0), b) for b, (v, _) in reached)
                at[field.end[k]][k] = (value + field.value[k], before)
    if not at[-1]:
        return []
    path, node, k = [], field.nodes - 1, max(at[-1], key=lambda k: at[-1][k][0])
    while k >= 0:
        path.append(k)
        node, k = field.begin[k], at[node][k][1]
    made, out = Film(field), [-1]
    for k in reversed(path):
        choice = k
        if not made.free(k):
            free = [q for q in field.same[field.slot[k]] if made.free(q)]
            if not free:
                return []
            choice = max(free, key=lambda q: made.adds(q, out[-1]))
        made.put(choice)
        out.append(choice)
    return out[1:]


def plain_beam(field: Field) -> list[int]:
    """Partial films by what they are worth so far, at each node, without prices."""
    best = {s: sorted(ks, key=lambda k: -field.value[k]) for s, ks in field.same.items()}
    states: list[list[tuple[float, tuple[int, ...]]]] = [[] for _ in range(field.nodes)]
    states[0] = [(0.0, ())]
    for node in range(field.nodes - 1):
        slots = sorted({field.slot[k] for k in field.from_node[node]})
        for score, path in sorted(states[node], key=lambda s: -s[0])[:WIDTH]:
            made = Film(field)
            for k in path:
                made.put(k)
            last = path[-1] if path else -1
            some = [k for s in slots for k in islice(filter(made.free, best[s]), LOOK)]
            ranked = sorted(((made.adds(k, last), k) for k in some), key=lambda one: -one[0] / field.beats[one[1]])
            for more, k in ranked[:GROW]:
                states[field.end[k]].append((score + more, (*path, k)))
        states[node] = []
        for later in range(node + 1, min(node + 20, field.nodes)):
            if len(states[later]) > 8 * WIDTH:
                states[later] = sorted(states[later], key=lambda s: -s[0])[: 2 * WIDTH]
    return list(max(states[-1], key=lambda s: s[0])[1]) if states[-1] else []


def annealing(field: Field, moves: int = MOVES) -> list[int]:
    """Metropolis over whole clips, as Audeosynth (Liao et al. 2015): one or two neighbours filled anew by chance."""
    rng = np.random.default_rng(0)
    path = greedy(field)
    if not path:
        return path
    made = Film(field)
    for k in path:
        made.put(k)
    dice = rng.random((moves, 8))
    value = best_value = worth(field, path)
    best = list(path)
    for m in range(moves):
        heat = 0.5 * (0.005 / 0.5) ** (m / moves)
        roll = dice[m]
        i = int(roll[0] * len(path))
        j = min(len(path), i + 1 + int(roll[1] * 2))
        old, new = path[i:j], []
        node, end = field.begin[old[0]], field.end[old[-1]]
        if roll[2] < 0.5:
            for n, k in enumerate(old):
                same = field.same[field.slot[k]]
                new.append(same[int(roll[3 + n] * len(same))])
        else:
            while node < end and len(new) < 4:
                here = field.from_node[node]
                new.append(here[int(roll[3 + len(new)] * len(here))])
                node = field.end[new[-1]]
            if node != end:
                continue
        was = made.cost
        for k in old:
            made.take_out(k)
        done = 0
        for k in new:
            if not made.free(k):
                break
            made.put(k)
            done += 1
        if done == len(new):
            around = [*path[i - 1 : i], *new, *path[j : j + 1]] if i else [*new, *path[j : j + 1]]
            before = [*path[i - 1 : i], *old, *path[j : j + 1]] if i else [*old, *path[j : j + 1]]
            gain = sum(field.value[k] for k in new) - sum(field.value[k] for k in old) - (made.cost - was)
            gain -= sum(field.join_cost(a, b) for a, b in pairwise(around))
            gain += sum(field.join_cost(a, b) for a, b in pairwise(before))
            if gain > 0 or roll[7] < math.exp(gain / heat):
                path[i:j] = new
                value += gain
                if value > best_value + 1e-9:
                    best, best_value = list(path), value
                continue
        for k in new[:done]:
            made.take_out(k)
        for k in old:
            made.put(k)
    return best


def methods(records: Records, options: argparse.Namespace) -> None:
    """Print each method's film: value, distance to the proven bound, CPU."""
    ways: dict[str, Callable[[Field], list[int]]] = {
        "greedy": greedy, "Viterbi + repair": viterbi, "beam, no prices": plain_beam,
        f"annealing, {MOVES:,} moves": annealing,
    }  # fmt: skip
    for seconds, shots, count in ((90.0, 150, 3), (180.0, 500, 1)):
        rows = [
            records.get(
                f"methods {options.style} {seconds:g} {shots} {seed}",
                lambda s=seconds, n=shots, k=seed: _compared(s, n, options.style, k, ways),
            )
            for seed in range(min(options.seeds or count, count))
        ]
        print(f"| {seconds:g} s × {shots}, `{options.style}`, {len(rows)} seeds | value | share of the bound | CPU s |")
        print("|---|---|---|---|")
        for name in ("backbeat", *ways):
            value, share, cpu = (np.nanmedian(column(rows, f"{name}: {w}")) for w in ("value", "share", "cpu"))
            print(f"| {name} | {value:.1f} | {share:.1%} | {cpu:.1f} |")


def _compared(seconds: float, shots: int, style: str, seed: int, ways: dict[str, Callable[[Field], list[int]]]) -> Row:
    problem = instance(seconds, shots, style, seed)
    found, row = solved(problem)
    out = {"backbeat: value": found.value, "backbeat: share": found.value / found.bound, "backbeat: cpu": row["cpu"]}
    field = Field(problem)
    for name, way in ways.items():
        at = time.process_time()
        value = worth(field, way(field))
        out |= {f"{name}: value": value, f"{name}: share": value / found.bound}
        out[f"{name}: cpu"] = time.process_time() - at
        if value > found.bound + 1e-6:
            raise SystemExit(f"{name} is worth {value}, above the bound {found.bound}")
    return out
