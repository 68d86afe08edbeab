"""A finished film as seen: cuts, repeats, standing and black picture, thumbnails."""

import base64
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from backbeat.media.probe import Times
from backbeat.model.codec import from_plain, to_plain
from backbeat.watch.ear import SILENCE
from backbeat.watch.film import FilmSeen, irregular, look_at_film, music_spans
from kit import coded

RATE = Fraction(24)


def write(path: Path, pictures: list[tuple[int, int] | None]) -> str:
    """Write a film of (shot, frame of it), None for black."""
    with av.open(str(path), "w") as box:
        video = box.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "16"})
        video.width, video.height, video.pix_fmt = 192, 108, "yuv420p"
        for n, wanted in enumerate(pictures):
            if wanted is None:
                planes = (np.full((108, 192), 16, np.uint8), *(np.full((54, 96), 128, np.uint8) for _ in "uv"))
            else:
                shot, at = wanted
                planes = _moving(shot, at)
            frame = coded._frame(planes)
            frame.pts, frame.time_base = n, 1 / RATE
            box.mux(video.encode(frame))
        box.mux(video.encode())
    return str(path)


def _moving(shot: int, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a picture of soft blobs that drifts quickly, different for each shot."""
    rng = np.random.default_rng(shot)
    wide = cv2.GaussianBlur(rng.integers(0, 256, (108, 1200)).astype(np.float32), (0, 0), 6)
    wide = np.clip((wide - wide.mean()) / wide.std() * 50 + 120, 20, 235).astype(np.uint8)
    u, v = (int(c) for c in rng.integers(80, 176, 2))
    luma = np.ascontiguousarray(wide[:, 4 * at : 4 * at + 192])
    return luma, np.full((54, 96), u, np.uint8), np.full((54, 96), v, np.uint8)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> FilmSeen:
    shots: list[tuple[int, int] | None] = [(1, i) for i in range(60)]
    shots += [(2, i) for i in range(60)]
    shots += [None] * 24
    shots += [(3, 20)] * 48  # a still
    shots += [(4, i) for i in range(60)]
    shots += [(1, i) for i in range(10, 50)]  # shown before
    shots += [(5, i) for i in range(48)]
    return look_at_film(write(tmp_path_factory.mktemp("seen") / "film.mp4", shots))


def test_cuts_to_the_frame(seen: FilmSeen) -> None:
    assert seen.film.frames == 340
    assert seen.film.cuts == (60, 120, 144, 192, 252, 292)
    assert [s.start_frame for s in seen.film.shots] == [0, 60, 120, 144, 192, 252, 292]


def test_only_the_repeat_is_a_repeat(seen: FilmSeen) -> None:
    assert len(seen.film.repeated) == 1
    found = seen.film.repeated[0]
    assert abs(found.start - 252 / 24) < 0.3
    assert abs(found.end - 292 / 24) < 0.3


def test_black_and_standing_picture(seen: FilmSeen) -> None:
    assert [(round(s.start, 2), round(s.end, 2)) for s in seen.film.black] == [(5.0, 6.0)]
    assert len(seen.film.frozen) == 1
    assert 6.0 <= seen.film.frozen[0].start <= 6.5  # the encoder takes its time to settle
    assert seen.film.frozen[0].end == pytest.approx(8.0, abs=0.1)


def test_nothing_is_a_jump_cut_here(seen: FilmSeen) -> None:
    groups = [s.group for s in seen.film.shots]
    assert len(set(groups)) == len(groups)


def test_thumbnails_lie_on_both_sides_of_cuts(seen: FilmSeen) -> None:
    times = [p.time for p in seen.pictures]
    for cut in (60, 120, 252):
        assert any(abs(t - cut / 24) < 0.001 for t in times), cut
        assert any(abs(t - (cut - 1) / 24) < 0.001 for t in times), cut
    first = cv2.imdecode(np.frombuffer(base64.b64decode(seen.pictures[0].data), np.uint8), cv2.IMREAD_COLOR)
    assert first is not None
    luma = _moving(1, 0)[0]
    grey = cv2.cvtColor(first, cv2.COLOR_BGR2GRAY).astype(float)
    assert np.corrcoef(grey.ravel(), cv2.resize(luma, grey.shape[::-1]).ravel())[0, 1] > 0.95


def test_it_is_kept_whole(seen: FilmSeen) -> None:
    assert from_plain(FilmSeen, to_plain(seen)) == seen


def test_irregular_steps() -> None:
    times = np.arange(100) / 24
    assert irregular(Times(times, Fraction(0), RATE, variable=False)) == 0
    assert irregular(Times(np.round(times, 3), Fraction(0), RATE, variable=False)) == 0
    assert irregular(Times(np.delete(times, [20, 50]), Fraction(0), RATE, variable=True)) == 2


def test_no_sound_no_music() -> None:
    assert music_spans(SILENCE) == ()
