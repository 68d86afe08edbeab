# SPDX-License-Identifier: Apache-2.0
"""All placements, without keeping them: at any prices, what the best of each slot is worth, and which are near it.

A slot and a shot have a dozen placements each; a song and a shoot have millions. The kernel keeps the most that the
hits of each pair can give, which bounds what any placement of the pair is worth after prices. Pairs that could be
among the best are gone through one placement at a time, all others are passed over: what is told is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import given
from backbeat.decide.place import Placements, Scene, join
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import Prices
from backbeat.decide.rows import Rows
from backbeat.decide.stage import PLACE, Stage, sped

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIKE = 1.12  # slots whose lengths differ by less share the least that a piece of a shot pays
MANY = 30_000  # placements in a working set; above that it holds
EACH = 2  # of each slot and shot, at most,
CROWD = 24  # and of each slot, for every so many clips of the film: the more clips, the more of the best are taken
CLIPS = 100
ALL = 1 << 30


class Columns:
    """All placements of a scene at normal speed; `given` are those with a change of speed, locked, of an earlier edit.

    The latest prices are kept with their tops, since rounds ask twice.
    """

    def __init__(self, sc: Scene, rows: Rows) -> None:
        self.sc, self.rows, self.on = sc, rows, Stage(sc)
        fixed = given.locked(sc)
        self.locked = fixed.slot
        locked = np.zeros(len(sc.start), np.int32)
        locked[fixed.slot] = 1  # nothing else may stand where a clip is locked
        on = self.on
        on.put("locked", locked, np.int32)
        take = rows.styles + sc.pool.take
        for name, values in (("take", take), ("must", rows.must[sc.pool.take]), ("phrase", rows.phrase)):
            on.put(name, values, np.int32)
        on.fields["clips"] = len(rows.low) - 1
        on.write()
        self.given = join([*(_outside(p, fixed.slot) for p in (given.earlier(sc), sped(sc))), fixed])
        self._give()
        self._room()
        on.write()
        on.kernel.call("look", on.at, on.kernel.room(len(sc.start), "f4"))
        self.crowd = round(CROWD * max(1.0, float(sc.grid.target.sum()) / CLIPS))
        self._tight = 0  # how far the latest set had to be cut down
        self._paid: tuple[Prices | None, Floats | None] = (None, None)
        self._known: tuple[Prices | None, Floats] = (None, np.zeros(0))

    def _give(self) -> None:
        on, slots = self.on, len(self.sc.start)
        # Small numbers are sorted without comparing them.
        order = np.argsort(self.given.slot.astype(np.uint16 if slots < 1 << 16 else np.int64), kind="stable")
        p = self.given = self.given.take(order)
        on.put("given_begin", np.searchsorted(p.slot, np.arange(slots + 1)), np.int32)
        for name in ("shot", "low", "high"):
            on.put(f"given_{name}", getattr(p, name), np.int32)
        for name in ("value", "factor", "sync", "full"):
            on.put(f"given_{name}", getattr(p, name), np.float64)

    def _room(self) -> None:
        sc, on, shots = self.sc, self.on, self.sc.pool.size
        level = np.round(np.log(np.maximum(sc.seconds, 1e-3)) / np.log(ALIKE)).astype(np.int64)
        kinds, of = np.unique(level, return_inverse=True)
        need = np.full((len(kinds), len(sc.pool.rates)), np.iinfo(np.int64).max)
        np.minimum.at(need, of, sc.span)
        on.put("kind", of, np.int32)
        on.put("need", need[:, sc.pool.rate_id], np.int32)
        on.fields["kinds"] = len(kinds)
        rooms = {"sync": len(sc.start), "fixed": len(kinds), "hope": 1, "each_second": 1, "moves": 1}
        for name, each in rooms.items():
            on.fields[name] = on.kernel.room(each * shots + 4, "f4")  # read four at a time
        on.fields["total"] = on.kernel.room(sc.pool.total + 1, "f8")
        on.fields["price"] = on.kernel.room(len(self.rows.low), "f8")
        on.fields["flat"] = on.kernel.room(shots, "f8")

    def _pay(self, at: Prices, flat: Floats | None = None) -> None:
        on = self.on
        if self._paid[0] is at and self._paid[1] is flat:
            return
        self._paid = at, flat
        on.kernel.write(int(on.fields["total"]), np.concatenate([[0.0], np.cumsum(at.frame)]))
        on.kernel.write(int(on.fields["price"]), np.ascontiguousarray(at.row))
        on.kernel.write(int(on.fields["flat"]), np.zeros(self.sc.pool.size) if flat is None else flat)
        on.kernel.call("price", on.at)

    def hopes(self, at: Prices) -> NDArray[np.float32]:
        """Return [slots, shots] the most that a placement at normal speed of each pair can be worth after prices."""
        self._pay(at)
        place = self.on.kernel.mark()
        out = self.on.kernel.room(len(self.sc.start) * self.sc.pool.size, "f4")
        self.on.kernel.call("hopes", self.on.at, out)
        found = self.on.kernel.read(out, len(self.sc.start) * self.sc.pool.size, np.float32)
        self.on.kernel.release(place)
        return found.reshape(len(self.sc.start), -1)

    def tops(self, at: Prices, flat: Floats | None = None, some: NDArray[np.bool_] | None = None) -> Floats:
        """Return [slots] what the best placement of each is worth after prices; NEVER where none may stand.

        `flat` [shots] is charged besides. Of slots that are not in the mask `some`, only given placements count.
        """
        plain = flat is None and some is None
        if plain and self._known[0] is at:
            return self._known[1]
        self._pay(at, flat)
        kernel, slots = self.on.kernel, len(self.sc.start)
        place = kernel.mark()
        wanted = kernel.put(np.ones(slots) if some is None else some, np.int32)
        out = kernel.room(slots, "f8")
        kernel.call("tops", self.on.at, wanted, out)
        found = kernel.read(out, slots, np.float64)
        kernel.release(place)
        if plain:
            self._known = at, found
        return found

    def near(self, at: Prices, floor: Floats, flat: Floats | None = None, crowd: int = 0) -> Placements:
        """Return the placements worth at least `floor` [slots] after prices.

        Where there are very many: the best of each slot and shot; where even those are many, the best of each slot,
        `crowd` or as many as suits the film. `flat` [shots] is charged besides.
        """
        self._pay(at, flat)
        for each in (ALL, EACH)[self._tight :]:
            found = self._near(floor, each, MANY + 1, MANY)
            if found is not None:
                return found
            self._tight += 1
        return self._most(floor, EACH, max(crowd, self.crowd))

    def best(self, at: Prices, some: NDArray[np.bool_], crowd: int, each: int) -> Placements:
        """Return the `crowd` best placements of each slot of the mask `some`, `each` of a shot at most."""
        self._pay(at)
        return self._most(np.where(some, -np.inf, np.inf), each, crowd)

    def _most(self, floor: Floats, each: int, crowd: int) -> Placements:
        found = self._near(floor, each, crowd, crowd * int(np.isfinite(floor).sum() + (floor == -np.inf).sum()))
        assert found is not None  # a crowd of each slot has room
        return found

    def _near(self, floor: Floats, each: int, crowd: int, room: int) -> Placements | None:
        kernel = self.on.kernel
        place = kernel.mark()
        out = self.on.out(room)
        asked = kernel.put(floor, np.float64)
        size = kernel.call("near", self.on.at, asked, each, crowd, kernel.room(crowd * PLACE, "u1"), out.at)
        found = out.placements(size) if size >= 0 else None
        kernel.release(place)
        return found


def _outside(p: Placements, slots: Ints) -> Placements:
    """Return the placements that are in none of `slots`."""
    return p.take(~np.isin(p.slot, slots))
