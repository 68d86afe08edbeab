# SPDX-License-Identifier: Apache-2.0
"""Drag taken out of a scene: the longest stretches at the ends of shots in which nothing moves, sounds or is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from backbeat.decide.align import Change
from backbeat.decide.align_scene import GUARD, Piece

KEEP = 1.5  # s that stay of every shot
SHORTEST = 0.4  # s: shorter stretches are no drag


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken from one piece, record frames."""

    piece: int
    head: int = 0
    tail: int = 0


def tightened(pieces: Sequence[Piece], rate: Fraction, budget: int) -> tuple[tuple[Piece, ...], tuple[Taken, ...]]:
    """Take up to `budget` frames of drag out, the longest stretches first; return the pieces and what was taken."""
    per = float(rate)
    found: list[tuple[int, int, bool]] = []  # frames, piece, at the tail
    for i, piece in enumerate(pieces):
        clip = piece.clip
        if piece.fixed or clip.locked or not clip.take:
            continue
        first = float(clip.source_in / clip.source_rate)
        last = first + clip.frames / per
        busy = [(w.start - GUARD, w.end + GUARD) for w in piece.words] + [(h.time, h.time + 0.2) for h in piece.hits]
        for span in piece.calm:
            if span.start <= first + 0.1 and span.end > first:
                stop = min([span.end, last, *(a for a, z in busy if z > first)])
                found.append((int((stop - first) * per), i, False))
            if span.end >= last - 0.1 and span.start < last:
                start = max([span.start, first, *(z for a, z in busy if a < last)])
                found.append((int((last - start) * per), i, True))
    out = {i: Taken(i) for i in range(len(pieces))}
    left = budget
    for frames, i, tail in sorted(found, key=lambda f: (-f[0], f[1], f[2])):
        taken = out[i]
        spare = pieces[i].clip.frames - taken.head - taken.tail - round(KEEP * per)
        amount = min(frames - round(0.25 * SHORTEST * per), spare, left)
        if frames < SHORTEST * per or amount < 3:
            continue
        out[i] = replace(taken, tail=taken.tail + amount) if tail else replace(taken, head=taken.head + amount)
        left -= amount
    made, start = [], 0
    for i, piece in enumerate(pieces):
        taken, clip = out[i], piece.clip
        shift = round(Fraction(taken.head) * clip.source_rate / rate)
        frames = clip.frames - taken.head - taken.tail
        made.append(replace(piece, clip=replace(clip, start=start, frames=frames, source_in=clip.source_in + shift)))
        start += frames
    return tuple(made), tuple(t for t in out.values() if t.head or t.tail)


def against(changes: Sequence[Change], taken: Sequence[Taken]) -> tuple[Change, ...]:
    """Return changes of a tightened scene as changes of the scene before it was tightened."""
    out = list(changes)
    for t in taken:
        c = out[t.piece]
        out[t.piece] = replace(c, head=c.head + t.head, tail=c.tail - t.tail)
    return tuple(out)
