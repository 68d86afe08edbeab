# SPDX-License-Identifier: Apache-2.0
"""``backbeat init``: a first film.toml."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)


def init(
    folder: Annotated[str, typer.Argument(help="The folder of the film: a folder in it for each scene, one of songs.")],
    *,
    force: common.Force = False,
    as_json: common.Json = False,
) -> None:
    """Write a commented film.toml from a folder of footage; backbeat make then makes the film."""
    with common.told(as_json=as_json):
        from backbeat.verbs import init as story

        begun = story.init(folder, force=force)
        if as_json:
            common.print_json(begun)
            return
        for name, videos in begun.scenes:
            typer.echo(f"scene {name}: {videos} video{'s' if videos != 1 else ''}")
        typer.echo(f"{begun.songs} song{'s' if begun.songs != 1 else ''}")
        for note in begun.notes:
            typer.echo(f"note: {note}", err=True)
        typer.echo(begun.path)
        typer.echo(f"now: backbeat make {begun.path}", err=True)
