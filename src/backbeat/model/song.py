# SPDX-License-Identifier: Apache-2.0
"""What was heard in a song. All times are seconds of the decoded, delay-compensated sound."""

from __future__ import annotations

from dataclasses import dataclass, field

from backbeat.model.time import Span


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat.

    `position` counts in the bar: 1 = downbeat; -1 = the bar is unknown. `strength` and `confidence` are 0..1.
    """

    time: float
    position: int
    strength: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Section:
    """A span that belongs together.

    `label` tells repetition (A, B, A …); `role` is a guess (intro, verse, chorus, drop, break, outro) or "" where
    none is earned; `energy` and `confidence` are 0..1.
    """

    start: float
    end: float
    label: str
    energy: float
    role: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Accent:
    """An instant that stands out: `kind` is stab, hit, drop, break, silence or fill; `strength` 0..1."""

    time: float
    kind: str
    strength: float
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """A place where a song may begin or end; `kind` says how (true ending, cadence, section …); `grade` 0..1."""

    time: float
    kind: str
    grade: float


@dataclass(frozen=True, slots=True)
class Key:
    """`tonic` 0..11 (0 = C), `mode` major or minor, `strength` 0..1 (margin over the runner-up)."""

    tonic: int
    mode: str
    strength: float


@dataclass(frozen=True, slots=True)
class Tags:
    """What the file says of itself, or a paper beside it; empty where nothing is said.

    `keywords` are its genre, moods and comments in one line.
    """

    title: str = ""
    artist: str = ""
    composer: str = ""
    publisher: str = ""
    isrc: str = ""
    licence: str = ""
    keywords: str = ""


@dataclass(frozen=True, slots=True)
class Song:
    """Everything heard in one song.

    `energy` is the perceived intensity 0..1, one value every `energy_step` seconds. `tempo` is in beats a minute
    (the median). `beat_confidence` 0..1 says how far the grid can be trusted (free time: low). `vocals` are spans in
    which somebody sings. `loudness` is EBU R128 integrated (LUFS). `brightness` 0..1 of its sound and `intensity` 0..1
    beside other songs (`energy` uses 0..1 in every song) are None where nobody asked for them.
    """

    path: str
    duration: float
    beats: tuple[Beat, ...]
    sections: tuple[Section, ...] = ()
    accents: tuple[Accent, ...] = ()
    energy: tuple[float, ...] = ()
    energy_step: float = 0.5
    tempo: float = 0.0
    beat_confidence: float = 1.0
    beats_per_bar: int = 4
    key: Key | None = None
    loudness: float = -70.0
    vocals: tuple[Span, ...] = ()
    entries: tuple[Point, ...] = ()
    endings: tuple[Point, ...] = ()
    tags: Tags = field(default_factory=Tags)
    notes: tuple[str, ...] = ()
    brightness: float | None = None
    intensity: float | None = None

    @property
    def last_sound(self) -> float:
        """Where the song is over for the ear (s): files often go on in silence."""
        return max((p.time for p in self.endings if p.kind in {"true ending", "fade"}), default=self.duration)

    def energy_at(self, time: float) -> float:
        """Return the energy 0..1 at `time`, 0.5 where there is no curve."""
        if not self.energy:
            return 0.5
        return self.energy[min(max(int(time / self.energy_step), 0), len(self.energy) - 1)]
