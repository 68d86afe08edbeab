# SPDX-License-Identifier: Apache-2.0
"""Placements that are given, not searched: locked clips, and those of an earlier edit, worth a little more."""

from __future__ import annotations

import dataclasses

import numpy as np

from backbeat.decide import explain, locks, terms
from backbeat.decide.place import Placements, Scene, join, offset_at, plain_worth, sync
from backbeat.model.timeline import Clip


def locked(sc: Scene) -> Placements:
    """Return the placements of the clip locks, one for each slot that a lock fills."""
    takes = explain.by_path(sc.problem)
    clips = [locks.as_clip(lock, sc.problem) for lock in sc.problem.locks if lock.kind == "clip"]
    return join([nothing(), *(p for clip in clips if (p := of_clip(sc, clip, takes)) is not None)])


def earlier(sc: Scene) -> Placements:
    """Return the placements of the earlier edit that may stand where they stood."""
    forbidden = {lock.take for lock in sc.problem.locks if lock.kind == "forbid"}
    low, high = sc.problem.style.speed
    parts, takes = [nothing()], explain.by_path(sc.problem)
    for clip in sc.problem.previous:
        if clip.take in forbidden or not low <= clip.speed.factor <= high:
            continue
        p = of_clip(sc, dataclasses.replace(clip, locked=False), takes)
        if p is not None:
            parts.append(dataclasses.replace(p, value=p.value + terms.KEPT))
    return join(parts)


def nothing() -> Placements:
    """Return no placements."""
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Placements(ints, ints, ints, ints, floats, floats, floats)


def of_clip(sc: Scene, clip: Clip, takes: explain.Takes) -> Placements | None:
    """Return `clip` as a placement; None if it is in no slot, or in no usable range and not locked."""
    slots = np.flatnonzero((sc.start == clip.start) & (sc.end == clip.end))
    found = explain.find_shot(takes, clip, sc.problem.rate)
    if not len(slots) or found is None:
        return None
    take, shot = found
    pool = sc.pool
    mine = [t for t, x in enumerate(sc.problem.takes) if x.media.path == take.media.path]
    rows = np.flatnonzero((pool.take == mine[0]) & (pool.shot == shot.index) & (pool.start == shot.start_frame))
    if not len(rows):
        return None
    slot, row = slots[:1], rows[:1]
    if not clip.locked and not _in_window(sc, clip, int(row[0])):
        return None
    factor = np.array([clip.speed.factor])
    frames = sc.end[slot] - sc.start[slot]
    if clip.speed.factor == 1.0:
        high = clip.source_in + sc.span[slot, pool.rate_id[row]]
    else:
        high = clip.source_in + offset_at((frames - 1) / float(sc.problem.rate) * factor, pool.rate[row]) + 1
    low = np.array([clip.source_in])
    hits = sync(sc, slot, row, low, high, factor)
    value = plain_worth(sc, slot, row) - terms.speed_cost(factor) + hits
    return Placements(slot, row, low + pool.base[row], high + pool.base[row], value, factor, hits)


def _in_window(sc: Scene, clip: Clip, row: int) -> bool:
    frames = sc.problem.frames
    early, late = sc.pool.early[row] * frames, sc.pool.late[row] * frames
    return bool(early - 1e-6 <= clip.start and clip.end <= late + 1e-6)
