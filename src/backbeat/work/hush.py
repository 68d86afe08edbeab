# SPDX-License-Identifier: Apache-2.0
"""Silence on the C library's stdout: HiGHS prints there now and then whatever it is told, and stdout is for results."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """Send what the process prints to its stdout to nowhere meanwhile. Without a stdout, do nothing."""
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (AttributeError, OSError, ValueError):
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _flush()
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        _flush()  # what is still in the C library's buffer goes nowhere too
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)


def _flush() -> None:
    library = "ucrtbase" if sys.platform == "win32" else None
    try:
        ctypes.CDLL(library).fflush(None)
    except (OSError, AttributeError):  # no such library: nothing of it to flush
        return
