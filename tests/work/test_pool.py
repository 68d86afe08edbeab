# SPDX-License-Identifier: Apache-2.0
"""Executors: the same answers inline and in processes; failures stay with their job; Ctrl-C ends workers at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from backbeat.errors import InputError, MediaError, MissingPartError
from backbeat.work.pool import count_of, each, open_pool

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import jobs  # noqa: E402


@pytest.fixture(autouse=True)
def _reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spawned workers import the jobs by name."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_job_is_answered_with_its_index(workers: str) -> None:
    with open_pool(workers) as pool:
        assert dict(each(pool, jobs.square, range(7))) == {n: n * n for n in range(7)}


def test_processes_are_other_processes() -> None:
    with open_pool("2") as pool:
        assert os.getpid() not in dict(each(pool, jobs.whose, range(4))).values()
    with open_pool("1") as pool:
        assert dict(each(pool, jobs.whose, range(4))) == dict.fromkeys(range(4), os.getpid())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_error_stays_with_its_job(workers: str) -> None:
    with open_pool(workers) as pool:
        done = dict(each(pool, jobs.odd_fails, range(4)))
    assert [done[0], done[2]] == [0, 2]
    assert isinstance(done[1], MediaError)
    assert (done[1].message, done[1].hint) == ("take 1: broken", "copy it again")


def test_a_worker_that_dies_is_an_error_not_a_hang() -> None:
    with open_pool("2") as pool:
        done = dict(each(pool, jobs.dies, range(3)))
    assert isinstance(done[1], BrokenProcessPool)


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1.5", "", "²"])
def test_nonsense_is_an_input_error(workers: str) -> None:
    with pytest.raises(InputError), open_pool(workers):
        pass


def test_auto_is_the_cores_at_hand() -> None:
    assert 1 <= count_of("auto") <= 8
    assert count_of("3") == 3
    assert count_of("dask://host:8786") == 0


def test_dask_is_asked_for_by_name() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        with pytest.raises(MissingPartError, match="Dask"), open_pool("dask://nowhere:1"):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_workers_at_once(tmp_path: Path, kind: signal.Signals) -> None:
    code = (
        "import signal, sys; import jobs; from backbeat.work.pool import each, open_pool\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "    try:\n"
        "        with open_pool('2') as pool:\n"
        "            list(each(pool, jobs.sleeps, [sys.argv[1]] * 4))\n"
        "    except KeyboardInterrupt:\n"
        "        sys.exit(130)\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    program = subprocess.Popen([sys.executable, script, tmp_path], stderr=subprocess.PIPE, text=True)
    limit = time.monotonic() + 60
    while len(list(tmp_path.glob("*.began"))) < 2:
        assert time.monotonic() < limit
        time.sleep(0.05)
    program.send_signal(kind)
    try:
        _, talk = program.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()
        raise
    assert program.returncode == 130
    assert "Traceback" not in talk
    assert not (tmp_path / "ended").exists()
    for began in tmp_path.glob("*.began"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(began.stem), 0)
