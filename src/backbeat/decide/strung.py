# SPDX-License-Identifier: Apache-2.0
"""Timelines put one behind another: clips, hits, transitions and markers move along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import zip_longest

from backbeat.model.footage import Media
from backbeat.model.time import frame_at, seconds_at
from backbeat.model.timeline import Marker, Timeline, Track


def moved(timeline: Timeline, frames: int) -> Timeline:
    """Return `timeline` begun `frames` record frames later; its cues stay."""
    by = seconds_at(frames, timeline.rate)

    def later(track: Track) -> Track:
        clips = tuple(replace(c, start=c.start + frames, hits=tuple(h + by for h in c.hits)) for c in track.clips)
        changes = tuple(replace(t, at=t.at + frames) for t in track.transitions)
        return replace(track, clips=clips, transitions=changes)

    return replace(
        timeline,
        frames=timeline.frames + frames,
        tracks=tuple(later(t) for t in timeline.tracks),
        markers=tuple(replace(m, time=m.time + by) for m in timeline.markers),
    )


def at_rate(timeline: Timeline, rate: Fraction) -> Timeline:
    """Return `timeline` counted at another rate: every edge goes to the nearest frame, the pictures keep their time."""
    if timeline.rate == rate:
        return timeline

    def frame(n: int) -> int:
        return frame_at(Fraction(n) / timeline.rate, rate)

    def counted(track: Track) -> Track:
        clips = tuple(
            replace(c, start=frame(c.start), frames=frame(c.end) - frame(c.start))
            for c in track.clips
            if frame(c.end) > frame(c.start)
        )
        changes = tuple(
            replace(t, at=frame(t.at), before=frame(t.before), after=frame(t.after)) for t in track.transitions
        )
        return replace(track, clips=clips, transitions=changes)

    return replace(
        timeline, rate=rate, frames=frame(timeline.frames), tracks=tuple(counted(t) for t in timeline.tracks)
    )


def strung(scenes: Sequence[Timeline], name: str) -> Timeline:
    """Return the scenes behind one another as one timeline: tracks by number, a marker at the start of each scene.

    All have one rate and size. Cues and fades are not taken over.
    """
    head, at = scenes[0], 0
    tracks: list[list[Track]] = []
    markers: list[Marker] = []
    takes: dict[str, Media] = {}
    for scene in scenes:
        length = seconds_at(scene.frames, scene.rate)
        start = seconds_at(at, scene.rate)
        placed = moved(scene, at)
        markers += [Marker(start, "scene", scene.name, length), *(m for m in placed.markers if m.kind != "scene")]
        takes |= {m.path: m for m in scene.takes}
        tracks.append(list(placed.tracks))
        at += scene.frames
    kinds = {k: [[t for t in row if t.kind == k] for row in tracks] for k in ("picture", "sound")}
    joined = tuple(_joined(level) for k in ("picture", "sound") for level in zip_longest(*kinds[k]))
    return replace(
        head, name=name, frames=at, tracks=joined, cues=(), markers=tuple(markers), takes=tuple(takes.values()),
        fade_in=0.0, fade_out=0.0, start_timecode=0, metadata=(),
    )  # fmt: skip


def _joined(level: Sequence[Track | None]) -> Track:
    tracks = [t for t in level if t is not None]
    return replace(
        tracks[0],
        clips=tuple(c for t in tracks if t.enabled for c in t.clips),
        transitions=tuple(c for t in tracks if t.enabled for c in t.transitions),
        enabled=any(t.enabled for t in tracks),
    )
