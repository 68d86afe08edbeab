# SPDX-License-Identifier: Apache-2.0
"""Sound in: decoded once, placed by its own time stamps, resampled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backbeat.errors import MediaError

if TYPE_CHECKING:
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
    import av
    import numpy as np
    import soxr

    try:
        with av.open(path, metadata_errors="ignore") as box:
            if stream >= len(box.streams.audio):
                raise MediaError(f"{path}: no sound in it", "give a file with sound")
            source = box.streams.audio[stream]
            layout = {1: "mono", 2: "stereo"}.get(channels or 0)
            native = source.codec_context.sample_rate
            layout = layout or source.codec_context.layout.name
            fold = av.AudioResampler(format="fltp", layout=layout, rate=native)
            pieces: list[tuple[float | None, NDArray[np.float32]]] = []
            for packet in box.demux(source):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    continue  # one bad packet is a short gap, filled below
                for frame in frames:
                    asked = frame.format.name == "fltp" and frame.layout.name == layout
                    parts = [frame] if asked and frame.sample_rate == native else fold.resample(frame)
                    pieces += [(frame.time, p.to_ndarray().astype(np.float32, copy=False)) for p in parts]
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "is it a media file, and whole?") from error
    if not pieces:
        raise MediaError(f"{path}: no sound could be decoded", "is the file whole?")
    first = next((time for time, _ in pieces if time is not None), None)
    blocks = _placed(pieces, native)
    samples = np.ascontiguousarray(np.concatenate(blocks, axis=1), dtype=np.float32)
    if native != rate:
        samples = np.ascontiguousarray(soxr.resample(samples.T, native, rate).T, dtype=np.float32)
    return Sound(samples.reshape(blocks[0].shape[0], -1), rate, first or 0.0)


def _placed(pieces: list[tuple[float | None, NDArray[np.float32]]], rate: int) -> list[NDArray[np.float32]]:
    """Return the blocks in order, with silence where the time stamps leave a gap of more than 10 ms.

    A gap counts only if the next block tells of it too: FFmpeg's Vorbis stamps single short blocks 10 ms late.
    """
    import numpy as np

    times = [time for time, _ in pieces]
    first = next((time for time in times if time is not None), 0.0)
    lengths = [block.shape[1] for _, block in pieces]
    before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    late = [None if t is None else round((t - first) * rate) - int(n) for t, n in zip(times, before, strict=True)]
    blocks: list[NDArray[np.float32]] = []
    filled = 0
    for index, (_, block) in enumerate(pieces):
        here = late[index]
        after = late[index + 1] if index + 1 < len(late) else here
        if here is not None:
            gap = min(here, here if after is None else after) - filled
            if rate // 100 < gap < 600 * rate:
                blocks.append(np.zeros((block.shape[0], gap), np.float32))
                filled += gap
        blocks.append(block)
    return blocks
