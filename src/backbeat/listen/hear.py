# SPDX-License-Identifier: Apache-2.0
"""Everything that is heard in one song."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from backbeat.listen import energy as intensity
from backbeat.listen import harmony, loudness, moments, sections, spectrum, vocals
from backbeat.listen.corrections import Corrections, apply, checked
from backbeat.listen.tempo import tempo_of
from backbeat.listen.tracker import BeatTracker, Grid
from backbeat.media.samples import sound_blocks
from backbeat.media.tags import read_tags
from backbeat.model.song import Beat, Song
from backbeat.work import plugins

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 7  # of everything heard; a change makes the cache hear again
_UNSURE = 0.6  # beat confidence under which the grid is not to be trusted


def hear(path: str, *, tracker: str = "own", corrections: Corrections | None = None) -> Song:
    """Return everything heard in the sound of `path`.

    Times are seconds of the decoded, delay-compensated sound, the same that a film made of it plays.

    Raises
    ------
    MediaError
        If there is no sound in the file or it cannot be decoded.
    MissingPartError
        If there is no such tracker.
    InputError
        If a correction is out of range.
    """
    corrections = checked(corrections or Corrections())
    ear: BeatTracker = plugins.load("beats", tracker)()
    mono, loud, duration = _take_in(path)
    if loud <= loudness.SILENCE and not np.abs(mono).max(initial=0.0) > 1e-4:
        return Song(path, duration, (), beat_confidence=0.0, energy_step=intensity.STEP, notes=("silence",))
    look = spectrum.look(mono)
    grid = apply(ear.track(look, corrections.bpm or None), corrections)
    return _song(path, duration, look, grid, loud)


def _take_in(path: str) -> tuple[NDArray[np.float32], float, float]:
    """Return the sound of `path` as one channel at `spectrum.RATE`, its loudness (LUFS) and duration (s).

    Block by block: of two hours of stereo only the one channel is ever held.
    """
    import soxr

    blocks = sound_blocks(path, channels=2, widen=False)
    first = next(blocks)
    rate, heard = first.rate, 0
    meter = loudness.Meter(rate, len(first.samples))
    fold = soxr.ResampleStream(rate, spectrum.RATE, 1, dtype="float32", quality="MQ")
    parts = []
    for block in itertools.chain([first], blocks):
        heard += block.samples.shape[1]
        meter.add(block.samples)
        parts.append(fold.resample_chunk(block.samples.mean(0)))
    parts.append(fold.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts), meter.integrated(), heard / rate


def _song(path: str, duration: float, look: spectrum.Look, grid: Grid, loud: float) -> Song:
    mel, attack = look.mel, look.attack
    tones = harmony.chroma(look.mono)
    energy = intensity.curve(mel)
    beats = _beats(grid, attack, mel)
    downs = np.array([b.time for b in beats if b.position == 1])
    span = moments.sounding(mel)
    parts = sections.find(downs, mel, tones, energy, span[1])
    parts = (*parts[:-1], replace(parts[-1], end=duration))  # what rings out and the silence after belong to the last
    notes = ("the beat is unsure: free time, or music that the ear does not know",) if grid.confidence < _UNSURE else ()
    return Song(
        path=path,
        duration=duration,
        beats=beats,
        sections=parts,
        accents=moments.accents(attack, mel, beats, parts),
        energy=tuple(round(float(e), 4) for e in energy),
        energy_step=intensity.STEP,
        tempo=tempo_of(grid.times),
        beat_confidence=grid.confidence,
        beats_per_bar=grid.meter,
        key=harmony.key(tones),
        loudness=loud,
        vocals=vocals.find(look.mono, spectrum.RATE),
        entries=moments.entries(beats, parts, span),
        endings=moments.endings(mel, energy, beats, parts, span),
        tags=read_tags(path),
        notes=notes,
    )


def _beats(grid: Grid, attack: NDArray[np.float32], mel: NDArray[np.float32]) -> tuple[Beat, ...]:
    """Return the beats with their strength: the attack under each and its loudness, against the song's strongest."""
    if not len(grid.times):
        return ()
    reach = int(0.03 / spectrum.ATTACK_STEP)
    level = np.sqrt(np.square(intensity.linear(mel)).sum(1))
    strong = []
    for time in grid.times:
        i, f = int(time / spectrum.ATTACK_STEP), int(time * spectrum.FPS)
        strong.append(
            float(attack[max(i - reach, 0) : i + reach + 1].max(initial=0.0))
            * float(level[f : f + 5].max(initial=0.0)) ** 0.5
        )
    scale = float(np.percentile(strong, 95)) + 1e-9
    return tuple(
        Beat(float(t), int(p), float(np.clip(s / scale, 0, 1)), float(c))
        for t, p, s, c in zip(grid.times, grid.positions, strong, grid.trust, strict=True)
    )
