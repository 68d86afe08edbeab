# SPDX-License-Identifier: Apache-2.0
"""The scene that is to be synced: a finished film, or a timeline with its media, read as pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError
from backbeat.model.time import Span
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.decide.align_scene import Piece
    from backbeat.model.footage import Take
    from backbeat.model.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Scene:
    """What was read: the timeline, its pieces, every file it needs, what was simplified, and what its takes show."""

    timeline: Timeline
    pieces: tuple[Piece, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...]
    takes: tuple[Take, ...] = ()


def read_scene(path: str, session: Session, *, media: Sequence[str] = (), subtitles: Sequence[Span] = ()) -> Scene:
    """Read a finished film or an edit (.otio, or another program's); `media` are folders to find moved files in.

    Raises
    ------
    InputError
        If the timeline holds no picture, or media of it cannot be found.
    MediaError
        If a file cannot be read.
    """
    from backbeat.decide import align_edit, align_scene
    from backbeat.media.folder import VIDEO
    from backbeat.verbs import watch

    if Path(path).suffix.lower() in VIDEO:
        watched = watch.takes([path], session)
        if not watched.takes:
            raise MediaError(*_reason(watched.left_out, path))
        take = watched.takes[0]
        pieces = align_scene.film_pieces(take, subtitles=subtitles)
        facts = take.media
        even = (facts.width + facts.width % 2, facts.height + facts.height % 2)
        timeline = replace(align_edit.of_film(pieces, Path(path).stem, facts.rate, *even), takes=(facts,))
        few = () if sum(p.cut for p in pieces) else ("no cut was found in the scene, so only its hits can be moved",)
        return Scene(timeline, pieces, (path,), few, (take,))
    return _from_timeline(path, session, media, subtitles)


def _from_timeline(path: str, session: Session, media: Sequence[str], subtitles: Sequence[Span]) -> Scene:
    from backbeat.decide import align_scene
    from backbeat.exchange.otio import load
    from backbeat.exchange.relink import relinked
    from backbeat.verbs import watch
    from backbeat.verbs.import_ import edit

    if Path(path).suffix.lower() == ".otio":
        timeline = load(path)
        if media:
            timeline, _ = relinked(timeline, media)
    else:
        timeline, _, _ = edit([path], session, media_root=media)
    seen = align_scene.flattened(timeline)
    paths = list(dict.fromkeys(c.take for c in seen if c.take))
    if not paths:
        raise InputError(f"{path}: no picture in it", "give the timeline of an edited scene")
    lost = [p for p in paths if not Path(p).is_file()]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise InputError(f"{path}: {lost[0]}{more} cannot be found", "say where the media lies: --media DIR")
    watched = watch.takes(paths, session)
    if watched.left_out:
        raise MediaError(*_reason(watched.left_out, path))
    takes: dict[str, Take] = {t.media.path: t for t in watched.takes}
    notes = []
    layers = sum(t.kind == "picture" and t.enabled and bool(t.clips) for t in timeline.tracks)
    if layers > 1:
        notes.append(f"{layers} picture tracks were flattened into one: what was seen")
    if any(t.transitions for t in timeline.tracks):
        notes.append("dissolves became cuts in the middle of where they were")
    gaps = sum(not c.take and c.title is None for c in seen)
    if gaps:
        notes.append(f"{gaps} gaps were kept as they are")
    if timeline.cues:
        notes.append("the music of the timeline was replaced by the song")
    timeline = replace(timeline, takes=tuple(t.media for t in watched.takes))
    pieces = align_scene.timeline_pieces(timeline, takes, subtitles=subtitles)
    own_sound = any(t.kind == "sound" and t.enabled and t.clips for t in timeline.tracks)
    if not own_sound and all(p.clip.sound_gain_db is None for p in pieces):  # production sound that nobody laid out
        pieces = tuple(
            replace(p, clip=replace(p.clip, sound_gain_db=0.0))
            if p.clip.take and takes[p.clip.take].media.has_sound
            else p
            for p in pieces
        )
    return Scene(timeline, pieces, (path, *paths), tuple(notes), watched.takes)


def _reason(left_out: Sequence[tuple[str, str]], scene: str) -> tuple[str, str]:
    path, reason = left_out[0] if left_out else (scene, "nothing could be seen in it")
    return reason if path in reason else f"{path}: {reason}", "give a readable file"
