# SPDX-License-Identifier: Apache-2.0
"""Markers alone: Premiere's CSV, Resolve's marker EDL, Audacity's labels, YouTube's chapters; captions as SRT."""

from __future__ import annotations

import csv
import io
import re
from fractions import Fraction

from backbeat.exchange.sheet import Mark, Sheet
from backbeat.exchange.subtitles import Subtitle, srt_text
from backbeat.exchange.timecode import label
from backbeat.exchange.xmlio import clean
from backbeat.model.time import Span

# YouTube takes chapters only if there are three at least, each ten seconds or longer, the first at zero.
_CHAPTERS, _CHAPTER_SECONDS = 3, 10
_RESOLVE = {
    "RED": "Red", "ORANGE": "Sand", "YELLOW": "Yellow", "GREEN": "Green", "CYAN": "Cyan", "BLUE": "Blue",
    "PURPLE": "Purple", "MAGENTA": "Fuchsia", "PINK": "Pink", "WHITE": "Cream", "BLACK": "Cocoa",
}  # fmt: skip


def markers(sheet: Sheet) -> dict[str, bytes]:
    """Return all four by file name ending; chapters are left out where YouTube would take none."""
    found = {
        ".markers.csv": premiere_csv(sheet),
        ".markers.edl": resolve_edl(sheet),
        ".labels.txt": audacity(sheet),
    }
    lines = chapters(sheet)
    if len(lines) >= _CHAPTERS:
        found[".chapters.txt"] = ("\n".join(lines) + "\n").encode()
    return found


def premiere_csv(sheet: Sheet) -> bytes:
    """Return Premiere Pro's marker list: tab-separated, UTF-16 with a byte order mark."""
    out = io.StringIO()
    rows = csv.writer(out, delimiter="\t", lineterminator="\r\n")
    rows.writerow(["Marker Name", "Description", "In", "Out", "Duration", "Marker Type"])
    for mark in sheet.marks:
        kind = "Chapter" if mark.kind in {"section", "scene"} else "Comment"
        spans = (sheet.start + mark.frame, sheet.start + mark.frame + mark.frames)
        first, last = (label(f, sheet.rate, drop=sheet.drop) for f in spans)
        long = label(mark.frames, sheet.rate, drop=sheet.drop)
        rows.writerow([_line(mark.name), mark.kind, first, last, long, kind])
    return out.getvalue().encode("utf-16")


def resolve_edl(sheet: Sheet) -> bytes:
    """Return the EDL from which DaVinci Resolve imports time line markers, colours and lengths too."""
    lines = [
        f"TITLE: {_line(sheet.name)}",
        f"FCM: {'DROP FRAME' if sheet.drop else 'NON-DROP FRAME'}",
        "",
    ]
    for number, mark in enumerate(sheet.marks, 1):
        at, after = (label(sheet.start + mark.frame + i, sheet.rate, drop=sheet.drop) for i in (0, 1))
        lines.append(f"{number:03d}  001      V     C        {at} {after} {at} {after}")
        name = _line(mark.name).replace("|", "/")
        lines.append(f" |C:ResolveColor{_RESOLVE.get(mark.colour, 'Blue')} |M:{name} |D:{max(mark.frames, 1)}")
        lines.append("")
    return "\n".join(lines).encode()


def audacity(sheet: Sheet) -> bytes:
    """Return Audacity's label track: start, end (s), text; exact times, not rounded to frames."""
    lines = []
    for mark in sheet.marks:
        end = mark.time + mark.frames / sheet.rate
        lines.append(f"{float(mark.time):.6f}\t{float(end):.6f}\t{_line(mark.name)}")
    return ("\n".join(lines) + "\n").encode()


def chapters(sheet: Sheet) -> list[str]:
    """Return YouTube's lines, ``0:00 name``: scenes, sections or cues of ten seconds at least, the first at zero."""
    found = ([m for m in sheet.marks if m.kind == kind] for kind in ("scene", "section", "cue"))
    kinds = next((marks for marks in found if marks), [])
    kept: list[Mark] = []
    for mark in kinds:
        if not kept or mark.time - (kept[-1].time if len(kept) > 1 else Fraction(0)) >= _CHAPTER_SECONDS:
            kept.append(mark)
    end = sheet.frames / sheet.rate
    while len(kept) > 1 and end - kept[-1].time < _CHAPTER_SECONDS:
        kept.pop()
    lines = []
    for index, mark in enumerate(kept):
        seconds = 0 if index == 0 else int(mark.time)
        hours, minutes = seconds // 3600, seconds // 60 % 60
        clock = f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"
        lines.append(f"{clock} {_line(mark.name)}")
    return lines


def srt(sheet: Sheet) -> bytes:
    """Return the titles as subtitles."""
    titles = sorted(
        (e for lane in sheet.of("picture") if lane.enabled for e in lane.events if e.title and e.enabled),
        key=lambda e: e.start,
    )
    found = []
    for event in titles:
        assert event.title is not None
        span = Span(float(event.start / sheet.rate), float(event.end / sheet.rate))
        found.append(Subtitle(span, clean(event.title.text)))
    return srt_text(tuple(found)).encode()


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text)).strip()
