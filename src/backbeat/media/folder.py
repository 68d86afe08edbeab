# SPDX-License-Identifier: Apache-2.0
"""Find footage and songs."""

from __future__ import annotations

from pathlib import Path

VIDEO = frozenset(
    [
        ".mp4",
        ".mov",
        ".m4v",
        ".mkv",
        ".webm",
        ".avi",
        ".mts",
        ".m2ts",
        ".ts",
        ".mxf",
        ".mpg",
        ".mpeg",
        ".wmv",
        ".flv",
        ".3gp",
        ".ogv",
        ".dv",
        ".vob",
        ".insv",
        ".360",
        ".gif",
    ]
)
SOUND = frozenset(
    [
        ".mp3",
        ".wav",
        ".flac",
        ".ogg",
        ".opus",
        ".m4a",
        ".aac",
        ".aif",
        ".aiff",
        ".wma",
        ".mka",
        ".ac3",
        ".oga",
        ".caf",
        ".alac",
        ".w64",
    ]
)


def find(places: list[str], suffixes: frozenset[str]) -> list[str]:
    """Return the files under `places` with one of `suffixes`, in a stable order.

    A file named outright is always taken.
    """
    found: dict[str, None] = {}
    for place in places:
        path = Path(place)
        if path.is_dir():
            for child in sorted(path.rglob("*")):
                if child.is_file() and child.suffix.lower() in suffixes and not child.name.startswith("."):
                    found[str(child)] = None
        else:
            found[str(path)] = None
    return list(found)
