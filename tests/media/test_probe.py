# SPDX-License-Identifier: Apache-2.0
"""Facts and clocks of every kind of file."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from backbeat.errors import MediaError
from backbeat.media.folder import VIDEO, find
from backbeat.media.probe import displayed, fit_rate, parse_timecode, probe, probe_times
from watch.made import pan, write


@pytest.mark.parametrize(
    ("rate", "ticks_a_second"),
    [(Fraction(24000, 1001), 1000), (Fraction(25), 1000), (Fraction(30000, 1001), 90000), (Fraction(60), 1000)],
)
def test_constant_rates_survive_coarse_clocks(rate: Fraction, ticks_a_second: int) -> None:
    times = np.round(np.arange(600) / float(rate) * ticks_a_second) / ticks_a_second
    assert fit_rate(times, (rate,)) == (rate, False)
    measured, variable = fit_rate(times, ())
    assert not variable
    assert abs(float(measured - rate)) < 0.02


def test_dropped_pictures_are_variable_at_the_base_rate() -> None:
    times = np.array([i for i in range(300) if i % 3 != 2]) / 24
    assert fit_rate(times, (Fraction(16), Fraction(24))) == (Fraction(24), True)
    long_hole = np.concatenate([np.arange(50), np.arange(90, 150)]) / 30
    assert fit_rate(long_hole, (Fraction(30),)) == (Fraction(30), True)


def test_jitter_of_a_phone_is_variable(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    ticks = np.cumsum(random.integers(25, 43, 90)).tolist()
    media, times = probe_times(write(tmp_path / "a.mkv", pan(1, 90), ticks=ticks, rate=30))
    assert media.variable_rate
    for frame in (0, 17, media.frames - 1):
        shown = times.pictures[times.picture_of(frame)]
        assert shown <= (frame + 0.25) / float(media.rate)


def test_times_and_frames_are_each_others_inverse() -> None:
    from backbeat.media.probe import Times

    for variable in (False, True):
        times = Times(np.arange(100) / 25, Fraction(0), Fraction(25), variable)
        for n in range(100):
            assert times.picture_of(n) == n
            assert times.frame_of(float(times.pictures[n])) == n


@pytest.mark.parametrize(
    ("text", "rate", "frames"),
    [
        ("01:00:00:00", Fraction(25), 90_000),
        ("00:01:00;02", Fraction(30000, 1001), 1800),
        ("01:00:00;00", Fraction(30000, 1001), 107_892),
        ("00:00:10:12", Fraction(24000, 1001), 252),
        ("nonsense", Fraction(25), None),
        ("", Fraction(25), None),
    ],
)
def test_timecode(text: str, rate: Fraction, frames: int | None) -> None:
    assert parse_timecode(text, rate) == frames


def test_displayed_size() -> None:
    assert displayed(1440, 1080, Fraction(4, 3), 0) == (1920, 1080)
    assert displayed(640, 360, Fraction(1, 2), 0) == (640, 720)
    assert displayed(1920, 1080, Fraction(1), 90) == (1080, 1920)


def test_anamorphic_and_odd_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 161, 91, "yuv444p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        for picture in pan(1, 5):
            frame = av.VideoFrame.from_ndarray(cv2.resize(picture, (161, 91)), "rgb24").reformat(format="yuv444p")
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    media = probe(str(path))
    assert (media.width, media.height, media.pixel_aspect) == (322, 91, 2)


def test_a_still_is_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), pan(1, 1)[0])
    media = probe(str(path))
    assert (media.frames, media.width, media.height) == (1, 160, 90)


def test_numbered_pictures_are_one_take(tmp_path: Path) -> None:
    for i, picture in enumerate(pan(1, 15)):
        cv2.imwrite(str(tmp_path / f"shot_{i + 1001:04d}.png"), picture)
    found = find([str(tmp_path)], VIDEO)
    assert found == [str(tmp_path / "shot_%04d.png")]
    assert probe(found[0]).frames == 15


def test_hidden_files_and_other_suffixes_are_passed_over(tmp_path: Path) -> None:
    for name in (".hidden.mp4", "notes.txt", "a.MP4", "deep/b.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [Path(p).name for p in find([str(tmp_path)], VIDEO)] == ["a.MP4", "b.mov"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 5000, b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"])
def test_what_is_no_film_is_told_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError) as told:
        probe(str(path))
    assert told.value.message.startswith(str(path))
    assert told.value.hint


def test_folders_and_missing_files_are_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.mp4", tmp_path / "none_%04d.png"):
        with pytest.raises(MediaError):
            probe(str(path))


def test_a_truncated_film_keeps_what_is_there(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "a.mkv", pan(1, 100)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 20 < probe(str(path)).frames < 80
