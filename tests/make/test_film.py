# SPDX-License-Identifier: Apache-2.0
"""Every picture of the film from the right source frame, every sample in its place."""

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from backbeat.errors import MediaError
from backbeat.make.check import check
from backbeat.make.film import render
from backbeat.model.cue import Cue
from backbeat.model.timeline import Clip
from kit import coded
from make.films import RATES, edit, wrong


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_every_frame_and_sample_in_place(tmp_path: Path, rate: Fraction) -> None:
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=140, rate=rate)
    b = coded.write_take(tmp_path / "b.mov", 2, frames=140, rate=rate, gop=70)
    song = coded.write_song(tmp_path / "song.wav", 120, 8)
    clips = [
        Clip(0, 20, a.path, 31, rate, sound_gain_db=0.0),
        Clip(20, 31, b.path, 100, rate, sound_gain_db=0.0),
        Clip(51, 29, a.path, 0, rate, sound_gain_db=0.0),
        Clip(80, 40, b.path, 17, rate, sound_gain_db=0.0),
    ]
    seconds = float(120 / rate)
    timeline = edit(clips, rate, cues=(Cue(song, 0, seconds, song_in=1.0, gain_db=-20),))
    film = str(tmp_path / "film.mp4")
    rendered = render(timeline, film)
    assert rendered.frames == 120
    assert wrong(film, timeline, {a.path: 1, b.path: 2}) == []
    with av.open(film) as box:
        assert [s.type for s in box.streams] == ["video", "audio"]
    read = coded.read_film(film)
    assert read.rate == rate
    np.testing.assert_allclose(read.times, [float(i / rate) for i in range(120)], atol=1e-4)
    heard = coded.read_samples(film)
    for clip, take in zip(clips, (1, 2, 1, 2), strict=True):
        source = coded.take_sound(take, float(140 / rate))[0]
        at, into, n = (round(float(x / rate) * 48000) for x in (clip.start, clip.source_in, clip.frames))
        late, sure = coded.lag(heard[at + 500 : at + n - 500], source[into + 500 : into + n - 500])
        assert sure > 0.3
        assert abs(late) < 0.0001
    measured = check(film, timeline)
    assert measured.differences == ()
    assert [c.found for c in measured.cuts] == [20, 51, 80]
    assert measured.audio_start_ms == pytest.approx(0, abs=0.1)
    assert measured.end_drift_ms == pytest.approx(0, abs=0.1)


def test_check_sees_a_late_cut_and_late_sound(tmp_path: Path) -> None:
    rate = Fraction(25)
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=100, rate=rate)
    b = coded.write_take(tmp_path / "b.mp4", 2, frames=100, rate=rate)
    song = coded.write_song(tmp_path / "song.wav", 120, 8)
    made = edit([Clip(0, 31, a.path, 10, rate), Clip(31, 29, b.path, 5, rate)], rate, cues=(Cue(song, 0.005, 2.4),))
    meant = edit([Clip(0, 30, a.path, 10, rate), Clip(30, 30, b.path, 5, rate)], rate, cues=(Cue(song, 0, 2.4),))
    film = str(tmp_path / "film.mp4")
    render(made, film)
    measured = check(film, meant)
    assert [(c.planned, c.found) for c in measured.cuts] == [(30, 31)]
    assert measured.audio_start_ms == pytest.approx(5, abs=0.2)
    assert len(measured.differences) == 3


def test_check_sees_other_pictures(tmp_path: Path) -> None:
    rate = Fraction(25)
    a, b, c = (coded.write_take(tmp_path / f"{n}.mp4", n, frames=60, rate=rate) for n in (1, 2, 3))
    meant = edit([Clip(0, 30, a.path, 10, rate), Clip(30, 30, b.path, 5, rate)], rate)
    measured = check(c.path, meant)
    assert [(cut.planned, cut.found, cut.strange) for cut in measured.cuts] == [(30, None, True)]
    assert measured.differences == ("the pictures about 0:01.200 are not the planned ones",)
    song = coded.write_song(tmp_path / "song.wav", seconds=3)
    with pytest.raises(MediaError, match="no picture in it"):
        check(song, meant)


def _boxes(data: bytes, *path: bytes) -> list[bytes]:
    """Return the bodies of the MP4 boxes at `path`, read by hand."""
    found, at = [], 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        head = 16 if size == 1 else 8
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size or len(data) - at
        if kind == path[0]:
            body = data[at + head : at + size]
            found += _boxes(body, *path[1:]) if path[1:] else [body]
        at += size
    return found


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_the_primer_of_aac_is_cut_by_the_edit_list(tmp_path: Path, suffix: str) -> None:
    """The file's own edit list, read by hand, and another FFmpeg put the sound where the timeline does."""
    rate = Fraction(25)
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=100, rate=rate)
    film = tmp_path / f"film.{suffix}"
    render(edit([Clip(0, 60, a.path, 20, rate, sound_gain_db=0.0)], rate), str(film))
    edits = []
    for track in _boxes(film.read_bytes(), b"moov", b"trak"):
        (handler,) = _boxes(track, b"mdia", b"hdlr")
        if handler[8:12] == b"soun":
            ((elst),) = _boxes(track, b"edts", b"elst")
            assert elst[0] == 0
            edits = [tuple(np.frombuffer(elst, ">i4", 2, 8 + 12 * i)) for i in range(int.from_bytes(elst[4:8], "big"))]
    assert len(edits) == 1
    assert edits[0][1] == 1024  # the encoder's delay in samples, which is the media time heard first
    if shutil.which("ffmpeg") is None:
        pytest.skip("LOUD: no ffmpeg here, the second demuxer is not asked")
    command = ["ffmpeg", "-v", "error", "-i", str(film), "-map", "0:a", "-ac", "1", "-f", "f32le", "-"]
    heard = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    source = coded.take_sound(1, 4.0)[0]
    for at in (2_000, 60_000):  # near the start and later
        late, sure = coded.lag(heard[at : at + 48_000], source[38_400 + at : 38_400 + at + 48_000])
        assert sure > 0.3
        assert abs(late) < 0.0001
    assert len(heard) == pytest.approx(2.4 * 48_000, abs=1024)
