# SPDX-License-Identifier: Apache-2.0
import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backbeat.decide import align, align_edit, align_scene, align_tighten
from backbeat.decide.align import FREE, Change, Grid, Limits, SyncShot
from backbeat.decide.align_scene import Piece
from backbeat.model.footage import Hit
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Marker, Timeline, Track

RATE = Fraction(24)


def grid(seconds: float = 400.0, bpm: float = 120.0) -> Grid:
    times = np.arange(0, seconds, 60 / bpm)
    return Grid(tuple(times), tuple(np.where(np.arange(len(times)) % 4 == 0, 1.0, 0.75)))


def plant(n: int, seed: int, *, jitter: int = 5, talk: float = 0.4) -> tuple[list[SyncShot], float]:
    """A scene that was perfect at 120 bpm, each cut then disturbed by up to `jitter` frames either side."""
    rng = np.random.default_rng(seed)
    per = 12.0
    shots, cut = [], 0.0
    for _ in range(n):
        beats = int(rng.choice([1, 2, 4, 8], p=[0.1, 0.4, 0.4, 0.1]))
        k = min(beats, int(rng.integers(0, 4)))
        on = np.sort(rng.choice(np.arange(beats), k, replace=False)) * per
        head, tail = (int(v) for v in rng.integers(-jitter, jitter + 1, 2))
        frames = max(8, round(beats * per) - head + tail)
        hits = tuple((float(t - head), float(rng.uniform(0.4, 1))) for t in on if 0 <= t - head < frames)
        quiet = 3 if rng.random() < talk else FREE
        shots.append(SyncShot(frames, 20, 20, hits, quiet, quiet, speeds=(0.97, 1.03)))
        cut += beats * per
    return shots, per


def on_grid(frames, per: float, song_in: float) -> float:
    phase = (np.asarray(frames, float) + song_in * 24 + per / 2) % per - per / 2
    return float((np.abs(phase) <= 1.01).mean())


@pytest.mark.parametrize(("seed", "talk"), [(1, 0.0), (2, 0.4), (3, 0.4)])
def test_a_disturbed_edit_comes_back_onto_the_beat(seed, talk):
    shots, per = plant(80, seed, talk=talk)
    found = align.sync(shots, grid(), RATE, Limits(), np.arange(0, 4, 1 / 48))
    assert found is not None
    starts = align.cuts_of(shots)
    hits = [
        c.start + (h - c.head) / c.speed
        for c, s in zip(found.changes, shots, strict=True)
        for h, _ in s.hits
        if h >= c.head
    ]
    assert on_grid([c.start for c in found.changes[1:]], per, found.song_in) >= 0.95
    assert on_grid(hits, per, found.song_in) >= 0.95
    assert abs(found.changes[-1].end - starts[-1]) <= 5
    for a, b in itertools.pairwise(found.changes):
        assert a.end == b.start
    for change, shot in zip(found.changes, shots, strict=True):
        assert change.head >= -shot.before
        assert change.head <= min(12, shot.head_free)
        assert -min(12, shot.tail_free) - 0.01 <= change.tail <= min(12, shot.after) + 0.01
        length = change.end - change.start
        assert length * change.speed + change.head - shot.frames == pytest.approx(change.tail)


def test_every_candidate_offset_of_a_long_scene_is_cheap():
    import time

    shots, _ = plant(250, 5)
    began = time.process_time()
    found = align.sync(shots, grid(), RATE, Limits(), np.arange(0, 60, 1 / 48))
    assert found is not None
    assert time.process_time() - began < 3.0  # measured 0.4 s on a quiet machine


def _brute(shots, g, song_in, limits):  # noqa: PLR0912
    """Every combination of head, speed and length, priced as the solver prices."""
    starts = align.cuts_of(shots)
    cut_worth, hit_worth = align.rewards(g, song_in, int(starts[-1]) + limits.drift + 2 * limits.trim + 2, RATE)
    choices = []
    for shot in shots:
        rows = []
        for head in range(-min(shot.before, limits.trim), limits.trim + 1):
            for d in range(-limits.trim, limits.trim + 1):
                for speed in (1.0, *shot.speeds):
                    tail = (shot.frames + d) * speed + head - shot.frames
                    most = min(limits.trim, max(0, shot.frames - limits.shortest))
                    slip = min(abs(head), abs(tail)) if head * tail > 0 else 0
                    if head > min(most, shot.head_free) or tail > min(shot.after, limits.trim) + 0.01:
                        continue
                    if -tail > min(most, shot.tail_free) + 0.01 or slip > limits.slip + 0.01:
                        continue
                    if shot.frames + d < limits.shortest:
                        continue
                    cost = 0.006 * (abs(head) + abs(tail)) + abs(math.log(speed)) + 0.008 * abs(d)
                    rows.append((head, d, speed, cost))
        choices.append(rows)
    best = -np.inf
    for combo in itertools.product(*choices):
        at, value = 0, 0.0
        for i, (shot, (head, d, speed, cost)) in enumerate(zip(shots, combo, strict=True)):
            if i:
                value += cut_worth[at]
            value -= cost
            for offset, strength in shot.hits:
                place = math.floor((offset - head) / speed + 0.5)
                if 0 <= place < shot.frames + d:
                    value += strength * hit_worth[at + place]
                else:
                    value -= 0.3 * strength
            at += shot.frames + d
            if abs(at - starts[i + 1]) > limits.drift:
                break
        else:
            away = abs(at - starts[-1])
            if away <= limits.runtime:
                best = max(best, value - 0.02 * away)
    return best


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_search_finds_what_enumeration_finds(seed):
    rng = np.random.default_rng(seed)
    limits = Limits(runtime=3, trim=2, slip=1, shortest=4, drift=4)
    shots = [
        SyncShot(
            int(rng.integers(8, 20)),
            int(rng.integers(0, 3)),
            int(rng.integers(0, 3)),
            tuple((float(rng.integers(0, 20)), float(rng.uniform(0.3, 1))) for _ in range(rng.integers(0, 3))),
            int(rng.integers(0, 4)),
            int(rng.integers(0, 4)),
            speeds=(0.95,) if rng.random() < 0.5 else (),
        )
        for _ in range(3)
    ]
    song_in = float(rng.uniform(0, 1))
    found = align.solve(shots, grid(20), song_in, RATE, limits)
    assert found is not None
    assert found.value == pytest.approx(_brute(shots, grid(20), song_in, limits), abs=1e-4)


def test_what_is_fixed_stays_and_no_way_is_none():
    shots = [SyncShot(30, 20, 20), SyncShot(31, fixed=True), SyncShot(29, 20, 20)]
    found = align.solve(shots, grid(20), 0.1, RATE, Limits())
    assert found is not None
    middle = found.changes[1]
    assert (middle.head, middle.tail, middle.speed, middle.end - middle.start) == (0, 0, 1.0, 31)
    assert align.solve([SyncShot(30, fixed=True)], grid(20), 0, RATE, Limits(runtime=2), shorten=0) is not None


def pieces(words=(), *, lengths=(60, 72, 66), handles=20, hits=()) -> tuple[Piece, ...]:
    """Pieces of one take each; `words` are (piece, start, end) in seconds after the piece's start."""
    out, start = [], 0
    for i, frames in enumerate(lengths):
        clip = Clip(start, frames, f"take{i}.mov", handles, RATE, name=f"shot {i}", sound_gain_db=0.0)
        first = handles / 24
        said = tuple(Span(first + a, first + z) for k, a, z in words if k == i)
        felt = tuple(Hit(first + t, 0.9) for k, t in hits if k == i)
        out.append(Piece(clip, 0, frames + 2 * handles, said, felt, cut=bool(out)))
        start += frames
    return tuple(out)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
@example(9173)  # a word over the clip's own edge, a hundredth of a frame trimmed at 103 %
@example(4971)
def test_no_word_is_ever_cut(seed):
    rng = np.random.default_rng(seed)
    lengths = [int(n) for n in rng.integers(30, 120, 6)]
    words = []
    for i, frames in enumerate(lengths):
        t = float(rng.uniform(-0.8, 0.6))
        while t < frames / 24 + 0.8 and len(words) < 30:
            z = t + float(rng.uniform(0.15, 0.9))
            if rng.random() < 0.6:
                words.append((i, t, z))
            t = z + float(rng.uniform(0.05, 0.8))
    scene = pieces(words, lengths=lengths)
    shots = align_scene.shots_of(scene, RATE, Limits())
    found = align.sync(shots, grid(60), RATE, Limits(), np.arange(0, 2, 1 / 24), keep=1)
    assert found is not None
    assert align_edit.cut_words(scene, found.changes, RATE) == ()
    for piece, change in zip(scene, found.changes, strict=True):
        if any(w.overlap(Span(20 / 24, 20 / 24 + piece.clip.frames / 24)) > 0 for w in piece.words):
            assert 0.97 <= change.speed <= 1.03


def test_the_watchman_sees_a_cut_word():
    scene = pieces([(0, 2.0, 2.4)])
    shots = [Change(0, 55, 0, -5, 1.0), Change(55, 127, 0, 0, 1.0), Change(127, 193, 0, 0, 1.0)]
    assert align_edit.cut_words(scene, shots, RATE) == ()  # the sound is carried over
    wrong = [Change(0, 60, 3, 3, 1.0), *shots[1:]]
    assert align_edit.cut_words(pieces([(0, 0.0, 0.4)]), wrong, RATE)


def test_a_sentence_is_carried_over_a_picture_cut():
    scene = pieces([(0, 1.5, 2.45)])
    changes = (Change(0, 54, 0, -6, 1.0), Change(54, 126, 0, 0, 1.0), Change(126, 192, 0, 0, 1.0))
    over = align_edit.carried(scene, changes, RATE)
    assert over[0] == 6
    first, second = align_edit.production(scene, changes, RATE).clips[:2]
    assert (first.start, first.end) == (0, 60)
    assert (second.start, second.source_in) == (60, 20 + 6)
    later = (Change(0, 60, 0, 0, 1.0), Change(60, 126, 6, 0, 1.0), Change(126, 192, 0, 0, 1.0))
    early = pieces([(1, 0.1, 1.0)])
    assert align_edit.carried(early, later, RATE)[0] == -6  # to 60 ms before the word, whole frames
    a, b = align_edit.production(early, later, RATE).clips[:2]
    assert a.end == b.start == 54
    assert b.source_in == 20 + 6 - 6


def test_a_word_that_the_scene_cut_stays_as_it_was():
    over_the_edge = pieces([(0, 2.0, 2.9)])  # the picture ends at 2.5 s
    trimmed = 60 - 6.4
    changes = (Change(0, 52, 0, 52 * 1.03 - 60, 1.03), Change(52, 124, 0, 0, 1.0), Change(124, 190, 0, 0, 1.0))
    assert changes[0].tail == pytest.approx(trimmed - 60, abs=0.1)
    assert align_edit.carried(over_the_edge, changes, RATE)[0] == 6  # 6.4 / 1.03 film frames, not 7
    assert align_edit.cut_words(over_the_edge, changes, RATE) == ()
    hair = (replace(changes[0], end=58, tail=-0.01), *changes[1:])
    assert align_edit.carried(over_the_edge, hair, RATE)[0] == 0


def test_sound_from_both_sides_never_meets_on_a_silent_shot():
    scene = pieces([(0, 1.5, 2.45), (2, 0.05, 1.0)], lengths=(60, 14, 66))
    first, middle, last = align_scene.shots_of(scene, RATE, Limits())
    assert middle.head_free == FREE
    assert 0 < first.tail_over + last.head_over <= 6  # what stays of it when it is trimmed most
    longer = align_scene.shots_of(pieces([(0, 1.5, 2.45), (2, 0.05, 1.0)], lengths=(60, 60, 66)), RATE, Limits())
    assert (longer[0].tail_over, longer[2].head_over) == (12, 12)


def test_the_list_of_changes_reads_like_an_editor_s():
    scene = pieces()
    changes = (Change(0, 57, 3, 0, 1.0), Change(57, 129, 2, 2, 1.0), Change(129, 195, 0, 0.0, 1.0))
    told = align_edit.changes_of(scene, changes)
    assert told[0].says == "shot 1: head -3 frames"
    assert told[1].says == "shot 2: slip +2"
    assert told[2].says == ""


def test_names_markers_and_metadata_stay_and_changes_are_marked():
    scene = pieces()
    clips = tuple(p.clip for p in scene)
    timeline = Timeline(
        "scene", RATE, 64, 36, 198, (Track(clips),), markers=(Marker(80 / 24, "note", "look"),), metadata=(("k", "v"),)
    )
    changes = (Change(0, 55, 5, 0.0, 1.0), Change(55, 127, 0, 0.0, 1.0), Change(127, 193, 0, 0.0, 1.0))
    made = align_edit.edited(timeline, scene, changes)
    assert made.frames == 193
    assert [c.name for c in made.tracks[0].clips] == ["shot 0", "shot 1", "shot 2"]
    assert made.metadata == (("k", "v"),)
    look = next(m for m in made.markers if m.name == "look")
    assert look.time == pytest.approx(75 / 24)
    assert any(m.name == "shot 1: head -5 frames" for m in made.markers)
    assert made.tracks[0].clips[0].source_in == 25


def test_drag_goes_first_where_nothing_moves_or_is_said():
    still = Span(20 / 24 + 1.0, 20 / 24 + 8.0)
    scene = list(pieces([(1, 0.5, 2.5)], lengths=(190, 72, 66)))
    scene[0] = Piece(
        **{f: getattr(scene[0], f) for f in ("clip", "low", "high", "words", "hits", "cut")}, calm=(still,)
    )
    tight, taken = align_tighten.tightened(scene, RATE, 48)
    assert [t.piece for t in taken] == [0]
    assert taken[0].tail == 48
    assert tight[0].clip.frames == 142
    assert tight[1].clip.start == 142
    back = align_tighten.against([Change(0, 140, 0, -2, 1.0)], taken)
    assert back[0].tail == -50
    none, nothing = align_tighten.tightened(scene, RATE, 0)
    assert nothing == ()
    assert [p.clip for p in none] == [p.clip for p in scene]


def test_tracks_are_flattened_to_what_is_seen():
    low = Track((Clip(0, 48, "a", 0, RATE), Clip(60, 40, "b", 0, RATE)))
    high = Track((Clip(12, 12, "c", 5, RATE),))
    timeline = Timeline("t", RATE, 64, 36, 100, (low, high))
    seen = align_scene.flattened(timeline)
    assert [(c.start, c.frames, c.take, c.source_in) for c in seen] == [
        (0, 12, "a", 0), (12, 12, "c", 5), (24, 24, "a", 24), (48, 12, "", 0), (60, 40, "b", 0),
    ]  # fmt: skip
