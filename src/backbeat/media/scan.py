# SPDX-License-Identifier: Apache-2.0
"""One decode of a take for looking at it: every picture small, and its sound, in one pass through the file.

The luma plane is viewed in place and reduced by area, so a picture costs little more than its decoding. The sound is
handed out in blocks, so hours of it need no more memory than seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.media.box import open_box
from backbeat.media.tone import to_eight_bits
from backbeat.model.footage import Media

if TYPE_CHECKING:
    from av import AudioResampler, AudioStream, Packet, VideoFrame, VideoStream
    from numpy.typing import NDArray

    from backbeat.media.probe import Times

    Bytes = NDArray[np.uint8]

SOUND_RATE = 16_000
THUMB = (48, 27)
_AREA = 320 * 180


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, made small.

    `time`: seconds after the take's first picture. `luma`: uint8 (h, w), full range, about 320 x 180 in area, upright
    with square pixels. `thumb`: uint8 (27, 48, 3) RGB. `crops`: luma details at full size for judging focus, or None
    where it was not asked for this picture. `corrupt`: the decoder reported damage.
    """

    index: int
    time: float
    luma: Bytes
    thumb: Bytes
    crops: Bytes | None = None
    corrupt: bool = False


def small_size(media: Media) -> tuple[int, int]:
    """Return the even (width, height) of the small luma: at most about 320 x 180 in area, grown only to 32 a side."""
    scale = min(1.0, (_AREA / max(1, media.width * media.height)) ** 0.5)
    # optical flow at half this size needs 12 points a side
    return max(32, round(media.width * scale / 2) * 2), max(32, round(media.height * scale / 2) * 2)


class Scan:
    """One pass over a take.

    Iterate for its pictures in order of showing; `hear` (if given) is called with blocks of mono float32 sound at
    16 kHz and the time of their first sample on the take's clock, in order, during the iteration.

    Parameters
    ----------
    media, times
        From `media.probe.probe_times`.
    hear
        Called with (samples, time of the first sample in s).
    crops_every
        Full-size details every so many pictures, 0 for none.
    hardware
        Name of a hardware decoder (cuda, vaapi, videotoolbox …), used where it is present; "" for none.

    Raises
    ------
    MediaError
        If the file cannot be opened.
    """

    def __init__(
        self,
        media: Media,
        times: Times,
        *,
        hear: Callable[[NDArray[np.float32], float], None] | None = None,
        crops_every: int = 6,
        hardware: str = "",
    ) -> None:
        self.media, self.times = media, times
        self._hear, self._every, self._hardware = hear, crops_every, hardware
        self.errors = 0
        self.pictures = 0
        self.accelerated = False  # whether hardware decoded it; known once the first picture is out
        self._size = small_size(media)
        self._sound_at: float | None = None
        self._sound_n = 0

    def __iter__(self) -> Iterator[Picture]:
        """Yield the pictures."""
        import av

        with open_box(self.media.path, hardware=self._hardware) as box:
            video = next(s for s in box.streams.video if "attached_pic" not in str(s.disposition).lower())
            # in a worker process the other cores have takes of their own, and threads cost a tenth
            video.thread_type = "AUTO" if parent_process() is None else "NONE"
            video.codec_context.options = {"skip_loop_filter": "all"}
            wanted: list[VideoStream | AudioStream] = [video]
            resampler: AudioResampler | None = None
            if self._hear is not None and self.media.has_sound:
                wanted.append(box.streams.audio[0])
                resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
            for packet in box.demux(*wanted):
                if packet.stream is video:
                    self.accelerated = video.codec_context.is_hwaccel
                    for frame in self._decode(packet):
                        picture = self._picture(frame)
                        if picture is not None:
                            yield picture
                elif resampler is not None:
                    for frame in self._decode(packet):
                        self._sound(frame, resampler)

    def _decode(self, packet: Packet) -> list:  # type: ignore[type-arg]  # picture or sound frames
        import av

        try:
            return packet.decode()
        except (av.FFmpegError, ValueError):
            self.errors += 1
            return []

    def _sound(self, frame: object, resampler: AudioResampler) -> None:
        import av

        assert isinstance(frame, av.AudioFrame)
        assert self._hear is not None
        at = frame.time
        if self._sound_at is None:
            self._sound_at = (at or 0.0) - float(self.times.zero)
        elif at is not None:
            gap = round((at - float(self.times.zero) - self._sound_at) * SOUND_RATE) - self._sound_n
            while gap > SOUND_RATE // 20:  # a hole in the time stamps is silence, handed out in pieces
                piece = min(gap, 10 * SOUND_RATE)
                self._hear(np.zeros(piece, np.float32), self._sound_at + self._sound_n / SOUND_RATE)
                self._sound_n += piece
                gap -= piece
        try:
            frame.pts = None
            pieces = resampler.resample(frame)
        except (av.FFmpegError, ValueError):
            self.errors += 1
            return
        for part in pieces:
            samples = part.to_ndarray().reshape(-1).astype(np.float32, copy=False)
            self._hear(samples, self._sound_at + self._sound_n / SOUND_RATE)
            self._sound_n += len(samples)

    def _picture(self, frame: VideoFrame) -> Picture | None:
        index = self.pictures
        if frame.pts is not None and frame.time_base is not None:
            time = float(frame.pts * frame.time_base - self.times.zero)
            if time < -0.5 / float(self.times.rate):
                return None  # before the first shown picture: an edit list hides it
        else:
            time = index / float(self.times.rate)
        self.pictures += 1
        crops = self._every > 0 and index % self._every == 0
        luma, thumb, details = shrink(frame, self._size, self.media, crops=crops)
        return Picture(index, time, luma, thumb, details, frame.is_corrupt)


def shrink(
    frame: VideoFrame, size: tuple[int, int], media: Media, *, crops: bool = False
) -> tuple[Bytes, Bytes, Bytes | None]:
    """Return (luma, thumb, crops) of a decoded picture, upright and full range; see `Picture`."""
    name = frame.format.name
    turned = media.rotation % 180 == 90
    stored = (size[1], size[0]) if turned else size
    planes = _planes(frame, name)
    if planes is None:
        frame = frame.reformat(width=stored[0], height=stored[1], format="yuv444p")
        planes = _planes(frame, "yuv444p")
        assert planes is not None
        name = "yuv444p"
    y, u, v = planes
    fields = y[::2] if media.interlaced else y  # one field: combing is no detail
    luma = reduced(fields, stored)
    details = _details(y) if crops else None
    thumb_size = (THUMB[1], THUMB[0]) if turned else THUMB
    small: list[Any] = [cv2.resize(luma, thumb_size, interpolation=cv2.INTER_AREA)]
    small += [reduced(c, thumb_size) for c in (v, u) if c is not None]
    depth = frame.format.components[0].bits
    full = media.color_range == "pc" or name.startswith(("yuvj", "gray"))
    transfer = media.color_transfer
    luma = to_eight_bits(luma, depth, full=full, transfer=transfer)
    grey = to_eight_bits(small[0], depth, full=full, transfer=transfer)
    if len(small) == 3:
        shift = depth - 8
        chroma = [(c >> shift).astype(np.uint8) if shift > 0 else c for c in small[1:]]
        thumb = cv2.cvtColor(cv2.merge([grey, *chroma]), cv2.COLOR_YCrCb2RGB)
    else:
        thumb = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if details is not None:
        details = to_eight_bits(details, depth, full=full, transfer=transfer)
    if media.rotation:
        turn = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}[
            round(media.rotation / 90) % 4 * 90 or 180
        ]
        if round(media.rotation / 90) % 4:
            luma, thumb = cv2.rotate(luma, turn), cv2.rotate(thumb, turn)
    return np.asarray(luma, np.uint8), np.asarray(thumb, np.uint8), details


def reduced(plane: Any, size: tuple[int, int]) -> Any:
    """Return `plane` at (width, height) `size`.

    Halved by area as often as it can be, then taken between its points: both are vectorised, and area by any other
    factor is not.
    """
    while plane.shape[0] >= 2 * size[1] and plane.shape[1] >= 2 * size[0]:
        height, width = (n // 2 for n in plane.shape)
        plane = cv2.resize(plane[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    fine = plane.shape[0] < 2 * size[1] and plane.shape[1] < 2 * size[0]
    return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR if fine else cv2.INTER_AREA)


_PLANAR = ("yuv420p", "yuv422p", "yuv444p", "yuvj420p", "yuvj422p", "yuvj444p", "yuv411p", "yuv440p", "gray")


def _planes(frame: VideoFrame, name: str) -> tuple[NDArray, NDArray | None, NDArray | None] | None:  # type: ignore[type-arg]
    """Return the planes in place as 8- or 16-bit arrays, or None where the layout is another."""
    if name == "nv12":
        luma, both = (_view(p, np.dtype(np.uint8)) for p in frame.planes)
        both = both[: -(-frame.height // 2)]
        return luma[: frame.height, : frame.width], both[:, 0 : frame.width : 2], both[:, 1 : frame.width + 1 : 2]
    deep = name.endswith(("10le", "12le", "14le", "16le"))
    base = name.removesuffix("le").rstrip("0123456789") if deep else name
    base = base.removesuffix("p") + "p" if deep and not base.startswith("gray") else base
    if base not in _PLANAR:
        return None
    kind = np.dtype("<u2") if deep else np.dtype(np.uint8)
    views = [_view(plane, kind)[: plane.height, : plane.width] for plane in list(frame.planes)[:3]]
    if len(views) < 3:
        return views[0], None, None
    return views[0], views[1], views[2]


def _view(plane: Any, kind: Any) -> Any:
    """Return a plane in place, its padding included."""
    return np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)


def _details(luma: NDArray) -> NDArray:  # type: ignore[type-arg]
    """Return three pieces (144 x 256) of the full-size luma side by side."""
    height, width = luma.shape
    high, wide = min(144, height), min(256, width)
    top = (height - high) // 2
    places = [max(0, min(width - wide, round(width * x - wide / 2))) for x in (0.25, 0.5, 0.75)]
    return np.concatenate([luma[top : top + high, x : x + wide] for x in places], axis=0)
