# SPDX-License-Identifier: Apache-2.0
import itertools
import json
from fractions import Fraction

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.errors import InputError
from backbeat.exchange import otio
from backbeat.exchange.subtitles import read_subtitles
from backbeat.listen.corrections import Corrections
from backbeat.media.probe import probe
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Marker, Timeline, Track
from backbeat.verbs import sync
from backbeat.verbs.session import Session
from backbeat.verbs.sync_move import SyncOptions
from kit import coded

BPM = 120.0
CUTS = (41, 92, 133, 190)  # beats lie every 12 frames


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    return coded.write_song(tmp_path_factory.mktemp("song") / "song.wav", BPM, 30.0, first=0.25)


@pytest.fixture
def beats():
    times = tuple(coded.song_beats(BPM, 30.0))
    return Corrections(beats=times, bar_start=times[0], meter=4)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return coded.write_take(tmp_path_factory.mktemp("film") / "scene.mp4", 7, frames=240, cuts=CUTS, sound="aac")


def options(scene, song, folder, **more) -> SyncOptions:
    return SyncOptions(scene=str(scene), song=song, output=str(folder / "out.mp4"), **more)


def test_a_finished_film_meets_the_beats_and_loses_nothing_else(film, song, beats, tmp_path):
    made = sync.sync(
        options(film.path, song, tmp_path, wide=(1.0, 1.0), speed=(1.0, 1.0), max_change="1.2"), Session(), beats
    )
    assert made.cuts.n == len(CUTS)
    assert made.cuts.value >= 0.75  # trims alone cannot put every cut on a beat
    assert made.cuts.value > made.cuts_before.value
    read = coded.read_film(made.film)
    shown = [c for c in read.codes if c is not None]
    assert len(read.codes) == made.timeline.frames
    assert len(shown) == len(read.codes)
    assert {take for take, _ in shown} == {7}
    frames = [frame for _, frame in shown]
    assert all(b > a for a, b in itertools.pairwise(frames))  # order kept, none shown twice
    skips = [(a, b) for a, b in itertools.pairwise(frames) if b != a + 1]
    assert all(any(a < cut <= b for cut in CUTS) for a, b in skips)  # frames are lost at cuts alone
    assert made.checked is not None
    assert made.checked.differences == ()
    # the production sound is in step with its picture at the end
    heard = coded.read_samples(made.film)
    assert heard.size == pytest.approx(made.timeline.duration * 48_000, abs=2100)


def test_a_timeline_uses_its_handles_and_keeps_names_and_markers(song, beats, tmp_path):
    rate = Fraction(24)
    paths = [coded.write_take(tmp_path / f"t{k}.mp4", k, frames=120).path for k in (1, 2, 3)]
    lengths, clips, start = (45, 51, 62), [], 0
    for i, (path, frames) in enumerate(zip(paths, lengths, strict=True)):
        clips.append(Clip(start, frames, path, 20, rate, name=f"s{i}", metadata=(("reel", f"A{i}"),)))
        start += frames
    scene = Timeline(
        "scene", rate, 160, 90, start, (Track(tuple(clips)),), markers=(Marker(3.0, "note", "door"),),
        takes=tuple(probe(p) for p in paths), metadata=(("project", "x"),),
    )  # fmt: skip
    otio.save(scene, tmp_path / "scene.otio")
    made = sync.sync(options(tmp_path / "scene.otio", song, tmp_path), Session(), beats)
    assert made.cuts.value == 1.0
    assert abs(made.timeline.frames - start) <= 4
    kept = otio.load(made.timeline_file)
    assert [c.name for c in kept.tracks[0].clips] == ["s0", "s1", "s2"]
    assert [dict(c.metadata)["reel"] for c in kept.tracks[0].clips] == ["A0", "A1", "A2"]
    assert any(m.name == "door" for m in kept.markers)
    assert any(m.name.startswith("shot ") for m in kept.markers)
    wanted = coded.expected_codes(made.timeline, {p: k for k, p in enumerate(paths, 1)})
    assert list(coded.read_film(made.film).codes) == wanted


def test_a_span_can_be_kept_and_the_place_in_the_song_given(film, song, beats, tmp_path):
    made = sync.sync(
        options(film.path, song, tmp_path, song_in=2.25, keep=(Span(0, 5.0),), dry_run=True), Session(), beats
    )
    assert made.song_in == 2.25
    assert made.film == ""
    assert not (tmp_path / "out.mp4").exists()
    assert all(not s.says for s in made.shots if s.start_before < 120)


def test_seams_bring_a_short_song_to_the_scene(song, beats, tmp_path):
    long = coded.write_take(tmp_path / "long.mp4", 5, frames=960, cuts=(130, 300, 470, 700), sound=None)
    plain = sync.sync(options(long.path, song, tmp_path, dry_run=True), Session(), beats)
    assert any("song ends" in n for n in plain.notes)
    made = sync.sync(options(long.path, song, tmp_path, allow_seams=True, dry_run=True), Session(), beats)
    (cue,) = made.timeline.cues
    assert cue.seams
    assert cue.end == pytest.approx(made.timeline.duration)
    assert made.cuts.value == 1.0


def test_subtitles_move_with_their_pictures(film, song, beats, tmp_path):
    given = tmp_path / "s.vtt"  # any kind that can be read comes out as SubRip
    given.write_text(
        "WEBVTT\n\n00:00.500 --> 00:01.200 align:start\none\ntwo\n\n00:06.000 --> 00:07.500\n<v Anna>three\n"
    )
    made = sync.sync(options(film.path, song, tmp_path, subtitles=str(given)), Session(), beats)
    told = read_subtitles(made.subtitles_file)
    assert [s.text for s in told] == ["one\ntwo", "three"]
    shot = next(s for s in made.shots if s.start_before <= 144 < s.start_before + s.frames_before)
    assert shot.speed == pytest.approx(1.0, abs=0.031)
    inside = (144 - shot.start_before - shot.head - shot.slip) / shot.speed
    assert told[1].span.start == pytest.approx((shot.start + inside) / 24, abs=0.002)


@pytest.mark.parametrize("kind", ["fcpxml", "premiere", "edl"])
def test_another_program_s_edit_can_be_synced(kind, song, beats, tmp_path):
    from backbeat.verbs.export import export

    rate = Fraction(24)
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=200).path
    clips = (Clip(0, 45, take, 20, rate, name="a"), Clip(45, 50, take, 90, rate, name="b"))
    scene = Timeline("s", rate, 160, 90, 95, (Track(clips),), takes=(probe(take),))
    otio.save(scene, tmp_path / "s.otio")
    suffix = {"premiere": ".xml"}.get(kind, f".{kind}")
    export(str(tmp_path / "s.otio"), Session(), to=kind, output=str(tmp_path / f"other{suffix}"))
    made = sync.sync(
        options(tmp_path / f"other{suffix}", song, tmp_path, dry_run=True, media=(str(tmp_path),)), Session(), beats
    )
    assert len(made.shots) == 2
    assert made.cuts.value == 1.0


def test_missing_media_is_named_and_can_be_relinked(song, beats, tmp_path):
    rate = Fraction(24)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    take = coded.write_take(tmp_path / "a" / "gone.mp4", 1, frames=90).path
    clip = Clip(0, 40, take, 10, rate)
    scene = Timeline("s", rate, 160, 90, 80, (Track((clip, Clip(40, 40, take, 50, rate))),), takes=(probe(take),))
    otio.save(scene, tmp_path / "s.otio")
    (tmp_path / "a" / "gone.mp4").rename(tmp_path / "b" / "gone.mp4")
    with pytest.raises(InputError, match=r"gone\.mp4.* cannot be found"):
        sync.sync(options(tmp_path / "s.otio", song, tmp_path, dry_run=True), Session(), beats)
    found = sync.sync(
        options(tmp_path / "s.otio", song, tmp_path, dry_run=True, media=(str(tmp_path / "b"),)), Session(), beats
    )
    assert len(found.shots) == 2


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"max_change": "lots"}, "not a limit"),
        ({"start_on": "moon"}, "no such place"),
        ({"loudness": "loud"}, "no such delivery"),
        ({"speed": (0.9, 1.1)}, "speech bears"),
        ({"wide": (1.1, 1.2)}, "not a range of speeds"),
    ],
)
def test_mistakes_are_told_kindly(film, song, tmp_path, more, told):
    with pytest.raises(InputError, match=told):
        sync.sync(options(film.path, song, tmp_path, dry_run=True, **more), Session())


def test_the_command_prints_one_json_object_and_the_list(film, song, tmp_path):
    (tmp_path / "b.beats").write_text("".join(f"{t}\t{i % 4 + 1}\n" for i, t in enumerate(coded.song_beats(BPM, 30.0))))
    given = ["sync", film.path, song, "--beats", str(tmp_path / "b.beats"), "--dry-run", "--progress", "none"]
    result = CliRunner().invoke(app, [*given, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["song_in"] >= 0
    assert 3 <= len(told["shots"]) <= len(CUTS) + 1
    assert told["cuts"]["on_beat"] >= told["cuts_before"]["on_beat"]
    listed = CliRunner().invoke(app, given)
    assert "shot " in listed.stdout
    assert "frames" in listed.stdout
    missing = CliRunner().invoke(app, ["sync", "nothing.mp4", song, "--json"])
    assert missing.exit_code == 2
    assert "no such scene" in json.loads(missing.stdout)["error"]
