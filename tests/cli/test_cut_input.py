# SPDX-License-Identifier: Apache-2.0
"""`backbeat cut` on bad and odd input, each through the command line.

What cannot be done: one sentence, one way to mend it, the right exit code, and nothing left behind. What can be done
(rotated, VFR, 10 bit, odd sizes, mixed rates, strange names): a film whose every picture is read back by its barcode.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from bisect import bisect_right
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.exchange import otio
from kit import coded
from kit.door import Said, backbeat


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good takes 1 to 3 (the second holds a source cut), songs good and strange."""
    place = tmp_path_factory.mktemp("media")
    (place / "good").mkdir()
    for i, (frames, cuts) in enumerate([(120, ()), (144, (70,)), (120, ())]):
        coded.write_take(place / "good" / f"t{i}.mp4", i + 1, frames=frames, hits=[1.0 + 0.3 * i, 3.1], cuts=cuts)
    coded.write_song(place / "song.wav", 120, 8)
    return place


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An empty folder for what comes out."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def cut(media: Path, out: Path, *places: object, song: object = None, more: tuple[str, ...] = ()) -> Said:
    song = media / "song.wav" if song is None else song
    return backbeat("cut", *places, "--song", song, "-o", out / "film.mp4", "--progress", "none", *more)


def refused(said: Said, code: int, *words: str) -> None:
    """One sentence and one hint on stderr, nothing on stdout, the exit code."""
    assert said.code == code, said
    assert not said.out
    lines = said.talk.strip().splitlines()
    assert [line[:7] for line in lines] == ["error: ", "  try: "], said.talk
    for word in words:
        assert word in said.talk
    assert "Traceback" not in said.talk


def nothing_in(out: Path) -> bool:
    return not list(out.iterdir())


def shown(out: Path, takes: dict[str, int], times: dict[str, list[float]] | None = None, **how: Any) -> None:
    """The film shows, picture by picture, what its timeline says."""
    timeline = otio.load(str(out / "film.otio"))
    film = coded.read_film(out / "film.mp4", **how)
    expected = coded.expected_codes(timeline, takes)
    for path, seconds in (times or {}).items():  # VFR: source frame n is the picture on screen at n / rate
        rate = next(m.rate for m in timeline.takes if m.path == path)
        expected = [
            (take, bisect_right(seconds, n / float(rate) + 0.25 / float(rate)) - 1)
            if take == takes[path]
            else (take, n)
            for take, n in (code for code in expected if code)
        ]
    assert len(film.codes) == timeline.frames > 0
    assert list(film.codes) == expected
    assert {p.name for p in out.iterdir()} == {"film.mp4", "film.otio"}


# ---------------------------------------------------------------- what cannot be done


def test_no_footage(media: Path, out: Path) -> None:
    refused(backbeat("cut", media / "song.wav", "-o", out / "film.mp4"), 2, "no footage")
    assert nothing_in(out)


def test_a_folder_without_video(media: Path, out: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "readme.txt").write_text("hello", encoding="utf-8")
    refused(cut(media, out, tmp_path / "papers"), 2, "papers")
    assert nothing_in(out)


def broken(kind: str, media: Path, place: Path) -> Path:
    path = place / f"{kind}.mp4"
    whole = (media / "good" / "t0.mp4").read_bytes()
    if kind == "audio-only":
        coded.write_wav(place / "a.m4a", coded.song_sound(120, 3))
        (place / "a.m4a").rename(path)
    else:
        path.write_bytes({"text": b"no video\n" * 99, "empty": b"", "truncated": whole[: len(whole) // 2]}[kind])
    return path


@pytest.mark.parametrize("kind", ["text", "empty", "truncated", "audio-only"])
def test_a_broken_take_alone_is_an_error(media: Path, out: Path, tmp_path: Path, kind: str) -> None:
    refused(cut(media, out, broken(kind, media, tmp_path)), 3, f"{kind}.mp4")
    assert nothing_in(out)


def test_broken_takes_among_good_ones_are_left_out_and_named(media: Path, out: Path, tmp_path: Path) -> None:
    kinds = ["text", "empty", "truncated", "audio-only"]
    bad = [broken(kind, media, tmp_path) for kind in kinds]
    said = cut(media, out, media / "good", *bad, more=("--json",))
    assert said.code == 0, said.talk
    assert {Path(x["file"]).stem for x in said.json["left_out"]} == set(kinds)
    shown(out, {str(media / "good" / f"t{i}.mp4"): i + 1 for i in range(3)})


def test_a_missing_song(media: Path, out: Path) -> None:
    refused(cut(media, out, media / "good", song=media / "nosong.mp3"), 2, "nosong.mp3")
    assert nothing_in(out)


@pytest.mark.parametrize("kind", ["text", "empty", "video-without-sound"])
def test_a_song_without_sound(media: Path, out: Path, tmp_path: Path, kind: str) -> None:
    song = tmp_path / "song.mp3"
    if kind == "video-without-sound":
        coded.write_take(tmp_path / "a.mp4", 5, frames=24, sound=None)
        song = tmp_path / "a.mp4"
    else:
        song.write_bytes(b"" if kind == "empty" else b"la la la\n" * 50)
    refused(cut(media, out, media / "good", song=song), 3, song.name)
    assert nothing_in(out)


def test_a_missing_take(media: Path, out: Path) -> None:
    refused(cut(media, out, media / "nothing-here"), 2, "nothing-here")
    assert nothing_in(out)


@pytest.mark.parametrize("place", ["below-a-file", "missing"])
def test_an_output_folder_that_cannot_be_written(media: Path, tmp_path: Path, place: str) -> None:
    """Root may write anywhere, so the folder's parent is a file, or there is no folder."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    folder = tmp_path / "file" if place == "below-a-file" else tmp_path / "missing"
    refused(cut(media, folder, media / "good"), 2, "film.mp4")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"
    assert not (tmp_path / "missing").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_output_folder(media: Path, out: Path) -> None:
    out.chmod(0o500)
    refused(cut(media, out, media / "good"), 2, "cannot be written")
    out.chmod(0o700)
    assert nothing_in(out)


def test_the_output_may_not_be_an_input(media: Path, tmp_path: Path) -> None:
    take, song = tmp_path / "take.mp4", tmp_path / "film.mp4"
    take.write_bytes((media / "good" / "t0.mp4").read_bytes())
    song.write_bytes((media / "good" / "t0.mp4").read_bytes())
    before = take.read_bytes()
    for more in ((), ("--force",)):
        said = backbeat("cut", take, "--song", media / "song.wav", "-o", take, *more)
        refused(said, 2, "one of the inputs")
        refused(backbeat("cut", take, "--song", song, "-o", song, *more), 2, "one of the inputs")
    assert take.read_bytes() == song.read_bytes() == before


def test_an_existing_film_is_kept_without_force(media: Path, out: Path) -> None:
    (out / "film.mp4").write_bytes(b"mine")
    refused(cut(media, out, media / "good"), 2, "exists")
    assert [p.name for p in out.iterdir()] == ["film.mp4"]
    assert (out / "film.mp4").read_bytes() == b"mine"


def test_a_film_of_an_earlier_run_in_the_footage_folder_is_no_footage(media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shoot"
    folder.mkdir()
    for path in (media / "good").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for more in ((), ("--force",)):
        said = cut(media, folder, folder, more=("--json", *more))
        assert said.code == 0, said.talk
        assert "film.mp4" not in {Path(c["take"]).name for c in said.json["clips"]}


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits")
def test_a_full_disk(media: Path, out: Path) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "from backbeat.cli.main import run; run()\n"
    )
    command = ["cut", media / "good", "--song", media / "song.wav", "-o", out / "film.mp4", "--progress", "none"]
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
    refused(Said(done.returncode, done.stdout, done.stderr), 2, "disk is full")
    assert nothing_in(out)


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (("--length", "0"), "--length 0"),
        (("--length", "abc"), "--length abc"),
        (("--style", "nowhere"), "nowhere"),
        (("--style", "nowhere.toml"), "nowhere.toml"),
        (("--rate", "0"), "--rate 0"),
        (("--rate", "1/0"), "--rate 1/0"),
        (("--size", "big"), "--size big"),
        (("--size", "99999x2"), "--size 99999x2"),
        (("--order", "up"), "--order up"),
        (("--sound", "loud"), "--sound loud"),
        (("--beats", "nowhere.txt"), "nowhere.txt"),
        (("--from", "nowhere.otio"), "nowhere.otio"),
        (("--tempo-scale", "0"), "times 0"),
        (("--bpm", "-5"), "bpm"),
    ],
)
def test_an_option_that_makes_no_sense(media: Path, out: Path, more: tuple[str, ...], word: str) -> None:
    said = cut(media, out, media / "good", more=more)
    refused(said, 2, word)
    assert nothing_in(out)
    told = cut(media, out, media / "good", more=(*more, "--json"))
    assert told.json["exit_code"] == told.code == said.code


def test_an_error_is_one_json_object(media: Path, out: Path, tmp_path: Path) -> None:
    said = cut(media, out, broken("text", media, tmp_path), more=("--json",))
    assert set(said.json) == {"error", "try", "exit_code"}
    assert said.json["exit_code"] == said.code == 3


# ---------------------------------------------------------------- what is odd and can be done


@pytest.mark.parametrize("kind", ["two seconds", "silence", "noise", "one click"])
def test_a_song_without_a_beat_makes_a_film_all_the_same(media: Path, out: Path, tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(3)
    sound = {
        "two seconds": coded.song_sound(120, 2),
        "silence": np.zeros((2, 6 * coded.RATE), np.float32),
        "noise": (rng.standard_normal((2, 6 * coded.RATE)) * 0.1).astype(np.float32),
        "one click": np.eye(1, 6 * coded.RATE, 99_999, dtype=np.float32).repeat(2, axis=0),
    }[kind]
    song = coded.write_wav(tmp_path / "song.wav", sound)
    said = cut(media, out, media / "good", song=song, more=("--json",))
    assert said.code == 0, said.talk
    assert 0.5 < said.json["duration"] <= sound.shape[1] / coded.RATE + 0.05
    if kind != "noise":  # six seconds of noise may pulse by chance
        assert said.json["notes"], "the summary says that there is no beat to trust"
    shown(out, {str(media / "good" / f"t{i}.mp4"): i + 1 for i in range(3)})


@pytest.mark.parametrize("kind", ["no sound", "rotated", "upside down", "10 bit", "odd size", "wide", "4:4:4"])
def test_odd_footage(media: Path, out: Path, tmp_path: Path, kind: str) -> None:
    hows: dict[str, dict[str, Any]] = {
        "no sound": {"sound": None},
        "rotated": {"size": (90, 160), "rotation": 90},
        "upside down": {"rotation": 180},
        "10 bit": {"codec": "libx265", "pixel_format": "yuv420p10le"},
        "odd size": {"size": (427, 239), "pixel_format": "yuv444p"},
        "wide": {"size": (240, 100), "rate": Fraction(24000, 1001)},
        "4:4:4": {"pixel_format": "yuv444p"},
    }
    how = hows[kind]
    takes = {str(tmp_path / f"{i}.mp4"): 40 + i for i in range(2)}
    for path, number in takes.items():
        coded.write_take(path, number, frames=108, hits=[1.0, 2.5], **how)
    said = cut(media, out, *takes, more=("--json",))
    assert said.code == 0, said.talk
    width, height = how.get("size", (160, 90))
    assert said.json["size"] == [width + width % 2, height + height % 2]
    shown(out, takes, aspects=[width / height])


def test_footage_of_a_variable_rate(media: Path, out: Path, tmp_path: Path) -> None:
    times = [float(t) for t in np.cumsum([0, *([0.04, 0.06, 0.033, 0.1] * 40)])]
    path = str(tmp_path / "vfr.mp4")
    coded.write_take(path, 8, frames=len(times), times=times)
    said = cut(media, out, path)
    assert said.code == 0, said.talk
    shown(out, {path: 8}, {path: times})


@pytest.mark.parametrize("asked", ["", "24", "29.97", "60"])
def test_mixed_rates(media: Path, out: Path, tmp_path: Path, asked: str) -> None:
    rates = [Fraction(24000, 1001), 25, Fraction(30000, 1001), 30, 60]
    takes = {str(tmp_path / f"{i}.mp4"): 20 + i for i in range(len(rates))}
    for (path, number), rate in zip(takes.items(), rates, strict=True):
        coded.write_take(path, number, frames=int(2.5 * rate), rate=rate, hits=[0.7])
    said = cut(media, out, *takes, more=("--json", *(("--rate", asked) if asked else ())))
    assert said.code == 0, said.talk
    if asked == "29.97":
        assert said.json["rate_exact"] == "30000/1001"
    assert len({c["take"] for c in said.json["clips"]}) >= 2
    shown(out, takes)


def test_strange_names(media: Path, tmp_path: Path) -> None:
    """Also as arguments: a leading dash is a name after --."""
    names = [
        "with space.mp4",
        'quo\'te "double".mp4',
        "ünï-Ж-日本.mp4",
        "-dash.mp4",
        "%05d #?&;$x.mp4",
        "new\nline.mp4",
    ]
    folder = tmp_path / "söng & shöot"
    folder.mkdir()
    takes = {}
    for i, name in enumerate(names):
        coded.write_take(folder / name, 50 + i, frames=48, hits=[0.9])
        takes[name] = 50 + i
    song = "-my söng's.wav"
    (folder / song).write_bytes((media / "song.wav").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "backbeat", "cut", "-o", "-f'ilm ü.mp4", "--json", "--", *names, song],
        cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["film"] == "-f'ilm ü.mp4"
    timeline = otio.load(str(folder / "-f'ilm ü.otio"))
    film = coded.read_film(folder / "-f'ilm ü.mp4")
    by_name = {m.path: takes[Path(m.path).name] for m in timeline.takes}
    assert list(film.codes) == coded.expected_codes(timeline, by_name)
    assert len(set(by_name.values())) == len(names)
