# SPDX-License-Identifier: Apache-2.0
"""Planted edits: footage made for one good edit, among decoys. The solver must do as well and say so truly."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide import cut, explain, styles
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem
from backbeat.decide.verify import film_cost, verify
from backbeat.model.footage import Hit, Media, Shot, Take
from backbeat.model.timeline import Clip
from kit import shoots

RATE = Fraction(24)
HANDLE = 3  # source frames that a planted take has to spare at either end


def planted(seed: int) -> tuple[CutProblem, tuple[Clip, ...]]:
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


def worth(problem: CutProblem, clips: tuple[Clip, ...]) -> float:
    grid, takes, before, total = music.build(problem), explain.by_path(problem), None, 0.0
    for clip in clips:
        total += sum(v for _, v in explain.clip_terms(clip, before, problem, grid, takes))
        before = clip
    return total - film_cost(clips, problem, grid)


@pytest.mark.parametrize("seed", range(4))
def test_the_planted_edit_is_met_or_beaten(seed: int) -> None:
    problem, clips = planted(seed)
    value = worth(problem, clips)
    found = cut.solve(problem)
    assert verify(found, problem) == []
    assert found.bound >= value - 1e-6
    assert found.value >= value - 1e-6
    assert found.gap < 0.02
