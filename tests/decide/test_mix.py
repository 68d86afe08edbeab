# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from backbeat.decide.mix import CLEAR, dipped, duck_for, lines_of
from backbeat.decide.mix_clarity import stoi
from backbeat.model.time import Span

RATE = 10_000


def speech(seconds: float = 4.0, seed: int = 1) -> np.ndarray:
    """Syllables: a harmonic voice through moving formants, four a second, with pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * t)) / RATE
    out = np.zeros_like(t)
    for h in range(1, 30):
        hz = 120 * h
        formant = sum(
            np.exp(-0.5 * ((hz - f - w * np.sin(2 * np.pi * r * t + p)) / 180) ** 2)
            for f, w, r, p in ((550, 200, 3.1, 0), (1500, 500, 2.3, 1), (2600, 400, 1.7, 2))
        )
        out += formant * np.sin(2 * np.pi * h * pitch)
    syllables = np.clip(np.sin(2 * np.pi * 4 * t) + 0.3 * np.sin(2 * np.pi * 1.3 * t + 2), 0, 1)
    fricative = np.diff(rng.standard_normal(t.size), prepend=0) * np.clip(np.sin(2 * np.pi * 4 * t + 2.5) - 0.6, 0, 1)
    return (out * syllables + fricative) * 0.1


def music(seconds: float = 4.0, seed: int = 2) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).standard_normal(round(seconds * RATE))) * 0.004 + (
        0.05 * np.random.default_rng(3).standard_normal(round(seconds * RATE))
    )


def test_clear_speech_is_one_and_noise_lowers_it():
    s, m = speech(), music()
    assert stoi(s, s, RATE) == pytest.approx(1.0, abs=1e-6)
    got = [stoi(s, s + m * 10 ** (db / 20), RATE) for db in (-20, -10, 0, 10)]
    assert all(a > b for a, b in itertools.pairwise(got))
    assert got[-1] < 0.85
    assert stoi(s, np.random.default_rng(9).standard_normal(s.size), RATE) < 0.5


def test_the_estimate_does_not_mind_level_or_rate():
    import scipy.signal

    s, m = speech(), music()
    here = stoi(s, s + m, RATE)
    assert stoi(s, (s + m) * 3, RATE) == pytest.approx(here, abs=1e-9)
    up = [scipy.signal.resample_poly(x, 24, 5) for x in (s, s + m)]
    assert stoi(up[0], up[1], 48_000) == pytest.approx(here, abs=0.01)


def test_too_little_speech_cannot_be_judged():
    assert np.isnan(stoi(np.zeros(100), np.zeros(100), RATE))
    assert np.isnan(stoi(speech(0.2), speech(0.2), RATE))


def test_the_duck_is_as_deep_as_clarity_needs_and_no_deeper():
    s, m = speech(), music() * 6
    depth, dip, before, after = duck_for(s, m, RATE)
    assert before < CLEAR
    assert after >= CLEAR - 0.002
    assert depth < 0
    shallower = dipped(m, RATE, dip) * 10 ** ((depth + 1.0) / 20)
    assert stoi(s, s + shallower, RATE) < CLEAR


def test_the_dip_saves_music():
    """Equal clarity by level alone takes more of the music away."""
    s, m = speech(), music() * 6
    depth, dip, _, after = duck_for(s, m, RATE)
    low, high = -40.0, 0.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if stoi(s, s + m * 10 ** (middle / 20), RATE) >= after else (low, middle)
    kept = 20 * np.log10(np.std(dipped(m, RATE, dip)) / np.std(m)) + depth
    assert kept > low + 1.0


def test_sparse_music_is_left_alone():
    s = speech()
    assert duck_for(s, music() * 0.02, RATE)[:2] == (0.0, 0.0)


def test_short_gaps_are_bridged():
    lines = lines_of([Span(5, 6), Span(1, 2), Span(2.5, 3), Span(4.5, 4.8)])
    assert lines == (Span(1, 3), Span(4.5, 6))
