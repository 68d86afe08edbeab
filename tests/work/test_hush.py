# SPDX-License-Identifier: Apache-2.0
"""Nothing from below on stdout."""

import ctypes
import sys

import pytest

from backbeat.work.hush import hushed


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has no such name there")
def test_nothing_is_printed_by_the_solvers_beneath(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        ctypes.CDLL(None).puts(b"from below")
    sys.stdout.write("from above\n")
    assert capfd.readouterr().out == "from above\n"
