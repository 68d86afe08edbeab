# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from backbeat.decide.mix import CLEAR, LOWEST, Shape, delivery_of, ducks_of, lines_of, response, shape_for, shaped
from backbeat.decide.mix_clarity import stoi, table
from backbeat.model.cue import BELLS, Duck
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
    shape = shape_for(s, m, RATE)
    assert shape.before < CLEAR
    assert CLEAR <= shape.after < CLEAR + 0.03
    assert shape.depth < 0
    shallower = shaped(m, RATE, shape.bells) * 10 ** ((shape.depth + 1.0) / 20)
    assert stoi(s, s + shallower, RATE) < CLEAR


def test_bells_save_music():
    """Equal clarity by level alone takes more of the music away."""
    s, m = speech(), music() * 6
    shape = shape_for(s, m, RATE)
    low, high = -40.0, 0.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if stoi(s, s + m * 10 ** (middle / 20), RATE) >= shape.after else (low, middle)
    kept = 20 * np.log10(np.std(shaped(m, RATE, shape.bells)) / np.std(m)) + shape.depth
    assert kept > low + 2.0


def test_bells_are_gentle():
    shape = shape_for(speech(), music() * 6, RATE)
    assert len(shape.bells) == len(BELLS)
    assert all(LOWEST <= b <= 0 for b in shape.bells)
    assert max(abs(a - b) for a, b in itertools.pairwise(shape.bells[:-1])) <= 9
    assert shape.bells[-1] == shape.bells[-2] / 2


def test_sparse_music_is_left_alone():
    shape = shape_for(speech(), music() * 0.02, RATE)
    assert (shape.depth, shape.bells) == (0.0, ())


def test_each_third_octave_can_be_looked_up_alone():
    s, m = speech(), music()
    found = table(s, m, np.array([0.0, -6.0, -12.0]))
    for row, level in zip(found, (0.0, -6.0, -12.0), strict=True):
        assert row.mean() == pytest.approx(stoi(s, s + m * 10 ** (level / 20), RATE), abs=1e-9)
    assert table(s[:100], m[:100], np.array([0.0])) is None


def test_the_mixer_s_filters_do_what_was_reckoned():
    """The bells of the mixer, at rest, have the response that clarity was solved with."""
    from backbeat.make.duck import Dip

    bells = (-3.0, -9.0, -18.0, -12.0, -6.0, -3.0)
    noise = np.random.default_rng(4).standard_normal((2, 96_000)).astype(np.float32)
    out = Dip((Duck(Span(-1.0, 9.0), 0.0, bells),)).applied(noise, 0)
    hz = np.array([100, 220, 500, 900, 1500, 3000, 5000, 9000])
    spectra = [np.abs(np.fft.rfft(x[0, 24_000:72_000].astype(float) * np.hanning(48_000))) for x in (noise, out)]
    measured = [
        np.sqrt((spectra[1][f - 30 : f + 30] ** 2).sum() / (spectra[0][f - 30 : f + 30] ** 2).sum()) for f in hz
    ]
    np.testing.assert_allclose(20 * np.log10(measured), 20 * np.log10(response(bells, hz)), atol=0.4)


def test_words_become_lines_and_the_music_stays_down_between_near_ones():
    lines = lines_of([Span(5, 6), Span(1, 2), Span(2.2, 3), Span(4.5, 4.8)])
    assert lines == (Span(1, 3), Span(4.5, 6))
    shape = Shape(-6.0, (), 0.5, 0.9)
    near = ducks_of([(Span(1, 3), shape), (Span(4.2, 6), shape), (Span(9, 10), shape)])
    assert near[0].span.end == pytest.approx(near[1].span.start)
    assert near[2].span.start - near[1].span.end > 2
    assert ducks_of([(Span(1, 2), Shape(0.0, (), 0.95, 0.95))]) == ()


@pytest.mark.parametrize("seed", range(6))
def test_no_step_of_a_duck_is_faster_than_60_ms(seed):
    """Whatever the lines, the level needs 60 ms for a change of a quarter of the deepest duck, and does not pump."""
    from backbeat.make.duck import duck_curve

    rng = np.random.default_rng(seed)
    at, lines = 0.5, []
    for _ in range(12):
        end = at + float(rng.uniform(0.2, 3))
        lines.append((Span(at, end), Shape(float(rng.uniform(-20, 0)), (float(rng.uniform(-18, 0)),) * 6, 0.5, 0.9)))
        at = end + float(rng.choice([0.36, 0.6, 1.0, 1.6, 3.0]))
    ducks = ducks_of(lines)
    for bell in (None, 0):
        curve = duck_curve(ducks, 0, round((at + 1) * 48_000), bell=bell)
        step = np.abs(curve[2880:] - curve[:-2880]).max()  # over 60 ms
        assert step <= 0.25 * -curve.min() + 1e-9
        level = curve[::480]
        tops = np.flatnonzero((level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:])) + 1
        for top in tops:  # up and down again by more than 6 dB within a second
            before, after = level[max(0, top - 50) : top].min(), level[top : top + 50].min()
            assert level[top] - max(before, after) < 6 + 1e-9


def test_cinema_is_measured_on_its_dialogue_where_there_is_enough():
    words = [Span(0, 30)]
    assert delivery_of("streaming", words, 100).gated is False
    talk = delivery_of("cinema", words, 100)
    assert (talk.level, talk.gated, talk.ceiling) == (-27.0, True, -2.5)
    quiet = delivery_of("cinema", words, 1000)
    assert (quiet.level, quiet.gated) == (-24.0, False)
    assert "3%" in quiet.why
