# SPDX-License-Identifier: Apache-2.0
import csv
import io
from fractions import Fraction

import pytest

from backbeat.exchange.cuesheet import covered, licence_warnings, rows_of, to_csv, to_html, warnings_of
from backbeat.model.cue import Cue
from backbeat.model.song import Tags
from backbeat.model.time import Span

CUES = (
    Cue("b/two.mp3", 30.0, 61.5, usage="background vocal"),
    Cue("a/one.mp3", 0.0, 30.5),
)
TAGS = {
    "a/one.mp3": Tags("One", "Band", "Ann", "Pub", "USABC2400001", "CC BY-NC-SA 4.0"),
    "b/two.mp3": Tags(title="=cmd|'x'!A1", composer="<b>Bob</b>"),
}


def test_rows_are_in_order_with_times_and_timecode():
    rows = rows_of(CUES, TAGS, Fraction(25))
    assert [r.cue for r in rows] == ["1m01", "1m02"]
    assert rows[0].title == "One"
    assert (rows[1].timecode_in, rows[1].timecode_out) == ("00:00:30:00", "00:01:01:13")
    assert rows[1].duration == 31.5


def test_missing_rights_and_far_reaching_licences_are_named():
    told = warnings_of(rows_of(CUES, TAGS, Fraction(25)))
    assert any("one.mp3: ShareAlike" in w for w in told)
    assert any("one.mp3: NonCommercial" in w for w in told)
    assert any(w.startswith("two.mp3: no publisher, performer, isrc") for w in told)
    assert not any("NoDerivatives" in w for w in told)
    nd = warnings_of(rows_of(CUES[1:], {"a/one.mp3": Tags(licence="Attribution-NoDerivs")}, Fraction(25)))
    assert any("NoDerivatives" in w for w in nd)


def test_the_table_reads_back_and_runs_nothing():
    rows = list(csv.reader(io.StringIO(to_csv(rows_of(CUES, TAGS, Fraction(25))))))
    assert rows[0][:3] == ["cue", "title", "composer"]
    assert rows[2][1].startswith("'=")
    assert rows[1][7:10] == ["0.000", "30.500", "30.500"]


def test_the_page_trusts_no_tag():
    page = to_html(rows_of(CUES, TAGS, Fraction(25)), film="<script>x", length=61.5, warnings=["a & b"])
    assert "<script" not in page
    assert "&lt;b&gt;Bob" in page
    assert "missing" in page
    assert "a &amp; b" in page


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("CC-BY-SA-4.0", ["ShareAlike"]), ("CC BY 4.0", []), ("CC0-1.0", []),
        ("Attribution-NonCommercial-NoDerivs", ["NoD", "NonC"]),
        ("GPL-2.0-or-later", ["GPL"]), ("", ["no licence"]), ("© 2020 Ann", ["a copyright notice"]),
        ("(C) 2020 Band, all rights reserved", ["a copyright notice"]), ("Bandcamp sandwich", []),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/", ["ShareAlike", "NonC"]),
    ],
)  # fmt: skip
def test_licences_are_read_by_what_they_ask(licence, told):
    found = licence_warnings(licence)
    assert len(found) == len(told)
    assert all(any(f.startswith(t) for f in found) for t in told)


def test_music_that_overlaps_counts_once():
    assert covered([Span(0, 10), Span(8, 20), Span(30, 31)]) == 21
    assert covered([]) == 0
