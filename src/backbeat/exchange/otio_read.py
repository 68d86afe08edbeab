# SPDX-License-Identifier: Apache-2.0
"""OpenTimelineIO's JSON as a `Timeline`: ours exactly, others' gracefully."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from backbeat.errors import InputError
from backbeat.exchange.draw import event_of, source_of
from backbeat.exchange.gather import gather
from backbeat.exchange.otio_write import OWN, Json, build, clip_item, facts, has_own, pace, seal, told
from backbeat.exchange.relocate import moved, nearer
from backbeat.exchange.sheet import Lane, Sheet, Source
from backbeat.exchange.urls import local_path
from backbeat.model.codec import SCHEMA, from_plain
from backbeat.model.time import frame_at
from backbeat.model.timeline import Clip, Marker, Speed, Timeline, Track, Transition


def read(words: str, path: Path) -> Timeline:
    """Return the timeline in `words`, what `path` held.

    Raises
    ------
    InputError
        If it is no OpenTimelineIO, there is no timeline in it, or a later version wrote it.
    """
    try:
        document = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise _no_otio(path, error) from error
    own = _notes(document)
    if own and int(own.get("schema", 0)) > SCHEMA:
        raise InputError(f"{path}: written by a later version of backbeat", "pip install -U backbeat")
    try:
        if own and own.get("seal") == seal(document):
            return _placed(_kept(document, own), own, path)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise _damaged(path, error) from error
    found = _opened(words, path)
    if not own:
        from backbeat.exchange.otio_foreign import foreign

        return gather(foreign(found, path))
    try:
        # In today's schemas, whatever program wrote it.
        return _touched(json.loads(found.to_json_string()), found, own, path)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise _damaged(path, error) from error


def _no_otio(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not an OpenTimelineIO file ({error})", "export it again from the program that made it")


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path}: backbeat's own notes in it are damaged ({error!r})", "make the edit again, or take a backup"
    )


def _notes(document: Any) -> Json:
    """Return our own notes on the whole, empty where it is not ours."""
    metadata = document.get("metadata") if isinstance(document, dict) else None
    own = metadata.get(OWN) if isinstance(metadata, dict) else None
    return own if isinstance(own, dict) and "timeline" in own else {}


def _opened(words: str, path: Path) -> Any:
    """Return the ``otio.schema.Timeline`` in `words`."""
    import opentimelineio as otio

    try:
        found: Any = otio.adapters.read_from_string(words, adapter_name="otio_json")
    except (otio.exceptions.OTIOError, ValueError, TypeError, KeyError) as error:
        raise _no_otio(path, error) from error
    if isinstance(found, otio.schema.SerializableCollection):
        found = next((x for x in found if isinstance(x, otio.schema.Timeline)), None)
    if isinstance(found, otio.schema.Track):
        found = otio.schema.Stack(children=[found])
    if isinstance(found, otio.schema.Stack):
        found = otio.schema.Timeline(found.name, tracks=found)
    if not isinstance(found, otio.schema.Timeline):
        raise InputError(f"{path}: holds no timeline", "export the sequence itself, not a bin or a clip")
    return found


# ------------------------------------------------------------------------------------------------ untouched


def _kept(document: Json, own: Json) -> Timeline:
    base = from_plain(Timeline, own["timeline"])
    tracks = tuple(_kept_track(t) for t in _mine(document))
    return replace(base, tracks=tracks, markers=tuple(_markers(document, base.rate, base.frames)))


def _placed(timeline: Timeline, own: Json, path: Path) -> Timeline:
    """Return `timeline` with its media where the file's URLs find it, if it lies there now."""
    places = {p: nearer(p, local_path(u, path.parent)) for p, u in own["urls"].items()}
    return moved(timeline, lambda p: places.get(p, p)) if any(k != v for k, v in places.items()) else timeline


def _index(track: Json) -> int:
    own = track.get("metadata", {}).get(OWN)
    return int(own.get("index", -1)) if own else -1


def _mine(document: Json) -> list[Json]:
    return sorted((t for t in document["tracks"]["children"] if _index(t) >= 0), key=_index)


def _kept_track(track: Json) -> Track:
    clips = tuple(from_plain(Clip, i["metadata"][OWN]["clip"]) for i in track["children"] if has_own(i))
    return replace(from_plain(Track, track["metadata"][OWN]["track"]), clips=clips)


def _markers(document: Json, rate: Fraction, frames: int) -> Iterator[Marker]:
    """Our markers in our order, moved where they were moved; then those of others."""
    mine: list[tuple[int, Marker]] = []
    others: list[Marker] = []
    for marker in document["tracks"]["markers"]:
        own = marker.get("metadata", {}).get(OWN)
        span = marker["marked_range"]
        at = Fraction(span["start_time"]["value"]) / Fraction(span["start_time"]["rate"])
        if not own:
            length = span["duration"]["value"] / span["duration"]["rate"]
            others.append(Marker(float(at), "note", marker.get("name", ""), length, marker.get("color") or ""))
        elif int(own["origin"]) >= 0:
            kept = from_plain(Marker, own["marker"])
            still = min(max(frame_at(kept.time, rate), 0), max(frames - 1, 0)) == frame_at(at, rate)
            mine.append((int(own["origin"]), kept if still else replace(kept, time=float(at))))
    yield from (m for _, m in sorted(mine, key=lambda pair: pair[0]))
    yield from others


# ------------------------------------------------------------------------------------------------ touched


def _touched(document: Json, found: Any, own: Json, path: Path) -> Timeline:
    """Where another program has left a track alone, what we kept of it is it; else item by item."""
    from backbeat.exchange.otio_foreign import foreign, lane_of

    whole = _kept(document, own)
    urls: dict[str, str] = own["urls"]
    rebuilt = _mine(build(whole, urls))
    files = {m.path: source_of(m) for m in whole.takes}
    opened = {_index_of(t): t for t in found.tracks}
    tracks = []
    for track, here, there in zip(whole.tracks, _mine(document), rebuilt, strict=True):
        if told(here) == told(there):
            tracks.append(track)
        else:
            lane = lane_of(opened[_index(here)], whole.rate, path, {})
            tracks.append(_merged(here, lane, track, whole, files, urls))
    changed = tuple(tracks) != whole.tracks
    whole = replace(whole, tracks=tuple(tracks))
    added = [t for t in found.tracks if OWN not in t.metadata]
    if added:
        other = gather(foreign(found, path, added))
        known = {m.path for m in whole.takes}
        whole = replace(
            whole,
            tracks=(*whole.tracks, *other.tracks),
            cues=(*whole.cues, *other.cues),
            takes=(*whole.takes, *(m for m in other.takes if m.path not in known)),
        )
    if changed or added:
        whole = replace(whole, frames=max([whole.frames, *(c.end for t in whole.tracks for c in t.clips)]))
    return _placed(whole, own, path)


def _index_of(track: Any) -> int:
    own = track.metadata.get(OWN)
    return int(own.get("index", -1)) if own else -1


def _merged(
    here: Json, lane: Lane, own: Track, whole: Timeline, files: dict[str, Source], urls: dict[str, str]
) -> Track:
    """Return the track as it is now, with what we know of its clips."""
    clips: list[Clip] = []
    back = {u: p for p, u in urls.items()}
    items = [i for i in here["children"] if i["OTIO_SCHEMA"].startswith("Clip.")]
    if len(items) != len(lane.events):  # nested compositions: nothing of ours is inside them
        return replace(own, clips=gather(Sheet("", whole.rate, 0, 0, 0, (lane,))).tracks[0].clips)
    for item, event in zip(items, lane.events, strict=True):
        if not has_own(item):
            clips += gather(Sheet("", whole.rate, 0, 0, 0, (Lane("picture", (event,)),))).tracks[0].clips
            continue
        clip = from_plain(Clip, item["metadata"][OWN]["clip"])
        mine = clip_item(clip, event_of(clip, whole.rate, files, []), whole.rate, urls.get(clip.take, ""))
        shift = float((event.start - clip.start) / whole.rate)
        hits = tuple(h + shift for h in clip.hits) if shift else clip.hits
        if facts(mine) != facts(item):
            url = facts(item)[2]
            other = back.get(url, event.source.path if event.source else "")
            rate = event.source.rate if event.source else clip.source_rate
            clip = replace(
                clip,
                take=clip.take if url == urls.get(clip.take, "") else other,
                frames=event.frames,
                source_in=round(event.into * rate),
                source_rate=rate,
                speed=clip.speed if pace(mine) == pace(item) else Speed(float(event.speed)),
                enabled=event.enabled,
            )
        clips.append(replace(clip, start=event.start, hits=hits))
    # The film's own fades stand in the file as dissolves at its ends.
    first, last = (frame_at(s, whole.rate) for s in (whole.fade_in, whole.fade_out))
    fades = {(0, 0, first), (max((e.end for e in lane.events), default=0), last, 0)}
    ends = [(d.at, d.before, d.after) for d in lane.dissolves]
    transitions = tuple(Transition(*e) for e in ends if e not in fades)
    return replace(own, clips=tuple(clips), transitions=transitions, enabled=here.get("enabled", True))
