# SPDX-License-Identifier: Apache-2.0
"""What a render is asked for, and how that becomes encoder options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from backbeat.errors import InputError
from backbeat.media.write import Colour, PictureFormat, SoundFormat
from backbeat.model.timeline import Timeline

CONTAINERS = (".mp4", ".mov", ".mkv", ".webm", ".m4v")
SOUND = {
    "aac": SoundFormat("aac", 256_000),
    "opus": SoundFormat("libopus", 192_000),
    "flac": SoundFormat("flac", 0),
    "pcm": SoundFormat("pcm_s24le", 0),
}
PRESETS = ("web", "master", "draft")


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What a render is asked for; "" and 0 leave the choice to the preset and the output's suffix.

    `size` (width, height) replaces the timeline's. `span` renders only the record frames first .. last (half-open).
    `loudness` (LUFS) sets the film's integrated loudness; None leaves the mix as it is. `ceiling` is in dBTP.
    """

    preset: str = "web"
    codec: str = ""
    quality: float = 0.0
    size: tuple[int, int] = (0, 0)
    fit: str = "letterbox"
    span: tuple[int, int] | None = None
    sound_codec: str = ""
    loudness: float | None = None
    ceiling: float = -1.5
    workers: str = "1"


def picture_format(timeline: Timeline, settings: RenderSettings, output: str) -> PictureFormat:
    """Return how the film's pictures are coded.

    Raises
    ------
    InputError
        If the suffix, preset or codec is unknown, or they do not go together.
    """
    suffix = PurePath(output).suffix.lower()
    if suffix not in CONTAINERS:
        raise InputError(
            f"{output}: cannot write a {suffix or 'file without a suffix'}", f"use {', '.join(CONTAINERS)}"
        )
    if settings.preset not in PRESETS:
        raise InputError(f"--preset {settings.preset}: no such preset", f"use {', '.join(PRESETS)}")
    width, height = settings.size if all(settings.size) else (timeline.width, timeline.height)
    width, height = max(2, width + width % 2), max(2, height + height % 2)  # 4:2:0 needs even sizes
    speed, quality = {"web": ("veryfast", 20), "master": ("medium", 16), "draft": ("ultrafast", 28)}[settings.preset]
    options = (("preset", speed), ("crf", f"{settings.quality or quality:g}"))
    return PictureFormat("libx264", width, height, timeline.rate, options=options, colour=Colour())


def sound_format(settings: RenderSettings, output: str) -> SoundFormat:
    """Return how the film's sound is coded."""
    codec = settings.sound_codec or ("opus" if PurePath(output).suffix.lower() == ".webm" else "aac")
    if codec not in SOUND:
        raise InputError(f"--audio {codec}: no such codec", f"use {', '.join(SOUND)}")
    return SOUND[codec]
