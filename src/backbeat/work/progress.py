# SPDX-License-Identifier: Apache-2.0
"""Progress is a protocol handed in; nothing here prints unless it is told where."""

from __future__ import annotations

import json
import time
from typing import IO, Protocol

# Below this share of a step its speed says nothing about what is left.
TELLING = 0.02


class Progress(Protocol):
    """Told how far a step is. Steps may run one after another; `total` 0 means unknown."""

    def start(self, step: str, total: float, unit: str = "") -> None:
        """Begin `step`, which ends an earlier one."""

    def advance(self, amount: float = 1.0) -> None:
        """Move on by `amount` units."""

    def say(self, message: str) -> None:
        """Tell the user one line."""

    def stop(self) -> None:
        """End the last step."""


class Silent:
    """Says nothing."""

    def start(self, step: str, total: float, unit: str = "") -> None:
        """Ignore."""

    def advance(self, amount: float = 1.0) -> None:
        """Ignore."""

    def say(self, message: str) -> None:
        """Ignore."""

    def stop(self) -> None:
        """Ignore."""


class Lines:
    """Plain lines for a pipe: one at the start of a step, then at most one every `every` seconds, with an ETA."""

    def __init__(self, out: IO[str], every: float = 5.0) -> None:
        self._out, self._every = out, every
        self._step, self._total, self._done = "", 0.0, 0.0
        self._began = self._last = 0.0

    def start(self, step: str, total: float, unit: str = "") -> None:
        """Begin `step`."""
        self._step, self._total, self._done = step, total, 0.0
        self._began = self._last = time.monotonic()
        size = f" ({total:g} {unit})" if total and unit else ""
        self.say(f"{step}{size}")

    def advance(self, amount: float = 1.0) -> None:
        """Move on, and speak where enough time has gone."""
        self._done += amount
        now = time.monotonic()
        if now - self._last >= self._every and self._total and self._done:
            self._last = now
            share = self._done / self._total
            left = (now - self._began) * (1 - share) / share
            about = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
            self.say(f"{self._step}: {100 * share:.0f} %" + (f", about {about} left" if share >= TELLING else ""))

    def say(self, message: str) -> None:
        """Write one line."""
        self._out.write(message + "\n")
        self._out.flush()

    def stop(self) -> None:
        """End."""


class JsonLines:
    """One JSON object a line, for machines."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._step, self._total, self._done = out, "", 0.0, 0.0

    def _emit(self, **event: object) -> None:
        self._out.write(json.dumps(event) + "\n")
        self._out.flush()

    def start(self, step: str, total: float, unit: str = "") -> None:
        """Begin `step`."""
        self._step, self._total, self._done = step, total, 0.0
        self._emit(event="start", step=step, total=total, unit=unit)

    def advance(self, amount: float = 1.0) -> None:
        """Move on."""
        self._done += amount
        self._emit(event="advance", step=self._step, done=self._done, total=self._total)

    def say(self, message: str) -> None:
        """Tell."""
        self._emit(event="say", message=message)

    def stop(self) -> None:
        """End."""
        self._emit(event="stop", step=self._step)
