# SPDX-License-Identifier: Apache-2.0
"""What a clip is worth: one small function a term, all in one unit.

The unit is *one full hit on a downbeat in a style of hit weight 1*. Every function works on numbers and on arrays
alike, so the solver (arrays over placements) and the verifier (one clip at a time) share the definition, not the
data that goes in. Where a rule knows time, its reward is paid by the second, so that more clips are not more reward.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backbeat.model.plan import Style

Numbers = Any  # a float or an array of float64: every function here takes either

SIGMA = 0.035  # s; how fast the eye forgives a hit beside its beat (solver probe, section 1)
MISS = 0.45  # what a full hit off the beat costs, against 1 on it
STRONG = 0.25  # hits below this strength are not missed when they fall beside a beat
PAIR = 0.4  # bonus a further hit caught in the same clip, as a share of its own worth
CUT = 0.35  # a cut on a section change, for a cut class of 1
SECOND = 0.5  # a second of the best picture; also of the best energy match
HIDDEN = 2  # frames at either end of a clip in which no hit is seen
OPENING = 0.5  # a first clip that lets the first bar breathe
ENDING = 0.5  # a last clip that holds for a bar
CIRCLED = 0.25  # a second of a take that the log has circled
TAGGED = 0.25  # a second of a take tagged with the section's role or label
AGAINST = 0.2  # a cut between motions that go against each other, for a match_action of 1
MOVING = 0.3  # motion below which a shot has no direction
ALIKE = 1.0  # two neighbours of one set-up, for a jump_cut of 1
STRAY = 1.0  # each clip too many or too few of a length, against the style
FAVOURITE = 0.4  # each second of a take beyond its share
MISSING = 25.0  # a take that must be used and is not
BURST = 0.4  # each run of quick shots too many or too few, against the style
CROWDED = 2.0  # each full hit in a phrase beyond the cap of the style; more than a hit earns
AGAIN = 1.2  # each second shown again, where re-use is allowed
KEPT = 0.1  # a clip that stands as it stood in the earlier edit (solver probe: 7 % of a mean clip)
SPED = 0.15  # a clip whose speed is changed, for 25 % of change


def near_beat(distance: Numbers) -> Numbers:
    """Return 1 at the beat, falling as a bell with `SIGMA`; `distance` in seconds."""
    return np.exp(-0.5 * (distance / SIGMA) ** 2)


def beat_weight(strength: Numbers, kind: Numbers, accent: Numbers) -> Numbers:
    """Return what a beat is worth as a place for a hit, 0.5..1: downbeats, sections and accents most.

    `strength` and `accent` 0..1; `kind` 0 section, 1 downbeat, 2 other.
    """
    place = np.choose(np.minimum(kind, 2), (1.0, 0.85, 0.4))
    return 0.5 + 0.5 * np.maximum(np.maximum(strength * 0.8, place), accent)


def hit_gain(strength: Numbers, weight_there: Numbers, bell: Numbers, style: Style) -> Numbers:
    """Return the worth of one visible hit: its strength times the beat's weight on it, a cost beside it."""
    missed = MISS * np.where(strength >= STRONG, strength, 0.0) * (1.0 - bell)
    return style.hit_weight * (strength * weight_there * bell - missed)


def full_hit(strength: Numbers, weight_there: Numbers, bell: Numbers) -> Numbers:
    """Whether a visible hit counts as a full one: strong, and on a beat."""
    return (np.asarray(strength) >= STRONG) & (np.asarray(weight_there) > 0) & (np.asarray(bell) > 0.5)


def pair_bonus(caught_sum: Numbers, caught_best: Numbers) -> Numbers:
    """Return what two or three hits on beats are worth beyond their sum."""
    return PAIR * (caught_sum - caught_best)


def cut_on_hit(strength: Numbers, weight_there: Numbers, style: Style) -> Numbers:
    """Return the worth of a hit that is the cut itself (seen in the clip's first frames, on the cut's own beat)."""
    return style.hit_weight * style.hit_on_cut * strength * weight_there


def cut_worth(kind: Numbers, style: Style) -> Numbers:
    """Return the worth of a cut by its class: 0 section, 1 downbeat, 2 beat, 3 half-beat, 4 off the grid."""
    return CUT * (np.choose(kind, (*style.cut_class, 0.0)) - style.cut_class[2])


def quality(value: Numbers, seconds: Numbers, style: Style) -> Numbers:
    """Return the worth of the picture: `value` 0..1 above the style's floor, by the second."""
    return SECOND * style.quality_weight * (value - style.quality_floor) * seconds


def energy_match(motion: Numbers, energy: Numbers, seconds: Numbers, style: Style) -> Numbers:
    """Return how well the picture's motion 0..1 goes with the music's energy 0..1, by the second."""
    return SECOND * style.energy_match * (0.5 - np.abs(motion - energy)) * seconds


def tagged(seconds: Numbers) -> Numbers:
    """Return the worth of a take that its log gives to this section of the song, by the second."""
    return TAGGED * seconds


def against(along: Numbers, style: Style) -> Numbers:
    """Return what a cut costs across which the motion turns about.

    `along` is the cosine between the directions before and after; 0 where either hardly moves. More than 120 degrees
    breaks the line of an action (screen direction).
    """
    return AGAINST * style.match_action * (np.asarray(along) < -0.5)


def speed_cost(factor: Numbers) -> Numbers:
    """Return what a change of speed costs; 0 at normal speed."""
    return SPED * np.abs(np.log2(factor)) / 0.32
