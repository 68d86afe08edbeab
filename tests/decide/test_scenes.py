# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.decide.scenes import SHORTEST, LookedShot, scenes_of
from backbeat.model.time import Span
from backbeat.model.timeline import Marker


def film(*scenes: tuple[tuple[tuple[float, float, float], float, float], ...], seed: int = 1, each: float = 3.0):
    """Shots of 3 s: each scene lists its set-ups (colour, motion, share of speech), which take turns ten times."""
    rng = np.random.default_rng(seed)
    out, at, group = [], 0.0, 0
    for setups in scenes:
        for k in range(10):
            colour, motion, speech = setups[k % len(setups)]
            shade = tuple(float(c + rng.normal(0, 0.01)) for c in colour)
            out.append(
                LookedShot(
                    Span(at, at + each), shade, float(np.mean(shade)), motion * float(rng.uniform(0.7, 1.4)), speech,
                    group + k % len(setups),
                )
            )  # fmt: skip
            at += each
        group += len(setups)
    return out, at


DAY, NIGHT, ROOM = (0.5, 0.55, 0.6), (0.1, 0.12, 0.25), (0.45, 0.35, 0.2)


def test_scenes_are_told_by_their_look():
    shots, end = film(((DAY, 0.1, 0.0),), ((NIGHT, 0.1, 0.0),), ((ROOM, 0.1, 0.8),))
    found = scenes_of(shots, end)
    assert [s.span.start for s in found] == [0.0, 30.0, 60.0]
    assert found[-1].span.end == end
    assert all(s.confidence > 0.5 for s in found)
    assert "darker" in found[1].why


def test_two_setups_that_take_turns_are_one_scene():
    shots, end = film(((DAY, 0.1, 0.9), (ROOM, 0.1, 0.9)), ((NIGHT, 0.4, 0.0),))
    assert [s.span.start for s in scenes_of(shots, end)] == [0.0, 30.0]


def test_a_film_of_one_look_is_one_scene():
    shots, end = film(((DAY, 0.1, 0.0),), ((DAY, 0.12, 0.0),))
    assert [(s.span, s.confidence) for s in scenes_of(shots, end)] == [(Span(0.0, end), 1.0)]


def test_a_setup_that_comes_back_ties_and_black_parts():
    dusk = (0.44, 0.47, 0.52)  # a little darker than day: no scene of its own by its look
    shots, end = film(((DAY, 0.1, 0.0),), ((dusk, 0.1, 0.2),))
    assert len(scenes_of(shots, end)) == 1
    black = [
        s if i != 10 else LookedShot(s.span, s.colour, s.light, s.motion, s.speech, s.group, 1.0)
        for i, s in enumerate(shots)
    ]
    assert [s.span.start for s in scenes_of(black, end)] == [0.0, 30.0]


def test_the_editor_s_marks_settle_it():
    shots, end = film(((DAY, 0.1, 0.0),), ((NIGHT, 0.1, 0.0),))
    marks = (Marker(0.0, "note", "Scene 1"), Marker(12.5, "scene", "kitchen"), Marker(40.0, "note", "music out"))
    found = scenes_of(shots, end, marks)
    assert [s.span for s in found] == [Span(0.0, 12.5), Span(12.5, end)]
    assert found[1].confidence == 1.0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_short_films_are_one_scene(count):
    shots, _ = film(((DAY, 0.1, 0.0),))
    assert len(scenes_of(shots[:count], 9.0)) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60))
def test_scenes_tile_the_film_and_are_long_enough(seed, count):
    rng = np.random.default_rng(seed)
    edges = np.concatenate([[0.0], np.cumsum(rng.uniform(0.2, 20, count))])
    shots = [
        LookedShot(
            Span(float(a), float(b)),
            tuple(rng.random(3)),
            float(rng.random()),
            float(rng.random()),
            float(rng.random()),
            int(rng.integers(-1, 6)),
            float(rng.random()),
        )
        for a, b in itertools.pairwise(edges)
    ]
    found = scenes_of(shots, float(edges[-1]))
    assert found[0].span.start == 0.0
    assert found[-1].span.end == float(edges[-1])
    assert all(a.span.end == b.span.start for a, b in itertools.pairwise(found))
    assert len(found) == 1 or min(s.span.length for s in found) >= SHORTEST - 1e-9
    assert all(0 <= s.confidence <= 1 for s in found)
