# SPDX-License-Identifier: Apache-2.0
"""A song made ready to be retargeted: its sound, how alike its beats are, where it may begin and end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backbeat.errors import InputError
from backbeat.model.cue import Seam
from backbeat.model.song import Song

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.retarget import End, Start
    from backbeat.listen.repeats import Meter, SeamFigures, Tail
    from backbeat.media.samples import Sound

RATE = 48_000


@dataclass(slots=True)
class Ground:
    """A song made ready for any length: its sound, how alike its beats are, and what was measured so far."""

    song: Song
    sound: Sound
    mono: NDArray[np.float32]
    distance: NDArray[np.float32]
    times: NDArray[np.float64]
    meter: Meter
    tail: Tail
    bar: int
    measured: dict[tuple[int, int], SeamFigures] = field(default_factory=dict)
    seams: dict[tuple[int, int], Seam] = field(default_factory=dict)


def prepare(song: Song, sound: Sound | None = None) -> Ground:
    """Make `song` ready. `sound` saves the decoding where it is at hand (48 kHz).

    Raises
    ------
    InputError
        If the song has no beats to jump on.
    MediaError
        If its sound cannot be read.
    """
    import numpy as np

    from backbeat.decide.retarget_grid import regular
    from backbeat.decide.retarget_jumps import bar_length
    from backbeat.listen import repeats
    from backbeat.media.samples import read_sound

    sound = sound or read_sound(song.path, rate=RATE, channels=2)
    mono = repeats.to_mono(sound.samples, sound.rate)
    ending = repeats.tail(mono)
    beats = tuple(b for b in song.beats if b.time < ending.last)
    if len(beats) < 8:
        raise InputError(
            f"{song.path}: {len(beats)} beats were found, too few to join on",
            "give --bpm if it has a pulse, or use the song without retargeting",
        )
    heard = any(b.position > 0 for b in beats)
    beats = tuple(b for b in regular(beats, song.beats_per_bar if heard else 4) if b.time < ending.last)
    times = np.array([b.time for b in beats])
    found = repeats.spectra(mono)
    apart = repeats.distance(found, times)
    bar = bar_length(apart, song.beats_per_bar if heard else 0)
    song = replace(song, beats=beats)
    return Ground(song, sound, mono, apart, times, repeats.Meter(found, times), ending, bar)


def strengths(ground: Ground) -> NDArray[np.float64]:
    """Return 0..1 for each beat: how good a place it is for something to happen in the picture."""
    import numpy as np

    song, out = ground.song, np.empty(len(ground.times))
    for i, beat in enumerate(song.beats):
        out[i] = 0.35 * beat.strength + (0.4 if beat.position == 1 else 0.1)
    period = ground.meter.period
    strong = [(s.start, 1.0) for s in song.sections[1:]]
    strong += [(a.time, 0.6 + 0.4 * a.strength) for a in song.accents if a.kind in {"stab", "hit", "drop"}]
    for time, worth in strong:
        i = int(np.argmin(np.abs(ground.times - time)))
        if abs(ground.times[i] - time) < period / 3:
            out[i] = max(out[i], worth)
    return np.clip(out, 0, 1)


def sung_beats(ground: Ground) -> NDArray[np.float64]:
    """Return the share 0..1 of each beat in which somebody sings, (n,)."""
    import numpy as np

    edges = np.append(ground.times, ground.times[-1] + ground.meter.period)
    out = np.zeros(len(ground.times))
    for span in ground.song.vocals:
        out += np.clip(np.minimum(edges[1:], span.end) - np.maximum(edges[:-1], span.start), 0, None)
    return np.asarray(np.clip(out / np.maximum(np.diff(edges), 1e-6), 0, 1))


def ways_in(ground: Ground, entry: str, song_in: float | None = None) -> tuple[Start, ...]:
    """Return the starts allowed.

    `entry` is start (the song's own), any (that, or a section at a price) or downbeat (at once on a downbeat: the first
    one or a section's), which lets a song come in on a picture cut. `song_in` asks for the downbeat nearest to it.
    """
    import numpy as np

    from backbeat.decide.retarget import Start

    if song_in is not None:
        down = [i for i, b in enumerate(ground.song.beats) if b.position in {1, -1}] or list(range(len(ground.times)))
        i = min(down, key=lambda k: abs(float(ground.times[k]) - song_in))
        return (Start(i, max(0.0, float(ground.times[i]) - 0.012)),)
    first = max(0.0, ground.tail.first - 0.02)
    met = int(np.searchsorted(ground.times, first))
    starts = [Start(met, first if ground.times[met] - first < 20 else float(ground.times[met]))]
    if entry == "downbeat":
        opening = next((i for i, b in enumerate(ground.song.beats) if i >= met and b.position == 1), met)
        starts = [Start(opening, max(0.0, float(ground.times[opening]) - 0.012))]
    if entry in {"any", "downbeat"}:
        for time in [p.time for p in ground.song.entries] or [s.start for s in ground.song.sections]:
            i = int(np.argmin(np.abs(ground.times - time)))
            if i > met and i < len(ground.times) * 2 // 3:
                starts.append(Start(i, float(ground.times[i]) - 0.012, 0.8))
    return tuple(starts[:8])


def ways_out(ground: Ground, ending: str, tail: float | None = None, *, loose: bool = False) -> tuple[End, ...]:
    """Return the ends allowed: `ending` is auto (the song's own where it has one), true or ring-out.

    `tail` fixes the seconds of a ring-out, so that its beat falls exactly so long before the end; it may be any beat
    then, at a price. `loose` allows any beat and a longer tail.
    """
    import numpy as np

    from backbeat.decide.retarget import End

    times, heard, song = ground.times, ground.tail, ground.song
    if ending == "true" or (ending == "auto" and heard.kind == "true"):
        last = max(0, int(np.searchsorted(times, heard.attack + 0.06)) - 1)
        rest = max(0.1, heard.last - times[last])
        shortest = min(rest, max(0.5, heard.settled - times[last], 0.5 * rest))
        return (End(last, float(shortest), float(rest + 0.3)),)
    loud = sorted(song.energy_at(b.time) for b in song.beats)[len(song.beats) // 4]
    sections = np.array([s.start for s in song.sections] or [float(times[0])])
    low, high = (tail, tail) if tail is not None else (1.0, 3.2) if loose else (1.6, 3.2)
    ends = []
    for i, beat in enumerate(song.beats):
        downbeat = beat.position == 1 or (beat.position < 0 and i % ground.bar == 0)
        allowed = downbeat or loose or tail is not None
        early = i < ground.bar if loose else i < 2 * ground.bar or song.energy_at(beat.time) < loud
        if not allowed or early or times[i] > heard.last - 0.8:
            continue
        opening = sections[np.argmin(np.abs(sections - times[i]))]
        bars = round((times[i] - opening) / (ground.meter.period * ground.bar))
        price = (0.3 if bars == 0 else 0.5 if bars % 4 == 0 else 0.8) if downbeat else 1.2
        ends.append(End(i, low, high, "ring-out", price))
    if not ends:
        ends.append(End(len(times) - 1, low, high, "ring-out", 1.0))
    return tuple(ends)
