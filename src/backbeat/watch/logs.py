# SPDX-License-Identifier: Apache-2.0
"""What a log beside the footage says: an Avid log (ALE), a CSV, keywords of an FCPXML. Text in, entries out."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from urllib.parse import unquote

from backbeat.model.footage import LogEntry

_NAMES = (
    "source file",
    "source file name",
    "filename",
    "file name",
    "file",
    "clip",
    "clip name",
    "name",
    "source path",
)
_FIELDS = {
    "scene": ("scene",),
    "number": ("take", "number"),
    "circled": ("circled", "circle", "circle take", "good take", "good", "rating"),
    "characters": ("characters", "character", "cast", "actors"),
    "tags": ("keywords", "keyword", "tags", "labels", "label"),
    "comment": ("comments", "comment", "description", "notes", "note"),
}
_YES = {"1", "y", "yes", "x", "true", "circled", "*", "good", "o", "favorite", "favourite", "5"}


def key(name: str) -> str:
    """Return what a file is known by in a log: its name without folder and suffix, in small letters."""
    return PurePath(unquote(name.strip()).replace("\\", "/")).stem.casefold()


def parse(text: str, suffix: str) -> dict[str, LogEntry]:
    """Return the entries of a log by `key`; an empty dict where the text is no log of footage.

    `suffix`: ``.ale``, ``.csv`` or ``.fcpxml``.
    """
    if suffix == ".ale":
        return _table(_ale_rows(text))
    if suffix == ".csv":
        delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
        return _table(list(csv.reader(io.StringIO(text), delimiter=delimiter)))
    if suffix == ".fcpxml":
        return _fcpxml(text)
    return {}


def _ale_rows(text: str) -> list[list[str]]:
    """Return the header and the rows of an ALE: tab-separated, between the words Column and Data."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    words = [line.strip().lower() for line in lines]
    if "column" not in words or "data" not in words:
        return []
    head = next((line for line in lines[words.index("column") + 1 :] if line.strip()), "")
    body = [line for line in lines[words.index("data") + 1 :] if line.strip()]
    return [head.split("\t"), *(line.split("\t") for line in body)]


def _table(rows: list[list[str]]) -> dict[str, LogEntry]:
    if len(rows) < 2:
        return {}
    head = [h.strip().lower().lstrip("\ufeff") for h in rows[0]]
    name = next((head.index(n) for n in _NAMES if n in head), None)
    where = {field: next((head.index(n) for n in names if n in head), None) for field, names in _FIELDS.items()}
    if name is None or all(place is None for place in where.values()):
        return {}
    found = {}
    for row in rows[1:]:
        cells = {f: row[p].strip() if p is not None and p < len(row) else "" for f, p in where.items()}
        if name < len(row) and row[name].strip():
            found[key(row[name])] = LogEntry(
                scene=cells["scene"],
                number=cells["number"],
                circled=cells["circled"].lower() in _YES,
                characters=_list(cells["characters"]),
                tags=_list(cells["tags"]),
                comment=cells["comment"],
            )
    return found


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split(r"[,;|/]", cell) if part.strip())


def _fcpxml(text: str) -> dict[str, LogEntry]:
    """Return keywords, favourites and notes of the clips of an FCPXML."""
    if "<!ENTITY" in text:
        return {}
    try:
        root = ET.fromstring(text)  # noqa: S314 - see above
    except ET.ParseError:
        return {}
    sources = {a.get("id", ""): _source(a) for a in root.iter("asset")}
    found: dict[str, LogEntry] = {}
    for clip in (c for kind in ("asset-clip", "clip", "video") for c in root.iter(kind)):
        name = sources.get(clip.get("ref", ""), "") or clip.get("name", "")
        words = tuple(w for k in clip.findall("keyword") for w in _list(k.get("value", "")))
        liked = any(r.get("value") == "favorite" for r in clip.findall("rating"))
        note = next((n.text or "" for n in clip.findall("note")), "")
        if name and (words or liked or note):
            before = found.get(key(name), LogEntry())
            found[key(name)] = replace(
                before,
                tags=tuple(dict.fromkeys((*before.tags, *words))),
                circled=before.circled or liked,
                comment=before.comment or note,
            )
    return found


def _source(asset: ET.Element) -> str:
    source = asset.get("src", "")
    if not source:
        media = asset.find("media-rep")
        source = media.get("src", "") if media is not None else ""
    return source or asset.get("name", "")


def entry_for(path: str, logs: Mapping[str, LogEntry], folders: tuple[str, ...] = ()) -> LogEntry:
    """Return what `logs` say of the take at `path`; the names of its `folders` are its tags otherwise."""
    known = logs.get(key(path))
    if known is not None:
        return known if known.tags else replace(known, tags=folders)
    return LogEntry(tags=folders)
