# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO objects as a `Timeline`: ours exactly, others' gracefully."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio

from backbeat.errors import InputError
from backbeat.exchange.draw import event_of, source_of
from backbeat.exchange.gather import gather
from backbeat.exchange.otio_foreign import OWN, clips_of, foreign, lane_of, mark_of, plain
from backbeat.exchange.otio_write import build, clip_item, facts
from backbeat.exchange.relocate import moved, nearer
from backbeat.exchange.sheet import Lane, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.model.codec import SCHEMA, from_plain
from backbeat.model.time import frame_at
from backbeat.model.timeline import Clip, Marker, Speed, Timeline, Track, Transition


def read(found: Any, path: Path) -> Timeline:
    """Return the timeline in `found`, what `path` held.

    Raises
    ------
    InputError
        If there is no timeline in it, or a later version wrote it.
    """
    if isinstance(found, otio.schema.SerializableCollection):
        found = next((x for x in found if isinstance(x, otio.schema.Timeline)), None)
    if isinstance(found, otio.schema.Track):
        found = otio.schema.Stack(children=[found])
    if isinstance(found, otio.schema.Stack):
        found = otio.schema.Timeline(found.name, tracks=found)
    if not isinstance(found, otio.schema.Timeline):
        raise InputError(f"{path}: holds no timeline", "export the sequence itself, not a bin or a clip")
    own = found.metadata.get(OWN)
    if not own or "timeline" not in own:
        return gather(foreign(found, path))
    if int(own.get("schema", 0)) > SCHEMA:
        raise InputError(f"{path}: written by a later version of backbeat", "pip install -U backbeat")
    try:
        return _own(found, plain(own), path)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: backbeat's own notes in it are damaged ({error!r})", "make the edit again, or take a backup"
        ) from error


def _own(found: Any, own: dict[str, Any], path: Path) -> Timeline:
    base = from_plain(Timeline, own["timeline"])
    urls: dict[str, str] = own["urls"]
    mine = sorted((t for t in found.tracks if _index(t) >= 0), key=_index)
    tracks = tuple(_kept_track(t) for t in mine)
    whole = replace(base, tracks=tracks, markers=tuple(_markers(found, base.rate, base.frames)))
    again = build(whole, urls)  # named, for its tracks die with it
    rebuilt = sorted((t for t in again.tracks if _index(t) >= 0), key=_index)
    # Where nobody has touched a track, what we kept of it is it; else item by item.
    files = {m.path: source_of(m) for m in base.takes}
    back = {u: p for p, u in urls.items()}
    tracks = tuple(
        track if _told(there) == _told(here) else _merged(here, track, whole, files, urls, back, path)
        for track, here, there in zip(tracks, mine, rebuilt, strict=True)
    )
    whole = replace(whole, tracks=tracks)
    added = [t for t in found.tracks if OWN not in t.metadata]
    if added:
        other = gather(foreign(found, path, added))
        known = {m.path for m in whole.takes}
        whole = replace(
            whole,
            tracks=(*tracks, *other.tracks),
            cues=(*whole.cues, *other.cues),
            takes=(*whole.takes, *(m for m in other.takes if m.path not in known)),
        )
    if tracks != tuple(_kept_track(t) for t in mine) or added:
        whole = replace(whole, frames=max([whole.frames, *(c.end for t in whole.tracks for c in t.clips)]))
    places = {p: nearer(p, local_path(u, path.parent)) for p, u in urls.items()}
    return moved(whole, lambda p: places.get(p, p)) if any(k != v for k, v in places.items()) else whole


def _index(track: Any) -> int:
    own = track.metadata.get(OWN)
    return int(own.get("index", -1)) if own else -1


def _kept_track(track: Any) -> Track:
    clips = tuple(from_plain(Clip, plain(i.metadata[OWN]["clip"])) for i in track if _has_own(i))
    return replace(from_plain(Track, plain(track.metadata[OWN]["track"])), clips=clips)


def _has_own(item: Any) -> bool:
    return isinstance(item, otio.schema.Clip) and "clip" in item.metadata.get(OWN, {})


def _told(track: Any) -> list[Any]:
    """Return everything of a track that another program may have changed."""
    told: list[Any] = [track.enabled]
    for item in track:
        if isinstance(item, otio.schema.Transition):
            told.append((item.in_offset.to_seconds(), item.out_offset.to_seconds()))
        elif isinstance(item, otio.schema.Clip):
            told.append((_has_own(item), facts(item)))
        else:
            told.append((type(item).__name__, item.duration().to_seconds()))
    return told


def _merged(
    track: Any,
    own: Track,
    whole: Timeline,
    files: dict[str, Source],
    urls: dict[str, str],
    back: dict[str, str],
    path: Path,
) -> Track:
    """Return the track as it is now, with what we know of its clips."""
    lane = lane_of(track, whole.rate, path, {})
    clips: list[Clip] = []
    events = iter(lane.events)
    for item in clips_of(track):
        event = next(events)
        if not _has_own(item):
            clips += gather(Sheet("", whole.rate, 0, 0, 0, (Lane("picture", (event,)),))).tracks[0].clips
            continue
        clip = from_plain(Clip, plain(item.metadata[OWN]["clip"]))
        mine = clip_item(clip, event_of(clip, whole.rate, files, []), whole.rate, urls.get(clip.take, ""))
        shift = float((event.start - clip.start) / whole.rate)
        hits = tuple(h + shift for h in clip.hits) if shift else clip.hits
        if facts(mine) != facts(item):
            url = getattr(item.media_reference, "target_url", "")
            take = (
                clip.take
                if url == urls.get(clip.take, "")
                else back.get(url, event.source.path if event.source else "")
            )
            same_pace = facts(mine)[1] == facts(item)[1]
            rate = event.source.rate if event.source else clip.source_rate
            clip = replace(
                clip,
                take=take,
                frames=event.frames,
                source_in=round(event.into * rate),
                source_rate=rate,
                speed=clip.speed if same_pace else Speed(float(event.speed)),
                enabled=event.enabled,
            )
        clips.append(replace(clip, start=event.start, hits=hits))
    transitions = tuple(Transition(d.at, d.before, d.after) for d in lane.dissolves)
    return replace(own, clips=tuple(clips), transitions=transitions, enabled=track.enabled)


def _markers(found: Any, rate: Fraction, frames: int) -> Iterator[Marker]:
    """Our markers in our order, moved where they were moved; then those of others."""
    mine: list[tuple[int, Marker]] = []
    others: list[Marker] = []
    for marker in found.tracks.markers:
        own = plain(marker.metadata.get(OWN, {}))
        at = Fraction(marker.marked_range.start_time.to_seconds())
        if not own:
            mark = mark_of(marker, frame_at(at, rate), rate)
            others.append(Marker(float(mark.time), mark.kind, mark.name, float(mark.frames / rate), mark.colour))
        elif int(own["origin"]) >= 0:
            kept = from_plain(Marker, own["marker"])
            still = min(max(frame_at(kept.time, rate), 0), max(frames - 1, 0)) == frame_at(at, rate)
            mine.append((int(own["origin"]), kept if still else replace(kept, time=float(at))))
    yield from (m for _, m in sorted(mine, key=lambda pair: pair[0]))
    yield from others
