# SPDX-License-Identifier: Apache-2.0
"""Where the music of a film jumps: between the pieces of a known song, at a timeline's cues, or by a broken beat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from backbeat.model.film import Join
from backbeat.model.footage import Media
from backbeat.model.song import Beat, Song
from backbeat.model.time import clock
from backbeat.model.timeline import Timeline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.listen.locate import Piece
    from backbeat.listen.repeats import Meter

_STEADY = 8  # beats either side of a break that must agree among themselves
_BREAK = 0.15  # of a beat
_ROUGH = 0.03  # of a beat: what a steady side may scatter
_LEAST_BEATS = 16


def between_pieces(film: str, path: str, song: Song, pieces: Sequence[Piece], media: Media) -> tuple[Join, ...]:
    """Return the jumps between neighbouring pieces of a known song.

    The percentile is the worse of two: continuation distance among the song's own repeats, and the local change at the
    seam among the song's own beats.
    """
    import numpy as np

    from backbeat.listen import continuation, repeats
    from backbeat.media.samples import read_sound

    if len(song.beats) < _LEAST_BEATS:
        return ()
    seams = [(a, b) for a, b in pairwise(pieces) if b.start - a.end <= 0.5]  # else the music stops and comes back
    if not seams:
        return ()
    found = repeats.spectra(read_sound(path, rate=repeats.RATE, channels=1).samples[0])
    heard = read_sound(film, rate=repeats.RATE, channels=1).samples[0]
    times = np.asarray([b.time for b in song.beats])
    meter = repeats.Meter(found, times)
    apart = repeats.distance(found, times)
    natural = continuation.natural_repeats(apart)
    joins = []
    for one, other in seams:
        out, into = one.song_time(one.end), other.song
        context = continuation.continuation(
            apart, int(np.abs(times - out).argmin()), int(np.abs(times - into).argmin())
        )
        local = _local(meter, heard, other.start - media.sound_offset)
        percentile = max(local, float(100 * np.mean(natural < context)))
        joins.append(Join(other.start, percentile, name=f"{clock(out)} to {clock(into)}"))
    return tuple(joins)


def by_ear(film: str, beats: Sequence[Beat], media: Media, timeline: Timeline | None) -> tuple[Join, ...]:
    """Return the jumps that a timeline plans, and those at which the beat breaks; song unknown, so weak evidence.

    Each is measured by the local change of sound among the film's own beats.
    """
    import numpy as np

    from backbeat.listen import repeats
    from backbeat.media.samples import read_sound

    planned = planned_joins(timeline) if timeline is not None else ()
    broken = [t for t in phase_breaks([b.time for b in beats]) if all(abs(t - p) > 1.0 for p, _ in planned)]
    places = sorted([*planned, *((t, "a break of the beat") for t in broken)])
    if not places or len(beats) < _LEAST_BEATS:
        return ()
    heard = read_sound(film, rate=repeats.RATE, channels=1).samples[0]
    meter = repeats.Meter(repeats.spectra(heard), np.asarray([b.time - media.sound_offset for b in beats]))
    return tuple(Join(t, _local(meter, heard, t - media.sound_offset), known=False, name=name) for t, name in places)


def _local(meter: Meter, heard: NDArray[np.float32], at: float) -> float:
    """Return the percentile of the change of sound at `at` (s of the sound `heard`)."""
    from backbeat.listen.repeats import RATE

    low, high = max(0, round((at - 2.5) * RATE)), round((at + 2.5) * RATE)
    return meter.measure(heard[low:high], at - low / RATE).percentile


def planned_joins(timeline: Timeline) -> tuple[tuple[float, str], ...]:
    """Return (film second, name) of the seams inside a timeline's cues and of one cue's change to the next."""
    found: list[tuple[float, str]] = []
    cues = sorted(timeline.cues, key=lambda c: c.start)
    for cue in cues:
        song, film = cue.song_in, cue.start
        for seam in cue.seams:
            film += (seam.out - song) / cue.stretch
            song = seam.into
            if cue.start < film < cue.end:
                found.append((film, f"{clock(seam.out)} to {clock(seam.into)}"))
    found += [(b.start, "one song to the next") for a, b in pairwise(cues) if -10.0 < b.start - a.end < 0.5]
    return tuple(found)


def phase_breaks(times: Sequence[float]) -> list[float]:
    """Return where a steady beat goes on steadily but out of step: a cut inside the music (s).

    Eight beats on either side each lie on a line; where the lines disagree by more than 15 % of a beat, and tempo holds
    within 3 %, something was taken out.
    """
    import numpy as np

    beats = np.asarray(times, float)
    found: list[float] = []
    index = np.arange(_STEADY)
    last = -_STEADY
    for i in range(_STEADY, len(beats) - _STEADY + 1):
        before, after = beats[i - _STEADY : i], beats[i : i + _STEADY]
        (p0, a0), (p1, a1) = np.polyfit(index, before, 1), np.polyfit(index, after, 1)
        rough = max(np.abs(before - (a0 + p0 * index)).max(), np.abs(after - (a1 + p1 * index)).max())
        gap = (a1 - (a0 + p0 * _STEADY)) / p0
        off = abs(gap - round(gap))
        if rough < _ROUGH * p0 and abs(p1 / p0 - 1) < 0.03 and off > _BREAK and i - last >= _STEADY:
            found.append(float(after[0]))
            last = i
    return found
