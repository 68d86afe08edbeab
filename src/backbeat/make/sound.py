# SPDX-License-Identifier: Apache-2.0
"""The finished sound of a film: mixed, brought to its loudness, faded and limited, as a stream of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backbeat.make.limit import limited
from backbeat.make.loudness import SILENCE, loudness
from backbeat.make.mix import Mixer
from backbeat.make.pieces import RATE, Piece, pieces_of, sample_at
from backbeat.media.write import SoundFormat, write_sound
from backbeat.model.time import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.make.settings import RenderSettings
    from backbeat.model.timeline import Timeline

# The most that a loudness target may lift a mix (dB): beyond, it would lift mostly noise.
LIFT = 20.0
PASSES = 7  # of the mix at most, to meet a loudness within a quarter LU
SPOKEN = ("dialogue", "effects")  # what takes are parted into
ABOUT, CROSS = 0.15, 0.05  # s about words that belong to the dialogue, and of the crossfade there


@dataclass(frozen=True, slots=True)
class Sound:
    """All that is needed to make a film's sound, or a part of it: samples ``first .. last``, `gain_db` over all."""

    timeline: Timeline
    pieces: tuple[Piece, ...]
    first: int
    last: int
    gain_db: float = 0.0
    ceiling: float = -1.5
    dialogue: tuple[Span, ...] = ()

    @property
    def stems(self) -> tuple[str, ...]:
        """The parts that add up to the film: takes (or, where dialogue is known, dialogue and effects) and music."""
        found = {p.stem for p in self.pieces}
        if self.dialogue and "takes" in found:
            found = (found - {"takes"}) | {"dialogue", "effects"}
        return tuple(sorted(found))

    def blocks(self, stem: str = "") -> Iterator[NDArray[np.float32]]:
        """Yield float32 (2, n) without a gap; with `stem` (one of `stems`) only that part, and no limiter."""
        named = "takes" if stem in SPOKEN else stem
        pieces = tuple(p for p in self.pieces if not stem or p.stem == named)
        with Mixer(pieces, self.last) as mixer:
            raw = self._faded(mixer.blocks(self.first, self.last))
            if stem in SPOKEN:
                yield from self._parted(raw, spoken=stem == "dialogue")
            else:
                yield from raw if stem else limited(raw, self.ceiling)

    def _parted(self, blocks: Iterator[NDArray[np.float32]], *, spoken: bool) -> Iterator[NDArray[np.float32]]:
        """Yield the production sound where somebody speaks, or where nobody does; the two add up."""
        at = self.first
        for block in blocks:
            n = np.arange(at, at + block.shape[1]) / RATE
            at += block.shape[1]
            share = np.zeros(n.shape)
            for span in self.dialogue:
                if span.end + ABOUT + CROSS > n[0] and span.start - ABOUT - CROSS < n[-1]:
                    edges = [span.start - ABOUT - CROSS, span.start - ABOUT, span.end + ABOUT, span.end + ABOUT + CROSS]
                    share = np.maximum(share, np.interp(n, edges, [0, 1, 1, 0]))
            yield (block * (share if spoken else 1 - share)).astype(np.float32)

    def _faded(self, blocks: Iterator[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        at = self.first
        line = self.timeline
        for block in blocks:
            n = np.arange(at, at + block.shape[1]) / RATE
            at += block.shape[1]
            level = np.full(n.shape, 10 ** (self.gain_db / 20))
            if line.fade_in > 0:
                level *= np.clip(n / line.fade_in, 0, 1)
            if line.fade_out > 0:
                level *= np.clip((line.duration - n) / line.fade_out, 0, 1)
            yield (block * level).astype(np.float32)


def sound_of(timeline: Timeline, settings: RenderSettings) -> Sound | None:
    """Return the sound of a film, None where nothing sounds. A loudness target costs one more pass of the mix."""
    first, last = (sample_at(n, timeline.rate) for n in settings.frames(timeline))
    pieces = pieces_of(timeline) if settings.sound else ()
    if not pieces:
        return None
    sound = Sound(timeline, pieces, first, last, 0.0, settings.ceiling, settings.dialogue)
    if settings.loudness is None:
        return sound
    begin = first / RATE
    within = tuple(Span(s.start - begin, s.end - begin) for s in settings.measured)
    # The limiter takes some loudness away, the more the louder: later passes give it back, between what was too soft
    # and what was too loud, or along the slope of the last two.
    known: list[tuple[float, float]] = []  # gain, how far under the target
    for most in (0.05, *[0.25] * (PASSES - 1)):
        measured = loudness(sound.blocks(), within)
        under = settings.loudness - measured
        if measured <= SILENCE or abs(under) < most or (under > 0 and sound.gain_db >= LIFT):
            break
        known.append((sound.gain_db, under))
        sound = replace(sound, gain_db=min(_next(known), LIFT))
    return sound


def _next(known: list[tuple[float, float]]) -> float:
    """Return the gain to try after those of which it is known how far (LU) they leave the film under its target."""
    soft = max((k for k in known if k[1] > 0), default=None)
    loud = min((k for k in known if k[1] < 0), default=None)
    if soft and loud and loud[0] > soft[0]:
        return soft[0] + (loud[0] - soft[0]) * min(max(soft[1] / (soft[1] - loud[1]), 0.1), 0.9)
    gain, under = known[-1]
    slope = 1.0
    if len(known) > 1 and abs(gain - known[-2][0]) > 0.05:
        slope = min(max((known[-2][1] - under) / (gain - known[-2][0]), 0.3), 1.0)
    return gain + under / slope


def write_stems(sound: Sound, output: str) -> tuple[str, ...]:
    """Write each stem beside `output` (film.music.flac, film.dialogue.flac …); return their paths.

    Stems are as loud as they are in the film and add up to it, up to its limiter. Peaks above 0 dBFS are clipped.
    """
    made = []
    for stem in sound.stems:
        path = str(Path(output).with_suffix(f".{stem}.flac"))
        write_sound(path, sound.blocks(stem), SoundFormat("flac", 0))
        made.append(path)
    return tuple(made)
