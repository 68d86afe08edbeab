# SPDX-License-Identifier: Apache-2.0
"""Reasons, runners-up, ramps: what a clip can say for itself."""

import dataclasses
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.decide import cut, explain, styles
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.verify import film_cost, slopes, verify
from backbeat.exchange import otio
from backbeat.model.timeline import Clip, Speed
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


def test_a_runner_up_loses_what_the_film_would_lose(decided: tuple[CutProblem, Solution]) -> None:
    """Put in its place, in the clips alone, the film is worth just as much less; and `why` names the biggest terms."""
    problem, solution = decided
    grid, takes = music.build(problem), explain.by_path(problem)

    def worth(clips: list[Clip]) -> float:
        both = zip(clips, [None, *clips[:-1]], strict=True)
        total = sum(v for clip, before in both for _, v in explain.clip_terms(clip, before, problem, grid, takes))
        return total - film_cost(tuple(clips), problem, grid)

    tried = 0
    for i, clip in enumerate(solution.clips):
        for second in clip.alternates:
            clips = list(solution.clips)
            clips[i] = dataclasses.replace(
                clip, take=second.take, source_in=second.source_in, speed=Speed(second.speed),
                source_rate=takes[second.take].media.rate,
            )  # fmt: skip
            assert worth(clips) == pytest.approx(solution.value - second.loss, abs=1e-5)
            assert second.why or abs(second.loss) < 0.02
            tried += 1
    assert tried > 10
    assert sum(s.loss < -0.05 for c in solution.clips for s in c.alternates) <= 1  # no single change is worth much more


def test_a_reason_names_beats_as_a_musician_does(decided: tuple[CutProblem, Solution]) -> None:
    problem, solution = decided
    for clip in solution.clips:
        if 0 <= clip.beat < len(problem.song.beats) and problem.song.beats[clip.beat].position == 1 and clip.start:
            assert f"downbeat of bar {clip.beat // 4 + 1}" in clip.reason
    hit = re.compile(r"meets (?:a section's first beat \()?(the downbeat|beat (\d)) of bar (\d+)\)? at 0:(\d+\.\d+)")
    told = [m for c in solution.clips for m in hit.finditer(c.reason)]
    assert len(told) > 5
    for m in told:
        beat = (int(m[3]) - 1) * 4 + int(m[2] or 1) - 1
        assert abs(problem.song.beats[beat].time - float(m[4])) <= 1.6 / 24


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
