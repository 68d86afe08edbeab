# SPDX-License-Identifier: Apache-2.0
"""What a sound file says of itself, and what papers beside it say of its rights."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from backbeat.model.song import Tags

RIGHTS = "rights.toml"  # a table for each file of its folder, "*" for all of them
_NAMES = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "performer"),
    "composer": ("composer",),
    "publisher": ("publisher", "label", "organization", "tpub"),
    "isrc": ("isrc", "tsrc"),
    "licence": ("license", "licence", "copyright", "wcop"),
}
_KEYWORDS = ("genre", "mood", "tmoo", "keywords", "comment", "description")
_SAID = {"performer": "artist", "license": "licence", "mood": "keywords", "tags": "keywords"}
_LONGEST = 500  # characters; a tag is a name, not a book
_LARGEST = 1_000_000  # bytes of a paper
_SPDX = re.compile(r"SPDX-License-Identifier:\s*(\S[^\n]*)")


def read_tags(path: str) -> Tags:
    """Return the tags of `path`, empty where there are none or the file cannot be read."""
    import av

    try:
        with av.open(path, metadata_errors="ignore") as box:
            # Ogg keeps its tags with the stream, most others with the container.
            said = {k.lower(): v for stream in box.streams.audio[:1] for k, v in stream.metadata.items()}
            said |= {k.lower(): v for k, v in box.metadata.items()}
    except (av.FFmpegError, OSError):
        return Tags()
    found = {}
    for field, names in _NAMES.items():
        value = next((said[n] for n in names if said.get(n)), "")
        found[field] = _clean(value)
    return Tags(**found, keywords=_clean(" ".join(str(said[n]) for n in _KEYWORDS if said.get(n))))


def read_rights(path: str) -> tuple[Tags, str]:
    """Return the tags of `path` under what is said beside it, and a sentence where a paper cannot be read ("" if none).

    ``rights.toml`` in its folder holds a table for each file name (``"*"``: all) with title, composer, publisher,
    performer, isrc, licence, keywords; ``NAME.license`` holds an SPDX line (REUSE) or the licence's name.
    """
    tags, note = read_tags(path), ""
    place = Path(path)
    if licence := _licence_beside(place):
        tags = replace(tags, licence=licence)
    try:
        text = _text(place.with_name(RIGHTS))
        table = tomllib.loads(text) if text else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        table, note = {}, f"{place.with_name(RIGHTS)}: cannot be read ({error})"
    known = {f.name for f in fields(Tags)}
    for name in ("*", place.stem, place.name):
        said: Any = table.get(name)
        if not isinstance(said, dict):
            continue
        given = {_SAID.get(k.lower(), k.lower()): _clean(_joined(v)) for k, v in said.items()}
        tags = replace(tags, **{k: v for k, v in given.items() if k in known and v})
    return tags, note


def _licence_beside(place: Path) -> str:
    for beside in (place.with_name(place.name + ".license"), place.with_suffix(".license")):
        try:
            text = _text(beside)
        except UnicodeDecodeError:
            continue
        if text:
            named = _SPDX.search(text)
            return _clean(named[1] if named else text.strip().splitlines()[0] if text.strip() else "")
    return ""


def _text(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8") if place.stat().st_size < _LARGEST else ""
    except OSError:
        return ""


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _clean(value: object) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())[:_LONGEST]
