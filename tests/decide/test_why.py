# SPDX-License-Identifier: Apache-2.0
"""Reasons, runners-up, ramps: what a clip can say for itself."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.decide import cut, styles
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.verify import slopes, verify
from backbeat.exchange import otio
from kit import shoots


@pytest.fixture(scope="module")
def decided() -> tuple[CutProblem, Solution]:
    problem = CutProblem(shoots.song(20.0), shoots.takes(40), styles.builtin("wright"), Fraction(24), 20 * 24)
    return problem, cut.solve(problem)


def test_each_clip_has_its_reason_and_its_terms(decided: tuple[CutProblem, Solution]) -> None:
    _, solution = decided
    for clip in solution.clips:
        assert clip.reason.endswith(".")
        assert sum(v for _, v in clip.terms) == pytest.approx(clip.value)
    assert any("meets" in c.reason for c in solution.clips)
    assert sum(len(c.alternates) > 0 for c in solution.clips) > len(solution.clips) / 2


def test_runners_up_show_what_the_film_does_not(decided: tuple[CutProblem, Solution]) -> None:
    problem, solution = decided
    shown = {(c.take, f) for c in solution.clips for f in range(*c.source_span(problem.rate))}
    for clip in solution.clips:
        for second in clip.alternates:
            assert second.take != clip.take or second.shot != clip.shot
            assert (second.take, second.source_in) not in shown


def test_ramps_keep_hits_and_range(decided: tuple[CutProblem, Solution]) -> None:
    problem, solution = decided
    assert verify(solution, problem) == []
    low, high = problem.style.speed
    for clip in solution.clips:
        if not clip.speed.constant:
            assert all(low - 2e-3 <= s <= high + 2e-3 for s in slopes(clip))


def test_why_tells(decided: tuple[CutProblem, Solution], tmp_path: Path) -> None:
    problem, solution = decided
    path = tmp_path / "film.otio"
    otio.save(cut.timeline(problem, solution, width=160, height=90, name="film"), path)
    told = CliRunner().invoke(app, ["why", str(path), "0:05"])
    assert told.exit_code == 0, told.output
    clip = next(c for c in solution.clips if c.start <= 120 < c.end)
    assert " ".join(clip.reason.split())[:40] in " ".join(told.stdout.split())
    plain = json.loads(CliRunner().invoke(app, ["why", str(path), "5", "--json"]).stdout)
    assert plain["clip"]["take"] == clip.take
    late = CliRunner().invoke(app, ["why", str(path), "9:00"])
    assert late.exit_code == 2
