# SPDX-License-Identifier: Apache-2.0
"""``backbeat style``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Styles: list them, show one, learn one from films that you like.")
    group.command("list")(list_styles)
    group.command("show")(show)
    group.command("learn")(learn)
    app.add_typer(group, name="style")


def list_styles(*, as_json: common.Json = False) -> None:
    """List the built-in styles."""
    with common.told(as_json=as_json):
        from backbeat.verbs import style as story

        styles = story.known()
        if as_json:
            common.print_json({"styles": styles})
            return
        from rich.console import Console
        from rich.table import Table

        table = Table(box=None, padding=(0, 2, 0, 0))
        for head in ("style", "beats a shot, quiet", "loud", "order", "speed"):
            table.add_column(head)
        for one in styles:
            quiet, loud = (
                sum(n * s for n, s in zip(one.lengths, shares, strict=True)) for shares in (one.quiet, one.loud)
            )
            low, high = one.speed
            table.add_row(one.name, f"{quiet:.1f}", f"{loud:.1f}", one.order, f"{low:g}–{high:g}")
        Console(highlight=False).print(table)


def show(
    name: Annotated[str, typer.Argument(metavar="STYLE", help="A built-in style, or a TOML file.")],
    *,
    as_json: common.Json = False,
) -> None:
    """Print a style as TOML: a beginning for one of your own."""
    with common.told(as_json=as_json):
        from backbeat.decide.styles import dump
        from backbeat.verbs import style as story

        found = story.named(name)
        if as_json:
            common.print_json(found)
        else:
            typer.echo(dump(found), nl=False)


def learn(
    films: Annotated[list[str], typer.Argument(metavar="FILM...", help="Films, or folders of them.")],
    *,
    output: Annotated[str, typer.Option("--output", "-o", help="The style, a .toml file.")] = "style.toml",
    force: common.Force = False,
    as_json: common.Json = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Learn a style from films: how long their shots last, in beats, where the music is quiet or loud."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.verbs import style as story

        found = story.learn(films, output, session, force=force)
        if as_json:
            common.print_json({"style": output, **{k: getattr(found, k) for k in ("shots", "nearest", "share")}})
            return
        typer.echo(f"{output}: learnt from {found.shots} shots, nearest to {found.nearest}")
        if found.share < 1:
            typer.echo(f"  only {found.shots} of about 200 shots: {1 - found.share:.0%} of it is {found.nearest}")
