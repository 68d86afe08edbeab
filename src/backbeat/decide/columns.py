# SPDX-License-Identifier: Apache-2.0
"""All placements, without making them all: an optimistic value of every (slot, shot), made exact only where it matters.

A slot and a shot have a dozen placements each; a song and a shoot have millions. `Columns` bounds what any placement
of a pair can be worth after paying the prices. A pair whose best path stays below an edit already in hand needs no
closer look: its bound stands in the certificate in its place. All others are expanded (`place.expand`). So the bound
that is reported covers every placement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backbeat.decide import given, hope, terms
from backbeat.decide.place import Placements, Scene, expand, join, sped
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Prices
from backbeat.decide.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 1.12  # slots whose lengths differ by less share one bound
FEW = 400


@dataclass(frozen=True, slots=True)
class Kind:
    """Slots of about one length.

    `shots` are those that are long enough, `sync` [slots, shots] the most that their hits give, `need` [shots] the
    fewest source frames that a piece takes.
    """

    slots: Ints
    shots: Ints
    sync: NDArray[np.float32]
    need: Ints


class Columns:
    """The pairs of a scene: which are expanded, and what the others can be worth at most."""

    def __init__(self, sc: Scene, rows: Rows) -> None:
        self.sc, self.rows = sc, rows
        fixed = given.locked(sc)
        self.parts: list[Placements] = [_outside(p, fixed.slot) for p in (given.earlier(sc), sped(sc))] + [fixed]
        self.kinds = _kinds(sc)
        self.done = [np.zeros((len(k.slots), len(k.shots)), bool) for k in self.kinds]
        for k, done in zip(self.kinds, self.done, strict=True):
            done[np.isin(k.slots, fixed.slot)] = True  # nothing else may stand where a clip is locked
        self.windows = bool((sc.pool.early > 0).any() or (sc.pool.late < 1).any())

    def optimistic(self, kind: int, prices: Prices) -> NDArray[np.float32]:
        """Return [slots, shots] the most that a placement of each pair can be worth after prices; expanded: never."""
        sc, pool, style, k = self.sc, self.sc.pool, self.sc.problem.style, self.kinds[kind]
        s, f = sc.seconds[k.slots][:, None].astype(np.float32), np.float32
        take = pool.take[k.shots]
        by_second = terms.quality(pool.quality[k.shots], 1.0, style) + terms.CIRCLED * pool.bonus[k.shots]
        by_second = by_second + 0.5 * terms.SECOND * style.energy_match - prices.row[self.rows.styles + take]
        must = self.rows.must[take]
        flat = pool.hero[k.shots] - np.where(must >= 0, prices.row[must], 0.0) - self._cheapest(k, prices)
        slot = sc.base[k.slots] - prices.row[sc.grid.row[k.slots]] - prices.row[-1] + 1e-4
        out = np.abs(pool.motion[k.shots].astype(f) - sc.grid.energy[k.slots][:, None].astype(f))
        out *= f(-terms.SECOND * style.energy_match)
        out += by_second.astype(f)
        out *= s
        out += slot[:, None].astype(f)
        out += flat.astype(f)
        if pool.tagged.any():
            section = sc.section[k.slots]
            out += terms.tagged(s) * (pool.tagged[np.ix_(k.shots, section)].T & (section >= 0)[:, None])
        out += k.sync
        out[self.done[kind]] = NEVER
        if self.windows:
            out[~self._may_stand(k)] = NEVER
        return out

    def _may_stand(self, k: Kind) -> NDArray[np.bool_]:
        pool, frames = self.sc.pool, self.sc.problem.frames
        early, late = pool.early[k.shots] * frames, pool.late[k.shots] * frames
        start, end = self.sc.start[k.slots][:, None], self.sc.end[k.slots][:, None]
        return np.asarray((start >= early - 1e-6) & (end <= late + 1e-6))

    def _cheapest(self, k: Kind, prices: Prices) -> Floats:
        """Return the least that any piece of each shot, long enough for the shortest slot, pays for its frames."""
        if not prices.frame.any():
            return np.zeros(len(k.shots))
        pool = self.sc.pool
        total = np.concatenate([[0.0], np.cumsum(prices.frame)])
        low, room = pool.base[k.shots] + pool.start[k.shots], pool.end[k.shots] - pool.start[k.shots] - k.need + 1
        owner = np.repeat(np.arange(len(k.shots)), room)
        begin = np.cumsum(room) - room
        at = np.arange(len(owner)) - begin[owner] + low[owner]
        return np.minimum.reduceat(total[at + k.need[owner]] - total[at], begin)

    def expand(self, kind: int, which: NDArray[np.bool_]) -> int:
        """Make the placements of the pairs of `kind` that `which` [slots, shots] marks; return how many."""
        row, column = np.nonzero(which & ~self.done[kind])
        k = self.kinds[kind]
        made = 0
        for a in range(0, len(row), 20_000):
            part = expand(self.sc, k.slots[row[a : a + 20_000]], k.shots[column[a : a + 20_000]])
            self.parts.append(part)
            made += part.size
        self.done[kind][row, column] = True
        return made

    def placements(self) -> Placements:
        """Return all placements made so far."""
        if len(self.parts) > 1:
            self.parts = [join(self.parts)]
        return self.parts[0]


def _outside(p: Placements, slots: Ints) -> Placements:
    """Return the placements that are in none of `slots`."""
    return p.take(~np.isin(p.slot, slots))


def _kinds(sc: Scene) -> list[Kind]:
    level = np.round(np.log(np.maximum(sc.seconds, 1e-3)) / np.log(STEPS)).astype(np.int64)
    out = []
    pool = sc.pool
    # Few slots: one pass over all of them, whatever their length, costs less than a pass for each kind.
    every = np.arange(len(sc.start))
    sync = hope.most(sc, every, np.arange(pool.size)) if len(every) <= FEW else None
    for v in np.unique(level):
        slots = np.flatnonzero(level == v)
        need = sc.span[slots].min(axis=0)[pool.rate_id]
        shots = np.flatnonzero(pool.end - pool.start >= need)
        if len(shots):
            most = hope.most(sc, slots, shots) if sync is None else sync[np.ix_(slots, shots)]
            out.append(Kind(slots, shots, np.maximum(most, 0.0), need[shots]))
    return out
