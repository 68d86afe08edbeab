# SPDX-License-Identifier: Apache-2.0
"""``backbeat listen``: hear songs, once each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from backbeat.model.codec import from_plain, to_plain
from backbeat.model.song import Song
from backbeat.verbs.session import Session
from backbeat.work.cache import fingerprint, key_of
from backbeat.work.pool import each, open_pool

if TYPE_CHECKING:
    from backbeat.listen.corrections import Corrections


def songs(
    paths: list[str], session: Session, *, tracker: str = "own", corrections: Corrections | None = None
) -> list[Song]:
    """Return what is heard in each song, in order; what was heard before comes from the cache.

    Raises
    ------
    MediaError
        If a file cannot be read.
    """
    from backbeat.listen.corrections import Corrections
    from backbeat.listen.hear import VERSION, hear

    given = corrections or Corrections()
    keys = {path: key_of(_content(path), "song", VERSION, tracker, to_plain(given)) for path in paths}
    heard: dict[str, Song] = {}
    for path, key in keys.items():
        if (stored := session.cache.get(key)) is not None:
            try:
                heard[path] = replace(from_plain(Song, stored), path=path)
            except (TypeError, ValueError, KeyError):
                continue
    todo = [path for path in keys if path not in heard]
    if todo:
        session.progress.start("listening", len(todo), "songs")
        with open_pool(session.workers if len(todo) > 1 else "1") as pool:
            for index, result in each(pool, partial(hear, tracker=tracker, corrections=given), todo):
                if isinstance(result, Exception):
                    raise result
                heard[todo[index]] = result
                session.cache.put(keys[todo[index]], to_plain(result))
                session.progress.advance()
        session.progress.stop()
    return [heard[path] for path in paths]


def _content(path: str) -> str:
    from backbeat.errors import MediaError

    try:
        return fingerprint(path)
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "check the name") from error
