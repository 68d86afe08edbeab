# SPDX-License-Identifier: Apache-2.0
"""What the editor has fixed: kept spans become clips, contradictions are named, with the least that mends them."""

from __future__ import annotations

import dataclasses
from itertools import combinations

from backbeat.decide.problem import CutProblem
from backbeat.errors import NoEditError
from backbeat.model.plan import Lock
from backbeat.model.time import clock
from backbeat.model.timeline import NORMAL, Clip, Speed

KINDS = ("clip", "cut", "forbid", "keep")
Pair = tuple[int, int]
MOST = 10  # locks to loosen, up to which the smallest set is found for sure


def settle(problem: CutProblem) -> CutProblem:
    """Return `problem` with each kept span as locks on the clips that it meets, and each lock once.

    Raises
    ------
    NoEditError
        If locks contradict each other or the footage; the hint names the fewest to loosen.
    """
    locks = list(dict.fromkeys(_opened(problem)))
    alone = {i: why for i, lock in enumerate(locks) if (why := _impossible(lock, problem))}
    pairs = {
        (i, j): why
        for i, j in combinations(range(len(locks)), 2)
        if i not in alone and j not in alone and (why := _contradict(locks[i], locks[j], problem))
    }
    if alone or pairs:
        reasons = [*alone.values(), *pairs.values()]
        loosen = [locks[i] for i in sorted({*alone, *fewest(list(pairs))})]
        more = f", and {len(reasons) - 2} more" if len(reasons) > 2 else ""
        raise NoEditError(
            f"the locks cannot all be kept: {'; '.join(reasons[:2])}{more}",
            f"loosen {' and '.join(name(lock, problem) for lock in loosen)}",
        )
    return dataclasses.replace(problem, locks=tuple(locks))


def _opened(problem: CutProblem) -> list[Lock]:
    out = []
    for lock in problem.locks:
        if lock.kind not in KINDS:
            raise NoEditError(f"no lock of the kind {lock.kind!r}", f"use {', '.join(KINDS)}")
        if lock.kind != "keep":
            out.append(dataclasses.replace(lock, note=""))
            continue
        out += [
            Lock("clip", clip.start, clip.end, clip.take, clip.source_in)
            for clip in problem.previous
            if clip.start < lock.end and clip.end > lock.start and clip.take
        ]
    return out


def name(lock: Lock, problem: CutProblem) -> str:
    """Return what a person calls `lock`."""
    at = clock(float(lock.start / problem.rate))
    if lock.kind == "clip":
        return f"the lock on {lock.take} at {at}"
    return f"the lock on the cut at {at}" if lock.kind == "cut" else f"the ban on {lock.take}"


def _impossible(lock: Lock, problem: CutProblem) -> str:
    """Return why `lock` cannot be kept by itself, "" if it can."""
    if lock.kind == "forbid":
        return ""
    if lock.kind == "cut":
        inside = 0 < lock.start < problem.frames
        return "" if inside else f"{name(lock, problem)} lies outside the film"
    take = next((t for t in problem.takes if t.media.path == lock.take), None)
    if take is None:
        return f"{lock.take} is locked but not among the footage"
    if not 0 <= lock.start < lock.end <= problem.frames:
        return f"{name(lock, problem)} lies outside the film"
    low, high = as_clip(lock, problem).source_span(problem.rate)
    if low < 0 or high > take.media.frames:
        return f"{name(lock, problem)} asks for source frames {low} to {high - 1} of {take.media.frames}"
    return ""


def _contradict(one: Lock, other: Lock, problem: CutProblem) -> str:
    """Return why two locks cannot both be kept, "" if they can."""
    kinds = {one.kind, other.kind}
    if kinds == {"clip"}:
        if one.start < other.end and other.start < one.end:
            return f"{name(one, problem)} and {name(other, problem)} overlap"
        if one.take == other.take and not problem.reuse:
            a, b = (as_clip(x, problem).source_span(problem.rate) for x in (one, other))
            if a[0] < b[1] and b[0] < a[1]:
                return f"{name(one, problem)} and {name(other, problem)} show the same source frames"
    if kinds == {"clip", "cut"}:
        clip, cut = (one, other) if one.kind == "clip" else (other, one)
        if clip.start < cut.start < clip.end:
            return f"{name(cut, problem)} falls inside {name(clip, problem)}"
    if kinds == {"clip", "forbid"} and one.take == other.take:
        return f"{one.take} is locked and banned"
    return ""


def fewest(pairs: list[Pair]) -> list[int]:
    """Return the fewest locks that touch every contradicting pair: the smallest set to loosen, of equals the first."""
    for size in range(1, MOST + 1):
        found = _cover(pairs, size)
        if found is not None:
            return sorted(found)
    out: list[int] = []  # very many: the one in most of them first, which may be a few more than needed
    left = list(pairs)
    while left:
        worst = max(sorted({i for pair in left for i in pair}), key=lambda i: sum(i in pair for pair in left))
        out.append(worst)
        left = [pair for pair in left if worst not in pair]
    return sorted(out)


def _cover(pairs: list[Pair], size: int) -> list[int] | None:
    """Return `size` locks or fewer that touch all `pairs`, None if there are none: one of the first pair must go."""
    if not pairs:
        return []
    if not size:
        return None
    for one in pairs[0]:
        rest = _cover([pair for pair in pairs if one not in pair], size - 1)
        if rest is not None:
            return [one, *rest]
    return None


def as_clip(lock: Lock, problem: CutProblem) -> Clip:
    """Return the clip that a clip lock asks for; its speed is that of the earlier edit's clip, if that is the one."""
    take = next(t for t in problem.takes if t.media.path == lock.take)
    return Clip(
        start=lock.start,
        frames=lock.end - lock.start,
        take=lock.take,
        source_in=lock.source_in,
        source_rate=take.media.rate,
        speed=speed_of(lock, problem),
        locked=True,
    )


def speed_of(lock: Lock, problem: CutProblem) -> Speed:
    """Return the speed at which a locked clip plays."""
    for clip in problem.previous:
        if (clip.start, clip.take, clip.source_in) == (lock.start, lock.take, lock.source_in):
            return clip.speed
    return NORMAL
