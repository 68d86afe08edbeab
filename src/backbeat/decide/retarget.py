# SPDX-License-Identifier: Apache-2.0
"""A song brought to an exact length: the cheapest path through its beats.

A path plays beats in order and jumps now and then to a beat that sounds alike, at the same place in the bar. The
search is a dynamic programme over (output beat, song beat, beats since the last jump); what the jumps leave over goes
into the ending's tail and a stretch of at most 1.5 %. After Wenner et al. 2013 and Rubin & Agrawala's UnderScore, with
whole bars and exact length added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.decide.retarget_jumps import Jumps
from backbeat.model.time import Span

Array = NDArray[Any]

MAX_STRETCH = 0.015
_SUNG_TALK = 0.3  # what a sung beat costs under somebody's words; a clean seam costs about twice that
_GRAIN = 0.1  # s, of where somebody speaks


@dataclass(frozen=True, slots=True)
class Start:
    """A way in: the song is played from `time` (s), and `beat` is the first beat met, a little later."""

    beat: int
    time: float
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class End:
    """A way out: `beat` is the last one met, then `shortest`..`longest` seconds sound.

    `kind`: true (the song's own ending) or ring-out (the beat's attack, then a made tail).
    """

    beat: int
    shortest: float
    longest: float
    kind: str = "true"
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """An instant of the picture, `time` seconds into the cue, that wants a strong beat; `weight` 0..1."""

    time: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class RetargetProblem:
    """Everything the search knows. `times` (n,) seconds; `strength` (n,) 0..1; `bar` beats; `length` seconds.

    `talk` are the seconds of the cue in which somebody speaks, `sung` (n,) the share 0..1 of each beat that is sung:
    the two are kept apart where that costs less than the seams it takes.
    """

    times: Array
    strength: Array
    jumps: Jumps
    starts: tuple[Start, ...]
    ends: tuple[End, ...]
    length: float
    bar: int = 4
    events: tuple[Event, ...] = ()
    max_stretch: float = MAX_STRETCH
    talk: tuple[Span, ...] = ()
    sung: Array | None = None


@dataclass(frozen=True, slots=True)
class SongPath:
    """A path: `runs` of (first, last) beats played without a jump, both inclusive.

    `natural` is its length in song seconds with `tail` seconds after the last beat; `ratio` = natural / length, the
    song seconds a film second (1 = no stretch).
    """

    runs: tuple[tuple[int, int], ...]
    start: Start
    end: End
    tail: float
    natural: float
    ratio: float
    cost: float

    @property
    def jumps(self) -> tuple[tuple[int, int], ...]:
        """(last beat played, beat landed on) of each seam."""
        return tuple((a[1], b[0]) for a, b in zip(self.runs, self.runs[1:], strict=False))

    @property
    def beats(self) -> tuple[int, ...]:
        """Every beat in the order played."""
        return tuple(b for first, last in self.runs for b in range(first, last + 1))


def _stretch_cost(ratio: float, limit: float) -> float:
    over = max(0.0, abs(ratio - 1) - limit)
    return abs(ratio - 1) / 0.01 * 0.8 + over * 800 + (4.0 if over > 0 else 0.0)


def _settle(problem: RetargetProblem, played: float, end: End) -> tuple[float, float]:
    """Return (tail, ratio) of a path that meets its last beat after `played` seconds: the tail first, then stretch."""
    tail = min(max(problem.length - played, end.shortest), end.longest)
    return tail, (played + tail) / problem.length


def best_path(problem: RetargetProblem) -> SongPath | None:
    """Return the cheapest path over all starts and ends, None where there is none."""
    found = [p for p in (_from(problem, start) for start in problem.starts) if p is not None]
    return min(found, key=lambda p: p.cost, default=None)


def _from(problem: RetargetProblem, start: Start) -> SongPath | None:
    times, n = problem.times, len(problem.times)
    if n < 2 or not 0 <= start.beat < n:
        return None
    steps = np.diff(times)
    lead = times[start.beat] - start.time
    period = float(np.median(steps))
    source, cost = problem.jumps.source, problem.jumps.cost
    wait = 4 * problem.bar  # beats between jumps
    rounds = (
        int(np.ceil((problem.length - lead) * (1 + 2 * problem.max_stretch) / min(period, float(np.mean(steps))))) + 12
    )
    value = np.full((wait + 1, n), np.inf)
    clock = np.full((wait + 1, n), lead)  # natural seconds at which the beat is met, on the path kept
    value[wait, start.beat] = start.cost
    came = np.zeros((rounds + 1, n), np.int32)
    late = np.zeros((rounds + 1, n), bool)
    pull = [(e.time, e.weight) for e in problem.events]
    hush = _talk(problem)
    step_of = np.append(steps, period)
    best: tuple[float, int, int, End, float, float] | None = None
    rows = np.arange(n)
    for k in range(rounds + 1):
        if k:
            leap = value[wait][source] + cost
            pick = leap.argmin(1)
            new, tick = np.full_like(value, np.inf), np.zeros_like(clock)
            new[1:wait, 1:], tick[1:wait, 1:] = value[: wait - 1, :-1], clock[: wait - 1, :-1]
            late[k, 1:] = value[wait, :-1] <= value[wait - 1, :-1]
            new[wait, 1:] = np.minimum(value[wait, :-1], value[wait - 1, :-1])
            tick[wait, 1:] = np.where(late[k, 1:], clock[wait, :-1], clock[wait - 1, :-1])
            tick[1:, 1:] += steps
            came[k] = source[rows, pick]
            new[0] = leap[rows, pick]
            tick[0] = clock[wait, came[k]] + step_of[came[k]]
            value, clock = new, tick
            for time, weight in pull:
                near = np.abs(clock - time) < period / 2
                if near.any():
                    gain = weight * problem.strength * (1 - (2 * np.abs(clock - time) / period) ** 2)
                    value = np.where(near & np.isfinite(value), value - np.maximum(gain, 0), value)
        if hush is not None and problem.sung is not None:
            moment = np.minimum((clock / _GRAIN).astype(np.intp), len(hush) - 1)
            value = value + _SUNG_TALK * problem.sung * hush[moment]
        for end in problem.ends:
            row = int(value[:, end.beat].argmin())
            if not np.isfinite(value[row, end.beat]):
                continue
            tail, ratio = _settle(problem, float(clock[row, end.beat]), end)
            total = float(value[row, end.beat]) + end.cost + _stretch_cost(ratio, problem.max_stretch)
            if best is None or total < best[0]:
                best = (total, k, row, end, tail, ratio)
    if best is None:
        return None
    total, k, row, end, tail, ratio = best
    return SongPath(_trace(k, row, end.beat, wait, came, late), start, end, tail, ratio * problem.length, ratio, total)


def _talk(problem: RetargetProblem) -> Array | None:
    """Return the share 0..1 of the beat that starts at each tenth of a second of the cue which is talked over."""
    if not problem.talk or problem.sung is None or not problem.sung.any():
        return None
    count = int(np.ceil(problem.length / _GRAIN)) + 1
    here = np.zeros(count)
    edges = np.arange(count) * _GRAIN
    for span in problem.talk:
        here += np.clip(np.minimum(edges + _GRAIN, span.end) - np.maximum(edges, span.start), 0, _GRAIN) / _GRAIN
    beat = max(1, round(float(np.median(np.diff(problem.times))) / _GRAIN))
    ahead = np.convolve(np.append(np.minimum(here, 1), np.zeros(beat - 1)), np.full(beat, 1 / beat), "valid")
    return np.append(ahead, 0.0)  # nothing is said after the cue


def _trace(
    k: int, row: int, beat: int, wait: int, came: NDArray[np.int32], late: NDArray[np.bool_]
) -> tuple[tuple[int, int], ...]:
    runs: list[tuple[int, int]] = []
    last = beat
    while k > 0:
        if row == 0:
            runs.append((beat, last))
            beat = last = int(came[k, beat])
            row = wait
        elif row == wait:
            row = wait if late[k, beat] else wait - 1
            beat -= 1
        else:
            row -= 1
            beat -= 1
        k -= 1
    runs.append((beat, last))
    return tuple(reversed(runs))


def path_times(problem: RetargetProblem, path: SongPath) -> Array:
    """Return the natural second, from the cue's start, at which each of `path.beats` is met."""
    out, now = [], float(problem.times[path.start.beat] - path.start.time)
    steps = np.append(np.diff(problem.times), np.median(np.diff(problem.times)))
    for beat in path.beats:
        out.append(now)
        now += float(steps[beat])
    return np.array(out)


def anchors(problem: RetargetProblem, path: SongPath, *, local: float = 0.02) -> tuple[tuple[float, float, Event], ...]:
    """Return (film seconds, natural seconds, event): which beats to pull onto which events.

    The choice is exact: the largest sum of weight x strength for which the stretch between neighbours, and to both
    ends of the cue, deviates by at most `local`.
    """
    beats = np.array(path.beats)
    natural = path_times(problem, path)
    total = path.natural
    # (film, natural, gain, event); the start and the end of the cue are anchors too
    nodes: list[tuple[float, float, float, Event | None]] = [(0.0, 0.0, 0.0, None)]
    period = float(np.median(np.diff(problem.times)))
    for event in sorted(problem.events, key=lambda e: e.time):
        near = np.flatnonzero(np.abs(natural - event.time * path.ratio) < 2.5 * period)
        nodes.extend(
            (event.time, float(natural[i]), event.weight * (0.2 + 0.8 * float(problem.strength[beats[i]])), event)
            for i in near
        )
    nodes.append((problem.length, total, 0.0, None))
    limit = max(local, abs(path.ratio - 1) + 1e-9)
    gain = np.full(len(nodes), -np.inf)
    before = np.zeros(len(nodes), int)
    gain[0] = 0.0
    for j in range(1, len(nodes)):
        for i in range(j):
            span = nodes[j][0] - nodes[i][0]
            if span <= 0 or not np.isfinite(gain[i]):
                continue
            bend = abs((nodes[j][1] - nodes[i][1]) / span - 1)
            # a gentler bend wins between equals
            worth = gain[i] + nodes[j][2] - 0.1 * bend / limit
            if bend <= limit and worth > gain[j]:
                gain[j], before[j] = worth, i
    chosen, j = [], len(nodes) - 1
    while j > 0:
        film, song, _, met = nodes[j]
        if met is not None:
            chosen.append((film, song, met))
        j = int(before[j])
    return tuple(reversed(chosen))
