# SPDX-License-Identifier: Apache-2.0
"""Any stretch of a file's sound lies where the whole of it lies."""

from pathlib import Path

import numpy as np
import pytest

from backbeat.errors import MediaError
from backbeat.make.mix import Mixer
from backbeat.make.pieces import Piece
from backbeat.media.samples import read_sound
from backbeat.media.sounds import SoundReader
from kit import coded


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.m4a"])
@pytest.mark.parametrize("rate", [48_000, 44_100])
def test_pieces_are_the_whole(tmp_path: Path, name: str, rate: int) -> None:
    rng = np.random.default_rng(2)
    sound = (rng.standard_normal((2, 6 * rate)) * 0.1).astype(np.float32)
    path = coded.write_wav(tmp_path / name, sound, rate)
    whole = read_sound(path, rate=48_000, channels=2).samples
    with SoundReader(path) as reader:
        for start, count in ((0, 5000), (5000, 48_000), (53_000, 77), (200_000, 40_000), (10_000, 20_000)):
            piece = reader.read(start, count)
            assert piece.shape == (2, count)
            expected = np.zeros_like(piece)
            found = whole[:, start : start + count]
            expected[:, : found.shape[1]] = found
            np.testing.assert_allclose(piece, expected, atol=3e-3)
        assert not reader.read(-5000, 4000).any()


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts"])
def test_a_take_is_on_the_picture_clock(tmp_path: Path, name: str) -> None:
    take = coded.write_take(tmp_path / name, 5, frames=240, gop=24)
    source = coded.take_sound(5, 10.0)[0]
    # Ranges read far apart, so that seeking is tried too.
    places = ((0, 1.0), (48_000, 8.0))
    pieces = [Piece(take.path, at, at + 48_000, into, origin="picture") for at, into in places]
    with Mixer(pieces, 96_000) as mixer:
        heard = np.concatenate(list(mixer.blocks()), axis=1)[0]
    for at, into in ((0, 48_000), (48_000, 8 * 48_000)):
        late, sure = coded.lag(heard[at : at + 48_000], source[into : into + 48_000])
        assert sure > 0.4
        assert abs(late) < (0.0008 if name == "a.mkv" else 0.0001)


def test_surround_folds_down(tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.flac"
    t = np.arange(48_000) / 48_000
    sound = np.zeros((6, 48_000), np.float32)
    sound[2] = 0.4 * np.sin(2 * np.pi * 440 * t)  # the centre
    with av.open(str(path), "w") as box:
        stream = box.add_stream("flac", rate=48_000, layout="5.1")
        frame = av.AudioFrame.from_ndarray((sound.T.reshape(1, -1) * 32767).astype(np.int16), "s16", "5.1")
        frame.sample_rate, frame.pts = 48_000, 0
        box.mux(stream.encode(frame))
        box.mux(stream.encode())
    with SoundReader(str(path)) as reader:
        heard = reader.read(0, 48_000)
    level = np.abs(heard[:, 4800:43_000]).max(axis=1)
    np.testing.assert_allclose(level, 0.4 * 10 ** (-3 / 20), rtol=0.02)


def test_no_sound_is_said(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=10, sound=None)
    with pytest.raises(MediaError, match="no sound"):
        SoundReader(take.path)
