# SPDX-License-Identifier: Apache-2.0
"""A song as it sounds in a cue: its beats, sections and curves on the cue's own clock, through seams and stretch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from backbeat.model.cue import Cue
from backbeat.model.song import Point, Song
from backbeat.model.time import Span
from backbeat.model.timeline import Marker


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch without a seam: song seconds ``start .. end``, the first of them after `played` s of song."""

    start: float
    end: float
    played: float


class Clock:
    """Song seconds to film seconds of a cue, and back."""

    def __init__(self, cue: Cue) -> None:
        length = cue.end - cue.start
        keys = cue.tempo_map or ((cue.start, cue.song_in), (cue.end, cue.song_in + length * cue.stretch))
        self._film = np.array([k[0] for k in keys])
        self._played = np.array([k[1] - cue.song_in for k in keys])
        runs, at, into = [], 0.0, cue.song_in
        for seam in cue.seams:
            runs.append(Run(into, seam.out, at))
            at, into = at + seam.out - into, seam.into
        runs.append(Run(into, into + float(self._played[-1]) - at, at))
        self.runs = tuple(r for r in runs if r.end > r.start)

    def times(self, song: float) -> list[float]:
        """Return every film second at which the song second `song` sounds."""
        return [self._at(r.played + song - r.start) for r in self.runs if r.start - 1e-6 <= song < r.end - 1e-6]

    def spans(self, start: float, end: float) -> Iterable[Span]:
        """Yield the film spans in which the song's ``start .. end`` sounds."""
        for r in self.runs:
            a, z = max(start, r.start), min(end, r.end)
            if z > a:
                yield Span(self._at(r.played + a - r.start), self._at(r.played + z - r.start))

    def song_at(self, time: float) -> float:
        """Return the song second that sounds at the film second `time`."""
        played = float(np.interp(time, self._film, self._played))
        run = next((r for r in reversed(self.runs) if r.played <= played + 1e-9), self.runs[0])
        return run.start + played - run.played

    def _at(self, played: float) -> float:
        return float(np.interp(played, self._played, self._film))


def heard(song: Song, cue: Cue) -> Song:
    """Return `song` as it is heard in `cue`: all its times are film seconds, from 0 to the end of the cue."""
    clock = Clock(cue)
    beats = [replace(b, time=t) for b in song.beats for t in clock.times(b.time)]
    accents = [replace(a, time=t) for a in song.accents for t in clock.times(a.time)]
    sections = [replace(s, start=p.start, end=p.end) for s in song.sections for p in clock.spans(s.start, s.end)]
    step = song.energy_step
    energy = tuple(song.energy_at(clock.song_at(t)) for t in np.arange(step / 2, cue.end, step))
    return replace(
        song,
        duration=cue.end,
        beats=tuple(sorted(beats, key=lambda b: b.time)),
        accents=tuple(sorted(accents, key=lambda a: a.time)),
        sections=tuple(sorted(sections, key=lambda s: s.start)),
        energy=energy if song.energy else (),
        vocals=tuple(sorted((p for v in song.vocals for p in clock.spans(v.start, v.end)), key=lambda p: p.start)),
        entries=(),
        endings=tuple(Point(t, p.kind, p.grade) for p in song.endings for t in clock.times(p.time)),
        tempo=song.tempo * cue.stretch,
    )


def marks(song: Song, length: float) -> list[Marker]:
    """Return the beats and sections of `song` (on the film's clock) as marks of a film of `length` s."""
    out = [
        Marker(b.time, "downbeat" if b.position == 1 else "beat", str(b.position) if b.position > 0 else "")
        for b in song.beats
        if 0 <= b.time < length
    ]
    for section in song.sections:
        start, end = max(section.start, 0.0), min(section.end, length)
        if end > start:
            out.append(Marker(start, "section", section.role or section.label, length=end - start))
    return out
