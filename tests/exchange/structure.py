# SPDX-License-Identifier: Apache-2.0
"""A structural checker of FCPXML for the elements that we write, from its documentation; not Apple's definition."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from backbeat.exchange.read_fcpxml import time_of

_CLIPS = ("asset-clip", "title", "gap", "clip", "video")
# Which children an element may have, in this order.
ORDER = {
    "fcpxml": ("resources", "library"),
    "resources": None,
    "library": ("event",),
    "event": ("project",),
    "project": ("sequence",),
    "sequence": ("note", "spine", "metadata"),
    "spine": None,
    "asset": ("media-rep", "metadata"),
    "asset-clip": ("note", "conform-rate", "timeMap", "adjust-blend", "adjust-volume", "@anchored", "@marked"),
    "video": ("note", "adjust-blend", "@anchored", "@marked"),
    "gap": ("note", "@anchored", "@marked"),
    "title": ("text", "text-style-def", "note", "@anchored", "@marked"),
    "transition": ("filter-video", "filter-audio"),
    "timeMap": ("timept",),
    "adjust-volume": ("param",),
    "param": ("fadeIn", "fadeOut", "keyframeAnimation"),
    "keyframeAnimation": ("keyframe",),
}
NEEDED = {
    "format": {"id", "frameDuration", "width", "height"},
    "asset": {"id", "start", "duration"},
    "effect": {"id", "uid"},
    "media-rep": {"src"},
    "sequence": {"format", "duration", "tcStart", "tcFormat"},
    "asset-clip": {"ref", "offset", "start", "duration", "name"},
    "video": {"ref", "offset", "duration"},
    "gap": {"offset", "start", "duration"},
    "title": {"ref", "offset", "duration"},
    "transition": {"offset", "duration"},
    "timept": {"time", "value"},
    "marker": {"start", "duration", "value"},
    "chapter-marker": {"start", "duration", "value"},
}


def faults(root: Element) -> Iterator[str]:
    """Yield everything wrong, in words."""
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    if len(set(ids)) != len(ids):
        yield "an id stands twice"
    known = {e.get("id"): e for e in root.iter() if e.get("id")}
    sequence = next(root.iter("sequence"))
    frame = time_of(known[sequence.get("format")].get("frameDuration"))
    for element in root.iter():
        missing = NEEDED.get(element.tag, set()) - set(element.keys())
        if missing:
            yield f"{element.tag} lacks {sorted(missing)}"
        yield from _ordered(element)
        for key, value in element.items():
            if key in {"offset", "start", "duration", "tcStart", "frameDuration", "time"}:
                top, _, bottom = value.removesuffix("s").partition("/")
                if not value.endswith("s") or abs(int(top)) >= 2**63 or int(bottom or 1) >= 2**32:
                    yield f"{element.tag} {key}={value} is no rational time"
        for key in ("ref", "format"):
            if element.get(key) and element.get(key) not in known:
                yield f"{element.tag} {key}={element.get(key)} is not there"
        if element.tag in {"asset-clip", "gap", "title", "transition"}:
            yield from _placed(element, frame, known)
    yield from _spine(next(root.iter("spine")), sequence)


def _ordered(element: Element) -> Iterator[str]:
    order = ORDER.get(element.tag)
    if order is None:
        return
    places = []
    for child in element:
        tag = "@anchored" if child.tag in _CLIPS and element.tag in _CLIPS else child.tag
        tag = "@marked" if tag in {"marker", "chapter-marker"} else tag
        if tag not in order:
            yield f"{element.tag} may not hold {child.tag}"
            return
        places.append(order.index(tag))
    if places != sorted(places):
        yield f"the children of {element.tag} stand in the wrong order"


def _placed(element: Element, frame: Fraction, known: dict[str | None, Element]) -> Iterator[str]:
    """Durations lie on the grid; clips stay inside their file; markers inside their clip."""
    length = time_of(element.get("duration"))
    if length <= 0 or (length / frame).denominator != 1:
        yield f"{element.tag} {element.get('name')} has a duration off the grid"
    start = time_of(element.get("start"))
    for marker in element:
        if marker.tag in {"marker", "chapter-marker"} and not start <= time_of(marker.get("start")) < start + length:
            yield f"a marker lies outside {element.get('name')}"
    if element.tag != "asset-clip":
        return
    asset = known[element.get("ref")]
    first, last = time_of(asset.get("start")), time_of(asset.get("start")) + time_of(asset.get("duration"))
    points = [(time_of(p.get("time")), time_of(p.get("value"))) for p in element.iter("timept")]
    own = element.find("timeMap")
    if own is not None:
        points = [(time_of(p.get("time")), time_of(p.get("value"))) for p in own]
        times = [p[0] for p in points]
        if times != sorted(set(times)):
            yield f"the map of {element.get('name')} goes back in time"
        if not times[0] <= start or not start + length <= times[-1] + frame:
            yield f"the map of {element.get('name')} does not cover it"
        if min(v for _, v in points) < first - frame or max(v for _, v in points) > last + frame:
            yield f"the map of {element.get('name')} leaves its file"
    elif not first <= start or start + length > last + frame:
        yield f"{element.get('name')} leaves its file"


def _spine(spine: Element, sequence: Element) -> Iterator[str]:
    at = time_of(sequence.get("tcStart"))
    end = at + time_of(sequence.get("duration"))
    for item in spine:
        offset, length = time_of(item.get("offset")), time_of(item.get("duration"))
        if item.tag == "transition":
            if not offset <= at <= offset + length:
                yield "a transition does not lie about its cut"
        else:
            if offset != at:
                yield f"{item.get('name')} begins at {offset}, not at {at}"
            at = offset + length
    if at != end:
        yield "the spine is not as long as the sequence"
