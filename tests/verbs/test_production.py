# SPDX-License-Identifier: Apache-2.0
"""Room tone in holes of the production sound, as it sounds."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide.align_scene import Piece
from backbeat.make.settings import RenderSettings
from backbeat.make.sound import sound_of
from backbeat.media.probe import probe
from backbeat.model.cue import Cue
from backbeat.model.footage import Hit
from backbeat.model.song import Beat, Song
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Timeline, Track
from backbeat.verbs.production import levels, snapped, with_room_tone
from backbeat.verbs.sync_scene import Scene
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


def test_a_slam_is_heard_on_the_beat_and_the_picture_stays(tmp_path):
    slam = 4.0 + 1 / 25  # a frame after the beat
    take = coded.write_take(
        tmp_path / "a.mov", 1, frames=220, rate=RATE, size=(96, 54), sound="pcm_s16le", hits=(slam,)
    )
    facts = probe(take.path)
    clip = Clip(0, 200, take.path, 5, RATE, sound_gain_db=0.0)  # heard at 3.84 s in the film
    song = Song("none.wav", 20.0, tuple(Beat(0.3 + 0.5 * k, k % 4 + 1, 1.0) for k in range(30)))
    line = Timeline("f", RATE, 96, 54, 200, (Track((clip,)),), cues=(Cue("none.wav", 0.0, 8.0),), takes=(facts,))
    scene = Scene(line, (Piece(clip, 0, 220, hits=(Hit(slam, 0.9),)),), (take.path,), ())

    def at(timeline: Timeline) -> float:
        sound = sound_of(replace(timeline, cues=()), RenderSettings())
        assert sound is not None
        return float(np.argmax(np.abs(np.concatenate(list(sound.blocks()), axis=1)[0]) > 0.25)) / 48_000

    before = at(line)
    made = snapped(line, scene, [song], [])
    assert [m.frames for m in made.moves] == [-1]
    assert at(made.timeline) == pytest.approx(before - 1 / 25, abs=0.001)
    assert made.timeline.tracks[0].clips == (replace(clip, sound_gain_db=None),)
    assert snapped(line, scene, [song], [Span(3.5, 4.2)]).moves == ()
