# SPDX-License-Identifier: Apache-2.0
from itertools import pairwise

import numpy as np
import pytest

from backbeat.make.retarget import cue_samples, joined, rung_out, to_length
from backbeat.media.samples import Sound
from backbeat.model.cue import Cue, Seam

RATE = 48_000


def noise(seconds: float, seed: int = 1) -> Sound:
    return Sound(np.random.default_rng(seed).standard_normal((2, round(seconds * RATE))).astype(np.float32) * 0.1, RATE)


def clicks(times, seconds: float) -> Sound:
    out = np.zeros((2, round(seconds * RATE)), np.float32)
    for t in times:
        i = round(t * RATE)
        out[:, i : i + 96] = np.hanning(96)
    return Sound(out, RATE)


def heard(samples) -> np.ndarray:
    """Times of the clicks, by their centres."""
    level = np.abs(samples[0])
    hot = np.flatnonzero(level > 0.4 * level.max())
    groups = np.split(hot, np.flatnonzero(np.diff(hot) > 2000) + 1)
    return np.array([np.average(g, weights=level[g]) / RATE - 48 / RATE for g in groups])


def test_pieces_are_joined_to_the_sample() -> None:
    sound = noise(10)
    seam = Seam(out=4.0, into=7.0, crossfade=0.02)
    out = joined(sound, 1.0, (seam,), 5 * RATE)
    edge = RATE // 100
    np.testing.assert_array_equal(out[:, : 3 * RATE - edge], sound.samples[:, RATE : 4 * RATE - edge])
    np.testing.assert_array_equal(out[:, 3 * RATE + edge :], sound.samples[:, 7 * RATE + edge : 9 * RATE])


def test_a_crossfade_of_unlike_sounds_keeps_the_power_and_of_like_ones_the_amplitude() -> None:
    sound = noise(10)
    out = joined(sound, 0.0, (Seam(out=3.0, into=6.0, crossfade=0.2),), 6 * RATE)
    middle = out[:, 3 * RATE - 2400 : 3 * RATE + 2400]
    assert 20 * np.log10(middle.std() / 0.1) == pytest.approx(0, abs=0.3)
    t = np.arange(10 * RATE) / RATE
    tone = Sound(np.sin(2 * np.pi * 100 * t)[None].astype(np.float32), RATE)
    same = joined(tone, 0.0, (Seam(out=3.0, into=6.0, crossfade=0.2),), 6 * RATE)
    assert np.abs(same[0] - tone.samples[0, : 6 * RATE]).max() < 0.01


def test_seams_close_together_and_at_the_edges_do_not_fail() -> None:
    sound = noise(4)
    seams = (Seam(0.5, 2.0), Seam(2.03, 1.0), Seam(1.01, 3.99), Seam(9.0, 0.0))
    out = joined(sound, 0.49, seams, 3 * RATE)
    assert out.shape == (2, 3 * RATE)
    assert np.isfinite(out).all()


@pytest.mark.parametrize("count", [479_000, 480_000, 481_500, 470_001, 493_333])
def test_a_stretch_is_exact_to_the_sample(count) -> None:
    assert to_length(noise(10).samples, count, RATE).shape == (2, count)


@pytest.mark.parametrize("ratio", [0.996, 1.004, 0.985, 1.015])
def test_beats_lie_where_the_stretch_puts_them(ratio) -> None:
    sound = clicks(np.arange(0.5, 20, 0.5), 20)
    cue = Cue("x", 0.0, 18.0, song_in=0.0, stretch=ratio)
    out = cue_samples(sound, cue)
    assert out.shape == (2, 18 * RATE)
    expected = np.arange(0.5, 18 * ratio - 0.05, 0.5) / ratio
    got = heard(out)
    assert len(got) == len(expected)
    assert np.abs(got - expected).max() < 0.004


def test_a_tempo_map_puts_its_keys_where_they_belong_through_a_seam() -> None:
    sound = clicks(np.arange(0.5, 40, 0.5), 40)
    # the beat 10 s into what is played meets film second 10.15, the one at 20 s film second 19.9
    cue = Cue(
        "x",
        5.0,
        35.0,
        song_in=0.0,
        seams=(Seam(7.988, 15.988),),
        tempo_map=((5.0, 0.0), (15.15, 10.0), (24.9, 20.0), (35.0, 30.0)),
    )
    out = cue_samples(sound, cue)
    assert out.shape == (2, 30 * RATE)
    got = heard(out)
    for wanted in (10.15, 19.9):
        assert np.abs(got - wanted).min() < 0.004


def test_a_ring_out_leaves_the_song_alone_then_falls_away() -> None:
    sound = noise(12)
    ring = 3 * RATE
    out = rung_out(sound.samples[:, : 10 * RATE].copy(), ring, RATE)
    stop = 10 * RATE - ring
    np.testing.assert_array_equal(out[:, : stop - RATE // 4], sound.samples[:, : stop - RATE // 4])
    level = [20 * np.log10(out[:, stop + k * RATE // 2 :][:, : RATE // 2].std() + 1e-9) for k in range(6)]
    assert level[1] < level[0]
    assert level[2] < -20 - 10
    assert np.abs(out[:, -10:]).max() < 1e-3
    assert np.abs(out).max() < 1.5 * np.abs(sound.samples).max()
    np.testing.assert_array_equal(out, rung_out(sound.samples[:, : 10 * RATE].copy(), ring, RATE))


def test_a_cue_longer_than_its_song_ends_in_silence() -> None:
    out = cue_samples(noise(2), Cue("x", 0.0, 5.0))
    assert out.shape == (2, 5 * RATE)
    assert np.abs(out[:, 3 * RATE :]).max() == 0


def test_an_echo_repeats_the_last_beat_softer_and_ends_in_silence():
    from backbeat.make.echo import echoed_out

    rate, delay = 48_000, 18_000
    sound = np.zeros((2, 4 * rate), np.float32)
    sound[:, 2 * rate - 9_000 : 2 * rate - 8_000] = 0.5
    out = echoed_out(sound, 2 * rate, delay, rate)
    assert (out[:, : 2 * rate] == sound[:, : 2 * rate]).all()
    levels = [np.abs(out[0, 2 * rate + k * delay : 2 * rate + (k + 1) * delay]).max() for k in range(5)]
    assert all(0.3 < b / a < 0.8 for a, b in pairwise(levels))
    at = int(np.abs(out[0, 2 * rate :]).argmax())
    assert abs(at - (delay - 9_000)) < 1_100
    assert np.abs(out[:, -200:]).max() < 1e-3
