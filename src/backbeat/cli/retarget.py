# SPDX-License-Identifier: Apache-2.0
"""``backbeat retarget``: a song at an exact length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli.common import DryRun, Force, Json, NoCache, Talk, print_json, session, told

if TYPE_CHECKING:
    from backbeat.verbs.retarget_report import Retargeted


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("retarget")(retarget)


def retarget(
    song: Annotated[str, typer.Argument(help="The song.", metavar="SONG")],
    length: Annotated[str, typer.Option("--length", "-l", help="The new length: 92, 1:32 or 1:32.5.", metavar="TIME")],
    output: Annotated[str, typer.Option("-o", "--output", help="Where to write it: .wav, .flac, .mp3 …")] = "",
    hit: Annotated[
        list[str] | None,
        typer.Option(
            "--hit", help="A time of the new length that a strong beat is pulled onto; repeat it.", metavar="TIME"
        ),
    ] = None,
    entry: Annotated[str, typer.Option(help="start: the song's own beginning; any: a section too.")] = "start",
    ending: Annotated[str, typer.Option(help="auto, true (the song's own) or ring-out.")] = "auto",
    bpm: Annotated[float, typer.Option(help="The tempo, where it was heard wrong.")] = 0.0,
    *,
    dry_run: DryRun = False,
    force: Force = False,
    as_json: Json = False,
    no_cache: NoCache = False,
    talk: Talk = "auto",
) -> None:
    """Bring a song to an exact length: musical beginning, true ending, joins nobody hears."""
    with told(as_json=as_json):
        from backbeat.errors import InputError
        from backbeat.model.time import parse_clock

        def seconds(option: str, text: str) -> float:
            try:
                return parse_clock(text)
            except ValueError:
                raise InputError(f"{option} {text}: not a time", "give seconds (92) or minutes (1:32.5)") from None

        if not output and not dry_run:
            raise InputError("no output given", "add -o out.wav, or --dry-run to see the seams only")
        with session(no_cache=no_cache, talk="none" if as_json and talk == "auto" else talk) as run:
            from backbeat.verbs.retarget import retarget as tell

            made = tell(
                song,
                seconds("--length", length),
                run,
                output="" if dry_run else output,
                hits=[seconds("--hit", h) for h in hit or []],
                entry=entry,
                ending=ending,
                bpm=bpm,
                force=force,
            )
        if as_json:
            print_json(made)
        else:
            _print(made)


def _print(made: Retargeted) -> None:
    from backbeat.model.time import clock

    typer.echo(f"{clock(made.length)}  {len(made.seams)} seams, ending: {made.ending}, stretch {made.ratio - 1:+.2%}")
    for seam in made.seams:
        sung = ", in a sung phrase" if seam.sung else ""
        typer.echo(
            f"  {clock(seam.at)}  {clock(seam.out)} -> {clock(seam.into)}  {seam.bars:+g} bars  {seam.letter}"
            f" ({seam.percentile:.0f} % of the song's beats change less{sung})"
        )
    for wanted, met in made.hits:
        typer.echo(f"  hit {clock(wanted)}: a beat at {clock(met)}")
    for note in made.notes:
        typer.echo(f"note: {note}", err=True)
    if made.output:
        typer.echo(made.output)
