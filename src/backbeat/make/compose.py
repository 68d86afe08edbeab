# SPDX-License-Identifier: Apache-2.0
"""Record frames out of sources: a few open readers, one canvas, layers blended on YUV planes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from threading import Event

import av
import cv2

from backbeat.errors import MediaError
from backbeat.make.fit import Fitter, planes
from backbeat.make.layers import Layer, Stack
from backbeat.media.frames import Reader, Table, read_table
from backbeat.media.write import PictureFormat
from backbeat.model.time import clock
from backbeat.model.timeline import Clip, Timeline

# Readers kept open at most (a decoder at 1080p holds 10 to 100 MB), those in use apart.
OPEN = 6


class Pool:
    """Readers of many files; a clip borrows one while it is on screen, so that two clips of one take do not fight."""

    def __init__(self, *, threads: int = 1, stop: Event | None = None) -> None:
        self._stop = stop
        self.held: dict[str, int] = {}
        self._idle: list[Reader] = []
        self._lent: dict[int, Reader] = {}
        self._tables: dict[str, Table] = {}
        self._threads = threads

    def table(self, path: str) -> Table:
        """Return a file's time stamps, read once."""
        if path not in self._tables:
            self._tables[path] = read_table(path)
        return self._tables[path]

    def lend(self, clip: Clip, index: int) -> Reader:
        """Return the reader that `clip` works with, the best placed for picture `index` if it has none yet."""
        if (reader := self._lent.get(id(clip))) is not None:
            return reader
        table = self.table(clip.take)
        fitting = [r for r in self._idle if r.path == clip.take]
        if fitting:
            reader = min(fitting, key=lambda r: r.cost(index))
            self._idle.remove(reader)
        else:
            reader = Reader(clip.take, table, threads=self._threads, stop=self._stop)
        self._lent[id(clip)] = reader
        while self._idle and len(self._idle) + len(self._lent) > OPEN:
            self._shut(self._idle.pop(0))
        return reader

    def keep(self, clips: set[int]) -> None:
        """Take back the readers of all clips but those whose ids are given."""
        for key in [k for k in self._lent if k not in clips]:
            self._idle.append(self._lent.pop(key))

    def close(self) -> None:
        """Close everything."""
        for reader in (*self._idle, *self._lent.values()):
            self._shut(reader)
        self._idle.clear()
        self._lent.clear()

    def _shut(self, reader: Reader) -> None:
        if reader.held:
            self.held[reader.path] = self.held.get(reader.path, 0) + reader.held
        reader.close()


@dataclass(slots=True)
class _Shown:
    index: int
    frame: av.VideoFrame


class Composer:
    """Makes record frames of one timeline, in rising order at the least cost."""

    def __init__(
        self,
        timeline: Timeline,
        form: PictureFormat,
        *,
        fit: str = "letterbox",
        threads: int = 1,
        stop: Event | None = None,
    ) -> None:
        self._timeline = timeline
        self._stack = Stack(timeline)
        self._fitter = Fitter(form.width, form.height, form.pixel_format, mode=fit, colour=form.colour)
        self._pool = Pool(threads=threads, stop=stop)
        self._aspect = {m.path: m.pixel_aspect for m in timeline.takes}
        self._shown: dict[int, _Shown] = {}

    @property
    def held(self) -> dict[str, int]:
        """How many damaged pictures were held over, by file; complete after `close`."""
        return self._pool.held

    def close(self) -> None:
        """Close all sources."""
        self._shown.clear()
        self._pool.close()

    def frames(self, first: int, last: int) -> Iterator[av.VideoFrame]:
        """Yield record frames ``first .. last``; each may be written to by the one who gets it."""
        for number in range(first, last):
            yield self.frame(number)

    def frame(self, number: int) -> av.VideoFrame:
        """Return one record frame.

        Raises
        ------
        MediaError
            If a source cannot be read; the message names the place in the film.
        """
        layers = self._stack.at(number)
        active = {id(layer.clip) for layer in layers}
        self._pool.keep(active)
        for key in [k for k in self._shown if k not in active]:
            del self._shown[key]
        picture: av.VideoFrame | None = None
        for layer in layers:
            try:
                upper = self._picture(layer)
            except MediaError as error:
                where = clock(float(number / self._timeline.rate))
                raise MediaError(f"at {where} of the film: {error.message}", error.hint) from error
            picture = upper if layer.covers else blended(picture or self._fitter.black(), upper, layer.amount)
        if picture is None:
            return self._fitter.black()
        return picture

    def _picture(self, layer: Layer) -> av.VideoFrame:
        clip = layer.clip
        number = clip.source_frame(layer.offset, self._timeline.rate)
        index = self._pool.table(clip.take).index(number, clip.source_rate)
        shown = self._shown.get(id(clip))
        if shown is None or shown.index != index:
            raw = self._pool.lend(clip, index).picture(index, backwards=clip.speed.factor < 0)
            aspect = self._aspect.get(clip.take, Fraction(1))
            shown = self._shown[id(clip)] = _Shown(index, self._fitter.fit(raw, pixel_aspect=aspect))
        return shown.frame


def blended(below: av.VideoFrame, above: av.VideoFrame, amount: float) -> av.VideoFrame:
    """Return ``below`` under ``above`` at opacity `amount` 0..1."""
    out = av.VideoFrame(below.width, below.height, below.format.name)
    for into, a, b in zip(planes(out), planes(below), planes(above), strict=True):
        into[:] = cv2.addWeighted(a, 1 - amount, b, amount, 0)
    return out
