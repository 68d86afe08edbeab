# SPDX-License-Identifier: Apache-2.0
"""What is asked of the decision, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from backbeat.model.footage import Take
from backbeat.model.plan import Lock, Style, Want
from backbeat.model.song import Song
from backbeat.model.timeline import Clip

if TYPE_CHECKING:
    from backbeat.decide.known import Known

ORDERS = ("free", "name", "time", "story")


@dataclass(frozen=True, slots=True)
class CutProblem:
    """One montage to decide.

    `frames` at `rate` is the length of the film; the song is at `song_in` seconds when the film starts. `order`: free,
    name (of the file), time (of shooting) or story (scene and take number of the log). `reuse` lets a source frame be
    shown more than once. `previous` is an earlier edit to stay close to. `alternates` runners-up are named a clip.
    `keep_sound`: the production sound will be heard, so speech is not cut inside a word and no clip changes speed.
    """

    song: Song
    takes: tuple[Take, ...]
    style: Style
    rate: Fraction
    frames: int
    song_in: float = 0.0
    order: str = "free"
    reuse: bool = False
    seed: int = 0
    locks: tuple[Lock, ...] = ()
    wants: tuple[Want, ...] = ()
    previous: tuple[Clip, ...] = ()
    alternates: int = 2
    keep_sound: bool = False


@dataclass(frozen=True, slots=True)
class Solution:
    """A decided montage.

    `value` is the sum of the clips' values less `film_cost` (what the whole film pays for straying from the style's
    shot lengths, for a favourite take and for a missing one). No edit of the same placements is worth more than
    `bound`. `gap` is ``(bound - value)`` as a share of all that was earned. `frames` is the length reached: shorter
    than asked for where the footage gave out (of such a film nothing is proven). `unmet` are sentences: what was asked
    for and could not be had; `notes`: what the editor should know. `known`: what `cut.resolve` starts from.
    """

    clips: tuple[Clip, ...]
    value: float
    bound: float
    gap: float
    unmet: tuple[str, ...] = ()
    seed: int = 0
    frames: int = 0
    film_cost: float = 0.0
    notes: tuple[str, ...] = ()
    known: Known | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: `rule` is its name, `where` the index of the clip (-1 = the whole film)."""

    rule: str
    where: int
    what: str
