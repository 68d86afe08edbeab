# SPDX-License-Identifier: Apache-2.0
"""The judging kit judges itself: what it writes it reads back, and it fails where it must."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from kit import coded


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("plain.mp4", {}),
        ("odd.mp4", {"size": (427, 239), "pixel_format": "yuv444p"}),
        ("film.mov", {"rate": Fraction(24000, 1001), "codec": "prores_ks", "pixel_format": "yuv422p10le"}),
        ("ten.mkv", {"codec": "libx265", "pixel_format": "yuv420p10le", "rate": 60}),
        ("old.avi", {"codec": "mpeg4", "sound": "libmp3lame", "options": {"b": "2000000"}}),
        ("long-gop.mp4", {"gop": 250, "options": {"preset": "veryfast", "crf": "30", "bf": "3"}}),
    ],
)
def test_codes_survive(tmp_path: Path, name: str, how: dict[str, object]) -> None:
    truth = coded.write_take(tmp_path / name, 201, frames=30, hits=[0.5], cuts=[20], **how)  # type: ignore[arg-type]
    film = coded.read_film(truth.path)
    assert film.codes == tuple((201, n) for n in range(30))
    assert film.size == truth.size


def test_vfr_keeps_its_times(tmp_path: Path) -> None:
    times = np.cumsum([0, *([0.04, 0.06, 0.033] * 10)])[:30]
    truth = coded.write_take(tmp_path / "vfr.mp4", 3, frames=30, times=list(times))
    film = coded.read_film(truth.path)
    assert [c[1] for c in film.codes if c] == list(range(30))
    assert np.allclose(film.times, times, atol=1e-3)


def test_rotation_is_written(tmp_path: Path) -> None:
    import av

    truth = coded.write_take(tmp_path / "phone.mp4", 4, frames=12, size=(90, 160), rotation=90)
    with av.open(truth.path) as box:
        frame = next(box.decode(video=0))
        upright = np.rot90(frame.reformat(format="gray").to_ndarray(), -1)
    assert abs(frame.rotation) == 90
    assert coded.read_code(np.ascontiguousarray(upright), (0, 0, 90, 160)) == (4, 0)


def test_a_blank_picture_has_no_code() -> None:
    rng = np.random.default_rng(0)
    for picture in (np.full((90, 160), 128, np.uint8), rng.integers(0, 255, (90, 160), np.uint8)):
        assert coded.read_code(picture, (0, 0, 160, 90)) is None


def test_sound_is_measured_to_a_tenth_of_a_millisecond(tmp_path: Path) -> None:
    truth = coded.write_take(tmp_path / "a.mp4", 5, frames=96, hits=[1.0, 2.5])
    heard = coded.read_samples(truth.path)
    clean = coded.take_sound(5, 4.0, [1.0, 2.5])[0]
    late, sure = coded.lag(heard, clean)
    assert abs(late) < 1e-4
    assert sure > 0.5
    late, _ = coded.lag(np.concatenate([np.zeros(480, np.float32), heard]), clean)
    assert late == pytest.approx(0.01, abs=1e-4)


def test_the_song_ends_and_its_beats_sound(tmp_path: Path) -> None:
    path = coded.write_song(tmp_path / "song.wav", 120, 12)
    heard = coded.read_samples(path)
    assert heard.size == 12 * coded.RATE
    for beat in coded.song_beats(120, 12):
        i = round(beat * coded.RATE)
        assert np.abs(heard[i : i + 2000]).max() > 3 * np.abs(heard[i - 1500 : i - 100]).max() * 0.5
