# SPDX-License-Identifier: Apache-2.0
"""``backbeat watch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.verbs.watch import Watched


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)


def watch(
    places: Annotated[
        list[str], typer.Argument(metavar="FOOTAGE...", help="Videos, folders of them, or shot_%04d.png patterns.")
    ],
    *,
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help="Write .json, .csv, or a contact sheet .png or .html; may be repeated."),
    ] = None,
    shots: Annotated[str, typer.Option("--shots", help="Which shot finder looks: own or transnetv2.")] = "own",
    hardware: Annotated[
        str, typer.Option("--hardware", help="A hardware decoder, used where present: cuda, vaapi, videotoolbox …")
    ] = "",
    force: common.Force = False,
    as_json: common.Json = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Look at footage: shots, hits, speech, motion, quality. Broken files are listed, the rest goes on."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.errors import MediaError
        from backbeat.verbs import watch as story
        from backbeat.work.output import check

        for name in output or []:
            check(name, force=force, inputs=places, suffixes=story.WRITTEN)
        options = {k: v for k, v in (("shots", shots), ("hardware", hardware)) if v not in {"", "own"}}
        watched = story.takes(places, session, **options)
        if not watched.takes:
            raise MediaError(watched.left_out[0][1], "give footage that can be read")
        for name in output or []:
            story.write(watched, name, session)
        if as_json:
            common.print_json(
                {
                    "takes": watched.takes,
                    "left_out": [{"path": p, "error": r} for p, r in watched.left_out],
                    "written": output or [],
                }
            )
            return
        _print(watched)


def _print(watched: Watched) -> None:
    from pathlib import PurePath

    from rich.console import Console
    from rich.table import Table

    from backbeat.model.time import clock

    table = Table(box=None, pad_edge=False)
    for title, side in (
        ("take", "left"), ("length", "right"), ("picture", "left"), ("shots", "right"), ("hits", "right"),
        ("seen+heard", "right"), ("speech", "right"), ("quality", "right"), ("notes", "left"),
    ):  # fmt: skip
        table.add_column(title, justify=side, no_wrap=title != "notes")  # type: ignore[arg-type]
    for take in watched.takes:
        media = take.media
        hits = [h for s in take.shots for h in s.hits]
        frames = sum(s.end_frame - s.start_frame for s in take.shots) or 1
        quality = sum(s.quality * (s.end_frame - s.start_frame) for s in take.shots) / frames
        flags = sorted({f for s in take.shots for f in s.flags})
        table.add_row(
            PurePath(media.path).name,
            clock(media.duration),
            f"{media.width}x{media.height} {float(media.rate):.2f}{' VFR' if media.variable_rate else ''}",
            str(len(take.shots)),
            str(len(hits)),
            str(sum(h.evidence == "both" for h in hits)),
            f"{sum(s.span.length for s in take.speech):.1f} s" if take.speech else "",
            f"{quality:.2f}",
            "; ".join((*flags, *take.warnings)),
        )
    shots = sum(len(t.shots) for t in watched.takes)
    seconds = sum(t.media.duration for t in watched.takes)
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)
    console.print(f"{len(watched.takes)} takes, {clock(seconds)}, {shots} shots", highlight=False)
    for path, reason in watched.left_out:
        said = reason if reason.startswith(path) else f"{path}: {reason}"
        typer.echo(f"left out: {said}", err=True)
