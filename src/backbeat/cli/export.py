# SPDX-License-Identifier: Apache-2.0
"""``backbeat export``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli.common import Force, Json, Talk, print_json, session, told


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("export")
    def export(
        film: Annotated[str, typer.Argument(help="The edit: film.otio.", metavar="FILM.otio")],
        to: Annotated[
            str,
            typer.Option(
                "--to",
                help="otio, otioz, fcpxml, premiere, resolve, edl, kdenlive, mlt, aaf, markers, midi or srt.",
                metavar="FORMAT",
            ),
        ] = "",
        output: Annotated[str, typer.Option("-o", "--output", help="The file to write.", metavar="FILE")] = "",
        media_root: Annotated[
            list[str] | None, typer.Option("--media-root", help="Look here for missing media.", metavar="DIR")
        ] = None,
        consolidate: Annotated[
            str,
            typer.Option("--consolidate", help="Bake all that is used: prores or dnxhr.", metavar="CODEC"),
        ] = "",
        handles: Annotated[int, typer.Option("--handles", help="Spare frames around baked clips.", min=0)] = 24,
        *,
        force: Force = False,
        as_json: Json = False,
        talk: Talk = "auto",
    ) -> None:
        """Write an edit for another program."""
        with told(as_json=as_json), session(talk=talk) as work:
            from backbeat.verbs.export import export as run

            done = run(
                film,
                work,
                to=to,
                output=output,
                media_root=media_root or (),
                consolidate=consolidate,
                handles=handles,
                force=force,
            )
            if as_json:
                print_json(done)
                return
            for path in done.files:
                typer.echo(path)
            if done.baked:
                typer.echo(f"{len(done.baked)} files baked", err=True)
            for path in done.missing:
                typer.echo(f"missing: {path}", err=True)
            if done.missing:
                typer.echo("  try: --media-root DIR with the folder in which it lies now", err=True)
