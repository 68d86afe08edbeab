# SPDX-License-Identifier: Apache-2.0
"""Logs beside the footage."""

from pathlib import Path

from backbeat.model.footage import LogEntry
from backbeat.verbs.session import Session
from backbeat.verbs.watch import takes
from backbeat.watch.logs import entry_for, parse
from backbeat.work.cache import Cache
from watch.made import pan, write

ALE = (
    "Heading\r\nFIELD_DELIM\tTABS\r\nFPS\t25\r\n\r\nColumn\r\nName\tScene\tTake\tCircled\tComments\r\n\r\nData\r\n"
    "A001_C003\t12A\t4\tx\tbest one\r\nA001_C004\t12A\t5\t\t\r\n"
)


def test_an_avid_log_is_read() -> None:
    found = parse(ALE, ".ale")
    assert found["a001_c003"] == LogEntry(scene="12A", number="4", circled=True, comment="best one")
    assert not found["a001_c004"].circled


def test_a_csv_is_read_with_any_delimiter() -> None:
    found = parse("\ufeffFile name;Scene;Characters\nclips/B.MOV;3;Ann, Bob\n", ".csv")
    assert found["b"] == LogEntry(scene="3", characters=("Ann", "Bob"))


def test_a_table_of_something_else_is_no_log() -> None:
    assert parse("name,price\ntea,3\n", ".csv") == {}
    assert parse("", ".csv") == {}
    assert parse("hello", ".ale") == {}


def test_keywords_of_an_fcpxml_are_read() -> None:
    text = (
        '<fcpxml version="1.10"><resources><asset id="r1" name="x" src="file:///v/My%20take.mov"/></resources>'
        '<library><event><asset-clip ref="r1" name="renamed"><keyword value="hero, night"/>'
        '<rating value="favorite"/><note>soft end</note></asset-clip></event></library></fcpxml>'
    )
    assert parse(text, ".fcpxml")["my take"] == LogEntry(tags=("hero", "night"), circled=True, comment="soft end")
    assert parse("<!DOCTYPE x [<!ENTITY a 'b'>]><fcpxml/>", ".fcpxml") == {}
    assert parse("<fcpxml", ".fcpxml") == {}


def test_folders_are_tags_where_no_log_speaks() -> None:
    assert entry_for("day1/x.mov", {}, ("day1",)).tags == ("day1",)
    assert entry_for("day1/x.mov", {"x": LogEntry(tags=("a",))}, ("day1",)).tags == ("a",)


def test_watching_merges_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "day 2" / "chase"
    folder.mkdir(parents=True)
    write(folder / "A001_C003.mp4", pan(1, 12))
    write(folder / "other.mp4", pan(2, 12))
    (folder / "log.ale").write_text(ALE)
    watched = takes([str(tmp_path / "day 2")], Session(Cache(None)))
    assert [t.log.scene for t in watched.takes] == ["12A", ""]
    assert [t.log.tags for t in watched.takes] == [("chase",), ("chase",)]
