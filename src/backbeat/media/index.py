# SPDX-License-Identifier: Apache-2.0
"""Time stamps of every picture of an MP4 or MOV file from its index, so that the pictures themselves are not read.

FFmpeg tells where each sample lies and when it is decoded, but not when it is shown: those offsets (ISO/IEC 14496-12,
box ctts) are read here. Whatever is out of the ordinary is left to demuxing.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Packets at the start of the file that must agree with the index.
PROVED = 64
# Bytes of the largest index that is read.
LARGEST = 1 << 28
# Boxes that hold the way to the offsets.
_WAY = (b"trak", b"mdia", b"minf", b"stbl")


def has_index(path: str) -> bool:
    """Whether a file looks like an MP4 or MOV by its first box."""
    try:
        with Path(path).open("rb") as file:
            return file.read(8)[4:] in {b"ftyp", b"moov", b"wide", b"mdat", b"free", b"skip"}
    except OSError:
        return False


def from_index(path: str, box: Any, stream: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return (time stamps, key pictures' time stamps) of a stream of the open file `box`, unsorted.

    None where the file has no whole index, or the index is not simply true: it names bytes beyond the end of the file,
    hides pictures by an edit list, or differs from the first packets. `box` stands anywhere afterwards.
    """
    entries = list(stream.index_entries)
    if len(entries) < 2 or any(e.is_discard or e.size <= 0 for e in entries):
        return None
    size = Path(path).stat().st_size
    if max(e.pos + e.size for e in entries) > size:
        return None
    try:
        with Path(path).open("rb") as file:
            shifts = _shown(file, size, int(stream.id), len(entries))
    except (OSError, ValueError):
        return None
    if shifts is None:
        return None
    pts = np.array([e.timestamp for e in entries], np.int64) + shifts
    key = np.array([e.is_keyframe for e in entries], bool)
    try:
        first = [p for p in islice(box.demux(stream), PROVED) if p.size]
    except (av.FFmpegError, OSError):
        return None
    if not first or first[0].pts is None or any(p.is_discard for p in first):
        return None
    pts += first[0].pts - pts[0]
    same = all(p.pts == pts[i] and bool(p.is_keyframe) == key[i] for i, p in enumerate(first))
    return (pts, pts[key]) if same else None


def _shown(file: IO[bytes], size: int, track: int, count: int) -> NDArray[np.int64] | None:
    """Return how much later each of `count` samples of a track is shown than decoded; None where it is not told."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        start = 16 if length == 1 else 8
        length = int.from_bytes(head[8:16], "big") if length == 1 else length or size - at
        if length < start:
            return None
        if kind == b"moov":
            if length > LARGEST:
                return None
            file.seek(at + start)
            return _of_track(memoryview(file.read(length - start)), track, count)
        at += length
    return None


def _boxes(data: memoryview, kind: bytes) -> list[memoryview]:
    """Return the bodies of the boxes of a kind directly inside `data`."""
    found, at = [], 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        if length < 8:  # nothing inside an index is so long that it needs the wide form
            break
        if data[at + 4 : at + 8] == kind:
            found.append(data[at + 8 : at + length])
        at += length
    return found


def _of_track(moov: memoryview, track: int, count: int) -> NDArray[np.int64] | None:
    for trak in _boxes(moov, _WAY[0]):
        head = next(iter(_boxes(trak, b"tkhd")), None)
        if head is None or len(head) < 24:
            continue
        place = 20 if head[0] == 1 else 12
        if int.from_bytes(head[place : place + 4], "big") != track:
            continue
        inside = [trak]
        for name in _WAY[1:]:
            inside = [b for part in inside for b in _boxes(part, name)]
        if len(inside) != 1:
            return None
        offsets = next(iter(_boxes(inside[0], b"ctts")), None)
        if offsets is None:
            return np.zeros(count, np.int64)
        rows = int.from_bytes(offsets[4:8], "big")
        if len(offsets) < 8 + 8 * rows:
            return None
        pairs = np.frombuffer(offsets, ">i4", 2 * rows, 8).reshape(-1, 2).astype(np.int64)
        if (pairs[:, 0] < 0).any() or pairs[:, 0].sum() != count:
            return None
        return np.repeat(pairs[:, 1], pairs[:, 0])
    return None
