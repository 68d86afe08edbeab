# SPDX-License-Identifier: Apache-2.0
"""Which clips of a montage may be heard under the song: none whose edge cuts a word, none whose speech is hurried."""

from __future__ import annotations

from fractions import Fraction

from backbeat.decide.align_scene import words_of
from backbeat.model.footage import Take
from backbeat.model.time import Span
from backbeat.model.timeline import Clip

GUARD = 0.06  # s inside a word's edge that a cut may touch
EASY = 0.03  # change of speed that speech bears


def may_be_heard(clip: Clip, take: Take, rate: Fraction) -> bool:
    """Whether the clip's production sound holds no word cut at an edge and no speech faster or slower than 3 %."""
    first, after = clip.source_span(rate)
    shown = Span(float(first / clip.source_rate), float(after / clip.source_rate))
    words = words_of(take)
    if any(w.start + GUARD < edge < w.end - GUARD for w in words for edge in (shown.start, shown.end)):
        return False
    changed = not clip.speed.constant or abs(clip.speed.factor - 1.0) > EASY
    return not (changed and any(w.overlap(shown) > 0 for w in words))
