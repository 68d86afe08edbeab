# SPDX-License-Identifier: Apache-2.0
"""The mix of a film: levels of speech and music, and a duck for each line, as deep as clarity needs and no deeper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backbeat.model.time import Span
from backbeat.verbs.production import with_room_tone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.decide.room_tone import Patch
    from backbeat.make.mix import Mixer
    from backbeat.make.settings import RenderSettings
    from backbeat.model.timeline import Timeline

SPEECH_LUFS = -20.0  # working levels; the delivery's loudness is set on the whole film
MUSIC_LUFS = -18.0
LOUDER = 3.0  # LU by which the production sound as a whole may be louder than its speech once that is raised
_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of dialogue: film seconds, how far the music steps back, and its clarity (STOI) without and with it.

    `dip_db` is what the deepest bell takes more than the level.
    """

    start: float
    end: float
    depth_db: float
    dip_db: float
    clarity_before: float
    clarity: float


@dataclass(frozen=True, slots=True)
class Mixed:
    """A timeline with its levels and ducks set, and what was found line by line."""

    timeline: Timeline
    lines: tuple[Line, ...]
    production_gain_db: float
    room_tone: tuple[Patch, ...] = ()


def music_gain(loudness: float) -> float:
    """Return the gain (dB) that brings a song of `loudness` LUFS to the working level."""
    return round(min(12.0, max(-24.0, MUSIC_LUFS - loudness)), 2) if loudness > -60 else 0.0


def delivered(name: str, words: Sequence[Span], duration: float) -> RenderSettings:
    """Return the settings of a delivery (streaming, broadcast, cinema): its loudness, on the dialogue where asked."""
    from backbeat.decide.mix import delivery_of, lines_of
    from backbeat.make.settings import RenderSettings

    asked = delivery_of(name, words, duration)
    return RenderSettings(
        loudness=asked.level, ceiling=asked.ceiling, dialogue=lines_of(list(words)), gated=asked.gated
    )


def mixed(timeline: Timeline, words: Sequence[Span], *, busy: Sequence[Span] = (), clear: float = 0.90) -> Mixed:
    """Fill holes in the production sound, set its level and duck every cue under the words.

    Parameters
    ----------
    timeline
        With its cues at their levels and its production sound in sound tracks or picture clips.
    words
        Where somebody speaks, film seconds.
    busy
        Where something else is heard of which no room tone is made.
    clear
        The intelligibility (STOI) that is asked for.
    """
    import numpy as np

    from backbeat.decide.mix import ducks_of, lines_of, shape_for, window_of
    from backbeat.make.loudness import loudness
    from backbeat.make.mix import Mixer
    from backbeat.make.pieces import pieces_of

    toned = with_room_tone(timeline, [*words, *busy])
    timeline = toned.timeline
    lines = lines_of([w for w in words if w.end > 0 and w.start < timeline.duration])
    if not lines:
        return Mixed(timeline, (), 0.0, toned.filled)
    count = round(timeline.duration * _RATE)
    silent = replace(timeline, cues=())
    with Mixer(pieces_of(silent), count) as mixer:
        said = [_mono(mixer, window_of(line), count) for line in lines]
        gain = _speech_gain([s for s, line in zip(said, lines, strict=True) if line.length > 0.4] or said)
        if gain > 0:  # a whisper in a loud film must not make the rest of it louder than speech may be
            gain = round(max(0.0, min(gain, SPEECH_LUFS + LOUDER - loudness(mixer.blocks()))), 2)
    timeline = _raised(timeline, gain)
    if not timeline.cues:
        return Mixed(timeline, (), gain, toned.filled)
    bare = tuple(replace(c, ducks=()) for c in timeline.cues)
    told, shaped = [], []
    with Mixer(pieces_of(replace(timeline, tracks=(), cues=bare)), count) as mixer:
        for line, speech in zip(lines, said, strict=True):
            music = _mono(mixer, window_of(line), count)
            if np.abs(music).max(initial=0.0) < 1e-4:
                continue
            low = [_half(x) for x in (speech * 10 ** (gain / 20), music)]
            shape = shape_for(low[0], low[1], _RATE // 2, clear=clear)
            deepest = min(shape.bells, default=0.0)
            told.append(Line(line.start, line.end, shape.depth, deepest, shape.before, shape.after))
            shaped.append((line, shape))
    ducks = ducks_of(shaped)
    cues = tuple(
        replace(c, ducks=tuple(d for d in ducks if d.span.overlap(Span(c.start - 1, c.end + 1)) > 0)) for c in bare
    )
    return Mixed(replace(timeline, cues=cues), tuple(told), gain, toned.filled)


def _mono(mixer: Mixer, span: Span, count: int) -> NDArray[np.float32]:
    import numpy as np

    a, z = (min(max(0, round(t * _RATE)), count) for t in (span.start, span.end))
    return np.asarray(mixer.block(a, z - a).mean(0), np.float32)


def _half(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np
    import scipy.signal

    return np.asarray(scipy.signal.resample_poly(samples, 1, 2), np.float32)


def _speech_gain(said: list[NDArray[np.float32]]) -> float:
    """Return the gain (dB) that brings the lines to the working level; -6..+12."""
    import numpy as np
    import pyloudnorm

    speech = np.concatenate(said)
    if len(speech) < _RATE // 2 or np.abs(speech).max(initial=0.0) < 1e-4:
        return 0.0
    loudness = float(pyloudnorm.Meter(_RATE).integrated_loudness(speech[:, None].astype(float)))
    return round(min(12.0, max(-6.0, SPEECH_LUFS - loudness)), 2) if np.isfinite(loudness) else 0.0


def _raised(timeline: Timeline, gain: float) -> Timeline:
    tracks = tuple(
        replace(
            t,
            clips=tuple(
                replace(c, sound_gain_db=(c.sound_gain_db or 0.0) + gain)
                if t.kind == "sound" or c.sound_gain_db is not None
                else c
                for c in t.clips
            ),
        )
        for t in timeline.tracks
    )
    return replace(timeline, tracks=tracks)
