# SPDX-License-Identifier: Apache-2.0
"""Styles as data, kept by the films, learnt from films."""

from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide import cut, styles
from backbeat.decide import grid as music
from backbeat.decide.learn import Reference, learn
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import style_counts
from backbeat.errors import InputError
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
