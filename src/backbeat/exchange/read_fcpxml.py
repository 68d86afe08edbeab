# SPDX-License-Identifier: Apache-2.0
"""Read FCPXML 1.5 and later, of Final Cut Pro, Resolve or ourselves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

from backbeat.errors import InputError
from backbeat.exchange.colours import KIND_COLOURS
from backbeat.exchange.pack import packed
from backbeat.exchange.sheet import ONE, ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.exchange.xmlio import text
from backbeat.model.time import frame_at, nearest_rate
from backbeat.model.timeline import Title

_STORY = {"asset-clip", "clip", "video", "audio", "title", "gap", "ref-clip", "sync-clip", "mc-clip", "audition"}


def read_fcpxml(root: Element, path: Path) -> Sheet:
    """Return the first project's sequence.

    Raises
    ------
    InputError
        If there is none.
    """
    sequence = root.find(".//project/sequence")
    if sequence is None:
        sequence = root.find(".//sequence")
    if sequence is None:
        raise InputError(f"{path}: no project in it", "export a project, not an event or a library")
    return _Reader(root, path).sheet(sequence)


def time_of(value: str | None, default: Fraction = ZERO) -> Fraction:
    """Read ``1001/30000s``, ``5s``, ``5.25s``."""
    return Fraction(value.strip().removesuffix("s")) if value else default


class _Reader:
    def __init__(self, root: Element, path: Path) -> None:
        self.path = path
        self.formats = {f.get("id", ""): f for f in root.iter("format")}
        self.assets = {a.get("id", ""): a for a in root.iter("asset")}
        self.names = {p.find("sequence"): p.get("name", "") for p in root.iter("project")}
        self.sources: dict[str, Source | None] = {}
        self.rate = Fraction(24)
        self.pictures: dict[int, list[Event]] = {}
        self.sounds: dict[int, list[Event]] = {}
        self.heard: list[Event] = []
        self.marks: list[Mark] = []
        self.dissolves: list[Dissolve] = []

    def sheet(self, sequence: Element) -> Sheet:
        form = self.formats.get(sequence.get("format", ""), Element("format"))
        self.rate = self._rate(form) or Fraction(24)
        start = time_of(sequence.get("tcStart"))
        spine = sequence.find("spine")
        end = self._story(spine, start, 0) if spine is not None else ZERO
        lanes = [Lane("picture", tuple(events)) for events in packed(self.pictures.pop(0, []))] or [Lane("picture", ())]
        lanes[0] = replace(lanes[0], dissolves=tuple(self.dissolves))
        for number in sorted(self.pictures):
            off = not any(e.enabled for e in self.pictures[number])
            lanes += [Lane("alternates" if off else "picture", tuple(x)) for x in packed(self.pictures[number])]
        lanes += [Lane("sound", tuple(x)) for x in packed(self.heard)]
        for number in sorted(self.sounds, reverse=True):
            music = all(e.source and not e.source.picture for e in self.sounds[number])
            lanes += [Lane("music" if music else "sound", tuple(x)) for x in packed(self.sounds[number])]
        frames = frame_at(time_of(sequence.get("duration"), end), self.rate)
        return Sheet(
            self.names.get(sequence) or self.path.stem,
            self.rate,
            int(form.get("width", 1920)),
            int(form.get("height", 1080)),
            frames,
            tuple(lanes),
            tuple(sorted(self.marks, key=lambda m: m.frame)),
            start=frame_at(start, self.rate),
            drop=sequence.get("tcFormat") == "DF",
        )

    def _rate(self, form: Element | None) -> Fraction | None:
        length = time_of(form.get("frameDuration")) if form is not None else ZERO
        return nearest_rate(1 / length) if length else None

    def _story(self, spine: Element, zero: Fraction, lane: int, shift: Fraction = ZERO) -> Fraction:
        """Read a spine whose local time `zero` is record second `shift`; return its end."""
        cursor = shift
        for child in spine:
            if child.tag == "transition":
                begin = time_of(child.get("offset"), zero) - zero + shift
                self._dissolve(begin, time_of(child.get("duration")), cursor, lane)
            elif child.tag in _STORY:
                begin = time_of(child.get("offset")) - zero + shift if child.get("offset") else cursor
                cursor = begin + self._item(child, begin, lane)
        return cursor

    def _dissolve(self, begin: Fraction, length: Fraction, cut: Fraction, lane: int) -> None:
        if lane == 0:
            first, last, at = (frame_at(t, self.rate) for t in (begin, begin + length, cut))
            self.dissolves.append(Dissolve(at, at - first, last - at))

    def _item(self, item: Element, begin: Fraction, lane: int) -> Fraction:
        """Read a story element that starts at record second `begin`; return its length."""
        if item.tag == "audition":
            return self._item(item[0], begin, lane) if len(item) else ZERO
        asset = self._source(item)
        length = time_of(item.get("duration"), asset.frames / asset.rate if asset else ZERO)
        start = time_of(item.get("start"), asset.offset if asset and item.tag in {"asset-clip", "video"} else ZERO)
        frame, frames = frame_at(begin, self.rate), frame_at(begin + length, self.rate) - frame_at(begin, self.rate)
        if item.tag == "title":
            words = "".join(item.find("text").itertext()) if item.find("text") is not None else ""  # type: ignore[union-attr]
            self._picture(lane, Event(frame, frames, None, name=item.get("name", ""), title=Title(words.strip()),
                                      enabled=item.get("enabled") != "0", note=text(item, "note")))  # fmt: skip
        elif asset is not None:
            self._clip(item, asset, Event(frame, frames, asset), start, lane)
        for child in item:
            if child.tag in {"marker", "chapter-marker"}:
                self._marker(child, begin + time_of(child.get("start")) - start, start, begin + length)
            elif child.tag == "spine" and child.get("lane"):
                where = begin + time_of(child.get("offset")) - start
                self._story(child, ZERO, int(child.get("lane", 1)), where)
            elif child.tag in _STORY and child.get("lane"):
                self._item(child, begin + time_of(child.get("offset")) - start, int(child.get("lane", 1)))
        return length

    def _clip(self, item: Element, asset: Source, event: Event, start: Fraction, lane: int) -> None:
        inner = item if item.get("ref") else next((c for c in item if c.get("ref")), item)
        name = item.get("name", "")
        event = replace(event, name=name, note=text(item, "note"), enabled=item.get("enabled") != "0")
        warp = item.find("timeMap")
        if inner is not item:  # a clip around a file: its own time is the container's
            start = start - time_of(inner.get("offset")) + time_of(inner.get("start"), asset.offset)
        event = self._timed(event, asset, start, warp, self._conformed(item))
        gain, fade_in, fade_out = self._volume(item, start)
        sound = replace(event, gain=gain, fade_in=fade_in, fade_out=fade_out, note="")
        blend = item.find("adjust-blend")
        enable = item.get("srcEnable", "all")
        if not asset.picture or enable == "audio" or item.tag == "audio":
            music = replace(sound, note=event.note)
            self.sounds.setdefault(lane, []).append(music)
            return
        event = replace(event, opacity=float(blend.get("amount", "1"))) if blend is not None else event
        self._picture(lane, event)
        if asset.sound and enable == "all" and event.enabled:
            self.heard.append(sound)

    def _picture(self, lane: int, event: Event) -> None:
        self.pictures.setdefault(lane, []).append(event)

    def _conformed(self, item: Element) -> Fraction:
        """Return how much faster a file of another rate is played so that every picture of it is shown once."""
        conform = item.find("conform-rate")
        if conform is None or conform.get("scaleEnabled") == "0" or not conform.get("srcFrameRate"):
            return ONE
        return self.rate / nearest_rate(Fraction(conform.get("srcFrameRate", "1")))

    def _timed(self, event: Event, asset: Source, start: Fraction, warp: Element | None, conform: Fraction) -> Event:
        if warp is None:
            return replace(event, into=(start - asset.offset) * conform, speed=conform)
        points = [(time_of(p.get("time")), time_of(p.get("value"))) for p in warp.iter("timept")]
        whole = Event(0, 1, None, keys=tuple(points))
        length = event.frames / self.rate
        into = whole.at(start)
        inside = [t for t, _ in points if start < t < start + length]
        keys = [(t - start, whole.at(t) - into) for t in (start, *inside, start + length)]
        paces = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(keys)]
        average = keys[-1][1] / length if length else ONE
        event = replace(event, into=into - asset.offset, speed=_round(average))
        # A map that bends less than the format's grain is one speed.
        if max(paces) - min(paces) < Fraction(1, 1000):
            return event
        return replace(event, keys=tuple(keys))

    def _volume(self, item: Element, start: Fraction) -> tuple[tuple[tuple[Fraction, float], ...], Fraction, Fraction]:
        volume = item.find("adjust-volume")
        if volume is None:
            return (), ZERO, ZERO
        param = volume.find("param")
        amount = volume.get("amount") or (param.get("value") if param is not None else None) or "0dB"
        gain = ((ZERO, float(amount.removesuffix("dB"))),) if float(amount.removesuffix("dB")) else ()
        if param is None:
            return gain, ZERO, ZERO
        keys = tuple(
            (time_of(k.get("time")) - start, float(k.get("value", "0").removesuffix("dB")))
            for k in param.iter("keyframe")
        )
        fades = [param.find("fadeIn"), param.find("fadeOut")]
        fade_in, fade_out = (time_of(f.get("duration")) if f is not None else ZERO for f in fades)
        return keys or gain, fade_in, fade_out

    def _marker(self, marker: Element, time: Fraction, start: Fraction, end: Fraction) -> None:
        del start
        if not ZERO <= time < end:
            return
        kind = "section" if marker.tag == "chapter-marker" else marker.get("note", "")
        kind = kind if kind in KIND_COLOURS else "note"
        frame = frame_at(time, self.rate)
        self.marks.append(Mark(frame, 0, marker.get("value", ""), kind, KIND_COLOURS[kind], time))

    def _source(self, item: Element) -> Source | None:
        reference = item.get("ref") or next((c.get("ref") for c in item if c.get("ref") and not c.get("lane")), None)
        if reference not in self.assets or item.tag == "title":
            return None
        if reference not in self.sources:
            asset = self.assets[reference]
            media = asset.find("media-rep")
            url = asset.get("src") or (media.get("src", "") if media is not None else "")
            form = self.formats.get(asset.get("format", ""))
            picture = asset.get("hasVideo") == "1"
            rate = (self._rate(form) or self.rate) if picture else self.rate
            length, start = time_of(asset.get("duration")), time_of(asset.get("start"))
            self.sources[reference] = Source(
                local_path(url, self.path.parent) if url else asset.get("name", ""),
                rate,
                frame_at(length, rate),
                frame_at(start, rate),
                int(form.get("width", 0)) if form is not None and picture else 0,
                int(form.get("height", 0)) if form is not None and picture else 0,
                picture,
                asset.get("hasAudio") == "1",
                int(asset.get("audioChannels", "2")),
                int(float(asset.get("audioRate", "48000").replace("k", "000"))),
            )
        return self.sources[reference]


def _round(speed: Fraction) -> Fraction:
    """Undo the rounding of the map: speeds are meant to a thousandth or so."""
    short = speed.limit_denominator(1000)
    return short if abs(short - speed) < Fraction(1, 100_000) else speed
