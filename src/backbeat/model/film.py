# SPDX-License-Identifier: Apache-2.0
"""A finished film as seen and heard: its picture, its music, its mix. Film seconds and film frames throughout."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from backbeat.model.footage import Hit, Shot, Speech
from backbeat.model.song import Beat, Section
from backbeat.model.time import Span


@dataclass(frozen=True, slots=True)
class Join:
    """A place where the music jumps (inside a song, or from one to the next).

    `percentile` 0..100 is the jump's continuation distance among the song's own beat-to-beat changes (song known), or
    the local change of sound among the film's own (song unknown: weak evidence, `known` False).
    """

    time: float
    percentile: float
    known: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class Music:
    """The music as it sounds in the film; all times are film seconds.

    `beats` is the grid of the verdict, `second` another ear's or the edit's own. `confidence` 0..1 of the grid.
    `spans` is where music plays (empty: throughout). `offset_known` tells whether joins were looked for.
    """

    beats: tuple[Beat, ...]
    name: str = ""
    confidence: float = 1.0
    sections: tuple[Section, ...] = ()
    energy: tuple[float, ...] = ()
    energy_step: float = 0.5
    second: tuple[Beat, ...] = ()
    second_name: str = ""
    joins: tuple[Join, ...] = ()
    song_known: bool = False

    @property
    def times(self) -> list[float]:
        """Beat times."""
        return [b.time for b in self.beats]


@dataclass(frozen=True, slots=True)
class Mix:
    """The film's sound as a whole.

    `momentary` is the loudness of 0.4 s (LUFS) every `step` seconds, window centred. `start` and `end` are seconds of
    the first sample and after the last one on the picture's clock. `ending_drop` is how far (dB) the last 50 ms lie
    below the loudest second of the last five. `integrated` LUFS, `true_peak` dBTP (4x oversampled), `peak_at` the film
    second of the highest sample. `level` is dBFS (RMS) every `level_step` seconds, for what is too short for loudness.
    """

    momentary: tuple[float, ...]
    step: float
    integrated: float
    true_peak: float
    start: float
    end: float
    ending_drop: float
    level: tuple[float, ...] = ()
    level_step: float = 0.01
    silent: bool = False
    peak_at: float = 0.0

    def at(self, time: float) -> float:
        """Return the momentary loudness at a film second."""
        if not self.momentary:
            return -70.0
        return self.momentary[min(max(round(time / self.step), 0), len(self.momentary) - 1)]


@dataclass(frozen=True, slots=True)
class Film:
    """The picture of the film.

    `cuts` are the frames that begin a new shot, `gradual` those of them that are the middle of a dissolve; `shots`
    their spans (in film frames, edges included). `repeated` are spans that were shown before. `frozen` are spans of
    standing picture, `dropped` the number of irregular frame steps. `music` is where music is heard. `offset` (s): add
    it to sound times to meet the picture; None where it could not be told.
    """

    rate: Fraction
    frames: int
    cuts: tuple[int, ...]
    shots: tuple[Shot, ...] = ()
    hits: tuple[Hit, ...] = ()
    speech: tuple[Speech, ...] = ()
    repeated: tuple[Span, ...] = ()
    frozen: tuple[Span, ...] = ()
    black: tuple[Span, ...] = ()
    dropped: int = 0
    music: tuple[Span, ...] = ()
    gradual: tuple[int, ...] = ()
    offset: float | None = None

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.frames / self.rate)

    @property
    def cut_times(self) -> list[float]:
        """Seconds of the cuts."""
        return [float(c / self.rate) for c in self.cuts]

    @property
    def hard_cuts(self) -> tuple[int, ...]:
        """Frames of the cuts that have an instant; a dissolve has none."""
        return tuple(c for c in self.cuts if c not in self.gradual)
