# SPDX-License-Identifier: Apache-2.0
"""``backbeat make``: a film of several scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.verbs.make_write import Made


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(make)


def make(
    project: Annotated[str, typer.Argument(metavar="FILM.TOML", help="The film's project file; init writes one.")],
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The film, instead of the project's own output.")] = "",
    dry_run: common.DryRun = False,
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Make a whole film: each scene cut to its song, the songs joined, mixed under the dialogue."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.verbs import make as story
        from backbeat.verbs.make_write import MakeOptions
        from backbeat.verbs.make_write import as_json as told

        options = MakeOptions(project=project, output=output, dry_run=dry_run, force=force)
        made = story.make(options, session)
        if as_json:
            common.print_json(told(made))
        else:
            _print(made)
        if show and made.film:
            typer.launch(made.film)


def _print(made: Made) -> None:
    from pathlib import Path

    from backbeat.model.time import clock

    joins = {join.time: join for join in made.joins}
    for scene in made.scenes:
        if join := joins.get(scene.start):
            flam = "" if join.flam_ms is None else f", attacks {join.flam_ms:.1f} ms apart"
            lasts = f" over {join.overlap:.1f} s" if join.overlap else ""
            typer.echo(f"    -> {join.kind}{lasts}: {join.why}{flam}")
            for note in join.notes:
                typer.echo(f"    note: {note}", err=True)
        kept = " (as before)" if scene.kept else ""
        typer.echo(f"{clock(scene.start)}-{clock(scene.end)}  {scene.name}{kept}")
        typer.echo(f"    {Path(scene.song).name} from {clock(scene.song_in)}: {scene.why}")
        typer.echo(
            f"    {scene.cuts_on_beat:.0%} of {scene.cuts} cuts on the beat (chance {scene.cuts_chance:.0%}), "
            f"gap {scene.gap:.1%}, ending: {scene.ending}"
        )
        for note in scene.notes:
            typer.echo(f"    note: {note}", err=True)
    for name, reason in made.failed:
        typer.echo(f"left out: {name}: {reason}", err=True)
    for note in (*made.rights, *made.notes):
        typer.echo(f"note: {note}", err=True)
    for path in (made.film, made.timeline_file, *made.cue_sheets):
        if path:
            typer.echo(path)
