# SPDX-License-Identifier: Apache-2.0
"""From a `Timeline` to the `Sheet` that every writer writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePath

from backbeat.exchange.colours import KIND_COLOURS, named, section_colours
from backbeat.exchange.sheet import ONE, ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.model.cue import Cue
from backbeat.model.footage import Media
from backbeat.model.time import frame_at
from backbeat.model.timeline import Clip, Timeline, Track

# A duck's flanks: down before the first word, up after the last (seconds).
DUCK_ATTACK, DUCK_RELEASE = 0.25, 0.6


def draw(timeline: Timeline) -> Sheet:
    """Return the sheet of `timeline`.

    Picture tracks come first, bottom to top; then the runners-up (off), the pictures' own sound, sound tracks, songs.
    """
    files = {m.path: source_of(m) for m in timeline.takes}
    colours = section_colours(timeline)
    drawn = [_lane(i, timeline, files, colours) for i in range(len(timeline.tracks))]
    lanes = [lane for lane in drawn if lane.picture]
    spare = _alternates(timeline, files)
    if spare:
        lanes.append(Lane("alternates", spare, "Alternates", enabled=False))
    for index, lane in enumerate([lane for lane in drawn if lane.picture]):
        own = _own_sound(timeline.tracks[lane.track], lane)
        if own:
            lanes.append(Lane("sound", own, "Production sound", enabled=lane.enabled, mates=index))
    lanes += [lane for lane in drawn if not lane.picture]
    lanes += _music(timeline)
    lanes = [_faded(lane, timeline, lowest=i == 0) for i, lane in enumerate(lanes)]
    return Sheet(
        name=timeline.name,
        rate=timeline.rate,
        width=timeline.width,
        height=timeline.height,
        frames=timeline.frames,
        lanes=tuple(lanes),
        marks=_marks(timeline),
        start=timeline.start_timecode,
        drop=counts_drop(timeline),
    )


def _faded(lane: Lane, timeline: Timeline, *, lowest: bool) -> Lane:
    """Return `lane` with the film's own fades: dissolves of the lowest picture, fades of all sound at its ends."""
    spans = (exact(timeline.fade_in), exact(timeline.fade_out))
    if not any(spans) or not lane.events:
        return lane
    if lane.picture:
        first, last = (min(frame_at(s, timeline.rate), timeline.frames) for s in spans)
        taken = {d.at for d in lane.dissolves}
        found = list(lane.dissolves)
        if lowest and first and lane.kind == "picture" and lane.events[0].start == 0 and 0 not in taken:
            found.insert(0, Dissolve(0, 0, min(first, lane.events[0].frames)))
        if lowest and last and lane.kind == "picture" and lane.events[-1].end == timeline.frames not in taken:
            found.append(Dissolve(timeline.frames, min(last, lane.events[-1].frames), 0))
        return replace(lane, dissolves=tuple(found))
    events = [
        replace(
            e,
            fade_in=max(e.fade_in, spans[0]) if e.start == 0 else e.fade_in,
            fade_out=max(e.fade_out, spans[1]) if e.end == timeline.frames else e.fade_out,
        )
        for e in lane.events
    ]
    return replace(lane, events=tuple(events))


def counts_drop(timeline: Timeline) -> bool:
    """Whether the record timecode drops numbers: at 29.97 and 59.94 it does unless metadata ``drop_frame`` is no."""
    if timeline.rate not in {Fraction(30000, 1001), Fraction(60000, 1001)}:
        return False
    return dict(timeline.metadata).get("drop_frame", "yes") != "no"


def exact(value: float) -> Fraction:
    """Return `value` to the microsecond, the grain at which `Clip.source_frame` reckons."""
    return Fraction(round(value * 1_000_000), 1_000_000)


def source_of(media: Media) -> Source:
    """Return the plain view of a file's facts."""
    return Source(
        path=media.path,
        rate=media.rate,
        frames=media.frames,
        timecode=media.start_timecode or 0,
        width=media.width,
        height=media.height,
        sound=media.has_sound,
        channels=media.channels or 2,
        sample_rate=media.sample_rate or 48000,
        reel=media.reel,
    )


def _lane(index: int, timeline: Timeline, files: dict[str, Source], colours: list[tuple[int, str]]) -> Lane:
    track = timeline.tracks[index]
    events = tuple(event_of(c, timeline.rate, files, colours) for c in track.clips)
    dissolves = tuple(Dissolve(t.at, t.before, t.after) for t in track.transitions)
    kind = "sound" if track.kind == "sound" else "picture"
    return Lane(kind, events, track.name, track.enabled, dissolves, index)


def event_of(clip: Clip, rate: Fraction, files: dict[str, Source], colours: list[tuple[int, str]]) -> Event:
    """Return the plain view of one clip; `colours` are (first record frame, colour) of the sections."""
    source = files.get(clip.take) or (Source(clip.take, clip.source_rate) if clip.take else None)
    if source is not None and clip.title is not None:
        source = None
    keys: tuple[tuple[Fraction, Fraction], ...] = ()
    speed = exact(clip.speed.factor)
    if not clip.speed.constant:
        keys = tuple((exact(r), exact(s)) for r, s in clip.speed.points)
        speed = _average(keys, clip.frames / rate)
    into = clip.source_in / clip.source_rate
    if source is not None and source.still:  # a picture that stands knows no pace
        into, speed, keys = ZERO, ONE, ()
    colour = clip.colour or next((c for at, c in reversed(colours) if at <= clip.start), "")
    name = clip.name or (clip.title.text.splitlines()[0] if clip.title and clip.title.text else "")
    return Event(
        start=clip.start,
        frames=clip.frames,
        source=source,
        into=into,
        speed=speed,
        keys=keys,
        name=name or PurePath(clip.take).stem,
        note=clip.reason,
        colour=colour,
        enabled=clip.enabled,
        gain=((ZERO, clip.sound_gain_db),) if clip.sound_gain_db else (),
        opacity=clip.opacity,
        title=clip.title,
    )


def _average(keys: tuple[tuple[Fraction, Fraction], ...], length: Fraction) -> Fraction:
    whole = Event(0, 1, None, keys=keys)
    return exact(float((whole.at(length) - whole.at(ZERO)) / length)) if length else ONE


def _own_sound(track: Track, lane: Lane) -> tuple[Event, ...]:
    """Return the sound of the pictures that is used, each tied to its picture."""
    found = []
    for index, (clip, event) in enumerate(zip(track.clips, lane.events, strict=True)):
        if clip.sound_gain_db is not None and event.source is not None and event.source.sound:
            found.append(replace(event, mate=index, note="", title=None))
    return tuple(found)


def _alternates(timeline: Timeline, files: dict[str, Source]) -> tuple[Event, ...]:
    """Return the best runner-up of every clip of the first picture track, at normal speed, off."""
    first = next((t for t in timeline.tracks if t.kind != "sound"), None)
    found = []
    for clip in first.clips if first else ():
        if clip.alternates:
            other = clip.alternates[0]
            source = files.get(other.take) or Source(other.take, clip.source_rate)
            found.append(
                Event(
                    start=clip.start,
                    frames=clip.frames,
                    source=source,
                    into=other.source_in / source.rate,
                    name=PurePath(other.take).stem,
                    note=f"runner-up for {clip.name or PurePath(clip.take).stem}, lost by {other.loss:.3g}",
                    enabled=False,
                )
            )
    return tuple(found)


def _music(timeline: Timeline) -> list[Lane]:
    """Songs on as few lanes as they need without overlapping."""
    lanes: list[list[Event]] = []
    pieces = [p for cue in sorted(timeline.cues, key=lambda c: c.start) for p in _pieces(cue, timeline)]
    files: dict[str, Source] = {}
    lengths: dict[str, Fraction] = {}
    for path, piece in pieces:
        lengths[path] = max(lengths.get(path, ZERO), piece.at(piece.frames / timeline.rate))
    for path, length in lengths.items():
        files[path] = Source(path, timeline.rate, -(-length * timeline.rate // 1), picture=False)
    for path, piece in sorted(pieces, key=lambda p: p[1].start):
        event = replace(piece, source=files[path])
        row = next((r for r in lanes if r[-1].end <= event.start), None)
        if row is None:
            lanes.append([event])
        else:
            row.append(event)
    return [Lane("music", tuple(row), f"Music {i + 1}") for i, row in enumerate(lanes)]


def _pieces(cue: Cue, timeline: Timeline) -> list[tuple[str, Event]]:
    """Return one event for every stretch of the song between seams.

    The song is first laid out as if played straight (`line`: film seconds to song seconds); every seam passed shifts
    what really sounds.
    """
    begin, end, stretch = exact(cue.start), exact(cue.end), exact(cue.stretch)
    points = tuple((exact(f), exact(s)) for f, s in cue.tempo_map)
    bends = len(points) >= 2
    if not bends:
        points = ((begin, exact(cue.song_in)), (begin + 1, exact(cue.song_in) + stretch))
    line, back = Event(0, 1, None, keys=points), Event(0, 1, None, keys=tuple((s, f) for f, s in points))
    spans: list[tuple[Fraction, Fraction, Fraction]] = []  # film from, film to, shift
    film, shift = begin, ZERO
    for seam in cue.seams:
        leave = back.at(exact(seam.out) - shift)
        if not film < leave < end:
            break
        spans.append((film, leave, shift))
        film, shift = leave, shift + exact(seam.into) - exact(seam.out)
    spans.append((film, end, shift))
    rate, found = timeline.rate, []
    for index, (first, last, jump) in enumerate(spans):
        start, stop = frame_at(first, rate), min(frame_at(last, rate), max(timeline.frames, 1))
        if line.at(start / rate) + jump < 0:  # half a frame before the song begins
            start += 1
        if stop <= start:
            continue
        at, length = start / rate, (stop - start) / rate
        into = line.at(at)
        keys: tuple[tuple[Fraction, Fraction], ...] = ()
        if bends:
            inner = [(f - at, s - into) for f, s in points if ZERO < f - at < length]
            keys = ((ZERO, ZERO), *inner, (length, line.at(at + length) - into))
        event = Event(
            start=start,
            frames=stop - start,
            source=None,
            into=into + jump,
            speed=_average(keys, length) if bends else stretch,
            keys=keys,
            name=cue.name or PurePath(cue.path).stem,
            note=cue.usage,
            gain=_level(cue, at, at + length),
            fade_in=exact(cue.fade_in) if index == 0 else ZERO,
            fade_out=exact(cue.fade_out) if index == len(spans) - 1 else ZERO,
        )
        found.append((cue.path, event))
    return found


def _level(cue: Cue, begin: Fraction, end: Fraction) -> tuple[tuple[Fraction, float], ...]:
    """Return the cue's level in dB over ``begin .. end`` (film seconds).

    Keys and ducks are straight lines in dB; where ducks overlap the deepest counts, as in the mix. Their bells are
    stood in for by the depth that level alone needs.
    """
    keys = [(exact(t), db) for t, db in cue.gain_keys] or [(begin, 0.0)]
    ducks = []
    for duck in cue.ducks:
        first, last, depth = exact(duck.span.start), exact(duck.span.end), min(duck.depth_db, duck.alone_db)
        ducks.append([
            (first - exact(DUCK_ATTACK), 0.0), (first, depth), (last, depth), (last + exact(DUCK_RELEASE), 0.0),
        ])  # fmt: skip
    if not cue.gain_keys and not ducks:
        return ((ZERO, cue.gain_db),) if cue.gain_db else ()
    times = {begin, end, *(t for line in (keys, *ducks) for t, _ in line if begin < t < end)}
    for one, other in pairwise(sorted(ducks)):
        times |= {t for t in _crossings(one, other) if begin < t < end}
    curve = [
        (t - begin, round(cue.gain_db + _along(keys, t) + min((_along(d, t) for d in ducks), default=0.0), 4))
        for t in sorted(times)
    ]
    kept = [curve[0]]
    for before, here, after in zip(curve, curve[1:], curve[2:], strict=False):
        if not before[1] == here[1] == after[1]:
            kept.append(here)
    return (*kept, curve[-1])


def _crossings(one: list[tuple[Fraction, float]], other: list[tuple[Fraction, float]]) -> list[Fraction]:
    """Return where two lines cross."""
    times = sorted({t for t, _ in (*one, *other)})
    apart = [_along(one, t) - _along(other, t) for t in times]
    return [
        t0 + (t1 - t0) * exact(a / (a - b))
        for (t0, a), (t1, b) in pairwise(zip(times, apart, strict=True))
        if a * b < 0
    ]


def _along(line: list[tuple[Fraction, float]], time: Fraction) -> float:
    if time <= line[0][0]:
        return line[0][1]
    for (t0, v0), (t1, v1) in pairwise(line):
        if time < t1:
            return v0 + float((time - t0) / (t1 - t0)) * (v1 - v0) if t1 > t0 else v1
    return line[-1][1]


def _marks(timeline: Timeline) -> tuple[Mark, ...]:
    rate = timeline.rate

    def mark(time: float, kind: str, name: str, length: float = 0.0, colour: str = "", origin: int = -1) -> Mark:
        frame = min(max(frame_at(time, rate), 0), max(timeline.frames - 1, 0))
        long = frame_at(length, rate)
        return Mark(frame, long, name or kind, kind, colour or KIND_COLOURS.get(kind, "YELLOW"), exact(time), origin)

    marks = [mark(m.time, m.kind, m.name, m.length, named(m.colour), i) for i, m in enumerate(timeline.markers)]
    told = {m.frame for m in marks if m.kind == "hit"}
    for clip in _clips(timeline):
        marks += [mark(h, "hit", "hit") for h in clip.hits if frame_at(h, rate) not in told]
        if not clip.speed.constant:
            name = f"eased speed, {clip.source_span(rate)[1] - clip.source_span(rate)[0]} source frames"
            marks.append(mark(float(clip.start / rate), "speed", name))
    return tuple(sorted(marks, key=lambda m: (m.frame, m.kind, m.name)))


def _clips(timeline: Timeline) -> Iterable[Clip]:
    return (c for t in timeline.tracks if t.kind != "sound" for c in t.clips)
