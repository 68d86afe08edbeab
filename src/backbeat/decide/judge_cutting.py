# SPDX-License-Identifier: Apache-2.0
"""Aspects *cutting to music* and *action on the beat*."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backbeat.decide.judge import CUT_WINDOW, HIT_WINDOW, Floats, Metric, inside, nearest, rate_on_grid
from backbeat.model.film import Film, Music
from backbeat.model.review import Aspect, Figure, Moment
from backbeat.model.time import clock, frame_at

CLASSES = ("section", "downbeat", "beat", "half-beat", "off")
LEAST_CUTS = 3
STRONG = 0.5  # hits below this strength are not asked to fall on a beat; fixed before any music is heard
TRUST = 0.25  # a grid of less confidence judges nobody
FASTEST = 200.0  # beats a minute: a doubled grid above this is no pulse that people feel
_EVERY = 0.75  # share of beats with a cut from which an edit is a metronome


@dataclass(frozen=True, slots=True)
class Grids:
    """One rate on the grid as heard, at half and at double tempo, and on a second grid; `used` names the best."""

    used: str
    best: Metric
    heard: Metric
    half: Metric
    double: Metric
    second: Metric | None


def on_grids(events: Sequence[float], music: Music, reach: tuple[float, float]) -> Grids:
    """Judge `events` on every grid that the music may have.

    Trackers err by an octave: cuts of kappa 0.85 on the true grid show 0.80 at double and 0.35 at half tempo. So the
    doubled grid is admitted as well where it is a pulse people feel, with the bound taken at half the level
    (Bonferroni) because two grids were tried. The halved grid can only lose; it is told, not used.
    """
    beats = np.asarray(music.times)
    double = doubled(beats)
    tempo = 60.0 / float(np.median(np.diff(beats))) if len(beats) > 1 else 0.0
    admitted = 0 < 2 * tempo <= FASTEST
    alpha = 0.025 if admitted else 0.05
    heard = rate_on_grid(events, beats.tolist(), reach, alpha=alpha)
    twice = rate_on_grid(events, double.tolist(), reach, alpha=alpha)
    half = max(
        (rate_on_grid(events, beats[i::2].tolist(), reach) for i in (0, 1)),
        key=lambda m: m.kappa,
    )
    second = rate_on_grid(events, [b.time for b in music.second], reach) if len(music.second) > 1 else None
    if admitted and twice.low > heard.low:
        return Grids("double tempo", twice, heard, half, twice, second)
    return Grids("as heard", heard, heard, half, twice, second)


def doubled(beats: Floats) -> Floats:
    """Return the grid with a beat half-way between any two."""
    return np.sort(np.concatenate([beats, (beats[1:] + beats[:-1]) / 2])) if len(beats) > 1 else beats


def classes_of(cuts: Sequence[float], music: Music, reach: tuple[float, float]) -> list[str]:
    """Return for every cut the heaviest place it falls on: section, downbeat, beat, half-beat or off."""
    beats = np.asarray(music.times)
    got = ["off"] * len(cuts)
    if len(beats) < 2:
        return got
    near = nearest(np.asarray(cuts, float), beats)
    halves = nearest(np.asarray(cuts, float), doubled(beats))
    for index, on in zip(halves.index, inside(halves.offset, reach), strict=True):
        if on:
            got[int(index)] = "half-beat"
    starts = _section_beats(music)
    for index, beat, on in zip(near.index, near.beat, inside(near.offset, reach), strict=True):
        if on:
            heavy = "downbeat" if music.beats[int(beat)].position == 1 else "beat"
            got[int(index)] = "section" if int(beat) in starts else heavy
    return got


def _section_beats(music: Music) -> set[int]:
    beats = np.asarray(music.times)
    starts = [s.start for s in music.sections if beats[0] < s.start < beats[-1]]
    return {int(np.argmin(np.abs(beats - s))) for s in starts}


def section_recall(
    cuts: Sequence[float], music: Music, reach: tuple[float, float], duration: float
) -> tuple[Figure, ...]:
    """Return the share of the music's section changes that have a cut, and what as many cuts anywhere would reach.

    Pretet et al. (ISMIR 2021) found editors of official videos to favour section changes.
    """
    beats = np.asarray(music.times)
    starts = [float(beats[i]) for i in sorted(_section_beats(music))] if len(beats) > 1 else []
    starts = [s for s in starts if 0 < s < duration]
    if not starts or not cuts:
        return ()
    gaps = np.asarray(cuts)[None, :] - np.asarray(starts)[:, None]
    recall = float(inside(gaps, reach).any(axis=1).mean())
    chance = 1.0 - float(np.exp(-len(cuts) * sum(reach) / max(duration, 1e-9)))
    return (
        Figure("section_n", len(starts), "section changes", "", "Section changes heard inside the film."),
        Figure("section_recall", recall, "section changes with a cut", "%", "Share of them that have a cut on them."),
        Figure("section_chance", chance, "… by chance", "%", "The same for as many cuts thrown anywhere."),
    )


def metric_figures(metric: Metric, what: str, window: str) -> tuple[Figure, ...]:
    """Return the figures that every rate is told with."""
    return (
        Figure("n", metric.n, f"{what} judged", "", f"Number of {what} where a beat grid runs."),
        Figure("rate", metric.value, "on a beat", "%", f"Share of {what} within {window} of the nearest beat."),
        Figure("chance", metric.chance, "by chance", "%", "What unrelated ones would reach: window over beat period."),
        Figure("kappa", metric.kappa, "beyond chance", "", "(rate - chance) / (1 - chance): 0 chance, 1 perfect."),
        Figure(
            "low", metric.low, "at least", "",
            "Lower bound of the above: smaller of a bootstrap over 8 s phrases and Wilson's score bound.",
        ),
        Figure("p", metric.p, "p", "", "How often phrases shifted at random do as well (999 draws)."),
        Figure("median_error_ms", 1000 * metric.median_error, "median error", "ms", "Negative: before the beat."),
    )  # fmt: skip


def _grid_figures(grids: Grids) -> tuple[Figure, ...]:
    told = [
        Figure(
            "kappa_half", grids.half.kappa, "at half tempo", "", "The same on every second beat (the better of two)."
        ),
        Figure("kappa_double", grids.double.kappa, "at double tempo", "", "The same with a beat between any two."),
    ]
    if grids.second is not None:
        meaning = "The same on the second grid: another ear's, or the one that the edit was solved on."
        told.append(Figure("kappa_second", grids.second.kappa, "on the second grid", "", meaning))
    return tuple(told)


def cutting(film: Film, music: Music | None) -> Aspect:
    """Judge the hard cuts: share in -2 … +1 frames of a beat, against chance.

    Stars are 1 + 4·clip(low / 0.8, 0, 1). An edit that cuts on three beats of four or more gets at most four: a cut
    on every beat is the mark of a machine.
    """
    title = "Cutting to music"
    if (why := _no_grid(music)) or music is None:
        return Aspect("cutting", title, None, why)
    hard = film.hard_cuts
    times = [float(c / film.rate) for c in hard]
    if len(hard) < LEAST_CUTS:
        few = "one shot only: there is no cut to judge" if not film.cuts else f"only {len(hard)} cuts: too few"
        return Aspect("cutting", title, None, few)
    reach = CUT_WINDOW.seconds(film.rate)
    grids = on_grids(times, music, reach)
    best = grids.best
    if best.stars is None:
        return Aspect("cutting", title, None, "fewer than three cuts lie where music plays")
    counts = Counter(classes_of(times, music, reach))
    coverage = best.value * best.n / max(1, _beats_inside(music, film.duration))
    metronome = coverage > _EVERY and best.n >= 16
    stars = min(best.stars, 4.0) if metronome else best.stars
    figures = (
        *metric_figures(best, "cuts", "2 frames before to 1 after (at 24 fps)"),
        *_grid_figures(grids),
        *section_recall(film.cut_times, music, reach, film.duration),
        *(
            Figure(f"share_{c.replace('-', '_')}", counts[c] / len(hard), f"on {c}" if c != "off" else "off", "%",
                   "Share of all cuts by the heaviest place they fall on.")
            for c in CLASSES
        ),
        Figure("gradual", len(film.gradual), "dissolves", "", "Gradual changes: without an instant, not judged."),
        Figure("coverage", coverage, "beats with a cut", "%", "Cuts on beats over beats: near 100 % is a metronome."),
    )  # fmt: skip
    finding = _cut_finding(best, grids.used)
    if metronome:
        finding += "; nearly every beat is cut, which tires (four stars at most)"
    return Aspect("cutting", title, stars, finding, figures, _missed_cuts(film, music, reach, best))


def _beats_inside(music: Music, duration: float) -> int:
    return sum(1 for b in music.beats if 0 < b.time < duration)


def _no_grid(music: Music | None) -> str:
    if music is None or len(music.beats) < 4:
        return "no music with a beat is heard in the film"
    if music.confidence < TRUST:
        return f"no steady beat is heard (confidence {music.confidence:.2f}); give --song or --beats to judge it"
    return ""


def _cut_finding(metric: Metric, used: str) -> str:
    grid = f" (grid at {used})" if used != "as heard" else ""
    said = f"{metric.value:.0%} of {metric.n} cuts fall on a beat, chance is {metric.chance:.0%}{grid}"
    if metric.low <= 0:
        return f"{said}: no better than chance"
    late = metric.median_error * 1000
    return f"{said}; the median cut is {abs(late):.0f} ms {'after' if late > 0 else 'before'} the beat"


def _missed_cuts(film: Film, music: Music, reach: tuple[float, float], metric: Metric) -> tuple[Moment, ...]:
    """Name cuts that miss a beat by little: the eye takes them for mistakes, in a film that is cut to its music."""
    if metric.low <= 0:
        return ()
    near = nearest(np.asarray([float(c / film.rate) for c in film.hard_cuts]), np.asarray(music.times))
    found = []
    for index, offset, period, beat in zip(near.index, near.offset, near.period, near.beat, strict=True):
        miss = max(-reach[0] - offset, offset - reach[1], 0.0)
        if miss <= 0 or abs(offset) > 0.4 * period:
            continue
        time = float(film.hard_cuts[int(index)] / film.rate)
        target = frame_at(music.beats[int(beat)].time, film.rate)
        frames = target - film.hard_cuts[int(index)]
        heavy = 1.0 if music.beats[int(beat)].position == 1 else 0.7
        side = "after" if offset > 0 else "before"
        found.append(
            Moment(
                time=time,
                aspect="cutting",
                what=f"the cut comes {abs(offset) * 1000:.0f} ms {side} the beat",
                todo=f"move it {abs(frames)} frame{'s' * (abs(frames) != 1)} "
                f"{'earlier' if frames < 0 else 'later'}, to {clock(float(target / film.rate))}",
                weight=max(0.0, metric.low) * heavy * (1.0 - abs(offset) / period) * (0.8 if offset > 0 else 0.6),
            )
        )
    return tuple(sorted(found, key=lambda m: -m.weight)[:6])


def action(film: Film, music: Music | None) -> Aspect:
    """Judge the visible hits of strength 0.5 and more: share within ± 1 frame of a beat, against chance.

    Hits that are only heard are left out: in a finished film they are the drums themselves. What is seen alone holds
    false hits, which pull the rate to chance, so the aspect is marked as an estimate.
    """
    title = "Action on the beat"
    if (why := _no_grid(music)) or music is None:
        return Aspect("action", title, None, why)
    strong = sorted((h for h in film.hits if h.strength >= STRONG and h.evidence != "heard"), key=lambda h: h.time)
    if len(strong) < LEAST_CUTS:
        return Aspect("action", title, None, f"{len(strong) or 'no'} strong hits are seen: too few to judge")
    reach = HIT_WINDOW.seconds(film.rate)
    grids = on_grids([h.time for h in strong], music, reach)
    best = grids.best
    if best.stars is None:
        return Aspect("action", title, None, "fewer than three hits lie where music plays")
    finding = f"{best.value:.0%} of {best.n} strong hits fall on a beat, chance is {best.chance:.0%}"
    if best.low <= 0:
        finding += ": no better than chance"
    near = nearest(np.asarray([h.time for h in strong]), np.asarray(music.times))
    moments = []
    for index, offset in zip(near.index, near.offset, strict=True):
        if inside(np.array([offset]), reach)[0]:
            continue
        hit = strong[int(index)]
        frames = round(-offset * float(film.rate))
        moments.append(
            Moment(
                time=hit.time,
                aspect="action",
                what=f"a strong {hit.kind} lands {abs(offset) * 1000:.0f} ms "
                f"{'after' if offset > 0 else 'before'} the beat",
                todo=f"slip the shot {abs(frames)} frame{'s' * (abs(frames) != 1)} so that it shows "
                f"{'earlier' if frames < 0 else 'later'}",
                weight=0.55 * hit.strength * hit.confidence,
            )
        )
    moments.sort(key=lambda m: -m.weight)
    # Where the film never meant to hit the beat, one example is enough.
    told = moments[:4] if best.low > 0 else [replace(m, weight=m.weight / 2) for m in moments[:1]]
    figures = (*metric_figures(best, "hits", "1 frame (at 24 fps)"), *_grid_figures(grids))
    return Aspect("action", title, best.stars, finding, figures, tuple(told), estimated=True)
