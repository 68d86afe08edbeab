# SPDX-License-Identifier: Apache-2.0
"""The aligned scene as a timeline: pictures, their sound with words whole, markers and subtitles moved along."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from backbeat.decide.align import Change
from backbeat.decide.align_scene import GUARD, Piece
from backbeat.model.time import Span
from backbeat.model.timeline import NORMAL, Clip, Marker, Speed, Timeline, Track

NOTE = "#ffb000"


@dataclass(frozen=True, slots=True)
class ShotChange:
    """One line of the list of changes; frames of the film.

    `head`, `tail`: frames taken (> 0) or given (< 0) at either end apart from `slip` (> 0: later in the source).
    """

    shot: int
    name: str
    start_before: int
    frames_before: int
    start: int
    frames: int
    head: int
    tail: int
    slip: int
    speed: float
    says: str


def changes_of(pieces: Sequence[Piece], changes: Sequence[Change]) -> tuple[ShotChange, ...]:
    """Return the list of changes that an assistant editor could make by hand, a line a shot."""
    out = []
    for i, (piece, change) in enumerate(zip(pieces, changes, strict=True), 1):
        clip = piece.clip
        slip = change.slip
        head, tail = change.head - slip, -(round(change.tail) - slip)
        if change.speed != 1.0:
            slip, head, tail = 0, change.head, -round(change.tail)
        parts = [
            f"{what} {-n:+d} frame{'s' if abs(n) != 1 else ''}" for what, n in (("head", head), ("tail", tail)) if n
        ]
        parts += [f"slip {slip:+d}"] if slip else []
        parts += [f"speed {change.speed:.0%}"] if change.speed != 1.0 else []
        out.append(
            ShotChange(
                i, clip.name or clip.take, clip.start, clip.frames, change.start, change.end - change.start, head,
                tail, slip, change.speed, f"shot {i}: {', '.join(parts)}" if parts else "",
            )
        )  # fmt: skip
    return tuple(out)


def moved(piece: Piece, change: Change, rate: Fraction) -> Clip:
    """Return the picture clip of one piece after its change."""
    clip = piece.clip
    frames = change.end - change.start
    if piece.fixed or (change.head == 0 and change.speed == 1.0):
        return replace(clip, start=change.start, frames=frames)
    shift = round(Fraction(change.head) * clip.source_rate / rate)
    speed = NORMAL if change.speed == 1.0 else Speed(change.speed)
    source_in = clip.source_in + shift
    return replace(clip, start=change.start, frames=frames, source_in=max(0, source_in), speed=speed)


@dataclass(frozen=True, slots=True)
class Move:
    """How film times of the old scene map onto the new one, a shot a row: (old start, old end, source in, speed)."""

    pieces: tuple[Piece, ...]
    changes: tuple[Change, ...]
    rate: Fraction

    def time(self, old: float) -> float:
        """Return where the instant at `old` film seconds lies now; one that was trimmed away lies at its cut."""
        for piece, change in zip(self.pieces, self.changes, strict=True):
            clip = piece.clip
            if old < float(clip.end / self.rate) or clip is self.pieces[-1].clip:
                inside = (old - float(clip.start / self.rate) - float(change.head / self.rate)) / change.speed
                length = float((change.end - change.start) / self.rate)
                return float(change.start / self.rate) + min(max(inside, 0.0), length)
        return old


def carried(pieces: Sequence[Piece], changes: Sequence[Change], rate: Fraction) -> tuple[int, ...]:
    """Return, for each inner cut, by how many frames the sound's cut lies after (> 0) or before the picture's.

    Words that a picture trim has left beyond its cut are carried over it (an L-cut, > 0) or let in early (a J-cut).
    """
    out = []
    per = float(rate)
    for i in range(1, len(pieces)):
        late = _beyond(pieces[i - 1], changes[i - 1], per, tail=True)
        early = _beyond(pieces[i], changes[i], per, tail=False)
        out.append(late or -early)
    return tuple(out)


def _beyond(piece: Piece, change: Change, per: float, *, tail: bool) -> int:
    """Return record frames between the new picture cut and the end of the words trimmed from one end, 0 if none.

    Enough to hold the words and their guard, but never further than the record frame nearest to where the clip itself
    began or ended: a word that the scene cut there stays as it was, and one that was not heard is not let in.
    """
    clip = piece.clip
    first = float(clip.source_in / clip.source_rate)
    new = first + change.head / per
    if tail:
        new += (change.end - change.start) * change.speed / per
        trimmed = first + clip.frames / per - new
        lost = [w.end + GUARD - new for w in piece.words if w.start < new + trimmed]
    else:
        trimmed = new - first
        lost = [new - w.start + GUARD for w in piece.words if w.end > first]
    film = per / change.speed  # film frames a second of source
    return max(0, min(math.ceil(max(lost, default=0.0) * film - 1e-6), round(trimmed * film)))


def _sounding(pieces: Sequence[Piece], changes: Sequence[Change], rate: Fraction) -> list[tuple[int, Clip]]:
    """Return (piece, clip) of the production sound; its cuts lie where the words allow them."""
    over = (0, *carried(pieces, changes, rate), 0)
    out = []
    for i, (piece, change) in enumerate(zip(pieces, changes, strict=True)):
        if piece.clip.sound_gain_db is None or not piece.clip.take:
            continue
        clip = moved(piece, change, rate)
        before, after = -over[i], over[i + 1]
        frames = clip.frames + before + after
        if frames <= 0:
            continue
        shift = round(Fraction(before) * Fraction(str(round(change.speed, 6))) * clip.source_rate / rate)
        source_in = max(0, clip.source_in - shift)
        out.append((i, replace(clip, start=clip.start - before, frames=frames, source_in=source_in, alternates=())))
    return out


def production(pieces: Sequence[Piece], changes: Sequence[Change], rate: Fraction) -> Track:
    """Return the production sound of the pictures as a track of its own."""
    return Track(tuple(c for _, c in _sounding(pieces, changes, rate)), "sound", "Production")


def edited(timeline: Timeline, pieces: Sequence[Piece], changes: Sequence[Change], *, marks: bool = True) -> Timeline:
    """Return `timeline` with its pictures, sounds and markers moved.

    Clip names and metadata are kept. The picture becomes one track (what was seen), its production sound another;
    sound tracks of their own follow the picture under which they lay.
    """
    rate = timeline.rate
    move = Move(tuple(pieces), tuple(changes), rate)
    pictures = []
    notes = []
    for piece, change, told in zip(pieces, changes, changes_of(pieces, changes), strict=True):
        clip = moved(piece, change, rate)
        if clip.take or clip.title:
            pictures.append(replace(clip, sound_gain_db=None, reason=told.says or "as it was"))
        if told.says and marks:
            notes.append(Marker(float(change.start / rate), "note", told.says, float(clip.frames / rate), NOTE))
    frames = changes[-1].end if changes else timeline.frames
    sounds = [_followed(t, timeline, pieces, changes, frames) for t in timeline.tracks if t.kind == "sound"]
    own = production(pieces, changes, rate)
    tracks = (Track(tuple(pictures), "picture", "V1"), *((own,) if own.clips else ()), *sounds)
    kept = tuple(replace(m, time=move.time(m.time)) for m in timeline.markers)
    return replace(timeline, frames=frames, tracks=tracks, markers=(*kept, *notes), cues=())


def _followed(
    track: Track, timeline: Timeline, pieces: Sequence[Piece], changes: Sequence[Change], frames: int
) -> Track:
    """Return a sound track whose clips follow the picture they lay under, in step with it where they are its own."""
    rate = timeline.rate
    out: list[Clip] = []
    for clip in track.clips:
        ranked = sorted(
            range(len(pieces)),
            key=lambda k: (
                pieces[k].clip.take != clip.take,
                -_shared(pieces[k].clip, clip),
            ),
        )
        best = next((k for k in ranked if _shared(pieces[k].clip, clip) > 0), None)
        if best is None:
            out.append(clip)
            continue
        piece, change = pieces[best], changes[best]
        head = clip.start - piece.clip.start  # where it began under its picture
        tail = clip.end - piece.clip.end
        start = change.start if head == 0 else change.start + round((head - change.head) / change.speed)
        end = (
            change.end
            if tail == 0
            else change.start + round((clip.end - piece.clip.start - change.head) / change.speed)
        )
        source = clip.source_in
        if clip.take == piece.clip.take and head == 0:
            source += round(Fraction(change.head) * clip.source_rate / rate)
        speed = clip.speed if change.speed == 1.0 or clip.take != piece.clip.take else Speed(change.speed)
        start, end = max(0, start), min(frames, end)
        if end > start:
            out.append(replace(clip, start=start, frames=end - start, source_in=max(0, source), speed=speed))
    out.sort(key=lambda c: c.start)
    for i in range(len(out) - 1):
        if out[i].end > out[i + 1].start:
            out[i] = replace(out[i], frames=max(0, out[i + 1].start - out[i].start))
    return replace(track, clips=tuple(c for c in out if c.frames > 0))


def _shared(a: Clip, b: Clip) -> int:
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def film_words(pieces: Sequence[Piece], changes: Sequence[Change], rate: Fraction) -> tuple[Span, ...]:
    """Return where words are heard in the new film (s), to duck the song under."""
    out = []
    for i, clip in _sounding(pieces, changes, rate):
        piece = pieces[i]
        first = float(clip.source_in / clip.source_rate)
        start, end = float(clip.start / rate), float(clip.end / rate)
        for word in piece.words:
            a = start + (word.start - first) / clip.speed.factor
            z = start + (word.end - first) / clip.speed.factor
            if z > start and a < end:
                out.append(Span(max(a, start), min(z, end)))
    return tuple(sorted(out, key=lambda s: s.start))


def cut_words(pieces: Sequence[Piece], changes: Sequence[Change], rate: Fraction) -> tuple[tuple[int, Span], ...]:
    """Return (piece, word) of every word that was whole in the scene and is not any more; an edit must have none."""
    over = (0, *carried(pieces, changes, rate), 0)
    wrong = []
    for i, (piece, change) in enumerate(zip(pieces, changes, strict=True)):
        clip = piece.clip
        if not clip.take:
            continue
        first = float(clip.source_in / clip.source_rate)
        old = Span(first, first + float(clip.frames / rate))
        start = first + float(change.head / rate) + over[i] * change.speed / float(rate)
        end = first + float(change.head / rate) + (change.end - change.start + over[i + 1]) * change.speed / float(rate)
        half = 0.5 * change.speed / float(rate) + 1e-6
        wrong += [(i, w) for w in piece.words if _broken(w, old, Span(start, end), half)]
    return tuple(wrong)


def _broken(word: Span, old: Span, new: Span, half: float) -> bool:
    """Whether a word of a source is heard otherwise in its span `new` than in `old`, beyond `half` a film frame (s)."""
    if word.overlap(old) == 0:  # not said before
        return word.overlap(Span(new.start + half, max(new.start + half, new.end - half))) > 0
    begun, ended = word.start < old.start, word.end > old.end  # the scene itself cut it: it stays as it was
    head = abs(new.start - old.start) > half if begun else word.start < new.start - half
    tail = abs(new.end - old.end) > half if ended else word.end > new.end + half
    return head or tail


def of_film(pieces: Sequence[Piece], name: str, rate: Fraction, width: int, height: int) -> Timeline:
    """Return a finished film's pieces as the timeline it might have been cut from."""
    clips = tuple(p.clip for p in pieces)
    return Timeline(name, rate, width, height, clips[-1].end if clips else 0, (Track(clips, "picture", "V1"),))
