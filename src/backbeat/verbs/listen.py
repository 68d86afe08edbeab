# SPDX-License-Identifier: Apache-2.0
"""``backbeat listen``: hear songs, once each, with what the user said of their beats."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import BackbeatError, InputError, MediaError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.song import Song
from backbeat.verbs.session import Session
from backbeat.work.cache import default_folder, fingerprint, key_of
from backbeat.work.output import check, placed
from backbeat.work.pool import each, open_pool

if TYPE_CHECKING:
    from backbeat.listen.corrections import Corrections

# What ``-o`` can write, by suffix.
PAPERS = (".beats", ".txt", ".csv", ".mid", ".png", ".wav", ".json")


def songs(
    paths: list[str], session: Session, *, tracker: str = "own", corrections: Corrections | None = None
) -> list[Song]:
    """Return what is heard in each song, in order; what was heard before comes from the cache.

    Corrections that were stored with a song's content are applied; what `corrections` gives goes over them.

    Raises
    ------
    BackbeatError
        If a file cannot be read, there is no such tracker, or a correction is out of range.
    """
    heard, failed = try_songs(paths, session, tracker=tracker, corrections=corrections)
    for path in paths:
        if path in failed:
            raise failed[path]
    return [heard[path] for path in paths]


def try_songs(
    paths: list[str], session: Session, *, tracker: str = "own", corrections: Corrections | None = None
) -> tuple[dict[str, Song], dict[str, Exception]]:
    """Return songs by path, and what went wrong by path; one broken song among many is not fatal."""
    from backbeat.listen.hear import VERSION

    heard: dict[str, Song] = {}
    failed: dict[str, Exception] = {}
    todo: list[tuple[str, Corrections, str]] = []
    for path in dict.fromkeys(paths):
        try:
            content = _content(path)
            said = over(stored(content), corrections)
        except BackbeatError as error:
            failed[path] = error
            continue
        key = key_of(content, "song", VERSION, tracker, to_plain(said))
        kept = _read(session.cache.get(key))
        if kept is None:
            todo.append((path, said, key))
        else:
            heard[path] = replace(kept, path=path)
    if todo:
        session.progress.start("listening", len(todo), "songs")
        with open_pool(session.workers if len(todo) > 1 else "1") as pool:
            for index, result in each(pool, partial(_hear, tracker), [(path, said) for path, said, _ in todo]):
                path, _, key = todo[index]
                if isinstance(result, Exception):
                    failed[path] = result
                else:
                    heard[path] = result
                    session.cache.put(key, to_plain(result))
                session.progress.advance()
        session.progress.stop()
    return heard, failed


def _hear(tracker: str, job: tuple[str, Corrections]) -> Song:
    from backbeat.listen.hear import hear

    return hear(job[0], tracker=tracker, corrections=job[1])


def _read(kept: object) -> Song | None:
    try:
        return None if kept is None else from_plain(Song, kept)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _content(path: str) -> str:
    try:
        return fingerprint(path)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "check the name") from error


# ---- corrections, kept apart from the cache: they are the user's work
def _shelf(content: str) -> Path:
    return default_folder() / "corrections" / f"{content}.json"


def stored(content: str) -> Corrections:
    """Return the corrections stored for a song's content, none if there are none that can be read."""
    from backbeat.listen.corrections import Corrections

    try:
        return from_plain(Corrections, json.loads(_shelf(content).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return Corrections()


def over(base: Corrections, given: Corrections | None) -> Corrections:
    """Return `base` with every field that `given` sets."""
    from backbeat.listen.corrections import Corrections

    if given is None:
        return base
    plain = Corrections()
    changed = {f.name: getattr(given, f.name) for f in fields(given)}
    return replace(base, **{name: value for name, value in changed.items() if value != getattr(plain, name)})


def remember(path: str, corrections: Corrections) -> None:
    """Store `corrections` with the content of `path`, over earlier ones.

    Raises
    ------
    InputError
        If a correction is out of range, or the store cannot be written.
    """
    from backbeat.listen.corrections import checked

    content = _content(path)
    said = checked(over(stored(content), corrections))
    shelf = _shelf(content)
    try:
        shelf.parent.mkdir(parents=True, exist_ok=True)
        with placed(str(shelf)) as temporary:
            Path(temporary).write_text(json.dumps(to_plain(said)), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{shelf}: cannot be written ({error.strerror})", "set BACKBEAT_CACHE to a folder") from error


def forget(path: str) -> None:
    """Drop what is stored with the content of `path`."""
    _shelf(_content(path)).unlink(missing_ok=True)


# ---- files
def names_for(paths: list[str], outputs: list[str], *, force: bool = False) -> dict[str, list[str]]:
    """Return the files to write for each song.

    With one song an output is a file. With several it is a suffix or a name whose suffix counts: ``-o .beats`` puts
    ``NAME.beats`` beside each song, ``-o folder/.mid`` puts them into a folder.

    Raises
    ------
    InputError
        If a file cannot be written there.
    """
    found: dict[str, list[str]] = {path: [] for path in paths}
    for output in outputs:
        target = Path(output)
        bare = target.name.startswith(".") and target.name.lower() in PAPERS
        if not bare and len(paths) > 1:
            raise InputError(
                f"{output}: one file for {len(paths)} songs", f"give a suffix such as {target.suffix or '.beats'}"
            )
        for path in paths:
            if bare:
                folder = target.parent if str(target.parent) != "." else Path(path).parent
                name = str(folder / f"{Path(path).stem}{target.name.lower()}")
            else:
                name = output
            check(name, force=force, inputs=paths, suffixes=PAPERS)
            if any(name in given for given in found.values()):
                raise InputError(f"{name}: two songs would be written there", "put the songs' files apart")
            found[path].append(name)
    return found


def write(song: Song, output: str) -> None:
    """Write what was heard as the suffix of `output` says (see `PAPERS`)."""
    from backbeat.exchange import grid

    suffix = Path(output).suffix.lower()
    with placed(output) as temporary:
        if suffix == ".beats":
            grid.write_text(grid.beats(song), temporary)
        elif suffix == ".txt":
            grid.write_text(grid.labels(song), temporary)
        elif suffix == ".csv":
            grid.write_text(grid.table(song), temporary)
        elif suffix == ".json":
            grid.write_text(json.dumps(as_json(song), ensure_ascii=False, indent=1) + "\n", temporary)
        elif suffix == ".mid":
            grid.write_midi(song, temporary)
        elif suffix == ".png":
            from backbeat.exchange.waveform import write_png
            from backbeat.media.samples import read_sound

            write_png(song, read_sound(song.path, rate=22_050, channels=1).samples[0], temporary)
        else:
            from backbeat.make.click import over as click_over
            from backbeat.media.samples import read_sound
            from backbeat.media.soundfile import write_sound

            sound = read_sound(song.path, rate=48_000, channels=2)
            write_sound(temporary, click_over(sound.samples, sound.rate, song.beats), sound.rate)


def as_json(song: Song) -> dict[str, object]:
    """Return the facts of `song` as plain values, with the tempo curve."""
    from backbeat.listen.tempo import curve

    facts = asdict(song)
    facts["tempo_curve"] = [{"time": round(t, 3), "bpm": round(bpm, 2)} for t, bpm in curve(song.beats)]
    return {key: to_plain(value) for key, value in facts.items()}
