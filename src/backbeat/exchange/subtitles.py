# SPDX-License-Identifier: Apache-2.0
"""Subtitles: SubRip, WebVTT and Advanced SubStation in, SubRip out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

from backbeat.errors import InputError
from backbeat.model.time import Span
from backbeat.work.output import placed

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_TIME = r"(?:(\d+):)?(\d\d?):(\d\d?)[,.](\d{1,3})"  # WebVTT may leave the hours out
_TIMES = re.compile(rf"{_TIME}\s*-->\s*{_TIME}")
_DIALOGUE = re.compile(rf"Dialogue:[^,]*,\s*{_TIME}\s*,\s*{_TIME}\s*,(.*)")
_OVERRIDES = re.compile(r"\{[^}]*\}")  # of Advanced SubStation: {\pos(20,30)}
_TAGS = re.compile(r"<(?!/?[biu]>)[^>\n]*>")  # of WebVTT, beyond those of SubRip: <v Anna>, <00:01.500>


@dataclass(frozen=True, slots=True)
class Subtitle:
    """One subtitle: when (film seconds) and what, lines by newline."""

    span: Span
    text: str


def read_subtitles(path: str) -> tuple[Subtitle, ...]:
    """Read a file of subtitles (`SUFFIXES`), in order of time; UTF-8, with or without a mark, else Latin-1.

    Of style only what SubRip knows as well is left in the text: italic, bold and underlined.

    Raises
    ------
    InputError
        If it cannot be read or holds no subtitle.
    """
    text = _text(path)
    scripted = path.lower().endswith((".ass", ".ssa"))
    found = [s for s in (_dialogue(text) if scripted else _blocks(text)) if s.span.length > 0]
    if not found:
        raise InputError(f"{path}: no subtitle in it", f"give a file of subtitles ({', '.join(SUFFIXES)})")
    if path.lower().endswith(".vtt"):
        found = [replace(s, text=unescape(_TAGS.sub("", s.text))) for s in found]
    return tuple(sorted(found, key=lambda s: s.span.start))


def _dialogue(text: str) -> Iterator[Subtitle]:
    """Yield the lines of Advanced SubStation."""
    for match in _DIALOGUE.finditer(text):
        said = match[9].split(",", 6)[-1].strip()  # style, name, three margins and effect come before the text
        said = _OVERRIDES.sub("", said).replace(r"\N", "\n").replace(r"\n", "\n").replace(r"\h", " ")
        yield Subtitle(_span(match), said)


def _blocks(text: str) -> Iterator[Subtitle]:
    """Yield the blocks of SubRip or WebVTT that hold times."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", text.strip()):
        lines = block.splitlines()
        for at, line in enumerate(lines):
            if match := _TIMES.search(line):
                yield Subtitle(_span(match), "\n".join(lines[at + 1 :]))
                break


def _span(match: re.Match[str]) -> Span:
    return Span(_seconds(match.groups()[:4]), _seconds(match.groups()[4:8]))


def _text(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "give a file of subtitles") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, rest = parts
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0) + int((rest or "0").ljust(3, "0")) / 1000


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
