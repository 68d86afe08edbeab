# SPDX-License-Identifier: Apache-2.0
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.errors import InputError
from backbeat.exchange import otio
from backbeat.media.probe import probe
from backbeat.model.timeline import Clip, Marker, Timeline, Track
from backbeat.verbs import score
from backbeat.verbs.score_library import parse_theme
from backbeat.verbs.score_needs import parse_scene
from backbeat.verbs.session import Session
from kit import coded


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    coded.write_wav(folder / "slow.flac", coded.song_sound(100.0, 32.0, seed=1))
    coded.write_wav(folder / "quick.flac", coded.song_sound(132.0, 32.0, seed=2))
    return folder


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return coded.write_take(
        tmp_path_factory.mktemp("film") / "film.mp4",
        3,
        frames=24 * 26,
        size=(96, 54),
        cuts=(120, 300, 420),
        sound="aac",
    ).path


def test_a_locked_film_is_scored_and_its_picture_is_untouched(film, library, tmp_path):
    options = score.ScoreOptions(
        film,
        (str(library),),
        str(tmp_path / "out.mp4"),
        scenes=(parse_scene("0-14 slow"), parse_scene("14-26=quick.flac")),
    )
    made = score.score(options, Session())
    assert [s.song.rsplit("/", 1)[-1] for s in made.scenes] == ["slow.flac", "quick.flac"]
    assert made.proven
    first, second = made.timeline.cues
    assert first.end == pytest.approx(14 + score_overlap())
    assert second.start == 14.0
    read = coded.read_film(made.film)
    assert list(read.codes) == [(3, n) for n in range(24 * 26)]
    assert made.checked is not None
    assert made.checked.differences == ()
    assert made.checked.loudness == pytest.approx(-14, abs=3.5)  # clicks and drums keep it under the ceiling
    sheets = [p for p in made.cue_sheets if p.endswith(".csv")]
    assert "slow" in Path(sheets[0]).read_text(encoding="utf-8")
    kept = otio.load(made.timeline_file)
    assert len(kept.cues) == 2
    assert sum(m.kind == "cue" for m in kept.markers) == 2
    sound = coded.read_samples(made.film)
    assert np.abs(sound[-48_000:]).max() > 0.001


def score_overlap() -> float:
    from backbeat.verbs.score_scenes import OVERLAP

    return OVERLAP


def decided(film, songs, tmp_path, *scenes, **more):
    options = score.ScoreOptions(
        film, (str(songs),), str(tmp_path / "o.mp4"), dry_run=True, scenes=tuple(map(parse_scene, scenes)), **more
    )
    made = score.score(options, Session())
    assert not (tmp_path / "o.mp4").exists()
    return made


def test_one_song_goes_on_through_scenes_that_follow_each_other(film, library, tmp_path):
    made = decided(film, library / "slow.flac", tmp_path, "0-2", "2-10", "10-17", "19-26")
    assert [(c.start, c.end) for c in made.timeline.cues] == [(0.0, 19.0), (19.0, 26.0)]
    assert [s.ending for s in made.scenes] == ["goes on", "goes on", "ring-out", made.scenes[3].ending]
    assert any("goes on from the scene before" in t.why for t in made.scenes[1].terms)


def test_a_scene_of_two_seconds_gets_a_stretch_of_a_song(film, library, tmp_path):
    made = decided(film, library / "slow.flac", tmp_path, "3-5", "8-26")
    assert made.scenes[0].ending == "fade"
    assert any("the scene is short" in n for n in made.scenes[0].notes)
    assert made.timeline.cues[0].end == pytest.approx(5.0)


def test_a_song_without_beats_runs_into_itself(film, tmp_path):
    t = np.arange(48_000 * 12) / 48_000
    pad = (0.1 * np.sin(2 * np.pi * 110 * t) * (1 + 0.2 * np.sin(0.5 * t))).astype(np.float32)
    coded.write_wav(tmp_path / "drone.flac", np.stack([pad, pad]))
    made = decided(film, tmp_path / "drone.flac", tmp_path, "0-26")
    (cue,) = made.timeline.cues
    assert cue.end == pytest.approx(26.0)
    assert len(cue.seams) >= 2
    assert any("begins again" in n for n in made.scenes[0].notes)
    from backbeat.make.retarget import cue_samples
    from backbeat.media.samples import read_sound

    sound = cue_samples(read_sound(cue.path, rate=48_000, channels=2), cue)
    level = np.sqrt((sound[0].astype(float) ** 2)[: 24 * 48_000].reshape(-1, 24_000).mean(1))
    assert 20 * np.log10(level[1:].max() / level[1:].min()) < 6  # no hole, no bump where it meets itself


def test_a_song_far_too_short_begins_again_on_its_bars(film, tmp_path):
    coded.write_wav(tmp_path / "tiny.flac", coded.song_sound(120.0, 8.0, seed=3))
    made = decided(film, tmp_path / "tiny.flac", tmp_path, "0-26")
    (cue,) = made.timeline.cues
    assert cue.end == pytest.approx(26.0)
    for seam in cue.seams:
        assert ((seam.out - seam.into) / 0.5) % 4 == pytest.approx(0, abs=0.05)
    assert abs(cue.stretch - 1) < 0.04


def test_broken_songs_and_papers_are_left_out_and_told(film, library, tmp_path):
    (tmp_path / "slow.flac").write_bytes((library / "slow.flac").read_bytes())
    (tmp_path / "junk.mp3").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "empty.ogg").write_bytes(b"")
    (tmp_path / "rights.toml").write_text("[broken")
    made = decided(film, tmp_path, tmp_path, "0-26")
    told = " ".join(made.notes)
    for name in ("junk.mp3", "empty.ogg", "rights.toml: cannot be read", "no speech was found"):
        assert name in told


def test_a_theme_is_chosen_for_its_character(film, library, tmp_path):
    for name in ("slow", "quick"):
        made = decided(film, library, tmp_path, "0-26 @anna", themes=(parse_theme(f"Anna={name}.flac"),))
        assert made.scenes[0].song.endswith(f"{name}.flac")
        assert made.timeline.cues[0].usage == "theme"
        assert "theme of Anna" in made.scenes[0].why
    passage = decided(film, library, tmp_path, "0-10 @anna", themes=(parse_theme("Anna=slow.flac@0:12"),))
    assert passage.timeline.cues[0].song_in == pytest.approx(12.0, abs=1.3)
    with pytest.raises(InputError, match="no such song"):
        decided(film, library, tmp_path, themes=(parse_theme("Anna=none.flac"),))
    with pytest.raises(InputError, match="not a theme"):
        parse_theme("Anna")


@pytest.mark.parametrize("text", ["abc", "10", "20-10", "1:xx-3"])
def test_scenes_that_are_none_are_told(text):
    with pytest.raises(InputError, match="not a scene"):
        parse_scene(text)


def test_stems_are_not_written_over(film, library, tmp_path):
    (tmp_path / "o.music.flac").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"o\.music\.flac"):
        score.score(score.ScoreOptions(film, (str(library),), str(tmp_path / "o.mp4"), stems=True), Session())
    assert (tmp_path / "o.music.flac").read_bytes() == b"mine"


def test_mistakes_are_told_kindly(film, library, tmp_path):
    def run(*more):
        return CliRunner().invoke(
            app, ["score", film, "--songs", str(library), "--dry-run", "--json", "--progress", "none", *more]
        )

    for more, told in (
        (["--scene", "0-10=slwo.flac"], "no such song"),
        (["--scene", "0-10", "--scene", "5-12"], "begins inside"),
        (["--scene", "90-100"], "lasts"),
        (["--join", "crash"], "no such join"),
        (["--loudness", "loud"], "no such delivery"),
        (["--forbid", "slow.flac", "--forbid", "quick.flac"], "none of the songs"),
    ):
        result = run(*more)
        assert result.exit_code in {2, 4}
        assert told in json.loads(result.stdout)["error"]
    assert "did you mean 'slow.flac'" in json.loads(run("--scene", "0-10=slwo.flac").stdout)["try"]
    (tmp_path / "empty").mkdir()
    nothing = CliRunner().invoke(app, ["score", film, "--songs", str(tmp_path / "empty"), "--json", "--dry-run"])
    assert "no song in it" in json.loads(nothing.stdout)["error"]


def test_scenes_are_found_where_none_are_given(film, library, tmp_path):
    made = decided(film, library, tmp_path)
    assert made.scenes[0].start == 0
    assert made.scenes[-1].end == pytest.approx(26.0)
    assert all(a.end == b.start for a, b in itertools.pairwise(made.scenes))
    assert all(s.found and 0 <= s.confidence <= 1 for s in made.scenes)


def test_scenes_marked_in_the_edit_are_the_editor_s(film, library, tmp_path):
    facts = probe(film)
    clip = Clip(0, facts.frames, film, 0, facts.rate, sound_gain_db=0.0)
    marks = (Marker(0.0, "note", "Scene 1"), Marker(9.5, "note", "Scene 2: kitchen"), Marker(12.0, "note", "louder"))
    line = Timeline("edit", facts.rate, 96, 54, facts.frames, (Track((clip,)),), takes=(facts,), markers=marks)
    otio.save(line, str(tmp_path / "edit.otio"))
    made = decided(str(tmp_path / "edit.otio"), library, tmp_path)
    assert [(s.start, s.end) for s in made.scenes] == [(0.0, 9.5), (9.5, pytest.approx(26.0))]
    assert made.scenes[1].confidence == 1.0


def test_the_short_list_is_told_in_numbers(film, library):
    asked = ["score", film, "--songs", str(library), "--dry-run", "--progress", "none"]
    told = CliRunner().invoke(app, [*asked, "--json", "--scene", "0-26 calm"])
    (scene,) = json.loads(told.stdout)["scenes"]
    assert len(scene["ranked"]) == 2
    for choice in scene["ranked"]:
        assert choice["cost"] == pytest.approx(sum(t["cost"] for t in choice["terms"]))
        assert {"energy", "light"} <= {t["name"] for t in choice["terms"]}
        assert all(t["why"] for t in choice["terms"])
    assert "calm" in next(t["why"] for t in scene["terms"] if t["name"] == "energy")
    said = CliRunner().invoke(app, asked).stdout
    assert "energy: " in said
    assert "confidence" in said
