"""A film's sound as a whole, against the standard's own figures and a second meter."""

import numpy as np
import pyloudnorm
import pytest

from backbeat.listen.mixdown import RATE, mixdown, momentary, on_picture, true_peak


def sine(seconds: float, level_db: float, hz: float = 997.0) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return np.tile(10 ** (level_db / 20) * np.sin(2 * np.pi * hz * t), (2, 1)).astype(np.float32)


def test_a_sine_of_minus_23_dbfs_is_minus_23_lufs() -> None:
    edges = np.clip(np.minimum(np.arange(10 * RATE), np.arange(10 * RATE)[::-1]) / 480, 0, 1).astype(np.float32)
    found = mixdown(sine(10, -23) * edges, 0.0, 10.0).mix
    assert found.integrated == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341, case 1
    assert found.at(5.0) == pytest.approx(-23.0, abs=0.1)
    assert found.true_peak == pytest.approx(-23.0, abs=0.1)


def test_the_second_meter_agrees() -> None:
    rng = np.random.default_rng(1)
    sound = (rng.normal(0, 0.1, (2, 20 * RATE)) * np.repeat(rng.uniform(0.05, 1, 40), RATE // 2)).astype(np.float32)
    wanted = pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(float))
    assert mixdown(sound, 0.0, 20.0).mix.integrated == pytest.approx(wanted, abs=0.1)


def test_peaks_between_samples_are_seen() -> None:
    t = np.arange(RATE)
    # A quarter of the rate, at 45°: every sample is 3 dB below the wave's peak.
    wave = np.sin(2 * np.pi * t / 4 + np.pi / 4).astype(np.float32)[None]
    assert 20 * np.log10(np.abs(wave).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak(wave[:, 1000:-1000]) == pytest.approx(0.0, abs=0.1)


def test_steps_of_loudness_are_where_they_are() -> None:
    sound = np.concatenate([sine(5, -30), sine(5, -18)], axis=1)
    curve = momentary(sound)
    assert curve[45] == pytest.approx(-30, abs=0.2)
    assert curve[55] == pytest.approx(-18, abs=0.2)
    assert abs(int(np.argmin(np.abs(curve - (-20.5)))) - 50) <= 1


def test_endings() -> None:
    chopped = mixdown(sine(6, -20), 0.0, 6.0).mix
    faded = mixdown(sine(6, -20) * np.linspace(1, 0, 6 * RATE, dtype=np.float32) ** 2, 0.0, 6.0).mix
    assert chopped.ending_drop < 1
    assert faded.ending_drop > 40


def test_silence_and_offsets() -> None:
    assert mixdown(np.zeros((2, RATE), np.float32), 0.0, 1.0).mix.silent
    late = mixdown(sine(4, -20), 0.5, 4.5)
    assert late.mix.start == 0.5
    assert late.mix.end == 4.5
    assert late.mix.at(0.0) < -40
    assert on_picture(sine(1, -20), -0.25).shape[1] == round(0.75 * RATE)
    assert len(late.wave) == 2000
