# SPDX-License-Identifier: Apache-2.0
"""Pieces: a beat grid and the notes on it, from pattern generators, POP909 melodies and human drumming (Groove)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np
import patterns
from patterns import CRASH, Style, draw_style
from sounds import BASSES, GUITARS, KEYS, LEADS, PADS, PLUCKS, Bank, DrumSynth, FontVoice, Synth

JUDGED = frozenset({7, 77, 201, 333, 515, 802})  # POP909 songs that benchmarks use; never trained on
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
TURNS = (
    ((0, 4, 7), (7, 11, 2), (9, 0, 4), (5, 9, 0)), ((9, 0, 4), (5, 9, 0), (0, 4, 7), (7, 11, 2)),
    ((0, 3, 7), (10, 2, 5), (8, 0, 3), (7, 11, 2)), ((0, 3, 7), (0, 3, 7), (3, 7, 10), (5, 8, 0)),
    ((0, 4, 7), (5, 9, 0), (0, 4, 7), (7, 11, 2)), ((2, 5, 9), (7, 11, 2), (0, 4, 7), (0, 4, 7)),
    ((0, 3, 7), (8, 0, 3), (3, 7, 10), (10, 2, 5)), ((0, 7, 0), (0, 7, 0), (1, 8, 1), (0, 7, 0)),
    ((0, 4, 7), (0, 4, 7), (5, 9, 0), (5, 9, 0), (7, 11, 2), (5, 9, 0), (0, 4, 7), (7, 11, 2)),
)  # fmt: skip
GROOVE_DRUMS = {22: 42, 26: 46, 58: 43, 40: 38, 48: 50, 45: 47, 55: 49, 57: 49, 59: 51, 53: 51, 52: 49}


@dataclass
class Part:
    """Notes (time s, length s, pitch, velocity) of one voice on one bus: drums, band or lead."""

    voice: object
    bus: str
    gain: float
    notes: list[tuple[float, float, float, float]] = field(default_factory=list)


@dataclass
class Piece:
    """A beat grid (`times` s, `positions` in the bar) and what is played on it."""

    times: np.ndarray
    positions: np.ndarray
    parts: list[Part]
    kind: str

    def at(self, beat: float) -> float:
        """Return the second of a (fractional) beat number."""
        return float(np.interp(beat, np.arange(len(self.times)), self.times))


def grid(rng: np.random.Generator, style: Style, meter: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw beat times and positions: machine-made, drifting or with a change of tempo; any place in the bar first."""
    middle, spread = np.sqrt(style.low * style.high), np.log(style.high / style.low) / 3.3
    bpm = (
        middle * np.exp(rng.normal(0, spread)) if rng.random() < 0.88 else np.exp(rng.uniform(np.log(55), np.log(215)))
    )
    bpm = float(np.clip(bpm, 42, 225))
    count = int(seconds * bpm / 60 * 1.3) + 4
    steps = np.full(count, 60 / bpm)
    kind = rng.random()
    if kind < 0.25:
        steps *= np.exp(np.cumsum(rng.normal(0, 0.003, count)))
    elif kind < 0.33:
        steps *= np.exp(0.12 * rng.uniform(-1, 1) * np.sin(np.linspace(0, rng.uniform(2, 9), count)))
    elif kind < 0.36:
        steps[int(rng.uniform(0.3, 0.7) * count) :] *= rng.uniform(0.8, 1.25)
    times = rng.uniform(0.02, 1.2) + np.concatenate([[0], np.cumsum(steps)])
    times = times[times < seconds + 1.5]
    first = int(rng.integers(meter)) if rng.random() < 0.3 else 0
    return times, (np.arange(len(times)) + first) % meter + 1


class Composer:
    """Draws pieces; everything follows from the generator handed in."""

    def __init__(self, bank: Bank, folder: Path) -> None:
        self.bank = bank
        self.pop = sorted(p for p in (folder / "POP909").iterdir() if p.is_dir() and int(p.name) not in JUDGED)
        self.groove = [
            p for p in sorted((folder / "groove").rglob("*.mid")) if re.search(r"_beat_(4-4|3-4)\.mid$", p.name)
        ]
        assert len(self.pop) > 100 and len(self.groove) > 100, "POP909 or Groove is missing"  # noqa: PT018

    def piece(self, rng: np.random.Generator, seconds: float) -> Piece:
        """Draw a piece of at least `seconds`."""
        kind = rng.choice(["band", "band", "band", "pop", "groove", "piano"], p=[0.24, 0.24, 0.17, 0.15, 0.12, 0.08])
        return {"band": self.band, "pop": self.song, "groove": self.drummer, "piano": self.piano}[str(kind)](
            rng, seconds
        )

    # ---- generated bands
    def band(self, rng: np.random.Generator, seconds: float) -> Piece:
        """Draw a band: drums by style with bass, chords, riffs and a tune, in sections."""
        meter = int(rng.choice([4, 3, 2, 5, 6, 7], p=[0.84, 0.09, 0.02, 0.02, 0.01, 0.02]))
        style = draw_style(rng, meter)
        times, positions = grid(rng, style, meter, seconds)
        piece = Piece(times, positions, [], style.name)
        swung = rng.random() < style.swing
        plan = _plan(rng, piece)
        if rng.random() < 0.93:
            self._drums(rng, piece, style, plan, swung=swung)
        self._band(rng, piece, style, plan, swung=swung)
        return piece

    def _drums(self, rng: np.random.Generator, piece: Piece, style: Style, plan: list[int], *, swung: bool) -> None:
        electronic = style.name in {
            "house",
            "techno",
            "hardcore",
            "offbeat",
            "trap",
            "dubstep",
            "dembow",
            "fastdembow",
            "chip",
        }
        synth = rng.random() < (0.65 if electronic else 0.2)
        kits = (0, 0, 8, 16, 40, 32) if not electronic else (24, 25, 0, 16)
        voice = DrumSynth(rng) if synth else FontVoice(self.bank, rng, kits, drum=True)
        part = Part(voice, "drums", float(rng.uniform(0.6, 1.3)))
        piece.parts.append(part)
        second = draw_style(rng, 4) if rng.random() < 0.2 else style
        made: dict[tuple[int, int], list[patterns.Hit]] = {}
        loose = float(rng.choice([0, 0, 0.004, 0.008]))
        silent = {s for s in range(4) if rng.random() < 0.1}
        thin = {s for s in range(4) if rng.random() < 0.12}
        bars = np.flatnonzero(piece.positions == 1)
        for k, (a, b) in enumerate(zip(bars, [*bars[1:], len(piece.times) - 1], strict=True)):
            section, meter = plan[k], int(b - a)
            if section in silent or meter < 1:
                continue
            if (section, meter) not in made:
                name = style.name if section % 2 == 0 or meter != 4 else second.name
                two = [patterns.bar(name, rng, meter), patterns.bar(name, rng, meter)]
                made[section, meter] = two[0]
                made[section + 100, meter] = two[1] if rng.random() < 0.4 else two[0]
            hits = made[section + 100 * (k % 2), meter]
            turn = k + 1 < len(plan) and plan[k + 1] != section
            rolled = (turn and rng.random() < 0.75) or rng.random() < 0.06
            start = 4 * meter - float(rng.choice([4, 4, 8, 2])) if rolled else 99.0
            if rolled:
                hits = [h for h in hits if h[0] < start] + patterns.fill(rng, start, 4 * meter)
            if section in thin:
                hits = [h for h in hits if h[1] not in {36, 38, 40, 39}] or hits[:2]
            for at, what, velocity in hits:
                part.notes.append((_time(piece, a, at, swung=swung) + rng.normal(0, loose), 1.5, what, velocity))
            new = k == 0 or plan[k - 1] != section
            if new and rng.random() < 0.7:
                part.notes.append((piece.at(a), 1.5, CRASH, 0.9))

    def _band(self, rng: np.random.Generator, piece: Piece, style: Style, plan: list[int], *, swung: bool) -> None:
        heavy = style.name in {"metal", "blast", "gallop", "punk", "rock", "eighths"}
        modern = style.name in {"house", "techno", "hardcore", "offbeat", "dnb", "trap", "dubstep", "chip", "breaks"}
        chances = {"bass": 0.85, "guitar": 0.75 if heavy else 0.3, "pad": 0.4, "keys": 0.4, "pluck": 0.4, "lead": 0.6}
        synth = 0.7 if modern else 0.2
        key = int(rng.integers(-6, 6))
        turn = TURNS[rng.integers(len(TURNS))]
        slow = int(rng.choice([1, 1, 1, 2]))
        scale = MAJOR if rng.random() < 0.5 else MINOR
        used = [name for name, p in chances.items() if rng.random() < p] or ["keys"]
        choices = {"bass": BASSES, "guitar": GUITARS, "pad": PADS, "keys": KEYS, "pluck": PLUCKS, "lead": LEADS}
        bars = np.flatnonzero(piece.positions == 1)
        for name in used:
            sings = name == "lead" and rng.random() < 0.45
            own = sings or (rng.random() < synth and name != "guitar")
            voice = Synth(rng, sings=sings) if own else FontVoice(self.bank, rng, choices[name])
            part = Part(
                voice, "lead" if name == "lead" else "band", float(rng.uniform(0.25, 0.8) * (1.5 if sings else 1))
            )
            piece.parts.append(part)
            muted = {s for s in range(4) if rng.random() < 0.25}
            rhythm = _rhythm(rng, name, style.name)
            steps = {m: rhythm(rng, m) for m in range(1, 9)}
            loose = float(rng.choice([0, 0.004, 0.01])) + (0.015 if sings else 0)
            motif: list[list[tuple[float, float, int]]] = []
            for k, (a, b) in enumerate(zip(bars, [*bars[1:], len(piece.times) - 1], strict=True)):
                meter = int(b - a)
                if plan[k] in muted or not 1 <= meter <= 8:
                    continue
                chord = turn[(k // slow) % len(turn)]
                if name == "lead":
                    if k % 8 == 0 or not motif:
                        motif = [_tune(rng, 4 * meter) for _ in range(2)]
                    played = [
                        (at, length, key + 67 + scale[d % 7] + 12 * (d // 7))
                        for at, length, d in motif[k % 2]
                        if at < 4 * meter
                    ]
                else:
                    played = _chords(name, steps[meter], chord, key, 4 * meter)
                for at, length, pitch in played:
                    start = _time(piece, a, at, swung=swung) + rng.normal(0, loose)
                    end = _time(piece, a, at + length, swung=swung)
                    accent = 0.85 + (0.15 if at == 0 else 0.05 if at % 4 == 0 else -0.05)
                    part.notes.append((start, max(end - start, 0.05), float(pitch), accent * rng.uniform(0.85, 1)))

    # ---- POP909
    def song(self, rng: np.random.Generator, seconds: float) -> Piece:
        """Take a stretch of a POP909 song with new voices, and often drums and bass of ours under it."""
        folder = self.pop[rng.integers(len(self.pop))]
        beats = np.loadtxt(folder / "beat_midi.txt")
        column = 2 if beats[:, 2].any() else 1
        scale = float(np.exp(rng.uniform(np.log(0.7), np.log(1.4))))
        offset = float(rng.uniform(0, max(1.0, beats[-1, 0] - seconds / scale - 4)))
        times = (beats[:, 0] - offset) * scale
        downs = beats[:, column] > 0.5
        where = np.flatnonzero(downs)
        last = np.array([where[where <= i].max(initial=-1) for i in range(len(times))])
        period = int(np.median(np.diff(where)))
        positions = np.where(last >= 0, np.arange(len(times)) - last, (np.arange(len(times)) - where[0]) % period) + 1
        while (
            60 / np.median(np.diff(times)) > 215
        ):  # what is left of a fast song is slowed, so the labels stay credible
            times, scale = times * 1.25, scale * 1.25
        kept = (times >= -0.01) & (times < seconds + 1.5)
        piece = Piece(times[kept], positions[kept], [], "pop909")
        transpose = int(rng.integers(-5, 6))
        families = {"MELODY": LEADS, "BRIDGE": (*KEYS, *PLUCKS, *PADS), "PIANO": (*KEYS, *KEYS, *GUITARS, *PADS)}
        for name, notes in _midi_tracks(folder / f"{folder.name}.mid"):
            if name not in families or rng.random() < 0.1:
                continue
            sings = name == "MELODY" and rng.random() < 0.5
            voice = (
                Synth(rng, sings=sings) if sings or rng.random() < 0.15 else FontVoice(self.bank, rng, families[name])
            )
            part = Part(voice, "lead" if name == "MELODY" else "band", float(rng.uniform(0.3, 0.9)))
            for start, end, pitch, velocity in notes:
                a, b = (start - offset) * scale, (end - offset) * scale
                if 0 <= a < seconds:
                    part.notes.append((a, max(b - a, 0.05), pitch + transpose, velocity))
            piece.parts.append(part)
        plan = _plan(rng, piece)
        meter = int(np.bincount(piece.positions).argmax() and piece.positions.max())
        style = draw_style(rng, meter if meter in {2, 3, 4} else 4)
        if rng.random() < 0.7 and style.name not in {"half", "trap", "dubstep", "blast", "twobeat", "fastdembow"}:
            self._drums(rng, piece, style, plan, swung=False)
        return piece

    # ---- Groove
    def drummer(self, rng: np.random.Generator, seconds: float) -> Piece:
        """Take human drumming at any tempo within 40 % of its own, with a generated band over it, or alone."""
        for _ in range(50):
            path = self.groove[rng.integers(len(self.groove))]
            found = re.search(r"_(\d+)_beat_(\d)-(\d)", path.name)
            assert found is not None
            bpm, meter = float(found[1]), int(found[2])
            notes = [n for _, track in _midi_tracks(path) for n in track]
            if notes and max(n[1] for n in notes) > 20:
                break
        scale = float(np.exp(rng.uniform(np.log(0.7), np.log(1.35))))
        step = 60 / bpm
        bars = int(max(n[1] for n in notes) / step // meter)
        skipped = int(rng.integers(0, max(1, bars - int(seconds / scale / (step * meter))))) * meter * step
        start = float(rng.uniform(0.05, 0.8))
        times = start + np.arange(int(seconds / (step * scale)) + 3) * step * scale
        piece = Piece(times, np.arange(len(times)) % meter + 1, [], "groove")
        part = Part(FontVoice(self.bank, rng, (0, 8, 16, 32, 40), drum=True), "drums", 1.0)
        for a, _, pitch, velocity in notes:
            at = (a - skipped) * scale + start
            if 0 <= at < seconds:
                part.notes.append((at, 1.5, GROOVE_DRUMS.get(int(pitch), int(pitch)), velocity))
        piece.parts.append(part)
        if rng.random() < 0.8:
            self._band(rng, piece, draw_style(rng, meter), _plan(rng, piece), swung=False)
        return piece

    def piano(self, rng: np.random.Generator, seconds: float) -> Piece:
        """Play a POP909 arrangement or chords on one instrument with rubato."""
        piece = self.song(rng, seconds)
        piece.parts = [p for p in piece.parts if p.bus != "drums"] or piece.parts
        voice = FontVoice(self.bank, rng, (0, 0, 0, 2, 4, 24))
        width = rng.uniform(0.02, 0.16)
        axis = np.linspace(0, seconds + 3, 400)
        slope = np.exp(
            width * np.interp(axis, np.linspace(0, seconds + 3, int(seconds / 2)), rng.normal(0, 1, int(seconds / 2)))
        )
        warp = np.concatenate([[0], np.cumsum(slope[:-1] * np.diff(axis))])

        def to(t: float) -> float:
            return float(np.interp(t, axis, warp))

        for part in piece.parts:
            part.voice = voice
            part.notes = [
                (to(a) + rng.normal(0, 0.012), max(to(a + n) - to(a), 0.05), p, v * rng.uniform(0.6, 1))
                for a, n, p, v in part.notes
            ]
        piece.times = np.array([to(t) for t in piece.times])
        piece.kind = "piano"
        return piece


def _time(piece: Piece, beat: int, sixteenth: float, *, swung: bool) -> float:
    place = sixteenth / 4
    if swung:  # the second eighth comes at two thirds
        whole, part = divmod(place, 1.0)
        place = whole + (part * 4 / 3 if part < 0.5 else 2 / 3 + (part - 0.5) * 2 / 3)
    return piece.at(beat + place)


def _plan(rng: np.random.Generator, piece: Piece) -> list[int]:
    """Return a section number a bar, in runs of four or eight bars."""
    bars = int((piece.positions == 1).sum()) + 2
    plan: list[int] = []
    while len(plan) < bars:
        plan += [int(rng.integers(4))] * int(rng.choice([4, 8, 8, 4, 2]))
    return plan


def _rhythm(rng: np.random.Generator, name: str, style: str):  # noqa: ANN202
    kinds = {
        "bass": ["8", "8", "4", "1", "off", "sync", "16", "roll"],
        "guitar": ["8", "8", "16", "1", "off", "gallop", "2", "sync"],
        "keys": ["4", "1", "8", "sync", "arp8", "off"],
        "pluck": ["arp16", "arp16", "arp8", "arp12", "sync"],
        "pad": ["1", "1", "2"],
        "lead": ["1"],
    }  # fmt: skip
    kind = str(rng.choice(kinds[name]))
    if style in {"hardcore", "offbeat", "house", "techno"} and name == "bass" and rng.random() < 0.5:
        kind = str(rng.choice(["off", "roll"]))

    def make(rng: np.random.Generator, meter: int) -> list[float]:
        n = 4 * meter
        tables = {
            "8": np.arange(0, n, 2), "4": np.arange(0, n, 4), "1": [0], "2": np.arange(0, n, 8), "16": np.arange(n),
            "off": np.arange(2, n, 4), "roll": [k for k in range(n) if k % 4], "arp16": np.arange(n),
            "arp8": np.arange(0, n, 2), "arp12": np.arange(0, n, 4 / 3),
            "gallop": [4 * b + o for b in range(meter) for o in (0, 2, 3)],
            "sync": [k for k in (0, 3, 6, 8, 11, 14, 16, 19, 22) if k < n and (k == 0 or rng.random() < 0.8)],
        }  # fmt: skip
        return [float(x) for x in tables[kind]]

    return make


def _chords(name: str, steps: list[float], chord: tuple[int, ...], key: int, n: int) -> list[tuple[float, float, int]]:
    base = {"bass": 36, "guitar": 45, "pad": 57, "keys": 57, "pluck": 69}[name] + key
    tones = {"bass": [chord[0]], "guitar": [chord[0], chord[0] + 7, chord[0] + 12]}.get(name, list(chord))
    out = []
    for j, at in enumerate(steps):
        length = ((steps[j + 1] if j + 1 < len(steps) else n) - at) * 0.9
        if name == "pluck":
            out.append((at, length, base + tones[j % len(tones)] + 12 * (j // len(tones) % 2)))
        else:
            out += [(at, length, base + tone) for tone in tones]
    return out


def _tune(rng: np.random.Generator, n: int) -> list[tuple[float, float, int]]:
    out, at = [], float(rng.choice([0, 0, 2, 4, 1, 3]))
    degree = int(rng.integers(0, 8))
    while at < n:
        length = float(rng.choice([1, 2, 2, 3, 4, 6, 8]))
        degree = int(np.clip(degree + rng.integers(-3, 4), -3, 11))
        if rng.random() < 0.82:
            out.append((at, length * 0.92, degree))
        at += length
    return out


def _midi_tracks(path: Path) -> list[tuple[str, list[tuple[float, float, int, float]]]]:
    """Return (name, [(start s, end s, pitch, velocity 0..1)]) of each track."""
    file = mido.MidiFile(path, clip=True)
    changes = [(0, 500_000)]
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "set_tempo":
                changes.append((now, message.tempo))
    changes.sort(key=lambda c: c[0])
    ticks = np.array([c[0] for c in changes], float)
    rates = np.array([c[1] for c in changes]) / 1e6 / file.ticks_per_beat
    seconds = np.concatenate([[0], np.cumsum(np.diff(ticks) * rates[:-1])])

    def clock(tick: int) -> float:
        i = int(np.searchsorted(ticks, tick, "right")) - 1
        return float(seconds[i] + (tick - ticks[i]) * rates[i])

    out = []
    for track in file.tracks:
        now, name, held, notes = 0, "", {}, []
        for message in track:
            now += message.time
            if message.type == "track_name":
                name = message.name.strip()
            elif message.type == "note_on" and message.velocity:
                held[message.note] = (now, message.velocity)
            elif message.type in {"note_off", "note_on"} and message.note in held:
                start, velocity = held.pop(message.note)
                notes.append((clock(start), clock(now), message.note, velocity / 127))
        if notes:
            out.append((name, notes))
    return out
