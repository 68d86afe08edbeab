# SPDX-License-Identifier: Apache-2.0
"""Results are written under a temporary name and moved into place whole, or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backbeat.errors import InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def check(path: str, *, force: bool = False, inputs: Iterable[str] = (), suffixes: Iterable[str] = ()) -> None:
    """Refuse an output that could not be written, before any work is done.

    Raises
    ------
    InputError
        If the suffix is none of `suffixes`, the folder is missing or read-only, the file exists and `force` is not
        given, or it is one of `inputs`.
    """
    target = Path(path)
    allowed = tuple(suffixes)
    if allowed and target.suffix.lower() not in allowed:
        raise InputError(
            f"{path}: cannot write a {target.suffix or 'file without a suffix'}", f"use {', '.join(allowed)}"
        )
    folder = target.parent
    if not folder.is_dir():
        raise InputError(f"{path}: there is no folder {folder}", "make the folder first, or give another output")
    if not os.access(folder, os.W_OK):
        raise InputError(f"{path}: the folder {folder} cannot be written to", "give an output in another folder")
    if target.is_dir():
        raise InputError(f"{path}: that is a folder", "give the name of a file")
    if target.exists():
        for source in inputs:
            if Path(source).exists() and Path(source).samefile(target):
                raise InputError(
                    f"{path}: the output is one of the inputs", "give another output; sources are never changed"
                )
        if not force:
            raise InputError(f"{path}: the file exists", "give another output, or --force to replace it")


@contextmanager
def placed(path: str) -> Iterator[str]:
    """Yield a temporary name beside `path` with the same suffix; move it into place if the block ends well.

    Raises
    ------
    InputError
        If the disk is full or the place cannot be written to; nothing is left behind then.
    """
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.stem[:40]}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise _told(path, error) from error
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        if error.errno in _NO_ROOM or error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise _told(path, error) from error
        raise
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _told(path: str, error: OSError) -> InputError:
    if error.errno in _NO_ROOM:
        return InputError(f"{path}: the disk is full", "make room, or give an output on another disk")
    return InputError(f"{path}: cannot be written ({error.strerror})", "give an output in another folder")
