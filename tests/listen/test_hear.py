# SPDX-License-Identifier: Apache-2.0
import wave
from pathlib import Path

import numpy as np
import pytest

from backbeat.errors import InputError, MediaError
from backbeat.listen.corrections import Corrections
from backbeat.listen.hear import hear
from backbeat.verbs.listen import songs
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache

RATE = 44_100


def write_wav(path: Path, sound: np.ndarray, rate: int = RATE) -> str:
    data = (np.clip(np.atleast_2d(sound), -1, 1) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(data.shape[0])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(data.T.tobytes())
    return str(path)


def drums(bpm: float, bars: int, start: float = 0.4, rate: int = RATE) -> tuple[np.ndarray, np.ndarray]:
    """A kick on 1 and 3, a snare on 2 and 4, hats on eighths; returns (sound, beat times)."""
    rng = np.random.default_rng(3)
    step = 60 / bpm
    beats = start + step * np.arange(4 * bars)
    sound = rng.normal(0, 1e-4, int((beats[-1] + 1.5) * rate))
    t = np.arange(int(0.25 * rate)) / rate
    kick = 0.8 * np.sin(2 * np.pi * (50 * t + 1.6 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.08)
    snare = 0.5 * rng.normal(0, 0.5, len(t)) * np.exp(-t / 0.05)
    hat = 0.2 * np.diff(rng.normal(0, 0.5, len(t) + 1)) * np.exp(-t / 0.015)
    crash = 0.4 * rng.normal(0, 0.5, len(t)) * np.exp(-t / 0.2)
    for i, time in enumerate(beats):
        parts = [(kick if i % 2 == 0 else snare, time), (hat, time), (hat, time + step / 2)]
        for what, at in parts + ([(crash, time)] if i % 16 == 0 else []):
            k = round(at * rate)
            sound[k : k + len(what)] += what[: len(sound) - k]
    return sound / np.abs(sound).max() * 0.9, beats


@pytest.mark.parametrize("bpm", [92.0, 120.0, 147.3, 175.0])
def test_beats_of_drums_lie_on_them(tmp_path: Path, bpm: float) -> None:
    sound, beats = drums(bpm, 10)
    song = hear(write_wav(tmp_path / "a.wav", sound))
    times = np.array([b.time for b in song.beats])
    near = np.array([times[np.abs(times - b).argmin()] - b for b in beats])
    assert abs(song.tempo - bpm) < 0.5
    assert np.mean(np.abs(near) < 0.02) > 0.95
    assert abs(np.median(near)) < 0.003, "biased"


def test_a_hint_sets_the_level(tmp_path: Path) -> None:
    sound, _ = drums(120, 8)
    path = write_wav(tmp_path / "a.wav", sound)
    assert abs(hear(path, corrections=Corrections(bpm=60)).tempo - 60) < 1
    assert abs(hear(path, corrections=Corrections(scale=2.0)).tempo - 240) < 2
    assert abs(hear(path, corrections=Corrections(scale=0.5)).tempo - 60) < 1


def test_a_shift_and_a_bar_start(tmp_path: Path) -> None:
    sound, _ = drums(120, 8)
    path = write_wav(tmp_path / "a.wav", sound)
    plain = hear(path)
    moved = hear(path, corrections=Corrections(shift_ms=100))
    assert moved.beats[3].time - plain.beats[3].time == pytest.approx(0.1)
    third = plain.beats[6].time
    barred = hear(path, corrections=Corrections(bar_start=third + 0.02))
    assert next(b.position for b in barred.beats if abs(b.time - third) < 0.01) == 1


@pytest.mark.parametrize("seconds", [0.05, 2.0, 12.0])
def test_silence_has_no_beats(tmp_path: Path, seconds: float) -> None:
    path = write_wav(tmp_path / "a.wav", np.zeros(int(seconds * RATE)))
    song = hear(path)
    assert song.beats == ()
    assert song.beat_confidence == 0
    assert song.loudness == -70


def test_two_seconds_of_noise_are_heard(tmp_path: Path) -> None:
    song = hear(write_wav(tmp_path / "a.wav", np.random.default_rng(0).normal(0, 0.1, 2 * RATE)))
    assert song.duration == pytest.approx(2, abs=0.01)
    assert song.sections[0].start == 0


def test_not_a_song(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_text("hello")
    with pytest.raises(MediaError):
        hear(str(path))
    with pytest.raises(InputError):
        hear(str(path), corrections=Corrections(bpm=1000))


def test_songs_are_heard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound, _ = drums(120, 4)
    path = write_wav(tmp_path / "a.wav", sound)
    session = Session(Cache(tmp_path / "cache"))
    first = songs([path], session)
    monkeypatch.setattr("backbeat.listen.hear.hear", lambda *_, **__: pytest.fail("heard twice"))
    moved = tmp_path / "b.wav"
    Path(path).rename(moved)
    again = songs([str(moved), str(moved)], session)
    assert again[0].beats == first[0].beats
    assert again[1].path == str(moved)
