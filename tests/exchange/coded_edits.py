# SPDX-License-Identifier: Apache-2.0
"""Edits over barcoded media, to be rendered by other programs and read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from backbeat.media.probe import probe
from backbeat.model.cue import Cue
from backbeat.model.timeline import Clip, Speed, Timeline, Track, Transition
from kit import coded

SIZE = (160, 90)
FRAMES = 96


def shoot(folder: Path, rate: Fraction) -> dict[str, int]:
    """Write two takes, one with a name that breaks careless writers, and a song; return path to take id."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("plain.mov", "Ünï 花 & b #1 100%.mov")
    for take, name in enumerate(names, 1):
        coded.write_take(folder / name, take, frames=FRAMES, rate=rate, size=SIZE, sound="pcm_s16le")
    coded.write_wav(folder / "söng.wav", coded.take_sound(9, 8.0))
    return {str(folder / name): take for take, name in enumerate(names, 1)}


def edit(folder: Path, rate: Fraction) -> tuple[Timeline, dict[str, int]]:
    """Cuts, a gap, a dissolve, three speeds, an eased one, own sound and a song."""
    takes = shoot(folder, rate)
    a, b = takes
    step = lambda f: float(f / rate)  # noqa: E731
    eased = Speed(1.0, ((0.0, 0.0), (step(8), step(5)), (step(16), step(16))))
    clips = (
        Clip(0, 12, a, 10, rate, name="one", sound_gain_db=0.0, reason="first"),
        Clip(12, 7, b, 31, rate, name="two"),
        Clip(19, 20, a, 40, rate, name="three", sound_gain_db=-6.0),
        Clip(39, 12, b, 50, rate, name="four"),
        Clip(55, 12, a, 5, rate, name="five after a gap"),
        Clip(67, 10, b, 20, rate, speed=Speed(1.25), name="fast"),
        Clip(77, 10, a, 60, rate, speed=Speed(0.8), name="slow"),
        Clip(87, 16, b, 40, rate, speed=eased, name="eased"),
        Clip(103, 9, a, 0, rate, name="head"),
        Clip(112, 10, b, 70, rate, speed=Speed(-1.0), name="backwards"),
        Clip(122, 6, a, 33, rate, speed=Speed(0.0), name="frozen"),
        Clip(128, 4, b, 92, rate, name="tail"),
    )
    track = Track(clips, name="V1", transitions=(Transition(39, 3, 3),))
    cue = Cue(str(folder / "söng.wav"), 0.0, step(132), song_in=1.0, gain_db=-6.0, name="Söng")
    media = tuple(probe(p) for p in takes)
    return Timeline("Été & 花", rate, *SIZE, 132, (track,), cues=(cue,), takes=media), takes
