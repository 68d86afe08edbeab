# SPDX-License-Identifier: Apache-2.0
"""``backbeat listen``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.listen.corrections import Corrections
    from backbeat.model.song import Song

_KEYS = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(listen)


def listen(
    places: Annotated[list[str], typer.Argument(metavar="SONG...", help="Songs, or folders of them.")],
    *,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help="Write .beats .txt .csv .mid .png .wav or .json; may be repeated."),
    ] = None,
    bpm: Annotated[float, typer.Option("--bpm", help="About how fast the song is (7 % either way).")] = 0.0,
    beats: Annotated[str, typer.Option("--beats", help="A tapped or charted grid instead: a time a line.")] = "",
    halve: Annotated[bool, typer.Option("--halve", help="Every other beat only.")] = False,
    double: Annotated[bool, typer.Option("--double", help="Twice as many beats.")] = False,
    shift: Annotated[float, typer.Option("--shift", help="Move every beat by so many ms; later is positive.")] = 0.0,
    bar_at: Annotated[str, typer.Option("--bar-at", help="A bar begins here (seconds or 1:02.5).")] = "",
    meter: Annotated[int, typer.Option("--meter", help="Beats a bar.")] = 0,
    forget: Annotated[bool, typer.Option("--forget", help="Drop the corrections stored with the songs first.")] = False,
    tracker: common.Tracker = "own",
    force: common.Force = False,
    as_json: common.Json = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Hear songs: beats, bars, sections, accents, key, loudness. Corrections are kept with the song."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.errors import InputError
        from backbeat.media.folder import SOUND, VIDEO, find
        from backbeat.verbs import listen as story

        paths = find(places, SOUND) or find(places, VIDEO)
        if not paths:
            raise InputError(f"{', '.join(places)}: no songs there", "name a song, or a folder with songs in it")
        files = story.names_for(paths, output or [], force=force)
        if halve and double:
            raise InputError("--halve and --double at once", "give one of them")
        said = _corrections(bpm, beats, 0.5 if halve else 2.0 if double else 1.0, shift, bar_at, meter)
        for path in paths:
            if forget:
                story.forget(path)
            if not said.empty:
                story.remember(path, said)
        heard, failed = story.try_songs(paths, session, tracker=tracker)
        if not heard:
            raise failed[paths[0]]
        for path, song in heard.items():
            for name in files[path]:
                story.write(song, name)
        found = [heard[path] for path in paths if path in heard]
        left_out = [{"path": path, "error": str(error)} for path, error in failed.items()]
        if as_json:
            written = [name for path in heard for name in files[path]]
            songs = [story.as_json(song) for song in found]
            common.print_json({"songs": songs, "left_out": left_out, "written": written})
            return
        for song in found:
            _print(song)
        for row in left_out:
            typer.echo(f"left out: {row['error']}", err=True)


def _corrections(bpm: float, beats: str, scale: float, shift: float, bar_at: str, meter: int) -> Corrections:
    from backbeat.errors import InputError
    from backbeat.listen.corrections import Corrections
    from backbeat.model.time import parse_clock
    from backbeat.verbs.beats import Tapped, read_beats

    tapped = read_beats(beats) if beats else Tapped(())
    try:
        start = parse_clock(bar_at) if bar_at else tapped.bar_start
    except ValueError:
        raise InputError(f"--bar-at {bar_at}: no time", "give seconds, or minutes and seconds as 1:02.5") from None
    return Corrections(
        bpm=bpm, beats=tapped.times, scale=scale, shift_ms=shift, bar_start=start, meter=meter or tapped.meter
    )


def _print(song: Song) -> None:
    from backbeat.model.time import clock

    key = f"{_KEYS[song.key.tonic]} {song.key.mode}" if song.key else "no key"
    beats = f"{song.tempo:.1f} bpm, {song.beats_per_bar} beats a bar" if song.beats else "no beats"
    typer.echo(f"{song.path}  {clock(song.duration)}  {beats}  {key}  {song.loudness:.1f} LUFS")
    if song.beats:
        first = next((b.time for b in song.beats if b.position == 1), song.beats[0].time)
        sung = sum(v.length for v in song.vocals)
        typer.echo(
            f"  {len(song.beats)} beats, trust {song.beat_confidence:.2f}; first bar {clock(first)}; "
            f"singing {sung:.0f} s; {len(song.accents)} accents"
        )
    for section in song.sections:
        bar = "#" * round(10 * section.energy)
        name = f"{section.label} {section.role}"
        typer.echo(f"  {clock(section.start):>10}  {name:<10} {bar:<10} {section.energy:.2f}")
    points = ", ".join(f"{clock(p.time)} ({p.kind} {p.grade:.1f})" for p in song.endings[-4:])
    if points:
        typer.echo(f"  may end at {points}")
    for note in song.notes:
        typer.echo(f"  note: {note}")
