# SPDX-License-Identifier: Apache-2.0
"""``cut``: a montage, the footage cut to the song."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError
from backbeat.model.plan import Lock
from backbeat.model.time import seconds_at
from backbeat.verbs.asked import format_of, style_of, why_no_takes, with_sound, without
from backbeat.verbs.session import Session
from backbeat.work import output

if TYPE_CHECKING:
    from backbeat.decide.judge import Metric
    from backbeat.decide.length import Length
    from backbeat.decide.problem import CutProblem, Solution
    from backbeat.listen.corrections import Corrections
    from backbeat.make.check import Checked
    from backbeat.model.timeline import Clip, Timeline

FILMS = (".mp4", ".mov", ".m4v", ".mkv")
LOUDNESS = -14.0  # LUFS, what streaming services play at; peaks stay under -1 dBTP


@dataclass(frozen=True, slots=True)
class CutOptions:
    """What the editor asks of a montage.

    `length`: "auto", "song" or seconds. `sound`: mix, song or takes. `rate`, `size` "" follow the footage.
    `previous`: a film.otio whose locks are kept and whose other clips change as little as they can.
    """

    footage: tuple[str, ...]
    song: str
    output: str
    length: str = "auto"
    style: str = "wright"
    order: str = ""
    rate: str = ""
    size: str = ""
    sound: str = "mix"
    reuse: bool = False
    seed: int = 0
    dry_run: bool = False
    force: bool = False
    tracker: str = "own"
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. `checked` is None after a dry run; `left_out` are (path, reason)."""

    film: str
    timeline_file: str
    timeline: Timeline
    problem: CutProblem
    solution: Solution
    length: Length
    cuts: Metric
    hits: Metric
    checked: Checked | None
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def picture(self) -> tuple[Clip, ...]:
        """The clips of the cut."""
        return self.timeline.tracks[0].clips


def cut(options: CutOptions, session: Session, corrections: Corrections | None = None) -> Result:
    """Cut footage to a song: listen, watch, decide, make, and check what was made.

    Writes ``options.output`` and the timeline beside it (same name, ``.otio``) unless it is a dry run. Nothing is left
    behind where it fails.

    Raises
    ------
    InputError, MediaError, NoEditError, MissingPartError
        See `backbeat.errors`.
    """
    from backbeat.decide import cut as decide_cut
    from backbeat.decide.length import film_frames
    from backbeat.decide.problem import CutProblem
    from backbeat.decide.verify import verify
    from backbeat.verbs import listen, watch

    papers = str(Path(options.output).with_suffix(".otio"))
    if not options.dry_run:
        sources = (*options.footage, options.song)
        output.check(options.output, force=options.force, inputs=sources, suffixes=FILMS)
        output.check(papers, force=options.force, inputs=(*sources, options.previous))
    _check_sources(options)
    style = style_of(options.style)
    timings: dict[str, float] = {}

    with _timed(timings, "listen"):
        song = listen.songs([options.song], session, tracker=options.tracker, corrections=corrections)[0]
    with _timed(timings, "watch"):
        watched = watch.takes(list(options.footage), session)
    takes = without(watched.takes, options.output)
    if not takes:
        kind = MediaError if watched.left_out else InputError
        raise kind(*why_no_takes(options.footage, watched.left_out))
    rate, width, height = format_of(options.rate, options.size, (t.media for t in takes))

    with _timed(timings, "decide"):
        session.progress.start("deciding", 0)
        order = options.order or style.order
        length = film_frames(song, takes, style, rate, _length(options.length), options.reuse)
        locks, previous = _earlier(options, rate)
        problem = CutProblem(
            song=song, takes=takes, style=style, rate=rate, frames=length.frames, song_in=length.song_in,
            order=order, reuse=options.reuse, seed=options.seed, locks=locks, previous=previous,
            keep_sound=options.sound == "takes",
        )  # fmt: skip
        solution = decide_cut.solve(problem)
        wrong = verify(solution, problem)
        if wrong:  # a bug of ours: say so with a traceback rather than make a wrong film
            raise RuntimeError(f"the decision broke its own rules: {wrong[:3]}")
        timeline = decide_cut.timeline(problem, solution, width=width, height=height, name=Path(options.output).stem)
        timeline = _heard(timeline, options.sound, problem)
        session.progress.stop()

    checked = None
    if not options.dry_run:
        with _timed(timings, "make"):
            checked = _make(timeline, options.output, papers, session)
    cuts, hits = _judge(timeline, problem)
    return Result(
        film="" if options.dry_run else options.output,
        timeline_file="" if options.dry_run else papers,
        timeline=timeline, problem=problem, solution=solution, length=length, cuts=cuts, hits=hits, checked=checked,
        left_out=watched.left_out, notes=(*song.notes, *solution.unmet, *solution.notes), timings=timings,
    )  # fmt: skip


def _make(timeline: Timeline, film: str, papers: str, session: Session) -> Checked:
    """Render, read the film back, and only then put film and timeline in place.

    Raises
    ------
    MediaError
        If the finished film is not what the timeline says.
    """
    from backbeat.exchange import otio
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.make.settings import RenderSettings

    settings = RenderSettings(loudness=LOUDNESS, workers=session.workers)
    with output.placed(papers) as paper, output.placed(film) as picture:
        rendered = render(timeline, picture, settings=settings, progress=session.progress)
        session.progress.start("checking the film", 0)
        checked = check(picture, timeline, looks=rendered.looks)
        session.progress.stop()
        if checked.differences:
            raise MediaError(
                f"{film}: the finished film is not what the timeline says ({checked.differences[0]})",
                "run again; if it comes back, a source file changed or is damaged where the film uses it",
            )
        otio.save(timeline, paper)
    return checked


def _check_sources(options: CutOptions) -> None:
    if not Path(options.song).exists():
        raise InputError(f"{options.song}: no such song", "check the name, or name it with --song")
    if Path(options.song).is_dir():
        raise InputError(f"{options.song}: that is a folder, not a song", "name the song last, or with --song FILE")
    for place in options.footage:
        if not Path(place).exists():
            raise InputError(f"{place}: no such footage", "check the name")
    if options.sound not in {"mix", "song", "takes"}:
        raise InputError(f"--sound {options.sound}: no such way", "use mix, song or takes")
    if options.order not in {"", "free", "name", "time", "story"}:
        raise InputError(f"--order {options.order}: no such order", "use free, name, time or story")


def _length(text: str) -> str | float:
    from backbeat.model.time import parse_clock

    if text in {"auto", "song"}:
        return text
    try:
        seconds = parse_clock(text)
    except ValueError:
        raise InputError(f"--length {text}: not a length", "give seconds, 1:23, song or auto") from None
    if not 0.5 <= seconds <= 24 * 3600:
        raise InputError(f"--length {text}: too short or too long for a film", "give at least half a second")
    return seconds


def _earlier(options: CutOptions, rate: Fraction) -> tuple[tuple[Lock, ...], tuple[Clip, ...]]:
    """Return the locks and clips of the edit to start from."""
    if not options.previous:
        return (), ()
    from backbeat.exchange import otio

    if not Path(options.previous).exists():
        raise InputError(f"{options.previous}: no such timeline", "check the name given with --from")
    earlier = otio.load(options.previous)
    if earlier.rate != rate:
        raise InputError(
            f"{options.previous}: it runs at {float(earlier.rate):.3f} frames a second, the film at {float(rate):.3f}",
            f"add --rate {earlier.rate}",
        )
    clips = earlier.tracks[0].clips if earlier.tracks else ()
    locks = tuple(Lock("clip", start=c.start, end=c.end, take=c.take, source_in=c.source_in) for c in clips if c.locked)
    return locks, clips


def _heard(timeline: Timeline, sound: str, problem: CutProblem) -> Timeline:
    """Set what is heard: the song, the takes' own sound, or both; and how the music ends."""
    timeline = with_sound(timeline, sound, problem.takes)
    if sound == "takes":
        return replace(timeline, cues=())
    end = problem.song_in + timeline.duration
    # a song that is cut off before its end goes out over about a bar
    fade = 0.0 if end >= problem.song.duration - 0.05 else min(2.0, timeline.duration / 8)
    return replace(timeline, cues=tuple(replace(c, fade_out=fade) for c in timeline.cues))


def _judge(timeline: Timeline, problem: CutProblem) -> tuple[Metric, Metric]:
    """Measure cuts and hits against the beats, with their chance levels."""
    from backbeat.decide.judge import cut_on_beat, hit_on_beat

    beats = film_beats(problem)
    clips = timeline.tracks[0].clips
    cuts = [seconds_at(c.start, timeline.rate) for c in clips[1:]]
    hits = [t for c in clips for t in c.hits]
    return cut_on_beat(cuts, beats, timeline.rate), hit_on_beat(hits, beats, timeline.rate)


def film_beats(problem: CutProblem) -> list[float]:
    """Return the beats in film seconds that fall inside the film."""
    length = float(problem.frames / problem.rate)
    times = (b.time - problem.song_in for b in problem.song.beats)
    return [t for t in times if -1e-6 <= t <= length]


@contextmanager
def _timed(timings: dict[str, float], step: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    timings[step] = round(time.perf_counter() - began, 3)


def as_json(result: Result) -> dict[str, object]:
    """Return the summary as one plain object; beats and hits in film seconds, `beat` an index into ``beats``."""
    timeline, problem = result.timeline, result.problem
    length = timeline.duration
    kept = [(i, b) for i, b in enumerate(problem.song.beats) if -1e-6 <= b.time - problem.song_in <= length]
    place = {i: n for n, (i, _) in enumerate(kept)}
    checked = result.checked
    return {
        "film": result.film or None,
        "timeline": result.timeline_file or None,
        "duration": length,
        "rate": float(timeline.rate),
        "rate_exact": str(timeline.rate),
        "frames": timeline.frames,
        "size": [timeline.width, timeline.height],
        "song": problem.song.path,
        "song_in": problem.song_in,
        "tempo": problem.song.tempo,
        "style": problem.style.name,
        "clips": [
            {
                "start_frame": c.start, "frames": c.frames, "take": c.take, "source_in_frame": c.source_in,
                "source_rate": str(c.source_rate), "speed": c.speed.factor if c.speed.constant else c.speed.points,
                "beat": place.get(c.beat), "hits": list(c.hits), "reason": c.reason, "value": c.value,
            }
            for c in result.picture
        ],
        "beats": [
            {"time": b.time - problem.song_in, "position": b.position, "strength": b.strength} for _, b in kept
        ],
        "metrics": {
            "cut_on_beat": result.cuts.value, "cut_chance": result.cuts.chance, "cuts": result.cuts.n,
            "hit_on_beat": result.hits.value, "hit_chance": result.hits.chance, "hits": result.hits.n,
            "bound_gap": None if result.solution.unmet else result.solution.gap,
        },
        "checked": None if checked is None else {
            "frames": checked.frames, "audio_start_ms": checked.audio_start_ms, "end_drift_ms": checked.end_drift_ms,
            "cuts": [{"planned": c.planned, "found": c.found} for c in checked.cuts],
        },
        "left_out": [{"file": path, "reason": reason} for path, reason in result.left_out],
        "notes": list(result.notes),
        "timings": result.timings,
    }  # fmt: skip
