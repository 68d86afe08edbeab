# SPDX-License-Identifier: Apache-2.0
"""The film's sound as a flat list of pieces of files, placed to the sample. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backbeat.model.cue import Cue, Duck
    from backbeat.model.timeline import Clip, Timeline, Track, Transition

RATE = 48_000
# Half the crossfade (samples) at a cut of production sound: long enough against clicks, too short to hear.
EDGE = 120


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one file in the film.

    It sounds in film samples ``start .. end`` (48 kHz), where `start` plays `source` seconds of the file and each film
    second `factor` source seconds (negative: backwards). `origin` is ``picture`` for a take (source time 0 is its first
    picture) or ``sound`` for a song. `fade_in`, `fade_out` are samples inside the piece; their `law` is linear (keeps
    the amplitude of a through edit), power (keeps the power of unlike sounds) or smooth (a slow begin and end).
    `keys` are (film sample, dB), straight lines between. `cue` is set where seams, stretch or a ring-out make more of
    it than a straight stretch of song. `stem` names what it belongs to: takes or music.
    """

    path: str
    start: int
    end: int
    source: float
    factor: float = 1.0
    origin: str = "sound"
    fade_in: int = 0
    fade_out: int = 0
    law: str = "linear"
    keys: tuple[tuple[int, float], ...] = ((0, 0.0),)
    ducks: tuple[Duck, ...] = ()
    cue: Cue | None = None
    stem: str = "music"


def sample_at(frame: int, rate: Fraction) -> int:
    """Return the film sample at which record frame `frame` starts."""
    return round(frame * RATE / rate)


def pieces_of(timeline: Timeline) -> tuple[Piece, ...]:
    """Return every piece of sound of a timeline, by start."""
    sounding = {m.path for m in timeline.takes if m.has_sound}
    known = {m.path for m in timeline.takes}
    found: list[Piece] = []
    for track in timeline.tracks:
        if track.enabled:
            for clip in track.clips:
                silent = clip.sound_gain_db is None and track.kind == "picture"
                if clip.enabled and clip.take and not silent and (clip.take in sounding or clip.take not in known):
                    found += _clip_pieces(clip, track, timeline.rate)
    for cue in timeline.cues:
        found.append(cue_piece(cue))
    end = sample_at(timeline.frames, timeline.rate)
    return tuple(sorted((p for p in found if p.start < end and p.end > 0), key=lambda p: p.start))


def _clip_pieces(clip: Clip, track: Track, rate: Fraction) -> list[Piece]:
    """Return a clip's production sound; eased speed from knot to knot, freezes silent."""
    before, after = (max(EDGE, sample_at(n, rate)) for n in _handles(clip, track.transitions))
    first, last = sample_at(clip.start, rate), sample_at(clip.end, rate)
    gain = clip.sound_gain_db or 0.0
    source_in = float(clip.source_in / clip.source_rate)
    whole = Piece(clip.take, first, last, source_in, clip.speed.factor, "picture", keys=((first, gain),), stem="takes")
    spans = [(first, last, source_in, clip.speed.factor)]
    if not clip.speed.constant:
        points = clip.speed.points
        spans = [
            (first + round(r0 * RATE), first + round(r1 * RATE), source_in + s0, (s1 - s0) / (r1 - r0))
            for (r0, s0), (r1, s1) in itertools.pairwise(points)
            if r1 > r0 and r0 * RATE < last - first
        ]
    found = []
    for i, (a, b, source, factor) in enumerate(spans):
        if factor == 0 or min(b, last) <= a:
            continue
        left = before if i == 0 else EDGE
        right = after if i == len(spans) - 1 else EDGE
        piece = replace(whole, start=a, end=min(b, last), source=source, factor=factor)
        found.append(_widened(piece, left, right))
    return found


def _handles(clip: Clip, transitions: tuple[Transition, ...]) -> tuple[int, int]:
    """Return by how many record frames a clip's sound reaches over its ends in transitions."""
    before = max((t.before for t in transitions if t.at == clip.start), default=0)
    return before, max((t.after for t in transitions if t.at == clip.end), default=0)


def _widened(piece: Piece, before: int, after: int) -> Piece:
    """Return `piece` reaching over both ends, faded there: half of a crossfade with its neighbours."""
    start = piece.start - before
    return replace(
        piece,
        start=start,
        end=piece.end + after,
        source=piece.source - before / RATE * piece.factor,
        fade_in=2 * before,
        fade_out=2 * after,
        law="power" if max(before, after) > EDGE else "linear",
    )


def cue_piece(cue: Cue) -> Piece:
    """Return one cue; if it is more than a straight stretch of song, `Piece.cue` says so and it is made whole."""
    start, end = round(cue.start * RATE), round(cue.end * RATE)
    keys = tuple((round(t * RATE), cue.gain_db + db) for t, db in cue.gain_keys) or ((0, cue.gain_db),)
    plain = cue.stretch == 1 and not (cue.seams or cue.tempo_map or cue.ring_out)
    piece = Piece(cue.path, start, end, cue.song_in, keys=keys, ducks=cue.ducks, cue=None if plain else cue)
    if plain:
        piece = replace(piece, fade_in=round(cue.fade_in * RATE), fade_out=round(cue.fade_out * RATE), law="smooth")
    return piece
