# SPDX-License-Identifier: Apache-2.0
"""``cache``: what is kept of earlier analyses."""

from __future__ import annotations

from dataclasses import dataclass

from backbeat.verbs.session import Session


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the store lies, how many results it holds and how large they are; `cleared` says that they are gone now."""

    folder: str
    entries: int
    bytes: int
    cleared: bool = False


def kept(session: Session) -> Kept:
    """Return what is kept."""
    entries, size = session.cache.size()
    return Kept(str(session.cache.folder or ""), entries, size)


def clear(session: Session) -> Kept:
    """Forget everything, and return what it was. Only the store's own folders are touched."""
    found = kept(session)
    session.cache.clear()
    return Kept(found.folder, found.entries, found.bytes, cleared=True)
