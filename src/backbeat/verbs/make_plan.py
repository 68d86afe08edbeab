# SPDX-License-Identifier: Apache-2.0
"""The plan of a film before any scene is solved: what each has to work with, its song, and how long it lasts."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import BackbeatError, InputError, MediaError
from backbeat.model.footage import Take
from backbeat.model.plan import Lock, Style
from backbeat.model.project import Project, ScenePlan
from backbeat.model.song import Song
from backbeat.model.time import Span, clock, frame_at, seconds_at
from backbeat.verbs.make_scene import CARD, END, EditJob, SceneJob
from backbeat.verbs.make_songs import LEAST, Picked
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.verbs.sync_scene import Scene


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


def gather(project: Project, session: Session) -> Gathered:
    """Watch the footage of every scene; one that has none that can be used is left out and named.

    Raises
    ------
    InputError
        If a style does not exist, or no scene can be made.
    """
    from backbeat.verbs import watch
    from backbeat.verbs.asked import style_of, why_no_takes, without

    try:
        styles = [style_of(plan.style or project.style) for plan in project.scenes]
    except InputError as error:
        raise InputError(f"{project.path}: {error.message}", error.hint) from None
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
    from backbeat.exchange.subtitles import read_subtitles
    from backbeat.verbs.sync_scene import read_scene

    subtitles = read_subtitles(plan.subtitles) if plan.subtitles else ()
    scene = read_scene(plan.edit, session, media=plan.media, subtitles=[s.span for s in subtitles])
    return Material(plan, style, scene.takes, edit=scene, subtitles=subtitles)


def fixed(plan: ScenePlan, takes: Sequence[Take], rate: Fraction, path: str) -> tuple[Lock, ...]:
    """Return the locks that the project file `path` writes for a scene, in frames of the scene.

    Raises
    ------
    InputError
        If a lock names a take that the scene does not have, or a part that the take does not have.
    """
    out = []
    for lock in plan.locks:
        start, end = frame_at(lock.at, rate), frame_at(lock.at + lock.length, rate)
        if not lock.take:
            out.append(Lock("cut", start))
            continue
        names = {Path(t.media.path).name: t for t in takes} | {Path(t.media.path).stem: t for t in takes}
        take = names.get(lock.take) or next((t for t in takes if t.media.path == lock.take), None)
        if take is None:
            near = difflib.get_close_matches(lock.take, names, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else "write the name of one of its files"
            raise InputError(f"{path}:{lock.line}: {plan.name} has no take called {lock.take!r}", hint)
        if lock.source + lock.length > take.media.duration + 0.5 / float(rate):
            raise InputError(
                f"{path}:{lock.line}: {lock.take} lasts {clock(take.media.duration)}, the lock asks for "
                f"{clock(lock.source)} to {clock(lock.source + lock.length)}",
                "begin earlier in the take, or lock a shorter clip",
            )
        out.append(Lock("clip", start, end, take.media.path, frame_at(lock.source, take.media.rate)))
    return tuple(out)


def all_locks(project: Project, scenes: Sequence[Material], rate: Fraction, path: str) -> dict[str, tuple[Lock, ...]]:
    """Return the locks of each scene: those that the project writes, and what is locked in the timeline `path`.

    Where both fix the same place, the project's word counts.
    """
    out = locks_of(path, rate)
    for scene in scenes:
        told = fixed(scene.plan, scene.takes, rate, project.path)
        spans = [(x.start, max(x.end, x.start + 1)) for x in told]
        kept = [x for x in out.get(scene.plan.name, ()) if not any(a < x.end and b > x.start for a, b in spans)]
        if told or kept:
            out[scene.plan.name] = (*told, *kept)
    return out


def locks_of(path: str, rate: Fraction) -> dict[str, tuple[Lock, ...]]:
    """Return the clips that are locked in an earlier timeline of this film, by scene, in frames of the scene.

    Raises
    ------
    InputError
        If there are some, and the film ran at another rate then.
    """
    from backbeat.exchange import otio

    if not Path(path).is_file():
        return {}
    earlier = otio.load(path)
    fixed = [c for t in earlier.tracks if t.kind == "picture" for c in t.clips if c.locked and c.take]
    if fixed and earlier.rate != rate:
        raise InputError(
            f"{path}: its locked clips lie in a film of {float(earlier.rate):.3f} frames a second",
            f'write rate = "{earlier.rate}" under [film], or move the timeline away to forget its locks',
        )
    out: dict[str, tuple[Lock, ...]] = {}
    for mark in earlier.markers:
        first, last = (frame_at(t, earlier.rate) for t in (mark.time, mark.time + mark.length))
        if mark.kind == "scene":
            out[mark.name] = tuple(
                Lock("clip", c.start - first, c.end - first, c.take, c.source_in)
                for c in fixed
                if first <= c.start and c.end <= last
            )
    return {name: locks for name, locks in out.items() if locks}


def format_for(project: Project, scenes: Sequence[Material]) -> tuple[Fraction, int, int]:
    """Return rate, width and height of the film; an edited scene's rate counts before that of footage."""
    from backbeat.verbs.asked import format_of

    edits = [m.edit.timeline for m in scenes if m.edit is not None]
    rate = project.rate or (str(max(edits, key=lambda t: t.duration).rate) if edits else "")
    return format_of(rate, project.size, [t.media for m in scenes for t in m.takes])


@dataclass(frozen=True, slots=True)
class _Target:
    """Seconds a scene should last, and can at most; `exact`: to the frame, as the editor says."""

    seconds: float
    most: float
    exact: bool = False


def arrange(
    project: Project,
    scenes: Sequence[Material],
    picked: Picked,
    rate: Fraction,
    size: tuple[int, int],
    locks: Mapping[str, tuple[Lock, ...]],
) -> tuple[SceneJob, ...]:
    """Decide how long each scene lasts and where its song begins, so that every scene ends on the music.

    `locks` are what the editor has fixed, by scene, in frames of it.

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
            passage=passage is not None, talk=picked.needs[i].talk, locks=locks.get(plan.name, ()),
        )  # fmt: skip
        if passage is None and jobs and jobs[-1].song.path == song.path and song_in > music.entry(song, first=first):
            job = replace(job, passage=True)  # where the scene before left it
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
        if song.last_sound - on > 0.9 * seconds:
            return on
    return entry(song, first=before is None)


def _frames(song: Song, song_in: float, target: _Target, rate: Fraction, *, last: bool) -> int:
    """Return how many frames a scene lasts: to the end of a phrase, unless its length is asked for."""
    from backbeat.decide.arrange import phrase_end

    rest = song.last_sound - song_in
    if target.exact or rest < 0.7 * target.seconds:  # as asked; or longer than the song, which is brought to length
        return max(1, frame_at(target.seconds, rate))
    if last and rest <= min(target.most, 1.25 * target.seconds):
        return frame_at(rest, rate)
    end = phrase_end(song, song_in, target.seconds, min(target.most, rest))
    return max(1, frame_at(end - song_in, rate))


def _targets(project: Project, scenes: Sequence[Material], songs: Sequence[Song], rate: Fraction) -> list[_Target]:
    """Return what each scene should last: as asked, else by what its material carries, within the film's budget."""
    from backbeat.decide.arrange import SHORTEST, entry, share
    from backbeat.decide.length import capacity, carried
    from backbeat.decide.strung import at_rate

    out: list[_Target] = []
    for i, (material, song) in enumerate(zip(scenes, songs, strict=True)):
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
            rest = song.last_sound - (entry(song, first=i == 0) if plan.song_in is None else plan.song_in)
            out.append(_Target(min(rest, most), most, exact=rest <= most))
        else:
            out.append(_Target(carry, most))
    if project.length is None:
        return out
    free = [i for i, t in enumerate(out) if not t.exact]
    fixed = sum(t.seconds for t in out if t.exact)
    if project.length < fixed + SHORTEST * len(free):
        own = f", {len(out) - len(free)} of them {clock(fixed)} by themselves" if fixed else ""
        raise InputError(
            f"{project.path}: {len(out)} scenes{own} do not fit into {clock(project.length)}",
            "make length under [film] larger, or a scene shorter",
        )
    shares = share(project.length - fixed, [out[i].seconds for i in free], [out[i].most for i in free])
    for i, seconds in zip(free, shares, strict=True):
        out[i] = replace(out[i], seconds=seconds)
    return out
