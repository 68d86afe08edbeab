# SPDX-License-Identifier: Apache-2.0
"""What is told of a song at its new length: its seams and their grades, its stretch, what was met and what was not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from backbeat.model.cue import Cue

if TYPE_CHECKING:
    from backbeat.decide.retarget import RetargetProblem, SongPath
    from backbeat.verbs.retarget_ground import Ground

CLEAN = 90.0  # a seam below this percentile of the song's own beats is clean


@dataclass(frozen=True, slots=True)
class SeamReport:
    """One seam.

    `at` film seconds, `out`/`into` song seconds of the beats, `bars` jumped (negative = back).

    `percentile` 0..100 among the song's own beats; `off_grid_ms` what alignment moved it off the beat grid.
    """

    at: float
    out: float
    into: float
    bars: float
    percentile: float
    grade: float
    letter: str
    off_grid_ms: float
    sung: bool


@dataclass(frozen=True, slots=True)
class Retargeted:
    """A song at its new length.

    `ratio` is song seconds a film second; `hits` are (event, film second of the beat that meets it).
    """

    cue: Cue
    length: float
    seams: tuple[SeamReport, ...]
    clean: bool
    ending: str
    ratio: float
    largest_local_stretch: float
    hits: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    output: str = ""


def letter(percentile: float) -> str:
    """Return A (no more change than at a usual beat) to E (audible)."""
    return next((name for limit, name in ((60, "A"), (80, "B"), (CLEAN, "C"), (97, "D")) if percentile < limit), "E")


def report(ground: Ground, problem: RetargetProblem, path: SongPath, cue: Cue) -> Retargeted:
    """Return what is told of the `path` found for `problem`, written as `cue`."""
    from backbeat.decide.retarget import anchors, path_times

    times = ground.times
    met = path_times(problem, path)
    index, seams = -1, []
    for run, jump in zip(path.runs, path.jumps, strict=False):
        index += run[1] - run[0] + 1
        leave, land = jump
        figures, seam = ground.measured[jump], ground.seams[jump]
        out, into = float(times[leave + 1]), float(times[land])
        lag = (seam.into - seam.out) - (into - out)
        seams.append(
            SeamReport(
                at=round(cue.start + float(met[index + 1]) / path.ratio, 4),
                out=round(out, 4),
                into=round(into, 4),
                bars=round((land - leave - 1) / ground.bar, 3),
                percentile=round(figures.percentile, 1),
                grade=seam.grade,
                letter=letter(figures.percentile),
                off_grid_ms=round(lag * 1000, 2),
                sung=any(s.start + 0.2 < t < s.end - 0.2 for s in ground.song.vocals for t in (out, into)),
            )
        )
    keys = cue.tempo_map
    local = [abs((b[1] - a[1]) / (b[0] - a[0]) - 1) for a, b in pairwise(keys) if b[0] > a[0]]
    clean = all(s.percentile < CLEAN for s in seams)
    return Retargeted(
        cue=cue,
        length=problem.length,
        seams=tuple(seams),
        clean=clean and abs(path.ratio - 1) <= problem.max_stretch,
        ending=path.end.kind,
        ratio=path.ratio,
        largest_local_stretch=max(local, default=abs(path.ratio - 1)),
        hits=tuple((round(e.time, 4), round(film, 4)) for film, _, e in anchors(problem, path)),
        notes=_notes(ground, problem, path, clean=clean),
    )


def _notes(ground: Ground, problem: RetargetProblem, path: SongPath, *, clean: bool) -> tuple[str, ...]:
    notes = []
    share = problem.length / ground.song.duration
    if path.end.kind == "ring-out" and ground.tail.kind != "true":
        how = "fades out" if ground.tail.kind == "fade" else "stops dead"
        notes.append(f"the song {how}, so it rings out on a beat instead")
    elif path.end.kind == "ring-out" and len(problem.ends) > 1 and min(e.shortest for e in problem.ends) == 1.0:
        notes.append("its own ending does not fit this length, so it rings out on a beat instead")
    if not clean:
        bar = ground.meter.period * ground.bar
        notes.append(
            f"a seam may be heard; a length {bar:.1f} s longer or shorter, --entry any or --ending ring-out may mend it"
        )
    if abs(path.ratio - 1) > problem.max_stretch:
        notes.append(f"it had to be stretched by {abs(path.ratio - 1):.1%}")
    if share < 0.3:
        notes.append("the length is under 30 % of the song; expect to notice that much is missing")
    if ground.song.beat_confidence < 0.4:
        notes.append("the beat of this song is uncertain, so seams may be off it")
    missed = len(problem.events)
    if missed:
        from backbeat.decide.retarget import anchors

        missed -= len(anchors(problem, path))
    if missed:
        notes.append(f"{missed} of {len(problem.events)} hits could not be met within 2 % of local stretch")
    return tuple(notes)
