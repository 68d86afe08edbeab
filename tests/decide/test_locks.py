# SPDX-License-Identifier: Apache-2.0
"""Locks, an earlier edit, and what cannot all be kept."""

import dataclasses
from fractions import Fraction
from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.decide import cut, locks, styles
from backbeat.decide.problem import CutProblem, Solution
from backbeat.decide.verify import verify
from backbeat.errors import NoEditError
from backbeat.model.plan import Lock
from backbeat.model.timeline import Clip
from kit import shoots


@cache
def first() -> tuple[CutProblem, Solution]:
    problem = CutProblem(shoots.song(24.0), shoots.takes(40), styles.builtin("wright"), Fraction(24), 24 * 24)
    return problem, cut.solve(problem)


def key(clip: Clip) -> tuple[int, int, str, int]:
    return clip.start, clip.frames, clip.take, clip.source_in


def changed(before: Solution, after: Solution) -> int:
    return len({key(c) for c in after.clips} - {key(c) for c in before.clips})


def locked(clip: Clip) -> Lock:
    return Lock("clip", clip.start, clip.end, clip.take, clip.source_in)


def test_nothing_asked_nothing_changed() -> None:
    problem, solution = first()
    again = dataclasses.replace(problem, previous=solution.clips)
    after = cut.solve(again)
    assert verify(after, again) == []
    assert changed(solution, after) == 0


@pytest.mark.parametrize("kind", ["clip", "cut", "forbid", "keep", "take"])
def test_a_lock_is_kept_and_little_else_changes(kind: str) -> None:
    problem, solution = first()
    clip = solution.clips[len(solution.clips) // 2]
    other = next(t for t in problem.takes if t.media.path not in {c.take for c in solution.clips})
    lock = {
        "clip": locked(clip),
        "cut": Lock("cut", clip.start + 4),
        "forbid": Lock("forbid", take=clip.take),
        "keep": Lock("keep", 0, 240),
        "take": Lock("clip", clip.start, clip.start + 24, other.media.path, 3),
    }[kind]
    again = dataclasses.replace(problem, previous=solution.clips, locks=(lock,))
    after = cut.solve(again)
    assert verify(after, again) == []
    assert not after.unmet
    assert changed(solution, after) <= 7
    quick = cut.resolve(dataclasses.replace(problem, locks=(lock,)), solution)
    assert verify(quick, again) == []
    assert changed(solution, quick) <= 7


def test_all_clips_locked_is_the_same_film() -> None:
    problem, solution = first()
    again = dataclasses.replace(problem, previous=solution.clips, locks=tuple(locked(c) for c in solution.clips))
    after = cut.solve(again)
    assert verify(after, again) == []
    assert [key(c) for c in after.clips] == [key(c) for c in solution.clips]
    assert all(c.locked for c in after.clips)


def test_contradictions_name_the_fewest_to_loosen() -> None:
    problem, solution = first()
    clip = solution.clips[4]
    locks = (locked(clip), Lock("cut", clip.start + 2), Lock("cut", clip.start + 5), Lock("forbid", take=clip.take))
    with pytest.raises(NoEditError) as error:
        cut.solve(dataclasses.replace(problem, locks=locks))
    assert error.value.exit_code == 4
    assert error.value.hint.count("the lock on") == 1
    assert clip.take in error.value.hint


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda p: p[0] < p[1]), min_size=1))
def test_no_smaller_set_would_do(pairs: set[tuple[int, int]]) -> None:
    named = locks.fewest(sorted(pairs))
    assert all(i in named or j in named for i, j in pairs)
    for some in combinations(range(9), len(named) - 1):
        assert not all(i in some or j in some for i, j in pairs)


def test_very_many_contradictions_are_answered_too() -> None:
    pairs = [(i, j) for i in range(40) for j in range(i + 1, 40)]
    assert len(locks.fewest(pairs)) == 39


@pytest.mark.parametrize(
    "lock",
    [Lock("clip", 0, 48, "no such take", 0), Lock("clip", 0, 48, "footage/take0000.mp4", 100_000), Lock("cut", 10**6)],
    ids=["missing take", "beyond the take", "beyond the film"],
)
def test_an_impossible_lock_is_said_so(lock: Lock) -> None:
    problem, _ = first()
    with pytest.raises(NoEditError, match="lock"):
        cut.solve(dataclasses.replace(problem, locks=(lock,)))
