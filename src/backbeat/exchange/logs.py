# SPDX-License-Identifier: Apache-2.0
"""Logs beside the footage: Avid's ALE, and CSV of any program (Resolve, Silverstack, a spreadsheet)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from backbeat.errors import InputError
from backbeat.exchange.timecode import frame_of
from backbeat.model.footage import LogEntry
from backbeat.model.time import parse_rate

SUFFIXES = (".ale", ".csv", ".tsv")

_COLUMNS = {
    "name": ("source file", "file name", "filename", "file", "clip name", "clip", "name", "take file", "path"),
    "reel": ("tape", "reel", "reel name", "camroll", "source tape", "roll"),
    "start": ("start", "start tc", "start timecode", "tc in", "in"),
    "end": ("end", "end tc", "end timecode", "tc out", "out"),
    "scene": ("scene",),
    "number": ("take", "take number", "take no"),
    "circled": ("circled", "circle", "circled take", "good take", "good", "selected", "favorite", "favourite", "best"),
    "characters": ("characters", "character", "actors", "actor", "cast", "who", "people"),
    "tags": ("keywords", "keyword", "tags", "tag", "labels"),
    "comment": ("comments", "comment", "notes", "note", "description", "remarks", "log note"),
    "rate": ("fps", "frame rate", "camera fps", "shot frame rate"),
}
_YES = {"1", "y", "yes", "true", "x", "*", "circled", "circle", "good", "ok", "ja", "oui", "si", "✓", "✔", "◯", "○"}
_LISTS = re.compile(r"[,;/|]+")


@dataclass(frozen=True, slots=True)
class LogRow:
    """One take of a log. `start` and `end` are timecode in frames at `rate`, None where the log has none."""

    name: str
    entry: LogEntry
    reel: str = ""
    rate: Fraction | None = None
    start: int | None = None
    end: int | None = None


def read_log(path: str | Path) -> tuple[LogRow, ...]:
    """Return the takes in an ALE or CSV file, in its order; rows without a name are left out.

    Raises
    ------
    InputError
        If the file is missing, empty or has no column that could be a name.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the name")
    words = _decoded(path.read_bytes())
    rate: Fraction | None = None
    if path.suffix.lower() == ".ale":
        head, names, rows = _ale(words)
        rate = _rate(head.get("fps", ""))
    else:
        names, rows = _csv(words)
    places = _places(names)
    if "name" not in places:
        raise InputError(f"{path}: no column says which take a row is about", "name one column File, Clip or Name")
    found = (_row({k: row[i].strip() for k, i in places.items() if i < len(row)}, rate) for row in rows)
    return tuple(row for row in found if row.name)


def _decoded(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _ale(words: str) -> tuple[dict[str, str], list[str], list[list[str]]]:
    head: dict[str, str] = {}
    names: list[str] = []
    rows: list[list[str]] = []
    part = ""
    for line in words.splitlines():
        if line.strip().lower() in {"heading", "column", "data"}:
            part = line.strip().lower()
        elif not line.strip():
            continue
        elif part == "heading":
            key, _, value = line.partition("\t")
            head[key.strip().lower()] = value.strip()
        elif part == "column" and not names:
            names = line.split("\t")
        elif part == "data":
            rows.append(line.split("\t"))
    return head, names, rows


def _csv(words: str) -> tuple[list[str], list[list[str]]]:
    first = words.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    rows = [r for r in csv.reader(io.StringIO(words), delimiter=delimiter) if any(c.strip() for c in r)]
    return (rows[0], rows[1:]) if rows else ([], [])


def _places(names: Iterable[str]) -> dict[str, int]:
    """Return which column holds what; of several names for one thing, the surest wins."""
    plain = [re.sub(r"[\s_\-]+", " ", n).strip().lower() for n in names]
    found = {}
    for key, words in _COLUMNS.items():
        place = next((plain.index(w) for w in words if w in plain), None)
        if place is not None:
            found[key] = place
    return found


def _row(cells: dict[str, str], rate: Fraction | None) -> LogRow:
    rate = _rate(cells.get("rate", "")) or rate
    entry = LogEntry(
        scene=cells.get("scene", ""),
        number=cells.get("number", ""),
        circled=cells.get("circled", "").lower() in _YES,
        characters=_list(cells.get("characters", "")),
        tags=_list(cells.get("tags", "")),
        comment=cells.get("comment", ""),
    )
    start, end = (_frame(cells.get(k, ""), rate) for k in ("start", "end"))
    return LogRow(cells.get("name", ""), entry, cells.get("reel", ""), rate, start, end)


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(p.strip() for p in _LISTS.split(text) if p.strip()))


def _rate(text: str) -> Fraction | None:
    found = re.search(r"\d+(?:\.\d+)?(?:/\d+)?", text)
    try:
        return parse_rate(found[0]) if found else None
    except (ValueError, ZeroDivisionError):
        return None


def _frame(text: str, rate: Fraction | None) -> int | None:
    try:
        return frame_of(text, rate) if text and rate else None
    except ValueError:
        return None
