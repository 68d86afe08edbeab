# SPDX-License-Identifier: Apache-2.0
"""Aspects *picture* and *characters*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from backbeat.decide.judge_sound import falling
from backbeat.model.film import Film
from backbeat.model.footage import Shot
from backbeat.model.review import Aspect, Figure, Moment
from backbeat.model.time import Span

SOFT, DARK, SHAKY = 0.15, 0.25, 0.6  # below, below, above: faults of a shot, in the terms of `model.footage.Shot`


def faults_of(shot: Shot) -> list[tuple[str, str]]:
    """Return what is wrong with a shot's picture, each with what to do."""
    found = []
    if shot.sharpness < SOFT and "black" not in shot.flags:
        found.append(("soft", "take a sharper take, or show it shorter"))
    if shot.exposure < DARK and "black" not in shot.flags:
        found.append(("badly exposed", "grade it, or take another"))
    if shot.shake > SHAKY:
        found.append(("shaky", "stabilise it, or show it shorter"))
    return found


def picture(film: Film) -> Aspect:
    """Judge the used frames: sharp, exposed, steady; nothing shown twice, no jump cuts, no black or frozen picture.

    The stars are those of the share of run-time with a fault (5 at none, 1 at half), less one for every tenth of the
    film that was shown before, and one for every fifth of the cuts that jump within one set-up.
    """
    title = "Picture"
    if not film.shots:
        return Aspect("picture", title, None, "no picture could be judged")
    length = max(1e-9, film.duration)
    faulty = [(s, faults_of(s)) for s in film.shots]
    seconds = dict.fromkeys(("soft", "badly exposed", "shaky"), 0.0)
    for shot, faults in faulty:
        for name, _ in faults:
            seconds[name] += _span(shot, film).length
    # Credits and openings are black on purpose; what interrupts the film is not.
    holes = [s for s in film.black if s.start > 0.5 and s.end < film.duration - 0.5]
    standing = [*holes, *film.frozen]
    still = sum(s.length for s in film.frozen)
    share = sum(_span(s, film).length for s, f in faulty if f) + sum(s.length for s in standing)
    repeated = sum(s.length for s in film.repeated) / length
    jumps = jump_cuts(film.shots)
    jump_share = len(jumps) / len(film.cuts) if film.cuts else 0.0
    stars = max(0.0, falling(min(1.0, share / length), 0.0, 0.5) - repeated / 0.1 - jump_share / 0.2)
    meaning = "Share of run-time in shots that are so."
    figures = (
        Figure("n", len(film.shots), "shots", "", "Number of shots."),
        Figure("soft", seconds["soft"] / length, "soft", "%", meaning),
        Figure("exposed", seconds["badly exposed"] / length, "badly exposed", "%", meaning),
        Figure("shaky", seconds["shaky"] / length, "shaky", "%", meaning),
        Figure(
            "repeated", repeated, "shown twice", "%", "Share of run-time whose frames were shown before (0.5 s up)."
        ),
        Figure("jump_cuts", len(jumps), "jump cuts", "", "Cuts between two pictures of one set-up."),
        Figure(
            "frozen", sum(s.length for s in film.frozen), "frozen", "s", "Standing picture of half a second and more."
        ),
        Figure("black", sum(s.length for s in holes), "black", "s", "Black inside the film."),
    )
    moments = [
        Moment(s.start, "picture", f"{s.length:.1f} s that were shown before", "take another shot",
               min(0.7, 0.3 + s.length / 20), s.length)
        for s in sorted(film.repeated, key=lambda s: -s.length)[:3]
    ]  # fmt: skip
    moments += [
        Moment(float(film.shots[i].start_frame / film.rate), "picture", "a jump cut: two pictures of one set-up",
               "put a cutaway between them, or leave more out", 0.3)
        for i in jumps[:3]
    ]  # fmt: skip
    moments += [
        Moment(s.start, "picture", f"the picture stands still for {s.length:.1f} s", "cut it, or slow it down instead",
               min(0.6, 0.2 + s.length / 10), s.length)
        for s in film.frozen[:2]
    ]  # fmt: skip
    moments += [
        Moment(s.start, "picture", f"{s.length:.1f} s of black", "close the hole", 0.5, s.length) for s in holes[:2]
    ]
    worst = sorted((r for r in faulty if r[1]), key=lambda r: -len(r[1]) * _span(r[0], film).length)
    for shot, faults in worst[:3]:
        span = _span(shot, film)
        what = " and ".join(name for name, _ in faults)
        weight = min(0.5, 0.15 + 0.1 * len(faults) + span.length / 60)
        moments.append(
            Moment(span.start, "picture", f"a shot of {span.length:.1f} s is {what}", faults[0][1], weight, span.length)
        )
    bad = [f"{v / length:.0%} {k}" for k, v in seconds.items() if v / length >= 0.05]
    bad += [f"{still:.1f} s of standing picture"] if still else []
    bad += [f"{sum(s.length for s in holes):.1f} s of black"] if holes else []
    bad += [f"{repeated:.0%} shown twice"] if repeated >= 0.01 else []
    bad += [f"{len(jumps)} jump cut{'s' * (len(jumps) != 1)}"] if jumps else []
    finding = ", ".join(bad) if bad else "sharp, exposed and steady throughout"
    return Aspect("picture", title, stars, finding, figures, tuple(moments))


def _span(shot: Shot, film: Film) -> Span:
    return Span(float(shot.start_frame / film.rate), float(shot.end_frame / film.rate))


def jump_cuts(shots: Sequence[Shot]) -> list[int]:
    """Return the indices of shots that follow one of the same set-up (`group`)."""
    return [i + 1 for i, (a, b) in enumerate(pairwise(shots)) if a.group >= 0 and a.group == b.group]


def characters(shares: Mapping[str, float]) -> Aspect:
    """Tell every character's share of the screen time (0..1); no star, for nobody said what it should be."""
    title = "Characters"
    if not shares:
        why = "nobody is known by name: give --timeline of footage with a log or tags"
        return Aspect("characters", title, None, why)
    rows = sorted(shares.items(), key=lambda r: -r[1])
    figures = tuple(
        Figure(name, share, name, "%", "Share of the film's run-time in takes tagged so.") for name, share in rows
    )
    finding = ", ".join(f"{name} {share:.0%}" for name, share in rows[:4]) + "; told, not judged"
    return Aspect("characters", title, None, finding, figures)
