# SPDX-License-Identifier: Apache-2.0
"""The songs of a film's scenes: heard, and chosen for each by what it shows and what its editor says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError, NoEditError
from backbeat.model.footage import Take
from backbeat.model.project import CHOOSE, Project, ScenePlan
from backbeat.model.song import Song
from backbeat.model.time import Span
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.decide.choose import Choice
    from backbeat.decide.choose_terms import SceneNeed
    from backbeat.verbs.make_plan import Material

TINY = 2.0  # s: shorter ones are no songs
LEAST = 10.0  # s: what a scene of little footage lasts where it can


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


def hear(project: Project, session: Session) -> tuple[list[Song], tuple[str, ...]]:
    """Return every song that can be used, and sentences on those that cannot.

    Raises
    ------
    InputError
        If there is none.
    """
    from backbeat.verbs.score_library import library_of

    named = {s.song: s.name for s in project.scenes if s.song != CHOOSE}
    named |= {t.song: f"the theme of {t.character}" for t in project.themes}
    if not project.songs and not named:
        raise InputError(f"{project.path}: no song for any scene", 'add songs = "songs" under [film], or song = "…"')
    try:
        songs, notes = library_of(project.songs, session, also=list(named))
    except InputError as error:
        raise MediaError(f"{project.path}: no song can be used ({error.hint})", "give songs that can be read") from None
    tiny = [s for s in songs if s.duration < TINY]
    notes = (*notes, *(f"left out: {s.path}: it lasts only {s.duration:.1f} s" for s in tiny))
    songs = [s for s in songs if s.duration >= TINY]
    for path, who in named.items():
        if path not in {s.path for s in songs}:
            why = next((n for n in notes if path in n), f"{path} cannot be used")
            raise MediaError(f"{project.path}: {who}: {why.removeprefix('left out: ')}", "name another song")
    if not songs:
        raise MediaError(f"{project.path}: no song can be used ({notes[0]})", "give longer songs")
    return songs, notes


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
