# SPDX-License-Identifier: Apache-2.0
"""The songs that a film may be scored with: heard once, with their rights and the brightness of their sound."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backbeat.errors import BackbeatError, InputError, NoEditError
from backbeat.model.song import Song
from backbeat.model.time import parse_clock
from backbeat.verbs.session import Session


@dataclass(frozen=True, slots=True)
class Theme:
    """The song of a character; `start` is the second of the song at which the passage meant begins, None: anywhere."""

    character: str
    song: str
    start: float | None = None


def parse_theme(text: str) -> Theme:
    """Read ``Anna=song.mp3`` or ``Anna=song.mp3@1:05`` (the passage from there).

    Raises
    ------
    InputError
        If it is neither.
    """
    who, equals, song = (part.strip() for part in text.partition("="))
    song, start = theme_song(song)
    if not equals or not who or not song:
        raise InputError(f"--theme {text}: not a theme", "give NAME=song.mp3, or NAME=song.mp3@1:05 for a passage")
    return Theme(who, song, start)


def theme_song(text: str) -> tuple[str, float | None]:
    """Split ``song.mp3@1:05`` in the song and the second at which its passage begins (None: not said)."""
    song, at, time = text.rpartition("@")
    if not at:
        return text, None
    try:
        return song, parse_clock(time)
    except ValueError:
        return text, None  # an @ in the name


def library_of(
    places: Sequence[str], session: Session, *, also: Sequence[str] = ()
) -> tuple[list[Song], tuple[str, ...]]:
    """Return the songs that can be used, and sentences on those that cannot.

    Parameters
    ----------
    places
        Song files, or folders of them.
    session
        Cache, workers, progress.
    also
        Files that are songs of the library too (what the editor pinned by path).

    Raises
    ------
    InputError
        If a place does not exist, or there is no song in any.
    """
    from backbeat.media.folder import SOUND, find
    from backbeat.media.tags import read_rights
    from backbeat.verbs.listen import try_songs

    for place in places:
        if not Path(place).exists():
            raise InputError(f"{place}: no such songs", "give song files, or a folder of them")
    paths = list(dict.fromkeys([*find(list(places), SOUND), *also]))
    heard, failed = try_songs(paths, session)
    notes = [f"left out: {e.message if isinstance(e, BackbeatError) else f'{p}: {e}'}" for p, e in failed.items()]
    found = []
    for path in paths:
        song = heard.get(path)
        if song is None:
            continue
        if song.loudness <= -60:
            notes.append(f"left out: {path}: it is silent")
            continue
        tags, wrong = read_rights(path)
        notes += [wrong] if wrong else []
        found.append(with_character(replace(song, tags=tags), session))
    if not found:
        raise InputError(
            f"{', '.join(places) or 'no songs given'}: no song in it that can be used",
            notes[0] if notes else "give --songs DIR or files",
        )
    return found, tuple(dict.fromkeys(notes))


def with_character(song: Song, session: Session) -> Song:
    """Return `song` with its brightness and its intensity beside other songs; unchanged where it cannot be read."""
    from backbeat.errors import MediaError
    from backbeat.listen.character import RATE, VERSION, Character, character
    from backbeat.media.samples import read_sound
    from backbeat.model.codec import from_plain, to_plain
    from backbeat.work.cache import fingerprint, key_of

    try:
        key = key_of(fingerprint(song.path), "character", VERSION, round(song.loudness, 1))
        kept = session.cache.get(key)
        if isinstance(kept, dict) and set(kept) == {"brightness", "intensity"}:
            made = from_plain(Character, kept)
        else:
            made = character(read_sound(song.path, rate=RATE, channels=1).samples[0], song.loudness)
            session.cache.put(key, to_plain(made))
    except (OSError, MediaError):
        return song
    return replace(song, brightness=made.brightness, intensity=made.intensity)


def named(name: str, library: Sequence[Song], option: str) -> str:
    """Return the path of the song that the editor means.

    Raises
    ------
    InputError
        If there is none; a near name is told.
    """
    if not name:
        return ""
    for song in library:
        if name in {song.path, Path(song.path).name, Path(song.path).stem}:
            return song.path
    near = difflib.get_close_matches(name, [Path(s.path).name for s in library], 1)
    hint = f"did you mean {near[0]!r}?" if near else "give it with --songs too"
    raise InputError(f"{option} {name}: no such song in the library", hint)


def themes_of(themes: Sequence[Theme], library: Sequence[Song]) -> tuple[Theme, ...]:
    """Return `themes` with the paths of their songs.

    Raises
    ------
    InputError
        If a song is not in the library, or a character has two themes.
    NoEditError
        If a passage begins after the song's end.
    """
    out: list[Theme] = []
    lengths = {s.path: s.duration for s in library}
    for theme in themes:
        path = named(theme.song, library, f"theme of {theme.character}:")
        if theme.start is not None and theme.start > lengths[path] - 8:
            raise NoEditError(
                f"theme of {theme.character}: {Path(path).name} lasts {lengths[path]:.0f} s",
                "let the passage begin at least 8 s before its end",
            )
        if any(t.character.casefold() == theme.character.casefold() for t in out):
            raise InputError(f"theme of {theme.character}: given twice", "give each character one theme")
        out.append(replace(theme, song=path))
    return tuple(out)
