# SPDX-License-Identifier: Apache-2.0
"""A take looked at from end to end."""

from pathlib import Path
from typing import Any

import av
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


def test_a_silent_first_sound_is_passed_over(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mkv", pan(1, 50))
    with av.open(str(tmp_path / "two.mkv"), "w") as box, av.open(film) as source:
        picture = box.add_stream_from_template(source.streams.video[0])
        tracks: list[Any] = [box.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in range(2)]
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = picture
                box.mux(packet)
        for track, sound in zip(tracks, (np.zeros(96_000), clicks([0.8], 2.0)), strict=True):
            wave = np.asarray(np.clip(sound, -1, 1) * 32767, np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, 0
            box.mux(track.encode(frame))
    take = look(str(tmp_path / "two.mkv"))
    assert any("sound 2 was listened to" in w for w in take.warnings)
    assert any(abs(h.time - 0.8) < 0.01 for s in take.shots for h in s.hits)


def test_damaged_pictures_are_told(tmp_path: Path) -> None:
    film = Path(write(tmp_path / "a.ts", pan(1, 100)))
    data = bytearray(film.read_bytes())
    for at in np.random.default_rng(1).integers(len(data) // 2, len(data), 30):
        data[at] ^= 0xFF
    film.write_bytes(data)
    take = look(str(film))
    assert any("damaged" in w or "could be decoded" in w for w in take.warnings)
    assert take.shots
