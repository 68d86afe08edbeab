# SPDX-License-Identifier: Apache-2.0
"""A hand-made grid: beats tapped or charted elsewhere, one a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import InputError


@dataclass(frozen=True, slots=True)
class Tapped:
    """`times` rising (s); `bar_start` the time of the first downbeat, None if none is marked; `meter` 0 if unknown."""

    times: tuple[float, ...]
    bar_start: float | None = None
    meter: int = 0


def read_beats(path: str) -> Tapped:
    """Read a grid: a time in seconds a line, then, where known, the position in the bar (1 = downbeat).

    Tabs, commas or spaces part the columns, so ``.beats``, CSV and Audacity labels (time, time, position) all do.

    Raises
    ------
    InputError
        If the file cannot be read, a line is no time, the times do not rise, or there are fewer than two.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})", "give a text file with a time a line") from error
    times: list[float] = []
    places: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        try:
            time = float(words[0])
        except ValueError:
            if number == 1:  # the head of a table
                continue
            raise InputError(f"{path}, line {number}: {words[0]!r} is no time", "give seconds, a beat a line") from None
        if times and time <= times[-1]:
            raise InputError(f"{path}, line {number}: the times do not rise", "sort the lines by time")
        times.append(time)
        places.append(_place(words[1:]))
    if len(times) < 2:
        raise InputError(f"{path}: fewer than two beats", "give a time a line")
    start = next((t for t, p in zip(times, places, strict=True) if p == 1), None)
    return Tapped(tuple(times), start, max(places) if start is not None and max(places) <= 12 else 0)


def _place(words: list[str]) -> int:
    for word in reversed(words):
        if word.isdigit():
            return int(word)
    return 0
