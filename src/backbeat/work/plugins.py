# SPDX-License-Identifier: Apache-2.0
"""Named backends through entry points: ``backbeat.beats``, ``.shots``, ``.hits``, ``.speech``, ``.exporters``."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points
from typing import Any

from backbeat.errors import MissingPartError

GROUPS = ("beats", "shots", "hits", "speech", "exporters")


def names(group: str) -> list[str]:
    """Return the names of a group's backends, sorted."""
    return sorted({e.name for e in entry_points(group=f"backbeat.{group}")})


def load(group: str, name: str) -> Any:
    """Return the class of the backend `name`.

    Raises
    ------
    MissingPartError
        If there is none, or it cannot be imported.
    """
    for entry in entry_points(group=f"backbeat.{group}"):
        if entry.name == name:
            try:
                return entry.load()
            except ImportError as error:
                raise MissingPartError(
                    f"the {group} backend {name!r} cannot be loaded: {error}",
                    f"pip install 'backbeat[{name.replace('_', '-')}]'",
                ) from error
    known = names(group)
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    raise MissingPartError(f"no {group} backend called {name!r}", hint)
