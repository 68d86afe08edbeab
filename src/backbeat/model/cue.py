# SPDX-License-Identifier: Apache-2.0
"""Music in the film: cues, seams inside a song, ducks under speech."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backbeat.model.time import Span

# Centres (Hz) of the bells that clear the band of speech, an octave apart, and their quality. The last one lies above
# what intelligibility is estimated from; it follows the one below.
BELLS = (220.0, 440.0, 880.0, 1760.0, 3520.0, 5600.0)
BELL_Q = 0.7


@dataclass(frozen=True, slots=True)
class Duck:
    """A dip of a cue under speech: `span` in film seconds, `depth_db` <= 0 of all, `bells` dB <= 0 more at `BELLS`.

    `alone_db` is the depth that would be as clear without bells, for programs that have none (0: not known).
    """

    span: Span
    depth_db: float
    bells: tuple[float, ...] = ()
    alone_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Seam:
    """A jump inside a song, leaving at `out` and going on at `into` (song seconds); `grade` 0..1, 1 = inaudible."""

    out: float
    into: float
    grade: float = 0.0
    crossfade: float = 0.02


@dataclass(frozen=True, slots=True)
class Cue:
    """One use of one song.

    `start`, `end` are film seconds; the song is at `song_in` seconds when the cue starts. `stretch` is song seconds a
    film second (1 = as is). `seams` are met in order. `gain_keys` are (film seconds, dB) with straight lines between,
    on top of `gain_db`. `tempo_map` are (film seconds, song seconds) where the stretch varies; empty otherwise. Its
    song seconds count on through seams, as if the song were played straight from `song_in`. Where `ring_out` > 0, the
    song's last beat falls `ring_out` seconds before `end` and rings on in a made tail; where `echo` > 0, that
    tail is made of echoes so many seconds apart.
    """

    path: str
    start: float
    end: float
    song_in: float = 0.0
    gain_db: float = 0.0
    stretch: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    seams: tuple[Seam, ...] = ()
    ducks: tuple[Duck, ...] = ()
    gain_keys: tuple[tuple[float, float], ...] = ()
    tempo_map: tuple[tuple[float, float], ...] = ()
    name: str = ""
    usage: str = "background instrumental"
    ring_out: float = 0.0
    echo: float = 0.0

    def film_time(self, song_time: float) -> float:
        """Return the film second at which `song_time` sounds, before any seam."""
        return self.start + (song_time - self.song_in) / self.stretch

    def later(self, by: float) -> Cue:
        """Return the cue begun `by` seconds later in the film, its keys and ducks with it."""
        return replace(
            self,
            start=self.start + by,
            end=self.end + by,
            ducks=tuple(replace(d, span=Span(d.span.start + by, d.span.end + by)) for d in self.ducks),
            gain_keys=tuple((t + by, db) for t, db in self.gain_keys),
            tempo_map=tuple((t + by, song) for t, song in self.tempo_map),
        )
