"""The report: self-contained, escaped, and really drawn by a browser."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from backbeat.exchange.report import data, nearest, render, save, spread, value_of
from backbeat.model.review import Aspect, Curve, Figure, Mark, Moment, Picture, Review

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&{{data}}\u2028.mp4"
CHROMIUM = next((c for c in ("chromium", "chromium-browser", "google-chrome") if shutil.which(c)), None)


def jpeg(shade: int) -> str:
    picture = np.full((64, 112, 3), shade, np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()


def scorecard(name: str = "film.mp4") -> Review:
    moments = (
        Moment(12.0, "cutting", f"a cut is late {name}", f"move it {name}", 0.9),
        Moment(30.0, "runtime", "nothing happens", "trim it", 0.5, 12.0),
    )
    return Review(
        film=f"/somewhere/{name}",
        duration=60.0,
        rate="24000/1001",
        stars=3.4,
        verdict=f"3.4 of 5 stars: {name}.",
        aspects=(
            Aspect(
                "cutting", "Cutting", 4.5, f"good {name}", (Figure("rate", 0.84, name, "%", name),), moments[:1]
            ),
            Aspect("dialogue", "Dialogue", 3.0, "clear", (Figure("over", 9.56, "over", "LU"),), estimated=True),
            Aspect("pace", "Pace", None, f"why not: {name}"),
        ),
        moments=moments,
        music=name,
        notes=(name,),
        curves=(
            Curve("wave", 0.06, tuple(abs(np.sin(np.arange(1000) / 9)).round(3).tolist())),
            Curve("energy", 0.5, (0.3, 0.9) * 60),
        ),
        marks=(
            Mark(0.0, "section", name, 30.0, 0.4),
            *(Mark(i / 2, "downbeat" if i % 4 == 0 else "beat") for i in range(120)),
            *(Mark(2.0 * i, "cut", ("section", "downbeat", "beat", "half-beat", "off")[i % 5]) for i in range(1, 29)),
            Mark(3.3, "hit", name),
            Mark(40.0, "speech", "", 5.0),
        ),
        pictures=tuple(Picture(i / 2, jpeg(2 * i)) for i in range(120)),
    )  # fmt: skip


class Outline(HTMLParser):
    """Counts tags and keeps whatever would fetch something or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            if key in {"src", "href", "srcset", "poster", "action"}:
                self.sources.append(value or "")
            if key.startswith("on"):
                self.handlers.append(key)


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


def test_nothing_is_fetched() -> None:
    found = outline(render(scorecard()))
    assert found.sources
    assert all(s.startswith(("data:", "#")) for s in found.sources), found.sources
    assert "http:" not in render(scorecard())
    assert "https:" not in render(scorecard())
    assert "default-src 'none'" in render(scorecard())


def test_hostile_names_stay_text() -> None:
    plain, hostile = outline(render(scorecard())), outline(render(scorecard(HOSTILE)))
    assert hostile.tags == plain.tags
    assert not hostile.handlers
    block = re.search(
        r'<script id="data" type="application/json">(.*?)</script>', render(scorecard(HOSTILE)), re.DOTALL
    )
    assert block
    assert json.loads(block[1])["sections"][0]["n"] == HOSTILE


def test_a_damaged_picture_cannot_leave_its_attribute() -> None:
    review = scorecard()
    broken = Review(
        **{f: getattr(review, f) for f in review.__slots__} | {"pictures": (Picture(0.0, '"><b onload=x>'),)}
    )
    assert not outline(render(broken)).handlers


def test_the_verdict_comes_first_and_each_figure_has_its_meaning() -> None:
    text = render(scorecard())
    assert text.index("3.4 of 5 stars") < text.index(">Cutting ")
    assert 'data-meaning="film.mp4"' in text
    assert "84 %" in text
    assert "not judged" in text
    assert "estimated" in text


def test_values_for_people() -> None:
    assert value_of(Figure("a", None, "")) == "–"
    assert value_of(Figure("a", 0.5, "", "%")) == "50 %"
    assert value_of(Figure("a", 12.0, "", "ms")) == "12 ms"
    assert value_of(Figure("a", 0.8361, "")) == "0.836"


def test_the_nearest_picture_and_an_even_spread() -> None:
    pictures = scorecard().pictures
    assert nearest(pictures, 3.3) == pictures[7]
    assert nearest(pictures, 999.0) == pictures[-1]
    assert nearest((), 1.0) is None
    assert spread(range(10), 3) == [0, 4, 9]


def test_data_holds_no_sign_that_ends_its_element() -> None:
    assert not set("<>&\u2028") & set(data(scorecard(HOSTILE)))


def test_an_empty_review_is_a_page_too() -> None:
    text = render(Review("x.mp4", 0.04, "25/1", None, "Nothing could be judged.", (), ()))
    assert "No overall stars" in text


@pytest.mark.skipif(CHROMIUM is None, reason="LOUD: no chromium here, the report was not looked at in a browser")
@pytest.mark.parametrize("width", [1280, 500])
def test_a_browser_draws_it_without_an_error(tmp_path: Path, width: int) -> None:
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    save(scorecard(HOSTILE), page)
    assert CHROMIUM
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--disable-sync", "--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
            "--hide-scrollbars", f"--window-size={width},1800", f"--screenshot={shot}", page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert shot.is_file(), done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr, [x for x in done.stderr.splitlines() if "CONSOLE" in x]
    picture = cv2.imread(str(shot))
    assert picture is not None
    assert picture.shape[1] == width
    # The timeline is drawn: the colour of cuts on sections is there (light or dark).
    colours = picture[..., ::-1].astype(int)
    seen = [(np.abs(colours - violet).sum(-1) < 60).sum() for violet in ((124, 58, 237), (183, 148, 246))]
    assert max(seen) > 300
