# SPDX-License-Identifier: Apache-2.0
"""Kdenlive projects (document version 1.04, which every Kdenlive since 21 opens).

A track is a tractor of two playlists, so that clips may overlap; a dissolve is a `luma` between them. Own sound stands
on an audio track of its own, grouped with its picture. Clips refer to the project bin by ``kdenlive:id``.
"""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import Element

from backbeat.exchange.mlt import Document, properties
from backbeat.exchange.sheet import Dissolve, Event, Lane, Sheet, Source
from backbeat.exchange.xmlio import add, write
from backbeat.model.time import frame_at

_INTERNAL = {"internal_added": 237, "always_active": 1}


def kdenlive(sheet: Sheet, folder: Path | None = None) -> bytes:
    """Return the project of `sheet`; media beneath `folder`, where the file will lie, are named relative to it."""
    doc = Document(sheet, folder)
    doc.root.set("producer", "main_bin")
    # From the bottom of the time line up: sound first, the last of it lowest, then the pictures.
    lanes = [(i, x) for i, x in enumerate(sheet.lanes) if not x.picture][::-1]
    lanes += [(i, x) for i, x in enumerate(sheet.lanes) if x.picture]
    rows = {number: row for row, (number, _) in enumerate(lanes)}
    bins = _bin(doc, _groups(doc, rows))
    _black(doc)
    for number, lane in lanes:
        _track(doc, lane, rows[number], bins)
    last = max(sheet.frames - 1, 0)
    main = add(doc.root, "tractor", id="main", in_=0, out=last)
    add(main, "track", producer="black_track")
    for number, _ in lanes:
        add(main, "track", producer=f"track{rows[number]}")
    lowest = True
    for number, lane in lanes:
        row = rows[number] + 1
        link = add(main, "transition", id=f"mix{row}")
        if lane.picture:
            fields = {"a_track": 0, "b_track": row, "compositing": 0, "distort": 0, "rotate_center": 0,
                      "mlt_service": "qtblend", "kdenlive_id": "qtblend"}  # fmt: skip
            properties(link, {**fields, **_INTERNAL, **({"disable": 1} if lowest else {})})
            lowest = False
        else:
            fields = {"a_track": 0, "b_track": row, "mlt_service": "mix", "kdenlive_id": "mix", "accepts_blanks": 1,
                      "sum": 1}  # fmt: skip
            properties(link, {**fields, **_INTERNAL})
    return write(doc.root)


def _black(doc: Document) -> None:
    black = add(doc.root, "producer", id="black_track", in_=0, out=max(doc.sheet.frames - 1, 0))
    properties(black, {"length": 2147483647, "eof": "continue", "resource": "black", "aspect_ratio": 1,
                       "mlt_service": "color", "mlt_image_format": "rgba", "set.test_audio": 0})  # fmt: skip


def _bin(doc: Document, groups: str) -> dict[Source, int]:
    """Append the project bin; return the bin number of every source."""
    sheet = doc.sheet
    bins = {source: number for number, source in enumerate(sheet.sources(), 2)}
    for source, number in bins.items():
        whole = Event(0, max(frame_at(doc.lengths[source], sheet.rate), 1), source)
        name, _, _ = doc.producer(whole, extra=_own(number, source))
        assert name == f"clip{number - 1}"
    playlist = add(doc.root, "playlist", id="main_bin")
    guides = [{"comment": m.name, "pos": m.frame, "type": _guide(m.kind)} for m in sheet.marks]
    fields = {
        "version": "1.04", "kdenliveversion": "22.12.3", "documentid": "1", "profile": "", "activeTrack": 0,
        "audioTarget": -1, "videoTarget": -1, "position": 0, "zoom": 8, "seekOffset": 0,
        "guides": json.dumps(guides, ensure_ascii=False), "groups": groups,
    }  # fmt: skip
    properties(playlist, {f"kdenlive:docproperties.{k}": v for k, v in fields.items()})
    properties(playlist, {"xml_retain": 1})
    for number in bins.values():
        add(playlist, "entry", producer=f"clip{number - 1}")
    return bins


def _own(number: int, source: Source) -> dict[str, object]:
    kind = 0 if source.picture and source.sound else 2 if source.picture else 1
    return {"kdenlive:id": number, "kdenlive:folderid": -1, "kdenlive:clip_type": kind}


def _guide(kind: str) -> int:
    """Return Kdenlive's marker category 0..8 of a kind of mark."""
    return {"downbeat": 1, "beat": 2, "section": 3, "hit": 4, "cue": 5, "note": 6, "speed": 7, "scene": 8}.get(kind, 0)


def _track(doc: Document, lane: Lane, row: int, bins: dict[Source, int]) -> None:
    sound = not lane.picture
    lists = [Element("playlist", id=f"playlist{2 * row + i}") for i in (0, 1)]
    track = Element("tractor", {"id": f"track{row}", "in": "0", "out": str(max(doc.sheet.frames - 1, 0))})
    if sound:
        for part in (*lists, track):
            properties(part, {"kdenlive:audio_track": 1})
    properties(track, {"kdenlive:track_name": lane.name, "kdenlive:trackheight": 67, "kdenlive:timeline_active": 1})
    mixes = {d.at: d for d in lane.dissolves}
    changes: list[Element] = []
    ends, on = [0, 0], 0
    for index, event in enumerate(lane.events):
        touches = index > 0 and lane.events[index - 1].end == event.start
        follows = index + 1 < len(lane.events) and lane.events[index + 1].start == event.end
        before = mixes.get(event.start) if touches else None
        after = mixes.get(event.end) if follows else None
        if before is not None:
            on = 1 - on
            changes.append(_mix(before, backwards=on == 0))
        first = event.start - (before.before if before else 0)
        last = event.end + (after.after if after else 0)
        if (not event.enabled and lane.enabled) or (event.source is None and event.title is None):
            continue
        name, into, element = doc.producer(event, sound=sound, picture=lane.picture, extra=_bin_of(event, bins))
        if event.title is not None:
            properties(element, {"kdenlive:clipname": event.name})
        into = max(into - (event.start - first), 0)
        if first > ends[on]:
            add(lists[on], "blank", length=first - ends[on])
        entry = add(lists[on], "entry", producer=name, in_=into, out=into + last - first - 1)
        if event.source is not None:
            properties(entry, {"kdenlive:id": bins[event.source]})
        if sound:
            doc.level(entry, event, into + event.start - first)
        else:
            doc.black(entry, lane, event, into + event.start - first)
        ends[on] = last
    for part in lists:
        doc.root.append(part)
        hide = "both" if not lane.enabled else "video" if sound else "audio"
        add(track, "track", producer=part.get("id"), hide=hide)
    track.extend(changes)
    doc.root.append(track)


def _bin_of(event: Event, bins: dict[Source, int]) -> dict[str, object]:
    return _own(bins[event.source], event.source) if event.source is not None else {}


def _mix(dissolve: Dissolve, *, backwards: bool) -> Element:
    first, last = dissolve.at - dissolve.before, dissolve.at + dissolve.after - 1
    change = Element("transition", {"in": str(first), "out": str(last)})
    properties(change, {
        "a_track": 0, "b_track": 1, "factory": "loader", "softness": 0, "alpha_over": 1, "mlt_service": "luma",
        "kdenlive_id": "luma", "kdenlive:mixcut": dissolve.after, "reverse": int(backwards),
    })  # fmt: skip
    return change


def _groups(doc: Document, rows: dict[int, int]) -> str:
    """Return the ties of own sound to its picture, as Kdenlive ties what came in together."""
    groups = []
    for (number, index), event in doc.heard.items():
        sound = next(i for i, x in enumerate(doc.sheet.lanes) if x.mates == number)
        picture = doc.sheet.lanes[number].events[index]
        if picture.enabled and event.enabled:
            leaves = [{"data": f"{rows[n]}:{picture.start}", "leaf": "clip", "type": "Leaf"} for n in (number, sound)]
            groups.append({"children": leaves, "type": "AVSplit"})
    return json.dumps(groups)
