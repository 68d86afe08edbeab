# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO of any program as a `Sheet`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from backbeat.exchange.sheet import ONE, ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.model.time import frame_at, nearest_rate

OWN = "backbeat"


def plain(value: Any) -> Any:
    """Return OpenTimelineIO's containers as dicts and lists."""
    if hasattr(value, "items"):
        return {k: plain(v) for k, v in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return [plain(v) for v in value]
    return value


def foreign(found: Any, path: Path, tracks: list[Any] | None = None) -> Sheet:
    """Return the sheet of a timeline of any program; `tracks` picks some."""
    chosen = list(found.tracks) if tracks is None else tracks
    start = found.global_start_time
    rate = nearest_rate(start.rate) if start and start.rate > 1 else _usual_rate(chosen)
    files: dict[str, Source] = {}
    lanes = tuple(lane_of(t, rate, path, files) for t in chosen)
    marks = [
        mark_of(m, frame_at(Fraction(m.marked_range.start_time.to_seconds()), rate), rate) for m in found.tracks.markers
    ]
    for track, lane in zip(chosen, lanes, strict=True):
        for item, event in zip(clips_of(track), lane.events, strict=True):
            for marker in item.markers if item.source_range else ():
                into = marker.marked_range.start_time.to_seconds() - item.source_range.start_time.to_seconds()
                at = event.start + frame_at(into, rate)
                if event.start <= at < event.end:
                    marks.append(mark_of(marker, at, rate))
    size = next(((s.width, s.height) for s in files.values() if s.width), (1920, 1080))
    first = frame_at(Fraction(start.to_seconds()), rate) if start else 0
    return Sheet(
        found.name or path.stem,
        rate,
        *size,
        max((e.end for lane in lanes for e in lane.events), default=0),
        lanes,
        tuple(sorted(marks, key=lambda m: m.frame)),
        start=first,
        drop=rate in {Fraction(30000, 1001), Fraction(60000, 1001)},
    )


def _usual_rate(tracks: list[Any]) -> Fraction:
    pictures = [t for t in tracks if t.kind == otio.schema.TrackKind.Video] or tracks
    rates = Counter(i.duration().rate for t in pictures for i in t if not isinstance(i, otio.schema.Transition))
    return nearest_rate(rates.most_common(1)[0][0]) if rates else Fraction(25)


def mark_of(marker: Any, frame: int, rate: Fraction) -> Mark:
    """Return a marker of any program as a note at record `frame`."""
    long = frame_at(Fraction(marker.marked_range.duration.to_seconds()), rate)
    return Mark(frame, long, marker.name or marker.comment or "", "note", marker.color or "", frame / rate)


def _flat(item: Any) -> Any:
    """Return a nested composition as one track of what is seen of it."""
    stack = item if isinstance(item, otio.schema.Stack) else otio.schema.Stack(children=[item.clone()])
    flat = otio.algorithms.flatten_stack(stack)
    return otio.algorithms.track_trimmed_to_range(flat, item.source_range) if item.source_range else flat


def _items(track: Any) -> Iterator[Any]:
    for item in track:
        if isinstance(item, otio.core.Composition):
            yield from _items(_flat(item))
        else:
            yield item


def clips_of(track: Any) -> Iterator[Any]:
    """Yield the clips of `track` in order, those inside nested compositions too."""
    return (i for i in _items(track) if isinstance(i, otio.schema.Clip))


def lane_of(track: Any, rate: Fraction, path: Path, files: dict[str, Source]) -> Lane:
    """Return `track` as a lane whose events match `clips_of`; `files` collects its sources."""
    events: list[Event] = []
    dissolves = []
    at = ZERO
    for item in _items(track):
        here = frame_at(at, rate)
        if isinstance(item, otio.schema.Transition):
            before, after = (frame_at(_seconds(o), rate) for o in (item.in_offset, item.out_offset))
            dissolves.append(Dissolve(here, before, after))
            continue
        at += _seconds(item.duration())
        if isinstance(item, otio.schema.Clip):
            events.append(_event(item, here, frame_at(at, rate) - here, rate, path, files))
    kind = "picture" if track.kind == otio.schema.TrackKind.Video else "sound"
    return Lane(kind, tuple(events), track.name, track.enabled, tuple(dissolves))


def _event(item: Any, start: int, frames: int, rate: Fraction, path: Path, files: dict[str, Source]) -> Event:
    source = _source(item, rate, path, files)
    span = item.source_range or item.available_range()
    first = _seconds(span.start_time) - (source.offset if source else ZERO)
    if first < 0:  # a range that disregards the timecode it is said to have
        first = _seconds(span.start_time)
    speed = ONE
    for effect in item.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= Fraction(effect.time_scalar).limit_denominator(1_000_000)
    if speed < 0:
        first -= frames / rate * speed
    own = plain(item.metadata.get(OWN, {}))
    return Event(
        start,
        frames,
        source,
        first,
        speed,
        name=item.name,
        note=own.get("reason", ""),
        enabled=item.enabled,
    )


def _source(item: Any, rate: Fraction, path: Path, files: dict[str, Source]) -> Source | None:
    reference = item.media_reference
    url = getattr(reference, "target_url", "")
    if isinstance(reference, otio.schema.ImageSequenceReference):
        url = reference.target_url_base
    if isinstance(reference, otio.schema.GeneratorReference):
        return None
    name = local_path(url, path.parent) if url else (reference.name if reference else "") or item.name
    known = reference.available_range if reference else None
    if name not in files:
        pace = nearest_rate(known.start_time.rate) if known else rate
        if not known and item.source_range and item.source_range.start_time.rate > 1:
            pace = nearest_rate(item.source_range.start_time.rate)
        files[name] = Source(
            name,
            pace,
            frame_at(_seconds(known.duration), pace) if known else 0,
            frame_at(_seconds(known.start_time), pace) if known else 0,
        )
    return files[name]


def _seconds(time: Any) -> Fraction:
    """Return a RationalTime as exact seconds; its float rate stands for a standard one."""
    return Fraction(time.value).limit_denominator(1_000_000) / nearest_rate(time.rate)
