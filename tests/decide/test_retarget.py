# SPDX-License-Identifier: Apache-2.0
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.decide.retarget import End, Event, RetargetProblem, Start, anchors, best_path, path_times
from backbeat.decide.retarget_cue import cue_of, cue_spans, seam_of
from backbeat.decide.retarget_grid import regular, rigid, smoothed
from backbeat.decide.retarget_jumps import Jumps, bar_length, jumps, repriced
from backbeat.model.cue import Cue, Seam
from backbeat.model.song import Beat
from backbeat.model.time import Span


def song(form: str = "ABABCB", *, section: int = 16, period: float = 0.5, seed: int = 1, noise: float = 0.1):
    """Beats and how unlike they are, for a song whose equal letters sound equal."""
    rng = np.random.default_rng(seed)
    bank = {c: rng.normal(size=(section, 12)) for c in sorted(set(form))}
    X = np.vstack([bank[c] for c in form]) + noise * rng.normal(size=(section * len(form), 12))
    apart = np.linalg.norm(X[:, None] - X[None], axis=-1)
    beats = tuple(Beat(0.25 + i * period, i % 4 + 1, 1.0 if i % 4 == 0 else 0.5) for i in range(len(X)))
    return beats, apart / np.median(apart)


def problem(length: float, **more) -> RetargetProblem:
    beats, apart = song()
    n = len(beats)
    times = np.array([b.time for b in beats])
    given_ = {
        "times": times,
        "strength": np.array([b.strength for b in beats]),
        "jumps": jumps(apart, beats, bar=4),
        "starts": (Start(0, 0.0),),
        "ends": (End(n - 1, 1.0, 1.5),),
        "length": length,
    }
    return RetargetProblem(**(given_ | more))


@pytest.mark.parametrize("length", [21.0, 33.3, 48.75, 60.0, 95.0])
def test_a_path_has_the_length_asked_for_and_keeps_the_bar(length) -> None:
    p = problem(length)
    path = best_path(p)
    assert path is not None
    assert path.runs[0][0] == 0
    assert path.runs[-1][1] == 95
    met = path_times(p, path)
    assert met[-1] + path.tail == pytest.approx(path.natural)
    assert path.natural == pytest.approx(length * path.ratio)
    assert abs(path.ratio - 1) <= 0.015
    for leave, land in path.jumps:
        assert (leave + 1 - land) % 4 == 0


def test_a_song_at_its_own_length_is_left_alone() -> None:
    path = best_path(problem(0.25 + 95 * 0.5 + 1.2))
    assert path is not None
    assert path.runs == ((0, 95),)
    assert path.ratio == 1
    assert path.tail == pytest.approx(1.2)


def test_jumps_go_where_the_song_repeats() -> None:
    path = best_path(problem(0.25 + 63 * 0.5 + 1.2))  # two sections fewer: A B | C B or A B A | B
    assert path is not None
    _beats, apart = song()
    worst = max(apart[leave + 1, land] for leave, land in path.jumps)
    natural = np.median(apart)
    assert worst < 0.4 * natural


def _brute(p: RetargetProblem) -> float:
    """Every path of a tiny song by enumeration, priced as the search prices it."""
    from backbeat.decide.retarget import _settle, _stretch_cost

    n, wait = len(p.times), 4 * p.bar
    price = {(int(s), j): float(c) for j in range(n) for s, c in zip(p.jumps.source[j], p.jumps.cost[j], strict=True)}
    step = np.append(np.diff(p.times), np.median(np.diff(p.times)))
    best = np.inf
    stack = [(s.beat, wait, s.cost, float(p.times[s.beat] - s.time)) for s in p.starts]
    while stack:
        beat, since, cost, clock = stack.pop()
        if cost >= best or clock > p.length * 1.2:
            continue
        for end in p.ends:
            if end.beat == beat:
                _, ratio = _settle(p, clock, end)
                best = min(best, cost + end.cost + _stretch_cost(ratio, p.max_stretch))
        if beat + 1 < n:
            stack.append((beat + 1, min(wait, since + 1), cost, clock + float(step[beat])))
        if since == wait:
            stack += [
                (j, 0, cost + c, clock + float(step[s])) for (s, j), c in price.items() if s == beat and np.isfinite(c)
            ]
    return best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(3.0, 9.0))
def test_the_search_finds_what_enumeration_finds(seed, length) -> None:
    rng = np.random.default_rng(seed)
    n = 10
    cost = rng.uniform(0.2, 3.0, (n, 3))
    source = np.stack([rng.choice(n, 3, replace=False) for _ in range(n)])
    p = RetargetProblem(
        np.arange(n) * 0.5,
        np.ones(n),
        Jumps(source, cost),
        (Start(0, 0.0), Start(2, 1.0, 0.5)),
        (End(n - 1, 0.4, 0.6), End(5, 0.3, 1.0, "ring-out", 0.7)),
        length,
        bar=1,
    )
    path = best_path(p)
    expected = _brute(p)
    assert path is not None
    assert path.cost == pytest.approx(expected, abs=1e-9)


def test_no_way_is_none() -> None:
    p = problem(5.0)
    assert best_path(replace(p, ends=())) is None


def test_measured_seams_reprice_the_search() -> None:
    p = problem(32.0)
    first = best_path(p)
    assert first is not None
    assert first.jumps
    bad = replace(p, jumps=repriced(p.jumps, dict.fromkeys(first.jumps, 99.0)))
    second = best_path(bad)
    assert second is not None
    assert not set(first.jumps) & set(second.jumps)


def test_seams_stay_out_of_sung_phrases() -> None:
    beats, apart = song()
    sung = (Span(8.0, 24.0),)
    free = best_path(problem(33.0))
    assert free is not None
    table = jumps(apart, beats, bar=4, forbidden=sung)
    path = best_path(problem(33.0, jumps=table))
    assert path is not None
    for leave, land in path.jumps:
        for beat in (beats[leave + 1], beats[land]):
            assert not 8.2 < beat.time < 23.8


def test_events_are_met_by_beats_within_the_local_stretch() -> None:
    events = (Event(11.15), Event(23.33), Event(35.18))
    p = problem(48.75, events=events)
    path = best_path(p)
    assert path is not None
    met = anchors(p, path)
    assert [e for _, _, e in met] == list(events)
    keys = [(0.0, 0.0), *((f, s) for f, s, _ in met), (p.length, path.natural)]
    for (f0, s0), (f1, s1) in itertools.pairwise(keys):
        assert abs((s1 - s0) / (f1 - f0) - 1) <= 0.02 + 1e-9
    cue = cue_of(p, path, "song.wav", start=100.0)
    assert cue.tempo_map[0] == (100.0, 0.0)
    assert cue.tempo_map[-1][0] == pytest.approx(148.75)


def test_two_events_too_close_for_the_stretch_are_not_both_met() -> None:
    events = (Event(20.0), Event(20.3))
    p = problem(48.75, events=events)
    path = best_path(p)
    assert path is not None
    assert len(anchors(p, path)) == 1


def test_a_seam_keeps_the_alignment_and_grade() -> None:
    p = problem(33.0)
    path = best_path(p)
    assert path is not None
    jump = path.jumps[0]
    seam = seam_of(p, jump, (0.004, 0.9), 90.0)
    assert seam.into - (p.times[jump[1]] - 0.012) == pytest.approx(0.004)
    assert seam.grade == pytest.approx(0.2)
    cue = cue_of(p, path, "s.wav", seams={jump: seam})
    assert seam in cue.seams


def test_a_tracker_s_jitter_and_slips_are_taken_off_a_rigid_grid():
    rng = np.random.default_rng(3)
    true = 0.3 + np.arange(300) * 0.4615
    heard = true + rng.normal(0, 0.006, 300)
    heard[100:130] += 0.2307  # half a beat off for a while
    heard = np.delete(heard, [50, 51, 200])
    grid = rigid(heard)
    assert grid is not None
    assert grid[0] == pytest.approx(0.4615, abs=2e-5)
    place = np.delete(np.arange(300) % 4 + 1, [50, 51, 200])
    beats = regular([Beat(float(t), int(p), 0.5) for t, p in zip(heard, place, strict=True)], 4)
    assert len(beats) == 300
    assert np.abs(np.array([b.time for b in beats]) - true).max() < 0.003
    assert [b.position for b in beats] == [k % 4 + 1 for k in range(300)]


def test_rubato_is_not_called_rigid():
    rng = np.random.default_rng(4)
    t = np.cumsum(0.5 * np.exp(0.06 * np.cumsum(rng.normal(0, 0.3, 300)) / 3))
    assert rigid(t) is None
    beats = [Beat(float(x), 1, 0.5) for x in t]
    assert len(regular(beats, 4)) == 300


def test_a_pause_is_not_smoothed_away() -> None:
    t = np.concatenate([np.arange(20) * 0.5, 14.0 + np.arange(20) * 0.5])
    assert np.abs(smoothed(t) - t).max() < 0.02


def test_the_bar_is_found_where_it_is_not_known() -> None:
    rng = np.random.default_rng(0)
    X = np.tile(rng.normal(size=(3, 8)), (30, 1)) + 0.1 * rng.normal(size=(90, 8))
    apart = np.linalg.norm(X[:, None] - X[None], axis=-1)
    assert bar_length(apart) == 3
    assert bar_length(apart, 5) == 5


def test_singing_is_kept_from_where_somebody_speaks() -> None:
    """A song sung in every B, which is a third of it; speech in the middle of a cue of its own length."""
    length = 0.25 + 95 * 0.5 + 1.2
    sung = np.zeros(96)
    vocals = [Span(0.25 + 16 * 0.5 * k, 0.25 + 16 * 0.5 * (k + 1)) for k in (1, 3, 5)]
    for k in (1, 3, 5):
        sung[16 * k : 16 * (k + 1)] = 1.0
    talk = (Span(8.5, 16.0), Span(26.0, 31.0))

    def under(path) -> float:
        cue = cue_of(problem(length), path, "x")
        return sum(v.overlap(t) for v in cue_spans(cue, vocals) for t in talk)

    plain, steered = (best_path(problem(length, talk=t, sung=sung)) for t in ((), talk))
    assert plain is not None
    assert steered is not None
    assert plain.runs == ((0, 95),)
    assert under(plain) > 10
    assert under(steered) < 0.35 * under(plain)
    assert abs(steered.ratio - 1) <= 0.015
    for leave, land in steered.jumps:
        assert (leave + 1 - land) % 4 == 0
    silent = best_path(problem(length, talk=talk, sung=np.zeros(96)))
    assert silent is not None
    assert silent.runs == plain.runs


def test_spans_of_the_song_are_found_in_the_cue_through_seams_and_stretch() -> None:
    cue = Cue("x", 10.0, 40.0, song_in=2.0, stretch=2.0, seams=(Seam(12.0, 30.0),), ring_out=4.0)
    # song 2..12 sounds in film 10..15, then song 30..80 in 15..40, ringing out from 36
    found = cue_spans(cue, [Span(0.0, 4.0), Span(11.0, 32.0), Span(70.0, 90.0)])
    assert [(round(s.start, 6), round(s.end, 6)) for s in found] == [
        (10.0, 11.0),
        (14.5, 15.0),
        (15.0, 16.0),
        (35.0, 36.0),
    ]
    assert cue_spans(cue, []) == ()
