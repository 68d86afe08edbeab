# SPDX-License-Identifier: Apache-2.0
"""``backbeat watch``."""

import csv
import json
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from backbeat.cli.main import app
from backbeat.exchange import contact_png
from watch.made import clicks, pan, write

run = CliRunner()


def test_watch_writes_facts_table_and_sheets(tmp_path: Path) -> None:
    folder = tmp_path / "shoot"
    folder.mkdir()
    write(folder / "a.mkv", [*pan(1, 25), *pan(2, 25)], sound=clicks([0.4], 2.0))
    (folder / "broken.mov").write_bytes(b"\0" * 100)
    names = [str(tmp_path / f"sheet{s}") for s in (".json", ".csv", ".png", ".html")]
    done = run.invoke(app, ["watch", str(folder), "--progress", "none", *(f"-o{n}" for n in names)])
    assert done.exit_code == 0, done.output
    assert "broken.mov" in done.output
    facts = json.loads(Path(names[0]).read_text())
    assert [(s["start_frame"], s["end_frame"]) for s in facts["takes"][0]["shots"]] == [(0, 25), (25, 50)]
    with Path(names[1]).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["end_frame"] for r in rows] == ["25", "50"]
    assert abs(float(rows[0]["strongest_hit"]) - 0.4) < 0.02
    sheet = cv2.imread(names[2])
    assert sheet is not None
    assert sheet.shape[0] > 2 * 90
    page = Path(names[3]).read_text()
    assert page.count("<img") == 6
    assert "broken.mov" in page
    again = run.invoke(app, ["watch", str(folder), "-o", names[0], "--json"])
    assert again.exit_code == 2
    assert "exists" in json.loads(again.output)["error"]


def test_nothing_that_can_be_read_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    done = run.invoke(app, ["watch", str(tmp_path / "a.mp4"), "--json", "--progress", "none"])
    assert done.exit_code == 3
    said = json.loads(done.output)
    assert "a.mp4" in said["error"]


def test_a_missing_backend_is_told(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", pan(1, 8))
    done = run.invoke(app, ["watch", film, "--shots", "nonsense", "--json", "--progress", "none"])
    assert done.exit_code == 5
    assert "nonsense" in json.loads(done.output)["error"]


def test_a_png_has_room_for_so_many_shots_and_tells_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_png, "MOST", 2)
    for i in range(2):
        write(tmp_path / f"{i}.mkv", [*pan(2 * i, 12), *pan(2 * i + 1, 12)])
    name = str(tmp_path / "sheet.png")
    done = run.invoke(app, ["watch", str(tmp_path), "--progress", "none", "-o", name])
    assert done.exit_code == 0, done.output
    sheet = cv2.imread(name)
    assert sheet is not None
    assert 2 * 96 + 2 * 30 + 20 <= sheet.shape[0] < 4 * 96  # heading lines, two rows, one line that tells
