# SPDX-License-Identifier: Apache-2.0
"""What a render is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backbeat.errors import InputError
from backbeat.model.time import Span, frame_at, parse_clock

if TYPE_CHECKING:
    from backbeat.model.timeline import Timeline

PRESETS = ("web", "master", "draft")
FITS = ("letterbox", "fill", "stretch")
REFRAMES = ("", "centre", "follow")


@dataclass(frozen=True, slots=True)
class Look:
    """How sources come onto the canvas: `fit`, `reframe` and `smooth` as in `RenderSettings`.

    `rough`: sources are decoded without their deblocking filters.
    """

    fit: str = "letterbox"
    reframe: str = ""
    smooth: bool = False
    rough: bool = False


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What a render is asked for; "" and 0 leave the choice to the preset and the output's suffix.

    `codec`: h264, h265, av1, vp9, prores or dnxhr; `sound_codec`: aac, opus, flac or pcm; `quality` the codec's CRF;
    `bits` 8 or 10; `hardware`: nvenc, qsv, amf or videotoolbox. `size` (width, height) replaces the timeline's canvas;
    `fit`: letterbox, fill or stretch; `reframe`: "" or centre, or follow (the crop of a fill follows the motion).
    `smooth` makes new pictures in slow motion. `span` renders only the record frames first .. last (half-open).
    `loudness` (LUFS) sets the film's integrated loudness, None leaves the mix as it is; `ceiling` is in dBTP. `stems`
    also writes takes and music apart, named after `stem_name` or the output. `dialogue` are film seconds in which
    somebody speaks: stems part takes there into dialogue and effects, and `gated` sets the loudness of those seconds.
    `sound` False leaves the film mute.
    `workers`: "1", "N" or "dask://host:port".
    """

    preset: str = "web"
    codec: str = ""
    sound_codec: str = ""
    quality: float = 0.0
    bits: int = 0
    hardware: str = ""
    size: tuple[int, int] = (0, 0)
    fit: str = "letterbox"
    reframe: str = ""
    smooth: bool = False
    span: tuple[int, int] | None = None
    loudness: float | None = None
    ceiling: float = -1.5
    stems: bool = False
    stem_name: str = ""
    dialogue: tuple[Span, ...] = ()
    gated: bool = False
    sound: bool = True
    workers: str = "1"

    @property
    def look(self) -> Look:
        """How sources come onto the canvas.

        Raises
        ------
        InputError
            If a choice is unknown.
        """
        one_of("--fit", self.fit, FITS)
        return Look(self.fit, one_of("--reframe", self.reframe, REFRAMES), self.smooth, rough=self.preset == "draft")

    @property
    def measured(self) -> tuple[Span, ...]:
        """Film seconds whose loudness is set; empty: all."""
        return self.dialogue if self.gated else ()

    def frames(self, timeline: Timeline) -> tuple[int, int]:
        """Return the record frames to render, half-open.

        Raises
        ------
        InputError
            If there is none, or a number of the settings is out of its range.
        """
        if not 0 <= self.quality <= 63:
            raise InputError(f"--quality {self.quality:g}: not a quality", "give the codec's CRF, 1 (best) to 63")
        if self.loudness is not None and not -60 <= self.loudness <= -5:
            raise InputError(f"--loudness {self.loudness:g}: not a loudness", "give LUFS from -60 to -5, such as -14")
        first, last = self.span or (0, timeline.frames)
        if not 0 <= first < last <= timeline.frames:
            raise InputError(f"{timeline.name}: no frame to render", "give a timeline with clips, and a span inside it")
        return first, last


def one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    """Return `value` if it is known.

    Raises
    ------
    InputError
        If it is not.
    """
    if value not in known:
        raise InputError(f"{option} {value}: no such choice", f"use {', '.join(k for k in known if k)}")
    return value


def parse_size(text: str) -> tuple[int, int]:
    """Read ``1080x1920``.

    Raises
    ------
    InputError
        If it is no size from 16 to 8192 pixels.
    """
    found = re.fullmatch(r"\s*(\d+)\s*[x×:]\s*(\d+)\s*", text.lower())
    if not found or not all(16 <= int(n) <= 8192 for n in found.groups()):
        raise InputError(f"--size {text}: not a size", "give width x height, such as 1080x1920")
    return int(found[1]), int(found[2])


def parse_span(text: str, timeline: Timeline) -> tuple[int, int]:
    """Read ``0:30-0:45`` (or ``0:30-``) as record frames of `timeline`.

    Raises
    ------
    InputError
        If it is no span inside the film.
    """
    first, dash, last = text.partition("-")
    try:
        a = frame_at(parse_clock(first), timeline.rate) if first.strip() else 0
        b = frame_at(parse_clock(last), timeline.rate) if last.strip() else timeline.frames
    except ValueError:
        a = b = -1
    if not dash or not 0 <= a < b or a >= timeline.frames:
        raise InputError(f"--partial {text}: not a part of the film", "give from-to, such as 0:30-0:45")
    return a, min(b, timeline.frames)
