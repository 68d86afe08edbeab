# SPDX-License-Identifier: Apache-2.0
"""The export verb and command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.errors import InputError
from backbeat.exchange.otio import load, save
from backbeat.verbs.export import export, names
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache
from exchange.edits import NAMES, full


@pytest.fixture
def film(tmp_path: Path) -> Path:
    save(full(folder=str(tmp_path / "footage")), tmp_path / "film.otio")
    return tmp_path / "film.otio"


QUIET = Session(Cache(None))


@pytest.mark.parametrize("to", [n for n in names() if n != "aaf"])
def test_every_format_is_written_whole_and_only_once(film: Path, to: str) -> None:
    out = film.parent / "out"
    out.mkdir()
    done = export(str(film), QUIET, to=to, output=str(out / "cut"))
    assert done.files
    assert all(Path(f).stat().st_size > 0 for f in done.files)
    assert sorted(str(p) for p in out.iterdir()) == sorted(done.files)
    first = [Path(f).read_bytes() for f in done.files]
    with pytest.raises(InputError, match="exists"):
        export(str(film), QUIET, to=to, output=str(out / "cut"))
    again = export(str(film), QUIET, to=to, output=str(out / "cut"), force=True)
    assert [Path(f).read_bytes() for f in again.files] == first
    assert len(done.missing) == len(NAMES) + 2


def test_missing_media_is_found_by_name(film: Path) -> None:
    place = film.parent / "moved" / "deep"
    place.mkdir(parents=True)
    for name in NAMES:
        (place / name.upper()).touch()
    done = export(
        str(film), QUIET, to="otio", output=str(film.parent / "b.otio"), media_root=[str(film.parent / "moved")]
    )
    assert [Path(m).name for m in done.missing] == ["söng one.wav", "two.flac"]
    assert load(done.files[0]).takes[0].path == str(place / NAMES[0].upper())


def test_two_of_a_name_are_not_guessed(film: Path) -> None:
    for part in ("a", "b", "c/footage"):
        (film.parent / "m" / part).mkdir(parents=True)
    for part in ("a", "b"):
        (film.parent / "m" / part / NAMES[0]).touch()
        (film.parent / "m" / part / NAMES[1]).touch()
    (film.parent / "m" / "c/footage" / NAMES[1]).touch()
    done = export(str(film), QUIET, to="otio", output=str(film.parent / "b.otio"), media_root=[str(film.parent / "m")])
    assert str(film.parent / "footage" / NAMES[0]) in done.missing
    # The folder that agrees decides.
    assert str(film.parent / "m" / "c/footage" / NAMES[1]) == load(done.files[0]).takes[1].path


@pytest.mark.parametrize(
    ("to", "name", "files"),
    [
        ("edl", "cut.edl", ["cut.edl", "cut.V2.edl", "cut.alternates.edl"]),
        ("edl", "cut", ["cut.edl", "cut.V2.edl", "cut.alternates.edl"]),
        ("edl", "my.cut", ["my.cut.edl", "my.cut.V2.edl", "my.cut.alternates.edl"]),
        ("markers", "cut.csv", ["cut.markers.csv", "cut.markers.edl", "cut.labels.txt"]),
        ("markers", "cut", ["cut.markers.csv", "cut.markers.edl", "cut.labels.txt"]),
        ("fcpxml", "cut.xml", ["cut.xml"]),
        ("", "cut.mid", ["cut.mid"]),
    ],
)
def test_names_of_papers(film: Path, to: str, name: str, files: list[str]) -> None:
    done = export(str(film), QUIET, to=to, output=str(film.parent / name))
    assert [Path(f).name for f in done.files][: len(files)] == files


def test_the_command(film: Path) -> None:
    run = CliRunner().invoke(app, ["export", str(film), "-o", str(film.parent / "a.fcpxml"), "--json"])
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert told["to"] == "fcpxml"
    assert told["files"] == [str(film.parent / "a.fcpxml")]
    run = CliRunner().invoke(app, ["export", str(film), "--to", "fcpxm", "--json"])
    assert run.exit_code == 2
    assert json.loads(run.stdout)["try"] == "did you mean 'fcpxml'?"
    run = CliRunner().invoke(app, ["export", str(film), "--json"])
    assert run.exit_code == 2
    run = CliRunner().invoke(app, ["export", str(film), "-o", str(film), "--force", "--json"])
    assert run.exit_code == 2  # never onto an input
    assert "one of the inputs" in json.loads(run.stdout)["error"]
