# SPDX-License-Identifier: Apache-2.0
"""``film.toml`` read: every mistake in it is told with its line and what was probably meant."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backbeat.errors import InputError
from backbeat.model.project import CHOOSE, JOINS, MODES, Fixed, Leitmotif, Project, ScenePlan
from backbeat.model.time import parse_clock, parse_rate

ORDERS = ("free", "name", "time", "story")
DELIVERIES = ("streaming", "broadcast", "cinema")
FILMS = (".mp4", ".mov", ".m4v", ".mkv")

Kind = str | tuple[str, ...]
# What each table may hold, and of which kind (see `_Table`).
FILM: dict[str, Kind] = {
    "name": "text", "output": "text", "rate": "rate", "size": "size", "style": "style", "length": "seconds",
    "loudness": DELIVERIES, "join": JOINS, "songs": "places", "forbid": "texts", "stems": "switch", "seed": "whole",
}  # fmt: skip
SCENE: dict[str, Kind] = {
    "name": "text", "footage": "places", "edit": "file", "mode": MODES, "song": "song", "song_in": "seconds",
    "order": ORDERS, "mood": "texts", "style": "style", "length": "length", "characters": "texts", "tags": "texts",
    "title": "text", "caption": "text", "end": "text", "dialogue": "switch", "subtitles": "file", "join": JOINS,
    "reuse": "switch", "forbid": "texts", "takes_out": "texts", "media": "places",
}  # fmt: skip
CHARACTER: dict[str, Kind] = {"theme": "file", "start": "seconds"}
LOCK: dict[str, Kind] = {"scene": "text", "at": "seconds", "length": "seconds", "take": "text", "source": "seconds"}
TABLES = ("film", "scene", "characters", "lock")


def read(path: str) -> Project:
    """Read a project file. Paths in it are relative to its folder.

    Raises
    ------
    InputError
        If it cannot be read, is no TOML, has an unknown key or a value that does not fit, or names a file that is not
        there. The message begins with the file and the line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise InputError(f"{path}: that is a folder", f"backbeat init {path} writes a film.toml for it") from None
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", "backbeat init FOLDER writes one for a folder of footage") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error})", "save it as plain text (UTF-8)") from error
    return parse(text, path)


def parse(text: str, path: str) -> Project:
    """Read a project from TOML `text`; `path` names it in errors and is where its paths begin. See `read`."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(*_no_toml(str(error), path)) from None
    page = _Page(path, _lines(text))
    page.known(plain, TABLES, "")
    head = page.table(plain.get("film", {}), "film", "[film]")
    scenes, locks = page.tables(plain, "scene"), page.tables(plain, "lock")
    if not scenes:
        raise InputError(f"{path}: no scene in it", 'add [[scene]] with footage = "folder"')
    film = head.read(FILM)
    themes = []
    people = page.table(plain.get("characters", {}), "characters", "[characters.NAME]").plain
    for who, said in people.items():
        table = page.table(said, f"characters.{who}", f"[characters.{who}]")
        told = table.read(CHARACTER)
        if "theme" in told:
            themes.append(Leitmotif(who, told["theme"], told.get("start")))
    plans = []
    for i, scene in enumerate(scenes):
        table = page.table(scene, f"scene.{i}", "[[scene]]")
        plans.append(_scene(table, i + 1))
    page.distinct(plans)
    for i, lock in enumerate(locks):
        plans = _locked(page.table(lock, f"lock.{i}", "[[lock]]"), plans)
    return Project(
        path=path,
        name=film.pop("name", Path(path).stem),
        output=page.path_of(film.pop("output", f"{Path(path).stem}.mp4")),
        scenes=tuple(plans),
        themes=tuple(themes),
        **film,
    )


def _scene(table: _Table, number: int) -> ScenePlan:
    said = table.read(SCENE)
    said.setdefault("name", f"scene {number}")
    name = said["name"]
    if "edit" in said and "footage" in said:
        raise table.wrong("edit", f"{name} has both footage and an edit", "keep one of the two")
    if "edit" not in said and not said.get("footage"):
        raise table.wrong("", f"{name} has neither footage nor an edit", 'add footage = "folder", or edit = "cut.otio"')
    mode = said.setdefault("mode", "sync" if "edit" in said else "cut")
    if (mode == "cut") == ("edit" in said):
        what = "is cut from footage" if mode == "cut" else "needs an edit"
        raise table.wrong("mode", f"{name}: mode {mode!r} {what}", "use cut with footage, sync or score with an edit")
    wrong = (
        ("order", "style", "reuse", "takes_out", "length", "title", "end") if mode != "cut" else ("subtitles", "media")
    )
    what = "cut from footage" if mode != "cut" else "edited already"
    for key in wrong:
        if key in said:
            raise table.wrong(key, f"{name}: {key} is for scenes that are {what}", "leave it out")
    return ScenePlan(**said, line=table.line(""))


def _locked(table: _Table, plans: list[ScenePlan]) -> list[ScenePlan]:
    """Return `plans` with the lock that `table` describes in its scene."""
    said = table.read(LOCK)
    names = [p.name for p in plans]
    name = said.pop("scene", names[0] if len(names) == 1 else "")
    if name not in names:
        near = difflib.get_close_matches(name, names, 1, 0.5)
        what = f"no scene called {name!r}" if name else "a lock without a scene"
        raise table.wrong("scene", what, f'write scene = "{(near or names)[0]}"')
    if "at" not in said:
        raise table.wrong("", "a lock without a place", 'write at = "0:12", counted from the start of its scene')
    if ("take" in said) != bool(said.get("length")) or ("source" in said and "take" not in said):
        raise table.wrong("take", "a locked clip has a take and a length; a locked cut has neither", "add or leave out")
    fixed = Fixed(**said, line=table.line(""))
    if plans[names.index(name)].mode != "cut":
        raise table.wrong("scene", f"{name} is edited already: only scenes cut from footage have locks", "leave it out")
    return [replace(p, locks=(*p.locks, fixed)) if p.name == name else p for p in plans]


def _no_toml(error: str, path: str) -> tuple[str, str]:
    match = re.search(r"\(at line (\d+), column (\d+)\)", error)
    where = f"{path}:{match[1]}" if match else path
    what = re.sub(r"\s*\(at [^)]*\)", "", error)
    hint = "texts stand in quotes, lists in [ ], and every key once"
    if "scene" in what:
        hint = "every scene begins with [[scene]], in two brackets"
    return f"{where}: not TOML ({what[:1].lower() + what[1:]})", hint


def _lines(text: str) -> dict[str, int]:
    """Return the line of every table and key: ``film``, ``film.rate``, ``scene.0``, ``scene.0.footage``, ``lock.0``.

    Good enough for messages: a key inside a text of several lines may be taken for one.
    """
    found: dict[str, int] = {}
    table, count = "", {"scene": -1, "lock": -1}
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$", line):
            table = _bare(head[1])
            if table in count:
                count[table] += 1
                table = f"{table}.{count[table]}"
            found.setdefault(table, number)
        elif key := re.match(r"\s*([\w\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=", line):
            name = _bare(key[1])
            found.setdefault(f"{table}.{name}" if table else name, number)
    return found


def _bare(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


@dataclass(frozen=True, slots=True)
class _Page:
    """The file: its path and where its keys stand."""

    path: str
    lines: Mapping[str, int]

    def line(self, key: str) -> int:
        while key:
            if key in self.lines:
                return self.lines[key]
            key = key.rpartition(".")[0]
        return 0

    def wrong(self, key: str, what: str, hint: str) -> InputError:
        line = self.line(key)
        return InputError(f"{self.path}:{line}: {what}" if line else f"{self.path}: {what}", hint)

    def table(self, plain: Any, key: str, name: str) -> _Table:
        if not isinstance(plain, dict):
            raise self.wrong(key, f"{key.partition('.')[0]} is a table", f"write {name} on a line of its own")
        return _Table(self, key, plain)

    def tables(self, plain: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        found = plain.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(key, f"a {key} is written [[{key}]], with two brackets", f"write [[{key}]]")
        return found

    def known(self, plain: Mapping[str, Any], names: tuple[str, ...], table: str) -> None:
        for key in plain:
            if key in names:
                continue
            near = difflib.get_close_matches(key, names, 1, 0.5)
            elsewhere = [t for t, keys in (("[film]", FILM), ("[[scene]]", SCENE)) if key in keys]
            hint = f"use one of {', '.join(names)}"
            if elsewhere:
                hint = f"{key} belongs under {elsewhere[0]}"
            elif near:
                hint = f"did you mean {near[0]!r}?"
            raise self.wrong(f"{table}.{key}" if table else key, f"unknown key {key!r}", hint)

    def path_of(self, name: str) -> str:
        return str(Path(self.path).parent / Path(name).expanduser())

    def distinct(self, plans: list[ScenePlan]) -> None:
        seen: set[str] = set()
        for i, plan in enumerate(plans):
            if plan.name in seen:
                raise self.wrong(f"scene.{i}.name", f"two scenes are called {plan.name!r}", "give each its own name")
            seen.add(plan.name)


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file, read key by key."""

    page: _Page
    key: str
    plain: Mapping[str, Any]

    def line(self, key: str) -> int:
        return self.page.line(f"{self.key}.{key}" if key else self.key)

    def wrong(self, key: str, what: str, hint: str) -> InputError:
        return self.page.wrong(f"{self.key}.{key}" if key else self.key, what, hint)

    def read(self, kinds: Mapping[str, Kind]) -> dict[str, Any]:
        self.page.known(self.plain, tuple(kinds), self.key)
        return {key: self.value(key, value, kinds[key]) for key, value in self.plain.items()}

    def value(self, key: str, value: Any, kind: Kind) -> Any:
        if isinstance(kind, tuple):
            return self._choice(key, value, kind)
        return getattr(self, f"_{kind}")(key, value)

    def _choice(self, key: str, value: Any, known: tuple[str, ...]) -> str:
        if value in known:
            return str(value)
        near = difflib.get_close_matches(str(value), known, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"use {', '.join(known)}"
        raise self.wrong(key, f"{key} = {value!r}: no such choice", hint)

    def _text(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, f"{key} is a text, not {_kind(value)}", f'write {key} = "…"')
        return value

    def _texts(self, key: str, value: Any) -> tuple[str, ...]:
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise self.wrong(key, f"{key} is a text or a list of texts", f'write {key} = ["…", "…"]')
        return tuple(values)

    def _switch(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, f"{key} is true or false, not {_kind(value)}", f"write {key} = true")
        return value

    def _whole(self, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, f"{key} is a whole number, not {_kind(value)}", f"write {key} = 0")
        return value

    def _file(self, key: str, value: Any) -> str:
        path = self.page.path_of(self._text(key, value))
        if not Path(path).is_file():
            there = Path(path).is_dir()
            raise self.wrong(
                key, f"{key} = {value!r}: {'that is a folder' if there else 'no such file'}", _near(path) or "check it"
            )
        return path

    def _places(self, key: str, value: Any) -> tuple[str, ...]:
        paths = tuple(self.page.path_of(v) for v in self._texts(key, value))
        for path, said in zip(paths, self._texts(key, value), strict=True):
            if not Path(path).exists() and "%" not in Path(path).name:
                raise self.wrong(key, f"{key} = {said!r}: no such file or folder", _near(path) or "check the name")
        return paths

    def _song(self, key: str, value: Any) -> str:
        return CHOOSE if value in {CHOOSE, ""} else self._file(key, value)

    def _seconds(self, key: str, value: Any) -> float:
        try:
            seconds = parse_clock(value) if isinstance(value, str) else float(value)
            if isinstance(value, bool) or not 0 <= seconds <= 24 * 3600:
                raise ValueError(value)
        except (ValueError, TypeError):
            raise self.wrong(key, f"{key} = {value!r}: not a time", f'write {key} = 95, or {key} = "1:35"') from None
        return seconds

    def _length(self, key: str, value: Any) -> str | float:
        if value in {"auto", "song"}:
            return str(value)
        seconds = self._seconds(key, value)
        if seconds < 1:
            raise self.wrong(key, f"{key} = {value!r}: too short for a scene", "give a second or more")
        return seconds

    def _style(self, key: str, value: Any) -> str:
        name = self._text(key, value)
        return self._file(key, value) if name.endswith(".toml") else name

    def _rate(self, key: str, value: Any) -> str:
        try:
            rate = parse_rate(str(value))
            if isinstance(value, bool) or not 5 <= rate <= 240:
                raise ValueError(value)
        except (ValueError, ZeroDivisionError):
            raise self.wrong(
                key, f"{key} = {value!r}: not a frame rate", 'write 24, "23.976" or "30000/1001"'
            ) from None
        return str(value)

    def _size(self, key: str, value: Any) -> str:
        match = re.fullmatch(r"(\d+)x(\d+)", value.lower()) if isinstance(value, str) else None
        if not match or not all(16 <= int(n) <= 8192 for n in match.groups()):
            raise self.wrong(key, f"{key} = {value!r}: not a size", f'write {key} = "1920x1080"')
        return str(value)


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def _near(path: str) -> str:
    """Return a hint at the file that was probably meant, "" where none is near."""
    target = Path(path)
    try:
        names = [p.name for p in target.parent.iterdir()]
    except OSError:
        return f"there is no folder {target.parent}"
    near = difflib.get_close_matches(target.name, names, 1)
    return f"did you mean {near[0]!r}?" if near else ""
