# SPDX-License-Identifier: Apache-2.0
"""Deciding again after a lock has changed: sound, near the earlier edit, and proven."""

import dataclasses
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from backbeat.decide import cut, explain, known, locks, patch, prices, styles
from backbeat.decide import given as placed
from backbeat.decide import grid as music
from backbeat.decide import rows as film
from backbeat.decide.columns import Columns
from backbeat.decide.place import Placements, Scene, join, scene
from backbeat.decide.pool import gather
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.stage import expand, sped
from backbeat.decide.verify import verify
from backbeat.errors import NoEditError
from backbeat.model.plan import Lock, Want
from backbeat.model.timeline import Clip
from kit import shoots
from kit.by_hand import best_by_hand

RATES = (Fraction(24), Fraction(25), Fraction(60))
KINDS = ("clip", "cut", "forbid", "keep", "take")


@cache
def first(style: str = "wright", seed: int = 0) -> tuple[CutProblem, Solution]:
    takes = shoots.takes(16, seed=seed, rates=RATES, lengths=(1.5, 6.0))
    wants = (Want(takes[0].media.path, must=True), Want(takes[1].media.path, hero=0.5, latest=0.6))
    problem = CutProblem(shoots.song(12.0, seed=seed), takes, styles.builtin(style), Fraction(24), 12 * 24, wants=wants)
    return problem, cut.solve(problem, sweeps=30)


def places(solution: Solution) -> set[tuple[int, int, str, int, float]]:
    return {explain.place_of(c) for c in solution.clips}


def lock_of(problem: CutProblem, clips: tuple[Clip, ...], kind: str, which: float, off: int) -> Lock:
    """Return a lock of `kind` about the clip at the share `which` of the film, `off` frames beside its cut."""
    clip = clips[int(which * len(clips))]
    take = problem.takes[int(which * len(problem.takes))].media
    at = min(max(clip.start + off, 1), problem.frames - 13)
    return {
        "clip": Lock("clip", clip.start, clip.end, clip.take, clip.source_in),
        "cut": Lock("cut", at),
        "forbid": Lock("forbid", take=clip.take),
        "keep": Lock("keep", clip.start, min(clip.start + 48, problem.frames)),
        "take": Lock("clip", at, at + 12, take.path, max(0, min(off % 5, take.frames - 30))),
    }[kind]


some_locks = st.lists(
    st.tuples(st.sampled_from(KINDS), st.floats(0, 0.99), st.integers(-6, 6)), min_size=1, max_size=3, unique=True
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(style=st.sampled_from(["wright", "romance"]), steps=st.lists(some_locks, min_size=1, max_size=3))
def test_an_editor_at_work_never_breaks_a_rule(
    style: str, steps: list[list[tuple[str, float, int]]]
) -> None:  # locks come and go, each time from the edit before
    problem, before = first(style)
    for step in steps:
        asked = dataclasses.replace(
            problem, previous=before.clips, locks=tuple(lock_of(problem, before.clips, *one) for one in step)
        )
        try:
            locks.settle(asked)
        except NoEditError:
            assume(False)
        after = cut.resolve(asked, before)
        assert verify(after, asked) == []
        assert after == cut.resolve(asked, before)
        for clip in after.clips:
            shown = {(c.take, f) for c in after.clips for f in range(*c.source_span(problem.rate))}
            assert all((a.take, a.source_in) not in shown for a in clip.alternates)
        before = after


def everything(sc: Scene) -> Placements:
    fixed = placed.locked(sc)
    slots, shots = np.indices((len(sc.start), sc.pool.size)).reshape(2, -1)
    free = join([expand(sc, slots, shots), sped(sc), placed.earlier(sc)])
    return join([free.take(~np.isin(free.slot, fixed.slot)), fixed])


@pytest.mark.parametrize("kind", ["cut", "forbid", "take", "clip"])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_after_a_lock_holds_for_every_film(kind: str, seed: int) -> None:
    style = dataclasses.replace(styles.builtin("montage"), hit_on_cut=0.0)
    takes = shoots.takes(3, seed=seed + 5, lengths=(1.2, 1.6), hits=2)
    problem = CutProblem(shoots.song(3.1, seed=seed), takes, style, Fraction(24), 52)
    before = cut.solve(problem)
    lock = lock_of(problem, before.clips, kind, 0.5, 5 if kind in {"cut", "take"} else 0)
    asked = dataclasses.replace(problem, previous=before.clips, locks=(lock,))
    settled = locks.settle(asked)
    sc = scene(settled, music.build(settled), gather(settled))
    truth = best_by_hand(sc, film.build(sc), everything(sc))
    found = cut.resolve(asked, before)
    assert verify(found, asked) == []
    assert found.value <= truth + 1e-6
    assert found.bound >= truth - 1e-6
    assert found.bound <= truth + 0.2 * abs(truth) + 3.0  # and says something


def test_the_bound_stays_close() -> None:
    problem, before = first()
    clip = before.clips[len(before.clips) // 2]
    asked = dataclasses.replace(problem, locks=(Lock("clip", clip.start, clip.end, clip.take, clip.source_in),))
    after = cut.resolve(asked, before)
    # Nothing but the reward for what stands has changed; beside a lock clips may have lengths that are not the style's.
    assert after.value == pytest.approx(before.value + 0.1 * (len(before.clips) - 1), abs=1e-6)
    assert after.bound - after.value <= before.bound - before.value + 0.5


def test_what_stands_keeps_what_is_known_of_it() -> None:
    problem, before = first()
    clip = before.clips[6]
    other = next(t for t in problem.takes if t.media.path not in {c.take for c in before.clips})
    asked = dataclasses.replace(problem, locks=(Lock("clip", clip.start, clip.end, other.media.path, 0),))
    after = cut.resolve(asked, before)
    far = {c.start: c for c in before.clips[:3] if c.alternates}
    assert far
    for now in (c for c in after.clips if c.start in far):
        assert explain.place_of(now) == explain.place_of(far[now.start])
        assert {a.take for a in now.alternates} >= {a.take for a in far[now.start].alternates} - {other.media.path}
        assert ("kept", 0.1) in now.terms
    again = cut.resolve(dataclasses.replace(asked, previous=after.clips), after)
    assert again.clips[0] == after.clips[0]


def test_another_question_is_decided_afresh() -> None:
    """A different style is no matter of locks: the old prices prove nothing, and are not used."""
    problem, before = first()
    other = dataclasses.replace(problem, style=styles.builtin("chase"))
    after = cut.resolve(other, before)
    assert verify(after, dataclasses.replace(other, previous=before.clips)) == []
    assert after == cut.solve(dataclasses.replace(other, previous=before.clips))


def test_a_part_of_a_scene_is_worth_what_it_is_worth_in_the_whole() -> None:
    problem, _ = first()
    sc = scene(problem, music.build(problem), gather(problem))
    rows = film.build(sc)
    some = (sc.start >= 60) & (sc.end <= 200)
    at = prices.start_prices(sc, rows)
    whole, part = Columns(sc, rows), Columns(known.only(sc, some), rows)
    assert part.tops(at) == pytest.approx(whole.tops(at)[some], abs=1e-9)


def test_windows_widen_where_they_starve() -> None:
    """Hardly any footage is free: the clip that gives way to a lock needs more room than its own window."""
    song = shoots.song(12.0, seed=3)
    takes = shoots.takes(6, seed=3, lengths=(2.2, 3.0))
    problem = CutProblem(song, takes, styles.builtin("wright"), Fraction(24), 12 * 24)
    before = cut.solve(problem, sweeps=30)
    assert not before.unmet
    # One take is locked where another stood, so its own place must be filled with what is left.
    clip, far = before.clips[0], before.clips[-1]
    frames = min(clip.frames, far.frames)
    asked = dataclasses.replace(
        problem, previous=before.clips,
        locks=(Lock("clip", clip.start, clip.start + frames, far.take, far.source_in),),
    )  # fmt: skip
    after = cut.resolve(asked, before)
    assert verify(after, asked) == []
    assert not after.unmet
    sc = scene(asked, music.build(asked), gather(asked))
    old = patch.standing(sc)
    assert old is not None
    assert (old.where < 0).sum() >= 2


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    shots=st.integers(3, 14),
    windows=st.lists(st.tuples(st.integers(0, 13), st.floats(0, 0.7), st.booleans()), max_size=3),
    asked=st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0, 0.99), st.integers(-6, 6)), max_size=2, unique=True),
    order=st.sampled_from(["free", "free", "name", "time"]),
    reuse=st.booleans(),
    seed=st.integers(0, 30),
)
def test_windows_bans_locks_and_orders_together(
    shots: int,
    windows: list[tuple[int, float, bool]],
    asked: list[tuple[str, float, int]],
    order: str,
    reuse: bool,
    seed: int,
) -> None:  # decided afresh, with nothing known
    takes = shoots.takes(shots, seed=seed, rates=RATES, lengths=(1.5, 6.0))
    wants = {
        takes[i].media.path: Want(takes[i].media.path, must=must, earliest=at, latest=at + 0.3)
        for i, at, must in windows
        if i < shots
    }
    problem = CutProblem(
        shoots.song(8.0, seed=seed), takes, styles.builtin("wright"), Fraction(24), 8 * 24, order=order, reuse=reuse,
        wants=tuple(wants.values()),
    )  # fmt: skip
    whole = tuple(Clip(s, 24, takes[0].media.path, 0, takes[0].media.rate) for s in range(0, 192, 24))
    wished = dataclasses.replace(
        problem, locks=tuple(lock_of(problem, whole, *one) for one in asked if one[0] != "keep")
    )
    try:
        locks.settle(wished)
    except NoEditError:
        assume(False)
    found = cut.solve(wished, sweeps=20)
    assert verify(found, wished) == []
    assert found.bound >= found.value
