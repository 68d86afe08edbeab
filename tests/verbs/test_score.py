# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.errors import InputError
from backbeat.exchange import otio
from backbeat.verbs import score
from backbeat.verbs.score_needs import SceneSpan, parse_scene
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


def test_scenes_too_short_and_songs_too_few_are_served(film, library, tmp_path):
    options = score.ScoreOptions(
        film, (str(library / "slow.flac"),), str(tmp_path / "o.mp4"), dry_run=True,
        scenes=tuple(SceneSpan(s.span) for s in map(parse_scene, ("0-2", "2-10", "10-26"))),
    )  # fmt: skip
    made = score.score(options, Session())
    assert len(made.timeline.cues) == 3
    assert made.scenes[0].ending == "fade"
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("text", ["abc", "10", "20-10", "1:xx-3"])
def test_scenes_that_are_none_are_told(text):
    with pytest.raises(InputError, match="not a scene"):
        parse_scene(text)


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
