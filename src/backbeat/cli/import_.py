# SPDX-License-Identifier: Apache-2.0
"""``backbeat import``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli.common import Force, Json, Talk, print_json, session, told


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    papers: Annotated[
        list[str],
        typer.Argument(help="OTIO, FCPXML, FCP 7 XML, EDL, MLT, Kdenlive; or a log: ALE, CSV.", metavar="FILE..."),
    ],
    output: Annotated[str, typer.Option("-o", "--output", help="The .otio (or .json of a log).", metavar="FILE")] = "",
    rate: Annotated[str, typer.Option("--rate", help="Frames a second of an EDL.", metavar="FPS")] = "",
    media_root: Annotated[
        list[str] | None, typer.Option("--media-root", help="Look here for missing media.", metavar="DIR")
    ] = None,
    *,
    force: Force = False,
    as_json: Json = False,
    talk: Talk = "auto",
) -> None:
    """Read an edit or a log of another program."""
    with told(as_json=as_json), session(talk=talk) as work:
        from backbeat.verbs.import_ import import_ as run

        done = run(papers, work, output=output, rate=rate, media_root=media_root or (), force=force)
        if as_json:
            print_json(done)
            return
        typer.echo(done.file)
        if done.kind == "log":
            typer.echo(f"{done.takes} takes", err=True)
            return
        pace = f"{float(done.rate or 0):.6g}"
        typer.echo(f"{done.name}: {done.clips} clips, {done.cues} songs, {done.frames} frames at {pace}", err=True)
        for path, reason in done.unread:
            typer.echo(f"cannot be read: {path} ({reason})", err=True)
        for path in done.missing:
            typer.echo(f"missing: {path}", err=True)
        if done.missing:
            typer.echo("  try: --media-root DIR with the folder in which it lies now", err=True)
