# SPDX-License-Identifier: Apache-2.0
"""Timecode, URLs, markers, chapters, subtitles, MIDI, logs."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.exchange import exporters
from backbeat.exchange.draw import draw
from backbeat.exchange.logs import read_log
from backbeat.exchange.marks import chapters
from backbeat.exchange.midi import Pulse, tempo_map
from backbeat.exchange.subtitles import read_subtitles
from backbeat.exchange.timecode import frame_of, label, relabelled
from backbeat.exchange.urls import file_url, local_path, relative_url
from backbeat.model.timeline import Marker
from exchange.edits import NAMES, RATES, full

DF = Fraction(30000, 1001)


# ---------------------------------------------------------------- timecode


def test_drop_frame_labels() -> None:
    # SMPTE 12M: 00:00:59;29 is followed by 00:01:00;02, 00:09:59;29 by 00:10:00;00.
    assert label(1799, DF, drop=True) == "00:00:59;29"
    assert label(1800, DF, drop=True) == "00:01:00;02"
    assert label(17981, DF, drop=True) == "00:09:59;29"
    assert label(17982, DF, drop=True) == "00:10:00;00"
    assert label(107892, DF, drop=True) == "01:00:00;00"
    assert label(2 * 1800, 2 * DF, drop=True) == "00:01:00;04"
    assert label(90_000, Fraction(25)) == "01:00:00:00"


@given(st.integers(0, 24 * 107_892 - 1), st.booleans())
def test_labels_go_both_ways(frame: int, drop: bool) -> None:
    assert frame_of(label(frame, DF, drop=drop), DF) == frame
    assert frame_of(label(2 * frame, 2 * DF, drop=drop), 2 * DF) == 2 * frame


@given(st.integers(0, 24 * 90_000 - 1))
def test_a_list_keeps_seconds(frame: int) -> None:
    assert label(relabelled(2 * frame, Fraction(50), Fraction(25), drop=False), Fraction(25)) == label(
        frame, Fraction(25)
    )


@pytest.mark.parametrize("text", ["x", "1:2:3", "00:60:00:00", "00:00:00:25", "aa:bb:cc:dd", "00:00:00:00:00"])
def test_no_timecode(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        frame_of(text, Fraction(25))


# ---------------------------------------------------------------- URLs


@pytest.mark.parametrize(
    "name", [*NAMES, "a?b;c&d=e.mp4", "100%25.mp4", "~ü'(x)!.mov", "a:b.mov", "per%cent #hash.mov"]
)
def test_urls_go_both_ways(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / "földer #1" / name)
    url = file_url(path)
    assert url.startswith("file:///")
    assert url.isascii()
    assert not set(' #?"<>') & set(url)
    assert local_path(url, Path("/elsewhere")) == path
    assert local_path(file_url(path, host="localhost"), Path("/elsewhere")) == path
    inside = relative_url(path, tmp_path)
    assert not inside.startswith(("/", "file:"))
    assert local_path(inside, tmp_path) == path


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("C:\\Rushes\\día 1\\a#1.mov", "file:///C:/Rushes/d%C3%ADa%201/a%231.mov"),
        ("C:/Rushes/a.mov", "file:///C:/Rushes/a.mov"),
        ("\\\\server\\share\\a b.mov", "file://server/share/a%20b.mov"),
    ],
)
def test_windows_names(path: str, url: str) -> None:
    assert file_url(path) == url
    assert relative_url(path, Path("/any")) == url
    assert local_path(url, Path("/any")) == path.replace("\\", "/")


@pytest.mark.parametrize("url", ["file://localhost/C%3a/Rushes/a.mov", "file:///C|/Rushes/a.mov", "C:\\Rushes\\a.mov"])
def test_what_others_write_for_windows(url: str) -> None:
    assert local_path(url, Path("/any")).replace("\\", "/").replace("|", ":").replace("%3a", ":") == "C:/Rushes/a.mov"


def test_plain_paths_where_urls_belong(tmp_path: Path) -> None:
    (tmp_path / "50%25 off.mov").touch()
    assert local_path("50%25 off.mov", tmp_path) == str(tmp_path / "50%25 off.mov")
    assert local_path("new%20one.mov", tmp_path) == str(tmp_path / "new one.mov")
    assert local_path("https://x.org/a.mov", tmp_path) == "https://x.org/a.mov"


# ---------------------------------------------------------------- markers


def test_four_kinds_of_markers(tmp_path: Path) -> None:
    edit = full()
    papers = exporters.markers(edit, tmp_path)
    assert set(papers) == {".markers.csv", ".markers.edl", ".labels.txt"}  # sections are too short for YouTube
    table = [line.split("\t") for line in papers[".markers.csv"].decode("utf-16").splitlines()]
    assert table[0][:3] == ["Marker Name", "Description", "In"]
    assert ["B", "section", "01:00:04:00", "01:00:08:00", "00:00:04:00", "Chapter"] in table
    assert any(row[0] == "花 look here" for row in table)
    lines = papers[".markers.edl"].decode().splitlines()
    at = next(i for i, line in enumerate(lines) if "|M:花 look here" in line)
    assert "01:00:01:06 01:00:01:07" in lines[at - 1]
    assert "ResolveColorYellow" in lines[at]
    labels = [line.split("\t") for line in papers[".labels.txt"].decode().splitlines()]
    assert ["1.234567", "1.234567", "花 look here"] in labels  # not rounded to a frame
    assert ["4.000000", "8.000000", "B"] in labels


def test_chapters_as_youtube_wants_them() -> None:
    spots = ((0.4, "Intro"), (4.0, "too soon"), (31.0, "Verse"), (3700.5, "Late"), (3795.0, "too near the end"))
    edit = replace(full(), frames=24 * 3800, markers=tuple(Marker(t, "section", n) for t, n in spots))
    assert chapters(draw(edit)) == ["0:00 Intro", "0:31 Verse", "1:01:40 Late"]


def test_subtitles(tmp_path: Path) -> None:
    text = exporters.srt(full(), tmp_path)[".srt"].decode()
    assert text == "1\n00:00:02,500 --> 00:00:03,000\nACT ONE\nthe <beat> & you\n"
    with pytest.raises(InputError, match="no titles"):
        exporters.srt(replace(full(), tracks=full().tracks[:1]), tmp_path)


_SAID = {
    "a.srt": "1\r\n00:00:02,500 --> 00:00:04,000\r\nto <i>be</i> & not\r\nto be\r\n\r\n"
    "2\r\n00:00:01,000 --> 00:00:02,000\r\nfirst\r\n",
    "a.vtt": "WEBVTT\n\nNOTE nothing\n\n00:01.000 --> 00:02.000 align:start\n<v Anna>first</v>\n\n"
    "two\n00:02.500 --> 00:04.000\nto <i>be</i> &amp; <00:03.000>not\nto be\n",
    "a.ass": "[Events]\nDialogue: 0,0:00:02.50,0:00:04.00,Main,,0,0,0,,{\\pos(9,9)}to <i>be</i> & not\\Nto be\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Main,,0,0,0,,first\nDialogue: 0,0:00:05.00,0:00:05.00,Main,,0,0,0,,never\n",
}


@pytest.mark.parametrize("name", [*_SAID, "A.SSA"])
def test_subtitles_of_every_kind_read_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(_SAID.get(name, _SAID["a.ass"]).encode("utf-8-sig"))
    found = [(s.span.start, s.span.end, s.text) for s in read_subtitles(str(path))]
    assert found == [(1.0, 2.0, "first"), (2.5, 4.0, "to <i>be</i> & not\nto be")]


def test_a_file_without_subtitles_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_text("WEBVTT\n")
    for name, told in (("a.vtt", "no subtitle in it"), ("b.ass", "cannot be read")):
        with pytest.raises(InputError, match=told):
            read_subtitles(str(tmp_path / name))


# ---------------------------------------------------------------- MIDI


def _times(data: bytes) -> list[tuple[float, str, object]]:
    """(seconds, kind, value) of every event, by the file's own tempo map, merged over tracks."""
    file = mido.MidiFile(file=io.BytesIO(data))
    now, found = 0.0, []
    for message in file:
        now += message.time
        value = getattr(message, "text", None) or getattr(message, "note", None) or getattr(message, "numerator", None)
        found.append((now, message.type, value))
    return found


def test_every_beat_sounds_at_its_time_to_the_end() -> None:
    # A tempo that wanders between 90 and 150, beginning in the middle of a bar.
    beats, now = [], 1.37
    for k in range(2400):
        beats.append(Pulse(now, k % 4 == 2))
        now += 60 / (120 + 30 * ((k * 7919) % 1000) / 1000 - 15)
    events = _times(tempo_map(beats, [(beats[2000].time, "drop")], length=now + 3))
    heard = [t for t, kind, _ in events if kind == "note_on"]
    assert len(heard) == len(beats)
    assert max(abs(a - b.time) for a, b in zip(heard, beats, strict=True)) < 1e-4
    assert [t for t, kind, v in events if v == "drop"] == [pytest.approx(beats[2000].time, abs=1e-3)]


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_midi_of_an_edit(rate: Fraction, tmp_path: Path) -> None:
    events = _times(exporters.midi(full(rate), tmp_path)[".mid"])
    assert [round(t, 3) for t, kind, _ in events if kind == "note_on"] == [i * 0.5 for i in range(12)]
    downbeats = [round(t, 3) for t, kind, note in events if kind == "note_on" and note == 76]
    assert downbeats == [0.0, 2.0, 4.0]
    assert ("time_signature", 4) in [(kind, v) for _, kind, v in events]
    words = {str(v).encode("latin-1").decode("utf-8", "replace"): t for t, kind, v in events if kind == "marker"}
    assert words["花 look here"] == pytest.approx(1.234567, abs=1e-3)
    assert words["B"] == pytest.approx(float(96 / rate), abs=1e-3)


def test_midi_without_beats() -> None:
    assert [e[1] for e in _times(tempo_map([], [(2.5, "x")], length=4.0))].count("marker") == 1


# ---------------------------------------------------------------- logs

ALE = """Heading
FIELD_DELIM\tTABS
VIDEO_FORMAT\t1080
FPS\t23.976

Column
Name\tTracks\tStart\tEnd\tTape\tScene\tTake\tCircled\tComments\tCharacters

Data
A001C002.mov\tVA1A2\t01:00:00:00\t01:00:10:12\tA001\t12A\t3\tYes\tgreat — keep\tAnna, Bo
花.mov\tV\t02:00:00:00\t02:00:01:00\tA002\t13\t1\t\t\t
"""


def test_an_avid_log(tmp_path: Path) -> None:
    path = tmp_path / "day.ale"
    path.write_text(ALE, encoding="utf-8")
    one, two = read_log(path)
    assert (one.name, one.reel, one.rate, one.start, one.end) == (
        "A001C002.mov", "A001", Fraction(24000, 1001), 86400, 86652,
    )  # fmt: skip
    assert (one.entry.scene, one.entry.number, one.entry.circled) == ("12A", "3", True)
    assert one.entry.characters == ("Anna", "Bo")
    assert one.entry.comment == "great — keep"
    assert (two.name, two.entry.circled) == ("花.mov", False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_spreadsheet(tmp_path: Path, encoding: str, mark: str) -> None:
    path = tmp_path / "log.csv"
    rows = [["File Name", "Scene", "Good Take", "Keywords", "Notes"], ["ü.mp4", "1", "x", '"day|rain"', '"a, b"'], []]
    path.write_text("\n".join(mark.join(r) for r in rows), encoding=encoding)
    (row,) = read_log(path)
    assert (row.name, row.entry.circled, row.entry.tags, row.entry.comment) == ("ü.mp4", True, ("day", "rain"), "a, b")


def test_logs_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("colour,size\nred,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column"):
        read_log(path)
    path.write_text("", encoding="utf-8")
    with pytest.raises(InputError):
        read_log(path)
