# SPDX-License-Identifier: Apache-2.0
"""The film's pictures in closed-GOP segments: units of resuming and of parallel work.

Where a segment begins depends on the timeline alone, so one process and many make the same pictures, and a render that
was killed goes on after its last whole segment.
"""

from __future__ import annotations

import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

import av

from backbeat.errors import BackbeatError, InputError
from backbeat.make.compose import Composer
from backbeat.make.layers import cuts
from backbeat.make.planes import look_of
from backbeat.media.write import PictureFormat, write_pictures
from backbeat.model.codec import to_plain
from backbeat.model.time import clock
from backbeat.work.cache import fingerprint, key_of

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    from backbeat.make.settings import Look
    from backbeat.model.timeline import Timeline, Track

# Seconds of a segment, and how far its end may move to fall on a cut (where a key picture comes anyway).
LENGTH, SLACK = 12.0, 4.0
# Pictures that wait between the composing thread and the encoder.
AHEAD = 8
VERSION = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames ``first .. last`` of a timeline (only what they need of it), to be coded into `path`.

    They are counted from the film's frame `origin`, which is where the timeline begins. `marks` are the frames about
    its cuts.
    """

    timeline: Timeline
    form: PictureFormat
    look: Look
    first: int
    last: int
    path: str
    marks: frozenset[int] = frozenset()
    origin: int = 0

    @property
    def done(self) -> bool:
        """Whether the file is there; a file under this name is whole."""
        return Path(self.path).exists()


@dataclass(frozen=True, slots=True)
class Coded:
    """A finished segment.

    `warnings` say what was mended on the way; `looks` are the small views of the composed pictures about its cuts (see
    `make.planes.look_of`), for the check.
    """

    path: str
    frames: int
    warnings: tuple[str, ...] = ()
    looks: tuple[tuple[int, NDArray[np.float32]], ...] = ()


def plan(
    timeline: Timeline, form: PictureFormat, look: Look, span: tuple[int, int], folder: str, breaks: Sequence[int] = ()
) -> list[Segment]:
    """Return the segments of the record frames `span`; each file's name tells its content.

    At each of `breaks` (record frames) a segment begins, and what follows is counted from there: where it lies in the
    film then tells nothing of its content, so that what is as before is known again after a change before it.
    """
    edges = cuts(timeline)
    marks = frozenset(n for edge in edges for n in (edge - 1, edge))
    prints: dict[str, str] = {}
    found = []
    faded = timeline.fade_in > 0 or timeline.fade_out > 0  # these hang on the place in the film
    chapters = [span[0], *(() if faded else sorted(b for b in set(breaks) if span[0] < b < span[1])), span[1]]
    for start, stop in pairwise(chapters):
        origin = start if len(chapters) > 2 else 0
        for a, b in pairwise(_bounds(start, stop, edges, timeline.rate)):
            made = _segment(
                timeline, form, look, (a, b), folder, prints, (origin, stop if len(chapters) > 2 else timeline.frames)
            )
            found.append(replace(made, marks=frozenset(n - origin for n in marks if a <= n < b)))
    return found


def _bounds(first: int, last: int, edges: Sequence[int], rate: Fraction) -> list[int]:
    bounds = [first]
    while last - bounds[-1] > (LENGTH + SLACK) * rate:
        aim = bounds[-1] + round(LENGTH * rate)
        near = [c for c in edges if abs(c - aim) <= SLACK * rate and c > bounds[-1]]
        bounds.append(min(near, key=lambda c: abs(c - aim)) if near else aim)
    return [*bounds, last]


def _segment(
    timeline: Timeline,
    form: PictureFormat,
    look: Look,
    span: tuple[int, int],
    folder: str,
    prints: dict[str, str],
    chapter: tuple[int, int],
) -> Segment:
    """Return one segment with the part of the timeline that it needs, and a name from its content."""
    (first, last), (origin, stop) = span, chapter

    def used(track: Track) -> Track:
        changes = tuple(t for t in track.transitions if t.at - t.before < last and t.at + t.after > first)
        reach = [(t.at - t.before, t.at + t.after) for t in changes]
        low, high = min([first, *(a for a, _ in reach)]), max([last, *(b for _, b in reach)])
        clips = tuple(
            replace(c, start=c.start - origin, alternates=(), terms=(), reason="", hits=())
            for c in track.clips
            if c.start < high and c.end > low
        )
        return replace(track, clips=clips, transitions=tuple(replace(t, at=t.at - origin) for t in changes))

    tracks = tuple(used(t) for t in timeline.tracks if t.kind == "picture" and t.enabled)
    names = {c.take for t in tracks for c in t.clips if c.take}
    for name in names - prints.keys():
        try:
            prints[name] = fingerprint(name)
        except OSError:
            prints[name] = ""  # the decoder will say what is wrong, and where
    takes = tuple(m for m in timeline.takes if m.path in names)
    small = replace(timeline, tracks=tracks, takes=takes, frames=stop - origin, cues=(), markers=(), metadata=())
    sources = [prints[n] for n in sorted(names)]
    first, last = first - origin, last - origin
    key = key_of("segment", VERSION, av.__version__, to_plain((small, form, look)), first, last, sources)
    path = str(Path(folder) / f"{first:07d}-{key[:24]}{form.container}")
    return Segment(small, form, look, first, last, path, origin=origin)


def encode(segment: Segment) -> Coded:
    """Make one segment (a job for a pool)."""
    if segment.done:
        return Coded(segment.path, segment.last - segment.first)
    return next(encode_all([segment], lambda: None))


def encode_all(segments: Sequence[Segment], tick: Callable[[], None]) -> Iterator[Coded]:
    """Make segments one after another, pictures composed ahead across their borders; `tick` is called per picture.

    Raises
    ------
    MediaError
        If a source cannot be read; the message names the place in the film.
    InputError
        If the disk is full; the segments before stay.
    """
    with Ahead(segments) as ahead:
        frames = iter(ahead)
        for segment in segments:
            count = segment.last - segment.first
            handle, part = tempfile.mkstemp(suffix=segment.form.container, dir=Path(segment.path).parent)
            os.close(handle)
            made = 0
            try:
                for done in write_pictures(part, islice(frames, count), segment.form):
                    made = done
                    tick()
                Path(part).replace(segment.path)
            except (av.FFmpegError, OSError) as error:
                where = clock(float((segment.origin + segment.first + made) / segment.timeline.rate))
                raise write_fault(error, f"at {where} of the film") from error
            finally:
                Path(part).unlink(missing_ok=True)
            yield Coded(segment.path, made, ahead.warnings(), ahead.looks(segment))


def write_fault(error: Exception, where: str) -> BackbeatError:
    """Return the house's error for a failed write."""
    number = getattr(error, "errno", None)
    if number in {28, 122, 27}:  # ENOSPC, EDQUOT, EFBIG
        return InputError(f"the disk is full ({where})", "make room and run again to go on, or give another output")
    said = getattr(error, "strerror", None) or str(error)
    return InputError(f"the film cannot be written ({where}): {said}", "give another output, or other settings")


class Ahead:
    """Record frames of several segments, composed in a thread of their own a few ahead of who takes them."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._line: queue.Queue[av.VideoFrame | BaseException] = queue.Queue(AHEAD)
        self._stop = threading.Event()
        self._held: dict[str, int] = {}
        self._looks: dict[int, NDArray[np.float32]] = {}
        self._worker = threading.Thread(target=self._work, name="compose", daemon=True)

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._worker.join()

    def __iter__(self) -> Iterator[av.VideoFrame]:
        for _ in range(sum(s.last - s.first for s in self._segments)):
            item = self._line.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def warnings(self) -> tuple[str, ...]:
        """Return what was mended so far."""
        return tuple(f"{path}: {n} damaged pictures were held over" for path, n in sorted(self._held.items()))

    def looks(self, segment: Segment) -> tuple[tuple[int, NDArray[np.float32]], ...]:
        """Return the views taken in a segment."""
        first, last = (segment.origin + n for n in (segment.first, segment.last))
        return tuple((n, v) for n, v in self._looks.items() if first <= n < last)

    def _put(self, item: av.VideoFrame | BaseException) -> None:
        while not self._stop.is_set():
            try:
                self._line.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def _work(self) -> None:
        threads = max(1, min(4, (os.cpu_count() or 1) // 2))
        try:
            for segment in self._segments:
                # A composer a segment: its pool of readers ends with it, and sources shared by two are sought again.
                composer = Composer(segment.timeline, segment.form, segment.look, threads=threads, stop=self._stop)
                try:
                    for number in range(segment.first, segment.last):
                        frame = composer.frame(number)
                        if number in segment.marks:
                            self._looks[segment.origin + number] = look_of(frame)
                        self._put(frame)
                        if self._stop.is_set():
                            return
                finally:
                    composer.close()
                    for path, count in composer.held.items():
                        self._held[path] = self._held.get(path, 0) + count
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._put(error)
