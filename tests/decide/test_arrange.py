# SPDX-License-Identifier: Apache-2.0
"""Where a scene ends in its song, and how the song fills it."""

from dataclasses import replace

import pytest

from backbeat.decide.arrange import card_end, phrase_end, way
from backbeat.model.song import Beat, Point, Section, Song

# 120 bpm, bars of 2 s; it is over for the ear at 31 s, the file goes on in silence until 40 s.
SONG = Song(
    path="song.wav",
    duration=40.0,
    beats=tuple(Beat(n / 2, 1 + n % 4, 1.0) for n in range(80)),
    sections=(Section(0.0, 14.0, "A", 0.5), Section(14.0, 31.0, "B", 0.5)),
    endings=(Point(14.0, "section", 0.5), Point(31.0, "true ending", 1.0)),
    tempo=120.0,
)


def test_a_scene_ends_on_a_section_or_a_phrase_near_its_length() -> None:
    assert phrase_end(SONG, 0.0, 15.0, 20.0) == 14.0  # the section's end
    assert phrase_end(SONG, 14.0, 8.5, 12.0) == 22.0  # four bars after the section began
    assert phrase_end(replace(SONG, beats=()), 0.0, 15.0, 20.0) == 15.0


def test_no_scene_ends_in_the_silence_after_its_song() -> None:
    for target in (28.0, 33.0, 39.0):
        assert phrase_end(SONG, 0.0, target, 40.0) <= SONG.last_sound == 31.0


def test_a_song_fills_its_scene_straight_only_while_it_sounds() -> None:
    assert way(SONG, 0.0, 31.2, last=True).kind == "straight"
    assert way(SONG, 0.0, 31.2, last=True).stretch == pytest.approx(31.0 / 31.2)
    assert way(SONG, 0.0, 36.0, last=False).kind == "fit"  # nine seconds would be silent
    assert way(SONG, 0.0, 24.1, last=False).stretch == pytest.approx(24 / 24.1)
    assert way(SONG, 0.0, 24.9, last=True).kind == "fit"  # the film ends as the song does


def test_a_song_of_which_nothing_is_known_lasts_as_long_as_its_file() -> None:
    assert replace(SONG, endings=()).last_sound == 40.0


def test_cards_end_on_downbeats() -> None:
    assert card_end(SONG, 2.5) == 4.0
    assert card_end(replace(SONG, beats=()), 2.5) == 2.5
