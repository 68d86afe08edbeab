# SPDX-License-Identifier: Apache-2.0
"""The cache: whole entries or none, whoever writes beside us and whatever happens to the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from backbeat.work.cache import Cache, default_folder, fingerprint, key_of
from backbeat.work.pool import each, open_pool

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import jobs  # noqa: E402


def test_what_is_put_is_got(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new" / "folder")
    assert cache.get("abcd") is None
    cache.put("abcd", {"beats": [1.5, 2.0], "name": "Übung"})
    assert cache.get("abcd") == {"beats": [1.5, 2.0], "name": "Übung"}
    assert cache.size()[0] == 1
    cache.clear()
    assert cache.get("abcd") is None
    assert cache.size() == (0, 0)


def test_floats_come_back_to_the_last_bit(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    values = [0.1 + 0.2, 1 / 3, 1e-300, 123456789.123456789]
    cache.put("abcd", values)
    assert cache.get("abcd") == values


@pytest.mark.parametrize("how", ["empty", "cut", "flipped", "foreign", "folder"])
def test_a_damaged_entry_is_a_missing_one(tmp_path: Path, how: str) -> None:
    cache = Cache(tmp_path)
    cache.put("abcd", list(range(1000)))
    entry = next(tmp_path.rglob("*.bb"))
    data = entry.read_bytes()
    if how == "folder":
        entry.unlink()
        entry.mkdir()
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]
        entry.write_bytes({"empty": b"", "cut": data[:-9], "flipped": flipped, "foreign": b"hello"}[how])
    assert cache.get("abcd") is None
    if how != "folder":
        cache.put("abcd", [1])
        assert cache.get("abcd") == [1]


def test_no_folder_keeps_nothing() -> None:
    cache = Cache(None)
    cache.put("abcd", 1)
    assert cache.get("abcd") is None
    assert cache.size() == (0, 0)
    cache.clear()


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way", encoding="utf-8")
    cache = Cache(file / "below")
    cache.put("abcd", 1)
    assert cache.get("abcd") is None
    assert file.read_text(encoding="utf-8") == "in the way"


def test_two_processes_at_once_read_whole_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    (tmp_path / "cache").mkdir()
    with open_pool("2") as pool:  # 99: neither clears
        done = dict(each(pool, jobs.hammers, [(str(tmp_path / "cache"), 99), (str(tmp_path / "cache"), 98)]))
    assert done == {0: 0, 1: 0}
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and p.suffix != ".bb"]


def test_clearing_while_others_write_harms_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    (tmp_path / "cache").mkdir()
    with open_pool("2") as pool:
        done = dict(each(pool, jobs.hammers, [(str(tmp_path / "cache"), 3), (str(tmp_path / "cache"), 7)]))
    assert all(isinstance(wrong, int) for wrong in done.values()), done  # a missing entry is fine, an error is not


def test_a_key_tells_steps_versions_and_parameters_apart() -> None:
    keys = {
        key_of("f", "watch", 1),
        key_of("f", "watch", 2),
        key_of("g", "watch", 1),
        key_of("f", "watch", 1, {"a": 2}),
    }
    assert len(keys) == 4
    assert key_of("f", {"a": 1, "b": 2}) == key_of("f", {"b": 2, "a": 1})


def test_a_fingerprint_knows_content_not_names(tmp_path: Path) -> None:
    data = os.urandom(400_000)
    for name, content in {"a": data, "b": data, "c": data[:-1] + b"!", "d": data[:-1], "e": b"", "f": b"x"}.items():
        (tmp_path / name).write_bytes(content)
    prints = {name: fingerprint(str(tmp_path / name)) for name in "abcdef"}
    assert prints["a"] == prints["b"]
    assert len(set(prints.values())) == 5


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BACKBEAT_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("BACKBEAT_CACHE")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert default_folder() == tmp_path / "x" / "backbeat"
