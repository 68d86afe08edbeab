# SPDX-License-Identifier: Apache-2.0
"""Any picture of any file by its number, however the file is made or broken."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from backbeat.errors import BackbeatError, MediaError
from backbeat.media import frames
from backbeat.media.box import open_box
from backbeat.media.frames import Reader, picture_stream, read_table
from backbeat.media.index import from_index
from kit import coded
from kit.shared import SHARED, needs_shared

BOXES = (((0.0, 0.0, 160.0, 90.0)),)


def code(frame: object) -> tuple[int, int] | None:
    luma = frame.reformat(format="gray").to_ndarray()  # type: ignore[attr-defined]
    return coded.read_code(luma, BOXES[0])


def shows(path: str, wanted: list[int], rate: Fraction = Fraction(24), **more: bool) -> list[int | None]:
    with Reader(path) as reader:
        found = [code(reader.picture(reader.table.index(n, rate), **more)) for n in wanted]
    return [None if c is None else c[1] for c in found]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("long.mp4", {"gop": 250}),
        ("b.mov", {"codec": "mpeg4", "options": {"qscale": "2"}, "gop": 30}),
        ("c.mkv", {"gop": 40}),
        ("d.ts", {"gop": 40}),
        ("e.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p", "options": {"q": "3"}, "sound": None}),
        ("f.mp4", {"codec": "libx265", "gop": 30}),
        ("g.webm", {"codec": "libvpx-vp9", "sound": "libopus", "options": {"cpu-used": "8", "deadline": "realtime"}}),
        ("h.mpg", {"codec": "mpeg2video", "rate": 25, "sound": "mp2", "options": {"qscale": "2"}, "gop": 15}),
        ("i.h264", {"sound": None}),
        ("j.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
        ("k.mkv", {"codec": "libsvtav1", "options": {"preset": "10", "crf": "20"}, "gop": 90, "sound": None}),
        ("l.ts", {"codec": "mpeg2video", "rate": 25, "sound": "mp2", "options": {"qscale": "2"}, "gop": 40}),
        ("m.ts", {"codec": "libx265", "gop": 60}),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_any_picture_of_any_container(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    take = coded.write_take(tmp_path / name, 3, frames=90, **options)  # type: ignore[arg-type]
    wanted = [50, 51, 0, 1, 2, 40, 41, 60, 12, 13, 89, 88, 5, 30, 30, 31]
    assert shows(take.path, wanted, take.rate) == wanted


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"preset": "slow", "bf": "8", "refs": "5", "b-pyramid": "normal"}),
        ("libx264", {"preset": "medium", "x264-params": "open-gop=1:bframes=5"}),
        ("libx265", {"x265-params": "log-level=none:temporal-layers=3:bframes=7:b-pyramid=1"}),
    ],
    ids=["pyramid", "open", "layers"],
)
def test_leaving_out_pictures_changes_no_bit_of_the_others(tmp_path: Path, codec: str, options: dict[str, str]) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=80, codec=codec, options=options, gop=70, sound=None)
    with open_box(take.path) as box:
        whole = [f.to_ndarray() for f in box.decode(video=0)]
    with Reader(take.path) as reader:
        for n in (37, 66, 5, 6, 52, 79, 41):
            np.testing.assert_array_equal(reader.picture(n).to_ndarray(), whole[n])
        assert reader.decoded < 7 * 40


def test_open_gops_are_met_exactly(tmp_path: Path) -> None:
    params = {"preset": "ultrafast", "x265-params": "log-level=none:open-gop=1:keyint=20:min-keyint=20:bframes=3"}
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=90, codec="libx265", options=params, gop=20)
    wanted = [39, 40, 41, 18, 19, 20, 59, 57, 80, 79]
    assert shows(take.path, wanted) == wanted


def test_pictures_that_hang_on_one_an_edit_list_hides(tmp_path: Path) -> None:
    """A phone's trim keeps the key picture before the in-point and hides it by an edit list."""
    take = coded.write_take(tmp_path / "whole.mp4", 3, frames=90, gop=40, sound=None)
    trimmed = tmp_path / "trimmed.mp4"
    with av.open(take.path) as source, av.open(str(trimmed), "w") as box:
        stream = box.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size and packet.pts is not None and packet.dts is not None:
                shift = round(13 / 24 / float(packet.time_base))
                packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
                box.mux(packet)
    wanted = [30, 0, 5, 70, 1, 2]
    assert len(read_table(str(trimmed))) == 77
    assert shows(str(trimmed), wanted) == [13 + n for n in wanted]


def test_backwards(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=90, gop=60)
    wanted = list(range(89, 20, -1))
    assert shows(take.path, wanted, backwards=True) == wanted
    with Reader(take.path) as reader:
        for n in wanted:
            reader.picture(n, backwards=True)
        assert reader.decoded < 400  # not one key picture's worth for each


def test_variable_rate_shows_what_is_on_screen(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    times = np.concatenate([[0], np.cumsum(rng.choice([1, 1, 2, 3], 79) / 30)])
    take = coded.write_take(tmp_path / "a.mp4", 4, frames=80, rate=30, times=times.tolist())
    wanted = list(range(0, 120, 7))
    on_screen = [int(np.searchsorted(times, n / 30 + 0.008, side="right")) - 1 for n in wanted]
    assert shows(take.path, wanted, Fraction(30)) == on_screen


def test_going_on_costs_no_seek(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=90, gop=90, options={"preset": "veryfast", "bf": "3"})
    with Reader(take.path) as reader:
        for n in (10, 11, 12, 30, 31, 70):
            reader.picture(n)
        assert reader.seeks == 1
        assert reader.decoded < 68  # non-reference pictures before 30 and 70 are skipped


def test_truncated_files_give_what_they_have_and_then_hold(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mkv", 3, frames=90, gop=30)
    data = Path(take.path).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) // 2])
    with Reader(str(cut)) as reader:
        last = len(reader.table) - 1
        assert 10 < last < 89
        assert code(reader.picture(5)) == (3, 5)
        assert code(reader.picture(last)) in {(3, last), (3, last - 1)}
        assert reader.table.index(89, Fraction(24)) == last


def test_fuzzed_files_never_hang_or_crash(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=40, gop=20)
    data = np.frombuffer(Path(take.path).read_bytes(), np.uint8)
    rng = np.random.default_rng(11)
    read = 0
    for trial in range(40):
        broken = data.copy()
        places = rng.integers(0, broken.size, 30)
        broken[places] = rng.integers(0, 256, 30)
        path = tmp_path / f"{trial}.mp4"
        path.write_bytes(broken.tobytes())
        try:
            with Reader(str(path)) as reader:
                for n in (0, 25, 10, 39):
                    reader.picture(min(n, len(reader.table) - 1))
                    read += 1
        except BackbeatError:
            continue
    assert read > 20  # most breaks are small


def test_no_picture_is_said(tmp_path: Path) -> None:
    song = coded.write_song(tmp_path / "song.wav", seconds=4)
    with pytest.raises(MediaError, match="no picture"):
        read_table(song)
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    with pytest.raises(MediaError, match="empty"):
        read_table(str(empty))


def test_pictures_before_the_first_key_picture_of_an_edit_list_are_found(tmp_path):
    source = coded.write_take(tmp_path / "a.mp4", 7, frames=60, gop=24, sound=None)
    with Reader(source.path) as reader:
        step = int(reader.table.pts[1] - reader.table.pts[0])
    data = bytearray(Path(source.path).read_bytes())
    at = data.find(b"elst") + 4 + 8  # version and flags, count
    length, start = struct.unpack_from(">Ii", data, at)
    struct.pack_into(">Ii", data, at, length * 40 // 60, start + 20 * step)
    Path(source.path).write_bytes(data)
    for order in ([0, 1, 2, 3], [3, 0, 10, 2]):
        assert shows(source.path, order) == [20 + n for n in order]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"gop": 30, "options": {"preset": "medium", "bf": "4"}}),
        ("b.mov", {"codec": "libx265", "gop": 30}),
        ("c.mp4", {"times": [0.0, 0.1, 0.13, 0.3, 0.31, *(0.4 + 0.07 * n for n in range(55))]}),
        ("d.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    ],
)
def test_the_index_of_a_movie_tells_what_its_packets_tell(
    tmp_path: Path, name: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = coded.write_take(tmp_path / name, 3, frames=60, **options)  # type: ignore[arg-type]
    with open_box(take.path) as box:
        assert from_index(take.path, box, picture_stream(box)) is not None
    table = read_table(take.path)
    monkeypatch.setattr(frames, "has_index", lambda _: False)
    frames._table.cache_clear()
    read = read_table(take.path)
    np.testing.assert_array_equal(table.pts, read.pts)
    np.testing.assert_array_equal(table.keys, read.keys)


def test_an_index_of_more_than_the_file_holds_is_not_believed(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mov", 3, frames=60, gop=20, sound=None)
    whole = Path(take.path).read_bytes()
    moov, mdat = whole.find(b"moov") - 4, whole.find(b"mdat") - 4
    assert moov > mdat
    # The index first, as web files have it, then a copy that stops half way.
    head = whole[moov:]
    at = head.find(b"stco") + 8
    count = int.from_bytes(head[at : at + 4], "big")
    places = np.frombuffer(head, ">u4", count, at + 4) + len(head)
    head = head[: at + 4] + places.astype(">u4").tobytes() + head[at + 4 + 4 * count :]
    fast = tmp_path / "fast.mov"
    fast.write_bytes(whole[:mdat] + head + whole[mdat:moov])
    assert len(read_table(str(fast))) == 60
    cut = tmp_path / "cut.mov"
    cut.write_bytes((whole[:mdat] + head + whole[mdat:moov])[: len(head) + moov // 2])
    assert 5 < len(read_table(str(cut))) < 50


@needs_shared
def test_a_444_film_is_the_same_sought_and_read_on() -> None:
    path = str(SHARED / "media" / "footage" / "imageio-binaries__images_cockatoo.mp4")
    with Reader(path) as reader:
        read = [reader.picture(n).to_ndarray(format="rgb24").mean() for n in range(0, 140, 4)][-1]
    with Reader(path) as reader:
        assert reader.picture(136).to_ndarray(format="rgb24").mean() == pytest.approx(read, abs=0.1)
