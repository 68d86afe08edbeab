# SPDX-License-Identifier: Apache-2.0
"""Shared fixtures."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("BACKBEAT_CACHE", str(Path(tmp_path_factory.getbasetemp()) / "cache"))
