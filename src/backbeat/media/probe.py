# SPDX-License-Identifier: Apache-2.0
"""Facts of one file from its headers, its packet table and its first picture.

The clock of a take starts at its first shown picture (ARCHITECTURE.md). `read_times` makes the table of that clock;
everything that turns pictures into source frames goes through it.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from backbeat.errors import MediaError
from backbeat.media.box import open_box
from backbeat.model.footage import Media
from backbeat.model.time import STANDARD_RATES, nearest_rate

if TYPE_CHECKING:
    from av import AudioStream, VideoFrame, VideoStream
    from av.container import InputContainer
    from numpy.typing import NDArray

_RANGES = {1: "tv", 2: "pc"}
_SPACES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c"}
_TRANSFERS = {
    1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67",
}  # fmt: skip
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 11: "smpte431",
    12: "smpte432",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """When each picture of a take is shown.

    `pictures`: float64 (n,), seconds after the first shown picture, rising. `zero`: the first picture's time on the
    container's clock (s, exact). `rate`: the take's exact rate. `variable`: no constant rate fits.
    """

    pictures: NDArray[np.float64]
    zero: Fraction
    rate: Fraction
    variable: bool

    @property
    def frames(self) -> int:
        """Source frames at `rate`."""
        if not self.variable:
            return max(1, len(self.pictures))
        return round(float(self.pictures[-1]) * float(self.rate)) + 1

    def picture_of(self, frame: int) -> int:
        """Return which picture (in order of showing) source frame `frame` shows."""
        last = max(0, len(self.pictures) - 1)
        if not self.variable:
            return min(max(frame, 0), last)
        at = (frame + 0.25) / float(self.rate)  # a quarter frame absorbs the rounding of coarse time bases
        return min(max(int(np.searchsorted(self.pictures, at, side="right")) - 1, 0), last)

    def frame_of(self, seconds: float) -> int:
        """Return the first source frame that shows the picture which appears `seconds` after the first."""
        if not self.variable:
            return round(seconds * float(self.rate))
        return max(0, int(np.ceil(seconds * float(self.rate) - 0.25)))


def fit_rate(pictures: NDArray[np.float64], hints: tuple[Fraction | None, ...]) -> tuple[Fraction, bool]:
    """Return the rate that fits rising times, and whether none does (variable rate).

    A constant rate keeps every picture within 0.6 of a frame of its place and the median step within 6 % (or a
    millisecond) of a frame: coarse time bases and an odd last step pass, dropped pictures do not. The header's own
    rates (`hints`, in order of trust) come first.
    """
    n = len(pictures)
    known = [nearest_rate(h) for h in hints if h and 0.5 <= h <= 1000]
    fallback = known[0] if known else Fraction(25)
    steps = np.diff(pictures)
    if n < 2 or float(np.median(steps)) <= 0:
        return fallback, False
    middle = float(np.median(steps))
    place = np.arange(n)
    for rate in [*known, nearest_rate(1 / middle), nearest_rate((n - 1) / float(pictures[-1]))]:
        step = float(rate) * middle
        if abs(step - 1) < 0.06 + 0.001 * float(rate) and np.max(np.abs(pictures * float(rate) - place)) < 0.6:
            return rate, False
    measured = min(max(1 / middle, 1.0), 240.0)
    near = min(STANDARD_RATES, key=lambda r: abs(float(r) - measured))
    near = next((r for r in known if abs(float(r) - measured) < 0.03 * measured), near)
    return (near if abs(float(near) - measured) < 0.03 * measured else nearest_rate(measured)), True


def read_times(box: InputContainer, stream: VideoStream) -> Times:
    """Return the table of times of `stream` from its packets; nothing is decoded.

    Pictures that an edit list drops are left out. Files without time stamps count pictures at the header's rate.

    Raises
    ------
    MediaError
        If there is not one picture.
    """
    import av

    base = stream.time_base or Fraction(1, 90_000)
    stamps: list[int] = []
    bare = 0
    with contextlib.suppress(av.FFmpegError, OSError):  # a truncated file: what came before is good
        for packet in box.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None:
                bare += 1
            else:
                stamps.append(stamp)
    if not stamps and not bare:
        raise MediaError("no picture in it", "is the file whole?")
    rate_hints = (stream.base_rate, stream.average_rate, stream.guessed_rate)
    if bare > len(stamps):
        rate = nearest_rate(next((h for h in rate_hints if h), Fraction(25)))
        return Times(np.arange(bare + len(stamps)) / float(rate), Fraction(0), rate, variable=False)
    ticks = np.unique(np.asarray(stamps, np.int64))
    pictures = (ticks - ticks[0]).astype(np.float64) * float(base)
    rate, variable = fit_rate(pictures, rate_hints)
    return Times(pictures, int(ticks[0]) * base, rate, variable)


def parse_timecode(text: str, rate: Fraction) -> int | None:
    """Return ``HH:MM:SS:FF`` (``;`` before FF = drop-frame) as frames at `rate`; None if it is none."""
    found = re.fullmatch(r"\s*(\d{1,2}):(\d\d):(\d\d)([:;.,])(\d{1,3})\s*", text)
    if not found:
        return None
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    base = round(rate)
    count = ((hours * 60 + minutes) * 60 + seconds) * base + frames
    if found[4] in ";," and rate.denominator == 1001 and base % 30 == 0:
        passed = hours * 60 + minutes
        count -= (base // 15) * (passed - passed // 10)
    return count


def _first_picture(box: InputContainer, stream: VideoStream) -> VideoFrame | None:
    import av

    box.seek(stream.start_time or 0, stream=stream)
    stream.thread_type = "SLICE"  # one picture is wanted: no delay of frame threads
    with contextlib.suppress(av.FFmpegError, StopIteration):
        packet = next(box.demux(stream))
        if packet.is_keyframe and packet.size:  # nor of reordering: end of stream gives out what is decoded
            found = [*packet.decode(), *stream.codec_context.decode(None)]
            stream.codec_context.flush_buffers()
            if found:
                return found[0]
    box.seek(stream.start_time or 0, stream=stream)
    for tries, packet in enumerate(box.demux(stream)):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            pass
        if tries > 300:
            break
    return None


def _first_sound(box: InputContainer, stream: AudioStream) -> float | None:
    import av

    box.seek(0)
    for tries, packet in enumerate(box.demux(stream)):
        try:
            for frame in packet.decode():
                if frame.time is not None:
                    return frame.time
        except av.FFmpegError:
            pass
        if tries > 100:
            break
    return None


def _quietly(value: object, names: dict[int, str]) -> str:
    return names.get(int(value), "") if isinstance(value, int) else ""


def _timecode(box: InputContainer, stream: VideoStream, rate: Fraction) -> tuple[int | None, str]:
    notes = [dict(box.metadata), dict(stream.metadata), *(dict(s.metadata) for s in box.streams if s is not stream)]
    code = next((n["timecode"] for n in notes if "timecode" in n), "")
    names = ("reel_name", "com.apple.quicktime.reelname", "reel", "tape")
    reel = next((n[k] for n in notes for k in names if n.get(k)), "")
    return parse_timecode(code, rate), reel


def displayed(width: int, height: int, aspect: Fraction, rotation: int) -> tuple[int, int]:
    """Return the size as shown: pixel aspect widens the picture, then it is turned."""
    wide = round(width * aspect) if aspect > 1 else width
    high = round(height / aspect) if aspect < 1 else height
    return (high, wide) if rotation % 180 == 90 else (wide, high)


def probe(path: str) -> Media:
    """Return the facts of a picture file.

    Parameters
    ----------
    path
        A video, a still, or a pattern of numbered pictures (``shot_%04d.png``, 24 a second).

    Raises
    ------
    MediaError
        If the file cannot be opened or carries no picture.
    """
    return probe_times(path)[0]


def probe_times(path: str) -> tuple[Media, Times]:
    """Return the facts of a picture file and the table of its clock.

    Raises
    ------
    MediaError
        Like `probe`.
    """
    with open_box(path) as box:
        videos = [s for s in box.streams.video if not _is_cover(s)]
        if not videos:
            raise MediaError(f"{path}: no picture in it", "give a video file")
        stream = videos[0]
        try:
            times = read_times(box, stream)
        except MediaError as error:
            raise MediaError(f"{path}: {error.message}", error.hint) from error
        warnings: list[str] = []
        picture = None if times.frames == 1 else _first_picture(box, stream)
        if picture is not None:
            return _facts(path, box, stream, times, picture, warnings), times
    with open_box(path) as box:  # a fresh one: stills cannot seek
        stream = next(s for s in box.streams.video if not _is_cover(s))
        picture = _first_picture_plain(box, stream)
        if picture is None:
            raise MediaError(f"{path}: not one picture could be decoded", "is the file whole?")
        media = _facts(path, box, stream, times, picture, warnings)
    return media, times


def _first_picture_plain(box: InputContainer, stream: VideoStream) -> VideoFrame | None:
    import av

    for packet in box.demux(stream):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            continue
    return None


def _is_cover(stream: VideoStream) -> bool:
    return "attached_pic" in str(stream.disposition).lower()


def _facts(
    path: str, box: InputContainer, stream: VideoStream, times: Times, picture: VideoFrame, warnings: list[str]
) -> Media:
    context = stream.codec_context
    aspect = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
    if aspect <= 0 or abs(aspect - 1) < Fraction(1, 100):
        aspect = Fraction(1)  # 640:639 and kin are rounding of encoders, not anamorphic pictures
    rotation = -round(picture.rotation) % 360
    width, height = displayed(picture.width, picture.height, aspect, rotation)
    sounds = list(box.streams.audio)
    sound = sounds[0] if sounds else None
    first = _first_sound(box, sound) if sound else None
    if sound is not None and first is None:
        warnings.append("its sound cannot be decoded")
        sound = None
    length = 0.0
    if sound is not None:
        known = sound.duration * sound.time_base if sound.duration and sound.time_base else None
        length = float(known) if known is not None else (box.duration or 0) / 1e6
    code, reel = _timecode(box, stream, times.rate)
    return Media(
        path=path,
        rate=times.rate,
        frames=times.frames,
        width=width,
        height=height,
        video_codec=context.name,
        pixel_format=picture.format.name,
        rotation=rotation,
        pixel_aspect=aspect,
        variable_rate=times.variable,
        interlaced=picture.interlaced_frame,
        color_range=_quietly(picture.color_range, _RANGES),
        color_space=_quietly(picture.colorspace, _SPACES),
        color_transfer=_quietly(picture.color_trc, _TRANSFERS),
        color_primaries=_quietly(picture.color_primaries, _PRIMARIES),
        has_sound=sound is not None,
        sample_rate=sound.codec_context.sample_rate if sound else 0,
        channels=sound.codec_context.channels if sound else 0,
        sound_streams=len(sounds),
        sound_offset=first - float(times.zero) if first is not None else 0.0,
        sound_duration=length,
        start_timecode=code,
        reel=reel,
        warnings=tuple(warnings),
    )
