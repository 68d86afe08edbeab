# SPDX-License-Identifier: Apache-2.0
"""Samples to a sound file."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from backbeat.errors import MissingPartError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# suffix -> (encoder, sample format); wav and flac are exact, the others add an encoder's delay
FORMATS = {
    ".wav": ("", ""),
    ".flac": ("flac", "s32"),
    ".mp3": ("libmp3lame", "fltp"),
    ".m4a": ("aac", "fltp"),
    ".ogg": ("libvorbis", "fltp"),
    ".opus": ("libopus", "flt"),
}
_BLOCK = 48_000


def write_sound(path: str, samples: NDArray[np.float32], rate: int) -> None:
    """Write float32 samples, shape (1 or 2, n), -1..1, as what the suffix of `path` says; louder ones are clipped.

    Raises
    ------
    MissingPartError
        If this FFmpeg lacks the encoder.
    """
    import av

    if Path(path).suffix.lower() == ".wav":
        _write_wav(path, samples, rate)
        return
    encoder, form = FORMATS[Path(path).suffix.lower()]
    layout = "mono" if samples.shape[0] == 1 else "stereo"
    try:
        av.codec.Codec(encoder, "w")
    except av.FFmpegError as error:
        raise MissingPartError(f"{path}: no encoder {encoder} on this machine", "write a .wav instead") from error
    with av.open(path, "w") as box:
        stream = cast("Any", box.add_stream(encoder, rate=rate))
        stream.layout = layout
        stream.format = form
        fold = av.AudioResampler(format=form, layout=layout, rate=rate)
        for a in range(0, samples.shape[1], _BLOCK):
            block = np.ascontiguousarray(np.clip(samples[:, a : a + _BLOCK], -1, 1), np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, a
            for piece in fold.resample(frame):
                box.mux(stream.encode(piece))
        for piece in fold.resample(None):
            box.mux(stream.encode(piece))
        box.mux(stream.encode(None))


def _write_wav(path: str, samples: NDArray[np.float32], rate: int) -> None:
    """Write 24-bit PCM with the plain header that every reader knows (FFmpeg writes the extensible one)."""
    with wave.open(path, "wb") as box:
        box.setnchannels(samples.shape[0])
        box.setsampwidth(3)
        box.setframerate(rate)
        for a in range(0, samples.shape[1], _BLOCK):
            block = np.clip(samples[:, a : a + _BLOCK].T, -1, 1)
            whole = np.ascontiguousarray(np.rint(block * (2**23 - 1)).astype("<i4"))
            box.writeframesraw(whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
