# SPDX-License-Identifier: Apache-2.0
"""A style learnt from reference films: how long their shots last in beats where the music is quiet, middling or loud.

Counts are smoothed with `PSEUDO` shots of the nearest built-in style a tercile (Dirichlet prior; solver research,
section 5: error of the learnt table 0.18 at 60 shots, 0.11 at 220, 0.075 at 500). Below `ENOUGH` shots the table is
blended with that style in proportion.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from backbeat.decide import grid as music
from backbeat.decide import styles
from backbeat.decide.pool import Floats
from backbeat.model.plan import Style
from backbeat.model.song import Song

ENOUGH = 200
PSEUDO = 6.0
LEAD = 3  # frames at 24 fps; cuts further from their beat say nothing of the lead
SHORTEST_FILM = 2  # cuts
FEW_QUICK = 12  # quick shots; fewer say nothing of their runs
GATHERED = 1.3  # times as long as shuffled shots' runs: from here on quick shots gather


@dataclass(frozen=True, slots=True)
class Reference:
    """One film to learn from: its music as heard, its cuts (s, in film time), its duration (s)."""

    song: Song
    cuts: tuple[float, ...]
    duration: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """The style, how many shots it comes from, the built-in nearest to it, and the share of the films in it (0..1)."""

    style: Style
    shots: int
    nearest: str
    share: float
    on_beat: float


def learn(references: tuple[Reference, ...], name: str) -> Learnt:
    """Return the style of `references`; films without a beat give their lengths at the instants of their music."""
    rows = [row for reference in references for row in shot_rows(reference)]
    length = np.array([r[0] for r in rows])
    third = np.array([r[1] for r in rows], np.int64)
    nearest = min((styles.builtin(n) for n in styles.names()), key=lambda style: _unlike(style, length, third))
    share = min(1.0, len(rows) / ENOUGH)
    tables = {}
    for q, key in enumerate(("quiet", "middle", "loud")):
        prior = np.asarray(getattr(nearest, key))
        seen = _counts(length[third == q], np.asarray(nearest.lengths))
        table = (seen + PSEUDO * prior) / (seen.sum() + PSEUDO)
        table = share * table + (1 - share) * prior
        tables[key] = tuple((table / table.sum()).tolist())
    off = np.concatenate([_offsets(r) for r in references]) if references else np.zeros(0)
    near = off[np.abs(off) <= LEAD / 24]
    lead = float(np.clip(-np.median(near) * 24, 0, 3)) if len(near) >= 20 else nearest.lead_frames
    style = dataclasses.replace(
        nearest,
        name=name,
        burst_length=round(burst_length([shot_rows(r) for r in references], nearest, share), 2),
        lead_frames=round(share * lead + (1 - share) * nearest.lead_frames, 2),
        **tables,  # type: ignore[arg-type]
    )
    # As its file says it, so that what is learnt and what is read back are one.
    style = styles.parse(styles.dump(style), name)
    return Learnt(style, len(rows), nearest.name, share, len(near) / max(len(off), 1))


def shot_rows(reference: Reference) -> list[tuple[float, int]]:
    """Return (length in beats, tercile of the music's energy) of every shot between two cuts of a film."""
    beats = music.hear_beats(reference.song, 0.0, reference.duration)
    if len(beats.time) < 2 or len(reference.cuts) < SHORTEST_FILM:
        return []
    edges = np.array(sorted(reference.cuts))
    place = np.interp(edges, beats.time, np.arange(len(beats.time)))
    low, high = music.energy_bounds(reference.song)
    out = []
    for a, b, p, q in zip(edges, edges[1:], place, place[1:], strict=False):
        at = np.arange(a, b, 0.25)
        energy = float(np.mean([reference.song.energy_at(float(t)) for t in at]))
        if q > p:
            out.append((float(q - p), int(energy >= low) + int(energy >= high)))
    return out


def burst_length(films: list[list[tuple[float, int]]], nearest: Style, share: float) -> float:
    """Return how many quick shots come in a row, on average; 0 where they lie as if shuffled.

    `films` are the rows (`shot_rows`) of each; `share` of the answer is theirs, the rest that of the `nearest` style.
    Shuffled shots of which a share s is quick make runs of 1 / (1 - s).
    """
    lengths = np.asarray(nearest.lengths)
    shots = [
        [lengths[k] <= music.QUICK for k in music.length_bin(np.array([r[0] for r in rows]), lengths)] for rows in films
    ]
    runs = [len(list(run)) for film in shots for quick, run in groupby(film) if quick]
    total = sum(map(len, shots))
    if sum(runs) < FEW_QUICK or sum(runs) == total:
        return nearest.burst_length
    mean = sum(runs) / len(runs)
    if mean < GATHERED / (1 - sum(runs) / total):
        return 0.0
    return share * mean + (1 - share) * (nearest.burst_length or mean)


def _offsets(reference: Reference) -> Floats:
    """Return how far (s) each cut lies after its nearest beat; negative: the picture leads."""
    times = np.array([b.time for b in reference.song.beats])
    if len(times) < 2 or not music.has_beats(reference.song):
        return np.zeros(0)
    cuts = np.array(reference.cuts)
    right = np.clip(np.searchsorted(times, cuts), 1, len(times) - 1)
    nearest = np.where(cuts - times[right - 1] < times[right] - cuts, times[right - 1], times[right])
    return np.asarray(cuts - nearest, float)


def _counts(length: Floats, lengths: Floats) -> Floats:
    if not len(length):
        return np.zeros(len(lengths))
    return np.bincount(music.length_bin(length, lengths), minlength=len(lengths)).astype(float)


def _unlike(style: Style, length: Floats, third: np.ndarray) -> float:
    """Return the total-variation distance of shots to a style's tables, its mean over terciles by their shots.

    Lengths are compared on the style's own grid; a grid that hardly tells them apart is charged for its coarseness.
    """
    if not len(length):
        return 0.0 if style.name == "montage" else 1.0
    lengths = np.asarray(style.lengths)
    far = np.abs(np.log2(np.maximum(length, 0.05) / lengths[music.length_bin(length, lengths)])).mean()
    total = 0.2 * float(far)
    for q, table in enumerate((style.quiet, style.middle, style.loud)):
        seen = _counts(length[third == q], lengths)
        if seen.sum():
            total += 0.5 * float(np.abs(seen / seen.sum() - np.asarray(table)).sum()) * float((third == q).mean())
    return total
