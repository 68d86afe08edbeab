# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from backbeat.listen import repeats
from kit.coded import song_beats, song_sound

BPM = 120.0


@pytest.fixture(scope="module")
def heard():
    mono = repeats.to_mono(song_sound(BPM, 40.0), 48_000)
    times = np.array(song_beats(BPM, 40.0))
    return mono, times, repeats.spectra(mono)


def test_beats_of_the_same_chord_and_place_are_the_most_alike(heard) -> None:
    _mono, times, found = heard
    apart = repeats.distance(found, times)
    assert apart.shape == (len(times), len(times))
    n = len(times) - 24
    # the song repeats every 16 beats; past the quiet first quarter
    for i in range(24, n):
        assert apart[i, i + 16] < apart[i, i + 17]
        assert apart[i, i + 16] < apart[i, i + 4]


def test_natural_beats_stay_below_the_bar_and_a_strange_join_does_not(heard) -> None:
    mono, times, found = heard
    meter = repeats.Meter(found, times)
    half = 2 * repeats.RATE
    inner = [round(t * repeats.RATE) for t in times[8:-8]]
    natural = [meter.measure(mono[i - half : i + half], 2.0).percentile for i in inner]
    assert np.mean(np.array(natural) < 90) == pytest.approx(0.9, abs=0.07)
    noise = np.random.default_rng(0).standard_normal(half).astype(np.float32) * 0.3
    strange = meter.measure(np.concatenate([mono[inner[30] - half : inner[30]], noise]), 2.0)
    assert strange.percentile >= 90
    assert strange.parts[repeats.MEASURES.index("timbre")] > 95


@pytest.mark.parametrize("lag", [-0.004, 0.0, 0.0035])
def test_alignment_finds_the_lag_of_equal_waveforms(lag) -> None:
    rng = np.random.default_rng(1)
    base = np.convolve(rng.standard_normal(3 * repeats.RATE), np.hanning(20), "same").astype(np.float32)
    shift = round(lag * repeats.RATE)
    mono = np.concatenate([base, np.roll(base, shift)])
    found, alike = repeats.align(mono, 1.5, 4.5)
    assert found == pytest.approx(lag, abs=1e-4)
    assert alike > 0.9


def test_alignment_leaves_unlike_sounds_alone() -> None:
    mono = np.random.default_rng(2).standard_normal(6 * repeats.RATE).astype(np.float32)
    found, alike = repeats.align(mono, 1.5, 4.5)
    assert found == 0
    assert alike < 0.5


def _attacks(times, seconds, decay=0.3):
    out = np.zeros(round(seconds * repeats.RATE), np.float32)
    t = np.arange(2 * repeats.RATE) / repeats.RATE
    hit = np.random.default_rng(0).standard_normal(t.size) * np.exp(-t / decay)
    for at in times:
        i = round(at * repeats.RATE)
        out[i : i + hit.size] += hit[: out.size - i]
    return out


def test_a_last_attack_that_decays_is_a_true_ending() -> None:
    tail = repeats.tail(_attacks(np.arange(1, 16, 0.5), 20))
    assert tail.kind == "true"
    assert tail.first == pytest.approx(1.0, abs=0.03)
    assert tail.attack == pytest.approx(15.5, abs=0.05)
    assert 15.9 < tail.settled < 16.6
    assert 16 < tail.last < 18


def test_a_song_that_is_cut_off_stops() -> None:
    assert repeats.tail(_attacks(np.arange(0, 16, 0.5), 16.0)[: 16 * repeats.RATE - 600]).kind in {"stop", "true"}
    steady = np.random.default_rng(0).standard_normal(10 * repeats.RATE).astype(np.float32)
    assert repeats.tail(steady).kind == "stop"
    assert repeats.tail(np.concatenate([steady, np.zeros(repeats.RATE, np.float32)])).kind == "stop"


def test_attacks_under_a_falling_level_are_a_fade() -> None:
    mono = _attacks(np.arange(0, 30, 0.5), 30, 0.1)
    mono[15 * repeats.RATE :] *= 10 ** (-np.linspace(0, 60, 15 * repeats.RATE) / 20)
    assert repeats.tail(mono).kind == "fade"


def test_silence_and_a_single_sample_do_not_fail() -> None:
    assert repeats.tail(np.zeros(10, np.float32)).kind == "stop"
    assert repeats.tail(np.zeros(repeats.RATE, np.float32)).kind == "stop"
    found = repeats.spectra(np.zeros(repeats.RATE, np.float32))
    assert np.isfinite(repeats.distance(found, np.array([0.1, 0.5]))).all()
    assert (
        repeats.Meter(found, np.array([0.1, 0.5])).measure(np.zeros(5 * repeats.RATE, np.float32), 2.5).percentile >= 0
    )
