# SPDX-License-Identifier: Apache-2.0
"""SubRip subtitles in and out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import InputError
from backbeat.model.time import Span
from backbeat.work.output import placed

_TIMES = re.compile(r"(\d+):(\d\d?):(\d\d?)[,.](\d{1,3})\s*-->\s*(\d+):(\d\d?):(\d\d?)[,.](\d{1,3})")


@dataclass(frozen=True, slots=True)
class Subtitle:
    """One subtitle: when (film seconds) and what, lines by newline."""

    span: Span
    text: str


def read_srt(path: str) -> tuple[Subtitle, ...]:
    """Read an ``.srt`` file; UTF-8, with or without a mark, else Latin-1.

    Raises
    ------
    InputError
        If it cannot be read or holds no subtitle.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "give an .srt file") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    found = []
    for block in re.split(r"\r?\n[ \t]*\r?\n", text.strip()):
        lines = block.splitlines()
        at = next((i for i, line in enumerate(lines) if _TIMES.search(line)), None)
        if at is None:
            continue
        match = _TIMES.search(lines[at])
        assert match is not None
        h0, m0, s0, f0, h1, m1, s1, f1 = match.groups()
        start = int(h0) * 3600 + int(m0) * 60 + int(s0) + int(f0.ljust(3, "0")) / 1000
        end = int(h1) * 3600 + int(m1) * 60 + int(s1) + int(f1.ljust(3, "0")) / 1000
        if end > start:
            found.append(Subtitle(Span(start, end), "\n".join(lines[at + 1 :])))
    if not found:
        raise InputError(f"{path}: no subtitle in it", "give a SubRip file (.srt)")
    return tuple(sorted(found, key=lambda s: s.span.start))


def write_srt(subtitles: tuple[Subtitle, ...], path: str) -> None:
    """Write an ``.srt`` file whole, or not at all.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    with placed(path) as temporary:
        Path(temporary).write_text(srt_text(subtitles), encoding="utf-8", newline="\n")


def srt_text(subtitles: tuple[Subtitle, ...]) -> str:
    """Return `subtitles` as SubRip; empty lines, which would end a subtitle, are left out of their text."""
    blocks = []
    for number, one in enumerate(subtitles, 1):
        text = re.sub(r"\n\s*\n+", "\n", one.text.strip())
        blocks.append(f"{number}\n{_clock(one.span.start)} --> {_clock(one.span.end)}\n{text}\n")
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"
