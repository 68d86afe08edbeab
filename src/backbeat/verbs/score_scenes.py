# SPDX-License-Identifier: Apache-2.0
"""A song brought to a scene of a film that is to be scored: its length, its hits, its place under the dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, NoEditError
from backbeat.model.cue import Cue, Seam
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.verbs.production import film_hits
from backbeat.verbs.sync_scene import Scene

if TYPE_CHECKING:
    from backbeat.decide.choose import Choice
    from backbeat.decide.choose_terms import SceneNeed, Term
    from backbeat.verbs.retarget_ground import Ground
    from backbeat.verbs.retarget_report import Retargeted, SeamReport

OVERLAP = 2.0  # s by which a song rings on under the next one's downbeat
BREATH = 0.5  # s of quiet before the next song, where a breath is asked for
_LOOP = 3.0  # s over which a song without a beat runs into itself, where it must be longer than it is
_LEAST_LOOP = 3.0  # s of song that may be heard over and over
_DRIFTING = 0.2  # confidence of the beat under which there is none to join on
_DRAG = 0.04  # stretch from which a song is rather begun again than dragged
_SHORT = 6.0  # s: shorter scenes get a stretch of the song, no path through it
_BEATS = 16  # fewer give no path either
_KEPT = 3  # songs held ready at once


@dataclass(frozen=True, slots=True)
class ScoredScene:
    """A scene's music: the song, the reasons for it, the short list, and what was done to the song.

    `terms` are the song's own and those of its neighbours; they sum to what it costs. `confidence` (0..1) that a scene
    begins there and `found` (what told so) are of scenes that nobody gave. `sung_talk` are the seconds of singing under
    dialogue, `sung_talk_before` what they would be had nobody cared.
    """

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
    terms: tuple[Term, ...] = ()
    words: tuple[str, ...] = ()
    confidence: float = 1.0
    found: str = ""
    sung_talk: float = 0.0
    sung_talk_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A cue, and what is told of it."""

    cue: Cue
    told: ScoredScene


class Grounds:
    """Songs made ready to be retargeted; the last few are kept, so that a song in many scenes is made ready once."""

    def __init__(self) -> None:
        self._kept: dict[str, Ground] = {}

    def of(self, song: Song) -> Ground:
        """Return the song made ready.

        Raises
        ------
        InputError
            If it has too few beats.
        MediaError
            If its sound cannot be read.
        """
        from backbeat.verbs.retarget_ground import prepare

        ground = self._kept.pop(song.path, None) or prepare(song)
        self._kept[song.path] = ground  # last used last
        while len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)))
        return ground


def fit_song(
    song: Song,
    span: Span,
    film: Scene,
    *,
    first: bool,
    last: bool,
    join: str,
    talk: Sequence[Span] = (),
    song_in: float | None = None,
    turns: Sequence[float] = (),
    grounds: Grounds | None = None,
) -> Fitted:
    """Bring a song to its scene: in on a downbeat, its last beat on the next scene's first picture.

    `talk` are seconds of the scene in which somebody speaks: instrumental stretches are laid there where the song has
    them. `song_in` asks for a passage of the song. `turns` are film seconds that want a strong beat, as where the song
    goes on from one scene into the next.
    """
    from backbeat.decide.retarget import Event
    from backbeat.verbs.retarget import fit

    ringing = join == "ring-out" and not last
    length = span.length + (OVERLAP if ringing else 0.0) - (BREATH if join == "breath" and not last else 0.0)
    if span.length < _SHORT:
        return plain(song, span, "the scene is short", song_in=song_in)
    if len(song.beats) < _BEATS or song.beat_confidence < _DRIFTING:
        return plain(song, span, "the song has no beat to join on", song_in=song_in)
    met = [(t, w) for t, w in strong_hits(film, span) if all(abs(t - at) >= 4 for at in turns)]
    hits = [Event(t - span.start, w) for t, w in sorted([*met, *((at, 1.0) for at in turns)])]

    def made_for(ground: Ground, spoken: Sequence[Span]) -> Retargeted:
        return fit(
            ground, length, hits=hits, entry="start" if first and not hits else "downbeat",
            ending="ring-out" if ringing else "auto", tail=OVERLAP if ringing else None, start=span.start,
            talk=spoken, song_in=song_in,
        )  # fmt: skip

    try:
        ground = (grounds or Grounds()).of(song)
        made = made_for(ground, talk)
        bare = made_for(ground, ()) if talk and song.vocals else made
    except (InputError, NoEditError):
        return plain(song, span, "there is no way through the song of that length", song_in=song_in)
    if abs(made.ratio - 1) > _DRAG:
        return plain(song, span, f"the song would have to be stretched by {abs(made.ratio - 1):.0%}", song_in=song_in)
    cue = replace(made.cue, name=song.tags.title or Path(song.path).stem)
    told = ScoredScene(
        span.start, span.end, song.path, "", (), made.seams, made.clean, made.ending, made.ratio - 1,
        tuple((span.start + a, span.start + b) for a, b in made.hits), made.notes,
        sung_talk=sung_under(made.cue, song, talk), sung_talk_before=sung_under(bare.cue, song, talk),
    )  # fmt: skip
    return Fitted(cue, told)


def parted(told: ScoredScene, spans: Sequence[Span]) -> tuple[ScoredScene, ...]:
    """Return what is told of one song over several scenes, for each scene: its own seams and hits."""
    return tuple(
        replace(
            told, start=s.start, end=s.end, seams=tuple(x for x in told.seams if s.start <= x.at < s.end),
            hits=tuple(h for h in told.hits if s.start <= h[0] < s.end),
            ending=told.ending if i == len(spans) - 1 else "goes on",
            sung_talk=told.sung_talk if not i else 0.0, sung_talk_before=told.sung_talk_before if not i else 0.0,
            notes=told.notes if not i else ("the song goes on from the scene before",),
        )
        for i, s in enumerate(spans)
    )  # fmt: skip


def sung_under(cue: Cue, song: Song, talk: Sequence[Span]) -> float:
    """Return the seconds of a cue that are sung while somebody speaks; `talk` are seconds after its start."""
    from backbeat.decide.retarget_cue import cue_spans

    said = [Span(cue.start + w.start, cue.start + w.end) for w in talk]
    return round(sum(v.overlap(w) for v in cue_spans(cue, song.vocals) for w in said), 3)


def plain(song: Song, span: Span, why: str, *, song_in: float | None = None) -> Fitted:
    """Return a stretch of the song from its most intense section (or its start), faded out; `why` it is no more.

    A song that is over before the scene goes on from its beginning: on a downbeat, or where it has no beat over three
    seconds in which it sounds at its usual level.
    """
    best = max(song.sections, key=lambda s: s.energy, default=None)
    into = best.start if best is not None and best.start + span.length < song.duration else 0.0
    into = min(song_in, max(0.0, song.duration - 1.0)) if song_in is not None else into
    notes = [f"{why}: a stretch of the song, faded out"]
    end, seams = span.start + min(span.length, song.duration - into), _loops(song, into, span.length)
    if seams:
        end = span.end
        notes = [f"{why}: it begins again {len(seams)} times"]
    elif span.end - end > 0.5:
        notes.append(f"the song is over {span.end - end:.1f} s before the scene")
    name = song.tags.title or Path(song.path).stem
    fade = min(1.0, (end - span.start) / 3)
    cue = Cue(song.path, span.start, end, song_in=into, fade_in=0.01, fade_out=fade, name=name, seams=seams)
    return Fitted(cue, ScoredScene(span.start, span.end, song.path, "", (), (), True, "fade", 0.0, (), tuple(notes)))


def _loops(song: Song, into: float, length: float) -> tuple[Seam, ...]:
    """Return the places where a song that ends too soon goes on from its beginning, none where that cannot be heard."""
    if song.duration - into >= length:
        return ()
    values = song.energy
    usual = sorted(values)[len(values) // 2] if values else 0.0
    sounding = [i * song.energy_step for i, v in enumerate(values) if v >= 0.5 * usual]
    if not sounding:
        return ()
    first, last, fade = sounding[0] + _LOOP / 2, sounding[-1] - _LOOP / 2, _LOOP
    beats = [b.time for b in song.beats if b.time <= sounding[-1] + song.energy_step]
    bars = [b.time for b in song.beats if b.position == 1 and b.time in beats] or beats[::4]
    if song.beat_confidence >= _DRIFTING and len(bars) > 2:
        first, last, fade = bars[0] - 0.012, bars[-1] - 0.012, 0.025
    if first < 0 or last - first < _LEAST_LOOP or last <= into:
        return ()
    played, seams = last - into, [Seam(last, first, 0.0, fade)]
    while played + (last - first) < length - 1.0:
        played += last - first
        seams.append(Seam(last, first, 0.0, fade))
    return tuple(seams)


def strong_hits(film: Scene, span: Span) -> list[tuple[float, float]]:
    """Return the strongest hits of the picture in a scene, at least 8 s apart, film seconds and weight."""
    found = [(t, w) for t, w, _ in film_hits(film) if w >= 0.6 and span.start + 4 < t < span.end - 4]
    out: list[tuple[float, float]] = []
    for time, strength in sorted(found, key=lambda f: -f[1]):
        if all(abs(time - t) >= 8 for t, _ in out):
            out.append((time, strength))
    return sorted(out[: max(1, int(span.length / 12))])


def levelled(cue: Cue, song: Song, need: SceneNeed) -> Cue:
    """Return `cue` at its level, with its usage for the cue sheet."""
    from backbeat.decide.retarget_cue import cue_spans
    from backbeat.verbs.mixing import music_gain

    heard = sum(v.length for v in cue_spans(cue, song.vocals)) > 0.1 * (cue.end - cue.start)
    how = "vocal" if heard else "instrumental"
    usage = f"{'visual' if 'visual' in need.words else 'background'} {how}"
    if any(path == song.path for _, path, _ in need.themes):
        usage = "theme"
    # under a scene that is mostly talk, music sits lower from the start
    return replace(cue, gain_db=music_gain(song.loudness) - (3.0 if need.speech > 0.5 else 0.0), usage=usage)


def why(need: SceneNeed, found: Sequence[Term]) -> str:
    """Return the weightiest reasons in words."""
    if need.pin:
        return "the editor's choice"
    return "; ".join(t.why for t in sorted(found, key=lambda t: -abs(t.cost))[:3])
