# SPDX-License-Identifier: Apache-2.0
"""From prices to an edit: a beam over the slots that knows which source frames each partial film has shown.

The prices stand for the future (what a piece of footage would be worth elsewhere), the beam for the past.
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass

import numpy as np

from backbeat.decide import rows as film
from backbeat.decide import terms
from backbeat.decide.kernel import Kernel
from backbeat.decide.pool import Floats, Ints
from backbeat.decide.prices import NEVER, Network, Prices, relax

# Beams: (temperature of what may still come, placements of one slot that go on from one partial film).
BEAMS = ((0.01, 2), (0.02, 3), (0.02, 1), (0.03, 2))
WIDTH = 30
SAME = 2  # partial films of the same counts that are kept at a node
LONELY = 0.2  # what a beam at prices pays for a run of quick shots that begins
FIRMNESS = 0.5  # weight of the film's rows inside a window, against its end
LONGEST = 24  # clips of a stretch that is taken over from another film
LOSS = 1.0  # value that such a stretch may lack at first sight
KEPT, STAGE = 4096, 256  # as in the kernel: stretches kept, moves at one temperature
STRETCH, CARD = 116, 72  # bytes there of a stretch, of a placement
COLD = 0.003  # temperature at which annealing ends
SEED = 0x1E3779B97F4A7C15


def best_arcs(net: Network, red: Floats, most: int) -> list[Ints]:
    """Return for each slot of the network the indices of its `most` best placements, best first."""
    order = np.lexsort((-red, net.row_of))
    ends = np.append(net.begin[1:], len(red))
    return [order[a : min(b, a + most)] for a, b in zip(net.begin, ends, strict=True)]


Outlook = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class Field:
    """What beams search in: a network, its reduced values at some prices, and the best placements of each slot.

    `row` are the prices of the film's rows.

    `ahead` [placements], where the order of footage matters, is what may still come after each. `slack` [slots] is what
    the best path from where a slot begins gains by going through it: 0 or less; None if it is not known.
    """

    net: Network
    red: Floats
    arcs: list[Ints]
    row: Floats
    ahead: Floats | None = None
    slack: Floats | None = None
    machines: dict[int, Machine] = dataclasses.field(default_factory=dict)

    def machine(self, width: int) -> Machine:
        """Return the compiled search over this field, `width` partial films a node."""
        if width not in self.machines:
            self.machines[width] = Machine(self, width)
        return self.machines[width]


def field(net: Network, at: Prices, most: int, away: float | None = None) -> Field:
    """Return the field of `net` at prices `at`, `most` placements a slot.

    With `away`: none that far below the best film, and with the slack of its slots.
    """
    red = net.reduced(at)
    arcs = best_arcs(net, red, most)
    if away is None:
        return Field(net, red, arcs, at.row)
    relaxed = relax(net, at)
    through = relaxed.reach[net.from_node] + red + relaxed.ahead[net.to_node]
    arcs = [k[through[k] >= through.max() - away] for k in arcs]
    top = np.maximum.reduceat(red, net.begin)
    return Field(net, red, arcs, at.row, slack=top + relaxed.ahead[net.last] - relaxed.ahead[net.first])


class Machine:
    """The kernel with a field in its memory. The order of what is packed is that of ``kernel/search.c``."""

    def __init__(self, where: Field, width: int) -> None:
        self.kernel = kernel = Kernel()
        net, rows, sc = where.net, where.net.rows, where.net.sc
        nodes, slots, r, p = net.nodes, len(net.slots), len(rows.low), net.p
        take = sc.pool.take[p.shot]
        arc = np.concatenate(where.arcs)
        count = np.array([len(k) for k in where.arcs])
        by_value = arc[np.lexsort((-p.value[arc], np.repeat(np.arange(slots), count)))]
        into = np.argsort(net.last, kind="stable")
        begin = np.searchsorted(np.array(net.last)[into], np.arange(nodes + 1))
        style, problem = sc.problem.style, sc.problem
        floats = (
            terms.ALIKE * style.jump_cut,
            float(terms.against(-1.0, style)),
            terms.AGAIN,
            LONELY if rows.bursts >= 0 else 0.0,
        )
        free = problem.order != "free"
        counts = (nodes, slots, p.size, rows.styles, r, sc.pool.size, problem.reuse, free, rows.bursts)
        ints = [net.first, net.last, sc.grid.row[net.slots], rows.phrase[net.slots], sc.grid.quick[net.slots]]
        out_begin = np.searchsorted(net.first, np.arange(nodes + 1))
        arcs = [np.concatenate([[0], np.cumsum(count)]), arc, by_value]
        own = [net.row_of, p.shot, p.low, p.high, net.group, rows.styles + take, rows.must[take]]
        worth = [p.value, where.red, net.way[:, 0], net.way[:, 1], p.full, 1 / sc.pool.rate[p.shot]]
        bounds = [rows.low, np.minimum(rows.high, 1e300), rows.rate, where.row]
        places = [*(kernel.put(x, np.int32) for x in ints), kernel.put(sc.seconds[net.slots], np.float64)]
        places += [kernel.put(x, np.int32) for x in (begin, into, out_begin)]
        places += [kernel.put(where.slack if where.slack is not None else np.zeros(slots), np.float64)]
        places += [kernel.put(x, np.int32) for x in (*arcs, *own)] + [kernel.put(x, np.float64) for x in worth]
        places += [kernel.put(where.ahead, np.float64) if where.ahead is not None else 0]
        places += [kernel.put(x, np.float64) for x in bounds]
        self.net = kernel.put(
            np.frombuffer(struct.pack(f"<4d9i{len(places)}I", *floats, *counts, *places), np.uint8), np.uint8
        )
        states, styles, pool = nodes * width, rows.styles, 4 * width
        rooms = [(nodes, "i4"), (states, "f8"), *[(states, "i4")] * 4, (states * -(-sc.pool.size // 32), "u4")]
        rooms += [(states * (styles + 2), "f8"), (pool * 32, "u1")]
        rooms += [(r, "f8"), (r, "f8"), (nodes * styles, "f8"), (nodes, "f8"), (p.size, "f8")]
        rooms += [(nodes, "i4"), (nodes, "i4"), (nodes, "i4"), (sc.pool.size, "i4"), (nodes, "i4")]
        self.spaces = [kernel.room(n, kind) for n, kind in rooms]
        self.width, self.pool, self.nodes = width, pool, nodes
        self.beam = kernel.room(16 + 4 * len(rooms), "u1")
        self.out = kernel.room(nodes, "i4")
        self.donor = kernel.room(nodes, "i4")
        self.slack = where.slack is not None
        self.mean = kernel.room(nodes * styles, "f8")
        self.stiff = kernel.room(nodes * styles, "f8")
        rooms = [(nodes, "i4"), (nodes, "i4"), (sc.pool.size, "i4"), *[(nodes, "i4")] * 3, (8 * nodes, "i4")]
        rooms += [(slots, "f8"), (nodes, "f8"), (KEPT * STRETCH, "u1"), (p.size * CARD, "u1"), (4 * r, "f8")]
        film = struct.pack(f"<{len(rooms)}I2i2d", *(kernel.room(n, kind) for n, kind in rooms), 0, 0, 0.0, 0.0)
        self.film = kernel.put(np.frombuffer(film, np.uint8), np.uint8)

    def _shared(self, many: int, same: int = 1 << 30) -> None:
        head = struct.pack(f"<4i{len(self.spaces)}I", self.width, same, many, self.pool, *self.spaces)
        self.kernel.write(self.beam, np.frombuffer(head, np.uint8))

    def _film(self, length: int) -> Ints:
        return self.kernel.read(self.out, length, np.int32).astype(np.int64)

    def search(self, heat: float, many: int, outlook: Outlook | None = None) -> tuple[Ints, bool]:
        """Return the best film found, and whether it reaches the end; if none does, the best of the furthest."""
        self._shared(many, SAME)
        tables = (self.mean, self.stiff)
        if outlook is not None:
            for at, table in zip(tables, outlook, strict=True):
                self.kernel.write(at, np.ascontiguousarray(table))
        elif self.slack:
            self.kernel.call("outlook", self.net, heat, *tables)
        else:
            tables = (0, 0)
        length = self.kernel.call("search", self.net, self.beam, *tables, heat, self.out)
        return self._film(abs(length)), length > 0

    def improve(self, path: Ints, windows: int, clips: tuple[int, int], *, steal: bool) -> Ints:
        """Return `path` with `windows` windows filled anew; `steal`: with the footage of other clips too."""
        self._shared(1 << 30)
        self.kernel.write(self.out, path.astype(np.int32))
        return self._film(
            self.kernel.call(
                "improve", self.net, self.beam, self.out, len(path), windows, *clips, FIRMNESS, int(steal), SEED
            )
        )

    def anneal(self, path: Ints, moves: int, heat: float, seed: int) -> Ints:
        """Return the best film met in `moves` moves from `path`, at temperatures that fall from `heat`."""
        self.kernel.write(self.out, path.astype(np.int32))
        fall = (COLD / heat) ** (STAGE / moves)
        return self._film(self.kernel.call("anneal", self.net, self.film, self.out, len(path), moves, heat, fall, seed))

    def cross(self, path: Ints, donor: Ints) -> Ints:
        """Return `path` with stretches of `donor` between cuts that both have, where that is worth more."""
        self._shared(1 << 30)
        self.kernel.write(self.out, path.astype(np.int32))
        self.kernel.write(self.donor, donor.astype(np.int32))
        films = (self.out, len(path), self.donor, len(donor))
        return self._film(self.kernel.call("cross", self.net, self.beam, *films, LONGEST, LOSS))

    def fill(self, before: Ints, after: Ints, nodes: tuple[int, int], *, priced: bool) -> Ints | None:
        """Return the best film found that keeps `before` and `after` and fills the nodes between them; None if none."""
        self._shared(1 << 30)
        kept = np.concatenate([before, after])
        self.kernel.write(self.out, kept.astype(np.int32))
        length = self.kernel.call(
            "fill", self.net, self.beam, self.out, len(kept), len(before), *nodes, int(priced), FIRMNESS
        )
        return self._film(length) if length else None


def search(
    where: Field, width: int = WIDTH, outlook: Outlook | None = None, beams: tuple[tuple[float, int], ...] = BEAMS
) -> list[Ints]:
    """Return the films that `beams` find, the best first; none if no film reaches the end.

    `outlook` is what a film will count of each length from each node on, where that is not to be told from the slack:
    its mean [nodes, rows], and one over twice its variance.
    """
    machine = where.machine(width)
    found = [machine.search(heat, many, outlook) for heat, many in beams]
    films = {film.tobytes(): film for film, whole in found if whole}
    return sorted(films.values(), key=lambda path: -value_of(where.net, path))


def furthest(where: Field, width: int = 200) -> Ints:
    """Return the placements of the longest film that the footage allows, where none reaches the end.

    Of several looks, with few or many placements of one slot that go on from one partial film, the longest.
    """
    films = [where.machine(width).search(0.0, many)[0] for many in (1 << 30, 3, 1)]
    return max(films, key=lambda path: (where.net.to_node[path].max(initial=0), value_of(where.net, path)))


def improve(
    where: Field,
    path: Ints,
    *,
    windows: int = 300,
    clips: tuple[int, int] = (4, 10),
    width: int = 12,
    steal: bool = True,
) -> Ints:
    """Return `path` with window after window of `clips` (fewest, most) filled anew where that is worth as much.

    The rest of the film is kept but for clips whose footage a window wants more (`steal`): these take their next best.
    """
    return where.machine(width).improve(path, windows, clips, steal=steal) if len(path) else path


def anneal(
    where: Field, path: Ints, moves: int, heat: float, least: int = 0, *, draw: int = 0, width: int = WIDTH
) -> Ints:
    """Return the best film met in `moves` moves for each clip of `path`, at temperatures that fall from `heat`.

    At `least` so many moves in all. Not for footage that has an order. `draw` tells draws apart.
    """
    return where.machine(width).anneal(path, max(moves * len(path), least, 1), heat, SEED + draw)


def cross(where: Field, films: list[Ints], width: int = WIDTH) -> Ints:
    """Return the first of `films` with stretches of the others between cuts that both have, where worth more."""
    best, *others = films
    for donor in others:
        best = where.machine(width).cross(best, donor)
    return best


def refill(
    where: Field, before: Ints, after: Ints, first: int, last: int, width: int, *, priced: bool = False
) -> Ints | None:
    """Return the best film found that keeps the placements `before` and `after`, and fills the nodes between them.

    None if there is none. `priced`: at the field's prices, for a long stretch, in place of the kept film's own counts.
    """
    return where.machine(width).fill(before, after, (first, last), priced=priced)


def value_of(net: Network, path: Ints) -> float:
    """Return the true value of a film: its placements, its neighbours, its rows, its repeats."""
    if not len(path):
        return NEVER
    group = net.group[path]
    value = float(net.p.value[path].sum())
    value -= terms.ALIKE * net.sc.problem.style.jump_cut * int((group[1:] == group[:-1]).sum())
    value -= float(terms.against((net.way[path][1:] * net.way[path][:-1]).sum(axis=1), net.sc.problem.style).sum())
    value -= net.rows.cost(film.of_film(net.rows, net.sc, net.p.take(path)))
    return value - again_cost(net, path)


def again_cost(net: Network, path: Ints) -> float:
    """Return what showing footage again costs, where it is allowed."""
    if not net.sc.problem.reuse:
        return 0.0
    order = path[np.argsort(net.p.low[path], kind="stable")]
    top = np.maximum.accumulate(net.p.high[order])
    over = np.minimum(top[:-1], net.p.high[order][1:]) - net.p.low[order][1:]
    shown_again = np.maximum(over, 0)
    return terms.AGAIN * float((shown_again / net.sc.pool.rate[net.p.shot[order]][1:]).sum())
