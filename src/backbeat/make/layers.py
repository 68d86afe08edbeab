# SPDX-License-Identifier: Apache-2.0
"""Which pictures lie over one another in a record frame. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backbeat.model.timeline import Clip, Timeline, Track, Transition


@dataclass(frozen=True, slots=True)
class Layer:
    """One picture of a record frame: what `clip` shows `offset` record frames after its start.

    `offset` may lie outside the clip during a transition. `amount` 0..1 is its opacity, or how far a wipe has come if
    `wipe` names one.
    """

    clip: Clip
    offset: int
    amount: float = 1.0
    wipe: str = ""

    @property
    def covers(self) -> bool:
        """Whether nothing below can be seen."""
        title = self.clip.title
        see_through = title is not None and (title.kind == "lower-third" or len(title.background) not in {4, 7})
        return self.amount >= 1.0 and not see_through


class Stack:
    """The picture tracks of a timeline, ready to be asked frame by frame."""

    def __init__(self, timeline: Timeline) -> None:
        self._rows = tuple(_Row(t) for t in timeline.tracks if t.kind == "picture" and t.enabled)

    def at(self, frame: int) -> tuple[Layer, ...]:
        """Return the layers of a record frame, bottom to top, hidden ones left out; empty where it is black."""
        seen: list[Layer] = []
        for row in reversed(self._rows):
            for layer in reversed(row.at(frame)):
                seen.append(layer)
                if layer.covers:
                    return tuple(reversed(seen))
        return tuple(reversed(seen))


class _Row:
    def __init__(self, track: Track) -> None:
        self.clips = tuple(sorted((c for c in track.clips if c.enabled and c.frames > 0), key=lambda c: c.start))
        self._starts = [c.start for c in self.clips]
        self._transitions = tuple(sorted(track.transitions, key=lambda t: t.at - t.before))
        self._begins = [t.at - t.before for t in self._transitions]

    def _clip_at(self, frame: int) -> Clip | None:
        i = bisect_right(self._starts, frame) - 1
        return self.clips[i] if i >= 0 and frame < self.clips[i].end else None

    def at(self, frame: int) -> list[Layer]:
        i = bisect_right(self._begins, frame) - 1
        if i >= 0 and frame < self._transitions[i].at + self._transitions[i].after:
            return self._mixed(frame, self._transitions[i])
        clip = self._clip_at(frame)
        return [Layer(clip, frame - clip.start, clip.opacity)] if clip else []

    def _mixed(self, frame: int, change: Transition) -> list[Layer]:
        """Return both sides of a transition; a missing side is what lies below."""
        length = change.before + change.after
        progress = (frame - (change.at - change.before) + 1) / (length + 1)
        out, into = self._clip_at(change.at - 1), self._clip_at(change.at)
        if change.kind.startswith("dip"):  # through what lies below, or black
            clip, level = (out, 1 - 2 * progress) if progress < 0.5 else (into, 2 * progress - 1)
            return [Layer(clip, frame - clip.start, clip.opacity * max(level, 0.0))] if clip else []
        layers = []
        if out is not None:
            fading = into is None
            layers.append(Layer(out, frame - out.start, out.opacity * ((1 - progress) if fading else 1.0)))
        if into is not None:
            wipe = change.kind if change.kind.startswith("wipe") else ""
            layers.append(Layer(into, frame - into.start, into.opacity * progress, wipe))
        return layers


def cuts(timeline: Timeline) -> tuple[int, ...]:
    """Return the record frames at which the top picture changes by a hard cut, rising; 0 is none."""
    stack = Stack(timeline)
    places = sorted({p for t in timeline.tracks if t.kind == "picture" for c in t.clips for p in (c.start, c.end)})
    found = []
    for place in places:
        if not 0 < place < timeline.frames:
            continue
        before, after = stack.at(place - 1), stack.at(place)
        plain = all(layer.covers for layer in (*before[:1], *after[:1])) and len(before) < 2 and len(after) < 2
        if plain and not _goes_on(before, after, timeline):
            found.append(place)
    return tuple(found)


def _goes_on(before: tuple[Layer, ...], after: tuple[Layer, ...], timeline: Timeline) -> bool:
    """Whether one picture simply follows the other in the same take (a through edit)."""
    if not before or not after:
        return before == after
    a, b = before[-1], after[-1]
    if a.clip.take != b.clip.take or a.clip.title or b.clip.title:
        return a.clip is b.clip
    step = b.clip.source_frame(b.offset, timeline.rate) - a.clip.source_frame(a.offset, timeline.rate)
    usual = a.clip.source_frame(a.offset + 1, timeline.rate) - a.clip.source_frame(a.offset, timeline.rate)
    return step == usual
