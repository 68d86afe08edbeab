# SPDX-License-Identifier: Apache-2.0
"""One plain, rational view of an edit, from which every writer writes and into which every reader reads.

A `Timeline` says what was meant; a `Sheet` says what another program must be told: lanes of events with exact
positions, songs already split at their seams, ducks already turned into level keys, the sound of a picture beside it.
Record positions are whole frames at `Sheet.rate`; source positions are exact seconds after the file's first picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from backbeat.model.timeline import Title

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Source:
    """A media file. `timecode` is its first frame's, in frames at `rate`; `frames` is 0 where the length is unknown."""

    path: str
    rate: Fraction
    frames: int = 0
    timecode: int = 0
    width: int = 0
    height: int = 0
    picture: bool = True
    sound: bool = True
    channels: int = 2
    sample_rate: int = 48000
    reel: str = ""

    @property
    def still(self) -> bool:
        """Whether it is one picture, shown for as long as wanted."""
        return self.picture and self.frames == 1

    @property
    def offset(self) -> Fraction:
        """Seconds on the source's own clock at which its first picture stands."""
        return self.timecode / self.rate


@dataclass(frozen=True, slots=True)
class Event:
    """A piece of a source over `start` .. ``start + frames`` of the record.

    `into` is the source second shown at its start. `speed` is source seconds a record second; where `keys` are
    given, (record seconds after start, source seconds after `into`) with straight lines between, it is their average.
    `gain` are (record seconds after start, dB), one for a constant level, none for 0 dB. `fade_in` and `fade_out` are
    seconds. `mate` is the index, on the lane that `Lane.mates` names, of the picture whose sound this is.
    """

    start: int
    frames: int
    source: Source | None
    into: Fraction = ZERO
    speed: Fraction = ONE
    keys: tuple[tuple[Fraction, Fraction], ...] = ()
    name: str = ""
    note: str = ""
    colour: str = ""
    enabled: bool = True
    gain: tuple[tuple[Fraction, float], ...] = ()
    fade_in: Fraction = ZERO
    fade_out: Fraction = ZERO
    mate: int = -1
    opacity: float = 1.0
    title: Title | None = None

    @property
    def end(self) -> int:
        """First record frame after it."""
        return self.start + self.frames

    def at(self, offset: Fraction) -> Fraction:
        """Return the source second shown `offset` record seconds after the event's start; lines go on beyond keys."""
        if len(self.keys) < 2:
            return self.into + offset * self.speed
        i = max((j for j in range(len(self.keys) - 1) if self.keys[j][0] <= offset), default=0)
        (r0, s0), (r1, s1) = self.keys[i], self.keys[i + 1]
        return self.into + s0 + (offset - r0) * (s1 - s0) / (r1 - r0)


@dataclass(frozen=True, slots=True)
class Dissolve:
    """A dissolve about the cut at record frame `at`, from ``at - before`` to ``at + after``.

    At the film's very ends it is a fade: from black with `before` 0, to black with `after` 0.
    """

    at: int
    before: int
    after: int

    @property
    def frames(self) -> int:
        """Its length."""
        return self.before + self.after


@dataclass(frozen=True, slots=True)
class Lane:
    """Events in order, not overlapping. `kind`: picture, sound (of the pictures), music, or alternates (pictures).

    `track` is the index of the `Timeline` track it was drawn from, -1 where it was derived. `mates` is the index in
    `Sheet.lanes` of the pictures whose own sound this lane holds, -1 for all others.
    """

    kind: str
    events: tuple[Event, ...]
    name: str = ""
    enabled: bool = True
    dissolves: tuple[Dissolve, ...] = ()
    track: int = -1
    mates: int = -1

    @property
    def picture(self) -> bool:
        """Whether it is seen rather than heard."""
        return self.kind in {"picture", "alternates"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark at a record frame; `time` is its exact second; `kind` as in `Marker`, or speed.

    `origin` is the index of the `Timeline` marker it was drawn from, -1 where it was derived.
    """

    frame: int
    frames: int
    name: str
    kind: str
    colour: str
    time: Fraction
    origin: int = -1


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole edit; `start` is the record timecode of frame 0, in frames; `drop` says drop-frame counting."""

    name: str
    rate: Fraction
    width: int
    height: int
    frames: int
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...] = ()
    start: int = 0
    drop: bool = False

    def of(self, *kinds: str) -> list[Lane]:
        """Return the lanes of these kinds, in order."""
        return [lane for lane in self.lanes if lane.kind in kinds]

    def heard(self) -> dict[tuple[int, int], Event]:
        """Return the own sound of pictures, by (index of the lane, index of the event on it)."""
        return {(lane.mates, e.mate): e for lane in self.lanes if lane.mates >= 0 for e in lane.events}

    def sources(self) -> list[Source]:
        """Return every source once, in order of first use."""
        return list(dict.fromkeys(e.source for lane in self.lanes for e in lane.events if e.source is not None))
