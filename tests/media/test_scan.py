# SPDX-License-Identifier: Apache-2.0
"""The one-pass scan of every kind of picture."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from backbeat.media.probe import probe_times
from backbeat.media.scan import Picture, Scan
from backbeat.media.tone import to_eight_bits
from backbeat.watch.look import look
from watch.made import clicks, pan, scenery, write


def scan(path: str) -> tuple[list[Picture], Any, float]:
    media, times = probe_times(path)
    blocks: list[Any] = []
    starts: list[float] = []

    def hear(samples: Any, time: float) -> None:
        blocks.append(samples)
        starts.append(time)

    pictures = list(Scan(media, times, hear=hear))
    return pictures, (np.concatenate(blocks) if blocks else np.zeros(0)), starts[0] if starts else 0.0


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [
        ("libx264", "yuv420p"),
        ("ffv1", "yuv422p"),
        ("ffv1", "yuv444p"),
        ("ffv1", "yuv420p10le"),
        ("ffv1", "gray"),
        ("ffv1", "bgr0"),
    ],
)
def test_the_same_picture_in_every_layout(tmp_path: Path, codec: str, pixels: str) -> None:
    wanted = cv2.resize(scenery(5), (160, 90), interpolation=cv2.INTER_AREA)
    path = write(tmp_path / "a.mkv", [wanted] * 3, codec=codec, pixels=pixels, options={})
    pictures, _, _ = scan(path)
    assert [round(p.time, 3) for p in pictures] == [0, 0.04, 0.08]
    grey = cv2.cvtColor(wanted, cv2.COLOR_RGB2GRAY).astype(float)
    got = cv2.resize(pictures[1].luma, (160, 90)).astype(float)
    assert np.abs(got - grey).mean() < 6
    if pixels != "gray":
        small = cv2.resize(wanted, (48, 27), interpolation=cv2.INTER_AREA).astype(float)
        assert np.abs(pictures[1].thumb.astype(float) - small).mean() < 10


def test_sound_comes_whole_and_in_place(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mkv", pan(1, 50), sound=clicks([1.0], 2.0), sound_start=0.25)
    _, wave, start = scan(film)
    assert start == pytest.approx(0.25, abs=0.003)
    assert start + int(np.argmax(np.abs(wave))) / 16000 == pytest.approx(1.25, abs=0.01)
    assert len(wave) == pytest.approx(2 * 16000, abs=200)


def test_damaged_packets_are_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "a.mkv", pan(1, 60), options={"crf": "18", "g": "10", "preset": "ultrafast"}))
    data = bytearray(path.read_bytes())
    random = np.random.default_rng(3)
    for at in random.integers(len(data) // 3, 2 * len(data) // 3, 60):
        data[at] ^= 0xFF
    path.write_bytes(bytes(data))
    pictures, _, _ = scan(str(path))
    assert len(pictures) >= 30
    times = [p.time for p in pictures]
    assert times == sorted(times)


def test_a_turned_phone_picture_stands_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    top_bright = np.zeros((90, 160, 3), np.uint8)
    top_bright[:45] = 230
    with av.open(str(path), "w") as box:
        stream: Any = box.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        stream.set_display_rotation(90)
        for i in range(5):
            frame = av.VideoFrame.from_ndarray(top_bright, "rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            box.mux(stream.encode(frame))
        box.mux(stream.encode(None))
    media, _ = probe_times(str(path))
    pictures, _, _ = scan(str(path))
    assert (media.width, media.height) == (90, 160)
    luma = pictures[0].luma.astype(int)
    assert luma.shape[0] > luma.shape[1]
    left, right = luma[:, : luma.shape[1] // 2].mean(), luma[:, luma.shape[1] // 2 :].mean()
    # turned clockwise, the bright top comes to lie on the right; counter-clockwise on the left
    assert (right > left + 100) == (media.rotation == 90)
    assert (left > right + 100) == (media.rotation == 270)


def test_hdr_is_lifted_to_what_a_screen_shows() -> None:
    code = np.arange(1024, dtype=np.uint16)
    pq = to_eight_bits(code, 10, full=False, transfer="smpte2084")
    assert np.all(np.diff(pq.astype(int)) >= 0)
    white = pq[round(64 + 876 * 0.58)]  # reference white, 203 nits
    assert 150 < white < 215
    plain = to_eight_bits(code, 10, full=False, transfer="bt709")
    assert plain[64] == 0
    assert plain[940] == 255


@pytest.mark.parametrize("device", ["cuda", "vaapi", "qsv", "no such thing"])
def test_hardware_that_is_not_there_is_done_without_and_told(tmp_path: Path, device: str) -> None:
    path = write(tmp_path / "a.mkv", pan(1, 20))
    media, times = probe_times(path)
    plain = list(Scan(media, times))
    scan = Scan(media, times, hardware=device)
    pictures = list(scan)
    assert [p.time for p in pictures] == [p.time for p in plain]
    if not scan.accelerated:  # some machine may have one
        assert all(np.array_equal(a.luma, b.luma) for a, b in zip(pictures, plain, strict=True))
    told = any(f"decoded without {device}" in w for w in look(path, hardware=device).warnings)
    assert told is not scan.accelerated
