# SPDX-License-Identifier: Apache-2.0
"""``make``: a whole film of several scenes, each cut to its song, woven into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import MediaError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.plan import Lock
from backbeat.model.time import Span, clock, seconds_at
from backbeat.verbs import make_scene
from backbeat.verbs.make_joins import JoinMade, Placed, join_all
from backbeat.verbs.make_plan import all_locks, arrange, format_for, gather
from backbeat.verbs.make_scene import SceneCut, SceneJob
from backbeat.verbs.make_songs import Picked, hear, pick
from backbeat.verbs.make_write import Made, MadeScene, MakeOptions, outputs, written
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.model.plan import Lock
    from backbeat.model.project import Project, ScenePlan
    from backbeat.model.timeline import Timeline


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
    locks = all_locks(project, gathered.scenes, rate, outputs(project)[1])
    jobs = arrange(project, gathered.scenes, picked, rate, (width, height), locks)
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
        notes=(*unheard, *gathered.notes, *short, *_said(locks)),
    )  # fmt: skip
    return made if options.dry_run else written(project, options, made, rows, woven.subtitles, woven.words, session)


def _count(fixed: Sequence[Lock]) -> str:
    kinds = ("clip", "cut")
    counts = [(sum(x.kind == kind for x in fixed), kind) for kind in kinds]
    return " and ".join(f"{n} locked {kind}{'s' * (n > 1)}" for n, kind in counts if n)


def _said(locks: Mapping[str, tuple[Lock, ...]]) -> list[str]:
    return [f"{name}: {_count(fixed)} kept" for name, fixed in locks.items()]


def _check(project: Project, options: MakeOptions) -> None:
    from backbeat.exchange.project import FILMS
    from backbeat.work import output

    if options.dry_run:
        return
    named = (p for s in project.scenes for p in (s.edit, s.subtitles) if p)
    inputs = (project.path, *named)
    wanted = [*outputs(project)]
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
    from backbeat.decide.joins import shortened
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
    if not jobs[cut[-1][0]].last:  # the scene that was to end the film could not be made
        cues = (*cues[:-1], shortened(cues[-1], timeline.duration, fade=1.5))
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
