"""Cuts on beats: right, hard to flatter, and honest about chance."""

from fractions import Fraction

import numpy as np
import pytest

from backbeat.decide.judge import CUT_WINDOW, Metric, cut_on_beat, hit_on_beat, stars_of
from backbeat.model.time import frame_at

RATE = Fraction(24)


def grid(seconds: float = 180.0, bpm: float = 120.0, phase: float = 0.1) -> np.ndarray:
    return np.arange(phase, seconds, 60.0 / bpm)


def frames(times: np.ndarray, rate: Fraction = RATE) -> list[float]:
    """Return the seconds of the frames nearest to `times`."""
    return [float(f / rate) for f in sorted({frame_at(float(t), rate) for t in times if t > 0})]


def edit(draw: np.random.Generator, beats: np.ndarray, n: int, share: float, shift: float = 0.0) -> list[float]:
    """Return cuts, `share` of them on a beat with an editor's 15 ms spread."""
    cuts = np.sort(draw.choice(beats[1:-1], n, replace=False)) + draw.normal(0, 0.015, n) + shift
    off = draw.random(n) > share
    return frames(cuts + off * draw.uniform(-0.25, 0.25, n))


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(60)])
def test_perfect_cuts_get_five_stars_at_every_rate(rate: Fraction) -> None:
    beats = grid()
    got = cut_on_beat(frames(beats[2::4], rate), beats, rate)
    assert got.value == 1.0
    assert got.kappa == pytest.approx(1.0)
    assert got.stars is not None
    assert got.stars > 4.5
    assert got.p < 0.01
    assert abs(got.median_error) <= 0.5 / float(rate)


@pytest.mark.parametrize(("off", "on"), [(-3, False), (-2, True), (0, True), (1, True), (2, False)])
def test_the_window_is_two_frames_early_to_one_late(off: int, on: bool) -> None:
    beats = grid(phase=0.0)  # beats on whole frames
    cuts = [c + off / 24 for c in frames(beats[4::4])]
    assert cut_on_beat(cuts, beats, RATE).value == float(on)


def test_the_window_scales_with_the_rate() -> None:
    beats = grid(phase=0.0)
    for off, on in ((-6, False), (-5, True), (2, True), (3, True), (4, False)):
        cuts = [c + off / 60 for c in frames(beats[4::4], Fraction(60))]
        assert cut_on_beat(cuts, beats, Fraction(60)).value == float(on), off


def test_chance_is_window_over_period() -> None:
    beats = grid(bpm=120)
    got = cut_on_beat(frames(beats[1:-1:3]), beats, RATE)
    early, late = CUT_WINDOW.seconds(RATE)
    assert got.chance == pytest.approx((early + late) / 0.5, rel=1e-6)


def test_hits_within_one_frame() -> None:
    beats = grid(phase=0.0)
    assert hit_on_beat(beats[4::4] + 1 / 24, beats, RATE).value == 1.0
    assert hit_on_beat(beats[4::4] - 2 / 24, beats, RATE).value == 0.0


@pytest.mark.parametrize(("cuts", "beats"), [([], grid()), ([1.0, 2.0], []), ([1.0], [1.0]), ([3750.0], grid())])
def test_nothing_to_judge_is_no_star(cuts: list[float], beats: list[float]) -> None:
    got = cut_on_beat(cuts, beats, RATE)
    assert got.stars is None
    assert got.n == 0


def test_cuts_where_no_music_plays_are_not_counted() -> None:
    beats = np.concatenate([grid(60), 120 + grid(60)])
    cuts = frames(np.concatenate([beats[4::4], np.arange(63, 118, 3.3)]))
    assert cut_on_beat(cuts, beats, RATE).value == 1.0


def test_same_seed_same_answer() -> None:
    beats = grid()
    cuts = edit(np.random.default_rng(1), beats, 60, 0.6)
    assert cut_on_beat(cuts, beats, RATE) == cut_on_beat(cuts, beats, RATE)


def stars(metric: Metric) -> float:
    assert metric.stars is not None
    return metric.stars


def test_gaming() -> None:
    beats = grid()
    # Cuts everywhere are on beats by chance alone.
    assert stars(cut_on_beat([f / 24 for f in range(3, 180 * 24, 3)], beats, RATE)) <= 1.5
    # Every half beat: half of them are on one.
    halves = np.sort(np.concatenate([beats, beats + 0.25]))
    assert stars(cut_on_beat(frames(halves), beats, RATE)) <= 2.5
    # Three perfect cuts are thin evidence; eight are better.
    assert stars(cut_on_beat(frames(beats[[20, 100, 200]]), beats, RATE)) <= 3.0
    assert 3.0 <= stars(cut_on_beat(frames(beats[20:330:40]), beats, RATE)) < 5.0
    # 100 ms late is off the beat, though perfectly regular.
    late = cut_on_beat(frames(beats[2::4] + 0.1), beats, RATE)
    assert stars(late) == 1.0
    assert late.median_error == pytest.approx(0.1, abs=0.03)
    # A wrong tempo: beats of 131 under cuts at 120.
    assert stars(cut_on_beat(frames(beats[2::4]), grid(bpm=131), RATE)) <= 1.5


def test_grids_at_half_and_double_tempo() -> None:
    beats = grid()
    cuts = edit(np.random.default_rng(2), beats, 90, 0.9)
    true, half = cut_on_beat(cuts, beats, RATE), cut_on_beat(cuts, beats[::2], RATE)
    double = cut_on_beat(cuts, np.sort(np.concatenate([beats, beats + 0.25])), RATE)
    assert true.kappa > 0.75
    assert half.kappa < 0.55
    assert double.kappa > 0.6


def test_more_on_the_beat_is_more_stars() -> None:
    beats = grid()
    got = [
        np.median([stars(cut_on_beat(edit(np.random.default_rng(s), beats, 90, f), beats, RATE)) for s in range(9)])
        for f in (0.0, 0.5, 0.7, 0.9)
    ]
    assert got == sorted(got)
    assert got[0] <= 1.5
    assert got[-1] >= 4.5


def test_stars_of_a_bound() -> None:
    assert [stars_of(x) for x in (-1.0, 0.0, 0.4, 0.8, 1.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


def unrelated(draw: np.random.Generator, kind: int, seconds: float, n: int) -> np.ndarray:
    if kind == 0:
        lengths = draw.lognormal(0, 0.7, n)
    elif kind == 1:  # pace that comes and goes
        x = np.zeros(n)
        for i in range(1, n):
            x[i] = 0.8 * x[i - 1] + 0.6 * draw.normal()
        lengths = np.exp(0.6 * x)
    else:  # a metronome of another tempo
        lengths = np.full(n, draw.uniform(0.97, 1.03))
    return np.cumsum(lengths * seconds / lengths.sum())[:-1]


@pytest.mark.parametrize("kind", [0, 1, 2])
@pytest.mark.parametrize(("seconds", "n"), [(180.0, 90), (60.0, 20)])
def test_unrelated_cuts_earn_nothing(kind: int, seconds: float, n: int) -> None:
    """1,000 simulations over the six kinds; the benchmark runs 1,000 of each."""
    poor, significant, runs = 0, 0, 170
    for run in range(runs):
        draw = np.random.default_rng([kind, n, run])
        bpm = draw.uniform(90, 140)
        beats = np.cumsum((60 / bpm) * (1 + 0.004 * np.sin(np.arange(int(seconds * bpm / 60)) / 37)))
        got = cut_on_beat(frames(unrelated(draw, kind, seconds, n)), beats - draw.uniform(0, 1), RATE)
        poor += stars(got) <= 1.5
        significant += got.p < 0.05
    assert poor / runs >= 0.95
    assert significant / runs <= 0.10  # 5 % plus three standard errors of 170 runs
