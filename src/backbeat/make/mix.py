# SPDX-License-Identifier: Apache-2.0
"""The sound of the film, mixed in float at 48 kHz stereo block by block; hours need no more memory than seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from backbeat.make.duck import Dip, duck_curve
from backbeat.make.pieces import RATE, Piece
from backbeat.make.retarget import cue_samples
from backbeat.make.stretch import stretched
from backbeat.media.frames import read_table
from backbeat.media.samples import read_sound
from backbeat.media.sounds import SoundReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.cue import Cue

BLOCK = RATE  # samples mixed at a time
OPEN = 6  # sound files kept open at most
KEPT = 200_000_000  # bytes of finished cues kept in memory: about nine minutes
LAWS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "linear": lambda x: x,
    "power": lambda x: np.sin(x * np.pi / 2),
    "smooth": lambda x: np.sin(x * np.pi / 2) ** 2,
}


class Cues:
    """Cues made to sound, kept from one pass of the mix to the next (loudness takes several), `KEPT` bytes at most."""

    def __init__(self, kept: int = KEPT) -> None:
        self._room = kept
        self._made: dict[object, NDArray[np.float32]] = {}

    def made(self, path: str, cue: Cue, frames: int) -> NDArray[np.float32]:
        """Return the cue's samples, float32 (2, frames), before gains and ducks; do not write into them."""
        try:
            facts = Path(path).stat()
            stamp = (facts.st_size, facts.st_mtime_ns)
        except OSError:
            stamp = (0, 0)
        bare = replace(cue, ducks=(), gain_keys=(), gain_db=0.0, name="", usage="")
        key = (path, stamp, bare, frames)
        found = self._made.pop(key, None)
        if found is None:
            found = cue_samples(read_sound(path, rate=RATE, channels=2), cue, frames=frames)
        self._made[key] = found  # last used last
        while len(self._made) > 1 and sum(x.nbytes for x in self._made.values()) > self._room:
            self._made.pop(next(iter(self._made)))
        return found


_cues = Cues()


class Mixer:
    """Mixes pieces; ask for blocks in rising order."""

    def __init__(self, pieces: Sequence[Piece], samples: int) -> None:
        self.pieces = tuple(pieces)
        self.samples = samples
        self._readers: dict[str, SoundReader] = {}
        self._whole: dict[int, NDArray[np.float32]] = {}  # stretched pieces under way, by their place in the list
        self._dips: dict[int, Dip] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._whole.clear()

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield float32 (2, n) without a gap from film sample `first` to `last`."""
        last = self.samples if last is None else last
        for at in range(first, last, BLOCK):
            yield self.block(at, min(BLOCK, last - at))

    def block(self, at: int, count: int) -> NDArray[np.float32]:
        """Return film samples ``at .. at + count``, unlimited."""
        mixed = np.zeros((2, count), np.float32)
        for number, piece in enumerate(self.pieces):
            if piece.end <= at:
                self._whole.pop(number, None)
                self._dips.pop(number, None)
                continue
            if piece.start >= at + count:
                break  # they are in order of start
            i, j = max(at, piece.start), min(at + count, piece.end)
            samples = self._samples(number, piece, i, j)
            if any(any(d.bells) for d in piece.ducks):
                samples = self._dips.setdefault(number, Dip(piece.ducks)).applied(samples, i)
            mixed[:, i - at : j - at] += samples * gain_of(piece, i, j)
        return mixed

    def _samples(self, number: int, piece: Piece, i: int, j: int) -> NDArray[np.float32]:
        if piece.cue is not None:
            if number not in self._whole:
                self._whole[number] = _cues.made(piece.path, piece.cue, piece.end - piece.start)
            return self._whole[number][:, i - piece.start : j - piece.start]
        reader = self._reader(piece)
        if piece.factor == 1.0:
            return reader.read(round(piece.source * RATE) + i - piece.start, j - i)
        if number not in self._whole:
            self._whole[number] = stretched(reader, piece)
        return self._whole[number][:, i - piece.start : j - piece.start]

    def _reader(self, piece: Piece) -> SoundReader:
        if (reader := self._readers.pop(piece.path, None)) is None:
            origin = None
            if piece.origin == "picture":
                table = read_table(piece.path)
                origin = 0.0 if table.counted else float(Fraction(int(table.pts[0])) * table.base)
            reader = SoundReader(piece.path, origin=origin)
        self._readers[piece.path] = reader  # last used last
        while len(self._readers) > OPEN:
            self._readers.pop(next(iter(self._readers))).close()
        return reader


def gain_of(piece: Piece, first: int, last: int) -> NDArray[np.float32]:
    """Return the linear gain of a piece over film samples ``first .. last``, float32 (n,)."""
    n = np.arange(first, last)
    level = np.interp(n, [k for k, _ in piece.keys], [db for _, db in piece.keys])
    gain = 10 ** ((level + duck_curve(piece.ducks, first, last)) / 20)
    for length, into in ((piece.fade_in, n - piece.start), (piece.fade_out, piece.end - 1 - n)):
        if length > 0 and into.min() < length:
            gain = gain * LAWS[piece.law](np.clip((into + 0.5) / length, 0, 1))
    return np.asarray(gain, np.float32)
