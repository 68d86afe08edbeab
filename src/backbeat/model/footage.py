# SPDX-License-Identifier: Apache-2.0
"""What was seen and heard in footage.

Source time. Every take has one exact `rate`; *source frame* n is the picture shown at ``n / rate`` seconds after the
take's first picture. For constant-rate files that is the n-th decoded picture; for VFR files it is the picture on
screen at that time. Sound is placed on the same clock: sample time 0 is the first picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from backbeat.model.time import Span


@dataclass(frozen=True, slots=True)
class Media:
    """Facts of one file, from its headers, its packet table and its first picture.

    `width`, `height` are as displayed (rotation and pixel aspect applied). `rotation` is clockwise degrees to turn
    the stored picture. `frames` counts source frames at `rate`. `start_timecode` is in frames at `rate`, None if the
    file carries none. `sound_offset` is the first sample's time minus the first picture's (s). A still has one frame.
    """

    path: str
    rate: Fraction
    frames: int
    width: int
    height: int
    video_codec: str = ""
    pixel_format: str = ""
    rotation: int = 0
    pixel_aspect: Fraction = Fraction(1)
    variable_rate: bool = False
    interlaced: bool = False
    color_range: str = ""
    color_space: str = ""
    color_transfer: str = ""
    color_primaries: str = ""
    has_sound: bool = False
    sample_rate: int = 0
    channels: int = 0
    sound_streams: int = 0
    sound_offset: float = 0.0
    sound_duration: float = 0.0
    start_timecode: int | None = None
    reel: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Seconds of picture."""
        return float(self.frames / self.rate)


@dataclass(frozen=True, slots=True)
class Hit:
    """An instant that the eye or ear feels.

    `time` is source seconds. `kind`: impact, gunshot, slam, landing, flash, clap, step, motion peak …; `evidence`:
    seen, heard or both; `strength` (comparable across takes) and `confidence` are 0..1.
    """

    time: float
    strength: float
    kind: str = "impact"
    evidence: str = "both"
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is said, in source seconds; `confidence` 0..1 says how sure its place is."""

    text: str
    span: Span
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Speech:
    """A span in which somebody speaks; `pauses` are gaps inside it where a cut may go.

    `pads`: seconds at its start and end that are there to be safe, more where the edge is unsure. `text` and `words`
    are known only where a subtitle file or a script tells them.
    """

    span: Span
    confidence: float = 1.0
    pauses: tuple[Span, ...] = ()
    text: str = ""
    pads: tuple[float, float] = (0.0, 0.0)
    words: tuple[Word, ...] = ()

    @property
    def said(self) -> Span:
        """The span without its pads."""
        return Span(self.span.start + self.pads[0], max(self.span.start + self.pads[0], self.span.end - self.pads[1]))


@dataclass(frozen=True, slots=True)
class Shot:
    """A span of a take without a cut inside.

    `start_frame`/`end_frame` are the usable range in source frames, half-open: dissolves, black, frozen and corrupt
    edges are outside. `quality` 0..1. `motion` 0..1 mean magnitude; `direction` degrees of the dominant motion
    (0 = right, 90 = up) or None; `camera`: static, pan, tilt, push, handheld or "". `shot_size`: height of the
    largest face in shares of the picture's, None where none was found, and how sure that is (`size_confidence` 0..1).
    `group` is equal for near-duplicate set-ups (-1 = unknown).
    `motion_curve`: mean flow magnitude a frame, percent of picture width, every `curve_step` source frames.
    `prints`: 64-bit perceptual hashes of pictures spread over the shot.
    """

    take: str
    index: int
    start_frame: int
    end_frame: int
    hits: tuple[Hit, ...] = ()
    quality: float = 0.5
    motion: float = 0.0
    direction: float | None = None
    camera: str = ""
    shake: float = 0.0
    sharpness: float = 0.5
    exposure: float = 0.5
    brightness: float = 0.5
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    shot_size: float | None = None
    group: int = -1
    flags: tuple[str, ...] = ()
    motion_curve: tuple[float, ...] = ()
    curve_step: int = 1
    prints: tuple[int, ...] = ()
    size_confidence: float = 0.0

    @property
    def framing(self) -> str:
        """Close-up (head and shoulders or nearer), medium (to the hips), wide, or "" where no face tells."""
        if self.shot_size is None:
            return ""
        return "close-up" if self.shot_size >= 0.26 else "medium" if self.shot_size >= 0.1 else "wide"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a log beside the footage says of a take (ALE, CSV, FCPXML keywords, folder names)."""

    scene: str = ""
    number: str = ""
    circled: bool = False
    characters: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Take:
    """One source file and everything seen in it. `offset` (s): add it to sound times to meet the picture."""

    media: Media
    shots: tuple[Shot, ...]
    speech: tuple[Speech, ...] = ()
    offset: float = 0.0
    shot_at: float = 0.0
    log: LogEntry = LogEntry()
    warnings: tuple[str, ...] = ()
