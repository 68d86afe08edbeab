# SPDX-License-Identifier: Apache-2.0
"""What independent readers, OpenTimelineIO's adapters, find in our files, event by event."""

from __future__ import annotations

import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import opentimelineio as otio
import pytest

from backbeat.exchange import exporters
from backbeat.exchange.timecode import frame_of
from backbeat.model.time import frame_at
from backbeat.model.timeline import NORMAL, Timeline
from exchange.edits import RATES, full

FPS = {name: float(rate) for name, rate in RATES.items()}


def found(form: str, adapter: str, edit: Timeline, folder: Path, **options: Any) -> Any:
    ending, body = next(iter(getattr(exporters, form)(edit, folder).items()))
    path = folder / f"film{ending}"
    path.write_bytes(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the adapters' own
        read = otio.adapters.read_from_file(str(path), adapter_name=adapter, **options)
    if not isinstance(read, otio.schema.Timeline):
        read = next(iter(read.find_children(otio.schema.Timeline))) if hasattr(read, "find_children") else read[0]
    return read


def events(track: Any) -> list[tuple[int, int, Any]]:
    """(record start, frames, clip), with the overlaps of dissolves as the adapters see them."""
    rows, at = [], 0
    for item in track:
        if isinstance(item, otio.schema.Transition):
            continue
        frames = round(item.duration().value)
        if isinstance(item, otio.schema.Clip):
            rows.append((at, frames, item))
        at += frames
    return rows


def listed(edit: Timeline) -> dict[int, tuple[int, int, str]]:
    """What a list says: {record start: (frames, source in by timecode, name)}; dissolves begin with their event."""
    rows = {}
    into = {t.at: t.before for t in edit.tracks[0].transitions}
    into[edit.frames] = frame_at(edit.fade_out, edit.rate)  # the fade to black is an event of its own
    for clip in edit.tracks[0].clips:
        if clip.enabled:
            early, late = into.get(clip.start, 0), into.get(clip.end, 0)
            source = clip.source_in + (edit.takes[0].start_timecode or 0) - round(early * clip.speed.factor)
            rows[clip.start - early] = (clip.frames + early - late, source, clip.name)
    return rows


@pytest.mark.parametrize("name", [n for n in RATES if n != "29.97"])  # the adapter cannot read drop-frame
def test_the_list_read_by_another(name: str, tmp_path: Path) -> None:
    edit = replace(full(RATES[name]), fade_in=0.0, fade_out=0.0)  # it cannot read a fade from black either
    read = found("edl", "cmx_3600", edit, tmp_path, rate=FPS[name])
    (video,) = read.video_tracks()
    rows = {at: (n, round(c.source_range.start_time.value), c.name) for at, n, c in events(video)}
    wanted = listed(edit)
    assert set(rows) == set(wanted)
    warps = {c.name: e.time_scalar for c in video.find_clips() for e in c.effects if hasattr(e, "time_scalar")}
    for start, (frames, source, clip) in wanted.items():
        assert rows[start][0] == frames
        assert rows[start][2] == clip
        assert abs(rows[start][1] - source) <= (clip in warps), clip
    assert warps["two"] == pytest.approx(0.9, abs=0.003)
    assert warps["four"] == pytest.approx(1.2437, abs=0.003)
    assert len([t for t in video if isinstance(t, otio.schema.Transition)]) == 1


@pytest.mark.parametrize("name", RATES)
def test_the_list_read_by_a_third(name: str, tmp_path: Path) -> None:
    pycmx = pytest.importorskip("pycmx")
    edit = full(RATES[name])
    path = tmp_path / "film.edl"
    path.write_bytes(exporters.edl(edit, tmp_path)[".edl"])
    with path.open(encoding="utf-8") as file:
        parsed = list(pycmx.parse_cmx3600(file).events)
    wanted = listed(edit)
    *parsed, black = parsed
    assert black.edits[-1].transition.kind == "D"
    assert black.edits[-1].transition.operand == f"{frame_at(edit.fade_out, edit.rate):03d}"
    assert len(parsed) == len(wanted)
    drop = name == "29.97"
    for event, (start, (frames, source, clip)) in zip(parsed, sorted(wanted.items()), strict=True):
        last = event.edits[-1]
        told = [frame_of(t, edit.rate, drop=drop) for t in (last.record_in, last.record_out, last.source_in)]
        assert told[:2] == [edit.start_timecode + start, edit.start_timecode + start + frames], clip
        assert abs(told[2] - source) <= (clip in {"two", "four", "five"})
        assert (last.transition.kind == "D") == (clip in {"one", "two"})  # from black


@pytest.mark.parametrize("form", ["premiere", "resolve"])
@pytest.mark.parametrize("name", RATES)
def test_fcp7_read_by_another(name: str, form: str, tmp_path: Path) -> None:
    edit = full(RATES[name])
    read = found(form, "fcp_xml", edit, tmp_path)
    assert read.global_start_time.value == edit.start_timecode
    video = read.video_tracks()[0]
    rows = {start: (frames, clip) for start, frames, clip in events(video)}
    for clip in edit.tracks[0].clips:
        frames, other = rows[clip.start]
        assert (frames, other.name) == (clip.frames, clip.name)
        path = unquote(other.media_reference.target_url).removeprefix("file://localhost")
        assert path == clip.take
        if clip.speed == NORMAL:
            begins = other.media_reference.available_range.start_time.value
            assert round(other.source_range.start_time.value - begins) == clip.source_in
    marks = {round(m.marked_range.start_time.value) for m in read.tracks.markers}
    assert {frame_at(m.time, edit.rate) for m in edit.markers} <= marks
    songs = [c for t in read.audio_tracks() for c in t.find_clips() if "Song One" in c.name]
    assert len(songs) == 2  # the adapter folds the channels of one sound


@pytest.mark.parametrize("name", ["24", "25", "30"])  # the adapter refuses rates that are not whole
def test_fcpxml_read_by_another(name: str, tmp_path: Path) -> None:
    edit = full(RATES[name])
    read = found("fcpxml", "fcpx_xml", edit, tmp_path)
    clips = {c.name: c for c in read.find_clips() if c.name}
    for clip in edit.tracks[0].clips:
        other = clips[clip.name]
        assert round(other.duration().rescaled_to(FPS[name]).value) == clip.frames
        assert round(other.source_range.start_time.rescaled_to(FPS[name]).value) >= 0


def test_the_adapters_read_otioz(tmp_path: Path) -> None:
    from backbeat.exchange.otioz import save

    edit = full(Fraction(25), str(tmp_path / "footage"))
    (tmp_path / "footage").mkdir()
    for media in edit.takes:
        Path(media.path).write_bytes(b"picture of " + media.path.encode())
    missing = save(edit, tmp_path / "film.otioz")
    assert [Path(m).name for m in missing] == ["söng one.wav", "two.flac"]
    (tmp_path / "out").mkdir()
    read = otio.adapters.read_from_file(str(tmp_path / "film.otioz"), extract_to_directory=str(tmp_path / "out"))
    first = next(iter(read.find_clips()))
    assert (tmp_path / "out" / unquote(first.media_reference.target_url)).read_bytes().startswith(b"picture of")
