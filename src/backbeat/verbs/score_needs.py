# SPDX-License-Identifier: Apache-2.0
"""What the scenes of a film ask of their music: look, motion, cutting, speech, characters; and where they begin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backbeat.errors import InputError
from backbeat.model.song import Song
from backbeat.model.time import Span, clock, parse_clock
from backbeat.verbs.score_library import named
from backbeat.verbs.sync_scene import Scene

if TYPE_CHECKING:
    from backbeat.decide.align_scene import Piece
    from backbeat.decide.choose_terms import SceneNeed
    from backbeat.decide.scenes import LookedShot
    from backbeat.model.footage import Shot, Take


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """A scene of the film, seconds; `words` of mood, and the song the editor gave it ("" = choose).

    `characters` are those the editor named in it. `confidence` that it begins there, and `found`: what told so ("":
    the editor gave it).
    """

    span: Span
    words: tuple[str, ...] = ()
    song: str = ""
    characters: tuple[str, ...] = ()
    confidence: float = 1.0
    found: str = ""


def parse_scene(text: str) -> SceneSpan:
    """Read ``0:00-1:20``, ``1:20-3:05 tense night @Anna`` or ``3:05-4:00=chase.mp3``.

    Raises
    ------
    InputError
        If it is neither.
    """
    times, _, song = text.partition("=")
    first, *words = re.split(r"[\s,]+", times.strip()) or [""]
    start, dash, end = first.partition("-")
    try:
        span = Span(parse_clock(start), parse_clock(end))
    except ValueError:
        span = Span(0.0, 0.0)
    if not dash or not 0 <= span.start < span.end < 1e7:
        raise InputError(f"--scene {text}: not a scene", 'give "0:00-1:20", "1:20-3:05 tense" or "3:05-4:00=song.mp3"')
    who = tuple(w[1:] for w in words if w.startswith("@") and len(w) > 1)
    return SceneSpan(span, tuple(w.lower() for w in words if w and not w.startswith("@")), song.strip(), who)


def spans_of(scenes: Sequence[SceneSpan], film: Scene) -> tuple[SceneSpan, ...]:
    """Return the scenes in order, inside the film; without any they are found.

    Raises
    ------
    InputError
        If one lies outside, or they overlap.
    """
    from backbeat.decide.scenes import scenes_of

    duration = film.timeline.duration
    if not scenes:
        found = scenes_of(looked(film), duration, film.timeline.markers)
        return tuple(SceneSpan(s.span, confidence=s.confidence, found=s.why) for s in found)
    out: list[SceneSpan] = []
    for scene in sorted(scenes, key=lambda s: s.span.start):
        if scene.span.start >= duration:
            raise InputError(
                f"scene at {clock(scene.span.start)}: the film lasts {clock(duration)}", "give times inside the film"
            )
        if out and scene.span.start < out[-1].span.end - 1e-6:
            raise InputError(f"scene at {clock(scene.span.start)}: it begins inside the one before", "part the scenes")
        out.append(replace(scene, span=Span(scene.span.start, min(scene.span.end, duration))))
    return tuple(out)


def film_words(scene: Scene) -> tuple[Span, ...]:
    """Return where somebody speaks, film seconds."""
    out = []
    for piece in scene.pieces:
        span, shift = _place(piece, scene)
        out += [
            Span(max(span.start, w.start + shift), min(span.end, w.end + shift))
            for w in piece.words
            if w.end + shift > span.start and w.start + shift < span.end
        ]
    return tuple(out)


def _place(piece: Piece, scene: Scene) -> tuple[Span, float]:
    """Return the film seconds of a piece, and what is added to its source seconds to get them."""
    clip, rate = piece.clip, scene.timeline.rate
    start = float(clip.start / rate)
    return Span(start, float(clip.end / rate)), start - float(clip.source_in / clip.source_rate)


def _shown(piece: Piece, takes: Mapping[str, Take]) -> Shot | None:
    """Return the shot of its take that a piece shows, None for gaps, titles and what was never seen whole."""
    take = takes.get(piece.clip.take)
    if take is None:
        return None
    middle = piece.clip.source_in + piece.clip.frames * float(piece.clip.source_rate / take.media.rate) / 2
    return next((s for s in take.shots if s.start_frame <= middle < s.end_frame), None)


def looked(scene: Scene) -> tuple[LookedShot, ...]:
    """Return the film shot by shot as the search for scenes sees it."""
    from backbeat.decide.scenes import LookedShot

    takes = {t.media.path: t for t in scene.takes}
    words = film_words(scene)
    out: list[LookedShot] = []
    dark = 0.0
    for piece in scene.pieces:
        span, _ = _place(piece, scene)
        shot = _shown(piece, takes)
        if shot is None:
            dark += span.length
            continue
        said = sum(w.overlap(span) for w in words) / max(span.length, 1e-6)
        out.append(
            LookedShot(
                span, shot.colour, shot.brightness, shot.motion, min(1.0, said), shot.group, dark if out else 0.0
            )
        )
        dark = 0.0
    return tuple(out)


def motion_of(scene: Scene, span: Span) -> tuple[float, ...]:
    """Return the picture's flow, percent of its width a second, a value every half second of `span`."""
    from backbeat.decide.choose_terms import FLOW, STEP

    takes = {t.media.path: t for t in scene.takes}
    count = max(1, round(span.length / STEP))
    total, weight = [0.0] * count, [0.0] * count
    for piece in scene.pieces:
        here, shift = _place(piece, scene)
        shot = _shown(piece, takes)
        if shot is None or here.overlap(span) <= 0:
            continue
        step = shot.curve_step / float(piece.clip.source_rate)
        first = shot.start_frame / float(piece.clip.source_rate) + shift
        for k, flow in enumerate(shot.motion_curve or (shot.motion * FLOW,)):
            at = first + (k + 0.5) * step if shot.motion_curve else (here.start + here.end) / 2
            i = int((at - span.start) / STEP)
            if here.start <= at < here.end and 0 <= i < count:
                total[i] += flow * float(piece.clip.source_rate)
                weight[i] += 1
    known = [t / w for t, w in zip(total, weight, strict=True) if w]
    mean = sum(known) / len(known) if known else 0.0
    return tuple(t / w if w else mean for t, w in zip(total, weight, strict=True))


def appearances(scene: Scene) -> dict[str, list[Span]]:
    """Return where each character is seen, film seconds: from the logs and folders of the takes."""
    takes = {t.media.path: t for t in scene.takes}
    out: dict[str, list[Span]] = {}
    for piece in scene.pieces:
        take = takes.get(piece.clip.take)
        for name in take.log.characters if take else ():
            out.setdefault(name, []).append(_place(piece, scene)[0])
    return out


def need_of(
    scene: SceneSpan,
    number: int,
    film: Scene,
    words: Sequence[Span],
    library: Sequence[Song],
    forbid: Sequence[str] = (),
    themes: Mapping[str, str] | None = None,
) -> SceneNeed:
    """Return what a scene asks of its music; `themes` are paths of songs by character.

    Raises
    ------
    InputError
        If a song that is pinned or forbidden is not in the library.
    """
    from backbeat.decide.choose_terms import SceneNeed, median_shot, scene_curve, scene_energy, theme_shares

    span, rate = scene.span, film.timeline.rate
    cuts = [float(p.clip.start / rate) for p in film.pieces if p.cut]
    inside = sum(span.start < c < span.end for c in cuts)
    motion = motion_of(film, span)
    light = [(s.light, s.span.overlap(span)) for s in looked(film) if s.span.overlap(span) > 0]
    seen = appearances(film) | {name: [span] for name in scene.characters}
    talk = [Span(max(0.0, w.start - span.start), min(span.length, w.end - span.start)) for w in words]
    talk = [w for w in talk if w.length > 0]
    return SceneNeed(
        f"scene {number}",
        span.length,
        scene_energy(sum(motion) / len(motion), inside / span.length),
        median_shot(cuts, span.start, span.end),
        min(1.0, sum(w.length for w in talk) / span.length),
        scene.words,
        named(scene.song, library, "--scene"),
        tuple(named(f, library, "--forbid") for f in forbid),
        scene_curve(motion, cuts, span),
        tuple(talk),
        sum(v * w for v, w in light) / sum(w for _, w in light) if light else None,
        theme_shares(span, seen, themes or {}),
    )
