# SPDX-License-Identifier: Apache-2.0
"""Codecs, presets and containers: from what is asked for to encoder options that have been tried on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MissingPartError
from backbeat.make.colour import film_colour
from backbeat.make.settings import PRESETS, RenderSettings, one_of
from backbeat.media.write import PictureFormat, SoundFormat, works

if TYPE_CHECKING:
    from backbeat.model.timeline import Timeline

HARDWARE = ("nvenc", "qsv", "amf", "videotoolbox")


@dataclass(frozen=True, slots=True)
class Codec:
    """One picture codec: its encoder, what each preset means to it, and where it may live.

    `levels` are options for web, master and draft; `crf` the quality of each (None: it has none).
    """

    encoder: str
    containers: tuple[str, ...]
    levels: tuple[dict[str, str], dict[str, str], dict[str, str]]
    crf: tuple[float, float, float] | None = None
    depths: dict[int, str] = field(default_factory=lambda: {8: "yuv420p", 10: "yuv420p10le"})
    gop: int = 250


_ALL = (".mp4", ".mov", ".m4v", ".mkv")
CODECS = {
    "h264": Codec(
        "libx264", _ALL, ({"preset": "veryfast"}, {"preset": "medium"}, {"preset": "ultrafast"}), (20, 15, 28)
    ),
    # x265 prints its banner unless told not to; open GOPs would not join.
    "h265": Codec(
        "libx265",
        _ALL,
        (
            {"preset": "fast", "x265-params": "log-level=none:open-gop=0"},
            {"preset": "medium", "x265-params": "log-level=none:open-gop=0"},
            {"preset": "ultrafast", "x265-params": "log-level=none:open-gop=0"},
        ),
        (23, 18, 30),
    ),
    "av1": Codec(
        "libsvtav1", (".mp4", ".mkv", ".webm"), ({"preset": "8"}, {"preset": "5"}, {"preset": "10"}), (30, 22, 36)
    ),
    "vp9": Codec(
        "libvpx-vp9",
        (".webm", ".mkv", ".mp4"),
        (
            {"deadline": "good", "cpu-used": "4", "row-mt": "1", "b": "0"},
            {"deadline": "good", "cpu-used": "2", "row-mt": "1", "b": "0"},
            {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "b": "0"},
        ),
        (31, 22, 40),
    ),
    "prores": Codec(
        "prores_ks",
        (".mov", ".mkv"),
        ({"profile": "standard"}, {"profile": "hq"}, {"profile": "proxy"}),
        None,
        {10: "yuv422p10le"},
        gop=1,
    ),
    "dnxhr": Codec(
        "dnxhd",
        (".mov",),
        ({"profile": "dnxhr_hq"}, {"profile": "dnxhr_hq"}, {"profile": "dnxhr_lb"}),
        None,
        {8: "yuv422p", 10: "yuv422p10le"},
        gop=1,
    ),
}
SOUNDS = {
    "aac": (SoundFormat("aac", 256_000), (*_ALL,)),
    "opus": (SoundFormat("libopus", 192_000), (".webm", ".mkv", ".mp4")),
    "flac": (SoundFormat("flac", 0), (".mkv", ".mp4")),
    "pcm": (SoundFormat("pcm_s24le", 0), (".mov", ".mkv")),
}
CONTAINERS = (".mp4", ".mov", ".m4v", ".mkv", ".webm")


def picture_format(timeline: Timeline, settings: RenderSettings, output: str) -> PictureFormat:
    """Return how the film's pictures are coded; the encoder has been tried.

    Raises
    ------
    InputError
        If a choice is unknown, or codec and container do not go together.
    MissingPartError
        If this machine cannot encode so.
    """
    suffix = one_of("the suffix", PurePath(output).suffix.lower(), CONTAINERS)
    level = PRESETS.index(one_of("--preset", settings.preset, PRESETS))
    name = one_of("--codec", settings.codec or ("vp9" if suffix == ".webm" else "h264"), tuple(CODECS))
    codec = CODECS[name]
    if suffix not in codec.containers:
        raise InputError(f"{output}: {name} does not go into {suffix}", f"use {', '.join(codec.containers)}")
    bits = settings.bits or min(codec.depths)
    if bits not in codec.depths:
        known = " or ".join(str(d) for d in codec.depths)
        raise InputError(f"--bits {bits}: {name} cannot", f"use {known} bits")
    options = dict(codec.levels[level])
    if name == "dnxhr" and bits == 10:
        options["profile"] = "dnxhr_hqx"
    if codec.crf is not None:
        options["crf"] = f"{settings.quality or codec.crf[level]:g}"
    encoder = codec.encoder
    if settings.hardware:
        encoder, options = _hardware(name, settings, codec, level)
    width, height = settings.size if all(settings.size) else (timeline.width, timeline.height)
    if settings.preset == "draft" and not all(settings.size) and width >= 640:
        width, height = width // 2, height // 2
    # 4:2:0 and 4:2:2 need even sizes
    width, height = max(2, width + width % 2), max(2, height + height % 2)
    form = PictureFormat(
        encoder,
        width,
        height,
        timeline.rate,
        pixel_format=codec.depths[bits],
        options=tuple(sorted(options.items())),
        colour=film_colour(timeline, bits),
        gop=codec.gop,
    )
    if (reason := works(form)) is not None:
        hint = "leave out --hardware" if settings.hardware else "`backbeat doctor` lists what is there; choose another"
        raise MissingPartError(f"this machine cannot encode {name} with {encoder} ({reason})", hint)
    return form


def _hardware(name: str, settings: RenderSettings, codec: Codec, level: int) -> tuple[str, dict[str, str]]:
    kind = one_of("--hardware", settings.hardware, HARDWARE)
    if name not in {"h264", "h265", "av1"} or codec.crf is None:
        raise InputError(f"--hardware {kind}: not for {name}", "use h264, h265 or av1")
    base = {"h265": "hevc"}.get(name, name)
    value = f"{settings.quality or codec.crf[level]:g}"
    options = {
        "nvenc": {"rc": "vbr", "cq": value, "b": "0", "preset": ("p4", "p6", "p1")[level]},
        "qsv": {"global_quality": value},
        "amf": {"rc": "cqp", "qp_i": value, "qp_p": value},
        "videotoolbox": {"q:v": str(round(100 - 1.8 * float(value)))},
    }[kind]
    return f"{base}_{kind}", options


def sound_format(settings: RenderSettings, output: str) -> SoundFormat:
    """Return how the film's sound is coded.

    Raises
    ------
    InputError
        If the codec is unknown or does not go into the container.
    """
    suffix = PurePath(output).suffix.lower()
    usual = "opus" if suffix == ".webm" else "pcm" if settings.codec in {"prores", "dnxhr"} else "aac"
    name = one_of("--audio", settings.sound_codec or usual, tuple(SOUNDS))
    form, containers = SOUNDS[name]
    if suffix not in containers:
        raise InputError(f"{output}: {name} sound does not go into {suffix}", f"use {', '.join(containers)}")
    return form
