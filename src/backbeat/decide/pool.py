# SPDX-License-Identifier: Apache-2.0
"""The footage as flat arrays: one row a shot, one row a hit, one axis of source frames."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from backbeat.decide import terms
from backbeat.decide.problem import CutProblem
from backbeat.model.footage import Shot, Take
from backbeat.model.song import Section

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pool:
    """Shots in playing order (name, time, story where asked), `n` of them.

    `start`, `end` [n]: usable range in source frames; `base` [n] shifts them onto one axis of `total` frames on which
    no two takes share a place. `rate` [n] float, `rate_id` [n] into `rates`. `hit_ptr` [n + 1] into `hit_time` (source
    seconds, rising within a shot) and `hit_strength`. `take` [n] into `CutProblem.takes`; `shot` [n] its index there.
    `early`, `late` [n]: film share 0..1 in which the shot may stand. `talks` [n]: speech overlaps it. `way` [n, 2] is
    the direction of its motion, of length 1 or 0. `tagged` [n, sections]: its log gives it to this section of the song.
    """

    take: Ints
    shot: Ints
    start: Ints
    end: Ints
    base: Ints
    total: int
    rate: Floats
    rate_id: Ints
    rates: tuple[Fraction, ...]
    quality: Floats
    motion: Floats
    group: Ints
    bonus: Floats
    hero: Floats
    early: Floats
    late: Floats
    talks: NDArray[np.bool_]
    way: Floats
    tagged: NDArray[np.bool_]
    hit_ptr: Ints
    hit_time: Floats
    hit_strength: Floats

    @property
    def size(self) -> int:
        """How many shots."""
        return len(self.start)


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which ``A2`` comes before ``A10``."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p.casefold()) for p in re.split(r"(\d+)", text) if p]


def take_order(takes: tuple[Take, ...], order: str) -> list[int]:
    """Return the indices of `takes` in playing order; free order keeps them as given."""
    index = range(len(takes))
    if order == "name":
        return sorted(index, key=lambda i: natural(takes[i].media.path))
    if order == "time":
        return sorted(index, key=lambda i: (takes[i].shot_at, natural(takes[i].media.path)))
    if order == "story":
        log = [t.log for t in takes]
        return sorted(
            index, key=lambda i: (natural(log[i].scene), natural(log[i].number), natural(takes[i].media.path))
        )
    return list(index)


def shot_motion(shot: Shot) -> float:
    """Return the motion 0..1 that is matched with the music."""
    return min(max(shot.motion, 0.0), 1.0)


def shot_way(shot: Shot) -> tuple[float, float]:
    """Return the direction of a shot's motion as a vector of length 1; of length 0 where it hardly moves."""
    if shot.direction is None or shot.motion < terms.MOVING:
        return 0.0, 0.0
    return math.cos(math.radians(shot.direction)), math.sin(math.radians(shot.direction))


def is_for(take: Take, section: Section) -> bool:
    """Whether the take's log tags it with the role or the label of `section`."""
    names = {section.role.casefold(), section.label.casefold()} - {""}
    return any(tag.casefold() in names for tag in take.log.tags)


def gather(problem: CutProblem) -> Pool:
    """Return the usable footage of `problem`: forbidden takes and empty shots are left out."""
    forbidden = {lock.take for lock in problem.locks if lock.kind == "forbid"}
    wants = {want.take: want for want in problem.wants}
    rows: list[tuple[int, Take, int, Shot]] = []
    for t in take_order(problem.takes, problem.order):
        take = problem.takes[t]
        if take.media.path in forbidden:
            continue
        rows += [
            (t, take, s, shot)
            for s, shot in enumerate(sorted(take.shots, key=lambda x: x.start_frame))
            if shot.end_frame > shot.start_frame
        ]
    rates = tuple(sorted({take.media.rate for _, take, _, _ in rows}))
    hits = [
        sorted(
            (h.time, h.strength)
            for h in shot.hits
            if shot.start_frame <= h.time * float(take.media.rate) < shot.end_frame
        )
        for _, take, _, shot in rows
    ]
    lengths = np.array([max((s.end_frame for s in t.shots), default=0) for t in problem.takes], np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    # In story order the axis itself runs in playing order, so "later in the film" is "further along the axis".
    place = np.zeros(len(problem.takes), np.int64)
    at = 0
    for t in take_order(problem.takes, problem.order):
        place[t] = at
        at += int(lengths[t])
    flat = [h for shot in hits for h in shot]
    wanted = [wants.get(take.media.path) for _, take, _, _ in rows]
    return Pool(
        take=np.array([t for t, *_ in rows], np.int64),
        shot=np.array([shot.index for *_, shot in rows], np.int64),
        start=np.array([shot.start_frame for *_, shot in rows], np.int64),
        end=np.array([shot.end_frame for *_, shot in rows], np.int64),
        base=np.array([place[t] for t, *_ in rows], np.int64),
        total=int(offsets[-1]),
        rate=np.array([float(take.media.rate) for _, take, _, _ in rows]),
        rate_id=np.array([rates.index(take.media.rate) for _, take, _, _ in rows], np.int64),
        rates=rates,
        quality=np.array([shot.quality for *_, shot in rows], float),
        motion=np.array([shot_motion(shot) for *_, shot in rows], float),
        group=_groups(rows),
        bonus=np.array([1.0 if take.log.circled else 0.0 for _, take, _, _ in rows]),
        hero=np.array([w.hero if w else 0.0 for w in wanted]),
        early=np.array([w.earliest if w else 0.0 for w in wanted]),
        late=np.array([w.latest if w else 1.0 for w in wanted]),
        talks=np.array([_talks(take, shot) for _, take, _, shot in rows], bool),
        way=np.array([shot_way(shot) for *_, shot in rows]).reshape(-1, 2),
        tagged=np.array(
            [[is_for(take, section) for section in problem.song.sections] for _, take, _, _ in rows], bool
        ).reshape(len(rows), len(problem.song.sections)),
        hit_ptr=np.concatenate([[0], np.cumsum([len(h) for h in hits])]).astype(np.int64),
        hit_time=np.array([t for t, _ in flat], float),
        hit_strength=np.array([s for _, s in flat], float),
    )


def _talks(take: Take, shot: Shot) -> bool:
    rate = float(take.media.rate)
    return any(s.span.start * rate < shot.end_frame and s.span.end * rate > shot.start_frame for s in take.speech)


def _groups(rows: list[tuple[int, Take, int, Shot]]) -> Ints:
    """Return the number of each shot's set-up; a shot of unknown group is one of its own."""
    known: dict[tuple[str, int, int], int] = {}
    out = []
    for t, _, s, shot in rows:
        key = ("group", shot.group, 0) if shot.group >= 0 else ("own", t, s)
        out.append(known.setdefault(key, len(known)))
    return np.array(out, np.int64)
