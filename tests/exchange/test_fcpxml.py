# SPDX-License-Identifier: Apache-2.0
"""FCPXML by our own structural checker, and by Apple's definition where the user has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from backbeat.exchange import exporters
from backbeat.exchange.read_fcpxml import time_of
from backbeat.exchange.xmlio import parse
from backbeat.model.timeline import Speed, Timeline
from exchange.edits import RATES, full
from exchange.structure import faults

DTDS = os.environ.get("FCPXML_DTD_DIR", "")
needs_dtd = pytest.mark.skipif(
    not (Path(DTDS) / "FCPXMLv1_10.dtd").is_file() or shutil.which("xmllint") is None,
    reason="LOUD: FCPXML_DTD_DIR names no folder with FCPXMLv1_10.dtd, or xmllint is absent",
)


def edits() -> dict[str, Timeline]:
    found = {name: full(rate) for name, rate in RATES.items()}
    plain = found["24"]
    first, second, *rest = plain.tracks[0].clips
    odd = (replace(first, speed=Speed(-1.0)), replace(second, speed=Speed(0.0)), *rest)
    found["backwards"] = replace(plain, tracks=(replace(plain.tracks[0], clips=odd, transitions=()),))
    media = tuple(replace(m, rate=Fraction(50), start_timecode=180_000, frames=3000) for m in plain.takes)
    fast = tuple(replace(c, source_rate=Fraction(50)) for c in plain.tracks[0].clips)
    found["50 in 24"] = replace(plain, takes=media, tracks=(replace(plain.tracks[0], clips=fast),))
    found["without facts"] = replace(plain, takes=())
    found["a still"] = replace(plain, takes=(replace(plain.takes[0], frames=1, has_sound=False), *plain.takes[1:]))
    found["empty"] = Timeline("empty", Fraction(25), 640, 360, 50, ())
    one = replace(plain.tracks[0], clips=plain.tracks[0].clips[:1], transitions=())
    found["one clip"] = Timeline("one", Fraction(24), 1280, 720, 24, (one,), takes=plain.takes)
    return found


EDITS = edits()


@pytest.mark.parametrize("name", EDITS)
def test_the_structure(name: str, tmp_path: Path) -> None:
    body = exporters.fcpxml(EDITS[name], tmp_path)[".fcpxml"]
    assert list(faults(parse(body))) == []


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('<asset-clip ref="a1"', '<asset-clip ref="a99"', "not there"),
        ('duration="1s"', 'duration="1.01s"', "rational"),
        ('duration="1s"', 'duration="100/101s"', "grid"),
        ("<note>", "<marker/><note>", "order"),
        ('id="a2"', 'id="a1"', "twice"),
    ],
)
def test_the_checker_sees_faults(old: str, new: str, word: str, tmp_path: Path) -> None:
    body = exporters.fcpxml(EDITS["24"], tmp_path)[".fcpxml"].decode()
    assert old in body
    found = []
    try:
        found.extend(faults(parse(body.replace(old, new).encode())))
    except ValueError as error:  # a number that is none
        found.append(f"no rational time: {error}")
    except KeyError as error:
        found.append(f"not there: {error}")
    assert any(word in f for f in found), found


@needs_dtd
@pytest.mark.parametrize("name", EDITS)
def test_apples_definition(name: str, tmp_path: Path) -> None:
    paper = tmp_path / "film.fcpxml"
    paper.write_bytes(exporters.fcpxml(EDITS[name], tmp_path)[".fcpxml"])
    dtd = str(Path(DTDS) / "FCPXMLv1_10.dtd")
    run = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--dtdvalid", dtd, str(paper)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_a_speed_maps_the_whole_file(tmp_path: Path) -> None:
    root = parse(exporters.fcpxml(EDITS["24"], tmp_path)[".fcpxml"])
    clip = next(c for c in root.iter("asset-clip") if c.get("name") == "two" and c.find("timeMap") is not None)
    points = [(p.get("time"), p.get("value")) for p in clip.iter("timept")]
    assert points[0][0] == "3600s"  # from the file's own timecode on
    # To the file's end, an hour and a minute, less what the grid cuts off.
    assert Fraction(3660) - Fraction(1, 24) < time_of(points[-1][1]) <= 3660
    marks = [m.get("value") for m in root.iter("chapter-marker")]
    assert marks == ["A", "B"]


THEIRS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.8"><resources>
 <format id="r0" frameDuration="100/3000s" width="1280" height="720"/>
 <format id="r9" frameDuration="100/2500s" width="1280" height="720"/>
 <asset id="r1" name="Broll" src="file:///m/B%20roll.mov" start="0s" duration="60s" hasVideo="1" hasAudio="1"
  format="r0"/>
 <asset id="r2" name="Pal" src="file:///m/pal.mov" start="7200s" duration="60s" hasVideo="1" format="r9"/>
 <asset id="r3" name="Song" src="file:///m/song.wav" start="0s" duration="600s" hasAudio="1"/>
</resources><library><event><project name="theirs">
<sequence format="r0" tcStart="3600s" duration="14s" tcFormat="NDF"><spine>
 <asset-clip ref="r1" offset="3600s" start="10s" duration="4s" name="Slow">
  <timeMap><timept time="0s" value="0s" interp="smooth2"/><timept time="120s" value="60s" interp="smooth2"/></timeMap>
  <asset-clip ref="r3" lane="-1" offset="11s" start="30s" duration="5s" name="Song" audioRole="music"/>
  <clip lane="1" offset="12s" start="7203s" duration="1s" name="Above">
   <video ref="r2" offset="7200s" start="7200s" duration="60s"/>
  </clip>
 </asset-clip>
 <gap name="Gap" offset="3604s" start="3600s" duration="2s">
  <spine lane="1" offset="3600.5s"><asset-clip ref="r1" offset="0s" start="1s" duration="1s" name="Story"/></spine>
 </gap>
 <audition><asset-clip ref="r1" offset="3606s" start="5s" duration="4s" name="Picked"/>
  <asset-clip ref="r1" start="7s" duration="4s" name="Not"/></audition>
 <asset-clip ref="r2" start="7210s" duration="4s" name="Conformed" enabled="0">
  <conform-rate srcFrameRate="25"/></asset-clip>
</spine></sequence></project></event></library></fcpxml>
"""


def test_what_final_cut_writes(tmp_path: Path) -> None:
    from backbeat.exchange.importers import read

    path = tmp_path / "theirs.fcpxml"
    path.write_text(THEIRS, encoding="utf-8")
    back = read(path)
    assert (back.rate, back.width, back.frames, back.start_timecode) == (30, 1280, 420, 108_000)
    rows = [[(c.name, c.start, c.frames, c.source_in, c.speed.factor) for c in t.clips] for t in back.tracks]
    assert rows[0] == [
        ("Slow", 0, 120, 150, 0.5),
        ("Picked", 180, 120, 150, 1.0),
        ("Conformed", 300, 120, 300, 1.2),  # every picture of 25 once at 30
    ]
    assert rows[1] == [("Above", 60, 30, 75, 1.0), ("Story", 135, 30, 30, 1.0)]
    assert [c.enabled for c in back.tracks[0].clips] == [True, True, False]
    assert (back.cues[0].path, back.cues[0].start, back.cues[0].song_in) == ("/m/song.wav", 1.0, 30.0)
    assert back.tracks[0].clips[0].take == "/m/B roll.mov"
