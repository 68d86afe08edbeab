# SPDX-License-Identifier: Apache-2.0
import json
import wave

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from kit.coded import write_song


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    return write_song(tmp_path_factory.mktemp("song") / "song.wav", 120.0, 40.0)


def run(*arguments):
    return CliRunner().invoke(app, ["retarget", *map(str, arguments)])


def test_a_song_is_written_exact_to_the_sample(song, tmp_path):
    out = tmp_path / "out.wav"
    result = run(song, "--length", "0:31.5", "-o", out, "--hit", "12.3", "--progress", "none", "--json")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    with wave.open(str(out)) as box:
        assert box.getnframes() == round(31.5 * 48_000)
        assert box.getframerate() == 48_000
    assert told["length"] == 31.5
    assert told["output"] == str(out)
    assert all({"at", "out", "into", "grade", "percentile"} <= set(s) for s in told["seams"])
    assert told["hits"] == [[12.3, 12.3]]


def test_a_dry_run_writes_nothing_and_prints_the_seams(song, tmp_path):
    result = run(song, "--length", "50", "-o", tmp_path / "out.wav", "--dry-run", "--progress", "none")
    assert result.exit_code == 0
    assert "seam" in result.stdout
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--length", "abc", "-o", "x.wav"], "not a time"),
        (["--length", "30"], "no output given"),
        (["--length", "30", "-o", "x.xyz"], "cannot write a .xyz"),
        (["--length", "1", "-o", "x.wav"], "too short"),
        (["--length", "30", "-o", "x.wav", "--ending", "bang"], "no such way"),
        (["--length", "30", "-o", "x.wav", "--hit", "31"], "not inside"),
    ],
)
def test_mistakes_are_told_kindly(song, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    result = run(song, *arguments, "--json")
    assert result.exit_code == 2
    assert told in json.loads(result.stdout)["error"]


def test_the_source_is_never_written_over(song):
    result = run(song, "--length", "30", "-o", song, "--force", "--json")
    assert result.exit_code == 2
    assert "one of the inputs" in json.loads(result.stdout)["error"]
