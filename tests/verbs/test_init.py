# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.exchange.project import read
from backbeat.verbs import make
from backbeat.verbs.make_write import MakeOptions
from backbeat.verbs.session import Session
from kit import coded


def run(*arguments):
    return CliRunner().invoke(app, ["init", *map(str, arguments), "--json"])


def tree(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_a_folder_tree_becomes_a_film_that_can_be_made_unchanged(tmp_path):
    root = tmp_path / 'the "film"'
    for scene in ("2 chase", "10 home"):
        (root / scene / "cam").mkdir(parents=True)
        for take in range(2):
            coded.write_take(root / scene / "cam" / f"{take}.mp4", take, frames=24 * 5, cuts=(50,))
    (root / "Music").mkdir()
    coded.write_song(root / "Music/song.wav", 120.0, 20.0)
    told = json.loads(run(root).stdout)
    assert told["scenes"] == [["2 chase", 2], ["10 home", 2]]
    assert told["songs"] == 1
    assert told["notes"] == []
    project = read(told["path"])
    assert project.name == 'the "film"'
    made = make.make(MakeOptions(told["path"], dry_run=True), Session())
    assert [s.name for s in made.scenes] == ["2 chase", "10 home"]
    assert made.failed == ()
    assert made.timeline.frames > 200


def test_it_is_never_written_over_unless_forced(tmp_path):
    tree(tmp_path, "a/1.mp4", "songs/x.mp3", "film.toml")
    assert run(tmp_path).exit_code == 2
    assert (tmp_path / "film.toml").read_bytes() == b""
    assert run(tmp_path, "--force").exit_code == 0
    assert read(str(tmp_path / "film.toml")).songs == (str(tmp_path / "songs"),)


@pytest.mark.parametrize(
    ("files", "scenes", "songs"),
    [
        (("1.mp4", "2.mov", "x.mp3"), 1, "."),
        (("one/1.mp4", "two/2.mp4", "loud/x.mp3", "loud/y.mp3"), 2, "loud"),
        (("one/1.mp4", "one/only.mp3"), 1, None),
        (("one/1.mp4", "song/1.mp4", "song/x.mp3"), 1, "song"),
        ((".hidden/1.mp4", "one/1.mp4"), 1, None),
    ],
)
def test_what_lies_where_is_told(tmp_path, files, scenes, songs):
    tree(tmp_path, *files)
    told = json.loads(run(tmp_path).stdout)
    assert len(told["scenes"]) == scenes
    project = read(told["path"])
    assert project.songs == (() if songs is None else (str(tmp_path / songs),))
    if "one/only.mp3" in files:
        assert project.scenes[0].song.endswith("only.mp3")
    elif songs is None:
        assert "no song was found" in told["notes"][0]


def test_nothing_to_begin_with_is_told(tmp_path):
    assert "no footage" in json.loads(run(tmp_path).stdout)["error"]
    assert "no such folder" in json.loads(run(tmp_path / "nowhere").stdout)["error"]
