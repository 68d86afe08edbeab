# SPDX-License-Identifier: Apache-2.0
"""Killed, cancelled, out of disk, broken sources: no broken film, and the next run goes on."""

import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from backbeat.errors import InputError, MediaError
from backbeat.exchange.otio import save
from backbeat.make import film, segments
from backbeat.make.film import render
from backbeat.make.parts import LOCK, folder_of, sweep
from backbeat.make.settings import RenderSettings
from backbeat.model.cue import Cue
from backbeat.model.timeline import Clip, Timeline
from backbeat.verbs.cut import _make
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache
from kit import coded
from make.films import edit, wrong

RATE = Fraction(25)


@pytest.fixture
def shoot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Timeline, dict[str, int]]:
    """Twelve seconds in segments of about two."""
    monkeypatch.setattr(segments, "LENGTH", 2.0)
    monkeypatch.setattr(segments, "SLACK", 0.5)
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=200, rate=RATE, gop=50)
    b = coded.write_take(tmp_path / "b.mp4", 2, frames=200, rate=RATE)
    song = coded.write_song(tmp_path / "song.wav", seconds=14)
    clips = [Clip(i * 30, 30, (a.path, b.path)[i % 2], 15 * i, RATE) for i in range(10)]
    return edit(clips, RATE, cues=(Cue(song, 0, 12.0),)), {a.path: 1, b.path: 2}


class Stopping:
    """Progress that stops the render after some pictures."""

    def __init__(self, after: int) -> None:
        self.left, self.said = after, ""

    def start(self, step: str, total: float, unit: str = "") -> None: ...

    def advance(self, amount: float = 1.0) -> None:
        self.left -= int(amount)
        if self.left < 0:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        self.said += message

    def stop(self) -> None: ...


def test_a_stopped_render_goes_on(tmp_path: Path, shoot: tuple[Timeline, dict[str, int]]) -> None:
    timeline, takes = shoot
    film, parts = tmp_path / "film.mp4", tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        render(timeline, str(film), progress=Stopping(150), parts=str(parts))
    assert not film.exists()
    there = sorted(parts.iterdir())
    assert 1 <= len(there) < 6
    again = Stopping(10_000)
    render(timeline, str(film), progress=again, parts=str(parts))
    assert "going on" in again.said
    assert wrong(film, timeline, takes) == []
    assert not parts.exists()


def test_a_changed_edit_uses_what_is_still_right(tmp_path: Path, shoot: tuple[Timeline, dict[str, int]]) -> None:
    timeline, takes = shoot
    film, parts = tmp_path / "film.mp4", tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):
        render(timeline, str(film), progress=Stopping(280), parts=str(parts))
    clips = list(timeline.tracks[0].clips)
    clips[0] = replace(clips[0], source_in=clips[0].source_in + 3)
    nudged = replace(timeline, tracks=(replace(timeline.tracks[0], clips=tuple(clips)),))
    again = Stopping(10_000)
    render(nudged, str(film), progress=again, parts=str(parts))
    assert "going on" in again.said
    assert wrong(film, nudged, takes) == []


def test_many_processes_make_the_same_pictures(tmp_path: Path, shoot: tuple[Timeline, dict[str, int]]) -> None:
    timeline, takes = shoot
    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"
    render(timeline, str(one))
    render(timeline, str(two), settings=RenderSettings(workers="2"))
    assert wrong(two, timeline, takes) == []
    assert wrong(one, timeline, takes) == []
    with av.open(str(one)) as a, av.open(str(two)) as b:
        for x, y in zip(a.decode(video=0), b.decode(video=0), strict=True):
            np.testing.assert_array_equal(x.to_ndarray(), y.to_ndarray())


def test_the_film_of_a_cut_is_made_by_as_many_processes(
    tmp_path: Path, shoot: tuple[Timeline, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    timeline, takes = shoot
    asked = []
    kept = film.open_pool
    monkeypatch.setattr(film, "open_pool", lambda workers: asked.append(workers) or kept(workers))
    made = []
    for workers in ("1", "2"):
        path = tmp_path / f"by{workers}.mp4"
        session = Session(Cache(None), workers)
        checked = _make(timeline, str(path), str(path.with_suffix(".otio")), session)
        assert checked.differences == ()
        assert wrong(path, timeline, takes) == []
        made.append(checked)
    assert asked == ["2"]
    assert [c.found for c in made[0].cuts] == [c.found for c in made[1].cuts] == [c.planned for c in made[0].cuts]


def test_two_renders_do_not_share_their_segments(tmp_path: Path) -> None:
    output, parts = tmp_path / "film.mp4", tmp_path / ".film.mp4.parts"
    with folder_of(str(output), str(parts)) as folder:
        (Path(folder) / "half.mp4").write_bytes(b"half")
        with pytest.raises(InputError, match="another render"), folder_of(str(output), str(parts)):
            pass
        with folder_of(str(output), None) as private:
            assert Path(private) != parts
        assert not Path(private).exists()
        assert (parts / "half.mp4").exists()
    assert not parts.exists()
    with pytest.raises(KeyboardInterrupt), folder_of(str(output), str(parts)):
        raise KeyboardInterrupt
    assert parts.exists(), "kept to go on with"
    with folder_of(str(output), str(parts)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_half_films_of_killed_renders_are_swept(tmp_path: Path) -> None:
    parts = tmp_path / ".film.mp4.parts"
    mine = tmp_path / ".film.abcdefgh.mp4"
    for name in (mine.name, ".film.12345678.mp4", ".film.12345678.otio", ".film2.12345678.mp4", "film.mp4"):
        (tmp_path / name).touch()
    with folder_of(str(mine), str(parts)):
        left = {p.name for p in tmp_path.iterdir() if p.is_file()}
    assert left == {mine.name, ".film.12345678.otio", ".film2.12345678.mp4", "film.mp4"}


def test_what_killed_renders_left_is_swept(tmp_path: Path) -> None:
    """Private folders at once, others after a week; never what is in use or not ours."""
    old = time.time() - 8 * 86_400
    for name in (".backbeat-dead", ".backbeat-live", ".old.mp4.parts", ".new.mp4.parts", ".mine.parts", ".backbeat-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.mp4").write_bytes(b"part")
        if name not in {".mine.parts", ".backbeat-x"}:
            (tmp_path / name / LOCK).touch()
    for name in (".old.mp4.parts", ".backbeat-live"):
        os.utime(tmp_path / name / LOCK, (old, old))
    hold = "import sys, fcntl; f = open(sys.argv[1]); fcntl.flock(f, 2); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / ".backbeat-live" / LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout is not None
    holder.stdout.readline()
    sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {".backbeat-live", ".new.mp4.parts", ".mine.parts", ".backbeat-x"}
    holder.kill()
    holder.communicate()
    sweep(tmp_path)
    assert not (tmp_path / ".backbeat-live").exists(), "a lock ends with its process, however that ends"


def _command(timeline: Timeline, folder: Path) -> list[str]:
    save(timeline, folder / "film.otio")
    program = str(Path(sys.executable).with_name("backbeat"))
    return [program, "render", str(folder / "film.otio"), "-o", str(folder / "film.mp4"), "--no-verify"]


def test_killed_and_interrupted(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=100, rate=RATE, size=(640, 360), gop=100)
    clips = [Clip(i * 40, 40, take.path, (7 * i) % 60, RATE) for i in range(60)]
    timeline = edit(clips, RATE, size=(640, 360))
    command = [*_command(timeline, tmp_path), "--progress", "json"]
    for number in (signal.SIGKILL, signal.SIGINT):
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
        assert run.stderr is not None
        while b'"advance"' not in (line := run.stderr.readline()):
            assert line or run.poll() is None
        os.kill(run.pid, number)
        began = time.monotonic()
        run.communicate(timeout=30)
        assert run.returncode == (-9 if number == signal.SIGKILL else 130)
        assert time.monotonic() - began < 5  # 1 s where the machine is idle
        assert not (tmp_path / "film.mp4").exists()


def test_a_full_disk_is_said(tmp_path: Path, shoot: tuple[Timeline, dict[str, int]]) -> None:
    timeline, _ = shoot
    command = _command(timeline, tmp_path)

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(command, preexec_fn=small, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "disk is full" in done.stderr
    assert "of the film" in done.stderr
    assert not (tmp_path / "film.mp4").exists()
    assert not list(tmp_path.glob(".film*.mp4"))


def test_a_broken_source_is_said_with_its_place(tmp_path: Path) -> None:
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=100, rate=RATE)
    b = coded.write_take(tmp_path / "b.mkv", 2, frames=100, rate=RATE, gop=100)
    timeline = edit([Clip(0, 50, a.path, 0, RATE), Clip(50, 30, b.path, 20, RATE)], RATE)
    data = bytearray(Path(b.path).read_bytes())
    for at in range(3000, len(data) - 4):  # the headers stay, every picture is noise
        data[at] = (at * 7919) % 251
    Path(b.path).write_bytes(data)
    film = tmp_path / "film.mp4"
    with pytest.raises(MediaError, match=r"at 0:02\.\d+ of the film|cannot be read"):
        render(timeline, str(film))
    assert not film.exists()
    Path(a.path).unlink()
    with pytest.raises(MediaError, match="missing"):
        render(timeline, str(film))


def test_nothing_to_render_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no frame"):
        render(Timeline("none", RATE, 160, 90, 0, ()), str(tmp_path / "film.mp4"))
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=30, rate=RATE)
    timeline = edit([Clip(0, 20, take.path, 0, RATE)], RATE)
    for settings, name in (
        (RenderSettings(codec="vp9"), "film.mov"),
        (RenderSettings(codec="h266"), "film.mp4"),
        (RenderSettings(preset="best"), "film.mp4"),
        (RenderSettings(bits=12), "film.mp4"),
        (RenderSettings(quality=-3), "film.mp4"),
        (RenderSettings(loudness=float("nan")), "film.mp4"),
        (RenderSettings(fit="squeeze"), "film.mp4"),
        (RenderSettings(), "film.gif"),
    ):
        with pytest.raises(InputError):
            render(timeline, str(tmp_path / name), settings=settings)
        assert not (tmp_path / name).exists()


def test_a_scene_that_moved_is_known_again(tmp_path: Path, shoot: tuple[Timeline, dict[str, int]]) -> None:
    timeline, takes = shoot
    film, parts = tmp_path / "film.mp4", tmp_path / "parts"
    first = render(timeline, str(film), parts=str(parts), breaks=(150,), keep=True)
    assert wrong(film, timeline, takes) == []
    assert {140, 150, 180} & set(first.looks) == {150, 180}  # views are told by the film's frames
    there = {p.name for p in parts.glob("*.mp4")}
    clips = timeline.tracks[0].clips
    shorter = [clips[0], *(replace(c, start=c.start - 30) for c in clips[2:])]
    changed = edit(shorter, RATE, cues=timeline.cues)
    again = Stopping(10_000)
    render(changed, str(film), progress=again, parts=str(parts), breaks=(120,), keep=True)
    now = {p.name for p in parts.glob("*.mp4")}
    assert len(now & there) == 3  # all of the second scene
    assert len(now) == 5  # and what no film needs any more is gone
    assert "going on: 3 of 5" in again.said
    assert wrong(film, changed, takes) == []
