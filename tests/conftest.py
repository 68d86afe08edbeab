# SPDX-License-Identifier: Apache-2.0
"""Shared fixtures."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the user's cache; session-wide, so that module fixtures keep to it too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BACKBEAT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_configure() -> None:
    """Let child processes hear Ctrl-C: a run started in the background ignores it, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
