# SPDX-License-Identifier: Apache-2.0
"""FCPXML 1.10, for Final Cut Pro and DaVinci Resolve.

Times are exact seconds. What had to be known beyond the document type definition:

- A retimed clip carries a `timeMap` over its *whole* file, not over what it shows: readers were seen to go black at
  the tail of a map that ends with the clip, and a dissolve needs the frames beyond.
- `offset` is in the parent's local time, whose zero is the parent's `start`; source timecode is in `start` alone.
- Markers may stand on clips and gaps only, never on the sequence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from backbeat.exchange.lengths import lengths, stem, whole_map
from backbeat.exchange.sheet import ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.timecode import DROP_RATES
from backbeat.exchange.urls import file_url
from backbeat.exchange.xmlio import add, write

_RATE_NAMES = {
    Fraction(24000, 1001): "2398", Fraction(24): "24", Fraction(25): "25", Fraction(30000, 1001): "2997",
    Fraction(30): "30", Fraction(50): "50", Fraction(60000, 1001): "5994", Fraction(60): "60",
}  # fmt: skip
_CONFORM = {
    Fraction(24000, 1001): "23.98", Fraction(24): "24", Fraction(25): "25", Fraction(30000, 1001): "29.97",
    Fraction(30): "30", Fraction(48): "48", Fraction(50): "50", Fraction(60000, 1001): "59.94", Fraction(60): "60",
}  # fmt: skip
_DISSOLVE = "FxPlug:4731E73A-8DAC-4113-9A30-AE85B1761265"
_TITLE = ".../Titles.localized/Bumper:Opener.localized/Basic Title.localized/Basic Title.moti"


def fcpxml(sheet: Sheet) -> bytes:
    """Return the document of `sheet`."""
    return _Writer(sheet).document()


class _Writer:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.root = Element("fcpxml", version="1.10")
        self.resources = add(self.root, "resources")
        self._formats: dict[tuple[Fraction, int, int], str] = {}
        self._assets: dict[Source, str] = {}
        self.format = self._format(sheet.rate, sheet.width, sheet.height)
        self.dissolve = ""
        self.title = ""
        self.styles = 0
        self.heard = sheet.heard()
        self.lengths = lengths(sheet)

    def document(self) -> bytes:
        sheet = self.sheet
        number, spine_lane = next(
            ((i, x) for i, x in enumerate(sheet.lanes) if x.kind == "picture"), (-1, Lane("picture", ()))
        )
        if spine_lane.dissolves:
            self.dissolve = "rd"
            add(self.resources, "effect", id="rd", name="Cross Dissolve", uid=_DISSOLVE)
        if any(e.title for lane in sheet.lanes for e in lane.events):
            self.title = "rt"
            add(self.resources, "effect", id="rt", name="Basic Title", uid=_TITLE)
        for source in sheet.sources():
            self._asset(source)
        event = add(add(self.root, "library"), "event", name=sheet.name)
        sequence = add(
            add(event, "project", name=sheet.name),
            "sequence",
            format=self.format,
            duration=self.frames(sheet.frames),
            tcStart=self.frames(sheet.start),
            tcFormat="DF" if sheet.drop else "NDF",
            audioLayout="stereo",
            audioRate="48k",
        )
        self._spine(add(sequence, "spine"), spine_lane, number)
        return write(self.root, "fcpxml")

    # ------------------------------------------------------------------ time

    def frames(self, count: int) -> str:
        return seconds(count / self.sheet.rate)

    def grain(self, value: Fraction) -> Fraction:
        """Round to a grain of a few dozen microseconds at most, whose denominator stays within 32 bits."""
        scale = self.sheet.rate.numerator * (1000 if self.sheet.rate.numerator > 1000 else 100_000)
        return Fraction(round(value * scale), scale)

    # ------------------------------------------------------------------ resources

    def _format(self, rate: Fraction, width: int, height: int) -> str:
        key = (rate, width, height)
        if key not in self._formats:
            self._formats[key] = f"r{len(self._formats) + 1}"
            known = {(1920, 1080): "1080p", (1280, 720): "720p", (3840, 2160): "3840x2160p"}.get((width, height))
            pace = _RATE_NAMES.get(rate)
            add(
                self.resources,
                "format",
                id=self._formats[key],
                name=f"FFVideoFormat{known}{pace}" if known and pace else None,
                frameDuration=seconds(1 / rate),
                width=width,
                height=height,
                colorSpace="1-1-1 (Rec. 709)",
            )
        return self._formats[key]

    def _asset(self, source: Source) -> str:
        form = None
        if source.picture:
            form = self._format(source.rate, source.width or self.sheet.width, source.height or self.sheet.height)
        self._assets[source] = name = f"a{len(self._assets) + 1}"
        asset = add(
            self.resources,
            "asset",
            id=name,
            name=stem(source.path),
            start=seconds(source.offset),
            duration="0s" if source.still else seconds(self.lengths[source]),
            hasVideo="1" if source.picture else None,
            format=form,
            videoSources="1" if source.picture else None,
            hasAudio="1" if source.sound else None,
            audioSources="1" if source.sound else None,
            audioChannels=source.channels if source.sound else None,
            audioRate=source.sample_rate if source.sound else None,
        )
        add(asset, "media-rep", kind="original-media", src=file_url(source.path))
        return name

    # ------------------------------------------------------------------ story

    def _spine(self, spine: Element, lane: Lane, number: int) -> None:
        """Write the lowest picture lane, `number` of the sheet's; all else hangs on what of it lies beneath."""
        sheet = self.sheet
        dissolves = {d.at: d for d in lane.dissolves}
        parts: list[tuple[int, Fraction, Element]] = []  # record start, local time there, element
        at = 0
        for index, event in enumerate(lane.events):
            if event.start > at:
                self._transition(spine, dissolves.pop(at, None))
                parts.append((at, ZERO, self._gap(spine, at, event.start - at)))
            self._transition(spine, dissolves.pop(event.start, None))
            element, local = self._event(spine, event, self.heard.get((number, index)), enabled=lane.enabled)
            parts.append((event.start, local, element))
            at = event.end
        self._transition(spine, dissolves.pop(at, None))
        last = max([sheet.frames, *(e.end for x in sheet.lanes for e in x.events)])
        if last > at:
            parts.append((at, ZERO, self._gap(spine, at, last - at)))
        starts = [p[0] for p in parts]
        for row, event, heard, audio in self._hung(number):
            start, local, element = parts[max(bisect_right(starts, event.start) - 1, 0)]
            offset = local + (event.start - start) / sheet.rate
            self._event(element, event, heard, lane=row, offset=offset, audio=audio)
        for mark in sorted(sheet.marks, key=lambda m: m.frame):
            if parts:
                start, local, element = parts[max(bisect_right(starts, mark.frame) - 1, 0)]
                self._marker(element, mark, local + (mark.frame - start) / sheet.rate)

    def _hung(self, spine: int) -> Iterator[tuple[int, Event, Event | None, bool]]:
        """Yield (lane number, event, its own sound, is sound) of all that is connected: pictures above, sound below."""
        above, below = 0, 0
        for number, lane in enumerate(self.sheet.lanes):
            if number == spine or lane.mates >= 0:
                continue
            above, below = (above + 1, below) if lane.picture else (above, below - 1)
            for index, event in enumerate(lane.events):
                on = replace(event, enabled=event.enabled and lane.enabled)
                yield above if lane.picture else below, on, self.heard.get((number, index)), not lane.picture

    def _gap(self, spine: Element, start: int, frames: int) -> Element:
        offset = self.frames(self.sheet.start + start)
        return add(spine, "gap", name="Gap", offset=offset, start="0s", duration=self.frames(frames))

    def _transition(self, spine: Element, dissolve: Dissolve | None) -> None:
        if dissolve is None:
            return
        offset = self.frames(self.sheet.start + dissolve.at - dissolve.before)
        element = add(spine, "transition", name="Cross Dissolve", offset=offset, duration=self.frames(dissolve.frames))
        add(element, "filter-video", ref=self.dissolve, name="Cross Dissolve")

    def _event(
        self,
        parent: Element,
        event: Event,
        heard: Event | None,
        *,
        lane: int | None = None,
        offset: Fraction | None = None,
        audio: bool = False,
        enabled: bool = True,
    ) -> tuple[Element, Fraction]:
        """Append a clip; return it and its local time at its start."""
        place = seconds(offset) if offset is not None else self.frames(self.sheet.start + event.start)
        on = None if event.enabled and enabled else "0"
        length = self.frames(event.frames)
        if event.title is not None:
            return self._title(parent, event, lane, place, length, on), ZERO
        source = event.source
        if source is None:
            gap = {"name": event.name, "offset": place, "start": "0s", "duration": length}
            return (add(parent, "gap", **gap) if lane is None else add(parent, "clip", lane=lane, **gap)), ZERO
        if source.still and not audio:
            return self._still(parent, event, self._assets[source], lane, place, length, on), ZERO
        start, points = self._timing(event, source)
        enable = (
            "audio" if audio and source.picture else "video" if heard is None and not audio and source.sound else None
        )
        element = add(
            parent,
            "asset-clip",
            ref=self._assets[source],
            lane=lane,
            offset=place,
            name=event.name,
            start=seconds(start),
            duration=length,
            enabled=on,
            format=None if not source.picture else self._format_of(source),
            tcFormat="DF" if source.picture and source.rate in DROP_RATES else "NDF",
            srcEnable=enable,
            audioRole="music" if not source.picture else "dialogue" if heard is not None or audio else None,
        )
        if event.note:
            add(element, "note", event.note)
        if source.picture and source.rate != self.sheet.rate and source.rate in _CONFORM:
            add(element, "conform-rate", scaleEnabled="0", srcFrameRate=_CONFORM[source.rate])
        if points:
            warp = add(element, "timeMap", frameSampling="nearest-neighbor")
            for time, value in points:
                add(warp, "timept", time=seconds(time), value=seconds(value), interp="linear")
        if event.opacity < 1 and not audio:
            add(element, "adjust-blend", amount=f"{event.opacity:g}")
        if enable == "video":  # Resolve minds srcEnable on compound clips alone
            add(element, "adjust-volume", amount="-96dB")
        sound = heard or (event if audio else None)
        if sound is not None:
            self._volume(element, sound, start)
        return element, start

    def _format_of(self, source: Source) -> str:
        return self._format(source.rate, source.width or self.sheet.width, source.height or self.sheet.height)

    def _timing(self, event: Event, source: Source) -> tuple[Fraction, list[tuple[Fraction, Fraction]]]:
        """Return the clip's local start and its map of local to source time, empty at normal speed."""
        if event.speed == 1 and not event.keys:
            return source.offset + event.into, []
        start, points = whole_map(event, self.lengths[source], self.sheet.rate)
        # Final Cut's own maps begin where the file's timecode does, on both sides.
        zero = source.offset * self.sheet.rate // 1 / self.sheet.rate
        return zero + start, [(self.grain(zero + t), self.grain(source.offset + v)) for t, v in points]

    def _volume(self, element: Element, sound: Event, start: Fraction) -> None:
        if not sound.gain and not sound.fade_in and not sound.fade_out:
            return
        amount = sound.gain[0][1] if sound.gain else 0.0
        if len(sound.gain) < 2 and not sound.fade_in and not sound.fade_out:
            add(element, "adjust-volume", amount=f"{amount:g}dB")
            return
        volume = add(element, "adjust-volume")
        param = add(volume, "param", name="amount", value=f"{amount:g}dB")
        if sound.fade_in:
            add(param, "fadeIn", type="linear", duration=seconds(self.grain(sound.fade_in)))
        if sound.fade_out:
            add(param, "fadeOut", type="linear", duration=seconds(self.grain(sound.fade_out)))
        if len(sound.gain) > 1:
            keys = add(param, "keyframeAnimation")
            for time, level in sound.gain:
                add(keys, "keyframe", time=seconds(self.grain(start + time)), value=f"{level:g}dB", curve="linear")

    def _still(
        self, parent: Element, event: Event, asset: str, lane: int | None, place: str, length: str, on: str | None
    ) -> Element:
        element = add(
            parent,
            "video",
            ref=asset,
            lane=lane,
            offset=place,
            name=event.name,
            start="0s",
            duration=length,
            enabled=on,
        )
        if event.note:
            add(element, "note", event.note)
        if event.opacity < 1:
            add(element, "adjust-blend", amount=f"{event.opacity:g}")
        return element

    def _title(
        self, parent: Element, event: Event, lane: int | None, place: str, length: str, on: str | None
    ) -> Element:
        title = event.title
        assert title is not None
        self.styles += 1
        element = add(
            parent, "title", ref=self.title, lane=lane, offset=place, name=event.name, start="0s", duration=length,
            enabled=on,
        )  # fmt: skip
        style = f"ts{self.styles}"
        add(add(element, "text"), "text-style", title.text, ref=style)
        red, green, blue = (int(title.colour.lstrip("#")[i : i + 2], 16) / 255 for i in (0, 2, 4))
        add(
            add(element, "text-style-def", id=style),
            "text-style",
            font="Helvetica",
            fontSize=round(title.size * self.sheet.height),
            fontColor=f"{red:.3g} {green:.3g} {blue:.3g} 1",
            alignment="center",
        )
        if event.note:
            add(element, "note", event.note)
        return element

    def _marker(self, element: Element, mark: Mark, time: Fraction) -> None:
        one = self.frames(1)
        if mark.kind == "section":
            add(element, "chapter-marker", start=seconds(time), duration=one, value=mark.name)
        else:
            add(element, "marker", start=seconds(time), duration=one, value=mark.name, note=mark.kind)


def seconds(value: Fraction) -> str:
    """Return FCPXML's exact time: ``5s``, ``1001/30000s``."""
    value = Fraction(value)
    return f"{value.numerator}s" if value.denominator == 1 else f"{value.numerator}/{value.denominator}s"
