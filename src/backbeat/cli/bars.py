# SPDX-License-Identifier: Apache-2.0
"""Progress bars with an ETA for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Bars:
    """One bar a step, on stderr."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._progress.start()
        self._task: TaskID | None = None

    def start(self, step: str, total: float, unit: str = "") -> None:
        """Begin `step`."""
        self.stop()
        size = f" ({total:g} {unit})" if total and unit else ""
        self._task = self._progress.add_task(f"{step}{size}", total=total or None)

    def advance(self, amount: float = 1.0) -> None:
        """Move on."""
        if self._task is not None:
            self._progress.advance(self._task, amount)

    def say(self, message: str) -> None:
        """Write a line above the bars."""
        self._progress.console.print(message, markup=False, highlight=False)

    def stop(self) -> None:
        """Fill the bar of the step."""
        if self._task is not None:
            task = self._progress.tasks[self._progress.task_ids.index(self._task)]
            self._progress.update(self._task, total=task.total or 1, completed=task.total or 1)
            self._task = None

    def close(self) -> None:
        """Take the bars down."""
        self._progress.stop()
