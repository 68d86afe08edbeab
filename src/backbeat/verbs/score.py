# SPDX-License-Identifier: Apache-2.0
"""``score``: a locked picture and a library of songs become a film with music, mixed under its dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError, NoEditError
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.model.timeline import Marker
from backbeat.verbs.score_library import Theme, library_of, themes_of
from backbeat.verbs.score_needs import SceneSpan, film_words, need_of, spans_of
from backbeat.verbs.score_scenes import Grounds, ScoredScene, fit_song, levelled, parted, why
from backbeat.verbs.session import Session
from backbeat.verbs.sync_scene import Scene, read_scene

if TYPE_CHECKING:
    from backbeat.decide.choose_terms import SceneNeed
    from backbeat.decide.mix import Delivery
    from backbeat.decide.room_tone import Patch
    from backbeat.decide.snap import Nudge
    from backbeat.make.check import Checked
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.mixing import Line

FILMS = (".mp4", ".mov", ".m4v", ".mkv")


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """What the editor asks for. `scenes` empty: they are found. `join`: ring-out or breath."""

    film: str
    songs: tuple[str, ...]
    output: str
    scenes: tuple[SceneSpan, ...] = ()
    forbid: tuple[str, ...] = ()
    themes: tuple[Theme, ...] = ()
    join: str = "ring-out"
    loudness: str = "streaming"
    subtitles: str = ""
    media: tuple[str, ...] = ()
    stems: bool = False
    snap_effects: bool = False
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of it; `proven`: no other assignment of songs to scenes costs less."""

    film: str
    timeline_file: str
    cue_sheets: tuple[str, ...]
    timeline: Timeline
    scenes: tuple[ScoredScene, ...]
    proven: bool
    lines: tuple[Line, ...]
    rights: tuple[str, ...]
    delivery: Delivery
    words: tuple[Span, ...] = ()
    stems: tuple[str, ...] = ()
    snapped: tuple[Nudge, ...] = ()
    room_tone: tuple[Patch, ...] = ()
    checked: Checked | None = None
    notes: tuple[str, ...] = ()


def score(options: ScoreOptions, session: Session) -> Scored:
    """Choose songs for the scenes of a locked film, fit them to length, join, mix, and write everything.

    Raises
    ------
    InputError, MediaError, NoEditError, MissingPartError
        See `backbeat.errors`.
    """
    from backbeat.decide.choose import around, assign, ranked
    from backbeat.decide.choose_terms import terms
    from backbeat.decide.mix import delivery_of
    from backbeat.exchange.cuesheet import rows_of, warnings_of
    from backbeat.exchange.subtitles import read_subtitles
    from backbeat.verbs.mixing import mixed
    from backbeat.verbs.production import Snapped, film_hits, snapped

    _check(options)
    subtitles = [s.span for s in read_subtitles(options.subtitles)] if options.subtitles else []
    pinned = [s.song for s in options.scenes if s.song and Path(s.song).is_file()]
    given = [t.song for t in options.themes if Path(t.song).is_file()]
    library, left_out = library_of(options.songs, session, also=[*pinned, *given])
    themes = themes_of(options.themes, library)
    scene = read_scene(options.film, session, media=options.media, subtitles=subtitles)
    timeline = locked(scene)
    spans = spans_of(options.scenes, scene)
    words = film_words(scene)
    told_themes = {t.character: t.song for t in themes}
    needs = [need_of(s, i, scene, words, library, options.forbid, told_themes) for i, s in enumerate(spans, 1)]
    session.progress.start("choosing songs", 0)
    try:
        chosen = assign(needs, library)
    except ValueError:
        raise NoEditError(
            "a scene may have none of the songs", "forbid fewer songs, or give more with --songs"
        ) from None
    session.progress.start("fitting songs to scenes", len(spans), "scenes")
    told: list[ScoredScene] = []
    cues, grounds = [], Grounds()
    for first, last in _runs(spans, chosen.songs):
        mine, song, need = spans[first:last], library[chosen.songs[first]], needs[first]
        start = mine[0].span.start
        fitted = fit_song(
            song, Span(start, mine[-1].span.end), scene, first=first == 0, last=last == len(spans), join=options.join,
            talk=[Span(w.start - start + s.span.start, w.end - start + s.span.start)
                  for s, n in zip(mine, needs[first:last], strict=True) for w in n.talk],
            song_in=_passage(themes, need, song), turns=[s.span.start for s in mine[1:]], grounds=grounds,
        )  # fmt: skip
        cues.append(levelled(fitted.cue, song, need))
        told += parted(fitted.told, [s.span for s in mine])
        session.progress.advance(len(mine))
    told = [
        replace(
            t, ranked=ranked(n, library)[:5], why=why(n, reasons), terms=reasons, words=s.words,
            confidence=s.confidence, found=s.found,
        )
        for i, (t, s, n) in enumerate(zip(told, spans, needs, strict=True))
        for reasons in [(*terms(n, library[chosen.songs[i]]), *around(chosen.songs, i, library))]
    ]  # fmt: skip
    marks = tuple(Marker(c.start, "cue", c.name, c.end - c.start) for c in cues)
    timeline = replace(timeline, cues=tuple(cues), markers=(*timeline.markers, *marks), name=Path(options.output).stem)
    session.progress.start("mixing", 0)
    moved = snapped(timeline, scene, library, words) if options.snap_effects else Snapped(timeline)
    done = mixed(moved.timeline, words, busy=[Span(t - 0.1, t + 0.6) for t, _, _ in film_hits(scene)])
    session.progress.stop()
    rows = rows_of(done.timeline.cues, {s.path: s.tags for s in library}, timeline.rate)
    result = Scored(
        film="", timeline_file="", cue_sheets=(), timeline=done.timeline, scenes=tuple(told), proven=chosen.proven,
        lines=done.lines, rights=warnings_of(rows), delivery=delivery_of(options.loudness, words, timeline.duration),
        words=words, snapped=moved.moves, room_tone=done.room_tone, notes=(*left_out, *_useful(scene)),
    )  # fmt: skip
    return result if options.dry_run else _made(options, result, library, scene, session)


def _check(options: ScoreOptions) -> None:
    from backbeat.decide.mix import LOUDNESS
    from backbeat.work import output

    if not Path(options.film).is_file():
        raise InputError(f"{options.film}: no such film", "check the name")
    if options.loudness not in LOUDNESS:
        raise InputError(f"--loudness {options.loudness}: no such delivery", f"use {', '.join(LOUDNESS)}")
    if options.join not in {"ring-out", "breath"}:
        raise InputError(f"--join {options.join}: no such join", "use ring-out or breath")
    if not options.dry_run:
        output.check(options.output, force=options.force, inputs=(options.film,), suffixes=FILMS)
        stems = [f".{name}.flac" for name in ("music", "dialogue", "effects", "takes") if options.stems]
        for suffix in (".otio", ".cues.csv", ".cues.html", *stems):
            output.check(str(Path(options.output).with_suffix(suffix)), force=options.force, inputs=(options.film,))


def _runs(spans: Sequence[SceneSpan], songs: Sequence[int]) -> list[tuple[int, int]]:
    """Return half-open runs of scenes that follow each other with one song: it goes on, it does not begin anew."""
    out: list[tuple[int, int]] = []
    for i, scene in enumerate(spans):
        if out and songs[i] == songs[i - 1] and scene.span.start - spans[i - 1].span.end < 0.05:
            out[-1] = (out[-1][0], i + 1)
        else:
            out.append((i, i + 1))
    return out


def _passage(themes: Sequence[Theme], need: SceneNeed, song: Song) -> float | None:
    """Return where the passage of a theme begins, where `song` is in the scene as one."""
    met = {who for who, path, _ in need.themes if path == song.path}
    return next((t.start for t in themes if t.character in met), None)


def locked(scene: Scene) -> Timeline:
    """Return the film as one timeline whose production sound is heard and whose music is gone."""
    pieces = scene.pieces
    timeline = replace(scene.timeline, cues=())
    if len(timeline.tracks) == 1 and timeline.tracks[0].kind == "picture":
        clips = tuple(p.clip for p in pieces if p.clip.take or p.clip.title)
        if len(scene.sources) == 1 and clips:  # a finished film: one clip, not one a shot
            clips = (replace(clips[0], frames=timeline.frames, source_in=0, start=0, name=timeline.name, shot=-1),)
        timeline = replace(timeline, tracks=(replace(timeline.tracks[0], clips=clips),))
    return timeline


def _useful(scene: Scene) -> tuple[str, ...]:
    notes = [n for n in scene.notes if "only its hits" not in n]
    if not any(p.words for p in scene.pieces):
        notes.append("no speech was found in the film, so nothing is ducked")
    return tuple(notes)


def _made(options: ScoreOptions, result: Scored, library: Sequence[Song], scene: Scene, session: Session) -> Scored:
    from backbeat.exchange import cuesheet, otio
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.verbs.mixing import delivered
    from backbeat.work import output

    base = Path(options.output)
    papers, table, page = (str(base.with_suffix(s)) for s in (".otio", ".cues.csv", ".cues.html"))
    sources = (*scene.sources, *(s.path for s in library))
    output.check(options.output, force=options.force, inputs=sources, suffixes=FILMS)
    settings = replace(
        delivered(options.loudness, result.words, result.timeline.duration), stems=options.stems,
        stem_name=options.output, workers=session.workers,
    )  # fmt: skip
    rows = cuesheet.rows_of(result.timeline.cues, {s.path: s.tags for s in library}, result.timeline.rate)
    with output.placed(papers) as paper, output.placed(options.output) as picture:
        rendered = render(result.timeline, picture, settings=settings, progress=session.progress)
        session.progress.start("checking the film", 0)
        checked = check(picture, result.timeline, settings=settings, looks=rendered.looks)
        session.progress.stop()
        if checked.differences:
            raise MediaError(
                f"{options.output}: the finished film is not what the timeline says ({checked.differences[0]})",
                "run again; if it comes back, a source file changed or is damaged where the film uses it",
            )
        otio.save(result.timeline, paper)
    cuesheet.save(cuesheet.to_csv(rows), table)
    sheet = cuesheet.to_html(rows, film=base.stem, length=result.timeline.duration, warnings=result.rights)
    cuesheet.save(sheet, page)
    return replace(
        result, film=options.output, timeline_file=papers, cue_sheets=(table, page), checked=checked,
        stems=rendered.stems,
        notes=(*result.notes, *rendered.warnings),
    )  # fmt: skip


def as_json(result: Scored) -> dict[str, object]:
    """Return the summary as one plain object."""
    return {
        "film": result.film or None,
        "timeline": result.timeline_file or None,
        "cue_sheets": result.cue_sheets,
        "duration": result.timeline.duration,
        "frames": result.timeline.frames,
        "rate_exact": str(result.timeline.rate),
        "scenes": result.scenes,
        "assignment_proven": result.proven,
        "cues": result.timeline.cues,
        "lines": result.lines,
        "room_tone": result.room_tone,
        "snapped_effects": result.snapped,
        "stems": result.stems,
        "delivery": result.delivery,
        "rights": result.rights,
        "loudness": None if result.checked is None else result.checked.loudness,
        "notes": result.notes,
    }
