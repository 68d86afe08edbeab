# SPDX-License-Identifier: Apache-2.0
"""The street door: argv in, exit code out.

Each verb is a module of this folder with ``register(app)``, imported only when it is called: help and completion of
the command names cost the interpreter, Typer, and nothing else.
"""

from __future__ import annotations

import difflib
import importlib
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

# What help lists, in this order: a verb and what it does. A verb whose module does not exist is not shown.
VERBS = {
    "cut": "Cut footage to a song: FOOTAGE... SONG -o film.mp4.",
    "init": "Write a commented film.toml from a folder of footage: the first step of make.",
    "make": "Make a whole film of several scenes from film.toml.",
    "sync": "Move an edited scene onto the music by small trims and slips.",
    "score": "Choose songs for a locked film, and mix them in.",
    "retarget": "Bring a song to an exact length: true beginning, true ending.",
    "plan": "Plan a shoot to the music: beat sheet, click track, animatic.",
    "review": "A scorecard of any film, with stars and a report.",
    "studio": "See, hear, lock, nudge and swap, in the browser.",
    "render": "Render film.otio to a film.",
    "export": "Write film.otio as a file of another editing program.",
    "import": "Read another editing program's file into film.otio.",
    "listen": "Hear songs: beats, bars, sections, energy, endings.",
    "watch": "Look at footage: shots, hits, speech, quality.",
    "why": "Say why a clip of film.otio stands where it does.",
    "sheet": "Draw a film on one picture: thumbnails, waveform, beats, cuts.",
    "style": "Learn a style from films that you like.",
    "demo": "Make a film from nothing: a drawn car chase, cut to a composed song.",
    "doctor": "Is this machine ready? Parts, encoders, backends.",
    "cache": "Show or clear what is kept of earlier analyses.",
}
_HELP = "Cut film to music: listen to the song, watch the footage, decide on paper, then cut."
# Typer raises Click's errors but does not name them all, and newer versions carry their own copy of Click.
_USAGE_ERROR: Any = typer.BadParameter.__mro__[1]


def module_of(verb: str) -> str:
    """Return the module that holds `verb` (``import`` is a word of the language, its module is ``import_``)."""
    return f"{verb}_" if verb == "import" else verb


class Verbs(TyperGroup):
    """The commands, each read from its module when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return the names of the verbs that exist."""
        here = Path(__file__).parent
        return [verb for verb in VERBS if (here / f"{module_of(verb)}.py").is_file()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, or None where there is none of that name."""
        return _command(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of verbs without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(verb, VERBS[verb]) for verb in self.list_commands(ctx)])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that `args` begin with; where there is none, say which is meant."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            near = difflib.get_close_matches(args[0], known, 1, 0.5)
            ctx.fail(f"no command called {args[0]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)


@cache
def _command(verb: str) -> Any:
    part = typer.Typer(rich_markup_mode=None, add_completion=False)
    importlib.import_module(f"backbeat.cli.{module_of(verb)}").register(part)
    return get_group(part).commands[verb]


app = typer.Typer(
    cls=Verbs,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's help alone costs 0.3 s
    help=_HELP,
)


@app.callback(invoke_without_command=True, help=_HELP)
def main(
    context: typer.Context, *, version: bool = typer.Option(False, "--version", help="Print the version.")
) -> None:
    """Print the version, or the help where no verb is given."""
    if version:
        from backbeat import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run() -> None:
    """Entry point of the ``backbeat`` command."""
    from backbeat.cli.common import fail
    from backbeat.errors import BackbeatError, CancelledError, InputError

    arguments = sys.argv[1:]
    as_json = "--json" in arguments[: arguments.index("--")] if "--" in arguments else "--json" in arguments
    # A polite kill takes the way of Ctrl-C, so that nothing half-written is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        try:
            code = app(standalone_mode=False)
        except _USAGE_ERROR as error:
            fail(InputError(*_told(error)), as_json=as_json)
        except BackbeatError as error:
            fail(error, as_json=as_json)
        except (KeyboardInterrupt, typer.Abort):
            fail(CancelledError("stopped", "run the same command again to go on where it stopped"), as_json=as_json)
    except typer.Exit as leave:
        code = leave.exit_code
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _told(error: Any) -> tuple[str, str]:
    """Return message and hint of a command line that could not be parsed."""
    message = str(error.format_message()).strip().rstrip(".").replace("\n", " ")
    path = error.ctx.command_path if error.ctx is not None else "backbeat"
    return message[:1].lower() + message[1:], f"{path} --help"
