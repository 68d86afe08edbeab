# SPDX-License-Identifier: Apache-2.0
"""``init``: a commented film.toml from a folder tree, a folder per scene."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import InputError

SONGS = ("songs", "song", "music", "musik", "musique", "tracks", "score", "soundtrack", "audio")


@dataclass(frozen=True, slots=True)
class Begun:
    """The file written, its scenes (name, videos), its songs, and what the editor should know."""

    path: str
    scenes: tuple[tuple[str, int], ...]
    songs: int
    notes: tuple[str, ...] = ()


def init(folder: str, *, force: bool = False, name: str = "film.toml") -> Begun:
    """Write ``film.toml`` into `folder`: every folder in it with footage becomes a scene, in order of their names.

    The folder of songs is told by its name, or by holding songs and no footage. A scene's folder with one song in it
    names that song. Footage that lies in `folder` itself makes one scene where no folder holds any.

    Raises
    ------
    InputError
        If there is no such folder, no footage in it, or the file is there already and `force` is not given.
    """
    from backbeat.exchange.project_text import FoundScene, text
    from backbeat.media.folder import SOUND, VIDEO, find
    from backbeat.work import output

    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{folder}: no such folder", "give the folder in which the footage lies")
    path = str(root / name)
    output.check(path, force=force)
    inside = sorted((p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")), key=_natural)
    held = {p: (len(find([str(p)], VIDEO)), find([str(p)], SOUND)) for p in inside}
    library = _library(held)
    scenes, notes = [], []
    for place, (videos, songs) in held.items():
        if place == library or not videos:
            continue
        song = Path(songs[0]).relative_to(root).as_posix() if len(songs) == 1 else ""
        scenes.append(FoundScene(place.name, place.name, videos, song))
    loose = [p for p in root.iterdir() if p.is_file() and p.suffix.lower() in VIDEO and p.name != "film.mp4"]
    if not scenes and loose:
        scenes.append(FoundScene(root.resolve().name or "film", ".", len(loose)))
    elif loose:
        notes.append(f"{len(loose)} videos beside the folders are in no scene")
    if not scenes:
        raise InputError(f"{folder}: no footage in it", "put the videos of each scene into a folder of its own")
    songs_at, count = _songs(root, library, held, SOUND)
    if not count and not any(s.song for s in scenes):
        notes.append(f"no song was found; put songs into {root / 'songs'} and take the # off songs = … in the file")
    with output.placed(path) as temporary:
        written = text(root.resolve().name or "film", name, scenes, songs_at, count)
        Path(temporary).write_text(written, encoding="utf-8")
    return Begun(path, tuple((s.name, s.videos) for s in scenes), count, tuple(notes))


def _library(held: dict[Path, tuple[int, list[str]]]) -> Path | None:
    """Return the folder of songs: one that is called so, else the one with the most songs and no footage."""
    named = [p for p, (_, songs) in held.items() if songs and p.name.lower() in SONGS]
    only = [p for p, (videos, songs) in held.items() if songs and not videos]
    return max(named or only, key=lambda p: len(held[p][1]), default=None)


def _songs(
    root: Path, library: Path | None, held: dict[Path, tuple[int, list[str]]], kinds: frozenset[str]
) -> tuple[str, int]:
    """Return where the songs lie, relative to `root`, and how many there are."""
    if library is not None:
        return library.name, len(held[library][1])
    loose = sorted(p.name for p in root.iterdir() if p.is_file() and p.suffix.lower() in kinds)
    # songs that lie about: the whole folder is looked through
    return (".", len(loose)) if loose else ("", 0)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Return a key that sorts scene 2 before scene 10."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts]
