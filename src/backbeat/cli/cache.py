# SPDX-License-Identifier: Apache-2.0
"""``backbeat cache``."""

from __future__ import annotations

from typing import Annotated

import typer

from backbeat.cli import common


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(cache)


def cache(
    *,
    clear: Annotated[bool, typer.Option("--clear", help="Forget everything.")] = False,
    as_json: common.Json = False,
) -> None:
    """Show where analyses are kept and how large they are, or clear them."""
    with common.told(as_json=as_json), common.session(talk="none") as session:
        from backbeat.verbs import cache as story

        found = story.clear(session) if clear else story.kept(session)
        if as_json:
            common.print_json(found)
            return
        size = f"{found.bytes / 1e6:.1f} MB"
        typer.echo(f"{'cleared' if clear else 'kept'}: {found.entries} results, {size}, in {found.folder}")
