# SPDX-License-Identifier: Apache-2.0
"""Pictures in: a table of time stamps, and exact decoding of any picture of it.

Nothing here counts decoded frames to know where it is: a picture is known by its time stamp. Files without time stamps
(raw streams, old AVI) are the one exception; they are read from the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import av
import numpy as np

from backbeat.errors import CancelledError, MediaError
from backbeat.media.box import open_box
from backbeat.media.index import from_index, has_index
from backbeat.model.time import clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Forward gaps up to this many pictures are decoded through instead of sought: a seek throws away what is in flight.
ROLL = 12
# Pictures before the wanted one from which all are decoded where leaving out those that no other needs, up to the
# wanted one itself, went wrong: a decoder that has to guess the depth of reordering, a stream with temporal layers.
SETTLE = 16
# How late a VFR picture may begin and still count as the one on screen, in source frames (cameras' clocks jitter).
JITTER = 0.25
# How far a picture of a constant rate may lie from its place, in frames (coarse clocks round).
PLACE = 0.6
# So many pictures in a row are held over where they cannot be decoded; more is a broken source.
GIVE_UP = 12
# Codecs whose decoders here may be told in mid-stream to leave out pictures that no other needs. (dav1d reads that
# once, when it is opened, and would leave them out for ever.)
SKIPS = frozenset(["h264", "hevc", "mpeg2video", "mpeg4"])
# Pictures kept while a clip plays backwards: each chunk of so many costs one decode from its key picture.
BACKWARDS = 24


@dataclass(frozen=True, slots=True)
class Table:
    """Time stamps of every picture of a file, rising, in ticks of `base` seconds; `keys` are those one can seek to.

    `counted`: the file has no time stamps, `pts` are picture numbers.
    """

    pts: NDArray[np.int64]
    keys: NDArray[np.int64]
    base: Fraction
    counted: bool = False

    def __len__(self) -> int:
        return len(self.pts)

    def index(self, frame: int, rate: Fraction) -> int:
        """Return which picture is source frame `frame` at `rate`; clamped to the file.

        Constant rate: the n-th picture. Otherwise the one on screen ``frame / rate`` seconds after the first, where a
        picture that begins up to a quarter of a frame later counts as on screen.
        """
        if self.counted or self.constant(rate):
            return min(max(frame, 0), len(self.pts) - 1)
        ticks = int(self.pts[0]) + float((frame + Fraction(JITTER)) / rate / self.base)
        return min(max(int(np.searchsorted(self.pts, ticks, side="right")) - 1, 0), len(self.pts) - 1)

    def beyond(self, frame: int, rate: Fraction) -> float:
        """Return by how many seconds source frame `frame` lies after the last picture, 0 inside."""
        length = float((int(self.pts[-1]) - int(self.pts[0])) * self.base) if not self.counted else len(self.pts) / rate
        return max(0.0, float(frame / rate) - float(length))

    def constant(self, rate: Fraction) -> bool:
        """Whether every picture lies within 0.6 of a frame of its place at `rate`."""
        n = len(self.pts)
        if self.counted or n < 2:
            return True
        step = float(1 / (rate * self.base))
        # Cheap first: the last picture's place rules most VFR files out.
        if abs(float(self.pts[-1] - self.pts[0]) - (n - 1) * step) > PLACE * step:
            return False
        return bool(np.abs((self.pts - self.pts[0]) - np.arange(n) * step).max() <= PLACE * step)

    def key_before(self, index: int) -> int:
        """Return the time stamp of the last key picture at or before picture `index`, else that of the first picture.

        Where an edit list takes the beginning away, the first pictures are coded from one that is not in the table.
        """
        at = int(np.searchsorted(self.keys, self.pts[index], side="right")) - 1
        return int(self.keys[at]) if at >= 0 else int(self.pts[0])


def picture_stream(box: Any) -> Any:
    """Return the picture stream of an open file, cover art apart.

    Raises
    ------
    MediaError
        If there is none.
    """
    for stream in box.streams.video:
        if "attached_pic" not in str(stream.disposition).lower():
            return stream
    raise MediaError(f"{box.name}: no picture in it", "give a video file")


def read_table(path: str) -> Table:
    """Return the time stamps of a file's pictures from its index or packets: nothing is decoded, no file asked twice.

    Raises
    ------
    MediaError
        If the file cannot be read or holds no picture.
    """
    try:
        facts = Path(path).stat()
    except OSError:
        return _table.__wrapped__(path, 0, 0)  # a pattern of numbered pictures, or nothing at all
    return _table(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=128)
def _table(path: str, _size: int, _changed: int) -> Table:
    if has_index(path):
        with open_box(path) as box:
            stream = picture_stream(box)
            if (told := from_index(path, box, stream)) is not None:
                return Table(np.unique(told[0]), _landings(stream, told[1]), Fraction(stream.time_base or 1))
    pts: list[int] = []
    keys: list[int] = []
    bare = 0
    with open_box(path) as box:
        stream = picture_stream(box)
        base = Fraction(stream.time_base or 1)
        whole = _landings(stream, [0, 1]).size == 1
        try:
            for packet in box.demux(stream):
                stamp = packet.dts if packet.pts is None else packet.pts
                if not packet.size:
                    continue
                if stamp is None:
                    bare += 1
                    continue
                if packet.is_keyframe:
                    keys.append(stamp)  # also one that an edit list hides: the first pictures shown may need it
                if not packet.is_discard:
                    pts.append(stamp)
        except (av.FFmpegError, OSError):
            pass  # a truncated file: what came before is good
    if bare > len(pts):
        return Table(np.arange(bare + len(pts)), np.zeros(1, np.int64), base, counted=True)
    if not pts:
        raise MediaError(f"{path}: no picture in it can be read", "is the file whole?")
    landings = np.unique(np.array(keys, np.int64))
    return Table(np.unique(np.array(pts, np.int64)), landings[:1] if whole else landings, base)


def _landings(stream: Any, keys: Any) -> NDArray[np.int64]:
    """Return the key pictures that can be sought, of all `keys`.

    4:4:4 H.264 of older x264 is decoded right only by who has read the encoder's name, which stands before the first
    picture alone and is forgotten with every seek: such files are read from the start.
    """
    found = np.unique(np.asarray(keys, np.int64))
    return found[:1] if stream.codec_context.profile == "High 4:4:4 Predictive" else found


class Reader:
    """Decodes pictures of one file by their number in its table; going forward costs least.

    `threads` decode inside; 1 wastes least work past the out-point. `stop`, once set, makes it give up at the next
    picture. `rough` leaves out the deblocking filter: the right pictures, a little blocky, for a sixth less work. Close
    it, or use it as a context manager.
    """

    def __init__(
        self, path: str, table: Table | None = None, *, threads: int = 1, stop: Event | None = None, rough: bool = False
    ) -> None:
        self.path = path
        self._rough = rough
        self._settle = 0
        self._stop = stop
        self.table = read_table(path) if table is None else table
        self._threads = threads
        self._open = ExitStack()
        self._box: Any = None
        self._stream: Any = None
        self._pictures: Iterator[tuple[int, av.VideoFrame]] | None = None
        self._recent: deque[tuple[int, av.VideoFrame]] = deque(maxlen=1)
        self._at = -1  # the number of the last picture decoded
        self._target = 0
        self.decoded = self.seeks = self.held = 0
        self._row = 0  # pictures in a row that could not be decoded
        self._last: tuple[int, av.VideoFrame] | None = None  # the one to hold there

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._pictures = None
        self._recent.clear()
        self._open.close()
        self._box = self._stream = None

    def cost(self, index: int) -> int:
        """Return how many pictures must be decoded to reach picture `index` from here."""
        if self._box is not None and self._at <= index and self._at >= 0 and not self._must_seek(index):
            return index - self._at
        return index - int(np.searchsorted(self.table.pts, self.table.key_before(index)))

    def picture(self, index: int, *, backwards: bool = False) -> av.VideoFrame:
        """Return picture `index`. Where it cannot be decoded the one before it is held (`held` counts them).

        The frame is shared: do not write into it or set its pts. `backwards` keeps the pictures before it at hand.

        Raises
        ------
        MediaError
            If nothing near can be decoded.
        """
        for number, frame in self._recent:
            if number == index:
                return frame
        first = max(0, index - BACKWARDS + 1) if backwards else index
        if self._box is None or self._must_seek(index):
            self._recent = deque(maxlen=BACKWARDS if backwards else 1)
            self._seek(first)
        self._target = int(self.table.pts[first])
        found = self._roll(index)
        if found is None and not self._settle:
            self._settle = SETTLE  # from here on, and once more for this one
            self._seek(first)
            found = self._roll(index)
        return self._held(index) if found is None else found

    def _must_seek(self, index: int) -> bool:
        if self.table.counted:
            return index < self._at
        if index < self._at or self._pictures is None:
            return True
        return index - self._at > ROLL and self.table.key_before(index) > self.table.pts[self._at]

    def _roll(self, index: int) -> av.VideoFrame | None:
        """Return picture `index` from what comes next, None if it does not come."""
        while self._pictures is not None:
            if self._stop is not None and self._stop.is_set():
                raise CancelledError("stopped", "run the same command again to go on where it stopped")
            found = next(self._pictures, None)
            if found is None:
                self._pictures = None
                break
            self._at = found[0]
            self._recent.append(found)
            if found[0] == index:
                self._row, self._last = 0, found
                return found[1]
            self._last = found if found[0] < index or self._last is None else self._last
            if found[0] > index:
                break  # the wanted one is damaged
        return None

    def _held(self, index: int) -> av.VideoFrame:
        """Return the picture before the damaged `index`, or the next where there is none."""
        self.held += 1
        self._row += 1
        last = self._last
        if last is None or self._row > GIVE_UP:
            at = float((self.table.pts[index] - self.table.pts[0]) * self.table.base)
            raise MediaError(f"{self.path}: no picture can be decoded at {clock(at)}", "is the file whole there?")
        return last[1]

    def _seek(self, index: int) -> None:
        """Stand so that the next pictures decoded lead up to `index`."""
        self.seeks += 1
        self._last = None
        plain = self.table.counted or len(self.table) == 1  # stills cannot seek
        if plain or self._box is None:
            self._reopen()
        if plain:
            self._at = -1
            self._pictures = self._decode(None)
            return
        self._target = int(self.table.pts[index])
        key = self.table.key_before(index)
        self._at = int(np.searchsorted(self.table.pts, key)) - 1
        self._pictures = self._decode(key)

    def _reopen(self) -> None:
        self._open.close()
        self._box = self._open.enter_context(open_box(self.path))
        self._stream = picture_stream(self._box)
        context = self._stream.codec_context
        context.thread_count = self._threads
        context.thread_type = "FRAME" if self._threads > 1 else "SLICE"
        if self._rough:
            context.options = {"skip_loop_filter": "all"}

    def _packets(self, key: int | None) -> Iterator[Any]:
        """Yield packets from the key picture `key` on; where a container seeks badly, try earlier, then the start."""
        if key is None:
            yield from self._box.demux(self._stream)
            return
        back = 0.0
        first = int(self.table.pts[0])
        while True:
            wanted = key - round(back / float(self.table.base))
            from_start = wanted <= first and back > 0
            if from_start:
                self._reopen()
            else:
                self._box.seek(wanted, stream=self._stream, backward=True)
                self._stream.codec_context.flush_buffers()
            standing = False
            for packet in self._box.demux(self._stream):
                if not standing:
                    if not packet.size or not packet.is_keyframe or packet.pts is None:
                        continue
                    # before an edit list's first picture lies the key picture that it is coded from
                    if packet.pts < key and key > first:
                        continue
                    if packet.pts > key and not from_start:
                        break  # landed too late
                    standing = True
                yield packet
            else:
                if standing or from_start:
                    return
            back = back * 4 if back else 1.0

    def _decode(self, key: int | None) -> Iterator[tuple[int, av.VideoFrame]]:
        pts, counted = self.table.pts, self.table.counted
        margin = self._settle * (int(pts[-1] - pts[0]) / max(1, len(pts) - 1))
        skipping: bool | None = None
        may_skip = not counted and self._stream.codec_context.name in SKIPS
        number = -1
        packets = self._packets(key)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                context = self._stream.codec_context  # the packets may have opened the file afresh
                if may_skip:
                    skip = packet.pts is not None and packet.pts < self._target - margin
                    if skip != skipping:
                        context.skip_frame, skipping = ("NONREF" if skip else "DEFAULT"), skip
                frames = context.decode(packet if packet.size else None)
            except (av.FFmpegError, OSError):
                continue  # one bad packet; the pictures it held will be missed by their time stamps
            for frame in frames:
                self.decoded += 1
                if counted:
                    number += 1
                elif frame.pts is None:
                    continue
                else:
                    number = int(np.searchsorted(pts, frame.pts))
                    if number >= len(pts) or pts[number] != frame.pts:
                        continue  # outside the edit list
                yield number, frame
