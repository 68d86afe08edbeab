# SPDX-License-Identifier: Apache-2.0
"""Placements made and valued array by array, as a second opinion on those of the kernel (`backbeat.decide.stage`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import terms
from backbeat.decide.place import Placements, Scene, cut_frame, join, offset_at, ragged
from backbeat.decide.pool import Floats, Ints

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATTICE = 12


def expand(sc: Scene, slot: Ints, shot: Ints) -> Placements:
    """Return every placement of the pairs (slot, shot), valued; pairs that cannot stand have none."""
    ok = _allowed(sc, slot, shot)
    slot, shot = slot[ok], shot[ok]
    parts = [_lattice(sc, slot, shot), _on_beats(sc, slot, shot)]
    if sc.problem.style.hit_on_cut > 0:
        parts.append(_on_cut(sc, slot, shot))
    return join(parts)


def _allowed(sc: Scene, slot: Ints, shot: Ints) -> NDArray[np.bool_]:
    """Whether the shot is long enough for the slot and may stand there."""
    pool, frames = sc.pool, sc.problem.frames
    need = sc.span[slot, pool.rate_id[shot]]
    slow = sc.problem.style.speed[0] if not sc.problem.keep_sound else 1.0
    fits = np.floor(need * slow) - 1 <= pool.end[shot] - pool.start[shot]
    early = sc.start[slot] >= pool.early[shot] * frames - 1e-6
    late = sc.end[slot] <= pool.late[shot] * frames + 1e-6
    return np.asarray(fits & early & late)


def _make(sc: Scene, slot: Ints, shot: Ints, source_in: Ints, factor: Floats | None = None) -> Placements:
    """Return the placements with these in-points (source frames) that lie inside the usable range, valued."""
    pool = sc.pool
    if factor is None:
        out = source_in + sc.span[slot, pool.rate_id[shot]]
        factor = np.ones(len(slot))
    else:
        frames = sc.end[slot] - sc.start[slot]
        out = source_in + offset_at((frames - 1) / float(sc.problem.rate) * factor, pool.rate[shot]) + 1
    ok = (source_in >= pool.start[shot]) & (out <= pool.end[shot])
    if not sc.problem.reuse:  # slower than its pictures last would show some of them twice
        ok &= (factor >= 1) | (factor * pool.rate[shot] >= float(sc.problem.rate) - 1e-9)
    if sc.problem.keep_sound:
        ok &= ~(_in_speech(sc, shot, source_in) | _in_speech(sc, shot, out))
    slot, shot, source_in, out, factor = slot[ok], shot[ok], source_in[ok], out[ok], factor[ok]
    hits, full = _sync(sc, slot, shot, source_in, out, factor)
    value = _plain_worth(sc, slot, shot) - terms.speed_cost(factor) + hits
    return Placements(slot, shot, source_in + pool.base[shot], out + pool.base[shot], value, factor, hits, full)


def _in_speech(sc: Scene, shot: Ints, frame: Ints) -> NDArray[np.bool_]:
    """Whether a cut at source `frame` would fall inside somebody's speech, outside its pauses."""
    bad = np.zeros(len(shot), bool)
    takes = sc.pool.take[shot]
    for t in np.unique(takes[sc.pool.talks[shot]]):
        mine = np.flatnonzero(takes == t)
        at = frame[mine] / sc.pool.rate[shot[mine]]
        for speech in sc.problem.takes[int(t)].speech:
            inside = (at > speech.span.start) & (at < speech.span.end)
            for pause in speech.pauses:
                inside &= ~((at >= pause.start) & (at <= pause.end))
            bad[mine] |= inside
    return bad


def _plain_worth(sc: Scene, slot: Ints, shot: Ints) -> Floats:
    """Return the value of placements at normal speed without their hits and without what depends on neighbours."""
    pool, style, seconds = sc.pool, sc.problem.style, sc.seconds[slot]
    value = sc.base[slot] + pool.hero[shot]
    value += terms.quality(pool.quality[shot], seconds, style)
    value += terms.energy_match(pool.motion[shot], sc.grid.energy[slot], seconds, style)
    if pool.tagged.any():
        value = value + terms.tagged(seconds) * (pool.tagged[shot, sc.section[slot]] & (sc.section[slot] >= 0))
    return np.asarray(value + terms.CIRCLED * pool.bonus[shot] * seconds)


def _sync(
    sc: Scene, slot: Ints, shot: Ints, source_in: Ints, source_end: Ints, factor: Floats
) -> tuple[Floats, Floats]:
    """Return what the hits of placements are worth, on beats, beside them, together, on the cut; how many are full."""
    pool, grid, style = sc.pool, sc.grid, sc.problem.style
    rate = float(sc.problem.rate)
    total, caught, best, full = np.zeros((4, len(slot)))
    if not len(pool.hit_time) or not len(slot):
        return total, full
    in_time = source_in / pool.rate[shot]
    # Shots lie one after another on one axis of hit times, so that one search finds each placement's first hit.
    gap = float(pool.hit_time.max()) + float((pool.end / pool.rate).max()) + 10.0
    owner = np.repeat(np.arange(pool.size), np.diff(pool.hit_ptr))
    axis = pool.hit_time + owner * gap
    k = np.searchsorted(axis, in_time + shot * gap - 1e-9)
    stop = np.searchsorted(axis, source_end / pool.rate[shot] + shot * gap - 1e-9)
    active = np.flatnonzero(k < stop)
    while len(active):
        h = k[active]
        at = sc.start[slot[active]] + np.floor(
            (pool.hit_time[h] - in_time[active]) / factor[active] * rate + 0.5 + 1e-6
        ).astype(np.int64)
        first, last = sc.start[slot[active]], sc.end[slot[active]]
        seen = (at >= first + terms.HIDDEN) & (at < last - terms.HIDDEN)
        at = np.minimum(at, last)
        strength = pool.hit_strength[h]
        there, bell = grid.worth[at], grid.bell[at]
        gain = terms.hit_gain(strength, there, bell, style) * seen
        good = np.maximum(gain, 0.0)
        total[active] += gain
        caught[active] += good
        full[active] += seen & terms.full_hit(strength, there, bell)
        best[active] = np.maximum(best[active], good)
        if style.hit_on_cut > 0:
            cut = (at < first + terms.HIDDEN) & (bell > 0.5) & (first > 0)
            total[active] += terms.cut_on_hit(strength, there, style) * cut
        k[active] += 1
        active = active[k[active] < stop[active]]
    return np.asarray(total + terms.pair_bonus(caught, best)), full


def _lattice(sc: Scene, slot: Ints, shot: Ints) -> Placements:
    pool = sc.pool
    need = sc.span[slot, pool.rate_id[shot]]
    slack = pool.end[shot] - pool.start[shot] - need
    keep = slack >= 0
    slot, shot, need, slack = slot[keep], shot[keep], need[keep], slack[keep]
    counts = np.minimum(1 + -(-slack // np.maximum(need, 1)), LATTICE)
    counts = np.where(slack == 0, 1, counts)
    owner, number = ragged(counts)
    step = slack[owner] * number // np.maximum(counts[owner] - 1, 1)
    plain = _make(sc, slot[owner], shot[owner], pool.start[shot[owner]] + step)
    # A hit that is near a beat by luck is met better by an in-point of `_on_beats`: one set for each purpose.
    return plain.take(plain.sync <= 0)


def _hit_pairs(sc: Scene, slot: Ints, shot: Ints) -> tuple[Ints, Ints, Ints]:
    """Return (pair, hit, beat) for each hit of the pair's shot and each beat inside its slot."""
    pool = sc.pool
    hits = pool.hit_ptr[shot + 1] - pool.hit_ptr[shot]
    beats = np.maximum(sc.inner[slot, 1] - sc.inner[slot, 0], 0)
    owner, number = ragged(hits * beats)
    each = np.maximum(beats[owner], 1)
    hit = pool.hit_ptr[shot[owner]] + number // each
    beat = sc.inner[slot[owner], 0] + number % each
    real = sc.grid.beat_worth[beat] > 0
    return owner[real], hit[real], beat[real]


def _on_beats(sc: Scene, slot: Ints, shot: Ints) -> Placements:
    owner, hit, beat = _hit_pairs(sc, slot, shot)
    slot, shot = slot[owner], shot[owner]
    rate = float(sc.problem.rate)
    into = (sc.grid.beat_frame[beat] - sc.start[slot]) / rate
    source_in = np.floor((sc.pool.hit_time[hit] - into) * sc.pool.rate[shot] + 0.5).astype(np.int64)
    return _make(sc, slot, shot, source_in)


def _on_cut(sc: Scene, slot: Ints, shot: Ints) -> Placements:
    pool = sc.pool
    hits = pool.hit_ptr[shot + 1] - pool.hit_ptr[shot]
    owner, number = ragged(np.where(sc.start[slot] > 0, hits, 0))
    slot, shot = slot[owner], shot[owner]
    hit = pool.hit_ptr[shot] + number
    into = cut_frame(sc)[slot] - sc.start[slot]
    source_in = np.floor((pool.hit_time[hit] - into / float(sc.problem.rate)) * pool.rate[shot] + 0.5)
    return _make(sc, slot, shot, source_in.astype(np.int64))


def sped(sc: Scene) -> Placements:
    """Return all placements that put a hit and the next one or two after it on two beats by a change of speed.

    The second beat is the one that needs the least change. Under speech, and where the sound is kept, there are none.
    """
    low, high = sc.problem.style.speed
    pool, grid, rate = sc.pool, sc.grid, float(sc.problem.rate)
    none = np.zeros(0, np.int64)
    if low == high or sc.problem.keep_sound or len(grid.beat_frame) < 2 or len(pool.hit_time) < 2:
        return _make(sc, none, none, none)
    shot = np.repeat(np.arange(pool.size), np.diff(pool.hit_ptr))
    quiet = np.flatnonzero(~pool.talks[shot])
    # Slots by the beats inside them, those that reach furthest first: the slots that hold beats b..c are a run.
    owner, number = ragged(np.maximum(sc.inner[:, 1] - sc.inner[:, 0], 0))
    beat, reach = sc.inner[owner, 0] + number, sc.inner[owner, 1]
    big = len(grid.beat_frame) + 2
    order = np.argsort(beat * big - reach, kind="stable")
    key, slots = (beat * big - reach)[order], owner[order]
    parts = [_make(sc, none, none, none)]
    for ahead in (1, 2):
        one = quiet[quiet + ahead < len(shot)]
        one = one[shot[one + ahead] == shot[one]]
        gap = pool.hit_time[one + ahead] - pool.hit_time[one]
        target = _nearest(grid.beat_frame, grid.beat_frame[:, None] + gap * rate)
        length = (grid.beat_frame[target] - grid.beat_frame[:, None]) / rate
        factor = np.round(gap / np.maximum(length, 1e-3), 4)
        good = (length > 0) & (factor >= low) & (factor <= high) & (grid.beat_worth[target] > 0)
        # Less than three quarters of a frame off is on the beat as it is.
        good &= (np.abs(gap - length) * rate > 0.75) & (grid.beat_worth[:, None] > 0)
        b, k = np.nonzero(good)
        c = target[b, k]
        begin = np.searchsorted(key, b * big - big)
        count = np.searchsorted(key, b * big - c, side="left") - begin
        which, n = ragged(np.maximum(count, 0))
        # Frames of source from the shot's start to the hit and on to its end, at this speed: most slots ask for more.
        own, speed = shot[one[k]], factor[b, k]
        into = (pool.hit_time[one[k]] - pool.start[own] / pool.rate[own]) * rate / speed + 1
        left = (pool.end[own] / pool.rate[own] - pool.hit_time[one[k]]) * rate / speed + 3
        slot, beats = slots[begin[which] + n], grid.beat_frame[b][which]
        fits = np.flatnonzero(
            (beats - sc.start[slot] <= (into + rate / pool.rate[own])[which])
            & (sc.end[slot] - beats <= (left + 2 * rate / pool.rate[own])[which])
        )
        slot, beats, speed, hit = slot[fits], beats[fits], speed[which[fits]], one[k[which[fits]]]
        source_in = (pool.hit_time[hit] - (beats - sc.start[slot]) / rate * speed) * pool.rate[shot[hit]]
        source_in = np.floor(source_in + 0.5).astype(np.int64)
        ok = (source_in >= pool.start[shot[hit]]) & _allowed(sc, slot, shot[hit])
        parts.append(_make(sc, slot[ok], shot[hit[ok]], source_in[ok], speed[ok]))
    return join(parts)


def _nearest(rising: Ints, at: Floats) -> Ints:
    """Return the index of the nearest of `rising` to each of `at`."""
    right = np.clip(np.searchsorted(rising, at), 1, len(rising) - 1)
    left = right - 1
    return np.where(np.abs(rising[left] - at) <= np.abs(rising[right] - at), left, right)
