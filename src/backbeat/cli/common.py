# SPDX-License-Identifier: Apache-2.0
"""What every command shares: options, the session, and how errors are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backbeat.errors import BackbeatError, CancelledError

if TYPE_CHECKING:
    from backbeat.verbs.session import Session
    from backbeat.work.progress import Progress

Json = Annotated[bool, typer.Option("--json", help="Exactly one JSON object on stdout, also for an error.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing file.")]
Open = Annotated[bool, typer.Option("--open", help="Show the result when it is done.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Decide and predict, but make nothing.")]
Workers = Annotated[
    str, typer.Option("--workers", help="How many processes: a number, auto, or dask://host:8786.", metavar="N")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep earlier analyses.")]
Talk = Annotated[str, typer.Option("--progress", help="auto, bars, lines, json or none.", metavar="HOW")]
Seed = Annotated[int, typer.Option("--seed", help="Same inputs, same seed, same edit.")]
Style = Annotated[str, typer.Option("--style", help="A built-in style, or a file of your own (.toml).")]
Tracker = Annotated[str, typer.Option("--tracker", help="Which beats backend listens.")]
Bpm = Annotated[float, typer.Option("--bpm", help="About how fast the song is.")]
Loudness = Annotated[str, typer.Option("--loudness", help="streaming, broadcast or cinema.")]


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Tell an error in the house's way and leave with its exit code; a bug keeps its traceback."""
    try:
        yield
    except BackbeatError as error:
        fail(error, as_json=as_json)
    except KeyboardInterrupt:
        fail(CancelledError("stopped", "run the same command again to go on where it stopped"), as_json=as_json)


def fail(error: BackbeatError, *, as_json: bool) -> None:
    """Print `error` and exit."""
    if as_json:
        typer.echo(json.dumps({"error": error.message, "try": error.hint, "exit_code": error.exit_code}))
    else:
        typer.echo(f"error: {error.message}", err=True)
        typer.echo(f"  try: {error.hint}", err=True)
    raise typer.Exit(error.exit_code)


@contextmanager
def session(*, workers: str = "1", no_cache: bool = False, talk: str = "auto") -> Iterator[Session]:
    """Yield the session of one command, with progress on stderr."""
    from backbeat.verbs.session import Session
    from backbeat.work.cache import Cache, default_folder
    from backbeat.work.pool import count_of

    count_of(workers)  # say at once what is wrong with it
    progress, close = _progress(talk)
    try:
        yield Session(Cache(None if no_cache else default_folder()), workers, progress)
    finally:
        close()


def _progress(talk: str) -> tuple[Progress, Callable[[], None]]:
    from backbeat.errors import InputError
    from backbeat.work import progress as kinds

    if talk == "auto":
        talk = "bars" if sys.stderr.isatty() else "lines"
    if talk == "none":
        return kinds.Silent(), lambda: None
    if talk == "lines":
        return kinds.Lines(sys.stderr), lambda: None
    if talk == "json":
        return kinds.JsonLines(sys.stderr), lambda: None
    if talk == "bars":
        from backbeat.cli.bars import Bars

        bars = Bars()
        return bars, bars.close
    raise InputError(f"--progress {talk}: no such way", "use auto, bars, lines, json or none")


def print_json(value: Any) -> None:
    """Write one JSON object on stdout."""
    from backbeat.model.codec import to_plain

    typer.echo(json.dumps(to_plain(value), ensure_ascii=False))
