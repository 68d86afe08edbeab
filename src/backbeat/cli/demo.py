# SPDX-License-Identifier: Apache-2.0
"""``backbeat demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    folder: Annotated[str, typer.Argument(help="Where everything goes.")] = "backbeat-demo",
    *,
    media_only: Annotated[bool, typer.Option("--media-only", help="Only draw the shoot and compose the song.")] = False,
    style: common.Style = "wright",
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    workers: common.Workers = "auto",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Make a film from nothing: draw a car chase, compose a song, and cut the one to the other."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from dataclasses import asdict
        from pathlib import Path

        from backbeat.verbs import demo as story
        from backbeat.work import output

        film = str(Path(folder) / "film.mp4")
        if Path(folder).is_dir() and not media_only:
            output.check(film, force=force)
        made = story.sample(folder, session)
        if media_only:
            if as_json:
                common.print_json(asdict(made))
            else:
                typer.echo(f"shoot     {made.shoot}\nsong      {made.song}\ntruth     {made.truth}")
            return
        from backbeat.verbs import cut as cutting

        options = cutting.CutOptions(footage=(made.shoot,), song=made.song, output=film, style=style, force=force)
        result = cutting.cut(options, session)
        if as_json:
            common.print_json(cutting.as_json(result))
        else:
            from backbeat.cli.summary import print_cut

            print_cut(result)
        if show:
            typer.launch(film)
