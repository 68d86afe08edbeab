# SPDX-License-Identifier: Apache-2.0
"""The decision, end to end on made-up songs and footage."""

from fractions import Fraction

import pytest

from backbeat.decide import cut, length, styles
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import verify
from backbeat.model.plan import Want
from kit import shoots

RATES = (Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(60))


@pytest.mark.parametrize("style", ["wright", "montage", "romance"])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001)], ids=str)
def test_a_sound_edit_of_mixed_rates(style: str, rate: Fraction) -> None:
    song, takes = shoots.song(24.0), shoots.takes(30, rates=RATES)
    problem = CutProblem(song, takes, styles.builtin(style), rate, int(24 * rate))
    solution = cut.solve(problem)
    assert verify(solution, problem) == []
    assert not solution.unmet
    assert solution.clips[-1].end == problem.frames
    assert solution.bound >= solution.value


def test_the_timeline_holds_song_markers_and_media() -> None:
    song, takes = shoots.song(12.0), shoots.takes(20)
    problem = CutProblem(song, takes, styles.builtin("montage"), Fraction(24), 12 * 24)
    solution = cut.solve(problem)
    film = cut.timeline(problem, solution, width=160, height=90, name="film")
    assert film.frames == 12 * 24
    assert film.cues[0].path == song.path
    assert {m.kind for m in film.markers} >= {"beat", "downbeat", "section"}
    assert {m.path for m in film.takes} == {c.take for c in solution.clips}


def test_too_little_footage_gives_the_longest_honest_film() -> None:
    song, takes = shoots.song(60.0), shoots.takes(4)
    style = styles.builtin("montage")
    found = length.film_frames(song, takes, style, Fraction(24), "song", False)
    assert found.frames < 60 * 24
    assert "--reuse" in found.why
    problem = CutProblem(song, takes, style, Fraction(24), found.frames)
    solution = cut.solve(problem)
    assert verify(solution, problem) == []


def test_half_of_the_takes_for_either_half_of_the_film() -> None:
    """Fewer than a hundred shots may stand in any place: the first guess of their prices has little to go by."""
    song, takes = shoots.song(16.0), shoots.takes(30)
    wants = tuple(
        Want(take.media.path, earliest=0.4) if n % 2 else Want(take.media.path, latest=0.6)
        for n, take in enumerate(takes)
    )
    problem = CutProblem(song, takes, styles.builtin("documentary"), Fraction(24), 16 * 24, wants=wants)
    solution = cut.solve(problem)
    assert verify(solution, problem) == []
    assert not solution.unmet
    assert solution.gap < 0.1
