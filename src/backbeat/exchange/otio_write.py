# SPDX-License-Identifier: Apache-2.0
"""A `Timeline` as OpenTimelineIO's JSON.

The JSON is written straight, a line a clip, for the library's own containers cost twenty times as much; the schemas
are those of OpenTimelineIO 0.18, and tests read every file back with the library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from backbeat.exchange.colours import RGB, named
from backbeat.exchange.draw import draw
from backbeat.exchange.sheet import Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import relative_url
from backbeat.model.codec import SCHEMA, to_plain
from backbeat.model.timeline import Clip, Timeline, Track

OWN = "backbeat"
Json = dict[str, Any]


def urls_of(timeline: Timeline, folder: Path) -> dict[str, str]:
    """Return the URL of every file that `timeline` names, relative to `folder` where it lies beneath."""
    clips = [c for t in timeline.tracks for c in t.clips]
    paths = [
        *(m.path for m in timeline.takes), *(c.take for c in clips), *(c.path for c in timeline.cues),
        *(a.take for c in clips for a in c.alternates),
    ]  # fmt: skip
    return {p: relative_url(p, folder) for p in dict.fromkeys(paths) if p}


def build(timeline: Timeline, urls: dict[str, str]) -> Json:
    """Return the document; `urls` are those of `urls_of`. Its seal tells `load` whether anybody changed the edit."""
    sheet = draw(timeline)
    tracks = [_track(x, sheet, urls, timeline.tracks[x.track] if x.track >= 0 else None) for x in sheet.lanes]
    markers = []
    for mark in sheet.marks:
        plain = to_plain(timeline.markers[mark.origin]) if mark.origin >= 0 else {"kind": mark.kind}
        markers.append(_marker(mark, sheet.rate, {"origin": mark.origin, "marker": plain}))
    own = {"schema": SCHEMA, "urls": urls, "timeline": to_plain(replace(timeline, tracks=(), markers=()))}
    document = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": timeline.name,
        "global_start_time": _time(timeline.start_timecode, timeline.rate),
        "metadata": {OWN: own},
        "tracks": _thing("Stack.1", "tracks", source_range=None, effects=[], markers=markers, children=tracks),
    }
    own["seal"] = seal(document)
    return document


def text(value: Any) -> str:
    """Return JSON with sorted keys, a line for every clip, gap, marker and track."""
    schema = str(value.get("OTIO_SCHEMA", "")).split(".")[0] if isinstance(value, dict) else ""
    if schema in {"Timeline", "Stack", "Track"}:
        return "{\n" + ",\n".join(f"{json.dumps(k)}: {text(v)}" for k, v in sorted(value.items())) + "\n}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(text(v) for v in value) + "\n]"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def seal(document: Json) -> str:
    """Return a digest of everything in `document` but metadata: what another program may have changed."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if k != "metadata"}
        return [bare(v) for v in value] if isinstance(value, list) else value

    return hashlib.sha256(json.dumps(bare(document), sort_keys=True).encode()).hexdigest()


def clip_item(clip: Clip, event: Event, rate: Fraction, url: str, *, sound: bool = False) -> Json:
    """Return `clip`, whose plain view is `event`, with all of ours in its metadata."""
    item = _item(event, rate, url, sound=sound)
    item["metadata"] = {OWN: {"reason": clip.reason, "clip": to_plain(clip)}}
    return item


def facts(item: Json) -> tuple[Any, ...]:
    """Return what another program may have changed in a clip, for comparison."""
    span = item.get("source_range")
    reference = item.get("media_references", {}).get(item.get("active_media_reference_key"), {})
    return (
        (span["start_time"]["value"], span["start_time"]["rate"], _seconds(span["duration"])) if span else None,
        pace(item),
        reference.get("target_url", ""),
        item.get("enabled", True),
    )


def pace(item: Json) -> list[float]:
    """Return the speeds of a clip's time warps."""
    return [e["time_scalar"] for e in item.get("effects", []) if "time_scalar" in e]


def told(track: Json) -> list[Any]:
    """Return everything of a track that another program may have changed."""
    found: list[Any] = [track.get("enabled", True)]
    for item in track.get("children", []):
        if "in_offset" in item:
            found.append((_seconds(item["in_offset"]), _seconds(item["out_offset"])))
        elif item["OTIO_SCHEMA"].startswith("Clip."):
            found.append((has_own(item), facts(item)))
        else:
            found.append((item["OTIO_SCHEMA"], item.get("source_range")))
    return found


def has_own(item: Json) -> bool:
    """Whether `item` is a clip with our notes in it."""
    return "clip" in (item.get("metadata", {}).get(OWN) or {})


def _seconds(time: Json) -> float:
    return round(float(time["value"]) / float(time["rate"]), 9)


def _thing(schema: str, name: str, **fields: Any) -> Json:
    return {"OTIO_SCHEMA": schema, "name": name, "metadata": {}, "enabled": True, **fields}


def _track(lane: Lane, sheet: Sheet, urls: dict[str, str], own: Track | None) -> Json:
    notes: Json = {"index": lane.track, "kind": lane.kind}
    if own:
        notes["track"] = to_plain(replace(own, clips=()))
    return _thing(
        "Track.1",
        lane.name,
        kind="Video" if lane.picture else "Audio",
        enabled=lane.enabled,
        source_range=None,
        effects=[],
        markers=[],
        metadata={OWN: notes},
        children=list(_children(lane, sheet, urls, own)),
    )


def _children(lane: Lane, sheet: Sheet, urls: dict[str, str], own: Track | None) -> Iterator[Json]:
    dissolves = {d.at: d for d in lane.dissolves}
    at = 0

    def dissolve(frame: int) -> Iterator[Json]:
        found = dissolves.pop(frame, None)
        if found is not None:
            offsets = {"in_offset": _time(found.before, sheet.rate), "out_offset": _time(found.after, sheet.rate)}
            change = _thing("Transition.1", "dissolve", transition_type="SMPTE_Dissolve", **offsets)
            del change["enabled"]
            yield change

    for index, event in enumerate(lane.events):
        if event.start > at:
            yield from dissolve(at)
            span = _range(0, event.start - at, sheet.rate)
            yield _thing("Gap.1", "", source_range=span, effects=[], markers=[])
        yield from dissolve(event.start)
        url = urls[event.source.path] if event.source else ""
        if own:
            yield clip_item(own.clips[index], event, sheet.rate, url, sound=not lane.picture)
        else:
            yield _item(event, sheet.rate, url, sound=not lane.picture)
        at = event.end
    yield from dissolve(at)


def _item(event: Event, rate: Fraction, url: str, *, sound: bool) -> Json:
    first, clock = event.into, event.source.rate if event.source and event.source.picture else rate
    if event.speed < 0:  # OpenTimelineIO's ranges begin at the earliest picture
        first = event.at(Fraction(event.frames, 1) / rate)
    begins = {"OTIO_SCHEMA": "RationalTime.1", "rate": float(clock), "value": float((first + _offset(event)) * clock)}
    effects = []
    if event.keys or event.speed != 1:
        freeze = event.speed == 0 and not event.keys
        schema = "FreezeFrame" if freeze else "LinearTimeWarp"
        warp = _thing(f"{schema}.1", "speed", effect_name=schema, time_scalar=float(event.speed))
        if event.keys:
            warp["metadata"] = {OWN: {"keys": [[float(r), float(s)] for r, s in event.keys]}}
        effects.append(warp)
    if sound and (event.gain or event.fade_in or event.fade_out):
        level = {
            "gain_db": [[float(t), db] for t, db in event.gain],
            "fade_in": float(event.fade_in),
            "fade_out": float(event.fade_out),
        }
        effects.append(_thing("Effect.1", "level", effect_name="AudioGain", metadata={OWN: level}))
    item = _thing(
        "Clip.2",
        event.name,
        enabled=event.enabled,
        source_range={"OTIO_SCHEMA": "TimeRange.1", "start_time": begins, "duration": _time(event.frames, rate)},
        effects=effects,
        markers=[],
        media_references={"DEFAULT_MEDIA": _reference(event, url)},
        active_media_reference_key="DEFAULT_MEDIA",
    )
    colour = RGB.get(named(event.colour))
    if colour and not sound:
        red, green, blue = (round(c / 255, 4) for c in colour)
        name = named(event.colour)
        item["color"] = {"OTIO_SCHEMA": "Color.1", "name": name, "r": red, "g": green, "b": blue, "a": 1.0}
    if event.note:
        item["metadata"] = {OWN: {"reason": event.note}}
    return item


def _reference(event: Event, url: str) -> Json:
    source = event.source
    bare: Json = {"metadata": {}, "name": "", "available_range": None, "available_image_bounds": None}
    if event.title is not None:
        words = {"text": event.title.text, "kind": event.title.kind}
        generator = {"OTIO_SCHEMA": "GeneratorReference.1", "generator_kind": "Title", "parameters": words}
        return {**bare, **generator, "name": event.name}
    if source is None:
        return {**bare, "OTIO_SCHEMA": "MissingReference.1"}
    return {
        **bare,
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": source.path.replace("\\", "/").rsplit("/", 1)[-1],
        "target_url": url,
        "available_range": _range(source.timecode, source.frames, source.rate) if source.frames else None,
        "metadata": {OWN: {"reel": source.reel}} if source.reel else {},
    }


def _offset(event: Event) -> Fraction:
    source: Source | None = event.source
    return source.offset if source else Fraction(0)


def _marker(mark: Mark, rate: Fraction, own: Json) -> Json:
    span = _range(mark.frame, mark.frames, rate)
    marker = _thing("Marker.2", mark.name, marked_range=span, color=mark.colour, comment="", metadata={OWN: own})
    del marker["enabled"]
    return marker


def _time(frames: int, rate: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}


def _range(start: int, frames: int, rate: Fraction) -> Json:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(start, rate), "duration": _time(frames, rate)}
