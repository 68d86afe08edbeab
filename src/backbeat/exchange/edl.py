# SPDX-License-Identifier: Apache-2.0
"""CMX 3600 edit decision lists, with ``M2`` speed lines; one list a track beyond the first picture.

A list holds one picture track. Own sound rides on the picture's events (``AA/V``). All timecode counts at the record's
rate, as the format demands: a source at another rate keeps its hours, minutes and seconds, its frames are scaled.
The source out-point of a retimed event is where the tape stands when the event ends: in-point + duration x speed.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from fractions import Fraction

from backbeat.exchange.lengths import lengths
from backbeat.exchange.sheet import Dissolve, Event, Lane, Sheet, Source
from backbeat.exchange.timecode import label, nominal, relabelled
from backbeat.exchange.xmlio import clean
from backbeat.model.time import frame_at


def edl(sheet: Sheet) -> dict[str, bytes]:
    """Return the lists of `sheet` by file name ending: ``.edl`` for the first picture, else ``.V2.edl``, ``.A1.edl``.

    Switched-off clips are left out, as a list cannot say off; the runners-up stand in ``.alternates.edl``.
    """
    found: dict[str, bytes] = {}
    reels = reel_names(sheet)
    heard = sheet.heard()
    pictures = sounds = 0
    for number, lane in enumerate(sheet.lanes):
        if lane.kind == "alternates":
            ending = ".alternates.edl"
        elif lane.picture:
            pictures += 1
            ending = ".edl" if pictures == 1 else f".V{pictures}.edl"
        elif lane.mates >= 0:
            continue
        else:
            sounds += 1
            ending = f".A{sounds}.edl"
        if lane.events or pictures == 1:
            with_sound = {i for (at, i) in heard if at == number}
            found[ending] = _list(sheet, lane, reels, with_sound, marks=ending == ".edl").encode()
    return found


def reel_names(sheet: Sheet) -> dict[Source, str]:
    """Return a reel name of at most eight letters and digits for every source.

    The camera's own where it has one and no other source of that reel has overlapping timecode; else one made from
    the file name; else a number. No two sources that a reader could mistake for one another share a name.
    """
    long = lengths(sheet)
    taken: dict[str, list[tuple[Fraction, Fraction]]] = {}
    found: dict[Source, str] = {}
    for number, source in enumerate(sheet.sources(), 1):
        span = (source.offset, source.offset + long[source])
        made = _letters(source.path.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0])
        for name in (_letters(source.reel), made if len(made) > 2 else "", f"{made[:4] or 'R'}{number:04d}"):
            spans = taken.get(name, [])
            shared = name == _letters(source.reel) and all(b <= span[0] or span[1] <= a for a, b in spans)
            if name and (not spans or shared):
                break
        taken.setdefault(name, []).append(span)
        found[source] = name
    return found


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    name = "".join(c for c in plain.upper() if c.isascii() and c.isalnum())[:8]
    return "" if name in {"BL", "AX"} else name


def _list(sheet: Sheet, lane: Lane, reels: dict[Source, str], heard: set[int], *, marks: bool) -> str:
    title = re.sub(r"\s+", " ", clean(sheet.name))[:70]
    lines = [f"TITLE: {title}", f"FCM: {'DROP FRAME' if sheet.drop else 'NON-DROP FRAME'}", ""]
    inward = {d.at: d for d in lane.dissolves}
    spare = lane.kind == "alternates"
    events = [e for e in lane.events if (e.source is not None or e.title is not None) and (e.enabled or spare)]
    frames = [m.frame for m in sheet.marks]
    places = {id(e): i for i, e in enumerate(lane.events)}
    width = max(3, len(str(len(events))))
    last: Event | None = None
    for number, event in enumerate(events, 1):
        channel = ("AA/V " if places[id(event)] in heard else "V    ") if lane.picture else "AA   "
        before, after = inward.get(event.start), inward.get(event.end)
        # The list hands over at the start of a dissolve, not at its cut.
        follows = any(e.start == event.end for e in events[number : number + 1])
        first = _first(event, inward)
        end = event.end - (after.before if after else 0)
        head = f"{number:0{width}d}  "
        if before is not None:
            lines += _dissolve(sheet, reels, event, last, before, head, channel, end)
        else:
            lines.append(head + _line(sheet, reels, event, channel, "C", first, end))
            lines.append(f"* FROM CLIP NAME: {_plain(event.name)}")
        lines += _notes(sheet, reels, event, first)
        if marks:
            # Marks in a gap stand under the event before it.
            begin = bisect_left(frames, first) if number > 1 else 0
            then = bisect_left(frames, _first(events[number], inward)) if number < len(events) else len(frames)
            for mark in sheet.marks[begin:then]:
                at = label(sheet.start + mark.frame, sheet.rate, drop=sheet.drop)
                lines.append(f"* LOC: {at} {mark.colour:<7} {_plain(mark.name)}")
        last = event
        if after is not None and not follows:  # a fade to black
            here, there, black = (_label(sheet, n) for n in (sheet.start + end, sheet.start + event.end, 0))
            head = f"{number + 1:0{width}d}  "
            lines.append(head + _line(sheet, reels, event, channel, "C", end, end))
            fade = f"D    {after.before:03d}"
            lines.append(f"{head}{'BL':<8} {channel} {fade:<8} {black} {_label(sheet, after.before)} {here} {there}")
            lines += [f"* FROM CLIP NAME: {_plain(event.name)}", "* TO CLIP NAME: BL"]
    return "\n".join(lines) + "\n"


def _first(event: Event, inward: dict[int, Dissolve]) -> int:
    """Return the record frame with which an event's line begins: that of its dissolve."""
    dissolve = inward.get(event.start)
    return event.start - (dissolve.before if dissolve else 0)


def _dissolve(
    sheet: Sheet,
    reels: dict[Source, str],
    event: Event,
    last: Event | None,
    dissolve: Dissolve,
    head: str,
    channel: str,
    end: int,
) -> list[str]:
    first = dissolve.at - dissolve.before
    touches = last is not None and last.end == event.start
    lines = []
    if touches and last is not None:
        lines.append(head + _line(sheet, reels, last, channel, "C", first, first))
    else:
        black = _label(sheet, 0)
        at = _label(sheet, sheet.start + first)
        lines.append(f"{head}{'BL':<8} {channel} C        {black} {black} {at} {at}")
    lines.append(head + _line(sheet, reels, event, channel, f"D    {dissolve.frames:03d}", first, end))
    lines.append(f"* FROM CLIP NAME: {_plain(last.name) if touches and last else 'BL'}")
    lines.append(f"* TO CLIP NAME: {_plain(event.name)}")
    return lines


def _line(sheet: Sheet, reels: dict[Source, str], event: Event, channel: str, change: str, first: int, end: int) -> str:
    reel = reels[event.source] if event.source else "AX"
    source = " ".join(_label(sheet, n) for n in _source_span(sheet, event, first, end))
    record = f"{_label(sheet, sheet.start + first)} {_label(sheet, sheet.start + end)}"
    return f"{reel:<8} {channel} {change:<8} {source} {record}"


def _source_span(sheet: Sheet, event: Event, first: int, end: int) -> tuple[int, int]:
    """Return the source timecode, in frames at the record's rate, at record frames `first` and `end`."""
    source, rate = event.source, sheet.rate
    if source is None:
        return first - event.start, end - event.start
    into = (
        event.at((first - event.start) / rate)
        if event.keys
        else event.into + (first - event.start) / rate * event.speed
    )
    start = frame_at(into, source.rate) + source.timecode
    begin = relabelled(start, source.rate, rate, drop=sheet.drop)
    if source.rate == rate and not event.keys and event.speed == 1:
        return begin, begin + end - first
    # Over the event the tape runs as many record frames as picture frames pass, times the speed.
    return begin, begin + frame_at((end - first) * event.speed / rate, rate)


def _notes(sheet: Sheet, reels: dict[Source, str], event: Event, first: int) -> list[str]:
    lines = []
    if event.source is not None and (event.speed != 1 or event.keys):
        pace = float(event.speed * nominal(sheet.rate))
        # One decimal as the format has it; two, which readers take as well, where one would bend the speed.
        digits = f"{abs(pace):05.1f}" if abs(round(pace, 1) - pace) < 1e-6 else f"{abs(pace):06.2f}"
        text = f"-{digits}" if pace < 0 else digits
        entry = _label(sheet, _source_span(sheet, event, first, first)[0])
        lines.append(f"M2   {reels[event.source]:<8}       {text}                {entry}")
    if event.keys:
        lines.append("* COMMENT: EASED SPEED, GIVEN AS ITS AVERAGE")
    if event.source is not None:
        lines.append(f"* SOURCE FILE: {_plain(event.source.path)}")
    if event.note:
        lines.append(f"* COMMENT: {_plain(event.note)}")
    return lines


def _label(sheet: Sheet, frame: int) -> str:
    return label(frame, sheet.rate, drop=sheet.drop)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text)).strip()
