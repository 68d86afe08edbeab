# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and company: nothing half-written, finished steps kept, and two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kit import coded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stopped")
    (place / "shoot").mkdir()
    for i in range(6):
        coded.write_take(place / "shoot" / f"{i}.mp4", i + 1, frames=72, hits=[1.0])
    coded.write_song(place / "song.wav", 120, 8)
    return place


def start(media: Path, film: Path, store: Path, *more: str) -> subprocess.Popen[str]:
    command = ["cut", media / "shoot", media / "song.wav", "-o", film, "--json", "--progress", "lines", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "backbeat", *map(str, command)],
        env=os.environ | {"BACKBEAT_CACHE": str(store)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(("workers", "how"), [("2", signal.SIGINT), ("1", signal.SIGTERM)])
def test_a_stopped_run_leaves_no_film_and_goes_on_where_it_stopped(
    media: Path, tmp_path: Path, workers: str, how: signal.Signals
) -> None:
    store, out = tmp_path / "store", tmp_path / "out"
    out.mkdir()
    program = start(media, out / "film.mp4", store, "--workers", workers)
    limit = time.monotonic() + 120
    while len(list(store.rglob("*.bb"))) < 3:  # the song and two takes
        assert time.monotonic() < limit
        assert program.poll() is None, program.communicate()
        time.sleep(0.01)
    os.killpg(program.pid, how)  # as a terminal does: to everybody
    said, talk = program.communicate(timeout=60)
    if program.returncode == 0:
        pytest.skip("it was done before it could be stopped")
    assert program.returncode == 130, talk
    assert json.loads(said)["exit_code"] == 130
    assert "Traceback" not in talk
    assert not list(out.iterdir())
    kept = len(list(store.rglob("*.bb")))
    assert not [p for p in store.rglob("*") if p.is_file() and p.suffix != ".bb"]
    again = start(media, out / "film.mp4", store)
    said, talk = again.communicate(timeout=120)
    assert again.returncode == 0, talk
    assert "listening" not in talk, "the song was heard already"
    assert len(list(store.rglob("*.bb"))) > kept >= 3


def test_two_runs_at_once_do_not_harm_each_other(media: Path, tmp_path: Path) -> None:
    runs = [start(media, tmp_path / f"film{i}.mp4", tmp_path / "store") for i in range(2)]
    results = []
    for run in runs:
        said, talk = run.communicate(timeout=240)
        assert run.returncode == 0, talk
        results.append(json.loads(said))
    assert results[0]["clips"] == results[1]["clips"]
    films = [coded.read_film(tmp_path / f"film{i}.mp4").codes for i in range(2)]
    assert films[0] == films[1]
    assert None not in films[0]
