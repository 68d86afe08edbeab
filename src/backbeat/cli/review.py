# SPDX-License-Identifier: Apache-2.0
"""``backbeat review``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli.common import Force, Json, NoCache, Open, Talk, Workers, print_json, session, told

if TYPE_CHECKING:
    from backbeat.model.review import Review

Film = Annotated[str, typer.Argument(help="The film to judge.", metavar="FILM")]
Song = Annotated[str, typer.Option("--song", help="The song that sounds in it; it is located in the film.")]
Beats = Annotated[str, typer.Option("--beats", help="A text file of beat times, one a line, to judge by.")]
TimelineFile = Annotated[str, typer.Option("--timeline", help="The film's .otio: does the film show what it says?")]
Against = Annotated[list[str] | None, typer.Option("--against", help="A reference film; may be given again.")]
Output = Annotated[str, typer.Option("--output", "-o", help="Write the report here (.html).", metavar="FILE")]
FailUnder = Annotated[
    float | None, typer.Option("--fail-under", help="Exit with 1 under so many stars.", metavar="STARS")
]
Tracker = Annotated[str, typer.Option("--tracker", help="Which beat tracker hears the grid.")]


def register(app: typer.Typer) -> None:
    """Add ``review`` to the commands."""
    app.command("review")(review)


def review(
    film: Film,
    *,
    song: Song = "",
    beats: Beats = "",
    timeline: TimelineFile = "",
    against: Against = None,
    output: Output = "",
    fail_under: FailUnder = None,
    tracker: Tracker = "own",
    force: Force = False,
    as_json: Json = False,
    show: Open = False,
    workers: Workers = "1",
    no_cache: NoCache = False,
    progress: Talk = "auto",
) -> None:
    """Judge a film: how well it follows its music, and where it drags. Stars with evidence, and a report."""
    from backbeat.verbs.review import ReviewOptions
    from backbeat.verbs.review import as_json as plain
    from backbeat.verbs.review import review as judge

    with told(as_json=as_json), session(workers=workers, no_cache=no_cache, talk=progress) as work:
        _check(fail_under, show=show, output=output)
        found = judge(
            ReviewOptions(film, song, beats, timeline, tuple(against or ()), output, force=force, tracker=tracker), work
        )
    if as_json:
        print_json(plain(found))
    else:
        _print(found, output)
    if show:
        typer.launch(output)
    if fail_under is not None and (found.stars is None or found.stars < fail_under):
        got = "no overall stars" if found.stars is None else f"{found.stars:.1f} stars"
        typer.echo(f"{film}: {got}, {fail_under:g} are asked for", err=True)
        raise typer.Exit(1)


def _check(fail_under: float | None, *, show: bool, output: str) -> None:
    from backbeat.errors import InputError

    if fail_under is not None and not 0 <= fail_under <= 5:
        raise InputError(f"--fail-under {fail_under:g}: there are 0 to 5 stars", "give a number of stars, like 3.5")
    if show and not output:
        raise InputError("--open: there is no report to show", "give one with -o report.html")


def stars(value: float | None) -> str:
    """Return ``★★★½☆`` for 3.5, dots where nothing was judged."""
    if value is None:
        return "  –  "
    half = "½" if value % 1 >= 0.5 else ""
    return ("★" * int(value) + half).ljust(5, "☆")


def _print(found: Review, output: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from backbeat.model.time import clock

    console = Console()
    console.print(Text(found.verdict, style="bold"))
    if found.music:
        console.print(Text(found.music))
    table = Table(box=None, show_header=False, pad_edge=False)
    for aspect in found.aspects:
        finding = aspect.finding + (" (estimated)" if aspect.estimated else "")
        table.add_row(Text(aspect.title), Text(stars(aspect.stars)), Text(finding))
    console.print(table)
    if found.moments:
        console.print(Text("\nWorth a look:"))
        moments = Table(box=None, show_header=False, pad_edge=False)
        for m in found.moments:
            moments.add_row(Text(clock(m.time)), Text(m.what), Text(m.todo, style="dim"))
        console.print(moments)
    for note in found.notes:
        console.print(Text(f"note: {note}", style="dim"))
    if output:
        console.print(Text(f"report: {output}"))
