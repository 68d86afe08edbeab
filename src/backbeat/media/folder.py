# SPDX-License-Identifier: Apache-2.0
"""Find footage and songs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from backbeat.media.box import STILLS

_RUN = 12

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

    A file named outright is always taken. Where footage is wanted (`VIDEO`), twelve and more numbered stills in one
    folder count as one take, named by their pattern (``shot_%04d.png``).
    """
    found: dict[str, None] = {}
    for place in places:
        path = Path(place)
        if path.is_dir():
            for folder, names in _walk(path):
                children = [n for n in names if Path(n).suffix.lower() in suffixes]
                found |= dict.fromkeys(str(folder / name) for name in children)
                if suffixes is VIDEO:
                    found |= dict.fromkeys(str(folder / name) for name in _sequences(names))
        else:
            found[str(path)] = None
    return list(found)


def _walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder under `root` and the names of its files, both in order; hidden ones are passed over."""
    for folder, below, names in os.walk(root, onerror=lambda _: None):
        below[:] = sorted(b for b in below if not b.startswith("."))
        yield Path(folder), sorted(n for n in names if not n.startswith("."))


def _sequences(names: list[str]) -> list[str]:
    """Return the patterns of numbered stills among `names`."""
    runs: dict[str, int] = {}
    for name in names:
        mark = re.fullmatch(r"(.*?)(\d{3,})(\.[A-Za-z0-9]+)", name)
        if mark and mark[3].lower() in STILLS and "%" not in mark[1]:
            pattern = f"{mark[1]}%0{len(mark[2])}d{mark[3]}"
            runs[pattern] = runs.get(pattern, 0) + 1
    return sorted(p for p, n in runs.items() if n >= _RUN)
