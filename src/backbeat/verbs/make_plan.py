# SPDX-License-Identifier: Apache-2.0
"""The plan of a film before any scene is solved: what each has to work with, its song, and how long it lasts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from backbeat.errors import BackbeatError, InputError, MediaError, NoEditError
from backbeat.model.footage import Take
from backbeat.model.plan import Style
from backbeat.model.project import CHOOSE, Project, ScenePlan
from backbeat.model.song import Song
from backbeat.model.time import Span, clock, frame_at, seconds_at
from backbeat.verbs.make_scene import CARD, END, EditJob, SceneJob
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.decide.choose import Choice
    from backbeat.decide.choose_terms import SceneNeed
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.verbs.sync_scene import Scene

LEAST = 10.0  # s: what a scene of little footage lasts where it can


@dataclass(frozen=True, slots=True)
class Material:
    """What a scene is made from."""

    plan: ScenePlan
    style: Style
    takes: tuple[Take, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    edit: Scene | None = None
    subtitles: tuple[Subtitle, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The scenes that can be made, and sentences on those that cannot."""

    scenes: tuple[Material, ...]
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """The song of each scene, why, and the runners-up; `proven`: no other assignment costs less.

    `passages` are the seconds at which a theme's passage begins, None where the whole song is meant.
    """

    songs: tuple[Song, ...]
    why: tuple[str, ...]
    ranked: tuple[tuple[Choice, ...], ...]
    proven: bool
    needs: tuple[SceneNeed, ...]
    passages: tuple[float | None, ...]


def gather(project: Project, session: Session) -> Gathered:
    """Watch the footage of every scene; one that has none that can be used is left out and named.

    Raises
    ------
    InputError
        If a style does not exist, or no scene can be made.
    """
    from backbeat.verbs import watch
    from backbeat.verbs.asked import style_of, why_no_takes, without

    styles = [style_of(plan.style or project.style) for plan in project.scenes]
    scenes, failed, notes = [], [], []
    for plan, style in zip(project.scenes, styles, strict=True):
        try:
            if plan.mode != "cut":
                scenes.append(_edited(plan, style, session))
                continue
            watched = watch.takes(list(plan.footage), session)
            takes = without(watched.takes, project.output)
            if not takes:
                raise MediaError(*why_no_takes(plan.footage, watched.left_out))
        except BackbeatError as error:
            failed.append((plan.name, error.message))
            continue
        scenes.append(Material(plan, style, takes, watched.left_out))
        for path, reason in watched.left_out:
            notes.append(f"{plan.name}: left out {reason if path in reason else f'{path}: {reason}'}")
    if not scenes:
        raise MediaError(f"{project.path}: no scene can be made ({failed[0][0]}: {failed[0][1]})", "mend its footage")
    return Gathered(tuple(scenes), tuple(failed), tuple(notes))


def _edited(plan: ScenePlan, style: Style, session: Session) -> Material:
    from backbeat.exchange.subtitles import read_srt
    from backbeat.verbs.sync_scene import read_scene

    subtitles = read_srt(plan.subtitles) if plan.subtitles else ()
    scene = read_scene(plan.edit, session, media=plan.media, subtitles=[s.span for s in subtitles])
    return Material(plan, style, scene.takes, edit=scene, subtitles=subtitles)


def format_for(project: Project, scenes: Sequence[Material]) -> tuple[Fraction, int, int]:
    """Return rate, width and height of the film; an edited scene's rate counts before that of footage."""
    from backbeat.verbs.asked import format_of

    edits = [m.edit.timeline for m in scenes if m.edit is not None]
    rate = project.rate or (str(max(edits, key=lambda t: t.duration).rate) if edits else "")
    return format_of(rate, project.size, [t.media for m in scenes for t in m.takes])


def hear(project: Project, session: Session) -> tuple[list[Song], tuple[str, ...]]:
    """Return every song that can be used, and sentences on those that cannot.

    Raises
    ------
    InputError
        If there is none.
    """
    from backbeat.verbs.score_library import library_of

    named = [s.song for s in project.scenes if s.song != CHOOSE] + [t.song for t in project.themes]
    if not project.songs and not named:
        raise InputError(f"{project.path}: no song for any scene", 'add songs = "songs" under [film], or song = "…"')
    return library_of(project.songs, session, also=named)


def pick(project: Project, scenes: Sequence[Material], library: Sequence[Song]) -> Picked:
    """Give each scene its song: the editor's where she names one, the best assignment otherwise.

    Raises
    ------
    InputError
        If a song is forbidden that nobody knows, or a song named cannot be used.
    NoEditError
        If a scene may have no song at all.
    """
    from backbeat.decide.choose import around, assign, ranked
    from backbeat.decide.choose_terms import terms
    from backbeat.verbs.score_scenes import why

    needs = [_need(project, i, m, library) for i, m in enumerate(scenes, 1)]
    try:
        chosen = assign(needs, library)
    except ValueError:
        raise NoEditError(f"{project.path}: a scene may have none of the songs", "forbid fewer, or add some") from None
    picked = [library[i] for i in chosen.songs]
    reasons = [
        why(need, (*terms(need, song), *around(chosen.songs, i, library)))
        for i, (need, song) in enumerate(zip(needs, picked, strict=True))
    ]
    starts = {t.song: t.start for t in project.themes}
    passages = [
        starts[song.path] if any(path == song.path for _, path, _ in need.themes) else None
        for need, song in zip(needs, picked, strict=True)
    ]
    lists = tuple(ranked(n, library)[:5] for n in needs)
    return Picked(tuple(picked), tuple(reasons), lists, chosen.proven, tuple(needs), tuple(passages))


def _need(project: Project, number: int, material: Material, library: Sequence[Song]) -> SceneNeed:
    from backbeat.decide.align_scene import words_of
    from backbeat.decide.choose_terms import FLOW, SceneNeed, scene_energy
    from backbeat.decide.length import carried
    from backbeat.verbs.score_library import named
    from backbeat.verbs.score_needs import SceneSpan, film_words, need_of

    plan, takes, edit = material.plan, material.takes, material.edit
    pin = "" if plan.song == CHOOSE else plan.song
    forbid = (*project.forbid, *plan.forbid)
    if edit is not None:
        span = SceneSpan(Span(0.0, edit.timeline.duration), (*plan.mood, *plan.tags), pin, plan.characters)
        themes = {t.character: t.song for t in project.themes}
        need = need_of(span, number, edit, film_words(edit), library, forbid, themes)
        return replace(need, name=plan.name)
    shots = [(t, s, (s.end_frame - s.start_frame) / float(t.media.rate)) for t in takes for s in t.shots]
    total = sum(n for *_, n in shots) or 1.0
    said = sum(w.length for t in takes for w in words_of(t)) / total
    flow = sum(s.motion * FLOW * float(t.media.rate) * n for t, s, n in shots) / total
    return SceneNeed(
        plan.name,
        plan.length if isinstance(plan.length, float) else max(LEAST, carried(takes, material.style)),
        scene_energy(flow, len(shots) / total),
        speech=min(1.0, said) if plan.dialogue else 0.0,
        words=(*plan.mood, *plan.tags),
        pin=named(pin, library, f"{plan.name}: song"),
        forbid=tuple(named(f, library, "forbid") for f in forbid),
        light=sum(s.brightness * n for _, s, n in shots) / total,
        themes=_themes(project, plan, takes),
    )


def _themes(project: Project, plan: ScenePlan, takes: Sequence[Take]) -> tuple[tuple[str, str, float], ...]:
    """Return (character, theme, share of the footage), for those named in the scene or in the logs of its takes."""
    from backbeat.decide.choose_terms import theme_shares

    seen: dict[str, list[Span]] = {}
    at = 0.0
    for take in takes:
        for name in take.log.characters:
            seen.setdefault(name, []).append(Span(at, at + take.media.duration))
        at += take.media.duration
    whole = Span(0.0, at)
    seen |= {name: [whole] for name in plan.characters}
    return theme_shares(whole, seen, {t.character: t.song for t in project.themes})


@dataclass(frozen=True, slots=True)
class _Target:
    """Seconds a scene should last, and can at most; `exact`: to the frame, as the editor says."""

    seconds: float
    most: float
    exact: bool = False


def arrange(
    project: Project, scenes: Sequence[Material], picked: Picked, rate: Fraction, size: tuple[int, int]
) -> tuple[SceneJob, ...]:
    """Decide how long each scene lasts and where its song begins, so that every scene ends on the music.

    Raises
    ------
    InputError
        If the lengths asked for do not fit one another, or a song begins after its end.
    """
    from backbeat.decide import arrange as music

    songs = picked.songs
    targets = _targets(project, scenes, songs, rate)
    jobs: list[SceneJob] = []
    done = 0  # frames
    for i, (material, song, asked) in enumerate(zip(scenes, songs, targets, strict=True)):
        target = asked
        plan, first, last = material.plan, i == 0, i == len(scenes) - 1
        passage = plan.song_in if plan.song_in is not None else picked.passages[i]
        song_in = _song_in(plan.name, passage, song, jobs[-1] if jobs else None, target.seconds)
        if project.length is not None and not target.exact:
            # what earlier scenes gave up to end on a phrase goes to the later ones, and the last one ends the film
            owed = sum(t.seconds for t in targets[:i]) - seconds_at(done, rate)
            seconds = max(target.seconds + owed, music.SHORTEST)
            target = _Target(min(seconds, target.most), target.most, exact=last and seconds <= target.most)
        frames = _frames(song, song_in, target, rate, last=last)
        job = SceneJob(
            name=plan.name, song=song, way=music.way(song, song_in, seconds_at(frames, rate), last=last),
            frames=frames, rate=rate, width=size[0], height=size[1], style=material.style, takes=material.takes,
            order=plan.order, reuse=plan.reuse, seed=project.seed, dialogue=bool(plan.dialogue),
            takes_out=plan.takes_out, title=plan.title, caption=plan.caption, end=plan.end, first=first, last=last,
            passage=passage is not None, talk=picked.needs[i].talk,
        )  # fmt: skip
        if material.edit is not None:
            job = _edit_job(job, material, material.edit)
        jobs.append(job)
        done += frames
    return tuple(jobs)


def _edit_job(job: SceneJob, material: Material, edit: Scene) -> SceneJob:
    """Return the job of an edited scene; one that is scored has its song brought to its strongest hits."""
    from backbeat.decide.arrange import MANY, SHORT
    from backbeat.verbs.score_scenes import strong_hits

    plan = material.plan
    hits = tuple(strong_hits(edit, Span(0.0, edit.timeline.duration))) if plan.mode == "score" else ()
    spoken = EditJob(plan.mode, edit, material.subtitles, plan.song_in, hits, dialogue=plan.dialogue is not False)
    way = job.way
    if (hits or (job.talk and job.song.vocals)) and len(job.song.beats) >= MANY and edit.timeline.duration >= SHORT:
        way = replace(way, kind="fit")
    return replace(job, edit=spoken, way=way, takes=())


def _song_in(name: str, passage: float | None, song: Song, before: SceneJob | None, seconds: float) -> float:
    """Return where the song begins: as asked, where the scene before left it, or on its entry."""
    from backbeat.decide.arrange import entry

    if passage is not None:
        if passage > song.duration - 1:
            raise InputError(f"{name}: song_in lies after the song's end ({clock(song.duration)})", "make it less")
        return passage
    if before is not None and before.song.path == song.path and before.way.kind == "straight" and before.way.ends:
        on = before.way.song_in + seconds_at(before.frames, before.rate) * before.way.stretch
        if song.duration - on > 0.9 * seconds:
            return on
    return entry(song, first=before is None)


def _frames(song: Song, song_in: float, target: _Target, rate: Fraction, *, last: bool) -> int:
    """Return how many frames a scene lasts: to the end of a phrase, unless its length is asked for."""
    from backbeat.decide.arrange import phrase_end

    rest = song.duration - song_in
    if target.exact or rest < 0.7 * target.seconds:  # as asked; or longer than the song, which is brought to length
        return max(1, frame_at(target.seconds, rate))
    if last and rest <= min(target.most, 1.25 * target.seconds):
        return frame_at(rest, rate)
    end = phrase_end(song, song_in, target.seconds, min(target.most, rest))
    return max(1, frame_at(end - song_in, rate))


def _targets(project: Project, scenes: Sequence[Material], songs: Sequence[Song], rate: Fraction) -> list[_Target]:
    """Return what each scene should last: as asked, else by what its material carries, within the film's budget."""
    from backbeat.decide.arrange import share
    from backbeat.decide.length import capacity, carried
    from backbeat.decide.strung import at_rate

    out = []
    for material, song in zip(scenes, songs, strict=True):
        plan = material.plan
        if material.edit is not None:
            lasts = seconds_at(at_rate(material.edit.timeline, rate).frames, rate)
            out.append(_Target(lasts, lasts, exact=True))
            continue
        extra = CARD * bool(plan.title) + END * bool(plan.end)
        most = math.inf if plan.reuse else capacity(song, material.takes, material.style) + extra
        carry = min(most, max(LEAST, carried(material.takes, material.style)) + extra)
        if isinstance(plan.length, float):
            out.append(_Target(plan.length, most, exact=True))
        elif plan.length == "song":
            rest = song.duration - (plan.song_in or 0.0)
            out.append(_Target(min(rest, most), most, exact=rest <= most))
        else:
            out.append(_Target(carry, most))
    if project.length is None:
        return out
    free = [i for i, t in enumerate(out) if not t.exact]
    fixed = sum(t.seconds for t in out if t.exact)
    if fixed > project.length or (free and fixed > project.length - len(free)):
        raise InputError(
            f"{project.path}: the scenes with a length of their own last {clock(fixed)}, "
            f"the film is to last {clock(project.length)}",
            "make length under [film] larger, or a scene shorter",
        )
    shares = share(project.length - fixed, [out[i].seconds for i in free], [out[i].most for i in free])
    for i, seconds in zip(free, shares, strict=True):
        out[i] = replace(out[i], seconds=seconds)
    return out
