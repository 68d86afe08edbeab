# SPDX-License-Identifier: Apache-2.0
"""A scene as it was cut, read as shots that may give or take frames; and what moving them does to words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from backbeat.decide.align import FREE, Limits, SyncShot
from backbeat.model.footage import Hit, Take
from backbeat.model.time import Span
from backbeat.model.timeline import NORMAL, Clip, Timeline

GUARD = 0.06  # s either side of a word in which no cut may fall
EASY = (0.97, 1.03)  # speeds that speech bears
OVER = 12  # frames: the most that sound is carried over a picture cut


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the scene: `clip` as it stood, the source frames `low`..`high` that may be shown, what is in it.

    `words`, `hits` and `calm` (next to nothing moves) are in source seconds, with the handles'. `cut`: a visible cut
    stands at its start.
    """

    clip: Clip
    low: int
    high: int
    words: tuple[Span, ...] = ()
    hits: tuple[Hit, ...] = ()
    cut: bool = True
    fixed: bool = False
    calm: tuple[Span, ...] = ()


def calm_of(take: Take, *, below: float = 0.15) -> tuple[Span, ...]:
    """Return the spans, source seconds, in which next to nothing moves: under 0.15 % of the width a frame."""
    out: list[Span] = []
    rate = float(take.media.rate)
    for shot in take.shots:
        step = shot.curve_step / rate
        start = shot.start_frame / rate
        for i, motion in enumerate(shot.motion_curve):
            a, z = start + i * step, start + (i + 1) * step
            if motion >= below or any(a <= h.time < z for h in shot.hits):
                continue
            if out and abs(out[-1].end - a) < 1e-6:
                out[-1] = Span(out[-1].start, z)
            else:
                out.append(Span(a, z))
    return tuple(out)


def words_of(take: Take) -> tuple[Span, ...]:
    """Return the spans in which words are said, pauses taken out, source seconds."""
    out: list[Span] = []
    for speech in take.speech:
        start = speech.span.start
        for pause in sorted(speech.pauses, key=lambda p: p.start):
            if pause.start > start:
                out.append(Span(start, pause.start))
            start = max(start, pause.end)
        if speech.span.end > start:
            out.append(Span(start, speech.span.end))
    return tuple(out)


def film_pieces(take: Take, *, subtitles: Sequence[Span] = ()) -> tuple[Piece, ...]:
    """Read a finished film: its shots are pieces without handles; dissolves and black between them stay as they are."""
    media = take.media
    words = (*words_of(take), *subtitles)
    calm = calm_of(take)
    marks = [0]
    kinds: list[tuple[bool, bool]] = []  # (cut at its start, fixed)
    for shot in sorted(take.shots, key=lambda s: s.start_frame):
        start, end = max(shot.start_frame, marks[-1]), min(shot.end_frame, media.frames)
        if end <= start:
            continue
        if start > marks[-1]:
            kinds.append((False, True))
            marks.append(start)
            kinds.append((False, False))
        else:
            kinds.append((bool(kinds) and not kinds[-1][1], False))
        marks.append(end)
    if marks[-1] < media.frames:
        kinds.append((False, True))
        marks.append(media.frames)
    pieces: list[Piece] = []
    for i, (cut, fixed) in enumerate(kinds):
        first, last = marks[i], marks[i + 1]
        clip = Clip(
            first, last - first, media.path, first, media.rate, name=f"shot {i + 1}", shot=i,
            sound_gain_db=0.0 if media.has_sound else None,
        )  # fmt: skip
        span = Span(float(first / media.rate), float(last / media.rate))
        hits = tuple(h for s in take.shots for h in s.hits if span.start <= h.time < span.end)
        heard = tuple(w for w in words if w.overlap(span) > 0)
        pieces.append(Piece(clip, first, last, heard, hits, cut, fixed, calm))
    return tuple(pieces)


def timeline_pieces(timeline: Timeline, takes: dict[str, Take], *, subtitles: Sequence[Span] = ()) -> tuple[Piece, ...]:
    """Read an edited timeline: what is seen of its picture tracks, with the handles that its takes have.

    `subtitles` are film seconds. Gaps, titles and clips at another speed stay as they are.
    """
    rate = timeline.rate
    pieces: list[Piece] = []
    for clip in flattened(timeline):
        take = takes.get(clip.take)
        media = take.media if take else None
        still = media is not None and media.frames <= 1
        steady = clip.speed == NORMAL and media is not None and not still and not clip.locked
        first, last = clip.source_span(rate)
        low, high = (min(0, first), max(media.frames, last)) if media and steady else (first, last)
        words: list[Span] = list(words_of(take)) if take else []
        in_seconds = float(clip.source_in / clip.source_rate)
        begin, end = float(clip.start / rate), float(clip.end / rate)
        words += [
            Span(in_seconds + s.start - begin, in_seconds + s.end - begin)
            for s in subtitles
            if s.start < end and s.end > begin
        ]
        hits = tuple(h for s in take.shots for h in s.hits) if take else ()
        if take and steady:
            # handles do not reach into another shot of the take
            low, high = _same_shot(take, first, last, low, high)
        pieces.append(
            Piece(
                clip,
                low,
                high,
                tuple(words),
                hits,
                cut=bool(pieces) and bool(clip.take),
                fixed=not steady,
                calm=calm_of(take) if take else (),
            )
        )
    return tuple(pieces)


def _same_shot(take: Take, first: int, last: int, low: int, high: int) -> tuple[int, int]:
    for shot in take.shots:
        if shot.end_frame <= first:
            low = max(low, shot.end_frame)
        elif shot.start_frame >= last:
            high = min(high, shot.start_frame)
    return min(low, first), max(high, last)


def flattened(timeline: Timeline) -> tuple[Clip, ...]:
    """Return what is seen, as clips that tile the film: the topmost picture of each frame, gaps as clips of no take."""
    layers = [t for t in timeline.tracks if t.kind == "picture" and t.enabled]
    edges = {0, timeline.frames}
    for track in layers:
        for clip in track.clips:
            if clip.enabled:
                edges |= {min(max(clip.start, 0), timeline.frames), min(max(clip.end, 0), timeline.frames)}
    marks = sorted(edges)
    out: list[Clip] = []
    sources: list[Clip | None] = []
    for a, z in pairwise(marks):
        seen = next(
            (c for t in reversed(layers) for c in t.clips if c.enabled and c.opacity > 0 and c.start <= a < c.end), None
        )
        if out and seen is not None and sources[-1] is seen:
            out[-1] = replace(out[-1], frames=z - out[-1].start)
            continue
        if seen is None:
            out.append(Clip(a, z - a, "", 0, timeline.rate, name="gap"))
        elif seen.start == a and seen.end == z:
            out.append(seen)
        else:
            out.append(replace(seen, start=a, frames=z - a, source_in=seen.source_frame(a - seen.start, timeline.rate)))
        sources.append(seen)
    return tuple(out)


def shots_of(
    pieces: Sequence[Piece],
    rate: Fraction,
    limits: Limits,
    *,
    keep: Sequence[Span] = (),
    speed: tuple[float, float] = EASY,
    wide: tuple[float, float] = (0.9, 1.1),
) -> tuple[SyncShot, ...]:
    """Return the pieces as the solver sees them.

    Parameters
    ----------
    keep
        Film seconds in which nothing may change.
    speed, wide
        The speeds allowed with and without speech in a shot.
    """
    bare = [_bare(p, rate, speed, wide) for p in pieces]
    out = []
    for i, (piece, shot) in enumerate(zip(pieces, bare, strict=True)):
        clip = piece.clip
        span = Span(float(clip.start / rate), float(clip.end / rate))
        if piece.fixed or clip.locked or any(k.overlap(span) > 0 for k in keep):
            shot = replace(shot, fixed=True)  # noqa: PLW2901
        after = bare[i + 1] if i + 1 < len(bare) else None
        ahead = bare[i - 1] if i else None
        tail_over = head_over = 0
        if after and pieces[i + 1].cut:
            rival = i + 2 < len(bare) and bare[i + 2].head_free < limits.trim
            tail_over = _over(after, after.head_free, limits, rival=rival)
        if ahead and piece.cut:
            rival = i > 1 and bare[i - 2].tail_free < limits.trim
            head_over = _over(ahead, ahead.tail_free, limits, rival=rival)
        out.append(replace(shot, tail_over=tail_over, head_over=head_over))
    # both neighbours of a boundary that is no cut hold still there
    for i in range(1, len(out)):
        if not pieces[i].cut:
            out[i] = replace(out[i], before=0, head_free=0, head_over=0, cut=False)
            out[i - 1] = replace(out[i - 1], after=0, tail_free=0, tail_over=0)
    if out:
        out[0] = replace(out[0], cut=False)
    return tuple(out)


def _over(onto: SyncShot, silent: int, limits: Limits, *, rival: bool) -> int:
    """Return how many film frames of sound may be carried over a cut onto a shot, `silent` frames of which say nothing.

    They must still say nothing when that shot is trimmed (that one which speaks runs 3 % fast costs 0.4 frames of the
    guard at most); and where a `rival` may carry its sound onto it from the other side, half of the shot, however short
    it becomes, is left to that one.
    """
    shortest = max(onto.frames - limits.trim, min(limits.shortest, onto.frames))
    room = shortest // 2 if rival else shortest
    return max(0, min(OVER, room, silent - limits.trim))


def _bare(piece: Piece, rate: Fraction, speed: tuple[float, float], wide: tuple[float, float]) -> SyncShot:
    clip = piece.clip
    per = float(rate)
    first = float(clip.source_in / clip.source_rate)
    last = first + float(clip.frames / rate)
    before = math.floor((clip.source_in - piece.low) * rate / clip.source_rate)
    after = math.floor(piece.high * rate / clip.source_rate - clip.source_in * rate / clip.source_rate - clip.frames)
    inside = [w for w in piece.words if w.start < last and w.end > first]
    head = min((w.start for w in inside), default=math.inf) - GUARD - first
    tail = last - max((w.end for w in inside), default=-math.inf) - GUARD
    # what a handle gives must be wordless: a word that is half in would be cut, one that is new would be heard
    reach_low = max((w.end + GUARD for w in piece.words if w.start < first), default=-math.inf)
    reach_high = min((w.start - GUARD for w in piece.words if w.end > last), default=math.inf)
    hits = tuple(
        ((h.time - first) * per, h.strength) for h in piece.hits if first <= h.time < last and h.strength >= 0.25
    )
    low, high = speed if inside else wide
    speeds = tuple(sorted({round(s, 4) for s in (low, max(low, EASY[0]), min(high, EASY[1]), high) if s != 1.0}))
    return SyncShot(
        frames=clip.frames,
        before=max(0, min(before, _whole((first - reach_low) * per))),
        after=max(0, min(after, _whole((reach_high - last) * per))),
        hits=hits,
        head_free=max(0, _whole(head * per)),
        tail_free=max(0, _whole(tail * per)),
        speeds=speeds,
    )


def _whole(frames: float) -> int:
    return FREE if frames > FREE else math.floor(frames) if frames > -FREE else -FREE
