# SPDX-License-Identifier: Apache-2.0
"""What a scene asks of its music, from takes whose every fact is known."""

from fractions import Fraction

import pytest

from backbeat.decide.align_scene import Piece
from backbeat.model.footage import LogEntry, Media, Shot, Take
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Timeline, Track
from backbeat.verbs.score_needs import SceneSpan, appearances, film_words, looked, motion_of, need_of
from backbeat.verbs.sync_scene import Scene

RATE = Fraction(25)


def take(path: str, motion: float, light: float, *who: str) -> Take:
    media = Media(path, RATE, 500, 160, 90)
    shot = Shot(path, 0, 0, 500, motion=motion / 5, brightness=light, motion_curve=(motion,) * 50, curve_step=10)
    return Take(media, (shot,), log=LogEntry(characters=who))


@pytest.fixture
def film() -> Scene:
    """Twenty seconds: Anna's calm dark take, then Ben's lively bright one, with words in the first."""
    takes = (take("a.mov", 0.01, 0.2, "Anna"), take("b.mov", 2.0, 0.8, "Ben"))
    clips = (Clip(0, 250, "a.mov", 100, RATE), Clip(250, 250, "b.mov", 0, RATE))
    pieces = (
        Piece(clips[0], 0, 500, words=(Span(5.0, 8.0), Span(19.0, 20.0)), cut=False),
        Piece(clips[1], 0, 500),
    )
    line = Timeline("f", RATE, 160, 90, 500, (Track(clips),))
    return Scene(line, pieces, ("a.mov", "b.mov"), (), takes)


def test_words_and_faces_are_where_the_film_shows_them(film):
    assert film_words(film) == (Span(1.0, 4.0),)
    assert appearances(film) == {"Anna": [Span(0.0, 10.0)], "Ben": [Span(10.0, 20.0)]}
    assert [(s.span, s.light) for s in looked(film)] == [(Span(0.0, 10.0), 0.2), (Span(10.0, 20.0), 0.8)]
    assert looked(film)[0].speech == pytest.approx(0.3)


def test_motion_is_that_of_what_is_seen_each_half_second(film):
    flow = motion_of(film, Span(5.0, 15.0))
    assert len(flow) == 20
    assert flow[:10] == pytest.approx([0.25] * 10)  # percent of the width a second
    assert flow[10:] == pytest.approx([50.0] * 10)


def test_a_need_says_what_the_scene_is_like(film):
    library = [Song("x/anna.mp3", 100.0, ()), Song("x/ben.mp3", 100.0, ())]
    themes = {"anna": "x/anna.mp3", "ben": "x/ben.mp3"}
    first, second = (
        need_of(SceneSpan(Span(a, a + 10.0)), i, film, film_words(film), library, (), themes)
        for i, a in ((1, 0.0), (2, 10.0))
    )
    assert first.energy < 0.1
    assert second.energy > 0.4
    assert (first.light, second.light) == (pytest.approx(0.2), pytest.approx(0.8))
    assert first.speech == pytest.approx(0.3)
    assert first.talk == (Span(1.0, 4.0),)
    assert second.talk == ()
    assert first.themes == (("anna", "x/anna.mp3", 1.0),)
    assert second.themes == (("ben", "x/ben.mp3", 1.0),)
    assert len(first.curve) == 20
