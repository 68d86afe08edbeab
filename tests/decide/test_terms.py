# SPDX-License-Identifier: Apache-2.0
"""Terms that tie clips to their neighbours and to the song: direction, tags."""

import dataclasses
from fractions import Fraction
from itertools import pairwise

from backbeat.decide import cut, styles
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.verify import verify
from backbeat.model.footage import LogEntry, Take
from kit import shoots


def facing(take: Take, degrees: float | None, motion: float = 0.8) -> Take:
    shot = dataclasses.replace(take.shots[0], direction=degrees, motion=motion, group=-1)
    return dataclasses.replace(take, shots=(shot,))


def solved(takes: tuple[Take, ...], match: float) -> tuple[CutProblem, Solution]:
    style = dataclasses.replace(styles.builtin("montage"), match_action=match)
    problem = CutProblem(shoots.song(16.0), takes, style, Fraction(24), 16 * 24)
    found = cut.solve(problem)
    assert verify(found, problem) == []
    return problem, found


def turns(problem: CutProblem, found: Solution) -> int:
    way = {t.media.path: t.shots[0].direction for t in problem.takes}
    return sum(way[a.take] != way[b.take] for a, b in pairwise(found.clips))


def test_motion_goes_on_across_cuts_where_the_style_asks() -> None:
    free, bound = 0, 0
    for seed in range(3):
        takes = tuple(facing(t, 180.0 * (i % 2)) for i, t in enumerate(shoots.takes(40, seed=seed)))
        free += turns(*solved(takes, 0.0))
        bound += turns(*solved(takes, 4.0))
    assert free >= 10
    assert bound <= free / 3


def test_a_still_picture_turns_nothing_about() -> None:
    takes = tuple(facing(t, 180.0 * (i % 2), motion=0.1) for i, t in enumerate(shoots.takes(20)))
    _, found = solved(takes, 4.0)
    assert all(name != "direction" for c in found.clips for name, _ in c.terms)


def test_takes_stand_in_the_section_that_they_are_tagged_for() -> None:
    takes = tuple(
        dataclasses.replace(t, log=LogEntry(tags=("b",))) if i % 3 == 0 else t
        for i, t in enumerate(shoots.takes(60, seed=4))
    )
    song = shoots.song(40.0)
    problem = CutProblem(song, takes, styles.builtin("romance"), Fraction(24), 40 * 24)
    found = cut.solve(problem, sweeps=60)
    assert verify(found, problem) == []
    tagged = {t.media.path for t in takes if t.log.tags}
    in_b = [c.take in tagged for c in found.clips if dict(c.terms).get("section")]
    seconds = {True: 0.0, False: 0.0}
    for clip in found.clips:
        middle = (clip.start + clip.end) / 48
        label = [s for s in song.sections if s.start <= middle][-1].label if middle >= 0.1 else ""
        if clip.take in tagged:
            seconds[label == "B"] += clip.frames / 24
    assert in_b
    assert all(in_b)
    assert seconds[True] > seconds[False]
