# SPDX-License-Identifier: Apache-2.0
"""Planted edits: the solver must do as well as an edit known beforehand, and say truly how near it is."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide import cut, styles
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import verify
from backbeat.model.footage import Hit, Media, Shot, Take
from backbeat.model.timeline import Clip
from kit import planted, shoots

RATE = Fraction(24)
HANDLE = 3  # source frames that a planted take has to spare at either end
ROUNDED = 1e-7  # terms are kept to nine places


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slack", [0.2, 0.05, 0.0])
def test_the_best_edit_is_found_where_prices_prove_it(slack: float, seed: int) -> None:
    """At slack 0 every decoy has a place where it is as good as what was planted."""
    film = planted.planted(30.0, 40, slack, seed)
    found = cut.solve(film.problem)
    assert verify(found, film.problem) == []
    assert found.value <= film.value + ROUNDED  # nothing is worth more: the certificate says so
    assert found.bound >= film.value - ROUNDED
    assert found.value >= film.value - ROUNDED
    earned = sum(v for c in found.clips for _, v in c.terms if v > 0)
    assert found.gap >= (film.value - found.value) / earned - ROUNDED


def suited(seed: int) -> tuple[CutProblem, tuple[Clip, ...]]:
    """Return a problem and an edit of it: a take for each clip, its hits on every beat inside, and forty decoys."""
    rng = np.random.default_rng(seed)
    song = shoots.song(30.0, seed=seed)
    style = dataclasses.replace(styles.builtin("montage"), speed=(1.0, 1.0))
    decoys = shoots.takes(40, seed=seed + 50, hits=3)
    sketch = CutProblem(song, decoys, style, RATE, 30 * 24)
    grid = music.build(sketch)
    takes, clips = [], []
    for i, slot in enumerate(cut.solve(sketch, sweeps=30).clips):
        path = f"footage/planted{i:02d}.mp4"
        inside = [f for f in grid.beat_frame.tolist() if slot.start + 2 <= f < slot.end - 2]
        hits = tuple(
            Hit((HANDLE + f - slot.start) / 24, float(rng.uniform(0.7, 1.0))) for f in inside if rng.random() < 0.8
        )
        frames = slot.frames + 2 * HANDLE
        shot = Shot(path, 0, 0, frames, hits, quality=0.8, motion=float(song.energy_at(slot.start / 24)))
        takes.append(Take(Media(path, RATE, frames, 160, 90), (shot,)))
        clips.append(Clip(slot.start, slot.frames, path, HANDLE, RATE, shot=0))
    order = rng.permutation(len(takes) + len(decoys))
    mixed = tuple(((*takes, *decoys)[k]) for k in order)
    return dataclasses.replace(sketch, takes=mixed), tuple(clips)


@pytest.mark.parametrize("seed", range(2))
def test_an_edit_for_which_the_footage_was_shot_is_met_or_beaten(seed: int) -> None:
    problem, clips = suited(seed)
    value = planted.worth(problem, clips)
    found = cut.solve(problem)
    assert verify(found, problem) == []
    assert found.bound >= value - ROUNDED
    assert found.value >= value - ROUNDED
    assert found.gap < 0.03  # the footage is scarce: it was shot for the film that is found first
