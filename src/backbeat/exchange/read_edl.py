# SPDX-License-Identifier: Apache-2.0
"""Read CMX 3600 lists, of any program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from backbeat.errors import InputError
from backbeat.exchange.colours import KIND_COLOURS
from backbeat.exchange.pack import packed
from backbeat.exchange.sheet import Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.timecode import DROP_RATES, frame_of, nominal

_TC = r"(\d\d[:;.]\d\d[:;.]\d\d[:;.,]\d\d)"
_EVENT = re.compile(
    rf"^(\d+)\s+(\S+)\s+(\S+)\s+(C|D|W\d*|K\S*)(?:\s+[BO])?\s+(?:(\d+)\s+)?{_TC}\s+{_TC}\s+{_TC}\s+{_TC}", re.ASCII
)
_SPEED = re.compile(rf"^M2\s+(\S+)\s+(-?[\d.]+)\s+{_TC}", re.ASCII)
_NOTE = re.compile(r"^\*\s*([A-Z ]+?)\s*(?:IS)?:\s*(.*)$")
_LOC = re.compile(rf"^{_TC}\s+(\S+)\s*(.*)$")


@dataclass
class _Row:
    """One event line and what is noted beneath it."""

    reel: str
    channel: str
    change: str
    length: int
    times: tuple[str, str, str, str]
    speeds: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> bool:
        return "V" in self.channel or self.channel == "B"

    @property
    def heard(self) -> bool:
        return "A" in self.channel or self.channel == "B"


def read_edl(path: Path, rate: Fraction | None = None) -> Sheet:
    """Return the list at `path`; an EDL names no rate, so `rate` says it, else the frame numbers betray it.

    Raises
    ------
    InputError
        If it holds no event, or a timecode that does not exist at `rate`.
    """
    try:
        words = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "check the name") from error
    rows, title, drop, marks = _rows(words)
    if not rows:
        raise InputError(f"{path}: no events in it", "give a CMX 3600 edit decision list")
    rate = rate or _betrayed(rows, drop=drop)
    drop = drop and rate in DROP_RATES
    count = _Counter(path, rate, drop=drop)
    start = count.hour(min(count.frame(r.times[2]) for r in rows))
    pictures, sounds, dissolves = _events(rows, count, start)
    lanes = [Lane("picture", tuple(sorted(pictures, key=lambda e: e.start)), dissolves=tuple(dissolves))]
    lanes += [Lane("sound", tuple(row)) for row in packed(sounds)]
    lanes = [lane for lane in lanes if lane.events]
    end = max((e.end for lane in lanes for e in lane.events), default=0)
    places = [(count.frame(t) - start, colour, name) for t, colour, name in marks]
    told = tuple(Mark(at, 0, name, "note", colour, at / rate) for at, colour, name in places)
    return Sheet(title or path.stem, rate, 1920, 1080, end, tuple(lanes), told, start=start, drop=drop)


@dataclass(frozen=True)
class _Counter:
    """Timecode of one list."""

    path: Path
    rate: Fraction
    drop: bool

    def frame(self, label: str) -> int:
        try:
            return frame_of(label, self.rate, drop=self.drop)
        except ValueError as error:
            raise InputError(
                f"{self.path}: {label} does not exist at {float(self.rate):.6g} frames a second",
                "give --rate, as 25 or 29.97",
            ) from error

    def hour(self, first: int) -> int:
        """Return the hour in which `first` lies: lists begin at one, though not always with their first event."""
        hour = self.frame("01:00:00:00")
        return first // hour * hour


def _events(rows: list[_Row], count: _Counter, start: int) -> tuple[list[Event], list[Event], list[Dissolve]]:
    rate = count.rate
    pictures: list[Event] = []
    sounds: list[Event] = []
    dissolves: list[Dissolve] = []
    files: dict[str, Source] = {}
    for row in rows:
        into, first, last = (count.frame(row.times[i]) for i in (0, 2, 3))
        if row.reel == "BL" and row.change == "D" and pictures and pictures[-1].end == first - start:
            dissolves.append(_to_black(row, pictures, sounds, last - first))
        if last <= first or row.reel == "BL":
            continue
        speed = Fraction(str(row.speeds.get(row.reel, nominal(rate)))) / nominal(rate)
        source, note = _source(row, rate, files), row.notes.get("COMMENT", "")
        event = Event(first - start, last - first, source, into / rate, speed, name=_name(row), note=note)
        if row.change == "D" and row.length and first == start:  # from black
            dissolves.append(Dissolve(0, 0, row.length))
        elif row.change == "D" and row.length:
            event, dissolve = _after(event, row.length, rate)
            touched = sounds if not row.seen else pictures
            if touched and touched[-1].end == dissolve.at - dissolve.before:
                touched[-1] = replace(touched[-1], frames=touched[-1].frames + dissolve.before)
                if touched is pictures and row.heard and sounds and sounds[-1].end == touched[-1].end - dissolve.before:
                    sounds[-1] = replace(sounds[-1], frames=sounds[-1].frames + dissolve.before)
            if row.seen:
                dissolves.append(dissolve)
        if row.seen:
            pictures.append(event)
        if row.heard:
            sounds.append(event)
    return pictures, sounds, dissolves


def _to_black(row: _Row, pictures: list[Event], sounds: list[Event], length: int) -> Dissolve:
    """Lengthen the last event by the fade that follows it, and return that."""
    for lane in (pictures, sounds):
        if lane and (lane is pictures or row.heard):
            lane[-1] = replace(lane[-1], frames=lane[-1].frames + length)
    return Dissolve(pictures[-1].end, length, 0)


def _after(event: Event, length: int, rate: Fraction) -> tuple[Event, Dissolve]:
    """Return an event and its dissolve; a list tells no cut inside it, so that is taken to be in the middle."""
    before = length // 2
    moved = replace(
        event, start=event.start + before, frames=event.frames - before, into=event.into + before / rate * event.speed
    )
    return moved, Dissolve(moved.start, before, length - before)


def _rows(words: str) -> tuple[list[_Row], str, bool, list[tuple[str, str, str]]]:
    rows: list[_Row] = []
    title, drop = "", False
    marks: list[tuple[str, str, str]] = []
    for line in words.splitlines():
        stripped = line.strip()
        if stripped.startswith("TITLE:"):
            title = stripped[6:].strip()
        elif stripped.startswith("FCM:"):
            drop = "NON" not in stripped.upper()
        elif match := _EVENT.match(stripped):
            times = (match[6], match[7], match[8], match[9])
            rows.append(_Row(match[2], match[3], match[4][:1], int(match[5] or 0), times))
        elif (match := _SPEED.match(stripped)) and rows:
            for row in rows[-2:]:
                if row.reel == match[1]:
                    row.speeds[match[1]] = float(match[2])
        elif (match := _NOTE.match(stripped)) and rows:
            if match[1] == "LOC":
                if found := _LOC.match(match[2]):
                    colour = found[2].upper()
                    marks.append((found[1], colour if colour in KIND_COLOURS.values() else "YELLOW", found[3]))
            elif match[1] != "COMMENT" or not match[2].isupper():
                rows[-1].notes.setdefault(match[1], match[2])
    return rows, title, drop or any(";" in r.times[2] for r in rows), marks


def _betrayed(rows: list[_Row], *, drop: bool) -> Fraction:
    if drop:
        return Fraction(30000, 1001)
    highest = max(int(t[-2:]) for r in rows for t in r.times)
    for limit in (24, 25, 30, 50, 60):
        if highest < limit:
            return Fraction(limit)
    return Fraction(60)


def _name(row: _Row) -> str:
    notes = row.notes
    return (notes.get("TO CLIP NAME") if row.change == "D" else notes.get("FROM CLIP NAME")) or row.reel


def _source(row: _Row, rate: Fraction, files: dict[str, Source]) -> Source | None:
    path = row.notes.get("SOURCE FILE") or row.notes.get("SOURCE FILE PATH") or ""
    if row.reel == "AX" and not path and not _name(row).count("."):
        return None
    name = path or (_name(row) if "." in _name(row) else row.reel if row.reel != "AX" else _name(row))
    if name not in files:
        files[name] = Source(name, rate, 0, 0, reel=row.reel, picture=row.seen)
    return files[name]
