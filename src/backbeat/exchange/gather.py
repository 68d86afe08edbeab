# SPDX-License-Identifier: Apache-2.0
"""From the `Sheet` that a reader read to a `Timeline`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import PurePath

from backbeat.exchange.sheet import ZERO, Dissolve, Event, Lane, Mark, Sheet, Source
from backbeat.model.cue import Cue
from backbeat.model.footage import Media
from backbeat.model.timeline import Clip, Marker, Speed, Timeline, Track, Transition

_SONGS = frozenset([".wav", ".mp3", ".flac", ".aif", ".aiff", ".m4a", ".aac", ".ogg", ".opus", ".wma", ".ac3", ".caf"])


def gather(sheet: Sheet) -> Timeline:
    """Return the timeline that `sheet` tells of.

    Sound that lies under its own picture becomes that clip's production sound; sound-only files become cues; other
    sound becomes a sound track. Runners-up that were switched off become alternates of the clip that they lie over.
    """
    pictures = [lane for lane in sheet.of("picture") if lane.events]
    spare = [e for lane in sheet.of("alternates") for e in lane.events]
    heard: dict[tuple[int, int, str], float] = {}
    sounds, cues = [], []
    seen = {(e.start, e.frames, _path(e)) for lane in pictures for e in lane.events}
    for lane in sheet.of("sound", "music"):
        left = []
        for event in lane.events:
            key = (event.start, event.frames, _path(event))
            if key in seen and event.enabled:
                # Fades may have come as keys: the level is where they lead to.
                heard.setdefault(key, max((db for _, db in event.gain), default=0.0))
            elif key not in seen and event.source is not None and _is_song(event):
                if event.enabled:
                    cues.append(_cue(event, sheet))
            elif key not in seen:
                left.append(event)
        if left:
            clips = tuple(_clip(e, sheet) for e in left)
            sounds.append(Track(clips, "sound", lane.name, lane.enabled, _transitions(lane)))
    tracks = []
    fade_in = fade_out = ZERO
    for number, lane in enumerate(pictures):
        clips = tuple(
            _clip(e, sheet, heard.get((e.start, e.frames, _path(e))), spare if number == 0 else []) for e in lane.events
        )
        fades = {d for d in lane.dissolves if number == 0 and _is_fade(d, sheet)}
        cuts = replace(lane, dissolves=tuple(d for d in lane.dissolves if d not in fades))
        fade_in = next((d.after / sheet.rate for d in fades if not d.before), fade_in)
        fade_out = next((d.before / sheet.rate for d in fades if not d.after), fade_out)
        tracks.append(Track(clips, "picture", lane.name, lane.enabled, _transitions(cuts)))
    return Timeline(
        name=sheet.name,
        rate=sheet.rate,
        width=sheet.width,
        height=sheet.height,
        frames=sheet.frames or max((e.end for lane in sheet.lanes for e in lane.events), default=0),
        tracks=(*tracks, *sounds),
        cues=tuple(sorted((_unfaded(c, fade_in, fade_out, sheet) for c in cues), key=lambda c: (c.start, c.path))),
        markers=tuple(_marker(m, sheet) for m in sheet.marks if m.kind != "speed"),
        takes=tuple(_media(s) for s in sheet.sources() if s.picture or not is_sound_name(s.path)),
        start_timecode=sheet.start,
        fade_in=float(fade_in),
        fade_out=float(fade_out),
        metadata=() if sheet.drop else (("drop_frame", "no"),),
    )


def _is_fade(dissolve: Dissolve, sheet: Sheet) -> bool:
    """Whether a dissolve is the film's fade from or to black."""
    return (dissolve.at == 0 and not dissolve.before) or (dissolve.at == sheet.frames and not dissolve.after)


def _path(event: Event) -> str:
    return event.source.path if event.source else ""


def is_sound_name(path: str) -> bool:
    """Whether the suffix is one of sound alone."""
    return PurePath(path).suffix.lower() in _SONGS


def _is_song(event: Event) -> bool:
    return event.source is not None and (not event.source.picture or is_sound_name(event.source.path))


def _clip(event: Event, sheet: Sheet, gain: float | None = None, spare: list[Event] | None = None) -> Clip:
    from backbeat.model.timeline import Alternate

    source = event.source
    rate = source.rate if source else sheet.rate
    speed = Speed(float(event.speed), tuple((float(r), float(s)) for r, s in event.keys) if event.keys else ())
    return Clip(
        start=event.start,
        frames=event.frames,
        take=source.path if source else "",
        source_in=round(event.into * rate),
        source_rate=rate,
        speed=speed,
        name=event.name,
        enabled=event.enabled,
        opacity=event.opacity,
        sound_gain_db=gain,
        title=event.title,
        reason=event.note,
        alternates=tuple(
            Alternate(e.source.path, -1, round(e.into * e.source.rate), 0.0)
            for e in spare or ()
            if e.source is not None and e.start == event.start
        ),
        colour=event.colour,
    )


def _transitions(lane: Lane) -> tuple[Transition, ...]:
    return tuple(Transition(d.at, d.before, d.after) for d in lane.dissolves)


def _cue(event: Event, sheet: Sheet) -> Cue:
    start = event.start / sheet.rate
    level = event.gain[0][1] if len(event.gain) == 1 else 0.0
    return Cue(
        path=_path(event),
        start=float(start),
        end=float(event.end / sheet.rate),
        song_in=float(event.into),
        gain_db=level,
        stretch=float(event.speed) if not event.keys else 1.0,
        fade_in=float(event.fade_in),
        fade_out=float(event.fade_out),
        gain_keys=tuple((float(start + t), db) for t, db in event.gain) if len(event.gain) > 1 else (),
        tempo_map=tuple((float(start + r), float(event.into + s)) for r, s in event.keys),
        name=event.name,
        usage=event.note or "background instrumental",
    )


def _unfaded(cue: Cue, fade_in: Fraction, fade_out: Fraction, sheet: Sheet) -> Cue:
    """Return `cue` without a fade that is the film's own, which goes over all sound once more."""
    frame = float(1 / sheet.rate)
    at_start = cue.start < frame and fade_in and abs(cue.fade_in - fade_in) < frame
    at_end = cue.end > float(sheet.frames / sheet.rate) - frame and fade_out and abs(cue.fade_out - fade_out) < frame
    return replace(cue, fade_in=0.0 if at_start else cue.fade_in, fade_out=0.0 if at_end else cue.fade_out)


def _marker(mark: Mark, sheet: Sheet) -> Marker:
    return Marker(float(mark.time), mark.kind, mark.name, float(mark.frames / sheet.rate), mark.colour)


def _media(source: Source) -> Media:
    return Media(
        path=source.path,
        rate=source.rate,
        frames=source.frames,
        width=source.width,
        height=source.height,
        has_sound=source.sound,
        sample_rate=source.sample_rate if source.sound else 0,
        channels=source.channels if source.sound else 0,
        start_timecode=source.timecode or None,
        reel=source.reel,
    )
