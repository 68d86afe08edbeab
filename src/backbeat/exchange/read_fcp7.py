# SPDX-License-Identifier: Apache-2.0
"""Read Final Cut Pro 7 XML, of Premiere Pro, Resolve or ourselves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from backbeat.errors import InputError
from backbeat.exchange.colours import KIND_COLOURS
from backbeat.exchange.fcp7 import LABELS
from backbeat.exchange.levels import decibels
from backbeat.exchange.pack import packed
from backbeat.exchange.sheet import ONE, ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.exchange.xmlio import text
from backbeat.model.timeline import Title

_COLOURS = {label: name for name, label in LABELS.items()}


def read_fcp7(root: Element, path: Path) -> Sheet:
    """Return the first sequence.

    Raises
    ------
    InputError
        If there is none.
    """
    sequence = root.find(".//sequence[media]")
    if sequence is None:
        raise InputError(f"{path}: no sequence in it", "export the sequence, not the project's bins")
    return _Reader(root, path).sheet(sequence)


def _rate(element: Element | None, default: Fraction = Fraction(25)) -> Fraction:
    rate = element.find("rate") if element is not None else None
    base = int(text(rate, "timebase") or 0)
    if not base:
        return default
    return Fraction(base * 1000, 1001) if text(rate, "ntsc").upper() == "TRUE" else Fraction(base)


def _whole(element: Element, tag: str, default: int = 0) -> int:
    value = text(element, tag)
    return int(float(value)) if value else default


class _Reader:
    def __init__(self, root: Element, path: Path) -> None:
        self.path = path
        self.rate = Fraction(25)
        self.files: dict[str, Source] = {}
        # A file may be told in full anywhere; elsewhere only its id stands.
        self.told = {f.get("id", ""): f for f in root.iter("file") if f.find("pathurl") is not None}

    def sheet(self, sequence: Element) -> Sheet:
        self.rate = _rate(sequence)
        shape = sequence.find("media/video/format/samplecharacteristics")
        lanes: list[Lane] = []
        for number, track in enumerate(sequence.findall("media/video/track")):
            events, dissolves = self._track(track)
            enabled = text(track, "enabled").upper() != "FALSE"
            off = number > 0 and bool(events) and not any(e.enabled for e in events)
            lanes.append(
                Lane("alternates" if off else "picture", tuple(events), "", enabled, tuple(dissolves))
                if events == [e for row in packed(events)[:1] for e in row]
                else Lane("picture", tuple(packed(events)[0]), "", enabled, tuple(dissolves))
            )
        seen: set[tuple[int, int, str, Fraction]] = set()
        for track in sequence.findall("media/audio/track"):
            events = []
            for event in self._track(track)[0]:
                key = (event.start, event.frames, event.source.path if event.source else "", event.into)
                if key not in seen:  # the channels of one sound
                    seen.add(key)
                    events.append(event)
            music = bool(events) and all(e.source is not None and not e.source.picture for e in events)
            lanes += [Lane("music" if music else "sound", tuple(row)) for row in packed(events)]
        code = sequence.find("timecode")
        return Sheet(
            text(sequence, "name") or self.path.stem,
            self.rate,
            _whole(shape, "width", 1920) if shape is not None else 1920,
            _whole(shape, "height", 1080) if shape is not None else 1080,
            max([_whole(sequence, "duration"), *(e.end for lane in lanes for e in lane.events)], default=0),
            tuple(lanes),
            tuple(self._mark(m) for m in sequence.findall("marker")),
            start=_whole(code, "frame") if code is not None else 0,
            drop=text(code, "displayformat") == "DF",
        )

    def _track(self, track: Element) -> tuple[list[Event], list[Dissolve]]:
        items = [i for i in track if i.tag in {"clipitem", "generatoritem", "transitionitem"}]
        dissolves: dict[int, Dissolve] = {}
        for place, item in enumerate(items):
            if item.tag == "transitionitem":
                first, last = _whole(item, "start"), _whole(item, "end")
                where = text(item, "alignment")
                middle = {"start-black": first, "start": first, "end-black": last, "end": last}
                cut = middle.get(where, (first + last) // 2)
                dissolves[place] = Dissolve(cut, cut - first, last - cut)
        events = []
        for place, item in enumerate(items):
            if item.tag != "transitionitem":
                event = self._item(item, dissolves.get(place - 1), dissolves.get(place + 1))
                if event is not None and event.frames > 0:
                    events.append(event)
        return events, list(dissolves.values())

    def _item(self, item: Element, before: Dissolve | None, after: Dissolve | None) -> Event | None:
        start, end = _whole(item, "start"), _whole(item, "end")
        into, out = _whole(item, "in"), _whole(item, "out")
        head = 0
        if start < 0:
            start = before.at if before else end - (out - into)
            head = before.before if before else 0
        if end < 0:
            end = after.at if after else start + out - into
        event = Event(
            start,
            end - start,
            None,
            name=text(item, "name"),
            note=text(item, "logginginfo/lognote"),
            colour=_COLOURS.get(text(item, "labels/label2"), ""),
            enabled=text(item, "enabled").upper() != "FALSE",
        )
        if item.tag == "generatoritem":
            words = {text(p, "parameterid"): text(p, "value") for p in item.iter("parameter")}
            return replace(event, title=Title(words.get("str", ""))) if "str" in words else None
        source = self._source(item)
        speed, extras = ONE, {}
        for effect in item.findall("filter/effect"):
            values = {text(p, "parameterid"): p for p in effect.iter("parameter")}
            kind = text(effect, "effectid")
            if kind == "timeremap" and "speed" in values:
                pace = Fraction(text(values["speed"], "value") or "100") / 100
                back = "reverse" in values and text(values["reverse"], "value").upper() == "TRUE"
                speed = -pace if back else pace
            elif kind == "audiolevels" and "level" in values:
                extras["gain"] = self._gain(values["level"], into)
            elif kind == "opacity" and "opacity" in values:
                event = replace(event, opacity=float(text(values["opacity"], "value") or 100) / 100)
        position = Fraction(into + head) / self.rate
        if speed < 0:
            known = source.frames / source.rate if source is not None else ZERO
            first = known + position * speed
        else:
            first = position * (speed or 1)
        return replace(event, source=source, into=first, speed=speed, **extras)  # type: ignore[arg-type]

    def _gain(self, level: Element, into: int) -> tuple[tuple[Fraction, float], ...]:
        keys = tuple(
            ((_whole(k, "when") - into) / self.rate, round(decibels(float(text(k, "value") or 0)), 3))
            for k in level.findall("keyframe")
        )
        flat = round(decibels(float(text(level, "value") or 1)), 3)
        return keys or (((ZERO, flat),) if flat else ())

    def _source(self, item: Element) -> Source | None:
        file = item.find("file")
        if file is None:
            return None
        name = file.get("id", "") or text(file, "pathurl")
        if name not in self.files:
            told = self.told.get(name, file)
            rate = _rate(told, self.rate)
            shape = told.find("media/video/samplecharacteristics")
            sound = told.find("media/audio")
            url = text(told, "pathurl")
            code = told.find("timecode")
            self.files[name] = Source(
                local_path(url, self.path.parent) if url else text(told, "name") or text(item, "name"),
                rate,
                _whole(told, "duration"),
                _whole(code, "frame") if code is not None else 0,
                _whole(shape, "width") if shape is not None else 0,
                _whole(shape, "height") if shape is not None else 0,
                told.find("media/video") is not None or told.find("media") is None,
                sound is not None or told.find("media") is None,
                _whole(sound, "channelcount", 2) if sound is not None else 2,
                int(text(sound, "samplecharacteristics/samplerate") or 48000),
                text(code, "reel/name"),
            )
        return self.files[name]

    def _mark(self, marker: Element) -> Mark:
        frame, end = _whole(marker, "in"), _whole(marker, "out", -1)
        kind = text(marker, "comment")
        kind = kind if kind in KIND_COLOURS else "note"
        return Mark(frame, max(end - frame, 0), text(marker, "name"), kind, KIND_COLOURS[kind], frame / self.rate)
