# SPDX-License-Identifier: Apache-2.0
"""``sync``: an edited scene, its order and its words kept, moved onto the music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError
from backbeat.model.time import Span
from backbeat.verbs.session import Session
from backbeat.verbs.sync_move import Synced, SyncOptions, move
from backbeat.verbs.sync_scene import read_scene

if TYPE_CHECKING:
    from backbeat.decide.judge import Metric
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.listen.corrections import Corrections

FILMS = (".mp4", ".mov", ".m4v", ".mkv")
LOUDNESS = ("streaming", "broadcast", "cinema")


def sync(options: SyncOptions, session: Session, corrections: Corrections | None = None) -> Synced:
    """Move a scene onto a song with the least change; write film, timeline and subtitles unless it is a dry run.

    Raises
    ------
    InputError, MediaError, NoEditError, MissingPartError
        See `backbeat.errors`.
    """
    from backbeat.exchange.subtitles import read_subtitles
    from backbeat.verbs import listen
    from backbeat.verbs.mixing import mixed

    _check(options)
    subtitles = read_subtitles(options.subtitles) if options.subtitles else ()
    (song,) = listen.songs([options.song], session, tracker=options.tracker, corrections=corrections)
    if len(song.beats) < 4:
        raise InputError(f"{options.song}: no beat was found in it", "give --bpm, or another song")
    scene = read_scene(options.scene, session, media=options.media, subtitles=[s.span for s in subtitles])
    session.progress.start("deciding", 0)
    moved = move(options, song, scene, subtitles)
    session.progress.start("mixing", 0)
    done = mixed(moved.synced.timeline, moved.words)
    session.progress.stop()
    result = replace(moved.synced, timeline=done.timeline, lines=done.lines)
    return result if options.dry_run else _made(options, result, moved.titles, moved.words, session)


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


def _made(
    options: SyncOptions, result: Synced, titles: tuple[Subtitle, ...], words: Sequence[Span], session: Session
) -> Synced:
    from backbeat.exchange import otio
    from backbeat.exchange.subtitles import write_srt
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.verbs.mixing import delivered
    from backbeat.work import output

    papers = str(Path(options.output).with_suffix(".otio"))
    srt = str(Path(options.output).with_suffix(".srt")) if titles else ""
    settings = delivered(options.loudness, words, result.timeline.duration)
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
