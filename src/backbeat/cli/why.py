# SPDX-License-Identifier: Apache-2.0
"""``backbeat why``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.verbs.why import Why


# What each term of a clip's worth stands for.
FOR = {
    "hits": "hits on beats, less strong ones beside them",
    "pairs": "several hits on beats in one clip",
    "hit on cut": "the cut is itself a hit",
    "cut": "the beat that the cut falls on",
    "quality": "the picture, by the second",
    "energy": "motion as lively as the music, by the second",
    "circled": "circled in the log",
    "section": "its log gives it to this section",
    "hero": "asked for as a hero shot",
    "opening": "opens the film",
    "ending": "holds at the end",
    "speed": "its speed is changed",
    "kept": "stands as in the earlier edit",
    "neighbour": "the same set-up as the clip before",
    "direction": "motion turns about at the cut",
}


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
    from rich.markup import escape
    from rich.table import Table

    from backbeat.model.time import clock

    clip, console = found.clip, Console(highlight=False)
    name = clip.take.rsplit("/", 1)[-1] or "title"
    console.print(
        f"[bold]{clock(found.start)} – {clock(found.end)}[/]  {escape(name)} from {clock(found.source_in)}", end=""
    )
    console.print(f"  (clip {found.index + 1} of {found.count})" + (", locked" if clip.locked else ""))
    console.print(escape(clip.reason) or "No reason is stored with this clip: another program or hand has put it here.")
    if clip.terms:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("what")
        table.add_column("worth", justify="right")
        table.add_column("for", style="dim")
        for term, value in clip.terms:
            table.add_row(term, f"{value:+.2f}", FOR.get(term, ""))
        table.add_row("[bold]together[/]", f"[bold]{clip.value:+.2f}[/]", "1.00 is a full hit on a downbeat")
        console.print(table)
    for second in clip.alternates:
        other = second.take.rsplit("/", 1)[-1]
        rate = found.rates.get(second.take)
        into = clock(float(second.source_in / rate)) if rate else f"frame {second.source_in}"
        how = f"{second.loss:.2f} less" if second.loss >= 0 else f"{-second.loss:.2f} more"
        speed = f" at speed {second.speed:.2f}" if second.speed != 1.0 else ""
        what = f" ({escape(second.why)})" if second.why else ""
        console.print(f"runner-up: {escape(other)} from {into}{speed}, {how}{what}")
    if clip.terms and not clip.alternates and not clip.locked:
        console.print("runner-up: none among what was looked at and the film does not show elsewhere")
