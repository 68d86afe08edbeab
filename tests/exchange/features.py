# SPDX-License-Identifier: Apache-2.0
"""What of an edit came back: one check a row of the table in docs/interchange.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from backbeat.exchange.sheet import Event
from backbeat.model.time import frame_at
from backbeat.model.timeline import NORMAL, Clip, Timeline, Track

KEPT, NEAR, LOST = "yes", "near", "–"


def pictures(edit: Timeline) -> list[Track]:
    return [t for t in edit.tracks if t.kind == "picture"]


def shown(edit: Timeline) -> list[Clip]:
    """The clips of the first picture track that are on and have a file."""
    return [c for c in pictures(edit)[0].clips if c.enabled and c.take] if pictures(edit) else []


def _same(a: object, b: object) -> str:
    return KEPT if a == b else LOST


def _rate(a: Timeline, b: Timeline) -> str:
    return _same(a.rate, b.rate)


def _size(a: Timeline, b: Timeline) -> str:
    return _same((a.width, a.height), (b.width, b.height))


def _cuts(a: Timeline, b: Timeline) -> str:
    return _same([(c.start, c.frames) for c in shown(a)], [(c.start, c.frames) for c in shown(b)])


def _in_points(a: Timeline, b: Timeline) -> str:
    """In-points of clips at normal speed to the frame; of others within one frame."""
    one, other = ({c.start: c for c in shown(x)} for x in (a, b))
    if set(one) != set(other):
        return LOST
    off = [abs(_absolute(a, c) - _absolute(b, other[s])) for s, c in one.items()]
    plain = [abs(_absolute(a, c) - _absolute(b, other[s])) for s, c in one.items() if c.speed.factor == 1]
    return KEPT if not any(plain) and max(off) <= 1 else LOST


def _absolute(edit: Timeline, clip: Clip) -> int:
    """Source frame by timecode where the paper keeps that, else by file."""
    media = next((m for m in edit.takes if m.path == clip.take), None)
    begins = media.start_timecode or 0 if media else 0
    # A paper that knows no timecode counts from the file's start: the first of the takes begins at an hour.
    return clip.source_in + begins if begins or clip.source_in > 80_000 else clip.source_in + 3600 * _base(edit)


def _base(edit: Timeline) -> float:
    return 107892 / 3600 if edit.rate.denominator == 1001 and edit.rate > 29 else -(-edit.rate // 1)


def _timecode(a: Timeline, b: Timeline) -> str:
    """Absolute source timecode of every clip, as far as the paper carries it."""
    known = {PurePath(m.path).name: m.start_timecode for m in b.takes}
    if all(known.get(PurePath(m.path).name) == m.start_timecode for m in a.takes):
        return KEPT
    by_list = {c.start: c.source_in for c in shown(b)}
    hour = a.takes[0].start_timecode or 0
    plain = [c for c in shown(a) if c.speed == NORMAL]
    return KEPT if all(by_list.get(c.start) == c.source_in + hour for c in plain) else LOST


def _record_timecode(a: Timeline, b: Timeline) -> str:
    drop = [dict(x.metadata).get("drop_frame", "yes") for x in (a, b)]
    matters = a.rate.denominator == 1001 and a.rate > 29
    return _same((a.start_timecode, drop[0] if matters else ""), (b.start_timecode, drop[1] if matters else ""))


def _speed(a: Timeline, b: Timeline) -> str:
    one = {c.start: c.speed.factor for c in shown(a) if c.speed.constant}
    other = {c.start: c.speed.factor for c in shown(b) if c.speed.constant}
    off = max(abs(other.get(k, 99.0) - v) for k, v in one.items())
    return KEPT if off < 1e-5 else NEAR if off < 1e-3 else LOST


def _eased(a: Timeline, b: Timeline) -> str:
    other = {c.start: c for c in shown(b)}
    for clip in shown(a):
        if clip.speed.constant:
            continue
        back = other.get(clip.start)
        if back is None:
            return LOST
        if back.speed.constant:
            ends = [c.source_frame(c.frames - 1, a.rate) - c.source_in for c in (clip, back)]
            return NEAR if abs(ends[0] - ends[1]) <= 1 else LOST
        for k in range(clip.frames):
            shift = [c.source_frame(k, a.rate) - c.source_in for c in (clip, back)]
            if abs(shift[0] - shift[1]) > 1:
                return LOST
    return KEPT


def _dissolves(a: Timeline, b: Timeline) -> str:
    one, other = ([(t.at, t.before, t.after) for t in pictures(x)[0].transitions] for x in (a, b))
    return _same(one, other)


def _film_fades(a: Timeline, b: Timeline) -> str:
    near = [abs(x - y) <= 0.51 / float(a.rate) for x, y in ((a.fade_in, b.fade_in), (a.fade_out, b.fade_out))]
    return KEPT if all(near) else LOST


def _marks(edit: Timeline) -> set[tuple[int, str]]:
    return {(frame_at(m.time, edit.rate), m.name) for m in edit.markers if m.kind != "speed"}


def _markers(a: Timeline, b: Timeline) -> str:
    return KEPT if _marks(a) <= _marks(b) else LOST


def _kinds(a: Timeline, b: Timeline) -> str:
    one, other = ({(frame_at(m.time, x.rate), m.name, m.kind) for m in x.markers} for x in (a, b))
    return KEPT if one <= other else LOST


def _names(a: Timeline, b: Timeline) -> str:
    return _same({c.start: c.name for c in shown(a)}, {c.start: c.name for c in shown(b)})


def _notes(a: Timeline, b: Timeline) -> str:
    return _same({c.start: c.reason for c in shown(a)}, {c.start: c.reason for c in shown(b)})


def _paths(a: Timeline, b: Timeline) -> str:
    return _same([c.take for c in shown(a)], [c.take for c in shown(b)])


def _handles(a: Timeline, b: Timeline) -> str:
    one, other = ({m.path: (m.frames, m.rate) for m in x.takes} for x in (a, b))
    if one == other:
        return KEPT
    if set(one) != set(other):
        return LOST
    return NEAR if all(abs(one[p][0] - other[p][0]) <= 2 and one[p][1] == other[p][1] for p in one) else LOST


def _path(event: Event) -> str:
    return event.source.path if event.source else ""


def _cues(a: Timeline, b: Timeline) -> str:
    """Which song sounds where from which second, seams as separate pieces, to half a frame."""
    from backbeat.exchange.draw import draw

    found = []
    for edit in (a, b):
        events = [e for lane in draw(edit).of("music") for e in lane.events if e.source]
        found.append(
            sorted((e.start, e.frames, e.source.path, float(e.into), float(e.speed)) for e in events if e.source)
        )
    if len(found[0]) != len(found[1]):
        return LOST
    for one, other in zip(*found, strict=True):
        if one[:3] != other[:3] or abs(one[3] - other[3]) > 0.51 / float(a.rate) or abs(one[4] - other[4]) > 1e-3:
            return LOST
    return KEPT


def _cue_levels(a: Timeline, b: Timeline) -> str:
    """The level of every song within 1 dB all along (keys lie on frames), fades left out."""
    from backbeat.exchange.draw import draw
    from backbeat.exchange.levels import gain_at

    tables = []
    for edit in (a, b):
        table = {}
        for event in (e for lane in draw(edit).of("music") for e in lane.events):
            fades = (round(0.5 * a.rate) + 1, round(1.2 * a.rate) + 2)
            for k in range(fades[0], event.frames - fades[1]):
                table[event.start + k, _path(event)] = gain_at(event, k / edit.rate)
        tables.append(table)
    if set(tables[0]) != set(tables[1]):
        return LOST
    return KEPT if all(abs(v - tables[1][k]) < 1.0 for k, v in tables[0].items()) else LOST


def _fades(a: Timeline, b: Timeline) -> str:
    one, other = ([(round(c.fade_in, 3), round(c.fade_out, 3)) for c in x.cues] for x in (a, b))
    flat = [sum(f[i] for f in x) for x in (one, other) for i in (0, 1)]
    if abs(flat[0] - flat[2]) < 0.05 and abs(flat[1] - flat[3]) < 0.05:
        return KEPT
    quiet = any(c.gain_keys and c.gain_keys[0][1] < -40 for c in b.cues)
    return NEAR if quiet else LOST


def _sound(a: Timeline, b: Timeline) -> str:
    return _same(*({c.start for c in shown(x) if c.sound_gain_db is not None} for x in (a, b)))


def _clip_levels(a: Timeline, b: Timeline) -> str:
    one, other = ({c.start: round(c.sound_gain_db or 0, 1) for c in shown(x)} for x in (a, b))
    return _same(one, other)


def _disabled(a: Timeline, b: Timeline) -> str:
    return _same(*({c.start for c in pictures(x)[0].clips if not c.enabled} for x in (a, b)))


def _alternates(a: Timeline, b: Timeline) -> str:
    hour = a.takes[0].start_timecode or 1  # a list counts by timecode
    one, other = ({c.start: [(x.take, x.source_in % hour) for x in c.alternates] for c in shown(e)} for e in (a, b))
    return _same(one, other)


def _colours(a: Timeline, b: Timeline) -> str:
    from backbeat.exchange.draw import draw

    one = [e.colour for e in draw(a).of("picture")[0].events if e.enabled and e.source]
    return _same(one, [c.colour or e.colour for c, e in zip(shown(b), [
        e for e in draw(b).of("picture")[0].events if e.enabled and e.source], strict=True)])  # fmt: skip


def _titles(a: Timeline, b: Timeline) -> str:
    one, other = ([(c.start, c.frames, c.title.text) for t in pictures(x) for c in t.clips if c.title] for x in (a, b))
    return _same(one, other)


def _opacity(a: Timeline, b: Timeline) -> str:
    one, other = ({c.start: c.opacity for t in pictures(x) for c in t.clips if c.opacity < 1} for x in (a, b))
    return _same(one, other)


def _wild(a: Timeline, b: Timeline) -> str:
    one, other = ([(c.start, c.frames, c.take) for t in x.tracks if t.kind == "sound" for c in t.clips] for x in (a, b))
    return _same(one, other)


FEATURES: dict[str, Callable[[Timeline, Timeline], str]] = {
    "frame rate": _rate,
    "frame size": _size,
    "cuts to the frame": _cuts,
    "in- and out-points": _in_points,
    "source timecode": _timecode,
    "record timecode, drop-frame": _record_timecode,
    "constant speed": _speed,
    "eased speed": _eased,
    "dissolves": _dissolves,
    "fades of the film": _film_fades,
    "markers": _markers,
    "kinds of markers": _kinds,
    "clip names": _names,
    "notes (`reason`)": _notes,
    "paths in any script": _paths,
    "media length (handles)": _handles,
    "songs, seams and stretch": _cues,
    "song levels and ducks": _cue_levels,
    "song fades": _fades,
    "production sound, linked": _sound,
    "production sound levels": _clip_levels,
    "clips that are off": _disabled,
    "runners-up, off": _alternates,
    "colour by section": _colours,
    "titles on a second track": _titles,
    "opacity": _opacity,
    "sound tracks of their own": _wild,
}
