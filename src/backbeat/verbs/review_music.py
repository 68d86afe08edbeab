# SPDX-License-Identifier: Apache-2.0
"""The music of a film under review: heard in its own sound, a song located in it, or beats from a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError, MissingPartError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.film import Music
from backbeat.model.footage import Media
from backbeat.model.song import Beat, Section, Song
from backbeat.model.time import Span, clock
from backbeat.verbs.listen import songs
from backbeat.verbs.review_joins import between_pieces
from backbeat.verbs.session import Session
from backbeat.work.cache import fingerprint, key_of

if TYPE_CHECKING:
    from backbeat.listen.locate import Piece

_AGREE = 0.07  # s
# Best first. Not librosa's: it is late by 20-40 ms, a frame.
_SECOND_EARS = ("beat_this", "plain")
_EAR_VERSION = 1
_TRUSTED = 0.8  # agreement from which a second ear may give the verdict


@dataclass(frozen=True, slots=True)
class MusicHeard:
    """`music` of the film, None where none is heard; `told` is one sentence about the grids, `notes` more."""

    music: Music | None
    told: str
    notes: tuple[str, ...] = ()


def hear_music(
    film: str,
    media: Media,
    session: Session,
    *,
    spans: Sequence[Span] = (),
    song: str = "",
    beats: str = "",
    tracker: str = "own",
    solved_on: Sequence[float] = (),
) -> MusicHeard:
    """Return the film's music in film seconds.

    With `song` the song is located in the film and its grid laid over it; with `beats` the file's grid counts (song
    seconds where a song is given, film seconds else). `spans` is where music was recognised: speech and noise have
    "beats" too, so elsewhere none are taken unless they are as plain as clicks. `solved_on` are the beats that the edit
    was made on: then the verdict is given on the second grid if that can be trusted.

    Raises
    ------
    InputError
        If the song is not heard in the film, or the file of beats cannot be read.
    MediaError
        If the song cannot be read.
    """
    given = _given(beats) if beats else ()
    if not media.has_sound:
        if song or not given:
            if song:
                raise InputError(f"{film}: no sound in it, so the song cannot be located", "give --beats instead")
            return MusicHeard(None, "The film has no sound.")
        return MusicHeard(Music(given, "the given beats"), f"Beats from {Path(beats).name}.")
    if song:
        return _located(film, media, session, song, given, tracker, solved_on)
    try:
        own = songs([film], session, tracker=tracker)[0]
    except MediaError as error:
        return MusicHeard(Music(given, "the given beats") if given else None, "", (error.message,))
    own = shifted(own, media.sound_offset)
    playing = own.beats if _plain(own) else _inside(own.beats, spans)
    music = Music(playing, "heard in the film", own.beat_confidence, own.sections, own.energy, own.energy_step)
    if given:
        music = replace(
            music,
            beats=given,
            name="the given beats",
            confidence=1.0,
            second=own.beats,
            second_name="heard in the film",
        )
        return MusicHeard(music, f"Judged on the beats of {Path(beats).name}; {_agreement(music)}.")
    if not playing:
        return MusicHeard(None, "No music is heard in the film.")
    music = _with_second(music, film, media, session, tracker, solved_on)
    said = f"Judged on the beats {music.name} ({_tempo(music.beats)}, confidence {music.confidence:.2f})"
    return MusicHeard(music, f"{said}; {_agreement(music)}." if music.second else f"{said}.")


def _plain(song: Song) -> bool:
    """Whether the beats stand out like clicks or drums alone, which no recogniser of music takes for music."""
    strengths = sorted(b.strength for b in song.beats)
    return song.beat_confidence >= 0.85 and bool(strengths) and strengths[len(strengths) // 2] >= 0.5


def _inside(beats: tuple[Beat, ...], spans: Sequence[Span]) -> tuple[Beat, ...]:
    return tuple(b for b in beats if any(s.start - 0.5 <= b.time < s.end + 0.5 for s in spans))


def _with_second(
    music: Music, film: str, media: Media, session: Session, tracker: str, solved_on: Sequence[float]
) -> Music:
    """Return `music` with a second ear's grid; that one judges where the edit was solved on the first."""
    from backbeat.work import plugins

    others = [n for n in _SECOND_EARS if n != tracker and n in plugins.names("beats")]
    second: tuple[Beat, ...] = ()
    name = ""
    first, last = music.beats[0].time - 0.5, music.beats[-1].time + 0.5
    for other in others:
        try:
            heard = _ear(film, other, session)
        except MissingPartError:
            continue  # an optional ear that is not installed
        second = tuple(Beat(t + media.sound_offset, -1, 1.0) for t in heard)
        second = tuple(b for b in second if first <= b.time <= last)
        name = f"that the tracker {other!r} hears in the film's mix"
        break
    if not second:
        second, name = tuple(Beat(t, -1, 1.0) for t in solved_on), "that the edit was solved on"
        return replace(music, second=second, second_name=name) if second else music
    trusted = agreement(music.times, [b.time for b in second]) >= _TRUSTED
    if solved_on and trusted:
        beats = _positions(second, music.beats)
        return replace(music, beats=beats, name=name, second=music.beats, second_name=music.name)
    return replace(music, second=second, second_name=name)


def _ear(film: str, tracker: str, session: Session) -> tuple[float, ...]:
    """Return the beats (s of the sound) that another tracker hears in the film's mix; kept by content."""
    from backbeat.listen import spectrum
    from backbeat.media.samples import read_sound
    from backbeat.work import plugins

    ear = plugins.load("beats", tracker)()
    key = key_of(fingerprint(film), "second grid", tracker, _EAR_VERSION)
    if isinstance(kept := session.cache.get(key), list):
        return tuple(float(t) for t in kept)
    mono = read_sound(film, rate=spectrum.RATE, channels=1).samples[0]
    times = [round(float(t), 4) for t in ear.track(spectrum.look(mono)).times]
    session.cache.put(key, times)
    return tuple(times)


def _positions(beats: tuple[Beat, ...], known: tuple[Beat, ...]) -> tuple[Beat, ...]:
    """Return `beats` with the bar positions of the nearest `known` ones."""
    times = [b.time for b in known]
    return tuple(replace(b, position=known[_nearest(times, b.time)].position) for b in beats)


def _nearest(times: Sequence[float], time: float) -> int:
    from bisect import bisect_left

    i = bisect_left(times, time)
    if i == 0 or (i < len(times) and times[i] - time < time - times[i - 1]):
        return min(i, len(times) - 1)
    return i - 1


def agreement(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the F-measure of two grids within 70 ms, 0..1."""
    if not one or not other:
        return 0.0
    hits = sum(abs(other[_nearest(other, t)] - t) <= _AGREE for t in one)
    return 2.0 * hits / (len(one) + len(other))


def _agreement(music: Music) -> str:
    if not music.second:
        return "there is no second grid"
    share = agreement(music.times, [b.time for b in music.second])
    return f"the beats {music.second_name} ({_tempo(music.second)}) agree with them to {share:.0%}"


def _tempo(beats: Sequence[Beat]) -> str:
    if len(beats) < 2:
        return "no tempo"
    span = min(8, len(beats) - 1)
    gaps = sorted(b.time - a.time for a, b in zip(beats[:-span], beats[span:], strict=True))
    return f"{60 * span / gaps[len(gaps) // 2]:.1f} bpm"


def _given(path: str) -> tuple[Beat, ...]:
    """Return the beats of a file, with their places in the bar where it marks them."""
    from backbeat.verbs.beats import read_beats

    tapped = read_beats(path)
    if tapped.bar_start is None or not tapped.meter:
        return tuple(Beat(t, -1, 1.0) for t in tapped.times)
    first = tapped.times.index(tapped.bar_start)
    return tuple(Beat(t, (i - first) % tapped.meter + 1, 1.0) for i, t in enumerate(tapped.times))


def shifted(song: Song, by: float) -> Song:
    """Return `song` with all that is used here moved by `by` seconds."""
    if by == 0.0:
        return song
    lead = max(0, round(by / song.energy_step))
    drop = max(0, round(-by / song.energy_step))
    return replace(
        song,
        beats=tuple(replace(b, time=b.time + by) for b in song.beats),
        sections=tuple(replace(s, start=s.start + by, end=s.end + by) for s in song.sections),
        energy=(0.0,) * lead + song.energy[drop:],
    )


def _located(
    film: str,
    media: Media,
    session: Session,
    path: str,
    given: tuple[Beat, ...],
    tracker: str,
    solved_on: Sequence[float],
) -> MusicHeard:
    song = songs([path], session, tracker=tracker)[0]
    pieces = _pieces(film, path, media, session)
    if not pieces:
        raise InputError(
            f"{path}: this song is not heard in {Path(film).name}",
            "leave --song out to judge on the film's own sound, or give the song that the film uses",
        )
    if given:
        song = replace(song, beats=given, beat_confidence=1.0)
    music = laid_over(song, pieces, media.duration)
    if len(music.beats) < 4:
        return MusicHeard(None, "The song is heard, but it has no beat.")
    joins = between_pieces(film, path, song, pieces, media) if len(pieces) > 1 else ()
    music = replace(music, name="of the song as located", joins=joins)
    music = _with_second(music, film, media, session, tracker, () if given else solved_on)
    where = "; ".join(
        f"{clock(p.start)}-{clock(p.end)} from its {clock(p.song)}"
        + (f", {100 * (p.stretch - 1):+.2f} % speed" if p.stretch != 1.0 else "")
        for p in pieces
    )
    told = (
        f"The song is heard at {where}. Judged on the beats {music.name} ({_tempo(music.beats)}); {_agreement(music)}."
    )
    return MusicHeard(music, told)


def _pieces(film: str, song: str, media: Media, session: Session) -> tuple[Piece, ...]:
    """Return where the song sounds, in seconds of the picture's clock; kept by content of both."""
    from backbeat.listen import locate as finder

    key = key_of(fingerprint(film), fingerprint(song), "locate", finder.VERSION)
    kept = session.cache.get(key)
    if isinstance(kept, list):
        try:
            return tuple(from_plain(finder.Piece, p) for p in kept)
        except (TypeError, ValueError, KeyError):
            pass
    from backbeat.media.samples import read_sound

    session.progress.start("locating the song", 0)
    heard = read_sound(film, rate=finder.RATE, channels=1).samples[0]
    known = read_sound(song, rate=finder.RATE, channels=1).samples[0]
    pieces = tuple(
        replace(p, start=p.start + media.sound_offset, end=p.end + media.sound_offset)
        for p in finder.locate(heard, known)
    )
    session.progress.stop()
    session.cache.put(key, [to_plain(p) for p in pieces])
    return pieces


def laid_over(song: Song, pieces: Sequence[Piece], duration: float) -> Music:
    """Return the song's beats, sections and energy as they sound in the film."""
    beats: list[Beat] = []
    sections: list[Section] = []
    step = 0.5
    energy = [0.0] * max(1, math.ceil(duration / step))
    for piece in pieces:
        for beat in song.beats:
            time = piece.film_time(beat.time)
            if piece.start - 1e-6 <= time < piece.end and (not beats or time > beats[-1].time + 0.05):
                beats.append(replace(beat, time=time))
        for part in song.sections:
            start, end = max(piece.film_time(part.start), piece.start), min(piece.film_time(part.end), piece.end)
            if end - start > 0.5:
                sections.append(replace(part, start=start, end=end))
        for i in range(len(energy)):
            if piece.start <= (i + 0.5) * step < piece.end:
                energy[i] = song.energy_at(piece.song_time((i + 0.5) * step))
    return Music(
        beats=tuple(beats),
        confidence=song.beat_confidence,
        sections=tuple(sections),
        energy=tuple(energy),
        energy_step=step,
        song_known=True,
    )
