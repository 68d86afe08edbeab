# SPDX-License-Identifier: Apache-2.0
"""Pictures and samples out: an encoder with the right clocks, and a muxer that joins finished segments by copying."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from backbeat.errors import MissingPartError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 48_000
# Samples a block handed to the sound encoder.
BLOCK = 1024
# Closed GOPs, so that segments join.
CLOSED = {"flags": "+cgop"}
# Whatever has AVX-512 has these.
NO_AVX512 = "asm=MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"
# SVT-AV1 writes its settings to stderr unless told not to.
os.environ.setdefault("SVT_LOG", "1")


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour tags as FFmpeg's numbers (ISO/IEC 23091-2; range 1 = limited, 2 = full). Default: BT.709, limited."""

    matrix: int = 1
    primaries: int = 1
    transfer: int = 1
    range: int = 1


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """How pictures are coded: the encoder's name and options, and what goes in."""

    encoder: str
    width: int
    height: int
    rate: Fraction
    pixel_format: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = ()
    colour: Colour = field(default_factory=Colour)
    gop: int = 250
    threads: int = 0

    @property
    def container(self) -> str:
        """Suffix of a file that holds one segment of it."""
        return ".mov" if self.encoder in {"prores_ks", "dnxhd"} else ".mp4"


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How sound is coded, 48 kHz stereo: the encoder's name and bits a second (0 = its own choice)."""

    encoder: str = "aac"
    bit_rate: int = 256_000


def write_pictures(path: str, frames: Iterable[av.VideoFrame], form: PictureFormat) -> Iterator[int]:
    """Encode `frames` (each of the format's size and pixel format) into one file; yield the count after each.

    Frame n gets time stamp n at exactly `form.rate`. The file is whole only when the iterator has ended.
    """
    with av.open(path, "w") as box:
        stream: Any = _add_picture(box, form)
        for count, frame in enumerate(frames):
            # A source's frame types would force key pictures on the encoder.
            frame.pict_type = 0
            frame.pts, frame.time_base = count, 1 / form.rate
            frame.colorspace, frame.color_range = form.colour.matrix, form.colour.range
            frame.color_trc, frame.color_primaries = form.colour.transfer, form.colour.primaries
            for packet in stream.encode(frame):
                box.mux(packet)
            yield count + 1
        for packet in stream.encode(None):
            box.mux(packet)


def _steady(form: PictureFormat) -> dict[str, str]:
    """Return options that make the encoder give the same bytes every time.

    x264's AVX-512 code for the macroblock tree reads memory that it never wrote, at the ends of rows that are no
    multiple of eight macroblocks: two processes then differ by a few bits a picture. AVX2's does not.
    """
    odd = -(-form.width // 16) % 8
    return {"x264-params": NO_AVX512} if form.encoder == "libx264" and odd and _has_avx512() else {}


@cache
def _has_avx512() -> bool:
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def _add_picture(box: Any, form: PictureFormat) -> Any:
    try:
        stream = box.add_stream(form.encoder, rate=form.rate, options=dict(form.options) | CLOSED | _steady(form))
    except (ValueError, av.FFmpegError) as error:
        raise MissingPartError(
            f"this machine has no encoder called {form.encoder}", "`backbeat doctor` lists the encoders; choose another"
        ) from error
    stream.width, stream.height, stream.pix_fmt = form.width, form.height, form.pixel_format
    context = stream.codec_context
    context.time_base = 1 / form.rate
    context.gop_size = form.gop
    context.colorspace, context.color_range = form.colour.matrix, form.colour.range
    context.color_trc, context.color_primaries = form.colour.transfer, form.colour.primaries
    if form.encoder == "libx264":
        # PyAV's default would be sliced threads, which cost size. The others thread by themselves.
        context.thread_type = "FRAME"
        context.thread_count = form.threads or min(8, (os.cpu_count() or 1) + 1)
    return stream


def join(
    path: str,
    segments: Iterable[str],
    form: PictureFormat,
    sound: Iterable[NDArray[np.float32]] | None,
    sound_form: SoundFormat | None = None,
) -> Iterator[int]:
    """Copy the pictures of `segments` after one another and encode `sound` beside them; yield pictures done.

    `sound` are blocks of float32 (2, n) at 48 kHz that lie without a gap from the film's start.
    """
    sound_form = sound_form or SoundFormat()
    faststart = path.endswith((".mp4", ".mov", ".m4v"))
    # The rate as the track's clock keeps every time stamp a whole number of ticks.
    with av.open(path, "w", options={"movflags": "+faststart+write_colr"} if faststart else {}) as box:
        picture: Any = None
        heard: _SoundFeed | None = None
        done = 0
        for segment in segments:
            with av.open(segment) as source:
                track = source.streams.video[0]
                if picture is None or heard is None:
                    # The picture is the first track: simple programs take that one.
                    picture = _copied(box, track, form)
                    if "hevc" in track.codec_context.name and faststart:
                        picture.codec_context.codec_tag = "hvc1"
                    voice = _add_sound(box, sound_form) if sound is not None else None
                    heard = _SoundFeed(box, voice, iter(sound or ()))
                count = 0
                shift = round(done / form.rate / Fraction(track.time_base or 1))
                for packet in source.demux(track):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += shift
                    packet.dts += shift
                    packet.stream = picture
                    box.mux(packet)
                    count += 1
                    heard.until((done + count) / form.rate)
                    yield done + count
                done += count
        if heard is not None:
            heard.end()


def _copied(box: Any, track: Any, form: PictureFormat) -> Any:
    """Return a stream of `box` for the packets of `track`."""
    try:
        stream = box.add_stream_from_template(track)
        stream.time_base = track.time_base
    except ValueError:  # the decoder has no encoder of its name (AV1): an encoder that is never fed knows the headers
        stream = _add_picture(box, form)
    return stream


def write_sound(path: str, sound: Iterable[NDArray[np.float32]], form: SoundFormat) -> None:
    """Encode blocks of float32 (2, n) at 48 kHz into a file of their own."""
    with av.open(path, "w") as box:
        _SoundFeed(box, _add_sound(box, form), iter(sound)).end()


class _SoundFeed:
    """Encodes sound as far as the pictures have come."""

    def __init__(self, box: Any, stream: Any, blocks: Iterator[NDArray[np.float32]]) -> None:
        self._box, self._stream, self._blocks = box, stream, blocks
        self._at = 0

    def until(self, seconds: Fraction) -> None:
        while self._stream is not None and self._at < seconds * RATE:
            block = next(self._blocks, None)
            if block is None:
                return
            for i in range(0, block.shape[1], BLOCK):
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block[:, i : i + BLOCK]), "fltp", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = RATE, self._at, Fraction(1, RATE)
                for packet in self._stream.encode(frame):
                    self._box.mux(packet)
                self._at += frame.samples

    def end(self) -> None:
        if self._stream is not None:
            self.until(Fraction(10**9))
            for packet in self._stream.encode(None):
                self._box.mux(packet)


def _add_sound(box: Any, form: SoundFormat) -> Any:
    try:
        stream = box.add_stream(form.encoder, rate=RATE, layout="stereo")
    except (ValueError, av.FFmpegError) as error:
        raise MissingPartError(
            f"this machine has no encoder called {form.encoder}", "`backbeat doctor` lists the encoders; choose another"
        ) from error
    if form.bit_rate:
        stream.bit_rate = form.bit_rate
    return stream


@cache
def works(form: PictureFormat) -> str | None:
    """Return why this machine cannot encode so, None if it can: a few small pictures are tried."""
    known = [f.name for f in av.Codec(form.encoder, "w").video_formats or ()] if has_encoder(form.encoder) else []
    if known and form.pixel_format not in known:
        return f"it was built without {form.pixel_format}"
    form = replace(form, width=256, height=256, threads=1)
    frame = av.VideoFrame(form.width, form.height, form.pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    try:
        with av.open(io.BytesIO(), "w", format=form.container[1:]) as box:
            stream = _add_picture(box, form)
            packets = []
            for count in range(4):
                frame.pts, frame.time_base = count, 1 / form.rate
                packets += stream.encode(frame)
            for packet in (*packets, *stream.encode(None)):
                box.mux(packet)
    except MissingPartError as error:
        return error.message
    except (av.FFmpegError, ValueError, OSError) as error:
        return str(getattr(error, "strerror", None) or error)
    return None


def has_encoder(name: str) -> bool:
    """Return whether the FFmpeg at hand was built with an encoder."""
    try:
        av.Codec(name, "w")
    except (ValueError, av.FFmpegError):
        return False
    return True
