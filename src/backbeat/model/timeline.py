# SPDX-License-Identifier: Apache-2.0
"""The edit, in OpenTimelineIO's terms but with explicit positions. The stored truth is ``film.otio`` (see exchange).

Record positions are whole frames at `Timeline.rate`. Sound positions are seconds of the film.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction

from backbeat.model.cue import Cue
from backbeat.model.footage import Media


@dataclass(frozen=True, slots=True)
class Speed:
    """A time warp: source seconds as a function of record seconds, piecewise linear.

    `points` are (record seconds from the clip's start, source seconds from the clip's source in), both rising in the
    first; fewer than two points mean `factor` throughout. Negative factor plays backwards from the in-point; 0 freezes.
    """

    factor: float = 1.0
    points: tuple[tuple[float, float], ...] = ()

    def source_at(self, record: float) -> float:
        """Return source seconds after the in-point at `record` seconds after the clip's start."""
        if len(self.points) < 2:
            return record * self.factor
        keys = [p[0] for p in self.points]
        i = min(max(bisect_right(keys, record) - 1, 0), len(keys) - 2)
        (r0, s0), (r1, s1) = self.points[i], self.points[i + 1]
        return s0 + (record - r0) * (s1 - s0) / (r1 - r0)

    @property
    def constant(self) -> bool:
        """Whether one factor holds throughout."""
        return len(self.points) < 2


NORMAL = Speed()


@dataclass(frozen=True, slots=True)
class Title:
    """A drawn card or caption: `text` (lines by newline), `kind` card or lower-third, colours as #rrggbb[aa]."""

    text: str
    kind: str = "card"
    size: float = 0.08
    colour: str = "#ffffff"
    background: str = "#000000"


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of a take on the timeline.

    `start` record frame, `frames` record frames; `take` is the media path ("" for a title). `source_in` is in source
    frames of the take at `source_rate`. `sound_gain_db` None: its production sound is not used. `hits` are record
    seconds of visible hits. `terms` sum to `value`. `alternates` are the runners-up, best first.
    """

    start: int
    frames: int
    take: str
    source_in: int
    source_rate: Fraction
    speed: Speed = NORMAL
    name: str = ""
    shot: int = -1
    beat: int = -1
    enabled: bool = True
    locked: bool = False
    opacity: float = 1.0
    sound_gain_db: float | None = None
    title: Title | None = None
    hits: tuple[float, ...] = ()
    reason: str = ""
    value: float = 0.0
    terms: tuple[tuple[str, float], ...] = ()
    alternates: tuple[Alternate, ...] = ()
    colour: str = ""
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def end(self) -> int:
        """First record frame after the clip."""
        return self.start + self.frames

    def source_frame(self, offset: int, rate: Fraction) -> int:
        """Return the source frame shown `offset` record frames into the clip (timeline at `rate`).

        Nearest frame, halves down: a constant 1:1 clip shows source_in, source_in + 1, … exactly.
        """
        # In whole numbers, which is exact and ten times as fast as fractions: above / below source frames have passed.
        if self.speed is NORMAL or self.speed == NORMAL:
            above = offset * self.source_rate.numerator * rate.denominator
            below = self.source_rate.denominator * rate.numerator
        else:
            seconds = self.speed.source_at(float(offset / rate))
            above = round(seconds * 1_000_000) * self.source_rate.numerator
            below = 1_000_000 * self.source_rate.denominator
        return self.source_in - (below - 2 * above) // (2 * below)

    def source_span(self, rate: Fraction) -> tuple[int, int]:
        """Return the half-open span of source frames that the clip shows."""
        first, last = self.source_frame(0, rate), self.source_frame(self.frames - 1, rate)
        return min(first, last), max(first, last) + 1


@dataclass(frozen=True, slots=True)
class Alternate:
    """A runner-up for a clip's place: what the film would lose by it, at what speed, and `why` ("hits -0.40")."""

    take: str
    shot: int
    source_in: int
    loss: float
    speed: float = 1.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """A dissolve or wipe about the cut at record frame `at`: it lasts from ``at - before`` to ``at + after``."""

    at: int
    before: int
    after: int
    kind: str = "dissolve"


@dataclass(frozen=True, slots=True)
class Track:
    """Clips in order of `start`, not overlapping; gaps are what they leave. `kind`: picture or sound."""

    clips: tuple[Clip, ...]
    kind: str = "picture"
    name: str = ""
    enabled: bool = True
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark at `time` seconds of the film; `kind`: beat, downbeat, section, hit, cue, scene, note."""

    time: float
    kind: str
    name: str = ""
    length: float = 0.0
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole edit. `tracks` lie bottom to top; `takes` holds the facts of every file that a clip names."""

    name: str
    rate: Fraction
    width: int
    height: int
    frames: int
    tracks: tuple[Track, ...]
    cues: tuple[Cue, ...] = ()
    markers: tuple[Marker, ...] = ()
    takes: tuple[Media, ...] = ()
    start_timecode: int = 0
    fade_in: float = 0.0
    fade_out: float = 0.0
    metadata: tuple[tuple[str, str], ...] = field(default=())

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.frames / self.rate)
