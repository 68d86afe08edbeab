# SPDX-License-Identifier: Apache-2.0
"""A few open sources for however many clips."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from backbeat.media.frames import Reader, Table, read_table

if TYPE_CHECKING:
    from backbeat.model.timeline import Clip

# Readers kept open at most (a decoder at 1080p holds 10 to 100 MB), those in use apart.
OPEN = 6


class Pool:
    """Readers of many files; a clip borrows one while it is on screen, so that two clips of one take do not fight."""

    def __init__(self, *, threads: int = 1, stop: Event | None = None, rough: bool = False) -> None:
        self._stop, self._rough = stop, rough
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
            reader = Reader(clip.take, table, threads=self._threads, stop=self._stop, rough=self._rough)
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
