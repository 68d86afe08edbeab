# SPDX-License-Identifier: Apache-2.0
"""Bake what an edit uses into new files, so that another program needs plain cuts only."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from backbeat.errors import InputError
from backbeat.model.cue import Cue
from backbeat.model.footage import Media
from backbeat.model.time import frame_at
from backbeat.model.timeline import NORMAL, Clip, Speed, Timeline, Track
from backbeat.verbs.session import Session
from backbeat.work.output import check, placed

CODECS = ("prores", "dnxhr")


def consolidated(
    timeline: Timeline, folder: Path, session: Session, *, codec: str, handles: int = 24, force: bool = False
) -> tuple[Timeline, tuple[str, ...]]:
    """Return the same film over baked media in `folder`, and the files made.

    Every clip that is on becomes a file of its own at the film's rate and size, its speed, fit and production sound in
    it, with up to `handles` frames more on both sides. A song that is cut, stretched, rung out or lies between frames
    becomes a WAV; its levels, ducks and fades stay outside, to be changed. Clips that are off and runners-up go.

    Raises
    ------
    InputError
        If the codec is unknown, a file exists and `force` is not given, or the edit lives in `folder` already.
    MediaError
        If a source cannot be read.
    """
    if codec not in CODECS:
        raise InputError(f"--consolidate {codec}: no such codec", f"use {' or '.join(CODECS)}")
    home = folder.absolute()
    used = [c.take for t in timeline.tracks for c in t.clips] + [c.path for c in timeline.cues]
    if any(home in Path(p).absolute().parents for p in used if p):
        raise InputError(
            f"{folder}: the edit's own media lies there", "give another output, so that it is not replaced"
        )
    if codec == "dnxhr" and (timeline.width < 256 or timeline.height < 120):
        raise InputError(f"{timeline.width}x{timeline.height}: smaller than DNxHR can be", "use --consolidate prores")
    folder.mkdir(exist_ok=True)
    files: list[str] = []
    facts: dict[str, Media] = {}
    tracks = []
    total = sum(c.enabled and bool(c.take) for t in timeline.tracks if t.enabled for c in t.clips)
    session.progress.start("bake", total, "clips")
    for track in timeline.tracks:
        clips = []
        for clip in track.clips if track.enabled else ():
            if clip.enabled and clip.take and track.kind != "sound":
                path = str(folder / f"{len(files) + 1:04d} {_safe(clip.name or Path(clip.take).stem)}.mov")
                check(path, force=force, inputs=used)
                baked, media = _baked(clip, timeline, path, codec, handles)
                files.append(path)
                facts[path] = media
                clips.append(baked)
                session.progress.advance()
            elif clip.enabled:
                clips.append(replace(clip, alternates=()))
        tracks.append(replace(track, clips=tuple(clips)))
    session.progress.stop()
    cues = []
    for cue in timeline.cues:
        if _plain(cue, timeline.rate):
            cues.append(cue)
            continue
        path = str(folder / f"song {len(files) + 1:04d} {_safe(cue.name or Path(cue.path).stem)}.wav")
        check(path, force=force, inputs=used)
        cues.append(_song(cue, timeline.rate, path))
        files.append(path)
    kept = tuple(m for m in timeline.takes if any(c.take == m.path for t in tracks for c in t.clips))
    film = replace(timeline, tracks=tuple(tracks), cues=tuple(cues), takes=(*kept, *facts.values()))
    return film, tuple(files)


def _baked(clip: Clip, timeline: Timeline, path: str, codec: str, handles: int) -> tuple[Clip, Media]:
    from backbeat.make.film import render
    from backbeat.make.settings import RenderSettings
    from backbeat.media.probe import probe

    rate = timeline.rate
    media = next((m for m in timeline.takes if m.path == clip.take and m.pixel_format), None) or probe(clip.take)
    head, tail = spare(clip, media, rate, handles)
    total = head + clip.frames + tail
    alone = replace(
        clip,
        start=0,
        frames=total,
        speed=widened(clip, rate, head, tail),
        source_in=clip.source_in,
        sound_gain_db=0.0 if clip.sound_gain_db is not None else None,
        opacity=1.0,
        hits=(),
        alternates=(),
    )
    small = Timeline(clip.name, rate, timeline.width, timeline.height, total, (Track((alone,)),), takes=(media,))
    settings = RenderSettings(codec=codec, sound_codec="pcm", sound=clip.sound_gain_db is not None, ceiling=0.0)
    with placed(path) as temporary:
        render(small, temporary, settings=settings)
    new = replace(clip, take=path, source_in=head, source_rate=rate, speed=NORMAL, alternates=())
    return new, replace(probe(path), path=path)


def spare(clip: Clip, media: Media, rate: Fraction, handles: int) -> tuple[int, int]:
    """Return how many record frames of `handles` the source has before and after the clip, its pace going on."""
    length = float(media.frames / media.rate)
    into = float(clip.source_in / clip.source_rate)

    def there(offset: int) -> bool:
        return 0 <= into + clip.speed.source_at(float(offset / rate)) < length

    head = next((k for k in range(handles) if not there(-k - 1)), handles)
    tail = next((k for k in range(handles) if not there(clip.frames + k)), handles)
    return head, tail


def widened(clip: Clip, rate: Fraction, head: int, tail: int) -> Speed:
    """Return the clip's speed for a clip that begins `head` record frames earlier and ends `tail` later.

    The in-point stays where it is: the speed's line begins before it.
    """
    lead, last = float(head / rate), float((clip.frames + tail) / rate)
    inner = [(r + lead, s) for r, s in clip.speed.points if -lead < r < last] if not clip.speed.constant else []
    ends = [(0.0, clip.speed.source_at(-lead)), (last + lead, clip.speed.source_at(last))]
    return Speed(clip.speed.factor, (ends[0], *(p for p in inner if 0 < p[0] < last + lead), ends[1]))


def _plain(cue: Cue, rate: Fraction) -> bool:
    """Whether a cue is one piece at normal speed whose in-point lies on a frame, as every program can place it."""
    if cue.seams or cue.tempo_map or cue.stretch != 1 or cue.ring_out:
        return False
    start = frame_at(cue.start, rate)
    into = Fraction(cue.song_in) + start / rate - Fraction(cue.start)
    return abs(into * rate - frame_at(into, rate)) < Fraction(1, 1000)


def _song(cue: Cue, rate: Fraction, path: str) -> Cue:
    import numpy as np

    from backbeat.make.retarget import cue_samples
    from backbeat.media.samples import read_sound
    from backbeat.media.soundfile import write_sound

    sound = read_sound(cue.path, rate=48_000, channels=2)
    samples = cue_samples(sound, replace(cue, fade_in=0.0, fade_out=0.0))
    first = int(Fraction(cue.start) * rate)  # the frame in which it begins
    begin = first / rate
    lead = round((Fraction(cue.start) - begin) * 48_000)
    with placed(path) as temporary:
        write_sound(temporary, np.pad(samples, ((0, 0), (lead, 0))), 48_000)
    return replace(
        cue, path=path, start=float(begin), song_in=0.0, stretch=1.0, seams=(), tempo_map=(), ring_out=0.0,
        fade_in=cue.fade_in + lead / 48_000 if cue.fade_in else 0.0,
    )  # fmt: skip


def _safe(name: str) -> str:
    """Return `name` as every file system takes it."""
    plain = re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", name).strip(" .")
    return plain[:60] or "clip"
