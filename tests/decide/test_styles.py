# SPDX-License-Identifier: Apache-2.0
"""Styles as data, kept by the films, learnt from films."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide import cut, explain, styles
from backbeat.decide import grid as music
from backbeat.decide.learn import Reference, learn
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import quick_runs, style_counts, verify
from backbeat.errors import InputError
from backbeat.model.plan import Style
from kit import shoots


@pytest.mark.parametrize("name", styles.names())
def test_a_style_survives_its_file(name: str) -> None:
    style = styles.builtin(name)
    assert styles.parse(styles.dump(style, "a remark"), name) == style


def test_six_are_built_in() -> None:
    assert styles.names() == ["chase", "documentary", "montage", "romance", "trailer", "wright"]


@pytest.mark.parametrize(
    "text",
    [
        "lengths = [",
        "lenghts = [1]",
        "lengths = [2, 1]",
        "quiet = [1]",
        "speed = [2, 3]",
        "name = 3",
        "lead_frames = 9",
    ],
)
def test_a_bad_style_is_said_so(text: str) -> None:
    with pytest.raises(InputError) as error:
        styles.parse(text, "mine.toml")
    assert "mine.toml" in error.value.message
    assert error.value.hint


def test_an_unknown_style_has_a_neighbour() -> None:
    with pytest.raises(InputError) as error:
        styles.builtin("write")
    assert "wright" in error.value.hint


@pytest.mark.parametrize("name", ["wright", "romance"])
def test_films_keep_their_style(name: str) -> None:
    problem = CutProblem(shoots.song(60.0), shoots.takes(70), styles.builtin(name), Fraction(24), 60 * 24)
    found = cut.solve(problem)
    grid = music.build(problem)
    counts = np.array(style_counts(found.clips, grid)).reshape(3, -1).sum(axis=0)
    target = grid.target.reshape(3, -1).sum(axis=0)
    assert 0.5 * np.abs(counts / counts.sum() - target / target.sum()).sum() <= 0.2
    assert abs(counts.sum() - target.sum()) <= max(0.05 * target.sum(), 1.0)
    beats = len(problem.song.beats)
    assert len(found.clips) <= 0.6 * beats


def film(style: str, seconds: float, seed: int) -> Reference:
    """Return a film whose shot lengths are drawn from a style."""
    rng = np.random.default_rng(seed)
    song, chosen = shoots.song(seconds, seed=seed), styles.builtin(style)
    low, high = music.energy_bounds(song)
    times = [b.time for b in song.beats]
    at, cuts = 0, []
    while at < len(times) - 17:
        cuts.append(times[at])
        energy = song.energy_at(times[at])
        shares = (chosen.quiet, chosen.middle, chosen.loud)[int(energy >= low) + int(energy >= high)]
        at += max(1, int(rng.choice(chosen.lengths, p=np.array(shares) / sum(shares))))
    return Reference(song, tuple(cuts), seconds)


@pytest.mark.parametrize("style", ["wright", "romance"])
def test_a_style_is_learnt_from_its_films(style: str) -> None:
    learnt = learn(tuple(film(style, 400.0, seed) for seed in range(4)), "mine")
    true = styles.builtin(style)
    assert learnt.shots > 200
    assert learnt.share == 1.0
    # `documentary` and `romance` lie close together; either is a fair neighbour of the other.
    assert learnt.nearest in {style, "documentary", "montage"} if style == "romance" else learnt.nearest == style
    if learnt.nearest == style:
        far = [
            0.5 * np.abs(np.array(getattr(learnt.style, k)) - np.array(getattr(true, k))).sum()
            for k in ("quiet", "middle", "loud")
        ]
        assert np.mean(far) <= 0.15
    again = styles.parse(styles.dump(learnt.style))
    assert again.loud == pytest.approx(learnt.style.loud, abs=1e-5)


def test_few_shots_are_blended() -> None:
    learnt = learn((film("wright", 40.0, 1),), "mine")
    assert 0 < learnt.share < 0.5


def rhythm(pattern: str, repeats: int) -> Reference:
    """Return a film at 120 bpm whose shots last a beat (q) or four (l), in the order of `pattern`."""
    times = [0.0]
    for shot in pattern * repeats:
        times.append(times[-1] + (0.5 if shot == "q" else 2.0))
    return Reference(shoots.song(times[-1], seed=0), tuple(times), times[-1])


def test_bursts_are_learnt_where_quick_shots_gather() -> None:
    gathered = learn((rhythm("qqqqllll", 40),), "x").style.burst_length
    assert 3.5 <= gathered <= 4.5
    assert learn((rhythm("ql", 160),), "x").style.burst_length == 0


def quick_and_full(style: Style) -> tuple[list[int], list[int]]:
    """Return the runs of quick shots, and the full hits of each phrase, of a film decided in `style`."""
    problem = CutProblem(shoots.song(60.0, seed=0), shoots.takes(120, seed=1000), style, Fraction(24), 60 * 24)
    found, grid = cut.solve(problem), music.build(problem)
    assert not verify(found, problem)
    takes = explain.by_path(problem)
    hits: dict[int, int] = {}
    for clip in found.clips:
        seen = explain.find_shot(takes, clip, problem.rate)
        assert seen is not None
        phrase = int(grid.phrase(clip.start))
        hits[phrase] = hits.get(phrase, 0) + explain.full_hits(clip, seen[1], problem, grid)
    return quick_runs(found.clips, grid), list(hits.values())


def test_quick_shots_come_in_bursts_where_the_style_says_so() -> None:
    loose = dataclasses.replace(styles.builtin("chase"), burst_length=0.0, hits_per_phrase=0.0)
    apart, _ = quick_and_full(loose)
    together, _ = quick_and_full(dataclasses.replace(loose, burst_length=5.0))
    assert np.mean(together) > 1.5 * np.mean(apart)


def test_a_phrase_takes_no_more_full_hits_than_the_style_allows() -> None:
    loose = dataclasses.replace(styles.builtin("wright"), burst_length=0.0, hits_per_phrase=0.0)
    _, free = quick_and_full(loose)
    _, capped = quick_and_full(dataclasses.replace(loose, hits_per_phrase=3.0))
    assert max(free) > 3
    assert sum(max(0, n - 3) for n in capped) <= 1
