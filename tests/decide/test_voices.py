# SPDX-License-Identifier: Apache-2.0
from fractions import Fraction

import pytest

from backbeat.decide.voices import may_be_heard
from backbeat.model.footage import Media, Speech, Take
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Speed

RATE = Fraction(25)
TAKE = Take(
    Media("a.mp4", RATE, 500, 64, 36, has_sound=True),
    (),
    speech=(Speech(Span(4.0, 8.0), pauses=(Span(5.5, 6.5),)),),
)


@pytest.mark.parametrize(
    ("start", "frames", "speed", "heard"),
    [
        (0, 50, 1.0, True),  # before the speech
        (0, 110, 1.0, False),  # ends inside a word
        (0, 150, 1.0, True),  # ends in the pause
        (150, 100, 1.0, True),  # from the pause past the end
        (175, 75, 1.0, False),  # begins inside a word
        (0, 101, 1.0, True),  # touches the word's edge only
        (90, 130, 1.02, True),  # whole, hardly faster
        (90, 120, 1.1, False),  # whole, hurried
        (0, 50, 1.2, True),  # hurried, nobody speaks
    ],
)
def test_words_are_whole_or_unheard(start: int, frames: int, speed: float, heard: bool) -> None:
    clip = Clip(0, frames, "a.mp4", start, RATE, Speed(speed))
    assert may_be_heard(clip, TAKE, RATE) is heard
