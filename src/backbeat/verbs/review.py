# SPDX-License-Identifier: Apache-2.0
"""``review``: an honest verdict on any film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from backbeat.errors import InputError, MediaError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.film import Film, Mix
from backbeat.model.review import Curve, Mark, Review
from backbeat.model.time import clock
from backbeat.verbs.review_music import MusicHeard, hear_music
from backbeat.verbs.session import Session
from backbeat.work import output
from backbeat.work.cache import fingerprint, key_of

if TYPE_CHECKING:
    from backbeat.listen.mixdown import Mixdown
    from backbeat.model.timeline import Timeline
    from backbeat.watch.film import FilmSeen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What is asked.

    `song`: a file that sounds in the film. `beats`: a text file of times. `timeline`: the film's .otio. `against`:
    reference films. `output`: the report (.html), "" for none.
    """

    film: str
    song: str = ""
    beats: str = ""
    timeline: str = ""
    against: tuple[str, ...] = ()
    output: str = ""
    force: bool = False
    tracker: str = "own"


@dataclass(frozen=True, slots=True)
class _Facts:
    """A film watched and heard, its music aside."""

    seen: FilmSeen
    sound: Mixdown | None

    @property
    def mix(self) -> Mix | None:
        return self.sound.mix if self.sound else None


def review(options: ReviewOptions, session: Session) -> Review:
    """Judge a film and write its report.

    Raises
    ------
    InputError
        If a file is missing, the song is not heard in the film, or the report cannot be written.
    MediaError
        If the film cannot be read.
    """
    inputs = [p for p in (options.film, options.song, options.beats, options.timeline, *options.against) if p]
    if options.output:
        output.check(options.output, force=options.force, inputs=inputs, suffixes=(".html", ".htm"))
    timeline = _load(options.timeline)
    facts = _facts(options.film, session)
    film = facts.seen.film
    heard = hear_music(
        options.film,
        facts.seen.media,
        session,
        spans=film.music,
        song=options.song,
        beats=options.beats,
        tracker=options.tracker,
        solved_on=tuple(m.time for m in timeline.markers if m.kind in {"beat", "downbeat"}) if timeline else (),
    )
    if heard.music is not None and not heard.music.song_known and facts.seen.media.has_sound:
        from backbeat.verbs.review_joins import by_ear

        joins = by_ear(options.film, heard.music.beats, facts.seen.media, timeline)
        heard = replace(heard, music=replace(heard.music, joins=joins))
    references = [_facts(path, session) for path in options.against]
    verdict = judge(facts, heard, references, timeline, options, session)
    if options.output:
        from backbeat.exchange.report import save

        save(verdict, options.output)
    return verdict


def judge(
    facts: _Facts,
    heard: MusicHeard,
    references: Sequence[_Facts],
    timeline: Timeline | None,
    options: ReviewOptions,
    session: Session,
) -> Review:
    """Return the verdict on what was seen and heard."""
    from backbeat.decide import judge_cutting, judge_pace, judge_picture, judge_runtime, judge_sound, judge_verdict

    film, music, mix = facts.seen.film, heard.music, facts.mix
    notes = [*heard.notes, *facts.seen.media.warnings]
    differences: tuple[str, ...] | None = None
    shares: dict[str, float] = {}
    if timeline is not None:
        from backbeat.verbs.review_timeline import against_timeline, character_shares

        found = against_timeline(options.film, film, timeline, session)
        differences, film = found.differences, replace(film, offset=found.offset)
        notes += found.notes
        shares = character_shares(timeline)
    lively = judge_runtime.liveliness(film, None, mix)
    others = [judge_runtime.liveliness(r.seen.film, None, r.mix) for r in references]
    aspects = judge_verdict.settle(
        [
            judge_cutting.cutting(film, music),
            judge_cutting.action(film, music),
            judge_pace.pace(film, music),
            judge_sound.weave(film, music, mix),
            judge_sound.dialogue(film, music, mix),
            judge_picture.picture(film),
            judge_picture.characters(shares),
            judge_runtime.runtime(film, lively, others),
            judge_sound.technique(film, mix, differences),
        ]
    )
    stars = judge_verdict.overall(aspects)
    return Review(
        film=options.film,
        duration=film.duration,
        rate=f"{film.rate.numerator}/{film.rate.denominator}",
        stars=stars,
        verdict=judge_verdict.verdict(aspects, stars),
        aspects=aspects,
        moments=judge_verdict.worst_moments(aspects),
        music=heard.told,
        notes=tuple(notes),
        curves=_curves(film, heard, facts.sound, lively.tolist()),
        marks=_marks(film, heard),
        pictures=facts.seen.pictures,
    )


def _facts(path: str, session: Session) -> _Facts:
    """Return what is seen and heard in a film; kept by content."""
    from backbeat.watch import film as watching

    session.progress.start(f"watching {Path(path).name}", 0)
    try:
        key = key_of(fingerprint(path), "film", watching.VERSION)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "check the name") from error
    seen = _stored(session, key, watching.FilmSeen)
    if seen is None:
        seen = watching.look_at_film(path)
        session.cache.put(key, to_plain(seen))
    seen = replace(seen, media=replace(seen.media, path=path))
    sound = _mixdown(path, seen, session)
    session.progress.stop()
    return _Facts(seen, sound)


def _mixdown(path: str, seen: FilmSeen, session: Session) -> Mixdown | None:
    from backbeat.listen import mixdown as listening

    if not seen.media.has_sound:
        return None
    key = key_of(fingerprint(path), "mixdown", listening.VERSION)
    if (kept := _stored(session, key, listening.Mixdown)) is not None:
        return kept
    from backbeat.media.samples import read_sound

    try:
        sound = read_sound(path, rate=listening.RATE, channels=2)
    except MediaError:
        return None  # a sound stream without sound: the picture can still be judged
    made = listening.mixdown(sound.samples, seen.media.sound_offset, seen.media.duration)
    session.cache.put(key, to_plain(made))
    return made


def _stored(session: Session, key: str, kind: type[T]) -> T | None:
    if (kept := session.cache.get(key)) is None:
        return None
    try:
        return from_plain(kind, kept)
    except (TypeError, ValueError, KeyError):
        return None


def _load(path: str) -> Timeline | None:
    if not path:
        return None
    from backbeat.exchange import otio

    if Path(path).suffix.lower() != ".otio":
        raise InputError(f"{path}: not an .otio file", "give the film's timeline, film.otio")
    return otio.load(path)


def _curves(film: Film, heard: MusicHeard, sound: Mixdown | None, lively: list[float]) -> tuple[Curve, ...]:
    from backbeat.decide.judge_runtime import HOP

    found = []
    if sound is not None and sound.wave:
        found.append(Curve("wave", film.duration / len(sound.wave), sound.wave))
    if heard.music is not None and heard.music.energy:
        found.append(Curve("energy", heard.music.energy_step, heard.music.energy))
    if film.cuts:
        found.append(Curve("pace", 1.0, _cut_rate(film)))
    if film.shots:
        motion = [(s.start_frame, round(s.motion, 3)) for s in film.shots]
        steps = range(0, film.frames, max(1, round(film.rate)))
        at, values = 0, []
        for frame in steps:
            while at + 1 < len(motion) and motion[at + 1][0] <= frame:
                at += 1
            values.append(motion[at][1])
        found.append(Curve("motion", 1.0, tuple(values)))
    found.append(Curve("lively", HOP, tuple(round(v, 3) for v in lively)))
    return tuple(found)


def _cut_rate(film: Film) -> tuple[float, ...]:
    """Return cuts a second about every second (kernel of 4 s), scaled to 0..1."""
    import numpy as np

    times = np.arange(int(film.duration) + 1) + 0.5
    rate = np.exp(-0.5 * ((times[:, None] - np.asarray(film.cut_times)[None, :]) / 4.0) ** 2).sum(1)
    return tuple(np.round(rate / max(float(rate.max()), 1e-9), 3).tolist())


def _marks(film: Film, heard: MusicHeard) -> tuple[Mark, ...]:
    from backbeat.decide.judge import CUT_WINDOW
    from backbeat.decide.judge_cutting import STRONG, classes_of

    music = heard.music
    marks = []
    if music is not None:
        marks += [
            Mark(round(b.time, 4), "downbeat" if b.position == 1 else "beat", strength=round(b.strength, 2))
            for b in music.beats
        ]
        marks += [
            Mark(round(s.start, 3), "section", s.role or s.label, round(s.end - s.start, 3), round(s.energy, 2))
            for s in music.sections
        ]
        marks += [Mark(round(j.time, 3), "seam", j.name) for j in music.joins]
        classes = classes_of(film.cut_times, music, CUT_WINDOW.seconds(film.rate))
    else:
        classes = ["off"] * len(film.cuts)
    soft = set(film.gradual)
    marks += [
        Mark(float(round(f / film.rate, 4)), "cut", "gradual" if f in soft else c)
        for f, c in zip(film.cuts, classes, strict=True)
    ]
    marks += [Mark(round(h.time, 3), "hit", h.kind, strength=h.strength) for h in film.hits if h.strength >= STRONG]
    marks += [Mark(round(s.span.start, 2), "speech", "", round(s.span.length, 2)) for s in film.speech]
    return tuple(sorted(marks, key=lambda m: m.time))


def as_json(found: Review) -> dict[str, object]:
    """Return the verdict as one plain object of the schema ``backbeat.review/1`` (docs/review.md)."""
    from backbeat.model.review import REVIEW_SCHEMA

    aspects: dict[str, object] = {}
    for a in found.aspects:
        if a.stars is None and not a.figures:
            aspects[a.key] = {"stars": None, "reason": a.finding}
            continue
        told: dict[str, object] = {"stars": a.stars, "reason" if a.stars is None else "finding": a.finding}
        if a.estimated:
            told["estimated"] = True
        aspects[a.key] = told | {f.key: None if f.value is None else round(f.value, 4) for f in a.figures}
    return {
        "schema": REVIEW_SCHEMA,
        "film": found.film,
        "duration": round(found.duration, 4),
        "rate": found.rate,
        "stars": found.stars,
        "verdict": found.verdict,
        "music": found.music,
        "aspects": aspects,
        "moments": [
            {
                "time": round(m.time, 3), "clock": clock(m.time), "length": round(m.length, 3), "aspect": m.aspect,
                "what": m.what, "todo": m.todo, "weight": round(m.weight, 3),
            }
            for m in found.moments
        ],
        "notes": list(found.notes),
    }  # fmt: skip
