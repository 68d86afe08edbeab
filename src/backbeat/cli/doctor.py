# SPDX-License-Identifier: Apache-2.0
"""``backbeat doctor``."""

from __future__ import annotations

import typer

from backbeat.cli import common

SIGNS = {"good": "ok  ", "bad": "BAD ", "absent": "-   "}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, as_json: common.Json = False) -> None:
    """Try what this machine can decode, encode and draw; leave with 5 if something needed is missing."""
    with common.told(as_json=as_json), common.session(talk="none") as session:
        from backbeat.verbs.doctor import examine

        health = examine(session)
        if as_json:
            common.print_json(health)
        else:
            typer.echo(f"backbeat {health.backbeat}, Python {health.python}, {health.system}, {health.cores} cores")
            group = ""
            for finding in health.findings:
                if finding.group != group:
                    group = finding.group
                    typer.echo(f"\n{group}")
                typer.echo(f"  {SIGNS[finding.state]}{finding.name}" + (f": {finding.said}" if finding.said else ""))
        raise typer.Exit(0 if health.good else 5)
