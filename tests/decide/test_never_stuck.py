# SPDX-License-Identifier: Apache-2.0
"""Footage and songs that are scarce, plentiful, long, short or odd: there is always a sound edit, or a clear word."""

import dataclasses
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from backbeat.decide import cut, length, styles
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.verify import verify
from backbeat.errors import NoEditError
from backbeat.model.footage import Take
from backbeat.model.song import Song
from kit import shoots

RATE = Fraction(24)


def decided(song: Song, takes: tuple[Take, ...], style: str = "montage", **more: object) -> tuple[CutProblem, Solution]:
    sweeps = int(str(more.pop("sweeps", 120)))
    asked = CutProblem(song, takes, styles.builtin(style), RATE, int(song.duration * RATE), **more)  # type: ignore[arg-type]
    found = cut.solve(asked, sweeps=sweeps)
    assert verify(found, asked) == []
    assert found.bound >= found.value
    return asked, found


def on_beats(asked: CutProblem, found: Solution) -> float:
    """Return the share of cuts within a frame of a beat of the song (less the style's lead)."""
    beats = np.array([b.time for b in asked.song.beats]) * float(RATE) - music.lead_frames(asked)
    return float(np.mean([np.abs(beats - c.start).min() <= 1 for c in found.clips[1:]]))


def test_one_long_take_fills_the_film_without_showing_a_frame_twice() -> None:
    asked, found = decided(shoots.song(20.0), shoots.takes(1, lengths=(60.0, 60.0), hits=20))
    assert not found.unmet
    assert found.clips[-1].end == asked.frames
    assert len(found.clips) > 1


def test_one_short_take_gives_the_longest_film_and_says_so() -> None:
    asked, found = decided(shoots.song(20.0), shoots.takes(1, lengths=(8.0, 8.0)))
    assert found.frames < asked.frames
    assert 6.0 <= found.frames / 24 <= 8.0
    assert found.unmet == (f"the footage fills {found.frames / 24:.1f} s of 20.0 s",)


def test_one_short_take_with_reuse_lasts_the_whole_song() -> None:
    asked, found = decided(shoots.song(20.0), shoots.takes(1, lengths=(8.0, 8.0)), reuse=True)
    assert not found.unmet
    assert found.clips[-1].end == asked.frames


def test_a_take_shorter_than_a_beat_is_left_out_or_told_to_be_too_short() -> None:
    song = shoots.song(16.0, bpm=60.0)
    short = shoots.takes(1, lengths=(0.4, 0.4))
    with pytest.raises(NoEditError, match="no shot is long enough") as error:
        decided(song, short)
    assert error.value.hint
    path = "footage/short.mp4"
    one = dataclasses.replace(short[0].media, path=path)
    brief = Take(one, tuple(dataclasses.replace(s, take=path) for s in short[0].shots))
    _, found = decided(song, (*shoots.takes(20), brief))
    assert not found.unmet
    assert path not in {c.take for c in found.clips}


def test_too_few_takes_for_the_song() -> None:
    _, found = decided(shoots.song(40.0), shoots.takes(4))
    assert len(found.unmet) == 1
    assert "of 40.0 s" in found.unmet[0]
    assert all(a.end == b.start for a, b in pairwise(found.clips))


def test_three_thousand_takes() -> None:
    _, found = decided(shoots.song(4.0), shoots.takes(3000))
    assert not found.unmet
    assert found.gap < 0.05


def test_a_song_without_beats_is_cut_by_its_energy_and_says_so() -> None:
    song = dataclasses.replace(shoots.song(10.0), beats=(), beat_confidence=0.0, tempo=0.0)
    asked, found = decided(song, shoots.takes(30))
    assert not found.unmet
    assert "no steady beat" in found.notes[0]
    assert found.clips[-1].end == asked.frames
    doubtful = dataclasses.replace(shoots.song(10.0), beat_confidence=0.1)
    assert "no steady beat" in decided(doubtful, shoots.takes(30))[1].notes[0]


def test_silence_is_cut_too() -> None:
    song = Song("silence.wav", 12.0, (), ())
    _, found = decided(song, shoots.takes(20))
    assert not found.unmet
    assert len(found.clips) > 1


def test_cuts_follow_a_change_of_tempo() -> None:
    song = shoots.song(20.0, bpm=90.0, bpm_end=140.0)
    steps = np.diff([b.time for b in song.beats])
    assert steps[:3].mean() > 0.64
    assert steps[-3:].mean() < 0.45
    asked, found = decided(song, shoots.takes(30))
    assert not found.unmet
    assert on_beats(asked, found) == 1.0


@pytest.mark.parametrize(("per_bar", "bpm"), [(3, 120.0), (7, 200.0)], ids=["3/4", "7/8"])
def test_bars_of_three_and_seven(per_bar: int, bpm: float) -> None:
    """Lengths of the style follow the metre: a long shot is a bar or two of this song."""
    asked, found = decided(shoots.song(24.0, per_bar=per_bar, bpm=bpm), shoots.takes(40), "romance")
    assert not found.unmet
    assert on_beats(asked, found) == 1.0
    grid = music.build(asked)
    assert per_bar in grid.lengths.tolist()
    assert 4 not in grid.lengths.tolist()


def test_a_song_of_twelve_minutes() -> None:
    """In an order, which is quick; `benchmarks/decide.py --part stuck` decides one freely."""
    asked, found = decided(
        shoots.song(720.0, bpm=15.0), shoots.takes(20, lengths=(40.0, 80.0)), "documentary", order="time", sweeps=12
    )
    assert not found.unmet
    assert found.clips[-1].end == asked.frames == 720 * 24


def test_twenty_seconds_whole_and_a_song_shorter_than_any_film() -> None:
    song, takes = shoots.song(20.0), shoots.takes(30)
    asked, found = decided(song, takes, "wright")
    assert not found.unmet
    assert found.clips[-1].end == asked.frames
    assert on_beats(asked, found) == 1.0
    with pytest.raises(NoEditError):
        length.film_frames(shoots.song(0.6), takes, asked.style, RATE, "song")


@pytest.mark.parametrize("shots", [10, 34])
def test_footage_in_an_order_that_nearly_runs_out_is_used_up(shots: int) -> None:
    """What is skipped is lost, so a film that is careless early gives out early."""
    song = shoots.song(90.0)
    takes = shoots.takes(shots, lengths=(5.0, 12.0) if shots == 10 else (1.5, 4.0))
    style = styles.builtin("documentary")
    frames = length.film_frames(song, takes, style, RATE, "song").frames
    asked = CutProblem(song, takes, style, RATE, frames, order="story")
    found = cut.solve(asked)
    assert verify(found, asked) == []
    assert found.frames >= 0.9 * frames


def test_far_too_little_footage_in_an_order_says_how_much_it_fills() -> None:
    asked, found = decided(shoots.song(60.0), shoots.takes(4, lengths=(6.0, 9.0)), order="name")
    have = sum(t.media.frames for t in asked.takes) / 24
    assert found.frames / 24 >= 0.75 * have
    assert found.unmet == (f"the footage fills {found.frames / 24:.1f} s of 60.0 s",)
