# SPDX-License-Identifier: Apache-2.0
"""Voices: one-shots of the soundfonts, and electronic drums and synthesisers made of numpy with random settings."""

from __future__ import annotations

import numpy as np
from patterns import CLAP, CLOSED, CRASH, KICK, OPEN, PEDAL, RIDE

RATE = 22_050
LEADS = (22, 29, 30, 40, 42, 52, 53, 54, 56, 61, 62, 65, 66, 71, 73, 80, 81, 84, 87)
PADS = (16, 18, 21, 48, 50, 52, 61, 62, 88, 89, 90, 95)
KEYS = (0, 0, 2, 4, 5, 7, 9, 16, 18)
PLUCKS = (11, 12, 13, 24, 25, 45, 46, 104, 105, 5)
GUITARS = (24, 25, 26, 27, 28, 29, 30, 30, 29)
BASSES = (32, 33, 34, 35, 36, 38, 39, 38)


class Bank:
    """One-shots by (font, is drum, program or kit)."""

    def __init__(self, path: str) -> None:
        data = np.load(path)
        self.sounds = data["sounds"]
        self.where: dict[tuple[int, int, int], dict[int, int]] = {}
        for row, (font, drum, program, note) in enumerate(data["names"].tolist()):
            self.where.setdefault((font, drum, program), {})[note] = row
        self.fonts = sorted({key[0] for key in self.where})

    def get(self, font: int, drum: bool, program: int, note: float) -> np.ndarray | None:
        """Return the sound of `note`, pitched from the nearest one stored."""
        notes = self.where.get((font, int(drum), program))
        if not notes:
            return None
        near = min(notes, key=lambda k: abs(k - note))
        sound = self.sounds[notes[near]].astype(np.float32) / 32000
        if drum:
            return sound if near == round(note) else None
        shift = 2 ** ((note - near) / 12)
        if abs(shift - 1) < 1e-3:
            return sound
        at = np.arange(int(len(sound) / shift)) * shift
        low = at.astype(int)
        low = np.minimum(low, len(sound) - 2)
        part = (at - low).astype(np.float32)
        return sound[low] * (1 - part) + sound[low + 1] * part


class FontVoice:
    """A program of a soundfont, or a drum kit."""

    def __init__(self, bank: Bank, rng: np.random.Generator, programs: tuple[int, ...], *, drum: bool = False) -> None:
        self.bank, self.drum = bank, drum
        self.font = int(rng.choice(bank.fonts))
        self.program = int(rng.choice(programs))
        self.shift = float(rng.uniform(-1.5, 1.5)) if drum else 0.0
        self.made: dict[float, np.ndarray | None] = {}

    def sound(self, note: float) -> np.ndarray | None:
        """Return the one-shot of `note`."""
        if note not in self.made:
            sound = self.bank.get(self.font, self.drum, self.program, note)
            if sound is not None and self.drum and abs(self.shift) > 0.3:
                at = np.arange(int(len(sound) / 2 ** (self.shift / 12))) * 2 ** (self.shift / 12)
                sound = np.interp(at, np.arange(len(sound)), sound).astype(np.float32)
            self.made[note] = sound
        return self.made[note]


class DrumSynth:
    """An electronic kit: swept sines, noise and metal, its settings drawn once."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.made: dict[int, np.ndarray] = {}

    def sound(self, note: float) -> np.ndarray:
        """Return the one-shot of drum `note`."""
        key = int(note)
        if key not in self.made:
            self.made[key] = self._make(key)
        return self.made[key]

    def _make(self, note: int) -> np.ndarray:
        r = self.rng
        if note in {KICK, 35}:
            t = np.arange(int(RATE * r.uniform(0.15, 0.6))) / RATE
            low, sweep, fast = r.uniform(38, 70), r.uniform(60, 400), r.uniform(0.008, 0.05)
            phase = low * t + sweep * fast * (1 - np.exp(-t / fast))
            body = np.sin(2 * np.pi * phase) * np.exp(-t / r.uniform(0.05, 0.25))
            click = r.normal(0, r.uniform(0, 0.4), len(t)) * np.exp(-t / 0.003)
            return self._level(np.tanh(r.uniform(1, 5) * (body + click)))
        t = np.arange(int(RATE * (1.2 if note in {CRASH, 52, 57} else 0.4))) / RATE
        noise = r.normal(0, 1, len(t) + 2)
        bright = np.diff(noise, 2) if note in {CLOSED, OPEN, PEDAL, RIDE, CRASH, 52, 53, 54, 57, 70} else noise[2:]
        if note == CLAP:
            envelope = sum(np.exp(-np.abs(t - k * r.uniform(0.008, 0.013)) / 0.004) for k in range(3))
            return self._level(bright * (envelope + 0.6 * np.exp(-t / r.uniform(0.05, 0.2))))
        if note in {38, 40, 37}:
            tone = np.sin(2 * np.pi * r.uniform(150, 260) * t) * np.exp(-t / r.uniform(0.03, 0.12))
            return self._level(
                r.uniform(0.2, 1) * tone + r.uniform(0.4, 1) * bright * np.exp(-t / r.uniform(0.04, 0.2))
            )
        if note in {41, 43, 45, 47, 48, 50}:
            f = r.uniform(70, 110) * 2 ** ((note - 41) / 12)
            return self._level(np.sin(2 * np.pi * (f * t + f * 0.02 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.15))
        decay = {CLOSED: 0.03, PEDAL: 0.03, 70: 0.04, OPEN: 0.2, CRASH: 0.5, 52: 0.5, 57: 0.5}.get(note, 0.15)
        metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in r.uniform(2000, 9000, 4))
        return self._level((bright + r.uniform(0, 0.5) * metal) * np.exp(-t / (decay * r.uniform(0.6, 1.6))))

    @staticmethod
    def _level(x: np.ndarray) -> np.ndarray:
        return (x / (np.abs(x).max() + 1e-9)).astype(np.float32)


class Synth:
    """An additive-subtractive voice: saw, square, sine or FM, detuned, with an envelope and formants if it sings."""

    def __init__(self, rng: np.random.Generator, *, sings: bool = False) -> None:
        self.kind = "voice" if sings else str(rng.choice(["saw", "saw", "square", "fm", "sine", "super"]))
        self.rise = float(
            rng.uniform(0.02, 0.09) if sings else rng.choice([0.001, 0.004, 0.02, 0.1], p=[0.5, 0.3, 0.15, 0.05])
        )
        self.fall = float(np.exp(rng.uniform(np.log(0.1), np.log(3))))
        self.cut = float(rng.uniform(3, 30))
        self.rng = rng
        self.made: dict[float, np.ndarray] = {}

    def sound(self, note: float) -> np.ndarray:
        """Return 1.5 s of `note`."""
        if note not in self.made:
            self.made[note] = self._make(note)
        return self.made[note]

    def _make(self, note: float) -> np.ndarray:
        r = self.rng
        t = np.arange(int(1.5 * RATE)) / RATE
        f = 440 * 2 ** ((note - 69) / 12)
        wobble = np.zeros_like(t)
        if self.kind == "voice":
            wobble = 0.012 * np.sin(2 * np.pi * r.uniform(4.5, 6.5) * t) * np.minimum(t / 0.3, 1)
            wobble -= r.uniform(0, 0.06) * np.exp(-t / 0.04)
        phase = 2 * np.pi * np.cumsum(f * (1 + wobble)) / RATE
        if self.kind == "fm":
            wave = np.sin(phase + r.uniform(0.5, 4) * np.exp(-t / self.fall) * np.sin(phase * int(r.integers(1, 5))))
        else:
            table = self._cycle(f)
            wave = np.zeros_like(t)
            for detune in (1.0, 1.006, 0.995)[: 3 if self.kind == "super" else 1]:
                wave += table[(phase * (detune * len(table) / (2 * np.pi))).astype(int) % len(table)]
        wave *= np.minimum(t / self.rise, 1) * np.exp(-t / self.fall)
        return (wave / (np.abs(wave).max() + 1e-9)).astype(np.float32)

    def _cycle(self, f: float) -> np.ndarray:
        """Return one cycle, band-limited."""
        count = max(1, min(int(RATE / 2.2 / f), 24))
        k = np.arange(1, count + 1)
        gain = 1 / k * np.minimum(1, self.cut / k)
        if self.kind == "sine":
            gain = (k == 1).astype(float)
        elif self.kind == "square":
            gain *= k % 2
        elif self.kind == "voice":
            formants = np.array([self.rng.uniform(300, 850), self.rng.uniform(900, 2200), self.rng.uniform(2400, 3200)])
            near = np.exp(-(((k[:, None] * f - formants) / 180) ** 2))
            gain = (near * (1, 0.6, 0.4)).sum(1) + 0.03 / k
        return gain @ np.sin(2 * np.pi * np.outer(k, np.arange(1024) / 1024))
