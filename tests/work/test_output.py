# SPDX-License-Identifier: Apache-2.0
import errno
from pathlib import Path

import pytest

from backbeat.errors import InputError
from backbeat.work import output


def test_moves_into_place_whole(tmp_path: Path) -> None:
    target = tmp_path / "a film.mp4"
    with output.placed(str(target)) as temporary:
        Path(temporary).write_bytes(b"x")
        assert not target.exists()
        assert temporary.endswith(".mp4")
    assert target.read_bytes() == b"x"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_leaves_nothing_after_a_failure(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), output.placed(str(tmp_path / "a.mp4")):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="disk is full"), output.placed(str(tmp_path / "a.mp4")):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_refusals(tmp_path: Path) -> None:
    there = tmp_path / "there.mp4"
    there.write_bytes(b"x")
    with pytest.raises(InputError, match="exists"):
        output.check(str(there))
    output.check(str(there), force=True)
    with pytest.raises(InputError, match="one of the inputs"):
        output.check(str(there), force=True, inputs=[str(there)])
    with pytest.raises(InputError, match="no folder"):
        output.check(str(tmp_path / "no" / "a.mp4"))
    with pytest.raises(InputError, match="cannot write"):
        output.check(str(tmp_path / "a.doc"), suffixes=[".mp4"])
