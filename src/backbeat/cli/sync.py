# SPDX-License-Identifier: Apache-2.0
"""``backbeat sync``: an edited scene moved onto the music."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.decide.judge import Metric
    from backbeat.model.time import Span
    from backbeat.verbs.sync_move import Synced


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sync)


def sync(
    scene: Annotated[
        str, typer.Argument(metavar="SCENE", help="The edited scene: a film, or its edit (.otio, .fcpxml, .xml, .edl).")
    ],
    song: Annotated[str, typer.Argument(metavar="SONG")],
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The film; its timeline goes beside it.")] = "film.mp4",
    max_change: Annotated[str, typer.Option(help="How far the run-time may change: seconds, or 2%.")] = "2%",
    max_trim: Annotated[float, typer.Option(help="Most seconds taken from or given to either end of a shot.")] = 0.5,
    max_slip: Annotated[float, typer.Option(help="Most seconds that a shot slips inside its source.")] = 0.34,
    speed: Annotated[str, typer.Option(help="Speeds that shots with speech may run at.")] = "0.97-1.03",
    wide_speed: Annotated[str, typer.Option(help="Speeds for shots without speech.")] = "0.9-1.1",
    song_in: Annotated[str, typer.Option(help="The song's time at the first picture; found if left out.")] = "",
    start_on: Annotated[str, typer.Option(help="Where in the song the scene may begin: any, beat, downbeat.")] = "any",
    allow_seams: Annotated[bool, typer.Option("--allow-seams", help="Bring the song to the scene's length.")] = False,
    keep: Annotated[
        list[str] | None, typer.Option(help="A span that stays as it is, 0:10-0:14; repeat it.", metavar="A-B")
    ] = None,
    tighten: Annotated[str, typer.Option(help="Take drag out first, up to so many seconds.", metavar="TIME")] = "",
    subtitles: Annotated[
        str, typer.Option(help="The scene's subtitles (.srt, .vtt, .ass): their lines are kept whole.")
    ] = "",
    media: Annotated[list[str] | None, typer.Option(help="Where the timeline's media lies; repeat it.")] = None,
    loudness: common.Loudness = "streaming",
    bpm: common.Bpm = 0.0,
    beats: Annotated[str, typer.Option(help="A hand-made grid: a time a line.")] = "",
    tracker: common.Tracker = "own",
    dry_run: common.DryRun = False,
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Move an edited scene onto a song: order and words kept, the least change."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.listen.corrections import Corrections
        from backbeat.verbs import sync as story
        from backbeat.verbs.beats import Tapped, read_beats
        from backbeat.verbs.sync_move import SyncOptions

        tapped = read_beats(beats) if beats else Tapped(())
        options = SyncOptions(
            scene=scene, song=song, output=output, max_change=max_change, max_trim=max_trim, max_slip=max_slip,
            speed=_range("--speed", speed), wide=_range("--wide-speed", wide_speed),
            song_in=_seconds("--song-in", song_in) if song_in else None, start_on=start_on, allow_seams=allow_seams,
            keep=tuple(_span(k) for k in keep or ()), tighten=_seconds("--tighten", tighten) if tighten else 0.0,
            subtitles=subtitles, media=tuple(media or ()), loudness=loudness, tracker=tracker, dry_run=dry_run,
            force=force,
        )  # fmt: skip
        corrections = Corrections(bpm=bpm, beats=tapped.times, bar_start=tapped.bar_start, meter=tapped.meter)
        result = story.sync(options, session, corrections)
        if as_json:
            common.print_json(story.as_json(result))
        else:
            _print(result, listed=dry_run)
        if show and result.film:
            typer.launch(result.film)


def _seconds(option: str, text: str) -> float:
    from backbeat.errors import InputError
    from backbeat.model.time import parse_clock

    try:
        return parse_clock(text)
    except ValueError:
        raise InputError(f"{option} {text}: not a time", "give seconds (92) or minutes (1:32.5)") from None


def _range(option: str, text: str) -> tuple[float, float]:
    from backbeat.errors import InputError

    try:
        low, high = (float(part) for part in text.split("-"))
    except ValueError:
        raise InputError(f"{option} {text}: not a range", "give two factors, such as 0.97-1.03") from None
    return low, high


def _span(text: str) -> Span:
    from backbeat.errors import InputError
    from backbeat.model.time import Span

    start, dash, end = text.partition("-")
    span = Span(_seconds("--keep", start), _seconds("--keep", end)) if dash else Span(0, 0)
    if span.length <= 0:
        raise InputError(f"--keep {text}: not a span", "give two times, such as 0:10-0:14.5")
    return span


def _print(result: Synced, *, listed: bool) -> None:
    from backbeat.model.time import clock

    rate = result.timeline.rate
    before = float(result.frames_before / rate)
    change = result.timeline.frames - result.frames_before
    typer.echo(f"cuts on a beat   {_rate(result.cuts_before)} -> {_rate(result.cuts)}")
    typer.echo(f"hits on a beat   {_rate(result.hits_before)} -> {_rate(result.hits)}")
    typer.echo(f"run-time         {clock(before)} -> {clock(result.timeline.duration)} ({change:+d} frames)")
    changed = sum(bool(s.says) for s in result.shots)
    typer.echo(f"changes          {changed} of {len(result.shots)} shots, {result.largest} frames at most, no word cut")
    typer.echo(f"song             from {clock(result.song_in)}")
    if result.tightened:
        typer.echo(f"tightened        {float(result.tightened / rate):.2f} s of drag taken out")
    if result.lines:
        low = min(line.clarity for line in result.lines)
        deep = min(line.depth_db for line in result.lines)
        typer.echo(
            f"speech           {len(result.lines)} lines, clarity {low:.2f} or more, music {deep:.0f} dB at the deepest"
        )
    for shot in result.shots:
        if shot.says and listed:
            typer.echo(f"  {clock(float(shot.start_before / rate))}  {shot.says}")
    for note in result.notes:
        typer.echo(f"note: {note}", err=True)
    for path in (result.film, result.timeline_file, result.subtitles_file):
        if path:
            typer.echo(path)


def _rate(metric: Metric) -> str:
    return f"{metric.value:.0%} of {metric.n}" if metric.n else "none"
