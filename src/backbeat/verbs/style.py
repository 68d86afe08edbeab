# SPDX-License-Identifier: Apache-2.0
"""``style``: list and show styles, and learn one from reference films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, MediaError
from backbeat.verbs.session import Session
from backbeat.work import output as out

if TYPE_CHECKING:
    from backbeat.decide.learn import Learnt
    from backbeat.model.plan import Style

SUFFIXES = (".toml",)


def known() -> list[Style]:
    """Return the built-in styles."""
    from backbeat.decide import styles

    return [styles.builtin(name) for name in styles.names()]


def named(name: str) -> Style:
    """Return the style called `name`, or in the TOML file `name`.

    Raises
    ------
    InputError
        If there is none.
    """
    from backbeat.decide import styles

    if not name.lower().endswith(".toml"):
        return styles.builtin(name)
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name}: cannot be read ({error})", "check the file's name") from None
    return styles.parse(text, Path(name).name)


def learn(films: list[str], output: str, session: Session, *, force: bool = False) -> Learnt:
    """Learn a style from `films` (their cuts, and the beats of their sound) and write it to `output`.

    Raises
    ------
    InputError, MediaError
        If there are no films, or no cut is found in any.
    """
    from backbeat.decide import learn as lessons
    from backbeat.decide.styles import dump
    from backbeat.verbs import listen, watch

    out.check(output, force=force, inputs=films, suffixes=SUFFIXES)
    watched = watch.takes(films, session)
    if not watched.takes:
        reason = watched.left_out[0][1] if watched.left_out else "no films there"
        raise MediaError(f"{', '.join(films)}: {reason}", "name films that can be played, or folders of them")
    heard = [t for t in watched.takes if t.media.has_sound]
    if not heard:
        raise InputError("the films have no sound", "a style is learnt from cuts against music: name films with music")
    songs = listen.songs([t.media.path for t in heard], session)
    references = tuple(
        lessons.Reference(
            song=song,
            cuts=tuple(
                float(a.end_frame + b.start_frame) / 2 / float(t.media.rate)
                for a, b in zip(t.shots, t.shots[1:], strict=False)
            ),
            duration=t.media.duration,
        )
        for t, song in zip(heard, songs, strict=True)
    )
    learnt = lessons.learn(references, Path(output).stem)
    if not learnt.shots:
        raise InputError("no cuts were found in the films", f"a style needs about {lessons.ENOUGH} shots: add films")
    remark = (
        f"Learnt from {learnt.shots} shots of {len(references)} films; nearest built-in style: {learnt.nearest}.\n"
        f"{learnt.on_beat:.0%} of the cuts lie within {lessons.LEAD} frames of a beat."
    )
    if learnt.share < 1:
        remark += f"\nFewer than {lessons.ENOUGH} shots: {1 - learnt.share:.0%} of it is {learnt.nearest}."
    with out.placed(output) as temporary:
        Path(temporary).write_text(dump(learnt.style, remark), encoding="utf-8")
    return learnt
