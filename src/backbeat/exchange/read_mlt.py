# SPDX-License-Identifier: Apache-2.0
"""Read MLT XML, of Shotcut, Kdenlive or ourselves."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

from backbeat.errors import InputError
from backbeat.exchange.colours import KIND_COLOURS, named
from backbeat.exchange.gather import is_sound_name
from backbeat.exchange.sheet import ONE, ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.model.time import frame_at
from backbeat.model.timeline import Title

_GUIDES = {1: "downbeat", 2: "beat", 3: "section", 4: "hit", 5: "cue", 6: "note", 7: "speed"}


def read_mlt(root: Element, path: Path) -> Sheet:
    """Return what the document's main tractor plays.

    Raises
    ------
    InputError
        If there is none.
    """
    return _Reader(root, path).sheet()


def fields(element: Element) -> dict[str, str]:
    """Return an element's own MLT properties."""
    return {p.get("name", ""): p.text or "" for p in element.findall("property")}


class _Reader:
    def __init__(self, root: Element, path: Path) -> None:
        self.path = path
        self.root = root
        self.named = {e.get("id", ""): e for e in root.iter() if e.get("id")}
        profile = root.find("profile")
        profile = profile if profile is not None else Element("profile")
        top, bottom = int(profile.get("frame_rate_num", 25)), int(profile.get("frame_rate_den", 1))
        self.rate = Fraction(top, bottom)
        self.size = (int(profile.get("width", 1920)), int(profile.get("height", 1080)))
        base = root.get("root", "")
        self.folder = Path(base) if base else path.parent
        self.sources: dict[str, Source] = {}

    def sheet(self) -> Sheet:
        tractors = [t for t in self.root.findall("tractor") if t.find("track") is not None]
        if not tractors:
            raise InputError(f"{self.path}: no time line in it", "save the project again")
        used = {t.get("producer") for x in tractors for t in x.findall("track")}
        used |= {e.get("producer") for e in self.root.iter("entry")}
        main = next((t for t in reversed(tractors) if t.get("id") not in used), tractors[-1])
        lanes, heard = [], []
        for track in main.findall("track"):
            place = self.named.get(track.get("producer", ""))
            if place is None or place.get("id") in {"background", "black_track"} or place.tag == "producer":
                continue
            lane, own = self._track(place, track.get("hide", ""))
            lanes.append(lane)
            if own:
                heard.append(Lane("sound", tuple(own)))
        # Kdenlive counts from the bottom up, sound first.
        ordered = [x for x in lanes if x.picture]
        ordered += [*heard, *(x for x in (lanes[::-1] if self._kdenlive() else lanes) if not x.picture)]
        ordered = [self._known(x) for x in ordered]
        marks = self._marks(main)
        out = main.get("out")
        end = max((e.end for lane in ordered for e in lane.events), default=0)
        frames = self._frame(out) + 1 if out else end
        name = self.root.get("title", "") or self.path.stem
        return Sheet(name, self.rate, *self.size, frames, tuple(ordered), marks)

    def _known(self, lane: Lane) -> Lane:
        """Return `lane` with all that was learnt of its sources by the end."""
        known = {s.path: s for s in self.sources.values()}
        events = tuple(replace(e, source=known[e.source.path]) if e.source else e for e in lane.events)
        music = lane.kind == "sound" and events and not any(e.source is None or e.source.picture for e in events)
        return replace(lane, events=events, kind="music" if music else lane.kind)

    def _kdenlive(self) -> bool:
        return "main_bin" in self.named

    def _frame(self, text: str) -> int:
        """Read a position: frames, or ``hh:mm:ss.mmm``."""
        if ":" not in text:
            return int(float(text))
        parts = text.replace(",", ".").split(":")
        return frame_at(sum(Fraction(p) * 60**i for i, p in enumerate(reversed(parts))), self.rate)

    # ------------------------------------------------------------------ tracks

    def _track(self, place: Element, hide: str) -> tuple[Lane, list[Event]]:
        own = fields(place)
        dissolves: list[Dissolve] = []
        mixes: list[Dissolve] = []
        heard: list[Event] = []
        rows = [place]
        if place.tag == "tractor":
            hidden = [t.get("hide", "") for t in place.findall("track")]
            rows = [
                self.named[t.get("producer", "")] for t in place.findall("track") if t.get("producer") in self.named
            ]
            hide = hide or ("both" if hidden and all(h == "both" for h in hidden) else "")
        sound = any(fields(x).get(k) == "1" for x in (place, *rows) for k in ("kdenlive:audio_track", "shotcut:audio"))
        events: list[Event] = []
        for row in rows:
            mine, cuts, audible = self._playlist(row, sound=sound)
            events += mine
            dissolves += cuts
            heard += audible
        for change in place.findall("transition"):
            told = fields(change)
            if told.get("mlt_service") in {"luma", "mix"} and told.get("kdenlive:mixcut"):
                first, last = self._frame(change.get("in", "0")), self._frame(change.get("out", "0")) + 1
                at = last - int(told["kdenlive:mixcut"])
                mixes.append(Dissolve(at, at - first, last - at))
        dissolves += mixes
        events.sort(key=lambda e: e.start)
        if place.tag == "tractor":
            events = self._parted(events, mixes)
        name = own.get("shotcut:name") or own.get("kdenlive:track_name", "")
        off = hide == "both"
        kind = "sound" if sound else "alternates" if off and name == "Alternates" else "picture"
        if kind == "alternates":
            events = [replace(e, enabled=False) for e in events]
        order = tuple(sorted(dissolves, key=lambda d: d.at))
        return Lane(kind, tuple(events), name, enabled=not off, dissolves=order), heard

    def _parted(self, events: list[Event], dissolves: list[Dissolve]) -> list[Event]:
        """Take the overlaps of dissolves off both clips, so that they meet at the cut."""
        found = []
        for event in events:
            for cut in dissolves:
                if event.start == cut.at - cut.before:
                    into = event.at(cut.before / self.rate)
                    event = replace(event, start=cut.at, frames=event.frames - cut.before, into=into)  # noqa: PLW2901
                elif event.end == cut.at + cut.after:
                    event = replace(event, frames=event.frames - cut.after)  # noqa: PLW2901
            found.append(event)
        return found

    def _playlist(self, row: Element, *, sound: bool) -> tuple[list[Event], list[Dissolve], list[Event]]:
        events: list[Event] = []
        dissolves: list[Dissolve] = []
        heard: dict[int, Event] = {}
        at, held = 0, 0
        for item in row:
            if item.tag == "blank":
                at += self._frame(item.get("length", "0"))
                continue
            if item.tag != "entry":
                continue
            into = self._frame(item.get("in", "0"))
            frames = self._frame(item.get("out", str(into))) - into + 1
            place = self.named.get(item.get("producer", ""))
            if place is None:
                at += frames
                continue
            if place.tag == "tractor" and len(place.findall("track")) == 2:
                before = frames // 2
                if events and events[-1].end == at:
                    events[-1] = replace(events[-1], frames=events[-1].frames + before)
                dissolves.append(Dissolve(at + before, before, frames - before))
                held, at = frames - before, at + frames
                continue
            event = self._event(place, at, into, frames)
            if event is not None:
                if held:
                    first = event.at(-held / self.rate)
                    event = replace(event, start=event.start - held, frames=event.frames + held, into=first)
                dissolves += self._black(item, event) or self._black(place, event)
                level = self._level(item) or self._level(place)
                if sound:
                    event = replace(event, gain=level[0], fade_in=level[1], fade_out=level[2]) if level else event
                elif self._audible(place, event):
                    heard[len(events)] = replace(event, gain=level[0] if level else (), note="")
                events.append(event)
            held = 0
            at += frames
        own = [
            replace(e, start=events[i].start, frames=events[i].frames, into=events[i].into) for i, e in heard.items()
        ]
        return events, dissolves, own

    def _audible(self, place: Element, event: Event) -> bool:
        told = fields(place)
        mute = told.get("audio_index") == "-1" or told.get("astream") == "-1" or told.get("set.test_audio") == "1"
        return not mute and not self._kdenlive() and event.title is None

    def _event(self, place: Element, at: int, into: int, frames: int) -> Event | None:
        told = fields(place)
        service = told.get("mlt_service", "")
        name = told.get("shotcut:caption") or told.get("kdenlive:clipname", "")
        base = Event(at, frames, None, name=name, note=told.get("shotcut:comment", ""))
        if service == "color":
            words = next((fields(f) for f in place.findall("filter") if "argument" in fields(f)), None)
            return replace(base, title=Title(words["argument"])) if words else None
        resource = told.get("warp_resource") or told.get("resource", "")
        if not resource:
            return None
        length = self._frame(told.get("length", "0"))
        speed = Fraction(told.get("warp_speed") or "1").limit_denominator(1_000_000)
        whole = frame_at(length * abs(speed) / self.rate, self.rate) if length else 0
        link = next((fields(x) for x in place.findall("link")), {})
        line = link.get("time_map") or link.get("map") or ""
        if line:  # the chain is as long as the map, the file as long as what the map reaches
            whole = frame_at(max(Fraction(part.split("=")[1]) for part in line.split(";")), self.rate)
        source = self._source(resource, told, whole)
        for look in (fields(f) for f in place.findall("filter")):
            if look.get("mlt_service") == "brightness" and look.get("alpha", "1") != "1":
                base = replace(base, opacity=float(look["alpha"].split("=")[-1]))
        if line:
            return self._mapped(replace(base, source=source), line, into)
        if speed < 0:
            return replace(base, source=source, speed=speed, into=whole / self.rate + (into + 1) / self.rate * speed)
        return replace(base, source=source, speed=speed, into=into / self.rate * speed)

    def _mapped(self, event: Event, line: str, into: int) -> Event:
        half = Fraction(1, 2) / self.rate
        pairs = [part.split("=") for part in line.split(";") if "=" in part]
        points = [(self._frame(k.rstrip("|~")) / self.rate, max(Fraction(v) - half, ZERO)) for k, v in pairs]
        points = [p for i, p in enumerate(points) if i == 0 or p[0] > points[i - 1][0]]
        whole = Event(0, 1, None, keys=tuple(points))
        start, length = into / self.rate, event.frames / self.rate
        inside = [t for t, _ in points if start < t < start + length]
        keys = tuple((t - start, whole.at(t) - whole.at(start)) for t in (start, *inside, start + length))
        speed = keys[-1][1] / length if length else ONE
        paces = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(keys)]
        event = replace(event, into=whole.at(start), speed=speed)
        return event if max(paces) - min(paces) < Fraction(1, 1000) else replace(event, keys=keys)

    def _black(self, place: Element, event: Event) -> list[Dissolve]:
        """Return fades from and to black as one-sided dissolves."""
        found = []
        for element in place.findall("filter"):
            told = fields(element)
            line = told.get("level", "")
            if told.get("mlt_service") == "brightness" and "=" in line and element.get("out"):
                long = self._frame(element.get("out", "0")) - self._frame(element.get("in", "0")) + 1
                first, last = (float(part.split("=")[1]) for part in (line.split(";")[0], line.split(";")[-1]))
                from_black = first < last
                found.append(Dissolve(event.start, 0, long) if from_black else Dissolve(event.end, long, 0))
        return found

    def _level(self, place: Element) -> tuple[tuple[tuple[Fraction, float], ...], Fraction, Fraction] | None:
        gain: tuple[tuple[Fraction, float], ...] = ()
        fades = {"in": ZERO, "out": ZERO}
        found = False
        for element in place.findall("filter"):
            told = fields(element)
            if told.get("mlt_service") != "volume" or told.get("internal_added"):
                continue
            found = True
            if "level" in told:
                pairs = [p.split("=") for p in told["level"].split(";")]
                gain = tuple(
                    (self._frame(p[0].rstrip("|~")) / self.rate if len(p) > 1 else ZERO, float(p[-1])) for p in pairs
                )
            elif "end" in told and element.get("out"):
                long = self._frame(element.get("out", "0")) - self._frame(element.get("in", "0")) + 1
                fades["in" if float(told.get("gain", 1)) == 0 else "out"] = long / self.rate
        return (gain, fades["in"], fades["out"]) if found else None

    def _source(self, resource: str, told: dict[str, str], frames: int) -> Source:
        if resource not in self.sources:
            self.sources[resource] = Source(local_path(resource, self.folder), self.rate, frames, picture=False)
        known = self.sources[resource]
        seen = told.get("video_index") != "-1" and told.get("kdenlive:clip_type") != "1"
        if is_sound_name(known.path):
            seen = False
        self.sources[resource] = replace(known, frames=max(frames, known.frames), picture=known.picture or seen)
        return self.sources[resource]

    # ------------------------------------------------------------------ marks

    def _marks(self, main: Element) -> tuple[Mark, ...]:
        found = []
        for one in (x for g in main.findall("properties") if g.get("name") == "shotcut:markers" for x in g):
            told = fields(one)
            first, last = (self._frame(told.get(k, "0")) for k in ("start", "end"))
            colour = named(told.get("color", ""))
            kind = next((k for k, c in KIND_COLOURS.items() if c == colour), "note")
            found.append(Mark(first, last - first, told.get("text", ""), kind, colour, first / self.rate))
        bin_fields = fields(self.named["main_bin"]) if self._kdenlive() else {}
        guides = bin_fields.get("kdenlive:docproperties.guides", "") or fields(main).get(
            "kdenlive:sequenceproperties.guides", ""
        )
        try:
            listed = json.loads(guides) if guides.strip() else []
        except ValueError:
            listed = []
        for guide in listed:
            kind = _GUIDES.get(int(guide.get("type", 0)), "note")
            at = int(guide.get("pos", 0))
            found.append(Mark(at, 0, str(guide.get("comment", "")), kind, KIND_COLOURS[kind], at / self.rate))
        return tuple(sorted(found, key=lambda m: m.frame))
