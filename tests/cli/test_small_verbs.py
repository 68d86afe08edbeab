# SPDX-License-Identifier: Apache-2.0
"""`cache`, `demo` and `sheet` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest  # noqa: TC002 - fixtures read it

from backbeat.make.sample import shoot
from backbeat.work.cache import Cache
from kit.door import backbeat


def test_cache_shows_and_clears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(tmp_path / "store"))
    assert backbeat("cache", "--json").json["entries"] == 0
    Cache(tmp_path / "store").put("abcd", [1, 2])
    (tmp_path / "store" / "mine.txt").write_text("not ours", encoding="utf-8")
    told = backbeat("cache", "--json").json
    assert (told["entries"], told["cleared"]) == (1, False)
    assert told["bytes"] > 0
    assert "cleared: 1 results" in backbeat("cache", "--clear").out
    assert backbeat("cache", "--json").json["entries"] == 0
    assert (tmp_path / "store" / "mine.txt").exists()


def test_doctor_tries_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(tmp_path / "store"))
    told = backbeat("doctor", "--json")
    assert told.code == 0, told.out
    found = {(f["group"], f["name"]): (f["state"], f["said"]) for f in told.json["findings"]}
    assert {f["state"] for f in told.json["findings"]} <= {"good", "absent"}
    assert found["encoders", "h264 8 bit"] == ("good", "libx264")
    assert found["encoders", "aac"][0] == found["decoders", "FFmpeg"][0] == found["plugins", "beats: own"][0] == "good"
    assert found["packages", "librosa"][0] == found["plugins", "beats: librosa"][0]  # a backend is worth its package
    assert str(tmp_path / "store") in found["folders", "cache"][1]


def test_doctor_says_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoder that does not open is told as such, in words and by the exit code."""
    from backbeat.media import write

    monkeypatch.setattr(write, "works", lambda form: "Broken pipe" if form.encoder == "libx264" else None)
    said = backbeat("doctor")
    assert said.code == 5
    assert "BAD h264 8 bit: Broken pipe" in said.out
    assert "ok  h265 8 bit: libx265" in said.out


def test_demo_makes_a_film_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short takes stand for the whole shoot."""
    short = tuple(
        shoot.Sample(name, (shoot.Setup(scene, 4.0, ((1.5, "impact"), (2.75, "impact"))),), 3)
        for name, scene in (("a", "street"), ("b", "rim"))
    )
    monkeypatch.setattr(shoot, "SHOOT", short)
    said = backbeat("demo", tmp_path / "demo", "--json", "--workers", "1", "--progress", "none")
    assert said.code == 0, said.talk
    assert {p.name for p in (tmp_path / "demo").iterdir()} == {
        "shoot", "song.wav", "truth.json", "film.mp4", "film.otio",
    }  # fmt: skip
    assert said.json["checked"]["frames"] == said.json["frames"] > 24
    truth = json.loads((tmp_path / "demo" / "truth.json").read_text(encoding="utf-8"))
    assert truth["takes"]["a.mp4"]["hits"][0] == {"time": 1.5, "kind": "impact"}
    again = backbeat("demo", tmp_path / "demo", "--progress", "none")
    assert (again.code, "exists" in again.talk) == (2, True)

    drawn = tmp_path / "sheet.png"
    made = backbeat("sheet", tmp_path / "demo" / "film.mp4", "-o", drawn, "--json", "--progress", "none")
    assert made.json == {"sheet": str(drawn)}
    picture = cv2.imread(str(drawn))
    assert picture is not None
    assert picture.shape[1] == 1440
    assert picture.std() > 10
    assert backbeat("sheet", tmp_path / "demo" / "film.mp4", "-o", drawn).code == 2, "kept without --force"
    assert backbeat("sheet", tmp_path / "none.mp4", "-o", tmp_path / "x.png").code == 2


def test_demo_into_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    said = backbeat("demo", tmp_path / "file", "--progress", "none")
    assert said.code == 2
    assert said.talk.startswith("error: ")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"
