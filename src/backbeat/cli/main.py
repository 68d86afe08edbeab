# SPDX-License-Identifier: Apache-2.0
"""The street door: argv in, exit code out.

Each verb is a module of this folder with ``register(app)``. Nothing heavy is imported before a verb runs.
"""

from __future__ import annotations

import importlib
import importlib.util

import typer

# The order in which help lists them.
VERBS = (
    "cut", "make", "sync", "score", "retarget", "plan", "review", "studio", "render", "export", "import_", "listen",
    "watch", "why", "style", "demo", "doctor", "init", "cache",
)  # fmt: skip

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Cut film to music: listen to the song, watch the footage, decide on paper, then cut.",
)


@app.callback(invoke_without_command=True)
def main(*, version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """Cut film to music: listen to the song, watch the footage, decide on paper, then cut."""
    if version:
        from backbeat import __version__

        typer.echo(__version__)
        raise typer.Exit


for _verb in VERBS:
    if importlib.util.find_spec(f"backbeat.cli.{_verb}") is not None:
        importlib.import_module(f"backbeat.cli.{_verb}").register(app)


def run() -> None:
    """Entry point of the ``backbeat`` command."""
    app()
