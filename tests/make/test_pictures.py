# SPDX-License-Identifier: Apache-2.0
"""Speed, layers, transitions, titles, geometry and colour of the film's pictures."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph

from backbeat.make.colour import film_colour
from backbeat.make.compose import Composer
from backbeat.make.film import render
from backbeat.make.layers import Stack, cuts
from backbeat.make.settings import Look, RenderSettings
from backbeat.make.titles import draw, font_for
from backbeat.make.tonemap import nits_to_pq, table
from backbeat.media.write import Colour, PictureFormat
from backbeat.model.timeline import Clip, Speed, Timeline, Title, Track, Transition
from kit import coded
from make.films import edit, wrong

RATE = Fraction(25)


@pytest.fixture
def takes(tmp_path: Path) -> tuple[coded.Coded, coded.Coded]:
    a = coded.write_take(tmp_path / "a.mp4", 1, frames=120, rate=RATE, gop=60, size=(320, 180))
    return a, coded.write_take(tmp_path / "b.mp4", 2, frames=120, rate=RATE, size=(320, 180))


def composed(timeline: Timeline, look: Look = Look(), **more: object) -> list[av.VideoFrame]:  # noqa: B008
    form = PictureFormat("", timeline.width, timeline.height, timeline.rate, **more)  # type: ignore[arg-type]
    composer = Composer(timeline, form, look)
    try:
        return list(composer.frames(0, timeline.frames))
    finally:
        composer.close()


def code(frame: av.VideoFrame, aspect: float = 16 / 9) -> object:
    luma = frame.reformat(format="gray").to_ndarray()
    for box in coded._boxes(frame.width, frame.height, aspect):
        if (found := coded.read_code(luma, box)) is not None:
            return found
    return None


def test_speeds_show_the_planned_source_frames(tmp_path: Path, takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, b = takes
    eased = Speed(points=((0.0, 0.0), (0.4, 0.2), (0.8, 0.9)))
    clips = [
        Clip(0, 20, a.path, 80, RATE, speed=Speed(-1.0)),
        Clip(20, 10, b.path, 33, RATE, speed=Speed(0.0)),
        Clip(30, 20, a.path, 10, RATE, speed=eased),
        Clip(50, 20, b.path, 10, RATE, speed=Speed(2.0)),
        Clip(70, 15, a.path, 70, RATE, speed=Speed(0.5)),
    ]
    timeline = edit(clips, RATE, size=(320, 180))
    film = tmp_path / "film.mp4"
    render(timeline, str(film))
    assert wrong(film, timeline, {a.path: 1, b.path: 2}) == []


def test_layers_and_transitions(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, b = takes
    below = Track((Clip(0, 20, a.path, 10, RATE), Clip(20, 20, b.path, 30, RATE)), transitions=(Transition(20, 4, 4),))
    above = Track((Clip(2, 5, b.path, 90, RATE), Clip(10, 3, b.path, 50, RATE, opacity=0.5)))
    timeline = edit([*below.clips, *above.clips], RATE, size=(320, 180), tracks=(below, above))
    frames = composed(timeline)
    assert [code(f) for f in frames[:10]] == [
        (1, 10),
        (1, 11),
        *((2, 90 + i) for i in range(5)),
        (1, 17),
        (1, 18),
        (1, 19),
    ]
    assert code(frames[30]) == (2, 40)
    stack = Stack(timeline)
    assert [round(layer.amount, 2) for layer in stack.at(20)] == [1.0, 0.56]
    assert cuts(timeline) == (2, 7)
    out, into = (composed(edit([c], RATE, size=(320, 180)))[n] for c, n in ((replace(below.clips[0], frames=24), 21),
                 (replace(below.clips[1], start=0), 1)))  # fmt: skip
    amount = stack.at(21)[1].amount
    expected = out.to_ndarray() * (1 - amount) + into.to_ndarray() * amount
    assert np.abs(frames[21].to_ndarray() - expected).max() < 1.1


def test_gaps_are_black_and_fades_reach_it(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, _ = takes
    timeline = edit([Clip(5, 20, a.path, 10, RATE)], RATE, size=(320, 180), fade_out=0.4)
    frames = [f.to_ndarray()[:180] for f in composed(timeline)]
    assert frames[2].min() == frames[2].max() == 16
    assert frames[24].max() < 30
    assert frames[10].max() > 150


def test_smooth_slow_motion_moves_on_every_frame(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, _ = takes
    timeline = edit([Clip(0, 24, a.path, 20, RATE, speed=Speed(0.4))], RATE, size=(320, 180))

    def stands(look: Look) -> int:
        luma = [f.to_ndarray()[:40].astype(float) for f in composed(timeline, look)]
        return sum(np.abs(x - y).mean() < 0.05 for x, y in pairwise(luma))

    assert stands(Look()) >= 12
    assert stands(Look(smooth=True)) <= 2


@pytest.mark.parametrize("text", ["The End", "Ende gut\nalles gut", "שלום עולם", "Конец"])
def test_titles_are_drawn(text: str) -> None:
    card = draw(Title(text, colour="#ff0000", background="#0000ff"), 640, 360)
    ink = (card[..., 0] > 128).sum()
    assert 200 < ink < 40_000
    assert card[..., 3].min() == 255
    rows, columns = np.nonzero(card[..., 0] > 128)
    assert abs(rows.mean() - 180) < 20
    assert abs(columns.mean() - 320) < 20
    lower = draw(Title(text, kind="lower-third"), 640, 360)
    assert lower[:180, :, 3].max() == 0
    assert font_for(text, 20) is not None


def test_long_titles_are_broken_into_lines_inside_the_safe_area() -> None:
    card = draw(Title("A long line of words that would not fit on the screen at this size, so it is broken"), 640, 360)
    rows, columns = np.nonzero(card[..., 0] > 128)
    assert columns.min() >= 62
    assert columns.max() < 578
    assert np.ptp(rows) > 60  # lines of the size that was asked for, not one of tiny letters
    tall = np.nonzero(draw(Title("word " * 120), 640, 360)[..., 0] > 128)[0]
    assert tall.min() >= 34
    assert tall.max() < 326


def test_letters_that_no_font_has_are_told(tmp_path: Path) -> None:
    nobody = "\u0378"  # not assigned
    clips = [Clip(0, 4, "", 0, RATE, title=Title("The End")), Clip(4, 4, "", 0, RATE, title=Title(f"a{nobody}"))]
    made = render(edit(clips, RATE), str(tmp_path / "film.mp4"))
    assert [w[:22] for w in made.warnings] == ["the title at 0:00.160:"]


def test_a_title_over_a_clip_lets_it_through(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, _ = takes
    over = Track((Clip(0, 5, "", 0, RATE, title=Title("Name", kind="lower-third", size=0.05)),))
    timeline = edit([Clip(0, 5, a.path, 7, RATE)], RATE, size=(320, 180),
                    tracks=(Track((Clip(0, 5, a.path, 7, RATE),)), over))  # fmt: skip
    assert code(composed(timeline)[3]) == (1, 10)


@pytest.mark.parametrize(("size", "fit"), [((160, 160), "letterbox"), ((90, 160), "letterbox"), ((426, 240), "fill")])
@pytest.mark.parametrize("rotation", [0, 90, 180])
def test_sources_fit_any_canvas(tmp_path: Path, size: tuple[int, int], fit: str, rotation: int) -> None:
    shape = (90, 160) if rotation == 90 else (160, 90)
    take = coded.write_take(tmp_path / "a.mp4", 3, frames=12, rate=RATE, size=shape, rotation=rotation)
    timeline = edit([Clip(0, 8, take.path, 2, RATE)], RATE, size=size)
    if fit == "fill" and rotation == 90:
        pytest.skip("a tall code does not survive a wide crop")
    assert code(composed(timeline, Look(fit=fit))[4], shape[0] / shape[1]) == (3, 6)


def test_ten_bits_of_hdr_become_plain_colours(tmp_path: Path) -> None:
    white = float(nits_to_pq(np.array(203.0)))
    grid = table(Colour(9, 9, 16, 1))
    n = round(white * 32)
    assert grid[0, 0, 0].max() == 0
    assert 0.8 < grid[n, n, n].min() <= 1.0
    assert np.ptp(grid[n, n, n]) < 0.01  # greys stay grey
    take = coded.write_take(tmp_path / "a.mp4", 4, frames=12, rate=RATE, codec="libx265", pixel_format="yuv420p10le")
    timeline = edit([Clip(0, 8, take.path, 2, RATE)], RATE)
    hdr = replace(timeline.takes[0], color_transfer="smpte2084", color_primaries="bt2020", color_space="bt2020nc")
    timeline = replace(timeline, takes=(hdr,))
    assert code(composed(timeline)[3]) == (4, 5)
    kept = composed(timeline, pixel_format="yuv420p10le", colour=Colour(9, 9, 16, 1))
    assert kept[3].format.name == "yuv420p10le"


def test_hdr_lives_only_among_its_like(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, b = takes
    timeline = edit([Clip(0, 8, a.path, 2, RATE), Clip(8, 5, b.path, 2, RATE)], RATE)
    wide = {"color_primaries": "bt2020", "color_space": "bt2020nc"}
    kinds = {"pq": "smpte2084", "hlg": "arib-std-b67"}

    def film(first: str, second: str, bits: int) -> int:
        pair = zip(sorted(timeline.takes, key=lambda m: m.path), (first, second), strict=True)
        media = tuple(replace(m, color_transfer=kinds[k], **wide) if k in kinds else m for m, k in pair)
        return film_colour(replace(timeline, takes=media), bits).transfer

    assert [film("pq", "pq", 10), film("hlg", "hlg", 10)] == [16, 18]
    assert [film("pq", "pq", 8), film("pq", "hlg", 10), film("pq", "sdr", 10)] == [1, 1, 1]


def test_colour_is_tagged_and_ranges_are_converted(tmp_path: Path) -> None:
    full = coded.write_take(
        tmp_path / "full.mp4", 1, frames=12, rate=RATE, pixel_format="yuvj420p", codec="mjpeg", sound=None
    )
    plain = coded.write_take(tmp_path / "plain.mp4", 2, frames=30, rate=RATE)
    timeline = edit([Clip(0, 5, full.path, 2, RATE), Clip(5, 20, plain.path, 2, RATE)], RATE)
    film = tmp_path / "film.mp4"
    render(timeline, str(film))
    with av.open(str(film)) as box:
        context = box.streams.video[0].codec_context
        assert context.color_range == 1
        assert context.colorspace == 6  # small pictures that say nothing are BT.601
    assert wrong(film, timeline, {full.path: 1, plain.path: 2}) == []


def test_interlaced_sources_are_made_whole(takes: tuple[coded.Coded, coded.Coded]) -> None:
    a, _ = takes
    timeline = edit([Clip(0, 20, a.path, 30, RATE)], RATE, size=(320, 180))
    woven = replace(timeline, takes=tuple(replace(m, interlaced=True) for m in timeline.takes))
    assert [code(f) for f in composed(woven)] == [(1, 30 + i) for i in range(20)]


@pytest.mark.parametrize("first", ["tff", "bff"])
@pytest.mark.parametrize("name", ["a.mpg", "a.mp4"])
def test_fields_are_taken_in_their_order(tmp_path: Path, name: str, first: str) -> None:
    """A bar moves three pixels a field; the whole picture shows it where the first field in time has it, uncombed."""
    path = str(tmp_path / name)
    codec, options = {
        "a.mpg": ("mpeg2video", {"qscale": "2", "flags": "+ildct+ilme"}),
        "a.mp4": ("libx264", {"x264-params": f"{first}=1", "crf": "12"}),
    }[name]
    with av.open(path, "w") as box:
        stream = box.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        graph = Graph()
        source = graph.add_buffer(width=320, height=192, format=av.VideoFormat("yuv420p"), time_base=1 / RATE)
        graph.link_nodes(source, graph.add("setfield", first), graph.add("buffersink")).configure()
        for n in range(30):
            luma = np.full((192, 320), 40, np.uint8)
            for later in (0, 1):
                x = 20 + 6 * n + 3 * later
                luma[slice(int((first == "tff") == bool(later)), None, 2), x : x + 40] = 200
            frame = av.VideoFrame.from_ndarray(np.vstack([luma, np.full((96, 320), 128, np.uint8)]), "yuv420p")
            frame.pts, frame.time_base = n, 1 / RATE
            graph.push(frame)
            woven = graph.pull()
            woven.pict_type = 0
            box.mux(stream.encode(woven))
        box.mux(stream.encode())
    timeline = edit([Clip(0, 10, path, 10, RATE)], RATE, size=(320, 192))
    assert timeline.takes[0].interlaced
    for n, frame in enumerate(composed(timeline)):
        luma = frame.to_ndarray()[:192].astype(float)
        assert abs(int(np.argmax(luma[96] > 120)) - (20 + 6 * (10 + n))) <= 1
        assert np.abs(luma[2:-2:2] - (luma[1:-3:2] + luma[3:-1:2]) / 2).mean() < 0.5


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("film.mkv", RenderSettings(codec="h265", bits=10)),
        ("film.mp4", RenderSettings(codec="av1")),
        ("film.webm", RenderSettings(preset="draft")),
        ("film.mov", RenderSettings(codec="prores")),
        ("film.mov", RenderSettings(codec="dnxhr", bits=10)),
    ],
    ids=["h265", "av1", "vp9", "prores", "dnxhr"],
)
def test_every_codec(
    tmp_path: Path, takes: tuple[coded.Coded, coded.Coded], name: str, settings: RenderSettings
) -> None:
    a, b = takes
    timeline = edit([Clip(0, 9, a.path, 10, RATE), Clip(9, 8, b.path, 60, RATE)], RATE, size=(320, 180))
    film = tmp_path / name
    render(timeline, str(film), settings=settings)
    assert wrong(film, timeline, {a.path: 1, b.path: 2}) == []
