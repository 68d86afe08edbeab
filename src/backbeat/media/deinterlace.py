# SPDX-License-Identifier: Apache-2.0
"""Interlaced pictures made whole: FFmpeg's bwdif, which looks at the picture before and the one after."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.filter import Graph

if TYPE_CHECKING:
    from backbeat.media.frames import Reader


class Deinterlaced:
    """Pictures of a reader, each as a whole one at its own time; going forward costs one filter step a picture."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._graph: Graph | None = None
        self._next = -1  # the picture that the filter gives next
        self._pushed = -1
        self._last: tuple[int, av.VideoFrame] | None = None

    def picture(self, index: int) -> av.VideoFrame:
        """Return picture `index` of the file, deinterlaced where it is flagged as interlaced."""
        if self._last is not None and self._last[0] == index:
            return self._last[1]
        end = len(self._reader.table) - 1
        if self._graph is None or not self._next <= index <= self._next + 3:
            self._start(max(0, index - 1))
        while True:
            frame = None
            while frame is None and self._pushed < end:
                frame = self._step(self._pushed + 1)
            if frame is None:
                # The last picture has none after it: it is given twice.
                frame = self._step(end, again=True) or self._reader.picture(end)
            number, self._next = self._next, self._next + 1
            if number >= index:
                self._last = (index, frame)
                return frame

    def _start(self, index: int) -> None:
        graph = Graph()
        first = self._reader.picture(index)
        source = graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=Fraction(1, 1000)
        )
        graph.link_nodes(
            source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
        ).configure()
        self._graph, self._next, self._pushed = graph, index, index - 1

    def _step(self, index: int, *, again: bool = False) -> av.VideoFrame | None:
        assert self._graph is not None
        frame = self._reader.picture(index)
        kept = frame.pts, frame.time_base
        frame.pts, frame.time_base = (index + again) * 40, Fraction(1, 1000)
        self._graph.push(frame)
        frame.pts, frame.time_base = kept[0], kept[1] or Fraction(1)
        self._pushed = index
        try:
            out = self._graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return None
        assert isinstance(out, av.VideoFrame)
        return out
