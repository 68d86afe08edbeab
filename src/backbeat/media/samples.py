# SPDX-License-Identifier: Apache-2.0
"""Sound in: decoded once, placed by its own time stamps, resampled once; whole, or block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backbeat.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples, float32, shape (channels, n), at `rate` Hz.

    `start` is the first one's time on the container's clock (s).
    """

    samples: NDArray[np.float32]
    rate: int
    start: float = 0.0

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.samples.shape[1] / self.rate)


def read_sound(path: str, *, rate: int = 48_000, channels: int | None = None, stream: int = 0) -> Sound:
    """Decode the whole of one sound stream.

    Encoder delay is compensated, so sample 0 is the first that a player plays. Gaps in the time stamps are filled
    with silence. `channels` 1 or 2 folds down (5.1 by the usual -3 dB matrix); None keeps what is there.

    Raises
    ------
    MediaError
        If there is no sound in the file or it cannot be decoded.
    """
    import numpy as np
    import soxr

    blocks = list(sound_blocks(path, channels=channels, stream=stream))
    native = blocks[0].rate
    samples = np.concatenate([block.samples for block in blocks], axis=1)
    start = blocks[0].start
    del blocks
    if native != rate:
        samples = np.ascontiguousarray(soxr.resample(samples.T, native, rate).T, dtype=np.float32)
    return Sound(samples, rate, start)


def sound_blocks(path: str, *, channels: int | None = None, stream: int = 0, widen: bool = True) -> Iterator[Sound]:
    """Decode one sound stream a second or so at a time, at its own rate, for what need not be held whole.

    As `read_sound`; every block's `start` is that of the whole. Without `widen`, `channels` only folds down: what has
    fewer is left as it is. There is at least one block.

    Raises
    ------
    MediaError
        If there is no sound in the file or it cannot be decoded.
    """
    import av
    import numpy as np

    try:
        with av.open(path, metadata_errors="ignore") as box:
            if stream >= len(box.streams.audio):
                raise MediaError(f"{path}: no sound in it", "give a file with sound")
            source = box.streams.audio[stream]
            native, there = source.codec_context.sample_rate, source.codec_context.layout
            keep = channels is None or (not widen and there.nb_channels <= channels)
            layout = there.name if keep else {1: "mono", 2: "stereo"}.get(channels or 0, there.name)
            fifo = av.AudioFifo()
            start: float | None = None
            for gap, frame in _placed(_frames(box, source, layout, native), native):
                if start is None:
                    start = frame.time or 0.0
                if (gap or fifo.samples >= native) and (held := fifo.read()):
                    yield Sound(held.to_ndarray().astype(np.float32, copy=False), native, start)
                if gap:
                    yield Sound(np.zeros((frame.layout.nb_channels, gap), np.float32), native, start)
                frame.pts = None  # the pieces are placed already
                fifo.write(frame)
            if start is None:
                raise MediaError(f"{path}: no sound could be decoded", "is the file whole?")
            if held := fifo.read():
                yield Sound(held.to_ndarray().astype(np.float32, copy=False), native, start)
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "is it a media file, and whole?") from error


def _frames(
    box: av.container.InputContainer, source: av.AudioStream, layout: str, rate: int
) -> Iterator[av.AudioFrame]:
    """Yield what decodes, as planar floats of `layout` at `rate`, each frame with its time."""
    import av

    fold = av.AudioResampler(format="fltp", layout=layout, rate=rate)
    for packet in box.demux(source):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue  # one bad packet is a short gap, filled later
        for frame in frames:
            if frame.sample_rate == rate and frame.format.name == "fltp" and frame.layout.name == layout:
                yield frame
            else:
                pts, base = frame.pts, frame.time_base
                for part in fold.resample(frame):
                    part.pts, part.time_base = pts, base
                    yield part


def _placed(frames: Iterator[av.AudioFrame], rate: int) -> Iterator[tuple[int, av.AudioFrame]]:
    """Yield the frames in order, each with the samples of silence before it where the time stamps leave over 10 ms.

    A gap counts only if the next frame tells of it too: FFmpeg's Vorbis stamps single short blocks 10 ms late.
    """
    first: float | None = None
    heard = filled = 0

    def late(frame: av.AudioFrame) -> int | None:
        return None if frame.time is None or first is None else round((frame.time - first) * rate) - heard

    waiting: tuple[int | None, av.AudioFrame] | None = None
    for frame in frames:
        first = frame.time if first is None else first
        here = late(frame)
        if waiting:
            gap = _gap(waiting[0], here, filled, rate)
            filled += gap
            yield gap, waiting[1]
        heard += frame.samples
        waiting = here, frame
    if waiting:
        yield _gap(waiting[0], waiting[0], filled, rate), waiting[1]


def _gap(here: int | None, after: int | None, filled: int, rate: int) -> int:
    if here is None:
        return 0
    gap = min(here, here if after is None else after) - filled
    return gap if rate // 100 < gap < 600 * rate else 0


def mono_blocks(path: str, rate: int, *, stream: int = 0) -> Iterator[Sound]:
    """Decode one sound stream to mono at `rate`, a second or so at a time; every block's `start` is its own.

    Raises
    ------
    MediaError
        If there is no sound in the file or it cannot be decoded.
    """
    import numpy as np
    import soxr

    turn: soxr.ResampleStream | None = None
    done, start = 0, 0.0
    for block in sound_blocks(path, channels=1, stream=stream):
        if turn is None:
            turn, start = soxr.ResampleStream(block.rate, rate, 1, dtype="float32"), block.start
        samples = np.asarray(turn.resample_chunk(np.ascontiguousarray(block.samples[0])), np.float32)
        yield Sound(samples[None], rate, start + done / rate)
        done += len(samples)
    if turn is not None:
        rest = np.asarray(turn.resample_chunk(np.zeros(0, np.float32), last=True), np.float32)
        yield Sound(rest[None], rate, start + done / rate)
