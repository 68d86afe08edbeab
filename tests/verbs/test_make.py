# SPDX-License-Identifier: Apache-2.0
"""``make``: a film of two barcoded scenes, read back picture by picture and beat by beat."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.decide.heard import Clock
from backbeat.errors import BackbeatError, InputError
from backbeat.exchange import otio
from backbeat.model.time import frame_at
from backbeat.verbs import make
from backbeat.verbs.make_write import MakeOptions
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache
from kit import coded
from kit.shared import SHARED, needs_shared

PROJECT = """
[film]
songs = "songs"
size = "160x90"

[[scene]]
name = "one"
footage = "one"
title = "The film"

[[scene]]
name = "two"
footage = "two"
song = "songs/quick.flac"
caption = "Berlin"
end = "The end"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "songs").mkdir()
    coded.write_wav(root / "songs/slow.flac", coded.song_sound(100.0, 24.0, seed=1))
    coded.write_wav(root / "songs/quick.flac", coded.song_sound(132.0, 24.0, seed=2))
    for number, name in enumerate(("one", "two")):
        (root / name).mkdir()
        for take in range(3):
            coded.write_take(
                root / name / f"t{take}.mp4", 10 * number + take, frames=24 * 6, cuts=(60,), hits=(1.5, 4.0)
            )
    (root / "film.toml").write_text(PROJECT, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return Session(cache=Cache(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def made(place, session):
    return make.make(MakeOptions(str(place / "film.toml")), session)


def truth(song):
    """Return the song's true downbeats."""
    return coded.song_beats({"slow": 100.0, "quick": 132.0}[Path(song).stem], 24.0)[::4]


def test_every_picture_is_the_one_the_timeline_names(made):
    read = coded.read_film(made.film)
    line = otio.load(made.timeline_file)
    assert len(read.codes) == line.frames == made.timeline.frames
    takes = {m.path: int(Path(m.path).stem[1:]) + 10 * (Path(m.path).parent.name == "two") for m in line.takes}
    expected = coded.expected_codes(line, takes)
    assert sum(e is not None for e in expected) > 400
    wrong = [n for n, (a, b) in enumerate(zip(expected, read.codes, strict=True)) if a is not None and a != b]
    assert wrong == []
    assert made.checked.differences == ()


def test_scenes_begin_on_a_downbeat_of_their_song_and_cards_end_on_one(made):
    rate = made.timeline.rate
    first, second = made.scenes
    assert first.end == second.start
    cue = made.timeline.cues[1]
    beats = [cue.film_time(t) for t in truth(cue.path)]
    assert min(abs(t - second.start) for t in beats) < 0.015  # the tracker's error, not a frame's
    old = made.timeline.cues[0]
    assert min(abs(old.film_time(t) - first.end) for t in truth(old.path)) < 0.5 / rate + 0.015
    title, *_, end = made.timeline.tracks[0].clips
    assert title.title.text == "The film"
    assert min(abs(old.film_time(t) - float(title.end / rate)) for t in truth(old.path)) < 0.5 / rate + 0.015
    assert end.title.text == "The end"
    assert end.end == made.timeline.frames
    (caption,) = made.timeline.tracks[1].clips
    assert caption.title.kind == "lower-third"
    assert caption.start > second.start * rate


def test_a_scene_that_did_not_change_is_not_solved_again(place, session, made, monkeypatch):
    from backbeat.verbs import make_scene

    solved = []
    plain = make_scene.solve
    monkeypatch.setattr(make_scene, "solve", lambda job: solved.append(job.name) or plain(job))
    again = make.make(MakeOptions(str(place / "film.toml"), dry_run=True), session)
    assert solved == []
    assert [s.kept for s in again.scenes] == [True, True]
    assert again.timeline == made.timeline
    other = place / "other.toml"
    other.write_text(PROJECT.replace('caption = "Berlin"', 'caption = "Paris"'), encoding="utf-8")
    changed = make.make(MakeOptions(str(other), dry_run=True), session)
    assert solved == ["two"]
    assert [s.kept for s in changed.scenes] == [True, False]


def test_edited_scenes_are_moved_or_left_and_their_words_go_along(place, session, made):
    srt = place / "talk.srt"
    srt.write_text("1\n00:00:02,000 --> 00:00:03,000\nhello\n", encoding="utf-8")
    coded.write_take(place / "talk.mp4", 40, frames=25 * 12, rate=25, cuts=(80, 150, 220))
    path = place / "edits.toml"
    path.write_text(
        f"""
        [film]
        songs = "songs"
        output = "edits.mp4"
        rate = 25
        size = "160x90"
        [[scene]]
        name = "left"
        edit = "{Path(made.timeline_file).name}"
        mode = "score"
        caption = "as it was"
        [[scene]]
        name = "moved"
        edit = "talk.mp4"
        song = "songs/quick.flac"
        subtitles = "talk.srt"
        """,
        encoding="utf-8",
    )
    result = make.make(MakeOptions(str(path)), session)
    assert result.failed == ()
    left, moved = result.scenes
    assert left.end == pytest.approx(made.timeline.duration, abs=0.03)
    assert moved.cuts == 3
    assert moved.cuts_on_beat > moved.cuts_chance
    assert result.checked.differences == ()
    (join,) = result.joins
    assert abs(join.downbeat_ms) < 15
    read = coded.read_film(result.film)
    codes = [c for c in read.codes[round(moved.start * 25) :] if c]
    assert {take for take, _ in codes} == {40}
    assert "hello" in Path(result.subtitles_file).read_text(encoding="utf-8")


def test_a_characters_theme_is_preferred_where_she_is(place, session):
    path = place / "theme.toml"
    text = PROJECT.replace('song = "songs/quick.flac"', 'characters = ["Jane"]')
    path.write_text(text + '[characters.jane]\ntheme = "songs/slow.flac"\n', encoding="utf-8")
    result = make.make(MakeOptions(str(path), dry_run=True), session)
    assert Path(result.scenes[1].song).name == "slow.flac"
    assert "theme" in result.scenes[1].why


def test_clips_that_the_editor_locked_stay_when_the_film_is_made_again(place, session, made):
    line = made.timeline
    scene = made.scenes[1]
    picked = [c for c in line.tracks[0].clips if c.take and c.start > scene.start * line.rate][2]
    clips = tuple(replace(c, locked=c == picked) for c in line.tracks[0].clips)
    earlier = replace(line, tracks=(replace(line.tracks[0], clips=clips), *line.tracks[1:]))
    otio.save(earlier, str(place / "locks.otio"))
    path = place / "locks.toml"
    path.write_text(PROJECT.replace("[film]", '[film]\noutput = "locks.mp4"\nstyle = "chase"'), encoding="utf-8")
    again = make.make(MakeOptions(str(path), dry_run=True), session)
    assert again.notes[-1] == "two: 1 locked clip kept"
    moved = round((again.scenes[1].start - scene.start) * line.rate)
    (kept,) = [c for c in again.timeline.tracks[0].clips if c.locked]
    assert (kept.start - moved, kept.frames, kept.take, kept.source_in) == (
        picked.start, picked.frames, picked.take, picked.source_in,
    )  # fmt: skip
    others = {(c.start - moved, c.take) for c in again.timeline.tracks[0].clips}
    assert others != {(c.start, c.take) for c in clips}  # the rest is cut in the new style


def test_locks_of_the_project_stand_and_the_rest_is_cut_round_them(place, session):
    locks = """
[[lock]]
scene = "two"
at = 3.0
take = "t1"
source = 1.0
length = 1.25

[[lock]]
scene = "one"
at = "0:05.5"
"""
    path = place / "told.toml"
    path.write_text(PROJECT + locks, encoding="utf-8")
    made = make.make(MakeOptions(str(path), dry_run=True), session)
    assert not made.failed
    assert made.notes[-2:] == ("one: 1 locked cut kept", "two: 1 locked clip kept")
    rate = made.timeline.rate
    one, two = (round(s.start * rate) for s in made.scenes)
    clips = made.timeline.tracks[0].clips
    (held,) = [c for c in clips if c.locked]
    assert (held.start, held.frames, Path(held.take).name) == (two + 3 * rate, 30, "t1.mp4")
    assert held.source_in == frame_at(1.0, held.source_rate)
    assert one + round(5.5 * rate) in {c.start for c in clips}


@pytest.mark.parametrize(
    ("lock", "line", "said", "hint"),
    [
        ("at = 3", 18, "a lock without a scene", 'scene = "one"'),
        ('scene = "tow"\nat = 3', 19, "no scene called 'tow'", 'scene = "two"'),
        ('scene = "two"', 18, "a lock without a place", "at ="),
        ('scene = "two"\nat = 3\ntake = "t1"', 21, "a locked clip has a take and a length", "add or leave out"),
        ('scene = "two"\nat = 3\ntake = "t7"\nlength = 1', 18, "two has no take called 't7'", "'t"),
        ('scene = "two"\nat = 3\ntake = "t1"\nlength = 2\nsource = 5', 18, "t1 lasts 0:06.000", "begin earlier"),
    ],
)
def test_a_lock_that_cannot_be_is_told_with_its_line(place, session, lock, line, said, hint):
    path = place / "wrong.toml"
    path.write_text(f"{PROJECT}\n[[lock]]\n{lock}\n", encoding="utf-8")
    with pytest.raises(InputError) as told:
        make.make(MakeOptions(str(path), dry_run=True), session)
    assert str(told.value).startswith(f"{path}:{line}: ")
    assert said in str(told.value)
    assert hint in told.value.hint


def test_locks_that_contradict_each_other_are_named(place, session):
    path = place / "both.toml"
    lock = '\n[[lock]]\nscene = "two"\nat = {}\ntake = "t1"\nlength = 2\n'
    path.write_text(PROJECT + lock.format(3) + lock.format(4), encoding="utf-8")
    made = make.make(MakeOptions(str(path), dry_run=True), session)
    ((name, why),) = made.failed
    assert name == "two"
    assert "lock" in why


def test_a_broken_scene_is_named_and_the_others_are_made(place, session):
    (place / "broken").mkdir(exist_ok=True)
    (place / "broken/a.mp4").write_bytes(b"no film at all")
    path = place / "broken.toml"
    path.write_text(PROJECT + '[[scene]]\nname = "three"\nfootage = "broken"\n', encoding="utf-8")
    result = make.make(MakeOptions(str(path), dry_run=True), session)
    assert [s.name for s in result.scenes] == ["one", "two"]
    ((name, reason),) = result.failed
    assert name == "three"
    assert "a.mp4" in reason


def test_songs_of_one_tempo_and_key_are_blended_on_the_beat(place, session):
    for name, bpm in (("a", 120.0), ("b", 123.0)):
        coded.write_wav(place / f"{name}.flac", coded.song_sound(bpm, 40.0, seed=3))
    path = place / "blend.toml"
    text = PROJECT.replace('title = "The film"', 'song = "a.flac"\nlength = 16.25\nreuse = true')
    text = text.replace('caption = "Berlin"', "length = 16\nreuse = true").replace("songs/quick.flac", "b.flac")
    path.write_text(text, encoding="utf-8")
    result = make.make(MakeOptions(str(path), dry_run=True), session)
    (join,) = result.joins
    assert join.kind == "blend"
    assert join.flam_ms <= 10
    assert abs(join.downbeat_ms) < 15
    old, new = result.timeline.cues
    assert old.end == pytest.approx(join.time + join.overlap, abs=1e-3)
    theirs = [t for b in coded.song_beats(123.0, 40.0) for t in Clock(new).times(b)]
    shared = [t for b in coded.song_beats(120.0, 40.0) for t in Clock(old).times(b) if t > join.time + 1]
    assert len(shared) >= 12
    assert max(min(abs(t - b) for b in theirs) for t in shared) < 0.010


BAD = """
[film]
songs = {songs}
{more}
[[scene]]
name = "a"
footage = "one"
{first}
[[scene]]
name = "b"
footage = "two"
{second}
[[scene]]
name = "c"
footage = "one"
{third}
"""


def bad(place, session, songs, *, more="", first="", second="", third=""):
    path = place / "bad.toml"
    text = BAD.format(songs=json.dumps(songs), more=more, first=first, second=second, third=third)
    path.write_text(text, encoding="utf-8")
    return make.make(MakeOptions(str(path), dry_run=True), session)


def sounds(made):
    """Return the film seconds in which music plays."""
    return sum(min(b.start, a.end) - a.start for a, b in pairwise(made.timeline.cues)) + (
        made.timeline.cues[-1].end - made.timeline.cues[-1].start
    )


def test_one_song_for_all_scenes_plays_on(place, session):
    made = bad(place, session, "songs/slow.flac")
    assert "on" in {j.kind for j in made.joins}
    assert len(made.timeline.cues) == 3 - sum(j.kind == "on" for j in made.joins)
    assert sounds(made) > made.timeline.duration - 3
    for cue in made.timeline.cues:
        assert all(b[0] > a[0] and b[1] > a[1] for a, b in pairwise(cue.tempo_map))


def test_songs_shorter_than_their_scenes_are_played_over_on_the_beat(place, session):
    coded.write_wav(place / "short.flac", coded.song_sound(120.0, 6.0))
    made = bad(place, session, "short.flac", first="length = 12", second="length = 12", third="length = 12")
    assert [round(s.end - s.start, 2) for s in made.scenes] == [12.0, 12.0, 12.0]
    assert sounds(made) > 33
    heard = sorted(
        t for c in made.timeline.cues[:1] for b in coded.song_beats(120.0, 6.0)[:-1] for t in Clock(c).times(b)
    )
    assert all(abs(b - a - 0.5) < 0.02 for a, b in pairwise(heard))


def test_songs_without_a_beat_scenes_of_two_seconds_and_silence(place, session):
    t = np.arange(48_000 * 12) / 48_000
    drone = (0.2 * np.sin(2 * np.pi * 110 * t) * (1 + 0.3 * np.sin(0.6 * t))).astype("f4")
    coded.write_wav(place / "drone.flac", np.stack([drone, drone]))
    coded.write_wav(place / "silent.wav", np.zeros((2, 48_000 * 4), "f4"))
    coded.write_wav(place / "blip.wav", np.stack([drone, drone])[:, :24_000])
    (place / "broken.mp3").write_bytes(b"ID3\x04\x00\x00\xff\xff\xff\xff" + b"\x00\xff\xfb" * 200)
    songs = ["drone.flac", "silent.wav", "blip.wav", "broken.mp3"]
    sung = 'song = "songs/quick.flac"\ndialogue = true'
    made = bad(place, session, songs, first="length = 2", second=sung, third='song = "drone.flac"')
    assert made.scenes[0].end == pytest.approx(2.0, abs=0.03)
    assert made.scenes[1].cuts_on_beat > made.scenes[1].cuts_chance
    assert abs(made.joins[0].downbeat_ms) < 15
    assert made.joins[1].downbeat_ms is None
    told = " ".join(made.notes)
    assert all(word in told for word in ("silent.wav: it is silent", "blip.wav: it lasts only", "broken.mp3: cannot"))


@pytest.mark.parametrize(
    ("how", "code", "said"),
    [
        ({"first": 'song = "broken.mp3"'}, 3, "a: "),
        ({"more": "length = 3"}, 2, "do not fit into 0:03.000"),
        ({"more": 'style = "chasee"'}, 2, "no style called 'chasee'"),
        ({"more": 'forbid = ["slow"]'}, 4, "none of the songs"),
        ({"more": 'forbid = ["slwo.flac"]'}, 2, "no such song in the library"),
        ({"second": "song_in = 23.5"}, 2, "after the song's end"),
    ],
)
def test_what_cannot_be_is_told(place, session, how, code, said):
    (place / "broken.mp3").write_bytes(b"no song")
    with pytest.raises(BackbeatError, match=re.escape(said)) as told:
        bad(place, session, "songs/slow.flac", **how)
    assert told.value.exit_code == code
    assert told.value.hint


def test_more_run_time_than_the_footage_carries_is_said(place, session):
    made = bad(place, session, "songs/slow.flac", more='length = "9:00"', third="takes_out = ['t0', 't1', 't2']")
    assert "of the 9:00.000 asked for" in made.notes[-1]
    assert made.failed == (("c", "there is no usable shot in the footage"),)
    last = made.timeline.cues[-1]  # of a scene that was not to be the last one
    assert last.end == pytest.approx(made.timeline.duration)
    assert last.fade_out > 1


def test_a_run_time_is_shared_and_kept(place, session):
    path = place / "short.toml"
    path.write_text(PROJECT.replace("[film]", '[film]\nlength = "0:20"'), encoding="utf-8")
    result = make.make(MakeOptions(str(path), dry_run=True), session)
    assert result.timeline.duration == pytest.approx(20.0, abs=0.03)
    starts = [s.start for s in result.scenes] + [result.timeline.duration]
    assert all(5 < b - a < 15 for a, b in pairwise(starts))


@pytest.mark.parametrize(
    ("old", "new", "line", "said", "hint"),
    [
        ("size =", "sizes =", 4, "unknown key 'sizes'", "'size'"),
        ('caption = "Berlin"', 'captain = "Berlin"', 15, "unknown key 'captain'", "'caption'"),
        ('caption = "Berlin"', "rate = 24", 15, "unknown key 'rate'", "under [film]"),
        ('size = "160x90"', 'size = "big"', 4, "not a size", "1920x1080"),
        ('size = "160x90"', 'loudness = "streming"', 4, "no such choice", "'streaming'"),
        ('footage = "two"', 'footage = "tow"', 13, "no such file or folder", "'two'"),
        ('song = "songs/quick.flac"', 'song = "songs/quik.flac"', 14, "no such file", "'quick.flac'"),
        ('caption = "Berlin"', "caption = 4", 15, "caption is a text, not a number", "caption ="),
        ('caption = "Berlin"', "length = -4", 15, "not a time", "1:35"),
        ('caption = "Berlin"', "length = 0.5", 15, "too short for a scene", "a second"),
        ('caption = "Berlin"', 'caption = "Berlin', 15, "not TOML", "quotes"),
        ('name = "two"', 'name = "one"', 12, "two scenes are called 'one'", "its own name"),
        ('footage = "two"', 'mood = "dark"', 11, "neither footage nor an edit", "footage ="),
        ("[[scene]]", "[scene]", 11, "not TOML", "[[scene]]"),
    ],
)
def test_mistakes_in_the_project_are_told_with_their_line(place, old, new, line, said, hint):
    path = place / "wrong.toml"
    path.write_text(PROJECT.replace(old, new), encoding="utf-8")
    result = CliRunner().invoke(app, ["make", str(path), "--json", "--dry-run", "--progress", "none"])
    told = json.loads(result.stdout)
    assert result.exit_code == 2
    assert told["error"].startswith(f"{path}:{line}: ")
    assert said in told["error"]
    assert hint in told["try"]


@needs_shared
def test_three_scenes_of_real_clips_and_songs(tmp_path):
    footage, songs = SHARED / "media" / "footage", SHARED / "media" / "songs"
    scenes = {
        "play": ("FoleyCrafter__avsync_0.mp4", "osu_welcome"),
        "drive": ("carphone_pristine.mp4", "lmms_angryllama_newfangled"),
        "walk": ("ffmpeg-python__examples_in.mp4", "lmms_skiessi_c64"),
    }
    text = '[film]\nsize = "192x108"\noutput = "real.mp4"\n'
    for name, (*clips, song) in scenes.items():
        places = json.dumps([str(footage / c) for c in clips])
        text += (
            f'[[scene]]\nname = "{name}"\nfootage = {places}\nsong = "{songs / song}.ogg"\nlength = 5\nreuse = true\n'
        )
    (tmp_path / "film.toml").write_text(text, encoding="utf-8")
    made = make.make(MakeOptions(str(tmp_path / "film.toml")), Session())
    assert [s.name for s in made.scenes] == list(scenes)
    assert made.timeline.duration == pytest.approx(15.0, abs=0.1)
    assert made.checked.differences == ()
    assert made.checked.cuts_on_frame == sum(c.found is not None for c in made.checked.cuts) >= 3
    assert abs(made.checked.end_drift_ms) <= 1
    frame = 1 / float(made.timeline.rate)
    for join, scene in zip(made.joins, made.scenes[1:], strict=True):
        cue = next(c for c in made.timeline.cues if c.path == scene.song)
        chart = np.loadtxt(Path(scene.song).with_suffix(".beats"), usecols=(0, 1))
        here = Clock(cue).song_at(max(join.time, cue.start))
        assert min(abs(chart[chart[:, 1] == 1, 0] - here)) < frame
