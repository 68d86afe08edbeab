# SPDX-License-Identifier: Apache-2.0
"""Find media again: by name, and by as much of its folders as still holds."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from backbeat.exchange.relocate import moved, paths_of
from backbeat.media.box import is_sequence
from backbeat.model.timeline import Timeline


def relinked(timeline: Timeline, roots: Iterable[str] = ()) -> tuple[Timeline, tuple[str, ...]]:
    """Return `timeline` with its missing media found under `roots`, and what is still missing.

    A file is known by its name, whatever its case and Unicode form; without a suffix (reel and clip names of lists) by
    its stem. Of several, the one wins whose folders agree furthest up; where two agree equally, neither is taken.
    """
    lost = [p for p in paths_of(timeline) if not Path(p).is_file() and not is_sequence(p)]
    if not lost:
        return timeline, ()
    index = _index(roots)
    found = {p: place for p in lost if (place := _find(p, index))}
    return moved(timeline, lambda p: found.get(p, p)), tuple(p for p in lost if p not in found)


def _index(roots: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
    """Return folded name, and folded stem, to the parts of every file of that name under `roots`."""
    index: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for root in roots:
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(files):
                if not name.startswith("."):
                    parts = Path(folder, name).parts
                    index[_fold(name)].append(parts)
                    index[_fold(name.rsplit(".", 1)[0])].append(parts)
    return index


def _find(path: str, index: dict[str, list[tuple[str, ...]]]) -> str:
    wanted = path.replace("\\", "/").split("/")
    places = list(dict.fromkeys(index.get(_fold(wanted[-1]), ())))
    if not places:
        return ""
    scores = [_agree(wanted, place) for place in places]
    best = max(scores)
    winners = [p for p, s in zip(places, scores, strict=True) if s == best]
    return str(Path(*winners[0])) if len(winners) == 1 else ""


def _agree(wanted: list[str], place: tuple[str, ...]) -> int:
    """Return how many folders above the file agree."""
    count = 0
    for a, b in zip(wanted[-2::-1], place[-2::-1], strict=False):
        if _fold(a) != _fold(b):
            break
        count += 1
    return count


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
