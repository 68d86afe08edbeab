# SPDX-License-Identifier: Apache-2.0
"""A large still overlay (a burnt-in code) hides no cut, and a flash under it makes none."""

from pathlib import Path

import pytest

from backbeat.watch.look import look
from kit.coded import write_take


@pytest.mark.parametrize("take", [101, 104, 110])
def test_cuts_under_a_code_are_found(tmp_path: Path, take: int) -> None:
    truth = write_take(tmp_path / "a.mp4", take, frames=110, hits=[0.45, 3.6], cuts=[60])
    assert [shot.start_frame for shot in look(truth.path).shots] == [0, 60]
