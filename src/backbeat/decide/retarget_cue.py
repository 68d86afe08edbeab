# SPDX-License-Identifier: Apache-2.0
"""A song path written as a cue: seams, stretch, tempo map, ending."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from backbeat.decide.retarget import RetargetProblem, SongPath, anchors, path_times
from backbeat.model.cue import Cue, Seam
from backbeat.model.time import Span

BEFORE_BEAT = 0.012  # joins lie this many seconds before the beat, where its attack masks them
CROSSFADE = 0.025
CROSSFADE_ALIKE = 0.03  # where the waveforms run together


def seam_of(
    problem: RetargetProblem, jump: tuple[int, int], lag: tuple[float, float] = (0.0, 0.0), percentile: float = 50.0
) -> Seam:
    """Return the seam of a `jump` (last beat played, beat landed on).

    `lag` is what `listen.repeats.align` found (seconds, correlation); `percentile` (0..100 of the song's own beats)
    becomes the grade: 1 up to the median beat, 0.2 at the 90th percentile.
    """
    leave, land = jump
    out = float(problem.times[leave + 1])
    into = float(problem.times[land]) + lag[0]
    return Seam(
        out=out - BEFORE_BEAT,
        into=into - BEFORE_BEAT,
        grade=round(min(1.0, max(0.0, (100 - percentile) / 50)), 3),
        crossfade=CROSSFADE_ALIKE if lag[1] > 0.6 else CROSSFADE,
    )


def cue_of(
    problem: RetargetProblem,
    path: SongPath,
    song: str,
    *,
    start: float = 0.0,
    seams: Mapping[tuple[int, int], Seam] | None = None,
) -> Cue:
    """Return `path` as a cue that begins `start` seconds into the film and lasts `problem.length`."""
    known = seams or {}
    made = tuple(known.get(j) or seam_of(problem, j) for j in path.jumps)
    # a seam aligned `lag` later skips that much song, so what follows comes as much earlier; the tail takes it up
    lags = [_straight(problem, j) - (s.out - s.into) for s, j in zip(made, path.jumps, strict=True)]
    seam_at = [r[1] + 1 for r in _placed(path)[:-1]]
    natural = path_times(problem, path)

    def early(index: int) -> float:
        return sum(lag for lag, place in zip(lags, seam_at, strict=True) if place <= index)

    ring = (path.tail + sum(lags)) / path.ratio if path.end.kind == "ring-out" else 0.0
    tempo: tuple[tuple[float, float], ...] = ()
    if pulled := anchors(problem, path):
        middle = [(film, song_time - early(int(np.searchsorted(natural, song_time)))) for film, song_time, _ in pulled]
        keys = [(0.0, 0.0), *middle, (problem.length, path.natural)]
        tempo = tuple((start + film, path.start.time + song_time) for film, song_time in keys)
    return Cue(
        path=song,
        start=start,
        end=start + problem.length,
        song_in=path.start.time,
        stretch=path.ratio,
        fade_in=0.01 if path.start.time > 0.05 else 0.0,
        fade_out=0.0 if ring else min(0.25, path.tail / 2),
        seams=made,
        tempo_map=tempo,
        ring_out=ring,
    )


def _placed(path: SongPath) -> list[tuple[int, int]]:
    """Return each run as (first, last) indices into `path.beats`."""
    out, now = [], 0
    for first, last in path.runs:
        out.append((now, now + last - first))
        now += last - first + 1
    return out


def _straight(problem: RetargetProblem, jump: tuple[int, int]) -> float:
    leave, land = jump
    return float(problem.times[leave + 1] - problem.times[land])


def cue_beats(cue: Cue, times: Sequence[float], weights: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Return (film second, weight) of every beat that sounds in a cue, through its seams, stretch and tempo map."""
    film, played = _keys(cue)
    out = []
    for at, into, stop in _stretches(cue, played[-1]):
        for time, weight in zip(times, weights, strict=True):
            where = at + time - into
            if at - 1e-9 <= where < stop - 1e-9:
                out.append((float(np.interp(where, played, film)), weight))
    return tuple(sorted(b for b in out if b[0] < cue.end))


def cue_spans(cue: Cue, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the film seconds in which `spans` of the song sound in a cue, up to where it rings out."""
    film, played = _keys(cue)
    last = cue.end - cue.ring_out
    out = []
    for at, into, stop in _stretches(cue, played[-1]):
        for span in spans:
            a, z = max(at, at + span.start - into), min(stop, at + span.end - into)
            if z > a:
                start, end = (float(x) for x in np.interp([a, z], played, film))
                if start < last:
                    out.append(Span(start, min(end, last)))
    return tuple(sorted(out, key=lambda s: s.start))


def _keys(cue: Cue) -> tuple[list[float], list[float]]:
    """Return the knots of a cue's tempo map: film seconds, and seconds played."""
    keys = cue.tempo_map or ((cue.start, cue.song_in), (cue.end, cue.song_in + (cue.end - cue.start) * cue.stretch))
    return [k[0] for k in keys], [k[1] - cue.song_in for k in keys]


def _stretches(cue: Cue, length: float) -> Iterator[tuple[float, float, float]]:
    """Yield (seconds played when it starts, song second it starts at, seconds played when it stops) between seams."""
    at, into = 0.0, cue.song_in
    for seam in cue.seams:
        stop = at + seam.out - into
        yield at, into, stop
        at, into = stop, seam.into
    yield at, into, length
