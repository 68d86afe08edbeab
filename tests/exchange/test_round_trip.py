# SPDX-License-Identifier: Apache-2.0
"""Export, import, compare: the table in docs/interchange.md, cell by cell."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from backbeat.exchange import exporters
from backbeat.exchange.importers import read
from backbeat.model.timeline import Timeline
from exchange.edits import RATES, full
from exchange.features import FEATURES

PAGE = Path(__file__).parents[2] / "docs" / "interchange.md"
FORMATS = ("otio", "fcpxml", "premiere", "resolve", "edl", "mlt", "kdenlive")


def table() -> dict[tuple[str, str], str]:
    """Return {(feature, format): cell} of the page."""
    text = PAGE.read_text(encoding="utf-8").split("<!-- table: begin -->")[1].split("<!-- table: end -->")[0]
    rows = [[c.strip() for c in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    head = [re.sub("`", "", c) for c in rows[0]]
    return {(row[0], head[i]): row[i] for row in rows[2:] for i in range(1, len(row))}


@cache
def back(form: str, rate: Fraction, folder: Path) -> tuple[Timeline, Timeline]:
    edit = full(rate)
    papers = getattr(exporters, form)(edit, folder)
    paths = []
    for ending, body in papers.items():
        path = folder / f"film-{form}-{float(rate):.2f}{ending}"
        path.write_bytes(body)
        paths.append(path)
    return edit, read(*paths, rate=rate)


def test_the_page_has_every_cell() -> None:
    assert set(table()) == {(f, n) for f in FEATURES for n in FORMATS}


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("form", FORMATS)
def test_the_page_says_what_is(form: str, rate: Fraction, tmp_path_factory: pytest.TempPathFactory) -> None:
    edit, other = back(form, rate, tmp_path_factory.mktemp("trip"))
    measured = {feature: check(edit, other) for feature, check in FEATURES.items()}
    told = table()
    assert measured == {feature: told[feature, form] for feature in FEATURES}
