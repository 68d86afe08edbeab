# SPDX-License-Identifier: Apache-2.0
"""Aspect *run-time*: where little happens, and what trimming it would give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backbeat.decide.judge import Floats
from backbeat.decide.judge_pace import energy_by_second, shot_spans
from backbeat.model.film import Film, Mix, Music
from backbeat.model.review import Aspect, Figure, Moment
from backbeat.model.time import clock

WINDOW = 10.0
HOP = 2.5


@dataclass(frozen=True, slots=True)
class Stretch:
    """A slow stretch of the film (s) and the seconds it would give back at the film's usual pace."""

    start: float
    end: float
    gives_back: float


def liveliness(film: Film, music: Music | None, mix: Mix | None) -> Floats:
    """Return how much happens in every window of 10 s (hop 2.5 s), 0..1, the mean of three parts.

    Cutting (1 - exp(-cuts / 4)), motion of the shots (0..1), and sound: energy of the music where it is known, else
    the spread of loudness (20 LU = 1). Parts that are not known are left out.
    """
    starts = np.arange(0.0, max(HOP, film.duration - WINDOW / 2), HOP)
    cuts = np.asarray(film.cut_times)
    parts = [1.0 - np.exp(-np.array([np.count_nonzero((cuts >= s) & (cuts < s + WINDOW)) for s in starts]) / 4.0)]
    if film.shots:
        ends = np.asarray([float(s.end_frame / film.rate) for s in film.shots])
        motion = np.asarray([s.motion for s in film.shots])
        index = np.clip(np.searchsorted(ends, starts + WINDOW / 2), 0, len(ends) - 1)
        parts.append(np.clip(motion[index], 0, 1))
    if music is not None and music.energy:
        energy = energy_by_second(music, max(1.0, film.duration))
        last = len(energy) - 1
        parts.append(np.array([energy[min(int(s), last) : int(s + WINDOW)].mean() for s in starts]))
    elif mix is not None and not mix.silent:
        levels = np.maximum(np.asarray(mix.momentary), -50.0)
        step = mix.step
        pieces = [levels[int(s / step) : int((s + WINDOW) / step)] for s in starts]
        parts.append(np.array([min(1.0, float(np.ptp(p)) / 20.0) if len(p) else 0.0 for p in pieces]))
    return np.asarray(np.mean(parts, axis=0), float)


def slow_stretches(film: Film, lively: Floats, threshold: float) -> tuple[Stretch, ...]:
    """Return the stretches of at least 10 s whose windows all lie at or below `threshold`, longest gain first.

    What one gives back is its length less what as many shots take at the film's median pace.
    """
    spans = shot_spans(film)
    usual = float(np.median(spans[:, 1] - spans[:, 0]))
    low = np.concatenate([[False], lively <= threshold, [False]])
    edges = np.flatnonzero(np.diff(low.astype(int)))
    found = []
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        # A window speaks for its middle half, so neighbouring stretches do not overlap.
        start = 0.0 if a == 0 else float(a * HOP + WINDOW / 4)
        end = film.duration if b >= len(lively) else min(film.duration, float((b - 1) * HOP + WINDOW * 3 / 4))
        shots = 1 + sum(1 for c in film.cut_times if start < c < end)
        if end - start >= WINDOW:
            found.append(Stretch(start, end, max(0.0, (end - start) - shots * usual)))
    return tuple(sorted(found, key=lambda s: -s.gives_back))


def runtime(film: Film, lively: Floats, references: Sequence[Floats] = ()) -> Aspect:
    """Name the slowest stretches; a star only against reference films.

    Percentiles inside one film find the same share of drag in every film, so without references nothing is judged.
    With them the threshold is the references' 20th percentile of liveliness: stars = 1 + 4·clip(2 - share / 0.2, 0, 1)
    where share is the part of this film below it. As slow as the references is five stars, twice as slow is one.
    """
    title = "Run-time"
    if len(film.cuts) < 2:
        return Aspect("runtime", title, None, "fewer than two cuts: there is no pace to fall behind")
    if film.duration < 3 * WINDOW:
        return Aspect("runtime", title, None, f"{film.duration:.0f} s are too short to drag (30 s are needed)")
    pool = np.concatenate([np.asarray(r, float) for r in references]) if references else lively
    threshold = float(np.quantile(pool, 0.2))
    found = slow_stretches(film, lively, threshold)
    gained = sum(s.gives_back for s in found)
    share = float(np.mean(lively < threshold)) if references else None
    figures = (
        Figure(
            "slow_share", share, "slower than references", "%", "Windows of 10 s below the references' slowest fifth."
        ),
        Figure("gives_back", gained, "could be given back", "s", "Slow stretches less their shots at the usual pace."),
        Figure(
            "stretches", len(found), "slow stretches", "", "Stretches of 10 s and more that are the film's slowest."
        ),
        Figure("references", len(references), "reference films", "", "Films given with --against."),
    )
    moments = tuple(
        Moment(
            s.start, "runtime",
            f"{s.end - s.start:.0f} s with little cutting, motion or change of sound"
            f" ({'slower than the references' if references else 'among the slowest here'})",
            f"trim it: about {s.gives_back:.0f} s could be given back",
            min(0.7, (0.25 if references else 0.15) + s.gives_back / 60.0), s.end - s.start,
        )
        for s in found[:4] if s.gives_back >= 2.0
    )  # fmt: skip
    where = f"slowest at {clock(found[0].start)[:-4]}" if found else "no stretch stands out"
    if not references:
        return Aspect("runtime", title, None, f"{where}; a star needs reference films (--against)", figures, moments)
    assert share is not None
    stars = 1.0 + 4.0 * min(1.0, max(0.0, 2.0 - share / 0.2))
    finding = f"{share:.0%} of the film is slower than the slowest fifth of the references; {where}"
    return Aspect("runtime", title, stars, finding, figures, moments)
