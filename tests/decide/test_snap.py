# SPDX-License-Identifier: Apache-2.0
import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.decide.snap import nudged, nudges
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Timeline, Track

RATE = Fraction(25)
BEATS = [0.5 * k for k in range(60)]


@pytest.mark.parametrize(
    ("time", "moved"),
    [(10.0, 0), (9.985, 0), (9.96, 1), (10.04, -1), (10.05, -1), (9.93, 0), (10.2, 0)],
)
def test_only_what_one_frame_mends_is_moved(time, moved):
    found = nudges([(time, 0.9)], BEATS, (), RATE, 750)
    assert [n.frames for n in found] == ([moved] if moved else [])
    if moved:
        assert abs(time + moved / 25 - found[0].beat) < abs(time - found[0].beat)


def test_nothing_under_words_or_weak_or_at_the_edges():
    assert nudges([(9.96, 0.9)], BEATS, [Span(10.2, 11)], RATE, 750) == ()
    assert nudges([(9.96, 0.2)], BEATS, (), RATE, 750) == ()
    assert nudges([(0.04, 0.9)], BEATS, (), RATE, 750) == ()
    assert nudges([(9.96, 0.9)], [], (), RATE, 750) == ()


def film(kind: str = "picture") -> Timeline:
    clip = Clip(0, 750, "a.mp4", 40, RATE, sound_gain_db=-3.0)
    return Timeline("f", RATE, 160, 90, 750, (Track((clip,), kind),))


def heard(timeline: Timeline) -> dict[int, int]:
    """Source frame that sounds in each record frame; each sounds once."""
    out: dict[int, int] = {}
    for track in timeline.tracks:
        for clip in track.clips:
            if track.kind == "sound" or clip.sound_gain_db is not None:
                for k in range(clip.frames):
                    assert clip.start + k not in out
                    out[clip.start + k] = clip.source_in + k
    return out


@pytest.mark.parametrize("kind", ["picture", "sound"])
def test_the_sound_moves_and_the_picture_stays(kind):
    moves = nudges([(9.96, 0.9), (20.04, 0.8)], BEATS, (), RATE, 750)
    assert len(moves) == 2
    made, done = nudged(film(kind), moves)
    assert done == moves
    sound = heard(made)
    assert sorted(sound) == list(range(750))
    for n in range(750):
        late = next((m.frames for m in moves if m.first <= n < m.last), 0)
        assert sound[n] == 40 + n - late
    assert all(c.sound_gain_db == -3.0 for c in made.tracks[-1].clips)
    if kind == "picture":
        assert made.tracks[0].clips[0].frames == 750
        assert made.tracks[0].clips[0].source_in == 40


def test_a_clip_that_cannot_give_is_left():
    whole = film()
    slow = Timeline("f", RATE, 160, 90, 750, (Track((Clip(0, 750, "a.mp4", 40, Fraction(30), sound_gain_db=0.0),)),))
    moves = nudges([(9.96, 0.9)], BEATS, (), RATE, 750)
    assert nudged(slow, moves) == (slow, ())
    assert nudged(whole, ()) == (whole, ())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1)), max_size=12))
def test_moves_never_meet(hits):
    found = nudges(hits, BEATS, (), RATE, 750)
    assert all(a.last < b.first for a, b in itertools.pairwise(found))
    assert all(abs(n.frames) == 1 for n in found)
