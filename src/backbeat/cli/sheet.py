# SPDX-License-Identifier: Apache-2.0
"""``backbeat sheet``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sheet)


def sheet(
    film: Annotated[str, typer.Argument(metavar="FILM", help="A film with its .otio beside it.")],
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The picture, .png or .jpg.")] = "sheet.png",
    rows: Annotated[int, typer.Option("--rows", help="Rows; one for about every 24 seconds if left out.")] = 0,
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    talk: common.Talk = "auto",
) -> None:
    """Draw a film on one picture: thumbnails, waveform, sections, beats, hits, and its cuts."""
    with common.told(as_json=as_json), common.session(no_cache=True, talk=talk) as session:
        from backbeat.errors import InputError
        from backbeat.verbs import sheet as story

        if not 0 <= rows <= 100:
            raise InputError(f"--rows {rows}: not a number of rows", "give 1 to 100")
        made = story.sheet(film, output, session, force=force, rows=rows)
        if as_json:
            common.print_json({"sheet": made})
        else:
            typer.echo(made)
        if show:
            typer.launch(made)
