# SPDX-License-Identifier: Apache-2.0
"""Room tone in holes of the production sound, as it sounds."""

from fractions import Fraction

import numpy as np

from backbeat.make.settings import RenderSettings
from backbeat.make.sound import sound_of
from backbeat.media.probe import probe
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Timeline, Track
from backbeat.verbs.production import levels, with_room_tone
from kit import coded

RATE = Fraction(25)


def test_a_hole_between_two_clips_sounds_like_the_room(tmp_path):
    take = coded.write_take(tmp_path / "a.mov", 1, frames=300, rate=RATE, size=(96, 54), sound="pcm_s16le", hits=(1.5,))
    mute = coded.write_take(tmp_path / "b.mov", 2, frames=60, rate=RATE, size=(96, 54), sound=None)
    clips = (
        Clip(0, 100, take.path, 0, RATE, sound_gain_db=-6.0),
        Clip(100, 40, mute.path, 0, RATE, sound_gain_db=0.0),
        Clip(140, 100, take.path, 140, RATE, sound_gain_db=-6.0),
    )
    line = Timeline("f", RATE, 96, 54, 240, (Track(clips),), takes=(probe(take.path), probe(mute.path)))
    made = with_room_tone(line, [Span(1.4, 2.2)])
    assert [(round(p.hole.start, 1), round(p.hole.end, 1)) for p in made.filled] == [(4.0, 5.6)]
    assert made.timeline.tracks[:-1] == line.tracks
    level = levels(made.timeline)
    assert level is not None
    room = np.median(level[300:390])
    assert np.abs(level[395:565] - room).max() < 3
    again = with_room_tone(made.timeline, [Span(1.4, 2.2)])
    assert again.filled == ()
    sound = sound_of(made.timeline, RenderSettings())
    assert sound is not None


def test_an_edit_without_sound_has_no_tone(tmp_path):
    mute = coded.write_take(tmp_path / "b.mov", 2, frames=60, rate=RATE, size=(96, 54), sound=None)
    line = Timeline("f", RATE, 96, 54, 60, (Track((Clip(0, 60, mute.path, 0, RATE),)),), takes=(probe(mute.path),))
    assert with_room_tone(line, ()).timeline is line
    assert levels(line) is None
