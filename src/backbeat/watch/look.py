# SPDX-License-Identifier: Apache-2.0
"""Look at one take: one pass through its file feeds the eye, the ear and the shot detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.errors import MediaError
from backbeat.media.probe import Times, probe_times
from backbeat.media.samples import mono_blocks
from backbeat.media.scan import SOUND_RATE, Scan
from backbeat.model.footage import Media, Shot, Speech, Take
from backbeat.watch.alike import Prints
from backbeat.watch.ear import Ear, Hearing
from backbeat.watch.eye import Eye, Sight
from backbeat.watch.faces import Faces
from backbeat.watch.hits import Found, OwnHits
from backbeat.watch.quality import dead, looks
from backbeat.watch.shots import Boundary, OwnShots, ShotFinder
from backbeat.watch.speech import OwnSpeech
from backbeat.work import plugins

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 15  # raise it whenever a result may change: cached looks are forgotten
_SHORTEST = 3  # pictures


def look(path: str, *, shots: str = "own", hardware: str = "") -> Take:
    """Return everything seen and heard in one file.

    Parameters
    ----------
    path
        A video, a still or a pattern of numbered pictures.
    shots
        Name of the shot finder: a backend of ``backbeat.shots``.
    hardware
        Name of a hardware decoder to use where present.

    Raises
    ------
    MediaError
        If it cannot be opened, or not one picture of it can be decoded.
    """
    cv2.setNumThreads(1)  # pictures this small are not worth waking threads for
    media, times = probe_times(path)
    eye, ear, cutter, prints, people = Eye(), Ear(), shot_finder(shots), Prints(), Faces()
    scan = Scan(media, times, hear=ear.hear, hardware=hardware)
    for picture in scan:
        eye.see(picture)
        cutter.see(picture.thumb, eye.small, eye.novelty)
        prints.see(picture.time, picture.thumb)
        people.see(picture.time, picture.luma, eye.novelty)
    sight, hearing = eye.sight(), ear.hearing()
    if len(sight.time) == 0:
        raise MediaError(f"{path}: not one picture could be decoded", "is the file whole?")
    warnings = list(media.warnings)
    if hearing.silent and media.sound_streams > 1:  # a recorder's first track may be unused
        other, hearing = _other_sound(media, float(times.zero), hearing)
        warnings += [f"its first sound is silence: sound {other + 1} was listened to"] if other else []
    boundaries = cutter.finish()
    found = OwnHits().find(sight, hearing, boundaries)
    if len(sight.time) < 0.95 * len(times.pictures):
        warnings.append(f"only {len(sight.time)} of {len(times.pictures)} pictures could be decoded")
    if media.has_sound and hearing.silent:
        warnings.append("its sound is silence")
    if hardware and not scan.accelerated:
        warnings.append(f"decoded without {hardware}: no such decoder for it here")
    damaged = int((sight.corrupt > 0).sum())
    if damaged:
        warnings.append(f"{damaged} damaged pictures are not used")
    speech = OwnSpeech().find(hearing)
    parts = _shots(media, times, sight, boundaries, prints, people)
    return Take(
        media=media,
        shots=tuple(_with_hits(s, float(media.rate), found, speech) for s in parts),
        speech=speech,
        offset=found.offset,
        shot_at=_shot_at(path),
        warnings=tuple(warnings),
    )


def _other_sound(media: Media, zero: float, silence: Hearing) -> tuple[int, Hearing]:
    """Return the first sound stream after the first in which something is heard, and it; 0 if there is none."""
    for stream in range(1, media.sound_streams):
        ear = Ear()
        try:
            for block in mono_blocks(media.path, SOUND_RATE, stream=stream):
                ear.hear(block.samples[0], block.start - zero)
        except MediaError:
            continue
        if not (hearing := ear.hearing()).silent:
            return stream, hearing
    return 0, silence


def shot_finder(name: str) -> ShotFinder:
    """Return a new finder of the backend `name`.

    Raises
    ------
    MissingPartError
        If there is none, or a part that it needs is missing.
    """
    if name == "own":
        return OwnShots()
    finder: ShotFinder = plugins.load("shots", name)()
    return finder


def _shot_at(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0


def pieces(count: int, boundaries: Sequence[Boundary], unusable: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the half-open spans of usable pictures between boundaries; too short ones dropped.

    Unusable pictures (black, damaged) split a span too: what lies on their two sides need not be one shot.
    """
    real = [b for b in boundaries if b.kind != "refused"]
    starts = [0, *(b.end + 2 * (b.kind == "gradual") for b in real)]
    ends = [*(b.start - 2 * (b.kind == "gradual") for b in real), count]
    found = []
    for start, end in zip(starts, ends, strict=True):
        good = np.concatenate([[False], ~unusable[start : max(start, end)], [False]])
        edges = np.flatnonzero(np.diff(good.astype(np.int8))).reshape(-1, 2) + start
        found += [(int(a), int(b)) for a, b in edges if b - a >= min(_SHORTEST, count)]
    return found


def _shots(
    media: Media, times: Times, sight: Sight, boundaries: Sequence[Boundary], prints: Prints, people: Faces
) -> list[Shot]:
    shots: list[Shot] = []
    rate = float(media.rate)
    for first, last in pieces(len(sight.time), boundaries, dead(sight)):
        start = times.frame_of(float(sight.time[first]))
        end = times.frame_of(float(sight.time[last])) if last < len(sight.time) else _end(times, sight)
        if end <= start:
            continue
        step = max(1, round(rate / 12.5))
        figures = looks(sight, first, last)
        size, sure = people.of(start / rate, end / rate)
        shots.append(
            Shot(
                take=media.path,
                index=len(shots),
                start_frame=start,
                end_frame=end,
                motion_curve=_curve(sight, first, last, start, end, step, rate),
                curve_step=step,
                prints=prints.of(start / rate, end / rate),
                shot_size=size,
                size_confidence=sure,
                **{name: getattr(figures, name) for name in figures.__slots__},
            )
        )
    return shots


def _with_hits(shot: Shot, rate: float, found: Found, speech: Sequence[Speech]) -> Shot:
    """Return `shot` with the hits inside it; where nothing is heard and nobody speaks, its motion peaks."""
    start, end = shot.start_frame / rate, shot.end_frame / rate
    hits = tuple(h for h in found.hits if start <= h.time < end)
    if not hits and not any(s.span.start < end and s.span.end > start for s in speech):
        hits = tuple(h for h in found.peaks if start <= h.time < end)
    return replace(shot, hits=hits)


def _end(times: Times, sight: Sight) -> int:
    return min(times.frames, times.frame_of(float(sight.time[-1])) + 1)


def _curve(sight: Sight, first: int, last: int, start: int, end: int, step: int, rate: float) -> tuple[float, ...]:
    """Return mean flow a source frame, percent of width, every `step` source frames."""
    at = np.arange(start, end, step) / rate
    flow: Any = sight.motion[first:last].astype(np.float64).copy()
    if len(flow) > 1:
        flow[0] = flow[1]  # the first picture's own motion is the join's
        gaps = np.diff(sight.time[first:last], prepend=sight.time[first] - 1 / rate) * rate
        flow /= np.maximum(gaps, 0.5)
    return tuple(float(v) for v in np.round(np.interp(at, sight.time[first:last], flow), 3))


def at_path(take: Take, path: str) -> Take:
    """Return `take` as found at another path: a moved file is known again."""
    if take.media.path == path:
        return take
    return replace(take, media=replace(take.media, path=path), shots=tuple(replace(s, take=path) for s in take.shots))
