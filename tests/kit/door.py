# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it, in this process: argv in; exit code, stdout and stderr out."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

from backbeat.cli import main


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    talk: str

    @property
    def json(self) -> Any:
        """The one object on stdout; fails where there is more or less."""
        return json.loads(self.out)


def backbeat(*arguments: object) -> Said:
    """Run ``backbeat`` with `arguments`."""
    out, talk = io.StringIO(), io.StringIO()
    kept = signal.getsignal(signal.SIGTERM)
    code: Any = 0
    try:
        with (
            mock.patch.object(sys, "argv", ["backbeat", *map(str, arguments)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(talk),
        ):
            try:
                main.run()
            except SystemExit as leave:
                code = leave.code
    finally:
        signal.signal(signal.SIGTERM, kept)
    return Said(code if isinstance(code, int) else 1 if code else 0, out.getvalue(), talk.getvalue())
