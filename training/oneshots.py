# SPDX-License-Identifier: Apache-2.0
"""Render every drum and a spread of notes of each soundfont once; the mixer places them with numpy from then on.

    python training/oneshots.py OUT.npz FONT...

Whole renders by a synthesiser cost about 2 s of CPU for 40 s of music; mixing one-shots costs 0.1 s.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import mido
import numpy as np

RATE = 22_050
KITS = (0, 8, 16, 24, 25, 32, 40)
DRUMS = (35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 59, 60, 61, 62, 63,
         64, 69, 70, 75, 76)  # fmt: skip
PROGRAMS = (0, 2, 4, 5, 7, 9, 11, 12, 13, 16, 18, 21, 22, 24, 25, 26, 27, 28, 29, 30, 32, 33, 34, 35, 36, 38, 39, 40,
            42, 45, 46, 48, 50, 52, 53, 54, 56, 57, 61, 62, 65, 66, 71, 73, 80, 81, 84, 87, 88, 89, 90, 95, 104,
            105)  # fmt: skip
PITCHES = tuple(range(28, 100, 5))
HOLD, GAP = 1.5, 0.4  # s


def render(font: str, events: list[tuple[int, int, int, bool]], seconds: float) -> np.ndarray:
    """Render (slot, program, note, is drum) events, a slot each `HOLD + GAP` seconds; return mono samples."""
    with tempfile.TemporaryDirectory() as folder:
        track = mido.MidiTrack()
        file = mido.MidiFile(ticks_per_beat=1000)
        file.tracks.append(track)
        track.append(mido.MetaMessage("set_tempo", tempo=1_000_000))
        now, program = 0, {}
        for slot, which, note, drum in events:
            channel = 9 if drum else 0
            at = round(slot * (HOLD + GAP) * 1000)
            if program.get(channel) != which:
                track.append(mido.Message("program_change", channel=channel, program=which, time=max(at - 20 - now, 0)))
                now = max(at - 20, now)
                program[channel] = which
            track.append(mido.Message("note_on", channel=channel, note=note, velocity=105, time=at - now))
            off = at + round(HOLD * 1000)
            track.append(mido.Message("note_off", channel=channel, note=note, velocity=0, time=off - at))
            now = off
        track.append(mido.MetaMessage("end_of_track", time=400))
        midi, out = Path(folder) / "a.mid", Path(folder) / "a.wav"
        file.save(midi)
        command = ["fluidsynth", "-ni", "-q", "-g", "0.6", "-r", str(RATE), "-R", "0", "-C", "0", "-F", str(out), font]
        subprocess.run([*command, str(midi)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with wave.open(str(out)) as sound:
            data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").reshape(-1, sound.getnchannels())
    mono = data.astype(np.float32).mean(1) / 32768
    return np.pad(mono, (0, max(0, round(seconds * RATE) - len(mono))))


def main() -> None:
    out, fonts = sys.argv[1], sys.argv[2:]
    names, sounds = [], []
    size = round((HOLD + GAP) * RATE)
    for number, font in enumerate(fonts):
        jobs = [(kit, note, True) for kit in KITS for note in DRUMS] + [
            (p, n, False) for p in PROGRAMS for n in PITCHES
        ]
        events = [(slot, *job) for slot, job in enumerate(jobs)]
        sound = render(font, events, len(jobs) * (HOLD + GAP))
        for slot, (program, note, drum) in enumerate(jobs):
            one = sound[round(slot * (HOLD + GAP) * RATE) :][:size]
            peak = float(np.abs(one).max())
            if peak < 1e-4:
                continue
            names.append((number, int(drum), program, note))
            sounds.append(np.round(one / peak * 32000).astype(np.int16))
        print(font, len(jobs), "sounds", flush=True)
    np.savez(out, names=np.array(names, np.int16), sounds=np.array(sounds))


if __name__ == "__main__":
    main()
