# SPDX-License-Identifier: Apache-2.0
"""What stories that cut footage ask alike: a style, the film's format, which takes, what of them is heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError
from backbeat.model.time import parse_rate

if TYPE_CHECKING:
    from backbeat.model.footage import Media, Take
    from backbeat.model.plan import Style
    from backbeat.model.timeline import Clip, Timeline

TAKES_UNDER_SONG_DB = -9.0


def style_of(name: str) -> Style:
    """Return the built-in style called so, or that of a file (.toml).

    Raises
    ------
    InputError
        If there is none, or the file is no style.
    """
    from backbeat.decide import styles

    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{name}: cannot be read ({error})", "check the name of the style file") from error
        return styles.parse(text, name)
    return styles.builtin(name)


def format_of(asked_rate: str, asked_size: str, media: Iterable[Media]) -> tuple[Fraction, int, int]:
    """Return rate, width and height of the film: what is asked, else what most of the footage has (by running time).

    Raises
    ------
    InputError
        If what is asked is no rate or no size.
    """
    rates: Counter[Fraction] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    for facts in media:
        weight = max(1, round(facts.duration * 100))
        if 20 <= facts.rate <= 61:
            rates[facts.rate] += weight
        # a large picture counts for more: shrinking loses less than blowing up
        sizes[facts.width, facts.height] += weight * min(facts.width, facts.height)
    rate = max(rates, key=lambda r: (rates[r], -r)) if rates else Fraction(25)
    width, height = max(sizes, key=lambda s: (sizes[s], s))
    if asked_rate:
        try:
            rate = parse_rate(asked_rate)
        except (ValueError, ZeroDivisionError):
            raise InputError(f"--rate {asked_rate}: not a frame rate", "give 24, 23.976 or 30000/1001") from None
        if not 5 <= rate <= 240:
            raise InputError(f"--rate {asked_rate}: not a rate for a film", "give a rate from 5 to 240")
    if asked_size:
        try:
            width, height = (int(n) for n in asked_size.lower().split("x"))
        except ValueError:
            raise InputError(f"--size {asked_size}: not a size", "give 1920x1080") from None
        if not (16 <= width <= 8192 and 16 <= height <= 8192):
            raise InputError(f"--size {asked_size}: not a size for a film", "give sides from 16 to 8192")
    # 4:2:0 pictures have even sides
    return rate, width + width % 2, height + height % 2


def without(takes: tuple[Take, ...], path: str) -> tuple[Take, ...]:
    """Leave out the film of an earlier run that lies among its footage."""
    target = Path(path).absolute()
    return tuple(t for t in takes if Path(t.media.path).absolute() != target)


def why_no_takes(places: tuple[str, ...], left_out: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """Return message and hint where no take can be used."""
    if left_out:
        path, reason = left_out[0]
        more = f", nor {len(left_out) - 1} more" if len(left_out) > 1 else ""
        return (
            f"no footage that can be used: {reason if path in reason else f'{path}: {reason}'}{more}",
            "give at least one readable video",
        )
    return f"{', '.join(places) or 'no footage given'}: no video in it", "give a folder or files of video"


def with_sound(timeline: Timeline, sound: str, takes: Sequence[Take]) -> Timeline:
    """Return `timeline` with its clips heard as `sound` says: mix (under the song), song (not at all) or takes.

    A clip whose edge cuts a word, or whose speech is hurried, is not heard under a song.
    """
    from backbeat.decide.voices import may_be_heard

    known = {t.media.path: t for t in takes if t.media.has_sound}
    level = {"mix": TAKES_UNDER_SONG_DB, "takes": 0.0}.get(sound)

    def heard(clip: Clip) -> Clip:
        take = known.get(clip.take)
        fine = take is not None and (sound == "takes" or may_be_heard(clip, take, timeline.rate))
        return replace(clip, sound_gain_db=level if fine else None)

    tracks = tuple(
        replace(track, clips=tuple(heard(c) for c in track.clips))
        if track.kind == "picture" and track.enabled
        else track
        for track in timeline.tracks
    )
    return replace(timeline, tracks=tracks)
