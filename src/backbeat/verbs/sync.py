# SPDX-License-Identifier: Apache-2.0
"""``sync``: an edited scene, its order and its words kept, moved onto the music."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError, NoEditError
from backbeat.model.cue import Cue
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.verbs.session import Session
from backbeat.verbs.sync_scene import Scene, read_scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.align import Change, Grid, Limits, SyncShot, SyncSolution
    from backbeat.decide.align_edit import ShotChange
    from backbeat.decide.align_scene import Piece
    from backbeat.decide.judge import Metric
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.listen.corrections import Corrections
    from backbeat.make.check import Checked
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.mixing import Line

FILMS = (".mp4", ".mov", ".m4v", ".mkv")
LOUDNESS = ("streaming", "broadcast", "cinema")


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What the editor asks for.

    `max_change` is seconds, or a share of the run-time where it ends in %. `max_trim`, `max_slip` are seconds. `speed`
    is what shots with speech may run at, `wide` shots without. `song_in` None: the best place is found. `keep` are
    film seconds in which nothing changes. `tighten` is seconds of drag to take out, at most.
    """

    scene: str
    song: str
    output: str
    max_change: str = "2%"
    max_trim: float = 0.5
    max_slip: float = 0.34
    speed: tuple[float, float] = (0.97, 1.03)
    wide: tuple[float, float] = (0.9, 1.1)
    song_in: float | None = None
    start_on: str = "any"
    allow_seams: bool = False
    keep: tuple[Span, ...] = ()
    tighten: float = 0.0
    subtitles: str = ""
    media: tuple[str, ...] = ()
    loudness: str = "streaming"
    tracker: str = "own"
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Synced:
    """What came of it; cuts and hits before and after are judged on the same beats, those of the chosen `song_in`."""

    film: str
    timeline_file: str
    subtitles_file: str
    timeline: Timeline
    song_in: float
    shots: tuple[ShotChange, ...]
    cuts_before: Metric
    cuts: Metric
    hits_before: Metric
    hits: Metric
    frames_before: int
    words_cut: int
    lines: tuple[Line, ...] = ()
    tightened: int = 0
    checked: Checked | None = None
    notes: tuple[str, ...] = ()

    @property
    def largest(self) -> int:
        """Frames of the largest change to any shot: head, tail or slip."""
        return max((max(abs(s.head), abs(s.tail), abs(s.slip)) for s in self.shots), default=0)


def sync(options: SyncOptions, session: Session, corrections: Corrections | None = None) -> Synced:
    """Move a scene onto a song with the least change; write film, timeline and subtitles unless it is a dry run.

    Raises
    ------
    InputError, MediaError, NoEditError, MissingPartError
        See `backbeat.errors`.
    """
    from backbeat.decide import align_edit, align_scene, align_tighten
    from backbeat.exchange.subtitles import read_srt
    from backbeat.verbs import listen

    _check(options)
    subtitles = read_srt(options.subtitles) if options.subtitles else ()
    (song,) = listen.songs([options.song], session, tracker=options.tracker, corrections=corrections)
    if len(song.beats) < 4:
        raise InputError(f"{options.song}: no beat was found in it", "give --bpm, or another song")
    scene = read_scene(options.scene, session, media=options.media, subtitles=[s.span for s in subtitles])
    rate, timeline = scene.timeline.rate, scene.timeline
    limits = _limits(options, timeline)
    session.progress.start("deciding", 0)
    pieces, taken = align_tighten.tightened(scene.pieces, rate, round(options.tighten * rate))
    shots = align_scene.shots_of(pieces, rate, limits, keep=options.keep, speed=options.speed, wide=options.wide)
    grid, cue, notes = _music(options, song, float(sum(s.frames for s in shots) / rate))
    solution = _solve(options, song, shots, grid, rate, limits, fixed=cue is not None)
    changes = align_tighten.against(solution.changes, taken)
    wrong = align_edit.cut_words(scene.pieces, changes, rate)
    if wrong:  # a bug of ours
        raise RuntimeError(f"the decision would cut words: {wrong[:3]}")
    made = align_edit.edited(timeline, scene.pieces, changes)
    made = replace(made, name=Path(options.output).stem or timeline.name)
    if cue is None:
        cue = _cue(song, solution.song_in, made.duration)
    else:
        cue = replace(cue, end=made.duration, fade_out=max(cue.fade_out, 0.3))
    words = align_edit.film_words(scene.pieces, changes, rate)
    session.progress.start("mixing", 0)
    made, lines = _mix(made, cue, song, words)
    session.progress.stop()
    before, after = (_judged(scene.pieces, c, grid, solution.song_in, rate) for c in (None, changes))
    move = align_edit.Move(scene.pieces, changes, rate)
    titles = tuple(replace(s, span=Span(move.time(s.span.start), move.time(s.span.end))) for s in subtitles)
    result = Synced(
        film="", timeline_file="", subtitles_file="", timeline=made, song_in=solution.song_in,
        shots=align_edit.changes_of(scene.pieces, changes), cuts_before=before[0], cuts=after[0],
        hits_before=before[1], hits=after[1], frames_before=timeline.frames, words_cut=len(wrong), lines=lines,
        tightened=sum(t.head + t.tail for t in taken), notes=(*scene.notes, *notes, *_said(scene, song, made, cue)),
    )  # fmt: skip
    return result if options.dry_run else _made(options, result, titles, session)


def _check(options: SyncOptions) -> None:
    from backbeat.work import output

    for path, what in ((options.scene, "scene"), (options.song, "song")):
        if not Path(path).is_file():
            raise InputError(f"{path}: no such {what}", "check the name")
    if options.loudness not in LOUDNESS:
        raise InputError(f"--loudness {options.loudness}: no such delivery", f"use {', '.join(LOUDNESS)}")
    if options.start_on not in {"any", "beat", "downbeat"}:
        raise InputError(f"--start-on {options.start_on}: no such place", "use any, beat or downbeat")
    for name, (low, high) in (("--speed", options.speed), ("--wide-speed", options.wide)):
        if not 0.5 <= low <= 1.0 <= high <= 2.0:
            raise InputError(f"{name} {low:g}-{high:g}: not a range of speeds", "give one about 1, such as 0.97-1.03")
    if not options.speed[0] >= 0.97 - 1e-9 or not options.speed[1] <= 1.03 + 1e-9:
        raise InputError("--speed: speech bears 0.97-1.03 at most", "use --wide-speed for shots without speech")
    if options.dry_run:
        return
    papers = str(Path(options.output).with_suffix(".otio"))
    inputs = (options.scene, options.song, options.subtitles)
    output.check(options.output, force=options.force, inputs=inputs, suffixes=FILMS)
    output.check(papers, force=options.force, inputs=inputs)
    if options.subtitles:
        output.check(str(Path(options.output).with_suffix(".srt")), force=options.force, inputs=inputs)


def _limits(options: SyncOptions, timeline: Timeline) -> Limits:
    from backbeat.decide.align import Limits

    rate = timeline.rate
    text = options.max_change.strip()
    try:
        share = text.endswith("%")
        value = float(text.removesuffix("%").removesuffix("s"))
        if not 0 <= value < math.inf:
            raise ValueError(text)
    except ValueError:
        raise InputError(f"--max-change {text}: not a limit", "give seconds (1.5) or a share (2%)") from None
    runtime = value / 100 * timeline.duration if share else value
    scale = max(1, round(rate / 24))
    return Limits(
        runtime=round((runtime + options.tighten * 0.2) * rate),
        trim=max(0, round(options.max_trim * rate)),
        slip=max(0, round(options.max_slip * rate)),
        shortest=6 * scale,
        drift=24 * scale,
    )


def weights(song: Song) -> tuple[float, ...]:
    """Return what each beat is worth to a cut, 0..1: downbeats, section starts and strong accents most."""
    sections = [s.start for s in song.sections]
    accents = [a.time for a in song.accents if a.strength > 0.5]
    near = 0.1
    out = []
    for i, beat in enumerate(song.beats):
        worth = 0.95 if beat.position == 1 else 0.8 if beat.position == 3 and song.beats_per_bar == 4 else 0.7
        if beat.position < 0:
            worth = 0.95 if i % 4 == 0 else 0.75
        if any(abs(beat.time - t) < near for t in sections) or any(abs(beat.time - t) < near for t in accents):
            worth = 1.0
        out.append(worth)
    return tuple(out)


def _music(options: SyncOptions, song: Song, length: float) -> tuple[Grid, Cue | None, tuple[str, ...]]:
    """Return the grid to align to; with seams allowed, of the song brought to the scene's length, and its cue."""
    from backbeat.decide.align import Grid

    grid = Grid(tuple(b.time for b in song.beats), weights(song))
    if not options.allow_seams:
        return grid, None, ()
    from backbeat.decide.retarget_cue import cue_beats
    from backbeat.verbs.retarget import fit
    from backbeat.verbs.retarget_ground import prepare

    ground = prepare(song)
    made = fit(ground, length)
    known = weights(ground.song)
    beats = cue_beats(made.cue, [float(t) for t in ground.times], known)
    return Grid(tuple(b[0] for b in beats), tuple(b[1] for b in beats)), made.cue, made.notes


def _candidates(options: SyncOptions, song: Song, length: float, rate: Fraction) -> NDArray[np.float64]:
    import numpy as np

    last = max(0.0, song.duration - length)
    if options.song_in is not None:
        return np.array([options.song_in])
    beats = [b for b in song.beats if b.time <= last + 4 * 60 / max(song.tempo, 40)]
    if options.start_on == "downbeat":
        return np.array([b.time for b in beats if b.position == 1] or [beats[0].time])
    if options.start_on == "beat":
        return np.array([b.time for b in beats])
    # a bar's worth at least, so that a song as long as the scene can still be put in step
    reach = max(last, min(4 * 60 / max(song.tempo, 40), song.duration / 2))
    return np.arange(0.0, reach, 0.5 / float(rate))


def _solve(
    options: SyncOptions,
    song: Song,
    shots: Sequence[SyncShot],
    grid: Grid,
    rate: Fraction,
    limits: Limits,
    *,
    fixed: bool,
) -> SyncSolution:
    import numpy as np

    from backbeat.decide import align

    length = float(sum(s.frames for s in shots) / rate)
    candidates = np.array([0.0]) if fixed else _candidates(options, song, length, rate)
    solution = align.sync(shots, grid, rate, limits, candidates)
    if solution is None:
        raise NoEditError(
            "the scene cannot be moved onto the song within its limits",
            "loosen --max-change, --max-trim or --speed, or take out --keep",
        )
    return solution


def _cue(song: Song, song_in: float, duration: float) -> Cue:
    end = min(duration, song.duration - song_in)
    stops = song_in + duration >= song.duration - 0.05
    return Cue(
        song.path, 0.0, end, song_in=song_in, fade_in=0.02 if song_in > 0.05 else 0.0,
        fade_out=0.0 if stops else min(1.5, duration / 8), name=song.tags.title or Path(song.path).stem,
    )  # fmt: skip


def _mix(timeline: Timeline, cue: Cue, song: Song, words: tuple[Span, ...]) -> tuple[Timeline, tuple[Line, ...]]:
    from backbeat.verbs.mixing import mixed, music_gain

    timeline = replace(timeline, cues=(replace(cue, gain_db=music_gain(song.loudness)),))
    done = mixed(timeline, words)
    return done.timeline, done.lines


def _judged(
    pieces: Sequence[Piece], changes: Sequence[Change] | None, grid: Grid, song_in: float, rate: Fraction
) -> tuple[Metric, Metric]:
    """Return how cuts and hits fall on the beats of the film, before (no changes) or after."""
    from backbeat.decide.judge import cut_on_beat, hit_on_beat

    cuts, hits, end = [], [], 0.0
    for i, piece in enumerate(pieces):
        clip = piece.clip
        change = changes[i] if changes is not None else None
        start, stop = (change.start, change.end) if change else (clip.start, clip.end)
        head, speed = (change.head, change.speed) if change else (0, 1.0)
        if piece.cut:
            cuts.append(float(start / rate))
        first = float(clip.source_in / clip.source_rate)
        for hit in piece.hits:
            frame = start + ((hit.time - first) * float(rate) - head) / speed
            if hit.strength >= 0.25 and start <= frame < stop:
                hits.append(frame / float(rate))
        end = float(stop / rate)
    beats = [t - song_in for t in grid.times if -0.5 <= t - song_in <= end + 0.5]
    return cut_on_beat(cuts, beats, rate), hit_on_beat(hits, beats, rate)


def _said(scene: Scene, song: Song, made: Timeline, cue: Cue) -> tuple[str, ...]:
    notes = []
    if cue.end < made.duration - 0.1:
        notes.append(
            f"the song ends {made.duration - cue.end:.1f} s before the scene does; --allow-seams makes it as long"
        )
    if not any(p.words for p in scene.pieces):
        notes.append("no speech was found in the scene")
    if song.beat_confidence < 0.4:
        notes.append("the beat of this song is uncertain; look at the result before you trust it")
    return tuple(notes)


def _made(options: SyncOptions, result: Synced, titles: tuple[Subtitle, ...], session: Session) -> Synced:
    from backbeat.decide.mix import LOUDNESS as LEVELS
    from backbeat.exchange import otio
    from backbeat.exchange.subtitles import write_srt
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.make.settings import RenderSettings
    from backbeat.work import output

    papers = str(Path(options.output).with_suffix(".otio"))
    srt = str(Path(options.output).with_suffix(".srt")) if titles else ""
    level, ceiling = LEVELS[options.loudness]
    settings = RenderSettings(loudness=level, ceiling=ceiling)
    with output.placed(papers) as paper, output.placed(options.output) as picture:
        rendered = render(result.timeline, picture, settings=settings, progress=session.progress)
        session.progress.start("checking the film", 0)
        checked = check(picture, result.timeline, settings=settings, looks=rendered.looks)
        session.progress.stop()
        if checked.differences:
            raise MediaError(
                f"{options.output}: the finished film is not what the timeline says ({checked.differences[0]})",
                "run again; if it comes back, a source file changed or is damaged where the film uses it",
            )
        otio.save(result.timeline, paper)
    if srt:
        write_srt(titles, srt)
    return replace(
        result, film=options.output, timeline_file=papers, subtitles_file=srt, checked=checked,
        notes=(*result.notes, *rendered.warnings),
    )  # fmt: skip


def as_json(result: Synced) -> dict[str, object]:
    """Return the summary as one plain object; `song_in` is the song's time at the first picture."""
    rate = result.timeline.rate

    def metric(m: Metric) -> dict[str, float]:
        return {"on_beat": m.value, "chance": m.chance, "n": m.n, "median_error": m.median_error}

    return {
        "film": result.film or None,
        "timeline": result.timeline_file or None,
        "subtitles": result.subtitles_file or None,
        "song": result.timeline.cues[0].path if result.timeline.cues else None,
        "song_in": result.song_in,
        "rate": float(rate),
        "rate_exact": str(rate),
        "frames_before": result.frames_before,
        "frames": result.timeline.frames,
        "duration_before": float(result.frames_before / rate),
        "duration": result.timeline.duration,
        "cuts_before": metric(result.cuts_before),
        "cuts": metric(result.cuts),
        "hits_before": metric(result.hits_before),
        "hits": metric(result.hits),
        "largest_change_frames": result.largest,
        "tightened_frames": result.tightened,
        "words_cut": result.words_cut,
        "shots": result.shots,
        "lines": result.lines,
        "checked": None
        if result.checked is None
        else {
            "frames": result.checked.frames,
            "cuts_on_frame": result.checked.cuts_on_frame,
            "audio_start_ms": result.checked.audio_start_ms,
            "end_drift_ms": result.checked.end_drift_ms,
            "loudness": result.checked.loudness,
        },
        "notes": result.notes,
    }
