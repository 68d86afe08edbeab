# SPDX-License-Identifier: Apache-2.0
"""An edited scene moved onto a song, as it is decided: nothing is mixed or written here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, NoEditError
from backbeat.model.cue import Cue
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.verbs.sync_scene import Scene

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.align import Change, Grid, Limits, SyncShot, SyncSolution
    from backbeat.decide.align_edit import ShotChange
    from backbeat.decide.align_scene import Piece
    from backbeat.decide.judge import Metric
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.make.check import Checked
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.mixing import Line


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


@dataclass(frozen=True, slots=True)
class Moved:
    """A scene moved onto its song, its music not yet mixed: `words` are film seconds, `titles` its subtitles moved."""

    synced: Synced
    words: tuple[Span, ...]
    titles: tuple[Subtitle, ...]


def move(options: SyncOptions, song: Song, scene: Scene, subtitles: tuple[Subtitle, ...] = ()) -> Moved:
    """Decide how a scene is moved onto `song`; nothing is read or written but the song, where seams are allowed.

    Raises
    ------
    NoEditError
        If it cannot be moved within its limits.
    """
    from backbeat.decide import align_edit, align_scene, align_tighten
    from backbeat.verbs.mixing import music_gain

    rate, timeline = scene.timeline.rate, scene.timeline
    limits = _limits(options, timeline)
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
    made = replace(made, cues=(replace(cue, gain_db=music_gain(song.loudness)),))
    before, after = (_judged(scene.pieces, c, grid, solution.song_in, rate) for c in (None, changes))
    step = align_edit.Move(scene.pieces, changes, rate)
    synced = Synced(
        film="", timeline_file="", subtitles_file="", timeline=made, song_in=solution.song_in,
        shots=align_edit.changes_of(scene.pieces, changes), cuts_before=before[0], cuts=after[0],
        hits_before=before[1], hits=after[1], frames_before=timeline.frames, words_cut=len(wrong),
        tightened=sum(t.head + t.tail for t in taken), notes=(*scene.notes, *notes, *_said(scene, song, made, cue)),
    )  # fmt: skip
    words = align_edit.film_words(scene.pieces, changes, rate)
    titles = tuple(replace(s, span=Span(step.time(s.span.start), step.time(s.span.end))) for s in subtitles)
    return Moved(synced, words, titles)


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
    made = fit(ground, length, entry="downbeat" if options.start_on == "downbeat" else "start")
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
