# SPDX-License-Identifier: Apache-2.0
"""The scorecard of a film: aspects with figures, moments worth a look, and the curves that draw it."""

from __future__ import annotations

from dataclasses import dataclass

REVIEW_SCHEMA = "backbeat.review/1"
ASPECTS = ("cutting", "action", "pace", "weave", "dialogue", "picture", "characters", "runtime", "technique")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `meaning` is its definition, told on hover; `value` None where nothing could be measured."""

    key: str
    value: float | None
    label: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A place in the film that is worth a look.

    `time` and `length` are film seconds; `what` says what is seen or heard there, `todo` how to mend it; `weight` 0..1
    ranks moments of all aspects against each other.
    """

    time: float
    aspect: str
    what: str
    todo: str
    weight: float
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Aspect:
    """One row of the scorecard.

    `stars` 0..5 in half steps, None where it cannot be judged; then `finding` says why. `figures` hold at least n,
    chance and bound of every rate. `estimated` marks figures that rest on a guess (speech and music not apart).
    """

    key: str
    title: str
    stars: float | None
    finding: str
    figures: tuple[Figure, ...] = ()
    moments: tuple[Moment, ...] = ()
    estimated: bool = False

    def figure(self, key: str) -> float | None:
        """Return the value of a figure, None where there is none."""
        return next((f.value for f in self.figures if f.key == key), None)


@dataclass(frozen=True, slots=True)
class Curve:
    """Values every `step` seconds from 0, for drawing."""

    name: str
    step: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a film time: `kind` beat, downbeat, section, cut, hit, speech, seam; `name` its class or label."""

    time: float
    kind: str
    name: str = ""
    length: float = 0.0
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A thumbnail: `data` is a small JPEG in base64."""

    time: float
    data: str


@dataclass(frozen=True, slots=True)
class Review:
    """The whole verdict. `stars` is the mean of the judged aspects, None when fewer than three could be judged."""

    film: str
    duration: float
    rate: str
    stars: float | None
    verdict: str
    aspects: tuple[Aspect, ...]
    moments: tuple[Moment, ...]
    music: str = ""
    notes: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    marks: tuple[Mark, ...] = ()
    pictures: tuple[Picture, ...] = ()

    def aspect(self, key: str) -> Aspect:
        """Return the aspect `key`."""
        return next(a for a in self.aspects if a.key == key)
