# SPDX-License-Identifier: Apache-2.0
"""A take looked at from end to end."""

from pathlib import Path

import numpy as np
import pytest

from backbeat.errors import InputError, MediaError
from backbeat.verbs.session import Session
from backbeat.verbs.watch import takes
from backbeat.watch.look import look
from backbeat.work.cache import Cache
from watch.made import clicks, pan, write


def test_shots_are_split_at_the_cut_to_the_frame(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", [*pan(1, 31), *pan(2, 17), *pan(3, 40)])
    take = look(film)
    assert [(s.start_frame, s.end_frame) for s in take.shots] == [(0, 31), (31, 48), (48, 88)]
    assert take.media.frames == 88
    assert all(s.take == film for s in take.shots)


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    pictures = pan(1, 60)
    for i in (30, 31):
        pictures[i] = np.full_like(pictures[i], 250)
    take = look(write(tmp_path / "a.mp4", pictures))
    assert [(s.start_frame, s.end_frame) for s in take.shots] == [(0, 60)]


def test_bangs_are_heard_to_ten_milliseconds(tmp_path: Path) -> None:
    bangs = [0.5, 1.3, 2.1]
    film = write(tmp_path / "a.mkv", pan(4, 75), sound=clicks(bangs, 3.0))
    take = look(film)
    hits = sorted(h.time for s in take.shots for h in s.hits)
    assert hits == pytest.approx(bangs, abs=0.01)


def test_sound_that_starts_late_stays_in_place(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mkv", pan(4, 75), sound=clicks([0.5], 2.0), sound_start=0.4)
    take = look(film)
    assert [h.time for s in take.shots for h in s.hits] == pytest.approx([0.9], abs=0.01)


def test_variable_rate_is_counted_in_time(tmp_path: Path) -> None:
    kept = [i for i in range(90) if i % 3]  # every third picture dropped: 30 a second, 20 stored
    pictures = [*pan(1, 45), *pan(2, 45)]
    film = write(tmp_path / "a.mkv", [pictures[i] for i in kept], ticks=[round(i * 1000 / 30) for i in kept], rate=30)
    take = look(film)
    assert take.media.variable_rate
    assert take.media.rate == 30
    assert take.shots[0].end_frame == take.shots[1].start_frame
    # picture 45 was dropped, so the new shot first shows at 46; the clock starts at picture 1
    assert take.shots[1].start_frame == 45


def test_takes_are_kept_and_the_broken_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "footage"
    folder.mkdir()
    write(folder / "a.mp4", pan(1, 20))
    (folder / "b.mp4").write_text("no film")
    (folder / "c.mp4").touch()
    session = Session(Cache(tmp_path / "cache"))
    watched = takes([str(folder)], session)
    assert [t.media.frames for t in watched.takes] == [20]
    assert [Path(p).name for p, _ in watched.left_out] == ["b.mp4", "c.mp4"]
    (folder / "a.mp4").rename(folder / "z.mp4")
    again = takes([str(folder / "z.mp4")], session)
    assert again.takes[0].media.path == again.takes[0].shots[0].take == str(folder / "z.mp4")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        takes([str(tmp_path)], Session(Cache(None)))


def test_a_missing_file_is_told() -> None:
    with pytest.raises(MediaError):
        look("nowhere.mp4")
