# SPDX-License-Identifier: Apache-2.0
"""Placements that are given, not searched: locked clips, and those of an earlier edit, worth a little more."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from backbeat.decide import explain, locks, terms
from backbeat.decide.place import Placements, Scene, none, offset_at
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.stage import weigh
from backbeat.model.timeline import Clip


def locked(sc: Scene) -> Placements:
    """Return the placements of the clip locks, one for each slot that a lock fills."""
    clips = [locks.as_clip(lock, sc.problem) for lock in sc.problem.locks if lock.kind == "clip"]
    return of_clips(sc, clips)[0]


def earlier(sc: Scene) -> Placements:
    """Return the placements of the earlier edit that may stand where they stood."""
    return standing(sc)[0]


def standing(sc: Scene) -> tuple[Placements, Ints]:
    """Return the placements of the earlier edit that may stand where they stood, and which clip of it each is."""
    low, high = sc.problem.style.speed
    banned = forbidden(sc)
    index = [
        i for i, clip in enumerate(sc.problem.previous) if clip.take not in banned and low <= clip.speed.factor <= high
    ]
    plain = [_unlocked(sc.problem.previous[i]) for i in index]
    p, which = of_clips(sc, plain)
    return dataclasses.replace(p, value=p.value + terms.KEPT), np.asarray(np.array(index, np.int64)[which])


def forbidden(sc: Scene) -> set[str]:
    """Return the takes that may not be used."""
    return {lock.take for lock in sc.problem.locks if lock.kind == "forbid"}


def _unlocked(clip: Clip) -> Clip:
    return dataclasses.replace(clip, locked=False) if clip.locked else clip


def of_clips(sc: Scene, clips: Sequence[Clip]) -> tuple[Placements, Ints]:
    """Return `clips` as placements, and the index of each one's clip.

    Those in no slot, and those in no usable range or outside their window and not locked, have none.
    """
    takes = {take.media.path: (t, take) for t, take in enumerate(sc.problem.takes)}
    pool, place = sc.pool, slots_of(sc, np.array([(c.start, c.end) for c in clips], np.int64).reshape(-1, 2)).tolist()
    rows: list[tuple[int, int, int, float, int]] = []
    for i, (slot, clip) in enumerate(zip(place, clips, strict=True)):
        if slot < 0 or clip.take not in takes:
            continue
        t, take = takes[clip.take]
        found = explain.find_shot({clip.take: take}, clip, sc.problem.rate)
        if found is None:
            continue
        shot = found[1]
        row = np.flatnonzero((pool.take == t) & (pool.shot == shot.index) & (pool.start == shot.start_frame))
        if len(row) and (clip.locked or _in_window(sc, clip, int(row[0]))):
            rows.append((slot, int(row[0]), clip.source_in, clip.speed.factor, i))
    if not rows:
        return none(), np.zeros(0, np.int64)
    slot_of, shot_of, low, factor, which = (np.array(column) for column in zip(*rows, strict=True))
    return _valued(sc, slot_of, shot_of, low, factor.astype(float)), which


def slots_of(sc: Scene, spans: Ints) -> Ints:
    """Return the slot of each record span [n, 2], -1 for those of none."""
    if not len(sc.start):
        return np.full(len(spans), -1)
    key = sc.start * (sc.problem.frames + 1) + sc.end
    place = np.minimum(np.searchsorted(key, spans[:, 0] * (sc.problem.frames + 1) + spans[:, 1]), len(key) - 1)
    same = (sc.start[place] == spans[:, 0]) & (sc.end[place] == spans[:, 1])
    return np.asarray(np.where(same, place, -1))


def _valued(sc: Scene, slot: Ints, shot: Ints, low: Ints, factor: Floats) -> Placements:
    """Return the placements that show `shot` from source frame `low` at speed `factor`."""
    pool, frames = sc.pool, sc.end[slot] - sc.start[slot]
    sped = low + offset_at((frames - 1) / float(sc.problem.rate) * factor, pool.rate[shot]) + 1
    high = np.where(factor == 1.0, low + sc.span[slot, pool.rate_id[shot]], sped)
    return weigh(sc, slot, shot, low, high, factor)


def _in_window(sc: Scene, clip: Clip, row: int) -> bool:
    frames = sc.problem.frames
    early, late = sc.pool.early[row] * frames, sc.pool.late[row] * frames
    return bool(early - 1e-6 <= clip.start and clip.end <= late + 1e-6)
