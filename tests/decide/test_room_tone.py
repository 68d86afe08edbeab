# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from backbeat.decide.room_tone import LONGEST, patches
from backbeat.model.time import Span

STEP = 0.01


def curve(*parts: tuple[float, float], seed: int = 1) -> np.ndarray:
    """Levels of (seconds, dBFS) one after the other."""
    rng = np.random.default_rng(seed)
    return np.concatenate([np.full(round(s / STEP), db) + rng.normal(0, 0.8, round(s / STEP)) for s, db in parts])


def test_a_hole_is_filled_from_the_nearest_quiet_of_the_room():
    level = curve((3, -55), (2, -20), (1, -110), (2, -20), (3, -55))
    found = patches(level, STEP, [Span(3.0, 5.0), Span(6.0, 8.0)])
    assert len(found) == 1
    assert (found[0].hole.start, found[0].hole.end) == (pytest.approx(5.0), pytest.approx(6.0))
    tone = found[0].tone
    assert 0.4 <= tone.length <= 4.0
    assert tone.end <= 3.0 or tone.start >= 8.0


def test_what_is_no_hole_is_left_alone():
    assert patches(curve((5, -55), (1, -74), (5, -55)), STEP) == ()  # a very quiet room is a room
    assert patches(curve((1, -110), (5, -55), (1, -110)), STEP) == ()  # begin and end
    assert patches(curve((5, -55), (LONGEST + 1, -110), (5, -55)), STEP) == ()  # meant
    assert patches(np.full(100, -110.0), STEP) == ()
    assert patches(np.zeros(0), STEP) == ()


def test_without_any_quiet_stretch_nothing_is_made_up():
    level = curve((5, -20), (1, -110), (5, -20))
    assert patches(level, STEP, [Span(0, 5), Span(6, 11)]) == ()
