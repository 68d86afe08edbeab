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
from backbeat.model.time import clock, frame_at, seconds_at
from backbeat.verbs.make_scene import CARD, END, SceneJob
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.decide.choose import Choice
    from backbeat.decide.choose_terms import SceneNeed

LEAST = 10.0  # s: what a scene of little footage lasts where it can


@dataclass(frozen=True, slots=True)
class Material:
    """What a scene is made from."""

    plan: ScenePlan
    style: Style
    takes: tuple[Take, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The scenes that can be made, and sentences on those that cannot."""

    scenes: tuple[Material, ...]
    failed: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """The song of each scene, why, and the runners-up; `proven`: no other assignment costs less."""

    songs: tuple[Song, ...]
    why: tuple[str, ...]
    ranked: tuple[tuple[Choice, ...], ...]
    proven: bool


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


def hear(project: Project, session: Session) -> tuple[dict[str, Song], tuple[str, ...]]:
    """Return every song that can be used, by path, and sentences on those that cannot.

    Raises
    ------
    InputError
        If there is none.
    """
    from backbeat.media.folder import SOUND, find
    from backbeat.verbs import listen

    library = find(list(project.songs), SOUND)
    named = [s.song for s in project.scenes if s.song != CHOOSE] + [song for _, song in project.themes]
    paths = list(dict.fromkeys([*library, *named]))
    if not paths:
        raise InputError(f"{project.path}: no song for any scene", 'add songs = "songs" under [film], or song = "…"')
    found, failed = listen.try_songs(paths, session)
    notes = [f"left out: {getattr(error, 'message', f'{path}: {error}')}" for path, error in failed.items()]
    for path, song in list(found.items()):
        if song.loudness <= -60:
            notes.append(f"left out: {path}: it is silent")
            del found[path]
    if not found:
        raise MediaError(f"{project.path}: no song can be used ({notes[0]})", "give songs that can be read")
    return found, tuple(notes)


def pick(project: Project, scenes: Sequence[Material], songs: dict[str, Song]) -> Picked:
    """Give each scene its song: the editor's where she names one, the best assignment otherwise.

    Raises
    ------
    InputError
        If a song is forbidden that nobody knows, or one is to be chosen and there is nothing to choose from.
    NoEditError
        If a scene may have no song at all.
    """
    from backbeat.decide.choose import assign, ranked
    from backbeat.decide.choose_terms import terms

    library = list(songs.values())
    needs = [_need(project, m, library) for m in scenes]
    try:
        chosen = assign(needs, library)
    except ValueError:
        raise NoEditError(f"{project.path}: a scene may have none of the songs", "forbid fewer, or add some") from None
    picked = [library[i] for i in chosen.songs]
    why = tuple(
        "the editor's choice" if need.pin else "; ".join(t.why for t in terms(need, song)[:3])
        for need, song in zip(needs, picked, strict=True)
    )
    return Picked(tuple(picked), why, tuple(ranked(n, library)[:5] for n in needs), chosen.proven)


def _need(project: Project, material: Material, library: Sequence[Song]) -> SceneNeed:
    from backbeat.decide.align_scene import words_of
    from backbeat.decide.choose_terms import SceneNeed, scene_energy
    from backbeat.decide.length import carried
    from backbeat.verbs.score_library import named

    plan, takes = material.plan, material.takes
    shots = [(s.motion, (s.end_frame - s.start_frame) / float(t.media.rate)) for t in takes for s in t.shots]
    total = sum(n for _, n in shots) or 1.0
    said = sum(w.length for t in takes for w in words_of(t)) / total
    seconds = plan.length if isinstance(plan.length, float) else max(LEAST, carried(takes, material.style))
    pin = "" if plan.song == CHOOSE or plan.song not in {s.path for s in library} else plan.song
    return SceneNeed(
        plan.name, seconds, scene_energy(sum(m * n for m, n in shots) / total, len(shots) / total),
        speech=min(1.0, said) if plan.dialogue else 0.0, words=(*plan.mood, *plan.tags), pin=pin,
        forbid=tuple(named(f, library, "forbid") for f in (*project.forbid, *plan.forbid)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Target:
    """Seconds a scene should last, and can at most; `exact`: to the frame, as the editor says."""

    seconds: float
    most: float
    exact: bool = False


def arrange(
    project: Project, scenes: Sequence[Material], songs: Sequence[Song], rate: Fraction, size: tuple[int, int]
) -> tuple[SceneJob, ...]:
    """Decide how long each scene lasts and where its song begins, so that every scene ends on the music.

    Raises
    ------
    InputError
        If the lengths asked for do not fit one another, or a song begins after its end.
    """
    from backbeat.decide import arrange as music

    targets = _targets(project, scenes, songs)
    jobs: list[SceneJob] = []
    done = 0  # frames
    for i, (material, song, asked) in enumerate(zip(scenes, songs, targets, strict=True)):
        target = asked
        plan, first, last = material.plan, i == 0, i == len(scenes) - 1
        song_in = _song_in(plan, song, jobs[-1] if jobs else None, target.seconds)
        if project.length is not None and not target.exact:
            # what earlier scenes gave up to end on a phrase goes to the later ones, and the last one ends the film
            owed = sum(t.seconds for t in targets[:i]) - seconds_at(done, rate)
            seconds = max(target.seconds + owed, music.SHORTEST)
            target = _Target(min(seconds, target.most), target.most, exact=last and seconds <= target.most)
        frames = _frames(song, song_in, target, rate, last=last)
        job = SceneJob(
            name=plan.name, song=song, way=music.way(song, song_in, seconds_at(frames, rate), last=last),
            frames=frames, rate=rate, width=size[0], height=size[1], style=material.style, takes=material.takes,
            order=plan.order, reuse=plan.reuse, seed=project.seed, dialogue=plan.dialogue, takes_out=plan.takes_out,
            title=plan.title, caption=plan.caption, end=plan.end, first=first, last=last,
        )  # fmt: skip
        jobs.append(job)
        done += frames
    return tuple(jobs)


def _song_in(plan: ScenePlan, song: Song, before: SceneJob | None, seconds: float) -> float:
    """Return where the song begins: as asked, where the scene before left it, or on its entry."""
    from backbeat.decide.arrange import entry

    if plan.song_in is not None:
        if plan.song_in > song.duration - 1:
            raise InputError(f"{plan.name}: song_in lies after the song's end ({clock(song.duration)})", "make it less")
        return plan.song_in
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


def _targets(project: Project, scenes: Sequence[Material], songs: Sequence[Song]) -> list[_Target]:
    """Return what each scene should last: as asked, else by what its material carries, within the film's budget."""
    from backbeat.decide.arrange import share
    from backbeat.decide.length import capacity, carried

    out = []
    for material, song in zip(scenes, songs, strict=True):
        plan = material.plan
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
