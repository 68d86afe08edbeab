# SPDX-License-Identifier: Apache-2.0
"""A film as its editor asks for it: what stands in ``film.toml``. Lengths are seconds; paths are those of the disk."""

from __future__ import annotations

from dataclasses import dataclass

MODES = ("cut", "sync", "score")
JOINS = ("auto", "cut", "ring-out", "echo-out", "blend", "breath")
CHOOSE = "choose"


@dataclass(frozen=True, slots=True)
class Fixed:
    """What the editor fixes in a scene, in seconds of it.

    `take` (a file's name) stands from `at` on for `length`, from its second `source` on; without a take a cut falls at
    `at`. `line` is where it is written in the file.
    """

    at: float
    length: float = 0.0
    take: str = ""
    source: float = 0.0
    line: int = 0


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """One scene as asked for.

    `mode`: cut (a montage of `footage`), sync (the edit `edit` moved onto its song) or score (that edit untouched).
    `song` is a file, or ``choose``; `song_in` seconds into it, None = a downbeat of its beginning. `length` is auto,
    song or seconds. `title` is a card before the scene, `end` one after it, `caption` a lower third over its first
    pictures. `join` is how its song hands over to the next one. `dialogue`: its own sound is heard in full, and speech
    is never cut (None: in an edit, not in a montage). `takes_out` are takes not to use. `media` is where the edit's
    files may have gone. `locks` are what the editor has fixed. `line` is where the scene begins in the file.
    """

    name: str
    footage: tuple[str, ...] = ()
    edit: str = ""
    mode: str = "cut"
    song: str = CHOOSE
    song_in: float | None = None
    order: str = ""
    mood: tuple[str, ...] = ()
    style: str = ""
    length: str | float = "auto"
    characters: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    subtitles: str = ""
    title: str = ""
    caption: str = ""
    end: str = ""
    dialogue: bool | None = None
    join: str = "auto"
    reuse: bool = False
    forbid: tuple[str, ...] = ()
    takes_out: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    locks: tuple[Fixed, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Leitmotif:
    """The song of a character; `start` is the second of it at which the passage meant begins, None: anywhere."""

    character: str
    song: str
    start: float | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A film of several scenes.

    `output` is the film to write; `rate` and `size` "" follow the footage; `length` is the run-time of the whole film
    (s), None where each scene has what its material carries. `songs` are places to choose from, `forbid` songs not to
    use.
    """

    path: str
    name: str
    scenes: tuple[ScenePlan, ...]
    output: str
    rate: str = ""
    size: str = ""
    style: str = "wright"
    length: float | None = None
    loudness: str = "streaming"
    join: str = "auto"
    songs: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    themes: tuple[Leitmotif, ...] = ()
    stems: bool = False
    seed: int = 0
