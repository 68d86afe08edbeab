# SPDX-License-Identifier: Apache-2.0
"""Backends by name, and progress told in lines."""

from __future__ import annotations

import io
import json

import pytest

from backbeat.errors import MissingPartError
from backbeat.work import plugins
from backbeat.work.progress import JsonLines, Lines, Silent


@pytest.mark.parametrize("group", ["beats", "shots", "hits", "speech"])
def test_our_own_backends_register_like_anybodys(group: str) -> None:
    assert "own" in plugins.names(group)
    assert callable(plugins.load(group, "own"))


def test_a_misspelt_backend_is_guessed() -> None:
    with pytest.raises(MissingPartError, match="no beats backend called 'owm'") as caught:
        plugins.load("beats", "owm")
    assert caught.value.hint == "did you mean 'own'?"
    with pytest.raises(MissingPartError) as caught:
        plugins.load("beats", "zzzzzz")
    assert "known: " in caught.value.hint


def test_a_backend_whose_parts_are_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "beat_this"

        def load(self) -> object:
            raise ImportError("No module named 'torch'")

    monkeypatch.setattr(plugins, "entry_points", lambda group: [Entry()])
    with pytest.raises(MissingPartError) as caught:
        plugins.load("beats", "beat_this")
    assert "torch" in caught.value.message
    assert caught.value.hint == "pip install 'backbeat[beat-this]'"


def test_lines_tell_the_step_and_an_eta() -> None:
    out = io.StringIO()
    progress = Lines(out, every=0.0)
    progress.start("watching", 4, "takes")
    progress.advance(2)
    progress.say("left out: x.mp4")
    progress.stop()
    first, second, third = out.getvalue().splitlines()
    assert first == "watching (4 takes)"
    assert second.startswith("watching: 50 %, about ")
    assert third == "left out: x.mp4"


def test_no_eta_is_guessed_from_a_step_that_has_hardly_begun() -> None:
    out = io.StringIO()
    progress = Lines(out, every=0.0)
    progress.start("mixing", 1000)
    progress.advance(1)
    assert out.getvalue().splitlines()[-1] == "mixing: 0 %"
    progress.advance(500)
    assert "about" in out.getvalue().splitlines()[-1]


def test_an_unknown_total_is_no_division_by_zero() -> None:
    for progress in (Lines(io.StringIO(), every=0.0), JsonLines(io.StringIO()), Silent()):
        progress.start("deciding", 0)
        progress.advance()
        progress.stop()


def test_json_lines_are_json() -> None:
    out = io.StringIO()
    progress = JsonLines(out)
    progress.start("render", 10, "frames")
    progress.advance(4)
    progress.stop()
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [e["event"] for e in events] == ["start", "advance", "stop"]
    assert events[1]["done"] == 4
