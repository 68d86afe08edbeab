# SPDX-License-Identifier: Apache-2.0
"""Final Cut Pro 7 XML (``xmeml`` 5), which Premiere Pro and DaVinci Resolve import.

``in`` and ``out`` stand on the *sequence's* grid, whatever the rate of the file, and, for a clip at another speed, in
frames of the retimed file: ``out - in`` is always ``end - start``. At a dissolve the inner ``end`` and ``start`` are
-1 and ``in``/``out`` reach over it. Flavours: Premiere wants every stereo sound as two linked tracks that say they
belong together; Resolve takes one plain track and refuses a file without ``<duration>``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from backbeat.exchange.colours import named
from backbeat.exchange.lengths import lengths
from backbeat.exchange.levels import amplitudes
from backbeat.exchange.sheet import Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.timecode import DROP_RATES, label, nominal
from backbeat.exchange.urls import file_url
from backbeat.exchange.xmlio import add, write
from backbeat.model.time import frame_at

LABELS = {
    "RED": "Rose", "ORANGE": "Mango", "YELLOW": "Yellow", "GREEN": "Forest", "CYAN": "Caribbean", "BLUE": "Cerulean",
    "PURPLE": "Violet", "MAGENTA": "Magenta", "PINK": "Lavender", "WHITE": "Iris", "BLACK": "Brown",
}  # fmt: skip
_COLOURS = {
    "RED": (255, 0, 0), "ORANGE": (255, 128, 0), "YELLOW": (255, 255, 0), "GREEN": (0, 255, 0), "CYAN": (0, 255, 255),
    "BLUE": (0, 0, 255), "PURPLE": (128, 0, 255), "MAGENTA": (255, 0, 255), "PINK": (255, 128, 192),
    "WHITE": (255, 255, 255), "BLACK": (0, 0, 0),
}  # fmt: skip


def fcp7(sheet: Sheet, *, flavour: str = "premiere") -> bytes:
    """Return the document of `sheet`; `flavour` is premiere or resolve."""
    return _Writer(sheet, flavour).document()


@dataclass
class _Item:
    """A clip item that others link to."""

    element: Element
    kind: str
    track: int
    index: int
    group: list[_Item] = field(default_factory=list)


class _Writer:
    def __init__(self, sheet: Sheet, flavour: str) -> None:
        self.sheet = sheet
        self.exploded = flavour == "premiere"
        self.lengths = lengths(sheet)
        self.known: dict[Source, str] = {}
        self.items: dict[tuple[int, int], _Item] = {}  # pictures, by lane and event
        self.count = 0

    def document(self) -> bytes:
        sheet = self.sheet
        root = Element("xmeml", version="5")
        sequence = add(root, "sequence", id="sequence-1")
        add(sequence, "name", sheet.name)
        add(sequence, "duration", sheet.frames)
        self._rate(sequence, sheet.rate)
        self._timecode(sequence, sheet.start, sheet.rate, drop=sheet.drop)
        add(sequence, "in", -1)
        add(sequence, "out", -1)
        media = add(sequence, "media")
        video, audio = add(media, "video"), add(media, "audio")
        form = add(add(video, "format"), "samplecharacteristics")
        self._rate(form, sheet.rate)
        self._frame(form, sheet.width, sheet.height)
        add(audio, "numOutputChannels", 2)
        form = add(add(audio, "format"), "samplecharacteristics")
        add(form, "depth", 16)
        add(form, "samplerate", 48000)
        outputs = add(audio, "outputs")
        for channel in (1, 2):
            group = add(outputs, "group")
            add(group, "index", channel)
            add(group, "numchannels", 1)
            add(group, "downmix", 0)
            add(add(group, "channel"), "index", channel)
        above = 0
        for number, lane in enumerate(sheet.lanes):
            if lane.picture:
                above += 1
                self._pictures(add(video, "track"), lane, number, above)
        below = 0
        for lane in sheet.lanes:
            if not lane.picture:
                below = self._sounds(audio, lane, below)
        for item in self.items.values():
            self._link(item)
        for mark in sheet.marks:
            self._marker(sequence, mark)
        return write(root, "xmeml")

    # ------------------------------------------------------------------ tracks

    def _pictures(self, track: Element, lane: Lane, number: int, row: int) -> None:
        inward = {d.at: d for d in lane.dissolves}
        index = 0
        for place, event in enumerate(lane.events):
            before = inward.get(event.start)
            after = inward.get(event.end)
            if before is not None:
                self._dissolve(track, before)
            item = self._clip(track, event, "video", before, after)
            if item is None:
                continue
            index += 1
            self.items[number, place] = _Item(item, "video", row, index)
            if after is not None and not any(e.start == event.end for e in lane.events[place + 1 : place + 2]):
                self._dissolve(track, after)
        add(track, "enabled", "TRUE" if lane.enabled else "FALSE")
        add(track, "locked", "FALSE")

    def _sounds(self, audio: Element, lane: Lane, row: int) -> int:
        channels = 2 if self.exploded else 1
        rows = []
        for channel in range(1, channels + 1):
            extra = {}
            if self.exploded:
                extra = {"currentExplodedTrackIndex": channel - 1, "totalExplodedTrackCount": 2,
                         "premiereTrackType": "Stereo"}  # fmt: skip
            rows.append(add(audio, "track", **extra))
        for index, event in enumerate(lane.events):
            if event.source is None:
                continue
            made = []
            for channel, track in enumerate(rows, 1):
                element = self._clip(track, event, "audio", None, None, channel)
                assert element is not None
                made.append(_Item(element, "audio", row + channel, index + 1))
            mate = self.items.get((lane.mates, event.mate)) if lane.mates >= 0 else None
            if mate is not None:
                mate.group += made
            else:
                made[0].group = made[1:]
                self._link(made[0])
        for channel, track in enumerate(rows, 1):
            add(track, "enabled", "TRUE" if lane.enabled else "FALSE")
            add(track, "locked", "FALSE")
            add(track, "outputchannelindex", channel)
        return row + channels

    def _link(self, item: _Item) -> None:
        group = [item, *item.group]
        if len(group) < 2:
            return
        for one in group:
            for other in group:
                link = add(one.element, "link")
                add(link, "linkclipref", other.element.get("id"))
                add(link, "mediatype", other.kind)
                add(link, "trackindex", other.track)
                add(link, "clipindex", other.index)
                if other.kind == "audio":
                    add(link, "groupindex", 1)

    # ------------------------------------------------------------------ items

    def _clip(
        self,
        track: Element,
        event: Event,
        kind: str,
        before: Dissolve | None,
        after: Dissolve | None,
        channel: int = 1,
    ) -> Element | None:
        if event.title is not None:
            return self._title(track, event)
        source = event.source
        if source is None:
            return None
        rate = self.sheet.rate
        self.count += 1
        item = add(track, "clipitem", id=f"clipitem-{self.count}")
        if kind == "audio" and self.exploded:
            item.set("premiereChannelType", "stereo")
        add(item, "name", event.name)
        add(item, "enabled", "TRUE" if event.enabled else "FALSE")
        pace = abs(event.speed) or Fraction(1)
        length = self.lengths[source]
        add(item, "duration", frame_at(length / pace, rate))
        self._rate(item, rate)
        first, last = (before.before if before else 0), (after.after if after else 0)
        add(item, "start", -1 if before else event.start)
        add(item, "end", -1 if after else event.end)
        # Backwards, the file is counted from its end.
        begin = (length - event.into) / pace if event.speed < 0 else event.into / pace
        into = frame_at(begin, rate)
        add(item, "in", max(into - first, 0))
        add(item, "out", into + event.frames + last)
        self._file(item, source)
        if kind == "audio":
            trackinfo = add(item, "sourcetrack")
            add(trackinfo, "mediatype", "audio")
            add(trackinfo, "trackindex", channel)
        if event.speed != 1:
            item.append(self._remap(event, kind))
        if kind == "audio" and (event.gain or event.fade_in or event.fade_out):
            item.append(self._level(event, into))
        if kind == "video" and event.opacity < 1:
            item.append(_effect("Opacity", "opacity", "motion", "video", [("opacity", 0, 100, event.opacity * 100)]))
        colour = LABELS.get(named(event.colour)) if kind == "video" else None
        if colour:
            add(add(item, "labels"), "label2", colour)
        if event.note:
            add(add(item, "logginginfo"), "lognote", event.note)
        return item

    def _file(self, item: Element, source: Source) -> None:
        if source in self.known:
            add(item, "file", id=self.known[source])
            return
        name = self.known[source] = f"file-{len(self.known) + 1}"
        element = add(item, "file", id=name)
        add(element, "name", source.path.replace("\\", "/").rsplit("/", 1)[-1])
        add(element, "pathurl", file_url(source.path, host="localhost"))
        self._rate(element, source.rate)
        add(element, "duration", frame_at(self.lengths[source], source.rate))
        self._timecode(element, source.timecode, source.rate, drop=source.rate in DROP_RATES, reel=source.reel)
        media = add(element, "media")
        if source.picture:
            form = add(add(media, "video"), "samplecharacteristics")
            self._rate(form, source.rate)
            self._frame(form, source.width or self.sheet.width, source.height or self.sheet.height)
        if source.sound:
            audio = add(media, "audio")
            form = add(audio, "samplecharacteristics")
            add(form, "depth", 16)
            add(form, "samplerate", source.sample_rate)
            add(audio, "channelcount", source.channels)

    def _remap(self, event: Event, kind: str) -> Element:
        speed = float(abs(event.speed) * 100)
        return _effect(
            "Time Remap",
            "timeremap",
            "motion",
            kind,
            [
                ("variablespeed", 0, 1, 0),
                ("speed", -100000, 100000, f"{speed:g}" if speed else "0"),
                ("reverse", None, None, "TRUE" if event.speed < 0 else "FALSE"),
                ("frameblending", None, None, "FALSE"),
            ],
        )

    def _level(self, event: Event, into: int) -> Element:
        curve = amplitudes(event, self.sheet.rate)
        element = _effect(
            "Audio Levels", "audiolevels", "audiolevels", "audio", [("level", 0, 3.98109, f"{curve[0][1]:.6g}")]
        )
        parameter = element.find("effect/parameter")
        assert parameter is not None
        for time, factor in curve if len(curve) > 1 else ():
            key = add(parameter, "keyframe")
            add(key, "when", into + frame_at(time, self.sheet.rate))
            add(key, "value", f"{factor:.6g}")
        return element

    def _dissolve(self, track: Element, dissolve: Dissolve) -> None:
        item = add(track, "transitionitem")
        add(item, "start", dissolve.at - dissolve.before)
        add(item, "end", dissolve.at + dissolve.after)
        where = "center" if dissolve.before and dissolve.after else "end-black" if dissolve.before else "start-black"
        add(item, "alignment", where)
        self._rate(item, self.sheet.rate)
        effect = add(item, "effect")
        for tag, text in (
            ("name", "Cross Dissolve"), ("effectid", "Cross Dissolve"), ("effectcategory", "Dissolve"),
            ("effecttype", "transition"), ("mediatype", "video"), ("wipecode", 0), ("wipeaccuracy", 100),
            ("startratio", 0), ("endratio", 1), ("reverse", "FALSE"),
        ):  # fmt: skip
            add(effect, tag, text)

    def _title(self, track: Element, event: Event) -> Element:
        assert event.title is not None
        self.count += 1
        item = add(track, "generatoritem", id=f"clipitem-{self.count}")
        add(item, "name", event.name)
        add(item, "enabled", "TRUE" if event.enabled else "FALSE")
        add(item, "duration", event.frames)
        self._rate(item, self.sheet.rate)
        for tag, frame in (("start", event.start), ("end", event.end), ("in", 0), ("out", event.frames)):
            add(item, tag, frame)
        effect = add(item, "effect")
        for tag, text in (
            ("name", "Text"), ("effectid", "Text"), ("effectcategory", "Text"), ("effecttype", "generator"),
            ("mediatype", "video"),
        ):  # fmt: skip
            add(effect, tag, text)
        for name, value in (("str", event.title.text), ("fontsize", round(event.title.size * self.sheet.height))):
            parameter = add(effect, "parameter")
            add(parameter, "parameterid", name)
            add(parameter, "name", name)
            add(parameter, "value", value)
        return item

    def _marker(self, sequence: Element, mark: Mark) -> None:
        marker = add(sequence, "marker")
        add(marker, "name", mark.name)
        add(marker, "comment", mark.kind)
        add(marker, "in", mark.frame)
        add(marker, "out", mark.frame + mark.frames if mark.frames else -1)
        red, green, blue = _COLOURS.get(mark.colour, _COLOURS["GREEN"])
        colour = add(marker, "color")
        for tag, value in (("alpha", 0), ("red", red), ("green", green), ("blue", blue)):
            add(colour, tag, value)

    # ------------------------------------------------------------------ small parts

    def _rate(self, parent: Element, rate: Fraction) -> None:
        element = add(parent, "rate")
        add(element, "timebase", nominal(rate))
        add(element, "ntsc", "TRUE" if rate.denominator == 1001 else "FALSE")

    def _timecode(self, parent: Element, frame: int, rate: Fraction, *, drop: bool, reel: str = "") -> None:
        element = add(parent, "timecode")
        self._rate(element, rate)
        add(element, "string", label(frame, rate, drop=drop))
        add(element, "frame", frame)
        add(element, "displayformat", "DF" if drop else "NDF")
        if reel:
            add(add(element, "reel"), "name", reel)

    def _frame(self, parent: Element, width: int, height: int) -> None:
        for tag, value in (
            ("width", width), ("height", height), ("anamorphic", "FALSE"), ("pixelaspectratio", "square"),
            ("fielddominance", "none"),
        ):  # fmt: skip
            add(parent, tag, value)


def _effect(
    name: str, key: str, category: str, kind: str, parameters: list[tuple[str, float | None, float | None, object]]
) -> Element:
    root = Element("filter")
    effect = add(root, "effect")
    for tag, text in (
        ("name", name), ("effectid", key), ("effectcategory", category), ("effecttype", category), ("mediatype", kind),
    ):  # fmt: skip
        add(effect, tag, text)
    for identity, low, high, value in parameters:
        parameter = add(effect, "parameter", authoringApp="PremierePro")
        add(parameter, "parameterid", identity)
        add(parameter, "name", identity)
        if low is not None:
            add(parameter, "valuemin", low)
            add(parameter, "valuemax", high)
        add(parameter, "value", value)
    return root
