# SPDX-License-Identifier: Apache-2.0
"""``backbeat why``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.verbs.why import Why


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(why)


def why(
    timeline: Annotated[str, typer.Argument(metavar="FILM.otio", help="A timeline that backbeat has written.")],
    moment: Annotated[str, typer.Argument(metavar="MOMENT", help="Seconds, or 0:42.")],
    *,
    as_json: common.Json = False,
) -> None:
    """Say why a clip stands where it does: what it is worth, which hit meets which beat, what came second."""
    with common.told(as_json=as_json):
        from backbeat.verbs import why as story

        found = story.why(timeline, moment)
        if as_json:
            common.print_json(found)
        else:
            _show(found)


def _show(found: Why) -> None:
    from rich.console import Console
    from rich.table import Table

    from backbeat.model.time import clock

    clip, console = found.clip, Console(highlight=False)
    name = clip.take.rsplit("/", 1)[-1] or "title"
    console.print(f"[bold]{clock(found.start)} – {clock(found.end)}[/]  {name} from {clock(found.source_in)}", end="")
    console.print(f"  (clip {found.index + 1} of {found.count})" + (", locked" if clip.locked else ""))
    console.print(clip.reason or "No reason is stored with this clip: another program or hand has put it here.")
    if clip.terms:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("what")
        table.add_column("worth", justify="right")
        for term, value in clip.terms:
            table.add_row(term, f"{value:+.2f}")
        table.add_row("[bold]together[/]", f"[bold]{clip.value:+.2f}[/]")
        console.print(table)
    for second in clip.alternates:
        other = second.take.rsplit("/", 1)[-1]
        how = f"{second.loss:.2f} less" if second.loss >= 0 else f"{-second.loss:.2f} more here, less for the film"
        console.print(f"runner-up: {other} from frame {second.source_in}, {how}")
