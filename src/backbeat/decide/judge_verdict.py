# SPDX-License-Identifier: Apache-2.0
"""The verdict: overall stars, the sentence, the ten worst moments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from backbeat.model.review import ASPECTS, Aspect, Moment

LEAST_ASPECTS = 3
WORST = 10
_PER_ASPECT = 4
_APART = 1.0  # s


def half_steps(stars: float | None) -> float | None:
    """Round down to half stars: nothing is given that was not earned."""
    return None if stars is None else int(2 * max(0.0, min(5.0, stars)) + 1e-9) / 2


def settle(aspects: Sequence[Aspect]) -> tuple[Aspect, ...]:
    """Return the aspects in the scorecard's order with their stars in half steps."""
    rows = {a.key: replace(a, stars=half_steps(a.stars)) for a in aspects}
    return tuple(rows[k] for k in ASPECTS if k in rows)


def overall(aspects: Sequence[Aspect]) -> float | None:
    """Return the mean stars of the judged aspects, to a tenth; None for fewer than three."""
    judged = [a.stars for a in aspects if a.stars is not None]
    return round(sum(judged) / len(judged), 1) if len(judged) >= LEAST_ASPECTS else None


def worst_moments(aspects: Sequence[Aspect], many: int = WORST) -> tuple[Moment, ...]:
    """Return the heaviest moments, at most four of one aspect and none within a second of another, by weight."""
    kept: list[Moment] = []
    count: Counter[str] = Counter()
    for moment in sorted((m for a in aspects for m in a.moments), key=lambda m: (-m.weight, m.time)):
        near = any(abs(moment.time - k.time) < _APART and moment.time > 0 for k in kept)
        if not near and count[moment.aspect] < _PER_ASPECT and len(kept) < many:
            kept.append(moment)
            count[moment.aspect] += 1
    return tuple(kept)


def verdict(aspects: Sequence[Aspect], stars: float | None) -> str:
    """Return one sentence: what the film does best, what worst, and what could not be judged."""
    judged = sorted((a for a in aspects if a.stars is not None), key=lambda a: -(a.stars or 0.0))
    if not judged:
        return f"Nothing could be judged: {aspects[0].finding}." if aspects else "Nothing could be judged."
    best, worst = judged[0], judged[-1]
    head = f"{stars:.1f} of 5 stars" if stars is not None else f"Only {len(judged)} aspects could be judged"
    if len(judged) == 1 or best.stars == worst.stars:
        return f"{head}, as in {best.title.lower()}: {_short(best.finding)}."
    return (
        f"{head}: best in {best.title.lower()} ({_stars(best)}: {_short(best.finding)}), "
        f"weakest in {worst.title.lower()} ({_stars(worst)}: {_short(worst.finding)})."
    )


def _short(finding: str) -> str:
    """Return the head of a finding without what stands in brackets."""
    return re.sub(r" ?\([^)]*\)", "", finding).split(";")[0].strip()


def _stars(aspect: Aspect) -> str:
    return f"{aspect.stars:g} star{'s' * (aspect.stars != 1)}"
