# SPDX-License-Identifier: Apache-2.0
"""The folder of a film's finished segments: one render's at a time, and swept up where a render was killed."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backbeat.errors import InputError
from backbeat.make.segments import write_fault

# The file in each such folder that its render holds locked. The system lets go of it however the render ends.
LOCK = ".backbeat-lock"
PRIVATE = ".backbeat-"
# Days for which segments of a stopped render are kept for the next one.
KEPT = 7.0


@contextmanager
def folder_of(output: str, parts: str | None, *, keep: bool = False) -> Iterator[str]:
    """Yield the folder for the segments of `output`, locked, and remove it if the block ends well and not `keep`.

    `parts` is kept where the block fails, for the next run to go on; None makes a private one, never kept. What killed
    renders left in the same place goes first: private folders, and others after seven days.

    Raises
    ------
    InputError
        If another render holds `parts`, or the place cannot be written to.
    """
    try:
        sweep(Path(output if parts is None else parts).absolute().parent)
        folder = Path(tempfile.mkdtemp(prefix=PRIVATE, dir=Path(output).parent) if parts is None else parts)
        lock = _taken(folder)
    except OSError as error:
        raise write_fault(error, output) from error
    if lock is None:
        raise InputError(
            f"{folder}: another render of the same film is under way", "wait until it is done, or give another output"
        )
    if parts is not None:
        _sweep_films(output, folder)
    try:
        yield str(folder)
    except BaseException:
        if parts is None:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    else:
        if not keep or parts is None:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        lock.close()


def sweep(place: Path) -> None:
    """Remove the segments of renders that ended without tidying up; what a render holds or may want again stays."""
    for folder in (*place.glob(f"{PRIVATE}*"), *place.glob(".*.parts")):
        mark = folder / LOCK
        try:
            young = not folder.name.startswith(PRIVATE) and time.time() - mark.stat().st_mtime < KEPT * 86_400
            if young or folder.is_symlink():
                continue
            with mark.open("rb+") as lock:
                if _held(lock):
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # not one of ours, gone meanwhile, or on a disk that knows no locks


def _sweep_films(output: str, folder: Path) -> None:
    """Remove half films that killed renders left beside `output`, itself a temporary name (see `work.output.placed`).

    Who holds the film's folder ``.film.mp4.parts`` is its only render, so no other file named so is in use.
    """
    film = Path(folder.name.removeprefix(".").removesuffix(".parts"))
    name = re.compile(re.escape(f".{film.stem}.") + r"[a-z0-9_]{8}" + re.escape(film.suffix))
    here = Path(output).absolute()
    if not name.fullmatch(here.name) or len(film.stem) > 40:  # names of longer stems are cut short and may meet
        return
    for other in here.parent.iterdir():
        if other != here and name.fullmatch(other.name):
            other.unlink(missing_ok=True)


def _taken(folder: Path) -> IO[bytes] | None:
    """Make `folder` if it is missing and lock it: its open lock, or None where another render has it."""
    while True:
        folder.mkdir(exist_ok=True)
        mark = folder / LOCK
        try:
            mark.touch()
            lock = mark.open("rb+")
            try:
                free = _held(lock)
            except OSError:
                return lock  # a disk that knows no locks
            if free and mark.stat().st_ino == os.fstat(lock.fileno()).st_ino:
                return lock
            lock.close()
            if not free:
                return None
        except FileNotFoundError:
            pass  # removed between two steps by the render that had it, which is done now


def _held(lock: IO[bytes]) -> bool:
    """Lock an open file without waiting; False if another has it locked.

    Raises
    ------
    OSError
        If no locks are known here.
    """
    if sys.platform == "win32":
        raise OSError("no such locks")
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
