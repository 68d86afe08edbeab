# SPDX-License-Identifier: Apache-2.0
"""The film's sound as a flat list of pieces of files, placed to the sample. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from fractions import Fraction

from backbeat.model.cue import Cue, Duck
from backbeat.model.timeline import Clip, Timeline, Track, Transition

RATE = 48_000
# Half the crossfade (samples) at a cut of production sound: long enough against clicks, too short to hear.
EDGE = 120
# How long before speech the music begins to dip, and how long after it comes back (s).
DUCK_ATTACK, DUCK_RELEASE = 0.25, 0.6
# Crossfade (s) where a tempo map changes its stretch.
BEND = 0.03


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one file in the film.

    It sounds in film samples ``start .. end`` (48 kHz), where `start` plays `source` seconds of the file and each film
    second `factor` source seconds (negative: backwards). `origin` is ``picture`` for a take (source time 0 is its first
    picture) or ``sound`` for a song. `fade_in`, `fade_out` are samples inside the piece, `power` tells whether they
    keep the power (crossfades of unlike sounds) or the amplitude. `keys` are (film sample, dB), straight lines between.
    `stem` names what it belongs to: takes or music.
    """

    path: str
    start: int
    end: int
    source: float
    factor: float = 1.0
    origin: str = "sound"
    fade_in: int = 0
    fade_out: int = 0
    power: bool = False
    keys: tuple[tuple[int, float], ...] = ()
    ducks: tuple[Duck, ...] = ()
    stem: str = "music"

    def source_at(self, sample: int) -> float:
        """Return the source second at a film sample."""
        return self.source + (sample - self.start) / RATE * self.factor


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
        found += cue_pieces(cue)
    end = sample_at(timeline.frames, timeline.rate)
    return tuple(sorted((p for p in found if p.start < end and p.end > 0), key=lambda p: p.start))


def _clip_pieces(clip: Clip, track: Track, rate: Fraction) -> list[Piece]:
    """Return a clip's production sound; eased speed in short steps, freezes silent."""
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
        found.append(_widened(piece, left, right, power=max(left, right) > EDGE))
    return found


def _handles(clip: Clip, transitions: tuple[Transition, ...]) -> tuple[int, int]:
    """Return by how many record frames a clip's sound reaches over its ends in transitions."""
    before = max((t.before for t in transitions if t.at == clip.start), default=0)
    return before, max((t.after for t in transitions if t.at == clip.end), default=0)


def _widened(piece: Piece, before: int, after: int, *, power: bool) -> Piece:
    """Return `piece` reaching over both ends, faded there: half of a crossfade with its neighbours."""
    start = piece.start - before
    return replace(
        piece,
        start=start,
        end=piece.end + after,
        source=piece.source - before / RATE * piece.factor,
        fade_in=2 * before,
        fade_out=2 * after,
        power=power,
    )


def cue_pieces(cue: Cue) -> list[Piece]:
    """Return one cue's pieces: from seam to seam, or along its tempo map."""
    end = round(cue.end * RATE)
    keys = tuple((round(t * RATE), cue.gain_db + db) for t, db in cue.gain_keys) or ((0, cue.gain_db),)
    base = Piece(cue.path, 0, 0, 0.0, keys=keys, ducks=cue.ducks)
    spans: list[tuple[float, float, float, float]] = []  # film in, song in, factor, crossfade with the one before
    if len(cue.tempo_map) > 1:
        for (f0, s0), (f1, s1) in zip(cue.tempo_map, cue.tempo_map[1:], strict=False):
            if f1 - f0 > 1e-3:
                spans.append((f0, s0, (s1 - s0) / (f1 - f0), BEND))
    else:
        film, song = cue.start, cue.song_in
        spans.append((film, song, cue.stretch, 0.0))
        for seam in cue.seams:
            film += (seam.out - song) / cue.stretch
            if film >= cue.end:
                break
            song = seam.into
            spans.append((film, song, cue.stretch, seam.crossfade))
    found = []
    for i, (film, song, factor, fade) in enumerate(spans):
        start = round(film * RATE)
        stop = round(spans[i + 1][0] * RATE) if i + 1 < len(spans) else end
        if min(stop, end) <= start:
            continue
        # The rounding to whole samples is given back to the source, so that it does not add up over seams.
        piece = replace(
            base, start=start, end=min(stop, end), source=song + (start / RATE - film) * factor, factor=factor
        )
        before = round(fade / 2 * RATE) if i else 0
        after = round(spans[i + 1][3] / 2 * RATE) if i + 1 < len(spans) else 0
        piece = _widened(piece, before, after, power=True)
        if i == 0:
            piece = replace(piece, fade_in=round(cue.fade_in * RATE))
        if piece.end >= end:
            piece = replace(piece, end=end, fade_out=round(cue.fade_out * RATE))
        found.append(piece)
    return found
