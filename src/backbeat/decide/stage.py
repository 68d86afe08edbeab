# SPDX-License-Identifier: Apache-2.0
"""A scene in the kernel's memory (``kernel/place.c``), where its placements are made and valued.

The placements of a slot and a shot are, as far as they lie inside the usable range: for every hit and every beat inside
the slot, the in-point that puts this hit on this beat; the in-point that puts the hit on the cut itself; and an
even lattice of in-points. Where the style allows a change of speed, also the factors that put two hits on two beats.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import terms
from backbeat.decide.kernel import Kernel
from backbeat.decide.place import Placements, Scene, cut_frame, join, none, ragged
from backbeat.decide.pool import Floats, Ints

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

LATTICE = 12  # most in-points of the even lattice for one slot and shot, as in the kernel
PLACE, BESIDE = 56, 24  # bytes of these structures of the kernel
BLOCK = 2_000_000  # most placements that one call makes
SPED = 200  # placements with a change of speed of each shot, on average, for which there is room at first
FIELDS = tuple(  # of the structure, in its order
    word
    for line in """
    rate hit_weight hit_on_cut miss strong pair energy tagged_worth slowest fastest
    slots shots rates sections frames beats reuse kinds clips room
    start end inner_low inner_high cut section row phrase kind locked base seconds music span
    low high axis rate_of take must talks own_rate by_second motion hero early late
    hit_begin hit_time strength worth bell beat_frame beat_worth tagged speech_in speech_out need sped
    by_worth by_beat_begin by_beat
    given_begin given_shot given_low given_high given_value given_factor given_sync given_full
    sync total price flat fixed hope each_second moves list beside
    """.splitlines()
    for word in line.split()
)
FLOATS, NUMBERS = 10, 10  # how many of them are float64 and int32; the rest are addresses


class Stage:
    """The tables of a scene in the kernel's memory; `at` is the address of its structure."""

    def __init__(self, sc: Scene) -> None:
        self.sc, self.kernel = sc, Kernel()
        self.fields: dict[str, float] = dict.fromkeys(FIELDS, 0)
        self.at = self.kernel.room(8 * len(FIELDS), "u1")
        self._numbers()
        self._arrays()
        self.write()

    def _numbers(self) -> None:
        sc, style, pool = self.sc, self.sc.problem.style, self.sc.pool
        hits = int(np.diff(pool.hit_ptr).max(initial=0))
        beats = int((sc.inner[:, 1] - sc.inner[:, 0]).max(initial=0))
        low, high = (1.0, 1.0) if sc.problem.keep_sound else style.speed
        self.fields |= {
            "rate": float(sc.problem.rate), "hit_weight": style.hit_weight, "hit_on_cut": style.hit_on_cut,
            "miss": terms.MISS, "strong": terms.STRONG, "pair": terms.PAIR, "tagged_worth": terms.TAGGED,
            "energy": terms.SECOND * style.energy_match, "slowest": low, "fastest": high,
            "slots": len(sc.start), "shots": pool.size, "rates": len(pool.rates), "sections": pool.tagged.shape[1],
            "frames": sc.problem.frames, "beats": len(sc.grid.beat_frame), "reuse": sc.problem.reuse,
            "room": LATTICE + hits * (max(beats, 0) + 1),
        }  # fmt: skip

    def _arrays(self) -> None:
        sc, pool, grid, style = self.sc, self.sc.pool, self.sc.grid, self.sc.problem.style
        ints: dict[str, ArrayLike] = {
            "start": sc.start, "end": sc.end, "inner_low": sc.inner[:, 0], "inner_high": sc.inner[:, 1],
            "cut": cut_frame(sc), "section": sc.section, "row": grid.row, "span": sc.span,
            "low": pool.start, "high": pool.end, "axis": pool.base, "rate_of": pool.rate_id, "talks": pool.talks,
            "hit_begin": pool.hit_ptr, "beat_frame": grid.beat_frame, "locked": np.zeros(len(sc.start)),
        }  # fmt: skip
        by_second = terms.quality(pool.quality, 1.0, style) + terms.CIRCLED * pool.bonus
        floats: dict[str, ArrayLike] = {
            "base": sc.base, "seconds": sc.seconds, "music": grid.energy, "own_rate": pool.rate,
            "by_second": by_second, "motion": pool.motion, "hero": pool.hero, "early": pool.early, "late": pool.late,
            "hit_time": pool.hit_time, "strength": pool.hit_strength, "worth": grid.worth, "bell": grid.bell,
            "beat_worth": grid.beat_worth,
        }  # fmt: skip
        for name, values in ints.items():
            self.put(name, values, np.int32)
        for name, values in floats.items():
            self.put(name, values, np.float64)
        self.put("tagged", pool.tagged, np.uint8)
        if sc.problem.keep_sound and pool.talks.any():
            for name, shift in (("speech_in", 0), ("speech_out", 1)):
                self.put(name, in_speech(sc, shift), np.uint8)
        self._beats()
        self.fields["list"] = self.kernel.room(PLACE * int(self.fields["room"]), "u1")
        self.fields["beside"] = self.kernel.room(BESIDE * int(np.diff(pool.hit_ptr).max(initial=0)), "u1")

    def _beats(self) -> None:
        """Lay the slots by the beats inside them, the shortest first, and the beats by their worth."""
        sc = self.sc
        owner, number = ragged(np.maximum(sc.inner[:, 1] - sc.inner[:, 0], 0))
        beat = sc.inner[owner, 0] + number
        order = np.lexsort((owner, (sc.end - sc.start)[owner], beat))
        self.put("by_beat_begin", np.searchsorted(beat[order], np.arange(len(sc.grid.beat_frame) + 1)), np.int32)
        self.put("by_beat", owner[order], np.int32)
        self.put("by_worth", np.argsort(-sc.grid.beat_worth, kind="stable"), np.int32)

    def put(self, name: str, values: ArrayLike, dtype: DTypeLike) -> None:
        """Lay `values` into the kernel's memory as the field `name`."""
        self.fields[name] = self.kernel.put(values, dtype)

    def write(self) -> None:
        """Write the structure."""
        values = [self.fields[name] for name in FIELDS]
        numbers = [int(v) for v in values[FLOATS:]]
        addresses = len(numbers) - NUMBERS
        head = struct.pack(f"<{FLOATS}d{NUMBERS}i{addresses}I", *values[:FLOATS], *numbers)
        self.kernel.write(self.at, np.frombuffer(head, np.uint8))

    def out(self, room: int) -> Out:
        """Return room for so many placements."""
        return Out(self.kernel, room)


class Out:
    """Room for placements in the kernel's memory."""

    COLUMNS = ("i4", "i4", "i4", "i4", "f8", "f8", "f8", "f8")

    def __init__(self, kernel: Kernel, room: int) -> None:
        self.kernel, self.room = kernel, room
        self.at = kernel.room(8 + 4 * len(self.COLUMNS), "u1")
        self.columns = [kernel.room(room, kind) for kind in self.COLUMNS]
        head = struct.pack(f"<2i{len(self.columns)}I", room, 0, *self.columns)
        kernel.write(self.at, np.frombuffer(head, np.uint8))

    def placements(self, size: int) -> Placements:
        """Return the first `size` of them."""
        read = [self.kernel.read(at, size, kind) for at, kind in zip(self.columns, self.COLUMNS, strict=True)]
        slot, shot, low, high = (x.astype(np.int64) for x in read[:4])
        return Placements(slot, shot, low, high, *read[4:])


def stage(sc: Scene) -> Stage:
    """Return the scene in the kernel's memory."""
    made = sc.made.get("stage")
    if not isinstance(made, Stage):
        made = sc.made["stage"] = Stage(sc)
    return made


def in_speech(sc: Scene, shift: int) -> np.ndarray:
    """Return [total] whether a cut `shift` frames after the beginning of each source frame falls inside speech.

    Pauses are outside.
    """
    out = np.zeros(sc.pool.total, bool)
    for t in np.unique(sc.pool.take[sc.pool.talks]).tolist():
        mine = sc.pool.take == t
        base, end = int(sc.pool.base[mine][0]), int(sc.pool.end[mine].max())
        at = (np.arange(end) + shift) / float(sc.problem.takes[t].media.rate)
        for speech in sc.problem.takes[t].speech:
            inside = (at > speech.span.start) & (at < speech.span.end)
            for pause in speech.pauses:
                inside &= ~((at >= pause.start) & (at <= pause.end))
            out[base : base + end] |= inside
    return out


def expand(sc: Scene, slot: Ints, shot: Ints) -> Placements:
    """Return every placement at normal speed of the pairs (slot, shot), valued; pairs that cannot stand have none."""
    on = stage(sc)
    hits = np.diff(sc.pool.hit_ptr)[shot]
    room = np.cumsum(LATTICE + hits * (np.maximum(sc.inner[slot, 1] - sc.inner[slot, 0], 0) + 1))
    parts, done = [none()], 0
    while done < len(slot):
        base = int(room[done - 1]) if done else 0
        stop = max(done + 1, int(np.searchsorted(room, base + BLOCK, side="right")))
        place = on.kernel.mark()
        out = on.out(int(room[stop - 1]) - base)
        some = [on.kernel.put(x[done:stop], np.int32) for x in (slot, shot)]
        parts.append(out.placements(on.kernel.call("expand", on.at, stop - done, *some, out.at)))
        on.kernel.release(place)
        done = stop
    return join(parts)


def weigh(sc: Scene, slot: Ints, shot: Ints, low: Ints, high: Ints, factor: Floats) -> Placements:
    """Return the placements that show source frames low..high (of the take) at `factor`, valued."""
    on = stage(sc)
    place = on.kernel.mark()
    given = [on.kernel.put(x, np.int32) for x in (slot, shot, low, high)] + [on.kernel.put(factor, np.float64)]
    made = [on.kernel.room(len(slot), "f8") for _ in range(3)]
    on.kernel.call("weigh", on.at, len(slot), *given, *made)
    value, sync, full = (on.kernel.read(at, len(slot), np.float64) for at in made)
    on.kernel.release(place)
    base = sc.pool.base[shot]
    return Placements(slot, shot, low + base, high + base, value - terms.speed_cost(factor), factor, sync, full)


def sped(sc: Scene) -> Placements:
    """Return all placements that put a hit and the next one or two after it on two beats by a change of speed.

    The second beat is the one that needs the least change. Under speech, and where the sound is kept, there are none.
    """
    low, high = sc.problem.style.speed
    if low == high or sc.problem.keep_sound or len(sc.grid.beat_frame) < 2 or len(sc.pool.hit_time) < 2:
        return none()
    on = stage(sc)
    place = on.kernel.mark()
    factors = np.arange(round(low * 1e4), round(high * 1e4) + 1) / 1e4
    on.put("sped", terms.speed_cost(factors), np.float64)
    on.write()
    out = on.out(SPED * sc.pool.size)
    size = on.kernel.call("sped", on.at, out.at)
    if size > out.room:
        out = on.out(size)
        on.kernel.call("sped", on.at, out.at)
    found = out.placements(size)
    on.kernel.release(place)
    return found
