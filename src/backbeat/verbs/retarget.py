# SPDX-License-Identifier: Apache-2.0
"""A song brought to an exact length: paths are found, their seams rendered and measured, the best path kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, NoEditError
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.verbs.retarget_ground import Ground, prepare, strengths, sung_beats, ways_in, ways_out
from backbeat.verbs.retarget_report import CLEAN, Retargeted, report
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.decide.retarget import Event, RetargetProblem, SongPath

_TRIES = 32
_MANY = 4  # seams that a song bears; more are only heard of where dialogue asks for them
_TOLLS = (0.5, 1.5)
_TOO_MUCH = 0.02  # stretch at which a song's own ending is given up for a made one
_EXCERPT = 2.5  # seconds either side of a seam that are rendered to measure it


def problem_of(
    ground: Ground,
    length: float,
    *,
    hits: Sequence[Event] = (),
    entry: str = "start",
    ending: str = "auto",
    tail: float | None = None,
    talk: Sequence[Span] = (),
    song_in: float | None = None,
) -> RetargetProblem:
    """Return the search problem for one length (s)."""
    from backbeat.decide.retarget import RetargetProblem
    from backbeat.decide.retarget_jumps import jumps

    table = jumps(ground.distance, ground.song.beats, bar=ground.bar, vocals=ground.song.vocals)
    return RetargetProblem(
        ground.times,
        strengths(ground),
        table,
        ways_in(ground, entry, song_in),
        ways_out(ground, ending, tail),
        length,
        ground.bar,
        tuple(hits),
        talk=tuple(talk),
        sung=sung_beats(ground) if talk else None,
    )


def measure(ground: Ground, problem: RetargetProblem, jump: tuple[int, int]) -> None:
    """Render one seam, measure it, and keep what was found in `ground`."""
    from backbeat.decide.retarget_cue import BEFORE_BEAT, seam_of
    from backbeat.listen import repeats
    from backbeat.make.retarget import joined
    from backbeat.media.samples import Sound

    if jump in ground.measured:
        return
    leave, land = jump
    lag = repeats.align(ground.mono, float(ground.times[leave + 1]), float(ground.times[land]))
    seam = seam_of(problem, jump, lag)
    about = max(_EXCERPT, ground.meter.period + 1.0)
    piece = joined(Sound(ground.mono[None], repeats.RATE), seam.out - about, (seam,), round(2 * about * repeats.RATE))[
        0
    ]
    figures = ground.meter.measure(piece, about + BEFORE_BEAT)
    ground.measured[jump] = figures
    ground.seams[jump] = seam_of(problem, jump, lag, figures.percentile)


def search(ground: Ground, problem: RetargetProblem) -> SongPath | None:
    """Return the path that is cheapest once every seam of it has been rendered and measured.

    Where it has more than four seams (and they do not serve dialogue), ever higher tolls on each are tried; a path with
    fewer is taken if it is as clean.
    """
    best = _cheapest(ground, problem, 0.0)
    for toll in _TOLLS:
        if best is None or len(best.jumps) <= _MANY or problem.talk:
            break
        other = _cheapest(ground, problem, toll)
        if other is not None and len(other.jumps) < len(best.jumps):
            best = other if _bad(ground, problem, other) <= _bad(ground, problem, best) else best
    return best


def _bad(ground: Ground, problem: RetargetProblem, path: SongPath) -> bool:
    worst = max((ground.measured[j].percentile for j in path.jumps), default=0.0)
    return worst >= CLEAN or abs(path.ratio - 1) > problem.max_stretch


def _cheapest(ground: Ground, problem: RetargetProblem, toll: float) -> SongPath | None:
    """Return the cheapest path with `toll` on top of each seam.

    The search is lazy: the cheapest path by estimate has its seams measured, their prices replaced, and so on until
    the cheapest path holds no estimate any more, or enough was tried; then the best fully measured path is taken.
    """
    from backbeat.decide.retarget import best_path
    from backbeat.decide.retarget_jumps import repriced

    best: tuple[tuple[bool, float], SongPath] | None = None
    for _ in range(_TRIES):
        prices = {j: f.percentile for j, f in ground.measured.items()}
        table = repriced(problem.jumps, prices)
        path = best_path(replace(problem, jumps=replace(table, cost=table.cost + toll)))
        if path is None:
            break
        fresh = [j for j in path.jumps if j not in ground.measured]
        for jump in fresh:
            measure(ground, problem, jump)
        worst = max((ground.measured[j].percentile for j in path.jumps), default=0.0)
        worth = (_bad(ground, problem, path), path.cost + worst / 50)
        if best is None or worth < best[0]:
            best = (worth, path)
        if not fresh:
            break
    return best[1] if best else None


def fit(
    ground: Ground,
    length: float,
    *,
    hits: Sequence[Event] = (),
    entry: str = "start",
    ending: str = "auto",
    tail: float | None = None,
    start: float = 0.0,
    talk: Sequence[Span] = (),
    song_in: float | None = None,
) -> Retargeted:
    """Return the song at `length` seconds as a cue that begins `start` seconds into the film.

    `talk` are seconds of the cue in which somebody speaks; sung stretches are kept from there. `song_in`: the second of
    the song near which it comes in, on a downbeat.

    Raises
    ------
    NoEditError
        If no path through the song has that length.
    """
    from backbeat.decide.retarget_cue import cue_of

    problem = problem_of(ground, length, hits=hits, entry=entry, ending=ending, tail=tail, talk=talk, song_in=song_in)
    path = search(ground, problem)
    if ending == "auto" and (path is None or abs(path.ratio - 1) > _TOO_MUCH):
        # rather a made ending on any beat than a song that drags
        loose = replace(problem, ends=ways_out(ground, "ring-out", loose=True))
        other = search(ground, loose)
        if other is not None and (path is None or abs(other.ratio - 1) < abs(path.ratio - 1)):
            problem, path = loose, other
    if path is None:
        raise NoEditError(
            f"{ground.song.path}: no way through the song lasts {length:.3f} s",
            "ask for another length, or loosen it with --entry any or --ending ring-out",
        )
    cue = cue_of(problem, path, ground.song.path, start=start, seams=ground.seams)
    return report(ground, problem, path, cue)


def check_length(length: float, song: Song) -> None:
    """Refuse lengths that no path can serve.

    Raises
    ------
    InputError
        If `length` is under 2 s or over 20 times the song.
    """
    if length < 2:
        raise InputError(f"--length {length:g}: too short for a song", "ask for 2 s or more")
    if length > 20 * song.duration:
        raise InputError(
            f"--length {length:g}: {Path(song.path).name} lasts {song.duration:.1f} s", "ask for 20 times that at most"
        )


def retarget(
    path: str,
    length: float,
    session: Session,
    *,
    output: str = "",
    hits: Sequence[float] = (),
    entry: str = "start",
    ending: str = "auto",
    bpm: float = 0.0,
    force: bool = False,
) -> Retargeted:
    """Bring a song to `length` seconds; write it where `output` says ("" decides only).

    Raises
    ------
    InputError
        If an option is out of range or the output cannot be written.
    NoEditError
        If no path has the length.
    """
    from backbeat.decide.retarget import Event
    from backbeat.listen.corrections import Corrections
    from backbeat.make.retarget import cue_samples
    from backbeat.media.soundfile import FORMATS, write_sound
    from backbeat.verbs.listen import songs
    from backbeat.work.output import check, placed

    for name, value, allowed in (
        ("--entry", entry, ("start", "any", "downbeat")),
        ("--ending", ending, ("auto", "true", "ring-out")),
    ):
        if value not in allowed:
            raise InputError(f"{name} {value}: no such way", f"use {', '.join(allowed)}")
    if output:
        check(output, force=force, inputs=[path], suffixes=FORMATS)
    if outside := [h for h in hits if not 0 < h < length]:
        raise InputError(f"--hit {outside[0]:g}: not inside the {length:g} s asked for", "give times of the new length")
    (song,) = songs([path], session, corrections=Corrections(bpm=bpm) if bpm else None)
    check_length(length, song)
    session.progress.start("finding the way through the song", 0)
    ground = prepare(song)
    made = fit(ground, length, hits=[Event(h) for h in hits], entry=entry, ending=ending)
    session.progress.stop()
    if not output:
        return made
    samples = cue_samples(ground.sound, made.cue)
    with placed(output) as temporary:
        write_sound(temporary, samples, ground.sound.rate)
    return replace(made, output=output)
