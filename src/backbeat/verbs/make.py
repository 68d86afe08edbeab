# SPDX-License-Identifier: Apache-2.0
"""``make``: a whole film of several scenes, each cut to its song, woven into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import MediaError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.time import Span, clock, frame_at, seconds_at
from backbeat.verbs import make_scene
from backbeat.verbs.make_joins import JoinMade, Placed, join_all
from backbeat.verbs.make_plan import arrange, format_for, gather
from backbeat.verbs.make_scene import SceneCut, SceneJob
from backbeat.verbs.make_songs import Picked, hear, pick
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.exchange.cuesheet import CueRow
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.make.check import Checked
    from backbeat.model.project import Project, ScenePlan
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.mixing import Line


@dataclass(frozen=True, slots=True)
class MakeOptions:
    """What the command adds to the project; `output` "" takes the project's."""

    project: str
    output: str = ""
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class MadeScene:
    """A scene of the film: where it lies, its song and why, how well it is cut, and how its music hands over.

    `kept`: nothing of it had changed, so it was not solved again.
    """

    name: str
    start: float
    end: float
    song: str
    why: str
    song_in: float
    cuts: int
    cuts_on_beat: float
    cuts_chance: float
    hits: int
    hits_on_beat: float
    gap: float
    seams: tuple[tuple[float, float], ...]
    ending: str
    kept: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it. `failed` are (scene, reason); `scenes` are those in the film."""

    film: str
    timeline_file: str
    cue_sheets: tuple[str, ...]
    subtitles_file: str
    timeline: Timeline
    scenes: tuple[MadeScene, ...]
    joins: tuple[JoinMade, ...]
    failed: tuple[tuple[str, str], ...]
    proven: bool
    lines: tuple[Line, ...]
    rights: tuple[str, ...]
    checked: Checked | None = None
    notes: tuple[str, ...] = ()


def make(options: MakeOptions, session: Session) -> Made:
    """Make the film of a project file.

    Raises
    ------
    InputError, MediaError, NoEditError, MissingPartError
        See `backbeat.errors`. A scene that cannot be made is left out and named, unless none can.
    """
    from backbeat.exchange.cuesheet import rows_of, warnings_of
    from backbeat.exchange.project import read
    from backbeat.verbs.mixing import mixed

    project = read(options.project)
    if options.output:
        project = replace(project, output=options.output)
    _check(project, options)
    songs, unheard = hear(project, session)
    gathered = gather(project, session)
    picked = pick(project, gathered.scenes, songs)
    rate, width, height = format_for(project, gathered.scenes)
    jobs = arrange(project, gathered.scenes, picked, rate, (width, height))
    cut, broken = solve_all(jobs, session)
    if not cut:
        raise MediaError(f"{project.path}: no scene could be cut ({broken[0][1]})", "mend its footage or its length")
    plans = [m.plan for m in gathered.scenes]
    woven = _woven(project, cut, picked, jobs, plans, session)
    lasts = woven.timeline.duration
    short: tuple[str, ...] = ()
    if project.length is not None and lasts < project.length - 0.5:
        short = (
            f"the film lasts {clock(lasts)} of the {clock(project.length)} asked for: its footage carries no more",
        )
    session.progress.start("mixing", 0)
    done = mixed(woven.timeline, woven.words)
    session.progress.stop()
    rows = rows_of(done.timeline.cues, {s.path: s.tags for s in songs}, rate)
    made = Made(
        film="", timeline_file="", cue_sheets=(), subtitles_file="", timeline=done.timeline, scenes=woven.scenes,
        joins=woven.joins,
        failed=(*gathered.failed, *broken), proven=picked.proven, lines=done.lines, rights=warnings_of(rows),
        notes=(*unheard, *gathered.notes, *short),
    )  # fmt: skip
    return made if options.dry_run else _written(project, options, made, rows, woven.subtitles, session)


def _outputs(project: Project) -> tuple[str, str, str, str]:
    base = Path(project.output)
    papers, table, page = (str(base.with_suffix(s)) for s in (".otio", ".cues.csv", ".cues.html"))
    return project.output, papers, table, page


def _check(project: Project, options: MakeOptions) -> None:
    from backbeat.exchange.project import FILMS
    from backbeat.work import output

    if options.dry_run:
        return
    named = (p for s in project.scenes for p in (s.edit, s.subtitles) if p)
    inputs = (project.path, *named)
    wanted = [*_outputs(project)]
    if any(s.subtitles for s in project.scenes):
        wanted.append(str(Path(project.output).with_suffix(".srt")))
    for i, path in enumerate(wanted):
        output.check(path, force=options.force, inputs=inputs, suffixes=FILMS if i == 0 else ())


def solve_all(
    jobs: Sequence[SceneJob], session: Session
) -> tuple[tuple[tuple[int, SceneCut, bool], ...], tuple[tuple[str, str], ...]]:
    """Solve the scenes, in parallel and each by itself; what is known of one comes from the cache.

    Returns (number of the job, its scene, whether it was known) in order, and (scene, reason) of those that failed.
    """
    from backbeat.errors import BackbeatError
    from backbeat.work.cache import key_of
    from backbeat.work.pool import each, open_pool

    keys = [key_of("scene", make_scene.VERSION, to_plain(job)) for job in jobs]
    found: dict[int, tuple[SceneCut, bool]] = {}
    for i, key in enumerate(keys):
        known = _read(session.cache.get(key))
        if known is not None:
            found[i] = (known, True)
    todo = [i for i in range(len(jobs)) if i not in found]
    failed: dict[int, str] = {}
    if todo:
        session.progress.start("cutting scenes", len(todo), "scenes")
        with open_pool(session.workers if len(todo) > 1 else "1") as pool:
            for index, result in each(pool, make_scene.solve, [jobs[i] for i in todo]):
                i = todo[index]
                if isinstance(result, BackbeatError):
                    failed[i] = result.message
                elif isinstance(result, Exception):
                    raise result
                else:
                    found[i] = (result, False)
                    session.cache.put(keys[i], to_plain(result))
                session.progress.advance()
        session.progress.stop()
    return (
        tuple((i, *found[i]) for i in sorted(found)),
        tuple((jobs[i].name, reason) for i, reason in sorted(failed.items())),
    )


def _read(kept: object) -> SceneCut | None:
    try:
        return None if kept is None else from_plain(SceneCut, kept)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class _Woven:
    """The scenes as one timeline with its cues, what is told of scenes and joins, and where somebody speaks."""

    timeline: Timeline
    scenes: tuple[MadeScene, ...]
    joins: tuple[JoinMade, ...]
    words: tuple[Span, ...]
    subtitles: tuple[Subtitle, ...]


def _woven(
    project: Project,
    cut: Sequence[tuple[int, SceneCut, bool]],
    picked: Picked,
    jobs: Sequence[SceneJob],
    plans: Sequence[ScenePlan],
    session: Session,
) -> _Woven:
    from backbeat.decide.strung import strung
    from backbeat.model.timeline import Marker
    from backbeat.verbs.score_scenes import levelled

    timeline = strung([scene.timeline for _, scene, _ in cut], Path(project.output).stem)
    places: list[Placed] = []
    frames = 0
    for i, solved, _ in cut:
        song = jobs[i].song
        scene = replace(solved, cue=levelled(solved.cue, song, picked.needs[i]))
        places.append(Placed(scene, plans[i], song, seconds_at(frames, timeline.rate)))
        frames += scene.timeline.frames
    cues, joins = join_all(places, session, default=project.join)
    told = tuple(
        MadeScene(
            name=scene.name, start=place.start, end=place.end, song=place.song.path, why=picked.why[i],
            song_in=round(place.scene.cue.song_in, 3), cuts=scene.cuts, cuts_on_beat=scene.cuts_on_beat,
            cuts_chance=scene.cuts_chance, hits=scene.hits, hits_on_beat=scene.hits_on_beat, gap=scene.gap,
            seams=scene.seams, ending=scene.ending, kept=kept, notes=scene.notes,
        )
        for (i, scene, kept), place in zip(cut, places, strict=True)
    )  # fmt: skip
    words = tuple(Span(w.start + p.start, w.end + p.start) for p in places for w in p.scene.words)
    marks = tuple(Marker(c.start, "cue", c.name, c.end - c.start) for c in cues)
    titles = tuple(
        replace(t, span=Span(t.span.start + p.start, min(t.span.end + p.start, p.end)))
        for p in places
        for t in p.scene.subtitles
        if t.span.start + p.start < p.end
    )
    return _Woven(replace(timeline, cues=cues, markers=(*timeline.markers, *marks)), told, joins, words, titles)


def _written(
    project: Project,
    options: MakeOptions,
    made: Made,
    rows: Sequence[CueRow],
    subtitles: tuple[Subtitle, ...],
    session: Session,
) -> Made:
    """Render, read the film back, and put it and its papers in place.

    Raises
    ------
    MediaError
        If the finished film is not what the timeline says.
    """
    from backbeat.decide.mix import LOUDNESS
    from backbeat.exchange import cuesheet, otio
    from backbeat.exchange.subtitles import write_srt
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.make.settings import RenderSettings
    from backbeat.verbs.render import parts_folder
    from backbeat.work import output

    film, papers, table, page = _outputs(project)
    level, ceiling = LOUDNESS[project.loudness]
    settings = RenderSettings(
        loudness=level, ceiling=ceiling, stems=project.stems, stem_name=film, workers=session.workers
    )
    sources = (*(m.path for m in made.timeline.takes), *(c.path for c in made.timeline.cues))
    output.check(film, force=options.force, inputs=sources)
    with output.placed(papers) as paper, output.placed(film) as picture:
        starts = tuple(frame_at(s.start, made.timeline.rate) for s in made.scenes[1:])
        rendered = render(
            made.timeline, picture, settings=settings, progress=session.progress, parts=str(parts_folder(film)),
            breaks=starts, keep=True,
        )  # fmt: skip
        session.progress.start("checking the film", 0)
        checked = check(picture, made.timeline, settings=settings, looks=rendered.looks)
        session.progress.stop()
        if checked.differences:
            raise MediaError(
                f"{film}: the finished film is not what the timeline says ({checked.differences[0]})",
                "run again; if it comes back, a source file changed or is damaged where the film uses it",
            )
        otio.save(made.timeline, paper)
    cuesheet.save(cuesheet.to_csv(rows), table)
    sheet = cuesheet.to_html(rows, film=Path(film).stem, length=made.timeline.duration, warnings=made.rights)
    cuesheet.save(sheet, page)
    srt = str(Path(film).with_suffix(".srt")) if subtitles else ""
    if srt:
        write_srt(subtitles, srt)
    return replace(
        made, film=film, timeline_file=papers, cue_sheets=(table, page), subtitles_file=srt, checked=checked,
        notes=(*made.notes, *rendered.warnings),
    )  # fmt: skip


def as_json(made: Made) -> dict[str, object]:
    """Return the summary as one plain object."""
    checked = made.checked
    return {
        "film": made.film or None,
        "timeline": made.timeline_file or None,
        "cue_sheets": made.cue_sheets,
        "subtitles": made.subtitles_file or None,
        "duration": made.timeline.duration,
        "frames": made.timeline.frames,
        "rate_exact": str(made.timeline.rate),
        "size": [made.timeline.width, made.timeline.height],
        "scenes": made.scenes,
        "joins": made.joins,
        "failed": [{"scene": name, "reason": reason} for name, reason in made.failed],
        "assignment_proven": made.proven,
        "cues": made.timeline.cues,
        "lines": made.lines,
        "rights": made.rights,
        "checked": None if checked is None else replace(checked, cuts=()),
        "cuts_on_frame": None if checked is None else [checked.cuts_on_frame, len(checked.cuts)],
        "notes": made.notes,
    }  # fmt: skip
