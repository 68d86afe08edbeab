# SPDX-License-Identifier: Apache-2.0
"""The finished sound of a film: mixed, brought to its loudness, faded and limited, as a stream of blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backbeat.make.limit import limited
from backbeat.make.loudness import SILENCE, loudness
from backbeat.make.mix import Mixer
from backbeat.make.pieces import RATE, Piece, pieces_of, sample_at
from backbeat.media.write import SoundFormat, write_sound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.make.settings import RenderSettings
    from backbeat.model.timeline import Timeline

# The most that a loudness target may lift a mix (dB): beyond, it would lift mostly noise.
LIFT = 20.0


@dataclass(frozen=True, slots=True)
class Sound:
    """All that is needed to make a film's sound, or a part of it: samples ``first .. last``, `gain_db` over all."""

    timeline: Timeline
    pieces: tuple[Piece, ...]
    first: int
    last: int
    gain_db: float = 0.0
    ceiling: float = -1.5

    def blocks(self, stem: str = "") -> Iterator[NDArray[np.float32]]:
        """Yield float32 (2, n) without a gap; with `stem` only the pieces of that name, and no limiter."""
        pieces = tuple(p for p in self.pieces if not stem or p.stem == stem)
        with Mixer(pieces, self.last) as mixer:
            raw = self._faded(mixer.blocks(self.first, self.last))
            yield from raw if stem else limited(raw, self.ceiling)

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
    if settings.loudness is None:
        return Sound(timeline, pieces, first, last, 0.0, settings.ceiling)
    gain = 0.0
    # The limiter takes some loudness away; the second pass gives it back.
    for _ in range(2):
        measured = loudness(Sound(timeline, pieces, first, last, gain, settings.ceiling).blocks())
        if measured <= SILENCE or abs(settings.loudness - measured) < 0.05:
            break
        gain = min(gain + settings.loudness - measured, LIFT)
    return Sound(timeline, pieces, first, last, gain, settings.ceiling)


def write_stems(sound: Sound, output: str) -> tuple[str, ...]:
    """Write each stem beside `output` (film.takes.flac, film.music.flac); return their paths.

    Stems are as loud as they are in the film and add up to it, up to its limiter. Peaks above 0 dBFS are clipped.
    """
    made = []
    for stem in sorted({p.stem for p in sound.pieces}):
        path = str(Path(output).with_suffix(f".{stem}.flac"))
        write_sound(path, sound.blocks(stem), SoundFormat("flac", 0))
        made.append(path)
    return tuple(made)
