# SPDX-License-Identifier: Apache-2.0
"""The level of a cue as other programs get it: ducks that meet do not add up, bells become level."""

from fractions import Fraction
from itertools import pairwise

import pytest

from backbeat.exchange.draw import _level
from backbeat.model.cue import Cue, Duck
from backbeat.model.time import Span


def at(curve: tuple[tuple[Fraction, float], ...], time: float) -> float:
    for (t0, v0), (t1, v1) in pairwise(curve):
        if float(t0) <= time <= float(t1):
            return v0 + (time - float(t0)) / max(float(t1 - t0), 1e-9) * (v1 - v0)
    return curve[-1][1]


def test_where_ducks_meet_the_deepest_counts():
    ducks = (Duck(Span(5.0, 7.0), -10.0), Duck(Span(7.0, 9.0), -4.0))
    curve = _level(Cue("s.wav", 0.0, 20.0, gain_db=-2.0, ducks=ducks), Fraction(0), Fraction(20))
    for time, level in ((1.0, 0.0), (6.0, -10.0), (7.0, -10.0), (7.3, -5.0), (7.36, -4.0), (8.0, -4.0), (9.3, -2.0)):
        assert at(curve, time) == pytest.approx(level - 2.0, abs=0.05)


def test_bells_are_stood_in_for_by_level():
    duck = Duck(Span(5.0, 7.0), -3.0, (-18.0,) * 6, -14.0)
    curve = _level(Cue("s.wav", 0.0, 20.0, ducks=(duck,)), Fraction(0), Fraction(20))
    assert at(curve, 6.0) == -14.0
