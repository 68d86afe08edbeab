# SPDX-License-Identifier: Apache-2.0
"""Tempo map and markers as a standard MIDI file, for the composer's workstation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import mido

from backbeat.exchange.sheet import Sheet

TICKS = 960  # a quarter note
_SLOWEST = 16.0  # seconds a quarter; MIDI's tempo has 24 bits of microseconds


@dataclass(frozen=True, slots=True)
class Pulse:
    """A beat: film seconds, and whether a bar begins there."""

    time: float
    downbeat: bool


def midi(sheet: Sheet) -> bytes:
    """Return the tempo map of the beats in `sheet`, with sections, hits, cues and notes as markers."""
    beats = [Pulse(float(m.time), m.kind == "downbeat") for m in sheet.marks if m.kind in {"beat", "downbeat"}]
    marks = [(float(m.time), m.name) for m in sheet.marks if m.kind not in {"beat", "downbeat", "speed"}]
    return tempo_map(beats, marks, name=sheet.name, length=float(sheet.frames / sheet.rate))


def tempo_map(
    beats: Sequence[Pulse], marks: Sequence[tuple[float, str]], *, name: str = "", length: float = 0.0
) -> bytes:
    """Return a type 1 MIDI file whose every beat sounds at its time within 0.1 ms however long the song.

    Tempo is written a beat; the microseconds lost to rounding are given to the next, so that they never add up.
    Before the first beat stand as many pickup beats of about its tempo as fit. Without beats, 120 a minute.

    Parameters
    ----------
    beats
        Rising in time (film seconds).
    marks
        (film seconds, text).
    name
        Of the sequence.
    length
        Seconds to fill after the last beat.
    """
    pulses = [b for i, b in enumerate(beats) if i == 0 or b.time - beats[i - 1].time > 1e-3]
    times = [p.time for p in pulses]
    step = sorted(b - a for a, b in pairwise(times))[len(times) // 2 - 1] if len(times) > 1 else 0.5
    head = max(round(times[0] / step), 1) if times and times[0] > 1e-3 else 0
    grid = [times[0] * i / head for i in range(head)] + times if times else [0.0]
    while grid[-1] < length:
        grid.append(grid[-1] + step)
    bars = [i for i, p in enumerate(pulses, head) if p.downbeat]
    conductor = mido.MidiTrack([mido.MetaMessage("track_name", name=_latin(name), time=0)])
    events: list[tuple[int, int, mido.MetaMessage]] = []
    told = 0  # microseconds written so far
    for i, end in enumerate(grid[1:]):
        tempo = min(max(round(end * 1e6) - told, 1), int(_SLOWEST * 1e6))
        told += tempo
        events.append((i * TICKS, 0, mido.MetaMessage("set_tempo", tempo=tempo, time=0)))
    signature = 0
    for here, after in pairwise([0, *bars] if bars and bars[0] else bars):
        count = after - here
        if count != signature and 0 < count < 256:
            signature = count
            events.append((here * TICKS, 1, mido.MetaMessage("time_signature", numerator=count, denominator=4, time=0)))
    for time, text in marks:
        events.append((_tick(grid, time), 2, mido.MetaMessage("marker", text=_latin(text), time=0)))
    _append(conductor, events)
    click = mido.MidiTrack([mido.MetaMessage("track_name", name="click", time=0)])
    notes: list[tuple[int, int, mido.Message]] = []
    for i, pulse in enumerate(pulses, head):
        note = {"channel": 9, "note": 76 if pulse.downbeat else 77}
        notes.append((i * TICKS, 1, mido.Message("note_on", velocity=110 if pulse.downbeat else 80, time=0, **note)))
        notes.append((i * TICKS + TICKS // 8, 0, mido.Message("note_off", velocity=0, time=0, **note)))
    _append(click, notes)
    out = io.BytesIO()
    mido.MidiFile(type=1, ticks_per_beat=TICKS, tracks=[conductor, click]).save(file=out)
    return out.getvalue()


def _append(track: mido.MidiTrack, events: list[tuple[int, int, mido.Message]]) -> None:
    last = 0
    for tick, _, message in sorted(events, key=lambda e: e[:2]):
        track.append(message.copy(time=tick - last))
        last = tick


def _tick(grid: list[float], time: float) -> int:
    """Return the tick of a film second."""
    from bisect import bisect_right

    if len(grid) < 2:
        return max(round(time / 0.5 * TICKS), 0)
    i = min(max(bisect_right(grid, time) - 1, 0), len(grid) - 2)
    return max(round((i + (time - grid[i]) / (grid[i + 1] - grid[i])) * TICKS), 0)


def _latin(text: str) -> str:
    """MIDI texts carry Latin-1; workstations read UTF-8 bytes too, so other scripts go as those."""
    try:
        return text.encode("latin-1").decode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8").decode("latin-1")
