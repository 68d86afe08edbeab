# SPDX-License-Identifier: Apache-2.0
"""Words of mood and what is near them, so that "tense" finds a song tagged "suspense". A small list, no model."""

from __future__ import annotations

from collections.abc import Sequence

# The first word names the family; the number is the intensity 0..1 that it asks of music.
FAMILIES: tuple[tuple[float, frozenset[str]], ...] = tuple(
    (energy, frozenset(words.split()))
    for energy, words in (
        (0.20, "calm peaceful quiet gentle soft serene relaxing relaxed still dreamy ambient tranquil mellow lullaby"),
        (0.30, "sad melancholy melancholic sorrow sorrowful grief mournful lament tearful lonely wistful funeral loss"),
        (0.35, "romantic love romance tender intimate wedding lovers longing passion"),
        (0.35, "mysterious mystery strange eerie ghost ghostly haunted haunting enigmatic secret"),
        (0.45, "dark sinister grim gloomy ominous evil doom brooding night nocturne midnight"),
        (0.50, "scary horror creepy terror fear frightening nightmare"),
        (0.55, "tense tension suspense suspenseful thriller danger nervous anxious uneasy dread stealth"),
        (0.55, "funny comic comedy comical silly quirky playful humorous whimsical cartoon"),
        (0.60, "hopeful hope inspiring uplifting warm optimistic dawn sunrise"),
        (0.65, "happy joy joyful cheerful upbeat bright fun sunny merry carefree festive"),
        (0.75, "epic heroic grand majestic triumph triumphant victory victorious glorious anthem hero"),
        (0.80, "party dance club disco groove funky"),
        (0.90, "action chase fight battle combat fast pursuit war attack energetic intense driving aggressive furious"),
    )
)  # fmt: skip


def kin(word: str) -> frozenset[str]:
    """Return the words of a mood's families, without itself; empty for a word that is none."""
    return frozenset(w for _, family in FAMILIES if word in family for w in family) - {word}


def energy_of(words: Sequence[str]) -> tuple[str, float] | None:
    """Return (word, intensity 0..1) of the first mood word that asks for one, None where none does."""
    return next(((w, energy) for w in words for energy, family in FAMILIES if w in family), None)
