# SPDX-License-Identifier: Apache-2.0
"""The scenes of a film that is to be scored: what each asks for, and a song brought to its length."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, NoEditError
from backbeat.model.cue import Cue
from backbeat.model.song import Song
from backbeat.model.time import Span, clock, parse_clock
from backbeat.verbs.sync_scene import Scene

if TYPE_CHECKING:
    from backbeat.decide.choose import Choice, SceneNeed
    from backbeat.verbs.retarget import SeamReport

OVERLAP = 2.0  # s by which a song rings on under the next one's downbeat
BREATH = 0.5  # s of quiet before the next song, where a breath is asked for
_SHORT = 6.0  # s: shorter scenes get a stretch of the song, no path through it


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """A scene of the film, seconds; `words` of mood, and the song the editor gave it ("" = choose)."""

    span: Span
    words: tuple[str, ...] = ()
    song: str = ""


@dataclass(frozen=True, slots=True)
class ScoredScene:
    """A scene's music: the song, the short list with reasons, and what was done to the song."""

    start: float
    end: float
    song: str
    why: str
    ranked: tuple[Choice, ...]
    seams: tuple[SeamReport, ...]
    clean: bool
    ending: str
    stretch: float
    hits: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]


def parse_scene(text: str) -> SceneSpan:
    """Read ``0:00-1:20``, ``1:20-3:05 tense night`` or ``3:05-4:00=chase.mp3``.

    Raises
    ------
    InputError
        If it is neither.
    """
    times, _, song = text.partition("=")
    first, *words = times.split()
    start, dash, end = first.partition("-")
    try:
        span = Span(parse_clock(start), parse_clock(end))
    except ValueError:
        span = Span(0.0, 0.0)
    if not dash or span.length <= 0:
        raise InputError(f"--scene {text}: not a scene", 'give "0:00-1:20", "1:20-3:05 tense" or "3:05-4:00=song.mp3"')
    return SceneSpan(span, tuple(w.lower().strip(",") for w in words), song.strip())


def spans_of(scenes: Sequence[SceneSpan], duration: float) -> tuple[SceneSpan, ...]:
    """Return the scenes in order, inside the film; without any, the whole film is one.

    Raises
    ------
    InputError
        If one lies outside, or they overlap.
    """
    if not scenes:
        return (SceneSpan(Span(0.0, duration)),)
    spans = tuple(sorted(scenes, key=lambda s: s.span.start))
    out: list[SceneSpan] = []
    for scene in spans:
        if scene.span.start >= duration:
            raise InputError(
                f"scene at {clock(scene.span.start)}: the film lasts {clock(duration)}", "give times inside the film"
            )
        if out and scene.span.start < out[-1].span.end - 1e-6:
            raise InputError(f"scene at {clock(scene.span.start)}: it begins inside the one before", "part the scenes")
        out.append(replace(scene, span=Span(scene.span.start, min(scene.span.end, duration))))
    return tuple(out)


def film_words(scene: Scene) -> tuple[Span, ...]:
    """Return where somebody speaks, film seconds."""
    rate = scene.timeline.rate
    out = []
    for piece in scene.pieces:
        clip = piece.clip
        start, end = float(clip.start / rate), float(clip.end / rate)
        shift = start - float(clip.source_in / clip.source_rate)
        out += [
            Span(max(start, w.start + shift), min(end, w.end + shift))
            for w in piece.words
            if w.end + shift > start and w.start + shift < end
        ]
    return tuple(out)


def need_of(
    scene: SceneSpan,
    number: int,
    film: Scene,
    words: Sequence[Span],
    library: Sequence[Song],
    forbid: Sequence[str] = (),
) -> SceneNeed:
    """Return what a scene asks of its music."""
    from backbeat.decide.choose import SceneNeed, median_shot, scene_energy

    span, rate = scene.span, film.timeline.rate
    cuts = [float(p.clip.start / rate) for p in film.pieces if p.cut]
    inside = sum(span.start < c < span.end for c in cuts)
    calm = sum(
        c.overlap(Span(float(p.clip.source_in / p.clip.source_rate), float((p.clip.source_in + p.clip.frames) / rate)))
        for p in film.pieces
        for c in p.calm
        if p.clip.start / rate < span.end and p.clip.end / rate > span.start
    )
    motion = max(0.0, 1 - calm / span.length)
    return SceneNeed(
        f"scene {number}", span.length, scene_energy(motion * 0.6, inside / span.length),
        median_shot(cuts, span.start, span.end), min(1.0, sum(w.overlap(span) for w in words) / span.length),
        scene.words, named(scene.song, library, "--scene"),
        tuple(named(f, library, "--forbid") for f in forbid),
    )  # fmt: skip


def named(name: str, library: Sequence[Song], option: str) -> str:
    """Return the path of the song that the editor means."""
    if not name:
        return ""
    for song in library:
        if name in {song.path, Path(song.path).name, Path(song.path).stem}:
            return song.path
    near = difflib.get_close_matches(name, [Path(s.path).name for s in library], 1)
    hint = f"did you mean {near[0]!r}?" if near else "give it with --songs too"
    raise InputError(f"{option} {name}: no such song in the library", hint)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A cue, and what is told of it."""

    cue: Cue
    told: ScoredScene


def fit_song(song: Song, span: Span, film: Scene, *, first: bool, last: bool, join: str) -> Fitted:
    """Bring a song to its scene: in on a downbeat, its last beat on the next scene's first picture."""
    from backbeat.decide.retarget import Event
    from backbeat.verbs.retarget import fit
    from backbeat.verbs.retarget_ground import prepare

    ringing = join == "ring-out" and not last
    length = span.length + (OVERLAP if ringing else 0.0) - (BREATH if join == "breath" and not last else 0.0)
    if span.length < _SHORT or len(song.beats) < 32:
        return _plain(song, span)
    hits = [Event(t - span.start, w) for t, w in _strong(film, span)]
    try:
        made = fit(
            prepare(song), length, hits=hits, entry="start" if first and not hits else "downbeat",
            ending="ring-out" if ringing else "auto", tail=OVERLAP if ringing else None, start=span.start,
        )  # fmt: skip
    except (InputError, NoEditError):
        return _plain(song, span)
    cue = replace(made.cue, name=song.tags.title or Path(song.path).stem)
    told = ScoredScene(
        span.start, span.end, song.path, "", (), made.seams, made.clean, made.ending, made.ratio - 1,
        tuple((span.start + a, span.start + b) for a, b in made.hits), made.notes,
    )  # fmt: skip
    return Fitted(cue, told)


def _plain(song: Song, span: Span) -> Fitted:
    """Return a stretch of the song from its most intense section (or its start), faded out."""
    best = max(song.sections, key=lambda s: s.energy, default=None)
    into = best.start if best is not None and best.start + span.length < song.duration else 0.0
    end = span.start + min(span.length, song.duration - into)
    fade = min(1.0, span.length / 3)
    name = song.tags.title or Path(song.path).stem
    cue = Cue(song.path, span.start, end, song_in=into, fade_in=0.01, fade_out=fade, name=name)
    notes = ("too short, or without a beat: a stretch of the song, faded out",)
    return Fitted(cue, ScoredScene(span.start, span.end, song.path, "", (), (), True, "fade", 0.0, (), notes))


def _strong(film: Scene, span: Span) -> list[tuple[float, float]]:
    """Return the strongest hits of the picture in a scene, at least 8 s apart, film seconds and weight."""
    rate = film.timeline.rate
    found = []
    for piece in film.pieces:
        clip = piece.clip
        shift = float(clip.start / rate) - float(clip.source_in / clip.source_rate)
        found += [
            (h.time + shift, h.strength)
            for h in piece.hits
            if h.strength >= 0.6
            and clip.start / rate <= h.time + shift < clip.end / rate
            and span.start + 4 < h.time + shift < span.end - 4
        ]
    out: list[tuple[float, float]] = []
    for time, strength in sorted(found, key=lambda f: -f[1]):
        if all(abs(time - t) >= 8 for t, _ in out):
            out.append((time, strength))
    return sorted(out[: max(1, int(span.length / 12))])


def levelled(cue: Cue, song: Song, need: SceneNeed) -> Cue:
    """Return `cue` at its level, with its usage for the cue sheet."""
    from backbeat.decide.choose import sung
    from backbeat.verbs.mixing import music_gain

    usage = "background vocal" if sung(song) > 0.1 else "background instrumental"
    # under a scene that is mostly talk, music sits lower from the start
    return replace(cue, gain_db=music_gain(song.loudness) - (3.0 if need.speech > 0.5 else 0.0), usage=usage)


def why(need: SceneNeed, song: Song) -> str:
    """Return the weightiest reasons in words."""
    from backbeat.decide.choose import terms

    if need.pin:
        return "the editor's choice"
    return "; ".join(t.why for t in terms(need, song)[:3])
