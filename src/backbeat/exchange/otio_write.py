# SPDX-License-Identifier: Apache-2.0
"""A `Timeline` as OpenTimelineIO objects."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from backbeat.exchange.colours import RGB, named
from backbeat.exchange.draw import draw
from backbeat.exchange.otio_foreign import OWN
from backbeat.exchange.sheet import Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import relative_url
from backbeat.model.codec import SCHEMA, to_plain
from backbeat.model.timeline import Clip, Timeline, Track


def urls_of(timeline: Timeline, folder: Path) -> dict[str, str]:
    """Return the URL of every file that `timeline` names, relative to `folder` where it lies beneath."""
    clips = [c for t in timeline.tracks for c in t.clips]
    paths = [
        *(m.path for m in timeline.takes), *(c.take for c in clips), *(c.path for c in timeline.cues),
        *(a.take for c in clips for a in c.alternates),
    ]  # fmt: skip
    return {p: relative_url(p, folder) for p in paths if p}


def build(timeline: Timeline, urls: dict[str, str]) -> Any:
    """Return an ``otio.schema.Timeline``; `urls` are those of `urls_of`."""
    sheet = draw(timeline)
    kept = to_plain(replace(timeline, tracks=(), markers=()))
    result = otio.schema.Timeline(
        timeline.name,
        global_start_time=_time(timeline.start_timecode, timeline.rate),
        metadata={OWN: {"schema": SCHEMA, "urls": urls, "timeline": kept}},
    )
    for lane in sheet.lanes:
        own = timeline.tracks[lane.track] if lane.track >= 0 else None
        result.tracks.append(_track(lane, sheet, urls, own))
    for mark in sheet.marks:
        plain = to_plain(timeline.markers[mark.origin]) if mark.origin >= 0 else {"kind": mark.kind}
        result.tracks.markers.append(_marker(mark, sheet.rate, {"origin": mark.origin, "marker": plain}))
    return result


def clip_item(clip: Clip, event: Event, rate: Fraction, url: str, *, sound: bool = False) -> Any:
    """Return the ``otio.schema.Clip`` of `clip`, whose plain view is `event`, with all of ours in its metadata."""
    item = _item(event, rate, url, sound=sound)
    item.metadata[OWN] = {"reason": clip.reason, "clip": to_plain(clip)}
    return item


def facts(item: Any) -> tuple[Any, ...]:
    """Return what another program may have changed in `item`, for comparison."""
    span = item.source_range
    warps = [e.time_scalar for e in item.effects if isinstance(e, otio.schema.LinearTimeWarp)]
    url = getattr(item.media_reference, "target_url", "")
    return (
        (span.start_time.value, span.start_time.rate, span.duration.to_seconds()) if span else None,
        warps,
        url,
        item.enabled,
    )


def _track(lane: Lane, sheet: Sheet, urls: dict[str, str], own: Track | None) -> Any:
    kind = otio.schema.TrackKind.Video if lane.picture else otio.schema.TrackKind.Audio
    plain = to_plain(replace(own, clips=())) if own else None
    track = otio.schema.Track(
        lane.name,
        kind=kind,
        metadata={OWN: {"index": lane.track, "kind": lane.kind, **({"track": plain} if plain else {})}},
    )
    track.enabled = lane.enabled
    dissolves = {d.at: d for d in lane.dissolves}
    at = 0

    def dissolve(frame: int) -> None:
        found = dissolves.pop(frame, None)
        # Two transitions may not touch, and none stands where a clip goes on.
        if found is not None and not (len(track) and isinstance(track[-1], otio.schema.Transition)):
            track.append(
                otio.schema.Transition(
                    "dissolve",
                    otio.schema.TransitionTypes.SMPTE_Dissolve,
                    in_offset=_time(found.before, sheet.rate),
                    out_offset=_time(found.after, sheet.rate),
                )
            )

    for index, event in enumerate(lane.events):
        if event.start > at:
            dissolve(at)
            track.append(otio.schema.Gap(source_range=_range(0, event.start - at, sheet.rate)))
        dissolve(event.start)
        url = urls[event.source.path] if event.source else ""
        if own:
            track.append(clip_item(own.clips[index], event, sheet.rate, url, sound=not lane.picture))
        else:
            track.append(_item(event, sheet.rate, url, sound=not lane.picture))
        at = event.end
    dissolve(at)
    return track


def _item(event: Event, rate: Fraction, url: str, *, sound: bool) -> Any:
    first, clock = event.into, event.source.rate if event.source and event.source.picture else rate
    if event.speed < 0:  # OpenTimelineIO's ranges begin at the earliest picture
        first = event.at(Fraction(event.frames, 1) / rate)
    start = otio.opentime.RationalTime(float((first + _offset(event.source)) * clock), float(clock))
    item = otio.schema.Clip(
        event.name,
        media_reference=_reference(event, url),
        source_range=otio.opentime.TimeRange(start, _time(event.frames, rate)),
    )
    item.enabled = event.enabled
    if event.keys or event.speed not in {0, 1}:
        warp = otio.schema.LinearTimeWarp("speed", time_scalar=float(event.speed))
        if event.keys:
            warp.metadata[OWN] = {"keys": [[float(r), float(s)] for r, s in event.keys]}
        item.effects.append(warp)
    elif event.speed == 0:
        item.effects.append(otio.schema.FreezeFrame("freeze"))
    if sound and (event.gain or event.fade_in or event.fade_out):
        level = {
            "gain_db": [[float(t), db] for t, db in event.gain],
            "fade_in": float(event.fade_in),
            "fade_out": float(event.fade_out),
        }
        item.effects.append(otio.schema.Effect("level", "AudioGain", metadata={OWN: level}))
    colour = RGB.get(named(event.colour))
    if colour and not sound:
        item.color = otio.core.Color(*(round(c / 255, 4) for c in colour), 1.0, named(event.colour))
    if event.note:
        item.metadata[OWN] = {"reason": event.note}
    return item


def _reference(event: Event, url: str) -> Any:
    source = event.source
    if event.title is not None:
        return otio.schema.GeneratorReference(
            event.name, generator_kind="Title", parameters={"text": event.title.text, "kind": event.title.kind}
        )
    if source is None:
        return otio.schema.MissingReference()
    known = _range(source.timecode, source.frames, source.rate) if source.frames else None
    name = source.path.replace("\\", "/").rsplit("/", 1)[-1]
    reference = otio.schema.ExternalReference(target_url=url, available_range=known)
    reference.name = name
    if source.reel:
        reference.metadata[OWN] = {"reel": source.reel}
    return reference


def _offset(source: Source | None) -> Fraction:
    return source.offset if source else Fraction(0)


def _marker(mark: Mark, rate: Fraction, own: dict[str, Any]) -> Any:
    return otio.schema.Marker(
        mark.name, marked_range=_range(mark.frame, mark.frames, rate), color=mark.colour, metadata={OWN: own}
    )


def _time(frames: int, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(frames, float(rate))


def _range(start: int, frames: int, rate: Fraction) -> Any:
    return otio.opentime.TimeRange(_time(start, rate), _time(frames, rate))
