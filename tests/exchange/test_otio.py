# SPDX-License-Identifier: Apache-2.0
"""film.otio keeps everything, reads others' files, and is what the standard says."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from backbeat.errors import InputError
from backbeat.exchange.otio import load, save
from backbeat.model.timeline import Timeline
from exchange.edits import NAMES, RATES, full


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_everything_comes_back(tmp_path: Path, rate: Fraction) -> None:
    edit = full(rate)
    save(edit, tmp_path / "film.otio")
    assert load(tmp_path / "film.otio") == edit


def test_an_empty_edit_comes_back(tmp_path: Path) -> None:
    edit = Timeline("none", Fraction(25), 640, 360, 0, ())
    save(edit, tmp_path / "film.otio")
    assert load(tmp_path / "film.otio") == edit


def test_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    save(full(), tmp_path / "film.otio")
    first = (tmp_path / "film.otio").read_bytes()
    save(load(tmp_path / "film.otio"), tmp_path / "film.otio")
    assert (tmp_path / "film.otio").read_bytes() == first


def test_it_is_proper_opentimelineio(tmp_path: Path) -> None:
    save(full(), tmp_path / "film.otio")
    read = otio.adapters.read_from_file(str(tmp_path / "film.otio"))
    assert [t.kind for t in read.tracks] == ["Video", "Video", "Video", "Audio", "Audio", "Audio", "Audio"]
    assert read.global_start_time == otio.opentime.RationalTime(86400, 24)
    first = read.tracks[0]
    kinds = [type(i).__name__ for i in first]
    fade = "Transition"  # the film's own, from and to black
    assert kinds == [fade, "Clip", "Transition", "Clip", "Clip", "Gap", *["Clip"] * 4, fade]
    clips = [i for i in first if isinstance(i, otio.schema.Clip)]
    starts = [c.range_in_parent().start_time.value for c in clips]
    assert starts == [0, 24, 48, 84, 108, 132, 156]
    assert clips[0].source_range.start_time.value == 86400 + 100
    assert clips[0].media_reference.available_range.start_time.value == 86400
    assert clips[1].effects[0].time_scalar == 0.9
    assert clips[4].effects[0].time_scalar == 1.0  # the average of the eased one
    assert not clips[5].enabled
    assert clips[0].metadata["backbeat"]["reason"] == "hit on downbeat 1"
    spare = read.tracks[2]
    assert not spare.enabled
    assert not any(c.enabled for c in spare if isinstance(c, otio.schema.Clip))
    songs = [i for t in read.tracks[5:] for i in t if isinstance(i, otio.schema.Clip)]
    assert [s.name for s in songs] == ["Song One", "Song One", "Two"]
    assert songs[0].source_range.start_time.to_seconds() == pytest.approx(4.0)
    assert songs[1].source_range.start_time.to_seconds() == pytest.approx(12.0)
    assert len(read.tracks.markers) >= 15


def test_urls_are_relative_beneath_the_file_and_found_again_elsewhere(tmp_path: Path) -> None:
    old = tmp_path / "old"
    (old / "footage").mkdir(parents=True)
    for name in NAMES:
        (old / "footage" / name).touch()
    edit = full(folder=str(old / "footage"))
    save(edit, old / "film.otio")
    assert "file://" not in (old / "film.otio").read_text(encoding="utf-8")
    assert load(old / "film.otio") == edit
    old.rename(tmp_path / "new")
    back = load(tmp_path / "new" / "film.otio")
    assert back.takes[0].path == str(tmp_path / "new" / "footage" / NAMES[0])
    assert back.tracks[0].clips[0].alternates[0].take == str(tmp_path / "new" / "footage" / NAMES[1])
    # The songs never existed, so their paths stay as they were given.
    assert back.cues == edit.cues


def test_what_another_program_changed_counts(tmp_path: Path) -> None:
    path = tmp_path / "film.otio"
    save(full(), path)
    other = otio.adapters.read_from_file(str(path))
    track = other.tracks[0]
    del track[2]  # the dissolve
    second = track[2]
    second.source_range = otio.opentime.TimeRange(
        second.source_range.start_time + otio.opentime.RationalTime(5, 24), otio.opentime.RationalTime(20, 24)
    )
    other.tracks.markers[0].marked_range = otio.opentime.TimeRange(otio.opentime.RationalTime(48, 24))
    otio.adapters.write_to_file(other, str(path))
    back, edit = load(path), full()
    clips = back.tracks[0].clips
    assert [c.start for c in clips] == [0, 24, 44, 80, 104, 128, 152]
    assert (clips[1].source_in, clips[1].frames) == (205, 20)
    assert clips[1].reason == "slowed onto the beat"
    assert clips[4].speed == edit.tracks[0].clips[4].speed
    assert clips[0] == edit.tracks[0].clips[0]
    assert back.tracks[0].transitions == ()
    assert back.tracks[1:] == edit.tracks[1:]


def _foreign() -> otio.schema.Timeline:
    rt, tr = otio.opentime.RationalTime, otio.opentime.TimeRange
    rate = 30000 / 1001
    film = otio.schema.Timeline("theirs", global_start_time=rt(107892, rate))
    video = otio.schema.Track("V1", kind="Video")
    audio = otio.schema.Track("A1", kind="Audio")
    music = otio.schema.Track("A2", kind="Audio")
    film.tracks.extend([video, audio, music])

    def clip(name: str, start: float, frames: int) -> otio.schema.Clip:
        reference = otio.schema.ExternalReference("footage/a%20b.mov", tr(rt(1000, rate), rt(5000, rate)))
        return otio.schema.Clip(name, reference, tr(rt(1000 + start, rate), rt(frames, rate)))

    first, slow = clip("x", 10, 30), clip("y", 50, 60)
    slow.effects.append(otio.schema.LinearTimeWarp("s", time_scalar=0.5))
    first.markers.append(otio.schema.Marker("look", tr(rt(1015, rate), rt(0, rate))))
    video.extend([otio.schema.Gap(source_range=tr(rt(0, rate), rt(5, rate))), first, slow])
    audio.extend([otio.schema.Gap(source_range=tr(rt(0, rate), rt(5, rate))), clip("x", 10, 30)])
    song = otio.schema.ExternalReference("file:///music/s%C3%B6ng.wav")
    music.append(otio.schema.Clip("song", song, tr(rt(30, rate), rt(95, rate))))
    return film


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.otio"
    otio.adapters.write_to_file(_foreign(), str(path))
    back = load(path)
    assert back.rate == RATES["29.97"]
    assert (back.frames, back.start_timecode) == (95, 107892)
    one, two = back.tracks[0].clips
    assert (one.start, one.frames, one.source_in, one.take) == (5, 30, 10, str(tmp_path / "footage" / "a b.mov"))
    assert one.sound_gain_db == 0.0
    assert (two.start, two.frames, two.source_in, two.speed.factor) == (35, 60, 50, 0.5)
    assert two.sound_gain_db is None
    (cue,) = back.cues
    assert cue.path == "/music/söng.wav"
    assert cue.song_in == pytest.approx(float(30 / back.rate))
    assert back.markers[0].name == "look"
    assert back.markers[0].time == pytest.approx(float(10 / back.rate))
    assert back.takes[0].start_timecode == 1000


def test_nested_and_bare_compositions(tmp_path: Path) -> None:
    path = tmp_path / "nest.otio"
    film = _foreign()
    inner = otio.schema.Stack("nest", source_range=otio.opentime.TimeRange(
        otio.opentime.RationalTime(5, 30000 / 1001), otio.opentime.RationalTime(10, 30000 / 1001)))  # fmt: skip
    inner.append(film.tracks[0].clone())
    film.tracks[0].append(inner)
    otio.adapters.write_to_file(film, str(path))
    last = load(path).tracks[0].clips[-1]
    assert (last.start, last.frames, last.source_in) == (95, 10, 10)


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "not an"), ("{}", "no timeline"), ('{"OTIO_SCHEMA":"Marker.2"}', "not an"), ("\x00\x01", "not an")],
)
def test_kind_errors(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "bad.otio"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=word):
        load(path)
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "none.otio")


def test_a_later_version_and_damage_are_told(tmp_path: Path) -> None:
    path = tmp_path / "film.otio"
    save(full(), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"schema": 1', '"schema": 99'), encoding="utf-8")
    with pytest.raises(InputError, match="later version"):
        load(path)
    path.write_text(text.replace('"source_rate": "24/1"', '"source_rate": "x"'), encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        load(path)


def test_reverse_and_freeze(tmp_path: Path) -> None:
    edit = full()
    first, second, *rest = edit.tracks[0].clips
    from backbeat.model.timeline import Speed

    clips = (replace(first, speed=Speed(-1.0)), replace(second, speed=Speed(0.0)), *rest)
    edit = replace(edit, tracks=(replace(edit.tracks[0], clips=clips), *edit.tracks[1:]))
    save(edit, tmp_path / "film.otio")
    assert load(tmp_path / "film.otio") == edit


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    edit = full(folder="/films/\udcff\udc80 odd")
    save(edit, tmp_path / "film.otio")
    assert load(tmp_path / "film.otio") == edit


def test_the_library_s_own_bytes_come_back_too(tmp_path: Path) -> None:
    """Rewritten by OpenTimelineIO without a change, it is still the same edit."""
    path = tmp_path / "film.otio"
    save(full(), path)
    otio.adapters.write_to_file(otio.adapters.read_from_file(str(path)), str(path))
    assert load(path) == full()
