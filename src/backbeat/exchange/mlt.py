# SPDX-License-Identifier: Apache-2.0
"""MLT XML, what Shotcut saves and ``melt`` plays.

All positions are frames of the profile. MLT knows no source timecode: in-points count from the file's first picture.
A constant speed is a ``timewarp`` producer whose positions are those of the retimed file; an eased one a chain with a
``timeremap`` link. A dissolve is a small tractor inside the track. Own sound stays inside its picture's clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from backbeat.exchange.colours import RGB
from backbeat.exchange.lengths import lengths, whole_map
from backbeat.exchange.sheet import Dissolve, Event, Lane, Sheet, Source
from backbeat.exchange.urls import absolute, is_windows
from backbeat.exchange.xmlio import add, write
from backbeat.model.time import frame_at


def mlt(sheet: Sheet, folder: Path | None = None) -> bytes:
    """Return the document of `sheet`; media beneath `folder`, where the file will lie, are named relative to it."""
    doc = Document(sheet, folder)
    tracks = [doc.background()]
    for number, lane in enumerate(sheet.lanes):
        if lane.mates < 0:
            tracks.append(_track(doc, lane, number))
    main = add(doc.root, "tractor", id="tractor0", title="backbeat", in_=0, out=max(sheet.frames - 1, 0))
    properties(main, {"shotcut": 1, "shotcut:projectAudioChannels": 2, "shotcut:projectFolder": 0})
    _markers(main, sheet)
    for name, kind, on in tracks:
        hide = {"picture": None if on else "both", "sound": "video" if on else "both", "background": "audio"}[kind]
        add(main, "track", producer=name, hide=hide)
    for row, (_, kind, _) in enumerate(tracks[1:], 1):
        mix = add(main, "transition")
        properties(mix, {"a_track": 0, "b_track": row, "mlt_service": "mix", "always_active": 1, "sum": 1})
        if kind == "picture":
            blend = add(main, "transition")
            lowest = all(k != "picture" for _, k, _ in tracks[1:row])
            fields = {"a_track": 0 if lowest else 1, "b_track": row, "mlt_service": "qtblend", "threads": 0}
            properties(blend, {**fields, **({"disable": 1} if lowest else {})})
    return write(doc.root)


def _track(doc: Document, lane: Lane, number: int) -> tuple[str, str, bool]:
    kind = "picture" if lane.picture else "sound"
    entries = [_entry(doc, lane, number, i) for i in range(len(lane.events))]
    name = f"playlist{number}"
    playlist = Element("playlist", id=name)
    properties(playlist, {"shotcut:video" if lane.picture else "shotcut:audio": 1, "shotcut:name": lane.name})
    at = 0
    dissolves = {d.at: d for d in lane.dissolves}
    for index, event in enumerate(lane.events):
        here = entries[index]
        before, after = dissolves.get(event.start), dissolves.get(event.end)
        follows = index + 1 < len(lane.events) and lane.events[index + 1].start == event.end
        touches = index > 0 and lane.events[index - 1].end == event.start
        first = event.start + (before.after if before and touches else 0)
        last = event.end - (after.before if after and follows else 0)
        if event.start > at:
            add(playlist, "blank", length=event.start - at)
        if before is not None and touches:
            between = doc.dissolve(entries[index - 1], lane.events[index - 1], here, event, before)
            add(playlist, "entry", producer=between, in_=0, out=before.frames - 1)
        if here is None:  # a clip that is off, on a lane that is on
            add(playlist, "blank", length=last - first)
        elif last > first:
            into = here[1] + first - event.start
            add(playlist, "entry", producer=here[0], in_=into, out=into + last - first - 1)
        at = event.end
    doc.root.append(playlist)
    return name, kind, lane.enabled


def _entry(doc: Document, lane: Lane, number: int, index: int) -> tuple[str, int] | None:
    event = lane.events[index]
    if (not event.enabled and lane.enabled) or (event.source is None and event.title is None):
        return None
    heard = doc.heard.get((number, index)) if lane.picture else event
    name, into, element = doc.producer(event, sound=heard is not None, picture=lane.picture)
    if heard is not None and heard.enabled:
        doc.level(element, heard, into)
    if lane.picture:
        doc.black(element, lane, event, into)
    if event.opacity < 1 and lane.picture:
        look = add(element, "filter", in_=into, out=into + event.frames - 1)
        properties(look, {"mlt_service": "brightness", "level": 1, "alpha": f"{event.opacity:g}"})
    properties(element, {"shotcut:caption": event.name, "shotcut:comment": event.note})
    return name, into


def _markers(main: Element, sheet: Sheet) -> None:
    group = add(main, "properties", name="shotcut:markers")
    for number, mark in enumerate(sheet.marks):
        one = add(group, "properties", name=number)
        red, green, blue = RGB.get(mark.colour, RGB["GREEN"])
        fields = {
            "text": mark.name, "start": clock(mark.frame, sheet.rate),
            "end": clock(mark.frame + mark.frames, sheet.rate),
            "color": f"#{red:02x}{green:02x}{blue:02x}",
        }  # fmt: skip
        properties(one, fields)


class Document:
    """The producers of an edit, shared by Shotcut's and Kdenlive's ways of arranging them."""

    def __init__(self, sheet: Sheet, folder: Path | None) -> None:
        self.sheet = sheet
        self.folder = Path(absolute(str(folder))) if folder else None
        self.root = Element("mlt", LC_NUMERIC="C", version="7.12.0", title=sheet.name)
        self.lengths = lengths(sheet)
        self.heard = sheet.heard()
        self.count = 0
        rate, width, height = sheet.rate, sheet.width, sheet.height
        aspect = Fraction(width, height)
        add(
            self.root, "profile", description="backbeat", width=width, height=height, progressive=1,
            sample_aspect_num=1, sample_aspect_den=1, display_aspect_num=aspect.numerator,
            display_aspect_den=aspect.denominator, frame_rate_num=rate.numerator, frame_rate_den=rate.denominator,
            colorspace=709,
        )  # fmt: skip

    def background(self) -> tuple[str, str, bool]:
        """Append a black track as long as the film."""
        last = max(self.sheet.frames - 1, 0)
        black = add(self.root, "producer", id="black", in_=0, out=last)
        properties(black, {"length": last + 1, "eof": "pause", "resource": 0, "aspect_ratio": 1, "mlt_service": "color",
                           "mlt_image_format": "rgba", "set.test_audio": 0})  # fmt: skip
        add(add(self.root, "playlist", id="background"), "entry", producer="black", in_=0, out=last)
        return "background", "background", True

    def resource(self, source: Source) -> str:
        """Return the path as MLT reads it: no URL, relative to the document where it lies beneath."""
        path = source.path
        if is_windows(path):
            return path.replace("\\", "/")
        path = absolute(path)
        if self.folder is not None and Path(path).is_relative_to(self.folder):
            return str(Path(path).relative_to(self.folder))
        return path

    def producer(
        self, event: Event, *, sound: bool = True, picture: bool = True, extra: Mapping[str, object] | None = None
    ) -> tuple[str, int, Element]:
        """Append what plays an event; return its name, the position of the event's start in it, and the element."""
        self.count += 1
        name = f"clip{self.count}"
        if event.source is None:
            return name, 0, self._title(name, event)
        rate, source = self.sheet.rate, event.source
        path, length = self.resource(source), self.lengths[source]
        streams: dict[str, object] = dict(extra or {})
        if not sound and source.sound:
            streams |= {"audio_index": -1, "astream": -1, "set.test_audio": 1}
        if not picture and source.picture:
            streams |= {"video_index": -1, "vstream": -1, "set.test_image": 1}
        if source.still:  # MLT finds out what reads pictures on the machine
            element = add(self.root, "producer", id=name, in_=0, out=event.frames - 1)
            properties(element, {"length": event.frames, "eof": "pause", "resource": path, **streams})
            return name, 0, element
        if event.keys or event.speed == 0:
            start, points = whole_map(event, length, rate)
            count = frame_at(points[-1][0], rate) + 1
            element = add(self.root, "chain", id=name, out=count - 1)
            properties(
                element, {"length": count, "eof": "pause", "resource": path, "mlt_service": "avformat", **streams}
            )
            # The link shows the picture that has begun, not the nearest: half a picture later it is the nearest.
            half = Fraction(1, 2) / source.rate - Fraction(1, 100_000)
            line = ";".join(f"{frame_at(t, rate)}={float(v + half):.6f}" for t, v in points)
            # MLT before 7.14 knows the map as "map".
            link = {"mlt_service": "timeremap", "map": line, "time_map": line, "image_mode": "nearest", "pitch": 1}
            properties(add(element, "link"), link)
            return name, frame_at(start, rate), element
        if event.speed != 1:
            pace = float(event.speed)
            count = frame_at(length / abs(event.speed), rate)
            element = add(self.root, "producer", id=name, in_=0, out=count - 1)
            fields = {"length": count, "eof": "pause", "resource": f"{pace:g}:{path}", "mlt_service": "timewarp",
                      "warp_speed": f"{pace:.10g}", "warp_resource": path, "warp_pitch": 1}  # fmt: skip
            properties(element, {**fields, **streams})
            # Backwards, positions count from the file's end.
            first = (length - event.into) / -event.speed - 1 / rate if event.speed < 0 else event.into / event.speed
            return name, max(frame_at(first, rate), 0), element
        count = frame_at(length, rate)
        element = add(self.root, "producer", id=name, in_=0, out=count - 1)
        properties(element, {"length": count, "eof": "pause", "resource": path, "mlt_service": "avformat", **streams})
        return name, frame_at(event.into, rate), element

    def _title(self, name: str, event: Event) -> Element:
        assert event.title is not None
        title = event.title
        element = add(self.root, "producer", id=name, in_=0, out=event.frames - 1)
        ground = title.background if title.kind == "card" else "#00000000"
        properties(element, {"length": event.frames, "eof": "pause", "resource": ground, "mlt_service": "color",
                             "mlt_image_format": "rgba"})  # fmt: skip
        size = round(title.size * self.sheet.height)
        properties(add(element, "filter", in_=0, out=event.frames - 1), {
            "mlt_service": "dynamictext", "argument": title.text, "geometry": "0 0 100% 100%", "family": "Sans",
            "size": size, "fgcolour": title.colour, "bgcolour": "#00000000", "halign": "center",
            "valign": "middle" if title.kind == "card" else "bottom",
        })  # fmt: skip
        return element

    def dissolve(
        self,
        out: tuple[str, int] | None,
        leaving: Event,
        into: tuple[str, int] | None,
        coming: Event,
        dissolve: Dissolve,
    ) -> str:
        """Append a tractor that goes from one clip to the next; return its name."""
        self.count += 1
        name, last = f"dissolve{self.count}", dissolve.frames - 1
        tractor = Element("tractor", {"id": name, "in": "0", "out": str(last)})
        properties(tractor, {"shotcut:transition": "lumaMix"})
        begin = dissolve.at - dissolve.before
        for place, event in ((out, leaving), (into, coming)):
            if place is None:
                add(tractor, "track", producer="black", in_=0, out=last)
            else:
                at = max(place[1] + begin - event.start, 0)
                add(tractor, "track", producer=place[0], in_=at, out=at + last)
        luma = {"a_track": 0, "b_track": 1, "factory": "loader", "mlt_service": "luma"}
        properties(add(tractor, "transition", in_=0, out=last), luma)
        mix = {"a_track": 0, "b_track": 1, "start": -1, "accepts_blanks": 1, "mlt_service": "mix"}
        properties(add(tractor, "transition", in_=0, out=last), mix)
        self.root.append(tractor)
        return name

    def black(self, element: Element, lane: Lane, event: Event, into: int) -> None:
        """Append the film's fade from or to black, where the event has one; keys count from the filter's in-point."""
        for fade in lane.dissolves:
            # A picture has the level of its middle.
            low, high = 0.5 / max(fade.frames, 1), 1 - 0.5 / max(fade.frames, 1)
            if not fade.before and fade.at == event.start:
                first, line = into, f"0={low:.4f};{fade.after - 1}={high:.4f}"
            elif not fade.after and fade.at == event.end:
                first, line = into + event.frames - fade.before, f"0={high:.4f};{fade.before - 1}={low:.4f}"
            else:
                continue
            look = add(element, "filter", in_=first, out=first + fade.frames - 1)
            properties(look, {"mlt_service": "brightness", "level": line, "alpha": 1})

    def level(self, element: Element, event: Event, into: int) -> None:
        """Append the event's level and fades; keys count from the filter's in-point."""
        rate, last = self.sheet.rate, into + event.frames - 1
        if event.gain and (len(event.gain) > 1 or event.gain[0][1]):
            line = ";".join(f"{frame_at(t, rate)}={db:g}" for t, db in event.gain)
            level = add(element, "filter", in_=into, out=last)
            properties(
                level, {"mlt_service": "volume", "level": line if len(event.gain) > 1 else f"{event.gain[0][1]:g}"}
            )
        if event.fade_in:
            fade = add(element, "filter", in_=into, out=into + max(frame_at(event.fade_in, rate), 1) - 1)
            properties(fade, {"mlt_service": "volume", "gain": 0, "end": 1})
        if event.fade_out:
            fade = add(element, "filter", in_=last - max(frame_at(event.fade_out, rate), 1) + 1, out=last)
            properties(fade, {"mlt_service": "volume", "gain": 1, "end": 0})


def properties(element: Element, fields: Mapping[str, object]) -> None:
    """Append MLT properties; empty texts are left out."""
    for name, value in fields.items():
        if value != "":
            add(element, "property", value, name=name)


def clock(frame: int, rate: Fraction) -> str:
    """Return ``hh:mm:ss.mmm`` of a frame's start."""
    ms = round(frame * 1000 / rate)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
