"""A song is found in a film to 5 ms: late, in pieces, stretched, under noise; another song is not."""

import numpy as np
import pytest
import soxr

from backbeat.listen.locate import RATE, Piece, locate
from backbeat.media.samples import read_sound
from kit import coded
from kit.shared import SHARED, needs_shared

NEAR = 0.005  # s


def song(name: str) -> np.ndarray:
    return read_sound(str(SHARED / "media/songs" / f"{name}.ogg"), rate=RATE, channels=1).samples[0][: 100 * RATE]


def composed() -> np.ndarray:
    stereo = coded.song_sound(117.0, 40.0)
    return np.ascontiguousarray(soxr.resample(stereo.mean(0), 48_000, RATE), np.float32)


def near(pieces: tuple[Piece, ...], film_time: float, song_time: float) -> bool:
    piece = next((p for p in pieces if p.start <= film_time < p.end), None)
    return piece is not None and abs(piece.song_time(film_time) - song_time) <= NEAR


def test_late_under_noise() -> None:
    known = composed()
    rng = np.random.default_rng(1)
    film = np.concatenate([np.zeros(round(3.217 * RATE)), known[: 30 * RATE]])
    film = (film + rng.normal(0, 0.5 * known.std(), len(film))).astype(np.float32)
    got = locate(film, known)
    assert len(got) == 1
    assert abs(got[0].start - 3.217) < 0.4
    assert all(near(got, t, t - 3.217) for t in (5.0, 15.0, 30.0))


def test_silence_and_other_sounds_are_not_the_song() -> None:
    known = composed()
    rng = np.random.default_rng(1)
    assert locate(np.zeros(20 * RATE, np.float32), known) == ()
    assert locate(rng.normal(0, 0.1, 20 * RATE).astype(np.float32), known) == ()
    assert locate(np.zeros(10, np.float32), known) == ()


@needs_shared
@pytest.mark.parametrize("name", ["us_coulton_code_monkey", "sm_goin_under", "pop_333"])
def test_real_songs(name: str) -> None:
    known = song(name)
    cut = np.concatenate([known[5 * RATE : round(25.3 * RATE)], known[round(40.123 * RATE) : 60 * RATE]])
    got = locate(cut, known)
    assert near(got, 3.0, 8.0)
    assert near(got, 18.0, 23.0)
    assert near(got, 24.0, 24.0 - 20.3 + 40.123)
    assert near(got, 38.0, 38.0 - 20.3 + 40.123)
    slower = soxr.resample(known[10 * RATE : 50 * RATE], round(RATE * 1.004), RATE).astype(np.float32)
    got = locate(slower, known)
    assert all(near(got, t, 10.0 + 1.004 * t) for t in (2.0, 20.0, 37.0))


@needs_shared
def test_other_real_songs_are_not_heard() -> None:
    known = song("us_coulton_code_monkey")
    for other in ("fnf_high", "osu_triangles", "lmms_dnb"):
        assert locate(song(other)[: 40 * RATE], known) == (), other
