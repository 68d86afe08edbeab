# SPDX-License-Identifier: Apache-2.0
"""Codecs, rates, channels, silence in front, jingles, tempo that drifts, no tempo at all."""

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from backbeat.listen.hear import hear

RATE = 44_100


def band(bpm: np.ndarray | float, beats: int, start: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Kick, snare, hats and a bass; returns (sound, beat times). `bpm` may change beat by beat."""
    rng = np.random.default_rng(3)
    steps = 60 / np.broadcast_to(bpm, beats)
    times = start + np.concatenate([[0], np.cumsum(steps[:-1])])
    sound = rng.normal(0, 1e-4, int((times[-1] + 1.5) * RATE))
    t = np.arange(int(0.25 * RATE)) / RATE
    kick = 0.8 * np.sin(2 * np.pi * (50 * t + 1.6 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.08)
    snare = 0.5 * rng.normal(0, 0.5, len(t)) * np.exp(-t / 0.05)
    hat = 0.2 * np.diff(rng.normal(0, 0.5, len(t) + 1)) * np.exp(-t / 0.015)
    for i, (time, step) in enumerate(zip(times, steps, strict=True)):
        root = (55.0, 55.0, 73.4, 82.4)[i // 4 % 4]
        bass = 0.3 * np.sign(np.sin(2 * np.pi * root * t)) * np.exp(-t / 0.15)
        for what, at in ((kick if i % 2 == 0 else snare, time), (hat, time), (hat, time + step / 2), (bass, time)):
            k = round(at * RATE)
            sound[k : k + len(what)] += what[: len(sound) - k]
    return (sound / np.abs(sound).max() * 0.7).astype(np.float32), times


def write(path: Path, sound: np.ndarray, *, codec: str, layout: str = "stereo", rate: int = RATE) -> str:
    """Encode one channel into every channel of `layout`."""
    with av.open(str(path), "w") as box:
        stream = box.add_stream(codec, rate=rate, layout=layout)
        fold = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        channels = stream.codec_context.layout.nb_channels
        for a in range(0, len(sound), 4096):
            block = np.ascontiguousarray(np.repeat(sound[None, a : a + 4096], channels, 0))
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = RATE, a
            for piece in fold.resample(frame):
                box.mux(stream.encode(piece))
        for piece in fold.resample(None):
            box.mux(stream.encode(piece))
        box.mux(stream.encode(None))
    return str(path)


def offsets(song_beats: list[float], truth: np.ndarray) -> np.ndarray:
    times = np.array(song_beats)
    return np.array([times[np.abs(times - b).argmin()] - b for b in truth])


@pytest.mark.parametrize(
    ("name", "codec", "layout", "rate"),
    [
        ("a.mp3", "libmp3lame", "stereo", 44_100),
        ("a.m4a", "aac", "stereo", 48_000),
        ("a.opus", "libopus", "stereo", 48_000),
        ("a.flac", "flac", "stereo", 96_000),
        ("a.wav", "pcm_s16le", "5.1", 48_000),
        ("a.wav", "pcm_s16le", "mono", 8_000),
        ("a.wav", "pcm_s24le", "stereo", 192_000),
    ],
)
def test_every_coat_hides_the_same_beats(tmp_path: Path, name: str, codec: str, layout: str, rate: int) -> None:
    sound, truth = band(124.0, 24)
    song = hear(write(tmp_path / name, sound, codec=codec, layout=layout, rate=rate))
    off = offsets([b.time for b in song.beats], truth)
    assert abs(np.median(off)) < (0.004 if rate > 8000 else 0.006)
    assert np.mean(np.abs(off) < 0.02) > 0.9


def test_long_silence_in_front(tmp_path: Path) -> None:
    sound, truth = band(110.0, 24)
    quiet = np.concatenate([np.zeros(8 * RATE, np.float32), sound])
    song = hear(write(tmp_path / "a.flac", quiet, codec="flac"))
    assert np.mean(np.abs(offsets([b.time for b in song.beats], truth + 8)) < 0.02) > 0.9
    assert song.entries[0].time == pytest.approx(8.4, abs=0.1)
    assert all(b.confidence < 0.5 for b in song.beats if b.time < 6), "nothing was heard there"


def test_a_drifting_band_is_followed(tmp_path: Path) -> None:
    bpm = 112 + 9 * np.sin(np.linspace(0, 5, 64))
    sound, truth = band(bpm, 64)
    song = hear(write(tmp_path / "a.flac", sound, codec="flac"))
    off = offsets([b.time for b in song.beats], truth)
    assert np.mean(np.abs(off) < 0.03) > 0.9


def test_a_jingle(tmp_path: Path) -> None:
    sound, truth = band(132.0, 8)
    song = hear(write(tmp_path / "a.flac", sound, codec="flac"))
    assert np.mean(np.abs(offsets([b.time for b in song.beats], truth)) < 0.03) > 0.9
    assert song.endings[-1].kind == "true ending"


def test_no_tempo_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    t = np.arange(20 * RATE) / RATE
    rain = 0.1 * rng.normal(0, 1, len(t)) * (1 + 0.3 * np.sin(2 * np.pi * 0.13 * t))
    song = hear(write(tmp_path / "a.flac", rain.astype(np.float32), codec="flac"))
    assert song.beat_confidence < 0.4
    assert "unsure" in song.notes[0]
    sure = hear(write(tmp_path / "b.flac", band(120.0, 24)[0], codec="flac"))
    assert sure.beat_confidence > 0.75


def test_energy_follows_what_is_felt(tmp_path: Path) -> None:
    loud, _ = band(120.0, 32)
    quiet = 0.1 * loud[: 8 * RATE]
    song = hear(write(tmp_path / "a.flac", np.concatenate([quiet, loud, quiet]), codec="flac"))
    assert song.energy_at(4) + 0.3 < song.energy_at(14)
    assert song.energy_at(song.duration - 4) + 0.3 < song.energy_at(14)
    assert any(a.kind == "drop" and abs(a.time - 8.4) < 2.5 for a in song.accents)


def test_a_damaged_file_is_heard(tmp_path: Path) -> None:
    sound, _ = band(120.0, 16)
    path = write(tmp_path / "a.mp3", sound, codec="libmp3lame")
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    Path(path).write_bytes(bytes(data))
    assert hear(path).duration > 0.7 * len(sound) / RATE, "MP3 frames bear no time, so a hole closes up"


def test_loudness_is_ebu_r128(tmp_path: Path) -> None:
    t = np.arange(10 * 48_000) / 48_000
    tone = np.sin(2 * np.pi * 1000 * t) * 10 ** (-23 / 20)
    with wave.open(str(tmp_path / "a.wav"), "wb") as box:
        box.setnchannels(2)
        box.setsampwidth(2)
        box.setframerate(48_000)
        box.writeframes(np.repeat(np.rint(tone * 32767).astype("<i2")[:, None], 2, 1).tobytes())
    assert hear(str(tmp_path / "a.wav")).loudness == pytest.approx(-23.0, abs=0.1)
