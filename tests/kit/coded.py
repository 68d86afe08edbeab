# SPDX-License-Identifier: Apache-2.0
"""Barcoded media: sources whose every picture says (take, frame), and a reader that decodes any film back to them.

The code is 8 x 4 big luma blocks in the middle of the picture: 4 fixed bits, 8 bits take, 16 bits frame number in Gray
code (so that one block changes a picture and no detector takes the counter for motion), 4 parity bits. It survives
x264, 10 bit, scaling to about 100 lines, letterboxing and cropping to fill. Around it lies a texture that drifts,
changes wholly at a source cut, and flashes and jumps at a hit. The sound is quiet seeded noise (so that its position
can be measured by correlation) with a loud burst at each hit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

COLUMNS, ROWS = 8, 4
# The code's place in the picture (shares of width and height): what a square or a 2.4:1 crop keeps.
LEFT, TOP, WIDTH, HEIGHT = 0.25, 0.28, 0.5, 0.44
FIXED = (1, 0, 0, 1)
DARK, BRIGHT, GREY = 60, 190, 125
RATE = 48_000


@dataclass(frozen=True)
class Coded:
    """What was written: the truth about one source. `hits` are seconds, `cuts` the first frames after a source cut."""

    path: str
    take: int
    rate: Fraction
    frames: int
    size: tuple[int, int]
    hits: tuple[float, ...] = ()
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Film:
    """What was read: per picture (take, frame) or None where no code could be read, and its time stamp (s)."""

    codes: tuple[tuple[int, int] | None, ...]
    times: tuple[float, ...]
    rate: Fraction
    size: tuple[int, int]


def bits_of(take: int, frame: int) -> np.ndarray:
    """Return the 32 bits of a picture's code, 0 or 1."""
    gray = frame ^ (frame >> 1)
    body = [(take >> i) & 1 for i in range(8)] + [(gray >> i) & 1 for i in range(16)]
    parity = [sum(body[i::4]) & 1 for i in range(4)]
    return np.array([*FIXED, *body, *parity], np.uint8)


def read_bits(bits: np.ndarray) -> tuple[int, int] | None:
    """Return (take, frame), or None where the fixed bits or the parity do not hold."""
    body = [int(b) for b in bits[4:28]]
    if tuple(int(b) for b in bits[:4]) != FIXED or any((sum(body[i::4]) & 1) != bits[28 + i] for i in range(4)):
        return None
    take = sum(b << i for i, b in enumerate(body[:8]))
    frame = sum(b << i for i, b in enumerate(body[8:]))
    for shift in (1, 2, 4, 8):
        frame ^= frame >> shift
    return take, frame


# ---------------------------------------------------------------- pictures out


def _texture(width: int, height: int, seed: int) -> np.ndarray:
    """A soft random luma picture wider than the frame, to be panned over."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(50, 200, (max(3, height // 16), max(5, width // 10)), np.uint8)
    return cv2.resize(coarse, (2 * width, height), interpolation=cv2.INTER_CUBIC)


def _stamp(luma: np.ndarray, take: int, frame: int) -> None:
    height, width = luma.shape
    x0, x1 = round(LEFT * width), round((LEFT + WIDTH) * width)
    y0, y1 = round(TOP * height), round((TOP + HEIGHT) * height)
    blocks = np.where(bits_of(take, frame), BRIGHT, DARK).astype(np.uint8).reshape(ROWS, COLUMNS)
    border = max(2, height // 40)
    luma[y0 - border : y1 + border, x0 - border : x1 + border] = GREY
    luma[y0:y1, x0:x1] = cv2.resize(blocks, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)


def picture(take: int, frame: int, *, rate: Fraction, size: tuple[int, int], hits: Sequence[float], shot: int) -> Any:
    """Return the yuv420p planes (y, u, v) of one picture, uint8, odd sizes included."""
    width, height = size
    seed = take * 1000 + shot
    texture = _textures.setdefault((width, height, seed), _texture(width, height, seed))
    rng = np.random.default_rng(seed)
    pan = float(rng.uniform(0.1, 0.4)) * width  # pixels a second
    u, v = (int(c) for c in rng.integers(90, 166, 2))
    now = frame / float(rate)
    ages = [now - hit for hit in hits if -1e-6 <= now - hit < 0.5]
    flash = max((math.exp(-age / 0.08) for age in ages), default=0.0)
    jump = sum(0.06 * width * math.exp(-age / 0.12) * math.cos(40 * age) for age in ages)
    x = round(abs((pan * now + jump) % (2 * width) - width)) if width else 0
    luma = texture[:, x : x + width].astype(np.float32)
    luma = (luma + flash * (235 - luma) * 0.9).astype(np.uint8)
    _stamp(luma, take, frame)
    chroma = ((height + 1) // 2, (width + 1) // 2)
    return luma, np.full(chroma, u, np.uint8), np.full(chroma, v, np.uint8)


_textures: dict[tuple[int, int, int], np.ndarray] = {}


def _frame(planes: Any) -> av.VideoFrame:
    luma, u, v = planes
    frame = av.VideoFrame(luma.shape[1], luma.shape[0], "yuv420p")
    for plane, values in zip(frame.planes, (luma, u, v), strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[: values.shape[0], : values.shape[1]] = values[: plane.height, : plane.line_size]
        plane.update(rows)
    return frame


def take_sound(take: int, seconds: float, hits: Sequence[float] = (), *, rate: int = RATE) -> np.ndarray:
    """Return the sound of a take, float32 (1, n): quiet noise of its own, a burst at each hit."""
    rng = np.random.default_rng(77_000 + take)
    n = round(seconds * rate)
    sound = rng.standard_normal(n).astype(np.float32) * 0.02
    for hit in hits:
        at = round(hit * rate)
        length = min(round(0.25 * rate), n - at)
        if at >= 0 and length > 0:
            t = np.arange(length) / rate
            burst = rng.standard_normal(length) * np.exp(-t / 0.04) * 0.5
            sound[at : at + length] += burst.astype(np.float32) + (0.3 * np.exp(-t / 0.06) * np.sin(500 * t)).astype(
                "f4"
            )
    return np.clip(sound, -1, 1)[None]


def write_take(
    path: Path | str,
    take: int,
    *,
    frames: int = 120,
    rate: Fraction | int = 24,
    size: tuple[int, int] = (160, 90),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    gop: int = 12,
    hits: Sequence[float] = (),
    cuts: Sequence[int] = (),
    times: Sequence[float] | None = None,
    sound: str | None = "aac",
    sample_rate: int = RATE,
    rotation: int = 0,
    options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Coded:
    """Write one barcoded source and return the truth about it.

    `size` is as displayed; `rotation` (0, 90, 180, 270; mp4 and mov) is the clockwise turn that a player must make.
    `times` (s, rising, one a picture) makes the file VFR. `sound` names a codec, or None for no sound stream.
    """
    rate = Fraction(rate)
    if options is None:
        options = {"preset": "ultrafast", "crf": "18"} if codec in {"libx264", "libx265"} else {}
        options |= {"x265-params": "log-level=none"} if codec == "libx265" else {}
    turned = size[::-1] if rotation in {90, 270} else size
    with av.open(str(path), "w") as box:
        box.metadata.update(metadata or {})
        video = box.add_stream(codec, rate=rate, options=dict(options))
        video.width, video.height, video.pix_fmt = *turned, pixel_format
        video.codec_context.gop_size = gop
        clock = Fraction(1, 90_000) if times is not None else 1 / rate
        video.codec_context.time_base = clock
        audio = None
        if sound is not None:
            audio = box.add_stream(sound, rate=sample_rate, layout="mono")
        for n in range(frames):
            shot = sum(n >= cut for cut in cuts)
            planes = picture(take, n, rate=rate, size=size, hits=hits, shot=shot)
            if rotation:
                planes = [np.ascontiguousarray(np.rot90(p, rotation // 90)) for p in planes]
            frame = _frame(planes)
            if pixel_format != "yuv420p":
                frame = frame.reformat(format=pixel_format)
            frame.pts = n if times is None else round(times[n] / clock)
            frame.time_base = clock
            box.mux(video.encode(frame))
        box.mux(video.encode())
        if audio is not None:
            seconds = frames / float(rate) if times is None else times[-1] + 1 / float(rate)
            write_sound(box, audio, take_sound(take, seconds, hits, rate=sample_rate))
    if rotation:
        _turn(Path(path), rotation)
    return Coded(str(path), take, rate, frames, size, tuple(hits), tuple(cuts))


def write_sound(box: Any, stream: Any, samples: np.ndarray) -> None:
    """Encode float32 (channels, n) into `stream` of the open container `box`."""
    rate = stream.codec_context.sample_rate
    layout = {1: "mono", 2: "stereo"}[samples.shape[0]]
    for at in range(0, samples.shape[1], rate):
        piece = np.ascontiguousarray(samples[:, at : at + rate], np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        box.mux(stream.encode(frame))
    box.mux(stream.encode())


def _turn(path: Path, rotation: int) -> None:
    """Write the display matrix into the video track's header (tkhd) of an mp4."""
    data = bytearray(path.read_bytes())
    one = 0x10000
    a, b, c, d = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[rotation]
    at = data.find(b"tkhd")
    while at >= 0:
        matrix = at + 4 + 40  # version 0: version/flags 4, times 8, id 4, reserved 4, duration 4, … 16
        if struct.unpack_from(">I", data, at + 4 + 76)[0]:  # a width: the picture's track
            struct.pack_into(">9i", data, matrix, a, b, 0, c, d, 0, 0, 0, 0x40000000)
        at = data.find(b"tkhd", at + 4)
    path.write_bytes(data)


# ---------------------------------------------------------------- songs out


def song_sound(bpm: float = 120.0, seconds: float = 24.0, *, first: float = 0.25, seed: int = 1) -> np.ndarray:
    """Return a small song, float32 (2, n) at 48 kHz: kick, snare, hats, bass and chords in 4/4, a true ending.

    The beat k sounds at ``first + k * 60 / bpm`` exactly; bars start at k = 0, 4, 8 …
    """
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    out = np.zeros(n + RATE, np.float32)
    beat = 60 / bpm
    count = math.floor((seconds - first - 1.5 * beat) / beat) // 4 * 4

    def add(at: float, sound: np.ndarray) -> None:
        i = round(at * RATE)
        out[i : i + sound.size] += sound[: out.size - i].astype(np.float32)

    def tone(hz: float, length: float, decay: float) -> np.ndarray:
        t = np.arange(round(length * RATE)) / RATE
        wave = sum(np.sin(2 * np.pi * hz * h * t) / h for h in (1, 2, 3))
        return wave * np.exp(-t / decay) * np.minimum(1, t / 0.003)

    t = np.arange(round(0.25 * RATE)) / RATE
    kick = np.sin(2 * np.pi * (50 * t + 100 * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.09)
    snare = rng.standard_normal(t.size) * np.exp(-t / 0.05)
    hat = np.diff(rng.standard_normal(t.size), prepend=0) * np.exp(-t / 0.015)
    roots = (110.0, 87.31, 130.81, 98.0)
    for k in range(count + 1):
        at, root = first + k * beat, roots[k // 4 % 4]
        loud = 0.5 if k < count // 4 else 1.0
        if k % 4 == 0:
            for ratio in (2, 2.5, 3):
                add(at, tone(root * ratio, min(4 * beat, 3), 1.0) * 0.05 * loud)
        add(at, kick * (0.5 if k % 4 == 0 else 0.35) * loud)
        if k < count:
            if k % 2:
                add(at, snare * 0.2 * loud)
            add(at, tone(root, beat * 0.9, 0.3) * 0.12)
            add(at, hat * 0.1 * loud)
            add(at + beat / 2, hat * 0.05 * loud)
    out = out[:n]
    out[-480:] *= np.linspace(1, 0, 480)
    return np.stack([out, out]) / max(1.0, float(np.abs(out).max()) * 1.1)


def song_beats(bpm: float = 120.0, seconds: float = 24.0, *, first: float = 0.25) -> list[float]:
    """Return the beat times of `song_sound`."""
    beat = 60 / bpm
    count = math.floor((seconds - first - 1.5 * beat) / beat) // 4 * 4
    return [first + k * beat for k in range(count + 1)]


def write_wav(path: Path | str, samples: np.ndarray, rate: int = RATE) -> str:
    """Write float32 (channels, n) as 16-bit WAV (or what the suffix says: .mp3, .ogg, .flac, .m4a)."""
    codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame", ".ogg": "libvorbis", ".m4a": "aac"}
    with av.open(str(path), "w") as box:
        layout = {1: "mono", 2: "stereo"}[samples.shape[0]]
        stream = box.add_stream(codec[Path(path).suffix], rate=rate, layout=layout)
        write_sound(box, stream, samples)
    return str(path)


def write_song(path: Path | str, bpm: float = 120.0, seconds: float = 24.0, *, first: float = 0.25) -> str:
    """Write `song_sound` to a file."""
    return write_wav(path, song_sound(bpm, seconds, first=first))


# ---------------------------------------------------------------- reading back


def _boxes(width: int, height: int, aspect: float) -> list[tuple[float, float, float, float]]:
    """Where a source picture of `aspect` may lie in a film frame: letterboxed, cropped to fill, stretched."""
    boxes = []
    for w, h in (
        (min(width, height * aspect), min(height, width / aspect)),
        (max(width, height * aspect), max(height, width / aspect)),
        (width, height),
    ):
        boxes.append(((width - w) / 2, (height - h) / 2, w, h))
    return boxes


def read_code(luma: np.ndarray, box: tuple[float, float, float, float]) -> tuple[int, int] | None:
    """Read the code of one luma picture whose source lies in `box` (x, y, width, height), or None."""
    x, y, w, h = box
    x0, x1 = x + LEFT * w, x + (LEFT + WIDTH) * w
    y0, y1 = y + TOP * h, y + (TOP + HEIGHT) * h
    if x0 < 0 or y0 < 0 or x1 > luma.shape[1] or y1 > luma.shape[0]:
        return None
    code = np.ascontiguousarray(luma[round(y0) : round(y1), round(x0) : round(x1)])
    if min(code.shape) < 8:
        return None
    fine = cv2.resize(code, (COLUMNS * 4, ROWS * 4), interpolation=cv2.INTER_AREA).astype(np.float32)
    cells = fine.reshape(ROWS, 4, COLUMNS, 4)[:, 1:3, :, 1:3].mean(axis=(1, 3)).ravel()
    high, low = (cells[0] + cells[3]) / 2, (cells[1] + cells[2]) / 2
    if high - low < 8:
        return None
    level = (cells - low) / (high - low)
    if np.any(np.minimum(abs(level), abs(level - 1)) > 0.3):
        return None
    return read_bits((level > 0.5).astype(np.uint8))


def read_film(path: Path | str, *, aspects: Sequence[float] = (16 / 9, 4 / 3, 427 / 239, 9 / 16, 1.0)) -> Film:
    """Decode every picture of a film to (take, frame); `aspects` are those of its sources."""
    codes: list[tuple[int, int] | None] = []
    times: list[float] = []
    with av.open(str(path)) as box:
        video = box.streams.video[0]
        video.thread_type = "AUTO"
        rate = Fraction(video.average_rate or 0)
        size = (video.codec_context.width, video.codec_context.height)
        boxes = list(dict.fromkeys(b for a in aspects for b in _boxes(*size, a)))
        for frame in box.decode(video):
            plane = frame.planes[0]
            if frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuv444p"}:
                luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
            else:
                luma = frame.reformat(format="gray").to_ndarray()
            found = None
            for i, place in enumerate(boxes):
                found = read_code(luma, place)
                if found is not None:
                    boxes.insert(0, boxes.pop(i))  # the next picture most likely lies in the same place
                    break
            codes.append(found)
            times.append(float(frame.time or 0.0))
    return Film(tuple(codes), tuple(times), rate, size)


def read_samples(path: Path | str, *, rate: int = RATE) -> np.ndarray:
    """Return a file's sound as a player plays it, mono float32 (n,): placed by its own time stamps from time 0."""
    out = np.zeros(0, np.float32)
    with av.open(str(path)) as box:
        fold = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        for frame in box.decode(audio=0):
            for piece in fold.resample(frame):
                samples = piece.to_ndarray()[0]
                at = round(float(piece.time or 0.0) * rate)
                if at < 0:
                    samples, at = samples[-at:], 0
                if at + samples.size > out.size:
                    out = np.concatenate([out, np.zeros(at + samples.size + 10 * rate - out.size, np.float32)])
                out[at : at + samples.size] = samples
                end = at + samples.size
    return out[:end] if out.size else out


def lag(heard: np.ndarray, expected: np.ndarray, *, rate: int = RATE, reach: float = 0.2) -> tuple[float, float]:
    """Return by how many seconds `heard` is late against `expected` (same stretch, mono), and the correlation 0..1."""
    n = min(heard.size, expected.size)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(heard[:n], size) * np.conj(np.fft.rfft(expected[:n], size))
    cross = np.fft.irfft(spectrum, size)
    most = min(round(reach * rate), n - 1)
    near = np.concatenate([cross[-most:], cross[: most + 1]])
    k = int(np.argmax(near))
    shift = 0.0
    if 0 < k < near.size - 1:
        a, b, c = near[k - 1 : k + 2]
        shift = float((a - c) / (2 * (a - 2 * b + c))) if a - 2 * b + c else 0.0
    power = float(np.linalg.norm(heard[:n]) * np.linalg.norm(expected[:n])) or 1.0
    return (k - most + shift) / rate, float(near[k]) / power


def expected_codes(timeline: Any, takes: Mapping[str, int]) -> list[tuple[int, int] | None]:
    """Return what every record frame of a `model.timeline.Timeline` should show; `takes` maps path to take id."""
    shown: list[tuple[int, int] | None] = [None] * timeline.frames
    for track in timeline.tracks:
        if track.kind != "picture" or not track.enabled:
            continue
        for clip in track.clips:
            for offset in range(clip.frames if clip.enabled and clip.take else 0):
                if 0 <= clip.start + offset < timeline.frames:
                    shown[clip.start + offset] = (takes[clip.take], clip.source_frame(offset, timeline.rate))
    return shown
