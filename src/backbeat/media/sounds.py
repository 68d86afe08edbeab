# SPDX-License-Identifier: Apache-2.0
"""Sound in by ranges: any stretch of a file at 48 kHz stereo, placed by its own time stamps, in bounded memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np
import soxr

from backbeat.errors import MediaError
from backbeat.media.box import open_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Native samples decoded before a wanted one after a seek: codecs with overlapping blocks need a few to settle.
SETTLE = 8192
# Native samples of overlap at the edges of a resampled piece, so that the filter's ends are not heard.
EDGE = 2048
# A jump of the time stamps smaller than this (s) is a rounding of the container's clock, not a gap.
GAP = 0.010
# A longer one (s) is a broken clock.
LONGEST = 600
# Seconds ahead that are decoded through instead of sought.
LEAP = 20
RATE = 48_000


class SoundReader:
    """Reads stretches of one sound stream as float32 (2, n) at 48 kHz.

    Sample 0 lies at `origin` seconds of the container's clock: the first picture's time for a take, None for the first
    sample of a song. Cheap when read forwards. More than two channels are folded down (centre and surrounds at -3 dB).
    """

    def __init__(self, path: str, *, stream: int = 0, origin: float | None = None) -> None:
        self.path = path
        self._open = ExitStack()
        self._box = self._open.enter_context(open_box(path))
        if stream >= len(self._box.streams.audio):
            self._open.close()
            raise MediaError(f"{path}: no sound in it", "give a file with sound")
        self._number = stream
        self._stream: Any = self._box.streams.audio[stream]
        self._native = int(self._stream.codec_context.sample_rate)
        # Files of sound alone are never sought: MP3 and kin know their time only roughly after a seek.
        self._seekable = bool(self._box.streams.video)
        self._zero: float | None = None
        self._held: deque[tuple[int, NDArray[np.float32]]] = deque()  # pieces in hand: (native sample number, samples)
        self._pieces: Iterator[tuple[int, NDArray[np.float32]]] = self._decode()
        if (piece := next(self._pieces, None)) is None:
            self.close()
            raise MediaError(f"{path}: no sound could be decoded", "is the file whole?")
        self._held.append(piece)
        zero = self._zero or 0.0
        # The stream's first sample on the clock asked for, in 48 kHz samples.
        self._offset = round((zero - (zero if origin is None else origin)) * RATE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._pieces = iter(())
        self._held.clear()
        self._open.close()

    def read(self, start: int, count: int) -> NDArray[np.float32]:
        """Return samples ``start .. start + count`` at 48 kHz; silence where the file has none."""
        first, last = start - self._offset, start + count - self._offset
        if self._native == RATE:
            return self._native_read(first, last)
        # Pieces begin where a native sample and a 48 kHz one coincide, so that neighbouring pieces join exactly.
        common = math.gcd(self._native, RATE)
        down, up = self._native // common, RATE // common
        block = (first // up) - EDGE // down - 1
        raw_first = block * down
        raw_last = -(-last * self._native // RATE) + EDGE
        out = soxr.resample(self._native_read(raw_first, raw_last).T, self._native, RATE).T
        skip = first - block * up
        piece = np.zeros((2, count), np.float32)
        found = out[:, skip : skip + count]
        piece[:, : found.shape[1]] = found
        return piece

    def _native_read(self, first: int, last: int) -> NDArray[np.float32]:
        out = np.zeros((2, last - first), np.float32)
        if last <= 0:
            return out
        self._stand(max(first, 0))
        while not self._held or _end(self._held[-1]) < last:
            if (piece := next(self._pieces, None)) is None:
                break
            self._held.append(piece)
            while len(self._held) > 1 and _end(self._held[0]) < first - 4 * EDGE:
                self._held.popleft()
        for at, samples in self._held:
            i, j = max(first, at), min(last, at + samples.shape[1])
            if j > i:
                out[:, i - first : j - first] = samples[:, i - at : j - at]
        return out

    def _stand(self, sample: int) -> None:
        """Make sure that reading on meets `sample`."""
        if self._held and self._held[0][0] <= sample:
            if not self._seekable or sample <= _end(self._held[-1]) + LEAP * self._native:
                return
        elif self._held and self._held[0][0] == 0:
            return
        self._seek(sample)

    def _seek(self, sample: int) -> None:
        self._held.clear()
        if self._seekable and sample > 4 * SETTLE:
            time = (self._zero or 0.0) + (sample - SETTLE) / self._native
            self._box.seek(math.floor(time / self._stream.time_base), stream=self._stream, backward=True)
            self._stream.codec_context.flush_buffers()
        else:
            self._open.close()
            self._box = self._open.enter_context(open_box(self.path))
            self._stream = self._box.streams.audio[self._number]
        self._pieces = self._decode()

    def _decode(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield (native sample number, samples) from where the file stands, without overlap.

        A gap counts only if the next block tells of it too: FFmpeg's Vorbis stamps single short blocks 10 ms late.
        """
        at: int | None = None
        waiting: tuple[int | None, NDArray[np.float32]] | None = None
        for coming in chain(self._blocks(), [(None, np.zeros((2, 0), np.float32))]):
            if waiting is not None:
                place, samples = waiting
                at = (place or 0) if at is None else at
                gap = (at if place is None else place) - at
                after = gap if coming[0] is None else coming[0] - (at + samples.shape[1])
                if GAP * self._native < min(gap, after) < LONGEST * self._native:
                    at += min(gap, after)
                yield at, samples
                at += samples.shape[1]
            waiting = coming

    def _blocks(self) -> Iterator[tuple[int | None, NDArray[np.float32]]]:
        fold = av.AudioResampler(format="fltp", layout="stereo", rate=self._native)
        packets = self._box.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except (av.FFmpegError, OSError):
                continue  # one bad packet is a gap
            for frame in frames:
                if frame.sample_rate != self._native:
                    continue
                if self._zero is None:
                    self._zero = float(frame.time or 0.0)
                place = None if frame.time is None else round((frame.time - self._zero) * self._native)
                for piece in fold.resample(frame):
                    yield place, np.ascontiguousarray(piece.to_ndarray(), np.float32)


def _end(piece: tuple[int, NDArray[np.float32]]) -> int:
    return piece[0] + int(piece[1].shape[1])
