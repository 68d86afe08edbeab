# SPDX-License-Identifier: Apache-2.0
"""A timeline rendered into a film: pictures by frame count, sound by sample count, one encode, no lossy in-between."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av

from backbeat.errors import BackbeatError, InputError
from backbeat.make.compose import Composer
from backbeat.make.limit import limited
from backbeat.make.mix import Mixer
from backbeat.make.pieces import pieces_of, sample_at
from backbeat.make.settings import RenderSettings, picture_format, sound_format
from backbeat.media.write import PictureFormat, join, write_pictures
from backbeat.model.timeline import Timeline
from backbeat.work.progress import Progress, Silent

# Pictures that wait between the decoding thread and the encoder.
AHEAD = 8


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made. `seconds` is wall time; `warnings` say what was mended on the way."""

    path: str
    frames: int
    seconds: float
    warnings: tuple[str, ...] = ()


def render(
    timeline: Timeline,
    output: str,
    *,
    settings: RenderSettings = RenderSettings(),  # noqa: B008 - frozen
    progress: Progress = Silent(),  # noqa: B008 - has no state
) -> Rendered:
    """Render `timeline` to exactly `output`; its suffix names the container.

    Raises
    ------
    InputError
        If the settings do not fit, the timeline is empty, or the disk is full.
    MediaError
        If a source cannot be read; the message names the place in the film.
    MissingPartError
        If an encoder is missing on this machine.
    """
    began = time.monotonic()
    form = picture_format(timeline, settings, output)
    voice = sound_format(settings, output)
    first, last = settings.span or (0, timeline.frames)
    if not 0 <= first < last <= timeline.frames:
        raise InputError(f"{timeline.name}: no frame to render", "give a timeline with clips, and a span inside it")
    with tempfile.TemporaryDirectory(prefix=".backbeat-", dir=Path(output).parent) as folder:
        part = str(Path(folder) / f"0{form.container}")
        progress.start("render", last - first, "frames")
        try:
            for _ in write_pictures(part, _ahead(timeline, form, settings, first, last), form):
                progress.advance()
            pieces = pieces_of(timeline)
            a, b = (sample_at(n, timeline.rate) for n in (first, last))
            with Mixer(pieces, b) as mixer:
                sound = limited(mixer.blocks(a, b), settings.ceiling) if pieces else None
                for _ in join(output, [part], form, sound, voice):
                    pass
        except av.FFmpegError as error:
            raise _told(output, error) from error
        progress.stop()
    return Rendered(output, last - first, time.monotonic() - began)


def _told(output: str, error: Any) -> BackbeatError:
    return InputError(f"{output}: cannot be written ({error.strerror})", "make room, or give another output")


def _ahead(
    timeline: Timeline, form: PictureFormat, settings: RenderSettings, first: int, last: int
) -> Iterator[av.VideoFrame]:
    """Yield record frames made in a thread of their own, a few ahead of the encoder."""
    line: queue.Queue[av.VideoFrame | BaseException | None] = queue.Queue(AHEAD)
    stop = threading.Event()

    def put(item: av.VideoFrame | BaseException | None) -> None:
        while not stop.is_set():
            try:
                line.put(item, timeout=0.2)
            except queue.Full:
                continue
            return

    def work() -> None:
        threads = max(1, min(4, (os.cpu_count() or 1) // 2))
        composer = Composer(timeline, form, fit=settings.fit, threads=threads)
        try:
            for frame in composer.frames(first, last):
                put(frame)
                if stop.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            put(error)
        finally:
            composer.close()

    worker = threading.Thread(target=work, name="compose", daemon=True)
    worker.start()
    try:
        while (item := line.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        worker.join()


def sized(timeline: Timeline, width: int, height: int) -> Timeline:
    """Return the same edit on another canvas."""
    return replace(timeline, width=width, height=height)
