# SPDX-License-Identifier: Apache-2.0
"""Names and lengths of sources, and retiming that covers them whole."""

from __future__ import annotations

from fractions import Fraction

from backbeat.exchange.sheet import ZERO, Event, Sheet, Source


def stem(path: str) -> str:
    """Return the file name without folders (of either system) and suffix."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[0] or name


def lengths(sheet: Sheet) -> dict[Source, Fraction]:
    """Return the length of every source in seconds; where nobody knows it, as far as it is used."""
    found = {s: s.frames / s.rate for s in sheet.sources()}
    for lane in sheet.lanes:
        for event in lane.events:
            if event.source is not None and not event.source.frames:
                used = max(event.at(event.frames / sheet.rate), event.into, 1 / sheet.rate)
                found[event.source] = max(found[event.source], used)
    return found


def whole_map(event: Event, length: Fraction, rate: Fraction) -> tuple[Fraction, list[tuple[Fraction, Fraction]]]:
    """Return a retimed event as a map of its whole source, `length` seconds long.

    The first value is the event's start in the map's own time, on the grid of `rate`; then (map seconds, source
    seconds), beginning at 0, with straight lines between. First and last slope go on to the ends of the source, so
    that there are frames for dissolves on both sides. A freeze covers the event alone.
    """
    lasts = event.frames / rate
    if not event.keys and event.speed == 0:
        return ZERO, [(ZERO, event.into), (lasts, event.into)]
    inner = list(event.keys) or [(ZERO, ZERO), (lasts, lasts * event.speed)]
    (r0, s0), (r1, s1) = inner[0], inner[1]
    (q0, p0), (q1, p1) = inner[-2], inner[-1]
    rise, fall = (s1 - s0) / (r1 - r0), (p1 - p0) / (q1 - q0)
    lead = ZERO
    if rise:
        lead = (event.into + s0 - (ZERO if rise > 0 else length)) / rise - r0
    # What the grid cuts off the lead is cut off the source's head too, so that the in-point stays exact.
    start = max(lead, ZERO) * rate // 1 / rate
    points = [(ZERO, event.into + s0 - (start + r0) * rise)] if start + r0 > 0 else []
    points += [(start + r, event.into + s) for r, s in inner if start + r >= 0] if event.keys or not points else []
    left = ZERO
    if fall:
        left = ((length if fall > 0 else ZERO) - event.into - p1) / fall
    end = max((start + q1 + max(left, ZERO)) * rate // 1 / rate, start + lasts)
    if end > points[-1][0]:
        points.append((end, event.into + p1 + (end - start - q1) * fall))
    return start, [(t, max(v, ZERO)) for t, v in points]
