# SPDX-License-Identifier: Apache-2.0
"""``cut --from film.otio``: locks of an earlier edit through the command line."""

import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from backbeat.cli.main import app
from backbeat.decide import cut, styles
from backbeat.decide.problem import CutProblem
from backbeat.exchange import otio
from backbeat.model.timeline import Clip, Timeline
from backbeat.verbs import listen, watch
from kit import shoots


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Timeline:
    """Return an edit of made-up facts, which `cut` then hears and sees in files that hold nothing."""
    takes = tuple(
        dataclasses.replace(t, media=dataclasses.replace(t.media, path=str(tmp_path / f"take{i:02d}.mp4")))
        for i, t in enumerate(shoots.takes(24))
    )
    song = dataclasses.replace(shoots.song(12.0), path=str(tmp_path / "song.wav"))
    for path in (song.path, *(t.media.path for t in takes)):
        Path(path).write_bytes(b"")
    monkeypatch.setattr(listen, "songs", lambda *_, **__: [song])
    monkeypatch.setattr(watch, "takes", lambda *_, **__: watch.Watched(takes, ()))
    problem = CutProblem(song, takes, styles.builtin("wright"), Fraction(24), 12 * 24)
    return cut.timeline(problem, cut.solve(problem), width=160, height=90, name="film")


def saved(film: Timeline, clips: dict[int, Clip], path: Path) -> Path:
    track = film.tracks[0]
    new = tuple(clips.get(i, c) for i, c in enumerate(track.clips))
    otio.save(dataclasses.replace(film, tracks=(dataclasses.replace(track, clips=new), *film.tracks[1:])), path)
    return path


def run(edit: Path, *more: str) -> Result:
    folder = edit.parent
    asked = ["cut", str(folder), str(folder / "song.wav"), "--length", "12", "--from", str(edit), "--dry-run"]
    return CliRunner().invoke(app, [*asked, "--no-cache", *more])


def test_a_lock_in_the_timeline_stays_and_little_else_changes(film: Timeline, tmp_path: Path) -> None:
    clips = film.tracks[0].clips
    other = next(t for t in sorted(tmp_path.glob("take*.mp4")) if str(t) not in {c.take for c in clips})
    wanted = dataclasses.replace(clips[2], locked=True, take=str(other), source_in=0)
    done = run(saved(film, {2: wanted}, tmp_path / "asked.otio"), "--json")
    assert done.exit_code == 0, done.output
    now = [(c["start_frame"], c["frames"], c["take"], c["source_in_frame"]) for c in json.loads(done.stdout)["clips"]]
    assert (wanted.start, wanted.frames, wanted.take, 0) in now
    before = {(c.start, c.frames, c.take, c.source_in) for c in clips}
    assert len(set(now) - before) <= 4


def test_locks_that_cannot_all_be_kept_end_with_four_and_the_least_to_loosen(film: Timeline, tmp_path: Path) -> None:
    clips = film.tracks[0].clips
    one = dataclasses.replace(clips[1], locked=True)
    same = {"locked": True, "take": one.take, "source_rate": one.source_rate, "speed": one.speed}
    edit = saved(
        film, {
            1: one,
            3: dataclasses.replace(clips[3], source_in=one.source_in, **same),
            5: dataclasses.replace(clips[5], locked=True),
        },
        tmp_path / "clash.otio",
    )  # fmt: skip
    done = run(edit)
    assert done.exit_code == 4, done.output
    told = " ".join(done.output.split())
    assert "show the same source frames" in told
    assert told.split("try:")[1].count("the lock on") == 1
    plain = run(edit, "--json")
    assert plain.exit_code == 4
    assert json.loads(plain.stdout)["exit_code"] == 4
