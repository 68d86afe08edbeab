# SPDX-License-Identifier: Apache-2.0
"""What the editor asks for: style, locks, windows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """Named numbers that say how to cut.

    `lengths` are shot lengths in beats; `quiet`, `middle`, `loud` the share of shots of each length where the music's
    energy is low, middling, high (each sums to 1). `cut_class` weighs cuts on section, downbeat, beat, half-beat.
    `lead_frames` (at 24 fps, scaled) is how early a cut falls. `match_action` weighs cuts that turn the motion about.
    `burst_length` is how many quick shots (of a beat or less) come in a row, on average; `hits_per_phrase` is the most
    full hits on beats in a phrase of four bars. 0 leaves either free.
    """

    name: str
    lengths: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)
    quiet: tuple[float, ...] = (0.0, 0.1, 0.4, 0.4, 0.1)
    middle: tuple[float, ...] = (0.05, 0.3, 0.45, 0.2, 0.0)
    loud: tuple[float, ...] = (0.2, 0.45, 0.3, 0.05, 0.0)
    cut_class: tuple[float, float, float, float] = (1.0, 0.8, 0.4, 0.1)
    lead_frames: float = 0.0
    hit_weight: float = 1.0
    hit_on_cut: float = 0.2
    match_action: float = 0.2
    burst_length: float = 0.0
    hits_per_phrase: float = 0.0
    jump_cut: float = 0.5
    energy_match: float = 0.3
    quality_weight: float = 0.5
    quality_floor: float = 0.1
    speed: tuple[float, float] = (1.0, 1.0)
    order: str = "free"


@dataclass(frozen=True, slots=True)
class Lock:
    """Something fixed.

    `kind`: clip (take from `source_in` over `start`..`end`), cut (at `start`), forbid (a take),
    keep (nothing changes in the span). Record frames.
    """

    kind: str
    start: int = 0
    end: int = 0
    take: str = ""
    source_in: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Want:
    """A wish about one take: `hero` is a bonus, `must` demands use; `earliest`/`latest` bound its place (0..1)."""

    take: str
    hero: float = 0.0
    must: bool = False
    earliest: float = 0.0
    latest: float = 1.0
