# SPDX-License-Identifier: Apache-2.0
"""What speaks for and against a song in a scene: terms with numbers and reasons that a person can argue with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.decide.moods import energy_of, kin
from backbeat.model.song import Song
from backbeat.model.time import Span

Array = NDArray[Any]

FLOW = 5.0  # flow a frame, percent of the picture's width, that a shot's motion of 1 stands for
STEP = 0.5  # s between the values of a scene's curve
THEME = 2.0  # what a theme is worth where its character is on all the time
_WEAK = 0.15


@dataclass(frozen=True, slots=True)
class SceneNeed:
    """What a scene asks of its music.

    `energy` 0..1 from its motion and cutting, `curve` the same over time, a value every half second; `shot` its median
    shot length (s), 0 if it has no cuts; `speech` the share of it in which somebody speaks, `talk` where (seconds of
    the scene). `light` 0..1 of the picture, None where unknown. `words` mood words of the editor; `pin` and `forbid`
    name songs by path; `themes` are (character, path of the theme, share of the scene that is the character's).
    """

    name: str
    length: float
    energy: float = 0.5
    shot: float = 0.0
    speech: float = 0.0
    words: tuple[str, ...] = ()
    pin: str = ""
    forbid: tuple[str, ...] = ()
    curve: tuple[float, ...] = ()
    talk: tuple[Span, ...] = ()
    light: float | None = None
    themes: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One reason: what it costs (below 0 it speaks for the song) and why, in words."""

    name: str
    cost: float
    why: str


def mean_energy(song: Song) -> float:
    """Return the song's energy 0..1: beside other songs where that is known, else the mean of its own curve."""
    if song.intensity is not None:
        return song.intensity
    return float(np.mean(song.energy)) if song.energy else 0.5


def sung(song: Song) -> float:
    """Return the share of the song in which somebody sings."""
    return min(1.0, sum(v.length for v in song.vocals) / song.duration) if song.duration > 0 else 0.0


def terms(scene: SceneNeed, song: Song) -> tuple[Term, ...]:
    """Return the reasons for and against one song in one scene, the weightiest first."""
    found = (
        *_energy(scene, song), *_tempo(scene, song), *_light(scene, song), *_vocals(scene, song), *_words(scene, song),
        *_theme(scene, song), *_length(scene, song), *_trust(song),
    )  # fmt: skip
    return tuple(sorted(found, key=lambda t: -abs(t.cost)))


def _energy(scene: SceneNeed, song: Song) -> list[Term]:
    """Return level and course of the intensity, at the place of the song that fits best."""
    asked = energy_of(scene.words)
    wanted = scene.energy if asked is None else (scene.energy + asked[1]) / 2
    level, course = _best_part(scene, song)
    away = abs(level - wanted)
    what = "as" if away < _WEAK else "more" if level > wanted else "less"
    than = "as" if what == "as" else "than"
    whom = "the picture" if asked is None else f"the picture and {asked[0]!r} ask"
    out = [Term("energy", 1.5 * away, f"{what} intense {than} {whom} ({level:.2f} against {wanted:.2f})")]
    if course is not None:
        fits = "rises and falls with" if course > 0.3 else "goes against" if course < -0.3 else "does not follow"
        out.append(Term("course", -0.4 * course, f"its intensity {fits} the motion and cutting (r {course:+.2f})"))
    return out


def _best_part(scene: SceneNeed, song: Song) -> tuple[float, float | None]:
    """Return (mean energy, correlation with the scene's curve or None) of the part of the song that fits best.

    A song that is longer may come in at its start or at a section; one that is shorter is taken whole, drawn out.
    """
    curve = np.array(scene.curve)
    energy = np.array(song.energy or (0.5,))
    count = max(1, round(scene.length / song.energy_step))
    if len(curve) < 8 or len(energy) < 8 or float(curve.std()) < 0.04:
        return mean_energy(song), None
    if count >= len(energy):
        starts, count = [0], len(energy)
    else:
        places = [0.0, *(p.time for p in song.entries or ()), *(s.start for s in song.sections)]
        starts = sorted({min(int(t / song.energy_step), len(energy) - count) for t in places})
    best: tuple[float, float, float] | None = None
    for i in starts:
        part = np.interp(np.linspace(0, 1, len(curve)), np.linspace(0, 1, count), energy[i : i + count])
        course = float(np.corrcoef(_smooth(part), _smooth(curve))[0, 1]) if float(part.std()) > 0.02 else 0.0
        # the curve uses 0..1 in every song: a quiet part of a fierce song is half as quiet as it says
        level = min(1.0, max(0.0, mean_energy(song) + 0.5 * float(part.mean() - energy.mean())))
        price = 1.5 * abs(level - scene.energy) - 0.4 * course
        if best is None or price < best[0]:
            best = (price, level, course)
    assert best is not None
    return best[1], best[2]


def _smooth(curve: Array) -> Array:
    """Return the curve over about four seconds: the course of a scene, not its single cuts."""
    width = min(9, len(curve) // 2 * 2 - 1)
    return np.convolve(np.pad(curve, width // 2, mode="edge"), np.full(width, 1 / width), "valid")


def _tempo(scene: SceneNeed, song: Song) -> list[Term]:
    if scene.shot <= 0 or song.tempo <= 0:
        return []
    beat = 60 / song.tempo
    off, beats = min((abs(math.log2(scene.shot / (beat * k))), k) for k in (1, 2, 4, 8, 16))
    return [
        Term("tempo", 0.8 * min(off, 0.5), f"{song.tempo:.0f} bpm against shots of {scene.shot:.1f} s ({beats} beats)")
    ]


def _light(scene: SceneNeed, song: Song) -> list[Term]:
    if scene.light is None or song.brightness is None:
        return []
    away = song.brightness - scene.light
    what = "suits" if abs(away) < 0.2 else "is brighter than" if away > 0 else "is darker than"
    return [Term("light", 0.5 * abs(away), f"its sound {what} the picture ({song.brightness:.2f}, {scene.light:.2f})")]


def _vocals(scene: SceneNeed, song: Song) -> list[Term]:
    share = sung(song)
    if share <= 0.05 or scene.speech <= 0.05:
        return []
    cost = 2.5 * min(1.0, share * 1.5) * min(1.0, scene.speech * 2)
    free = min(1.0, (1 - share) * song.duration / max(0.1, scene.speech * scene.length))
    cost *= 1 - 0.5 * free
    more = ", though it has instrumental stretches for that" if free > 0.9 else ""
    return [Term("vocals", cost, f"sung for {share:.0%}, dialogue for {scene.speech:.0%} of the scene{more}")]


def _words(scene: SceneNeed, song: Song) -> list[Term]:
    said = words_of(song)
    exact = sorted(set(scene.words) & said)
    near = sorted({w for w in scene.words if w not in exact and kin(w) & said})
    out = []
    if exact:
        out.append(Term("words", -0.5 * len(exact), f"named {', '.join(exact)}"))
    if near:
        met = sorted({m for w in near for m in kin(w) & said})
        out.append(Term("words", -0.3 * len(near), f"named {', '.join(met)}, which is near {', '.join(near)}"))
    return out


def words_of(song: Song) -> set[str]:
    """Return the words of a song's name, its folder's name and its tags."""
    parts = song.path.replace("\\", "/").split("/")[-2:]
    text = " ".join((*parts, song.tags.title, song.tags.artist, song.tags.keywords))
    return set("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _theme(scene: SceneNeed, song: Song) -> list[Term]:
    return [
        Term("theme", -THEME * min(1.0, share * 1.5), f"the theme of {who}, who is in {share:.0%} of the scene")
        for who, path, share in scene.themes
        if path == song.path
    ]


def theme_shares(
    span: Span, appearances: Mapping[str, Sequence[Span]], themes: Mapping[str, str]
) -> tuple[tuple[str, str, float], ...]:
    """Return (character, theme, share) for each character with a theme who is in the scene, the one most in it first.

    Parameters
    ----------
    span
        The scene, film seconds.
    appearances
        Where each character is seen, film seconds, by name.
    themes
        The path of each character's theme, by name. Names are compared without case.
    """
    spans = {name.casefold(): seen for name, seen in appearances.items()}
    out = []
    for name, path in themes.items():
        seen = sum(s.overlap(span) for s in spans.get(name.casefold(), ()))
        share = min(1.0, seen / span.length) if span.length > 0 else 0.0
        if share > 0:
            out.append((name, path, round(share, 3)))
    out.sort(key=lambda t: -t[2])
    # only who dominates is followed: two themes at once are none
    return tuple(t for t in out if t[2] >= 0.5 * out[0][2] and t[2] >= 0.2)


def _length(scene: SceneNeed, song: Song) -> list[Term]:
    part = scene.length / max(song.duration, 1.0)
    if part > 1.3:
        return [Term("length", 0.3 * min(3.0, part - 1), f"must be made {part:.1f} times as long")]
    return [Term("length", 0.2, f"only {part:.0%} of it fits")] if part < 0.3 else []


def _trust(song: Song) -> list[Term]:
    out = []
    if song.beat_confidence < 0.4:
        out.append(Term("beat", 0.5, f"its beat is uncertain ({song.beat_confidence:.2f})"))
    licence = song.tags.licence.lower()
    if "nd" in licence.replace("-", " ").split() or "noderiv" in licence or "no deriv" in licence:
        out.append(Term("licence", 1.5, "its licence (NoDerivatives) forbids changing its length"))
    return out


def felt(flow: float) -> float:
    """Return how much motion is felt, 0..1, from the mean flow in percent of the picture's width a second.

    A log scale: half of 145 real shots lie between 0.1 and 0.6, the liveliest twentieth above 0.85.
    """
    low, high = 0.25, 75.0
    return min(1.0, max(0.0, math.log(max(flow, low) / low) / math.log(high / low)))


def scene_energy(flow: float, cuts_a_second: float) -> float:
    """Return a scene's energy 0..1 from its mean flow (percent of the picture's width a second) and its cut rate."""
    return 0.6 * felt(flow) + 0.4 * math.sqrt(min(1.0, cuts_a_second / 0.7))


def scene_curve(motion: Sequence[float], cuts: Sequence[float], span: Span) -> tuple[float, ...]:
    """Return a scene's energy over time: `motion` (flow as above) every half second, `cuts` in film seconds.

    The cut rate at a moment is that of the four seconds about it.
    """
    out = []
    for i, move in enumerate(motion):
        at = span.start + (i + 0.5) * STEP
        near = sum(at - 2 <= c < at + 2 for c in cuts)
        out.append(round(scene_energy(move, near / 4), 3))
    return tuple(out)


def median_shot(cuts: Sequence[float], start: float, end: float) -> float:
    """Return the median shot length (s) between `start` and `end`, 0 without a cut."""
    inside = [c for c in cuts if start < c < end]
    return float(np.median([b - a for a, b in pairwise([start, *inside, end])])) if inside else 0.0
