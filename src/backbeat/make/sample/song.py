# SPDX-License-Identifier: Apache-2.0
"""The sample song: 39 bars at 138 beats a minute in E minor, with an arrangement and a true ending; all synthesised."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from backbeat.work.output import placed

RATE = 48_000
TEMPO = 138.0
FIRST = 0.2
TAIL = 3.0
BEAT = 60 / TEMPO
# (role, bars)
PARTS = (("intro", 4), ("verse", 8), ("build", 4), ("drop", 8), ("break", 4), ("drop", 8), ("outro", 3))
BARS = sum(bars for _, bars in PARTS)
SECONDS = FIRST + 4 * BARS * BEAT + TAIL
CHORDS = ((40, 43, 47), (36, 40, 43), (43, 47, 50), (38, 42, 45))  # Em C G D, as MIDI notes of the lowest octave
LEAD = (
    (0, 76, 1.5), (1.5, 79, 0.5), (2, 78, 1), (3, 74, 1), (4, 76, 2), (6, 72, 1), (7, 74, 1), (8, 71, 1.5),
    (9.5, 74, 0.5), (10, 79, 2), (12, 78, 1), (13, 76, 0.5), (13.5, 74, 0.5), (14, 69, 2),
)  # fmt: skip
RIFF = (0, 0, 12, 0, 0, 10, 0, 12, 0, 0, 12, 0, 7, 0, 10, 5)

Wave = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """The song: float32 (2, n) at `RATE`; `beats` as (seconds, position in the bar); `sections` as (start, role)."""

    samples: NDArray[np.float32]
    beats: tuple[tuple[float, int], ...]
    sections: tuple[tuple[float, str], ...]


def _time(length: float) -> Wave:
    return np.arange(round(length * RATE)) / RATE


def _soft(wave: Wave, corner: float) -> Wave:
    share = 1 - np.exp(-2 * np.pi * corner / RATE)
    return np.asarray(lfilter([share * share], [1, -2 * (1 - share), (1 - share) ** 2], wave), np.float64)


def _saw(midi: float, t: Wave, detune: float = 0.0) -> Wave:
    hz = 440 * 2 ** ((midi - 69 + detune) / 12)
    return 2 * ((t * hz) % 1.0) - 1


@cache
def _drum(name: str) -> Wave:
    rng = np.random.default_rng(len(name) * 7 + ord(name[0]))
    t = _time({"kick": 0.35, "snare": 0.3, "hat": 0.08, "open": 0.3, "crash": 2.4, "tom": 0.4}[name])
    noise = rng.standard_normal(t.size)
    bright = np.diff(noise, prepend=0.0)
    if name == "kick":
        sweep = np.sin(2 * np.pi * (46 * t + 5.2 * (1 - np.exp(-t / 0.028))))
        return np.asarray(sweep * np.exp(-t / 0.13) + 0.2 * noise * np.exp(-t / 0.003))
    if name == "snare":
        return 0.5 * noise * np.exp(-t / 0.07) + 0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)
    if name == "tom":
        return np.asarray(np.sin(2 * np.pi * (92 * t + 2 * (1 - np.exp(-t / 0.05)))) * np.exp(-t / 0.14))
    return np.asarray(bright * np.exp(-t / {"hat": 0.018, "open": 0.09, "crash": 0.6}[name]) * 0.5)


@cache
def _bass(midi: int, length: float) -> Wave:
    t = _time(length)
    wave = _saw(midi, t) + 0.6 * np.sign(_saw(midi - 12, t))
    return _soft(wave, 620) * np.minimum(1, t / 0.003) * np.exp(-t / 0.22) * np.minimum(1, (length - t) / 0.01)


@cache
def _chord(notes: tuple[int, ...], length: float, corner: float, fall: float) -> Wave:
    t = _time(length)
    wave = sum((_saw(n, t, d) for n in notes for d in (-0.07, 0.0, 0.08)), np.zeros(t.size))
    return _soft(wave, corner) * np.minimum(1, t / 0.004) * np.exp(-t / fall) * np.minimum(1, (length - t) / 0.02) / 6


@cache
def _lead(midi: int, length: float) -> Wave:
    t = _time(length)
    bend = 0.12 * np.sin(2 * np.pi * 5.6 * t) * np.minimum(1, t / 0.4)
    hz = 440 * 2 ** ((midi - 69 + bend) / 12)
    wave = np.sign(np.sin(2 * np.pi * np.cumsum(hz) / RATE)) + 0.5 * _saw(midi, t, 0.05)
    return _soft(wave, 2600) * np.minimum(1, t / 0.006) * np.minimum(1, (length - t) / 0.03) * np.exp(-t / 1.2)


class _Mixer:
    """Two busses, one ducked by the kick, both (2, n)."""

    def __init__(self) -> None:
        n = round(SECONDS * RATE)
        self.dry, self.ducked = np.zeros((2, n)), np.zeros((2, n))
        self.kicks: list[int] = []

    def add(self, at: float, wave: Wave, gain: float, *, pan: float = 0.0, duck: bool = False) -> None:
        """Add `wave` at `at` beats after the first; `pan` -1..1."""
        bus = self.ducked if duck else self.dry
        i = round((FIRST + at * BEAT) * RATE)
        part = wave[: bus.shape[1] - i] * gain
        bus[0, i : i + part.size] += part * (1 - max(0.0, pan))
        bus[1, i : i + part.size] += part * (1 + min(0.0, pan))

    def kick(self, at: float, gain: float = 1.0) -> None:
        """Add a kick, which ducks the other bus."""
        self.kicks.append(round((FIRST + at * BEAT) * RATE))
        self.add(at, _drum("kick"), 0.62 * gain)

    def sum(self) -> NDArray[np.float32]:
        """Return the mix, softly limited, faded at its very end."""
        dip = np.ones(self.dry.shape[1])
        shape = 1 - 0.55 * np.exp(-_time(0.22) / 0.07)
        for i in self.kicks:
            part = dip[i : i + shape.size]
            np.minimum(part, shape[: part.size], out=part)
        mix = np.tanh(1.15 * (self.dry + self.ducked * dip)) * 0.88
        fade = round(0.4 * RATE)
        mix[:, -fade:] *= np.linspace(1, 0, fade) ** 2
        return mix.astype(np.float32)


# What each part plays on the sixteenths of a bar: (drum, steps, gain, pan).
_EVEN, _QUARTERS, _OFF = tuple(range(0, 16, 2)), (0, 4, 8, 12), (2, 6, 10, 14)
GROOVES: dict[str, tuple[tuple[str, tuple[int, ...], float, float], ...]] = {
    "intro": (("kick", (0, 8), 0.7, 0.0), ("hat", _EVEN, 0.22, 0.2)),
    "verse": (("kick", (0, 7, 8), 1.0, 0.0), ("snare", (4, 12), 0.5, 0.0), ("hat", _EVEN, 0.24, 0.2)),
    "build": (("kick", _QUARTERS, 0.8, 0.0),),
    "drop": (
        ("kick", _QUARTERS, 1.0, 0.0), ("snare", (4, 12), 0.5, 0.0), ("hat", tuple(range(16)), 0.2, 0.2),
        ("hat", _OFF, 0.14, 0.2), ("open", _OFF, 0.22, -0.2),
    ),
    "break": (),
    "outro": (("kick", (0, 8), 0.7, 0.0), ("hat", _QUARTERS, 0.22, 0.2)),
}  # fmt: skip


def _drums(mix: _Mixer, role: str, bar: int, *, last: bool) -> None:
    for drum, steps, gain, pan in GROOVES[role]:
        for step in steps:
            if drum == "kick":
                mix.kick(bar * 4 + step / 4, gain)
            else:
                mix.add(bar * 4 + step / 4, _drum(drum), gain, pan=pan)
    if role == "build":  # a roll that quickens
        for step in range(0, 16, 1 if last else 2 if bar % 2 else 4):
            mix.add(bar * 4 + step / 4, _drum("snare"), 0.16 + 0.02 * step)
    if last and role in {"verse", "drop"}:
        for step in range(12, 16):
            mix.add(bar * 4 + step / 4, _drum("tom"), 0.5, pan=(step - 13.5) / 3)


def _harmony(mix: _Mixer, role: str, bar: int) -> None:
    chord = CHORDS[bar % 4]
    high = tuple(n + 24 for n in chord)
    if role != "break":
        corner = {"intro": 8, "build": 16, "outro": 8}.get(role, 16)
        for step in range(corner):
            at = bar * 4 + step * 4 / corner
            mix.add(at, _bass(chord[0] + RIFF[step * 16 // corner] % 12, 0.9 * BEAT * 4 / corner), 0.4, duck=True)
    if role in {"verse", "drop", "build"}:
        for step in (0, 3, 6, 10, 14) if role == "drop" else (2, 6, 10, 14):
            mix.add(
                bar * 4 + step / 4, _chord(high, 0.3, 3200 if role == "drop" else 1700, 0.12), 0.42, pan=0.15, duck=True
            )
    if role in {"break", "drop", "outro"}:
        length = 4 * BEAT
        mix.add(bar * 4, _chord(high, length, 1500 if role == "break" else 2400, 3.0), 0.3, pan=-0.15, duck=True)


def compose() -> Piece:
    """Synthesise the song. Every beat k of the grid sounds (or is silent) at ``FIRST + k * BEAT`` exactly."""
    mix = _Mixer()
    sections: list[tuple[float, str]] = []
    bar = 0
    rng = np.random.default_rng(5)
    for role, bars in PARTS:
        sections.append((FIRST + bar * 4 * BEAT, role))
        if role in {"drop", "verse", "break"}:
            mix.add(bar * 4, _drum("crash"), 0.4, pan=0.1)
        if role == "build":
            t = _time(bars * 4 * BEAT)
            mix.add(bar * 4, _soft(rng.standard_normal(t.size), 4000) * (t / t[-1]) ** 2, 0.5)
        if role in {"drop", "break"}:
            for begin in range(0, bars * 4, 16):
                for at, note, length in LEAD:
                    if begin + at < bars * 4:
                        level = 0.2 if role == "drop" else 0.13
                        for echo, share in ((0.0, 1.0), (0.75, 0.3)):
                            mix.add(
                                bar * 4 + begin + at + echo, _lead(note, length * BEAT), level * share, pan=echo - 0.3
                            )
        for k in range(bars):
            _drums(mix, role, bar, last=k == bars - 1)
            _harmony(mix, role, bar)
            bar += 1
    end = BARS * 4
    mix.kick(end, 1.2)
    mix.add(end, _drum("crash"), 0.6)
    mix.add(end, _chord((40, 52, 59, 64, 67), TAIL - 0.1, 2600, 0.9), 0.9)
    beats = tuple((FIRST + k * BEAT, k % 4 + 1) for k in range(end + 1))
    return Piece(mix.sum(), beats, tuple(sections))


def write(path: str) -> Piece:
    """Synthesise the song into a 16-bit WAV file and return it."""
    piece = compose()
    whole = np.round(piece.samples.T * 32767).astype("<i2")
    with placed(path) as temporary, wave.open(temporary, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())
    return piece
