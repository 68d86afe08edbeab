# SPDX-License-Identifier: Apache-2.0
"""What was heard in a song, as files that other programs read: beats, labels, a table, a tempo map."""

from __future__ import annotations

import csv
import io
from itertools import pairwise
from pathlib import Path

from backbeat.model.song import Beat, Song

_TICKS = 960  # a beat, in the MIDI file
_SLOWEST = 16_777_215  # microseconds a beat that a MIDI tempo can say


def beats(song: Song) -> str:
    """Return a line a beat: seconds, tab, position in the bar (-1 = unknown)."""
    return "".join(f"{b.time:.4f}\t{b.position}\n" for b in song.beats)


def labels(song: Song) -> str:
    """Return Audacity labels: bars and beats as points, sections as spans, accents as points."""
    rows = [(s.start, s.end, f"[{s.label}] {s.role} {s.energy:.2f}".replace("  ", " ")) for s in song.sections]
    bar = 0
    for beat in song.beats:
        bar += beat.position == 1
        rows.append((beat.time, beat.time, f"bar {bar}" if beat.position == 1 else str(max(beat.position, 0) or ".")))
    rows += [(a.time, a.time + a.length, a.kind) for a in song.accents]
    return "".join(f"{start:.6f}\t{end:.6f}\t{text}\n" for start, end, text in sorted(rows))


def table(song: Song) -> str:
    """Return one CSV table of everything with a time: kind, start, end, label, value, confidence."""
    rows: list[tuple[str, float, float, str, float, float]] = []
    rows += [("beat", b.time, b.time, str(b.position), b.strength, b.confidence) for b in song.beats]
    rows += [("section", s.start, s.end, f"{s.label} {s.role}".strip(), s.energy, s.confidence) for s in song.sections]
    rows += [("accent", a.time, a.time + a.length, a.kind, a.strength, 1.0) for a in song.accents]
    rows += [("vocals", v.start, v.end, "", 1.0, 1.0) for v in song.vocals]
    rows += [("entry", p.time, p.time, p.kind, p.grade, 1.0) for p in song.entries]
    rows += [("ending", p.time, p.time, p.kind, p.grade, 1.0) for p in song.endings]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("kind", "start", "end", "label", "value", "confidence"))
    for kind, start, end, label, value, confidence in sorted(rows, key=lambda r: (r[1], r[0])):
        writer.writerow((kind, f"{start:.4f}", f"{end:.4f}", label, f"{value:.3f}", f"{confidence:.3f}"))
    return out.getvalue()


def write_midi(song: Song, path: str) -> None:
    """Write the tempo map, time signature and markers; each beat lies on a tick multiple, at its second within 1 ms."""
    import mido

    file = mido.MidiFile(ticks_per_beat=_TICKS)
    track = mido.MidiTrack()
    file.tracks.append(track)
    marks = [(s.start, f"{s.label} {s.role}".strip()) for s in song.sections]
    events: list[tuple[int, int, mido.MetaMessage]] = []
    ends, told = [0.0], 0
    for place in _places(song.beats):
        # Against where the file's clock stands, so that rounding never adds up.
        tempo = min(max(round((place - ends[-1]) * 1e6), 1), _SLOWEST)
        if tempo != told:
            events.append(((len(ends) - 1) * _TICKS, 0, mido.MetaMessage("set_tempo", tempo=tempo)))
            told = tempo
        ends.append(ends[-1] + tempo / 1e6)
    first = _first_down(song.beats)
    numerator = song.beats_per_bar
    if first:
        events.append((0, 1, mido.MetaMessage("time_signature", numerator=max(first, 1), denominator=4)))
    events.append((first * _TICKS, 1, mido.MetaMessage("time_signature", numerator=numerator, denominator=4)))
    for time, text in marks:
        events.append(
            (
                _tick_at(time, ends),
                2,
                mido.MetaMessage("marker", text=text.encode("latin-1", "replace").decode("latin-1")),
            )
        )
    now = 0
    for at, _, message in sorted(events, key=lambda e: (e[0], e[1])):
        track.append(message.copy(time=at - now))
        now = at
    file.save(path)


def _places(heard: tuple[Beat, ...]) -> list[float]:
    """Return the ends of the file's quarter notes: the beats after 0."""
    return [b.time for b in heard if b.time > 1e-4]


def _first_down(heard: tuple[Beat, ...]) -> int:
    lead = 1 if heard and heard[0].time > 1e-4 else 0
    return next((i + lead for i, b in enumerate(heard) if b.position == 1), 0)


def _tick_at(time: float, ends: list[float]) -> int:
    for i, (a, b) in enumerate(pairwise(ends)):
        if time < b:
            return round((i + max(time - a, 0) / (b - a)) * _TICKS)
    return (len(ends) - 1) * _TICKS


def write_text(text: str, path: str) -> None:
    """Write UTF-8."""
    Path(path).write_text(text, encoding="utf-8")
