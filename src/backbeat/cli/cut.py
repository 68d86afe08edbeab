# SPDX-License-Identifier: Apache-2.0
"""``backbeat cut``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cut)


def cut(
    places: Annotated[
        list[str], typer.Argument(metavar="FOOTAGE... SONG", help="Folders or files of video, then the song.")
    ],
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", help="The film; its timeline is written beside it.")
    ] = "film.mp4",
    song: Annotated[str, typer.Option("--song", help="The song, instead of naming it last.")] = "",
    length: Annotated[str, typer.Option("--length", help="Seconds, 1:23, song, or auto.")] = "auto",
    style: common.Style = "wright",
    order: Annotated[str, typer.Option("--order", help="free, name, time or story.")] = "",
    rate: Annotated[str, typer.Option("--rate", help="Frames a second; as most of the footage if left out.")] = "",
    size: Annotated[
        str, typer.Option("--size", help="Picture size, 1920x1080; as most of the footage if left out.")
    ] = "",
    sound: Annotated[str, typer.Option("--sound", help="mix, song, or takes (their own sound only).")] = "mix",
    reuse: Annotated[bool, typer.Option("--reuse", help="Footage may be shown more than once.")] = False,
    beats: Annotated[
        str, typer.Option("--beats", help="A hand-made grid instead of the tracker's: a time a line.")
    ] = "",
    beats_shift: Annotated[float, typer.Option("--beats-shift", help="Move every beat by so many ms.")] = 0.0,
    tempo_scale: Annotated[float, typer.Option("--tempo-scale", help="0.5 or 2: the tracker was an octave off.")] = 1.0,
    bpm: common.Bpm = 0.0,
    tracker: common.Tracker = "own",
    previous: Annotated[str, typer.Option("--from", help="A film.otio: keep its locks, change little else.")] = "",
    seed: common.Seed = 0,
    dry_run: common.DryRun = False,
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Cut footage to a song: FOOTAGE... SONG -o film.mp4."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.listen.corrections import Corrections
        from backbeat.verbs import cut as story
        from backbeat.verbs.beats import Tapped, read_beats

        footage, chosen = split_song(places, song)
        tapped = read_beats(beats) if beats else Tapped(())
        corrections = Corrections(
            bpm=bpm, beats=tapped.times, scale=tempo_scale, shift_ms=beats_shift, bar_start=tapped.bar_start,
            meter=tapped.meter,
        )  # fmt: skip
        options = story.CutOptions(
            footage=footage, song=chosen, output=output, length=length, style=style, order=order, rate=rate, size=size,
            sound=sound, reuse=reuse, seed=seed, dry_run=dry_run, force=force, tracker=tracker, previous=previous,
        )  # fmt: skip
        result = story.cut(options, session, corrections)
        if as_json:
            common.print_json(story.as_json(result))
        else:
            from backbeat.cli.summary import print_cut

            print_cut(result)
        if show and result.film:
            typer.launch(result.film)


def split_song(places: list[str], song: str) -> tuple[tuple[str, ...], str]:
    """Tell the song from the footage: the one named, else the only sound file, else the last."""
    from pathlib import Path

    from backbeat.errors import InputError
    from backbeat.media.folder import SOUND

    if song:
        return tuple(places), song
    heard = [p for p in places if Path(p).suffix.lower() in SOUND]
    chosen = heard[0] if len(heard) == 1 else places[-1]
    footage = list(places)
    footage.remove(chosen)
    if not footage:
        raise InputError("no footage given", "backbeat cut FOOTAGE... SONG -o film.mp4")
    return tuple(footage), chosen
