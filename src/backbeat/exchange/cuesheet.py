# SPDX-License-Identifier: Apache-2.0
"""The music cue sheet: CSV for the collecting society, and one printable HTML page."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from pathlib import Path

from backbeat.exchange.timecode import label
from backbeat.model.cue import Cue
from backbeat.model.song import Tags
from backbeat.model.time import Span, clock, frame_at
from backbeat.work.output import placed

HEAD = (
    "cue", "title", "composer", "publisher", "performer", "isrc", "usage", "time_in", "time_out", "duration",
    "timecode_in", "timecode_out", "licence", "file",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CueRow:
    """One row; times in film seconds, `timecode_in`, `timecode_out` as HH:MM:SS:FF."""

    cue: str
    title: str
    composer: str
    publisher: str
    performer: str
    isrc: str
    usage: str
    time_in: float
    time_out: float
    timecode_in: str
    timecode_out: str
    licence: str
    file: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.time_out - self.time_in


def rows_of(cues: Sequence[Cue], tags: Mapping[str, Tags], rate: Fraction) -> tuple[CueRow, ...]:
    """Return a row a cue, in order of time; `tags` are by path."""
    out = []
    for number, cue in enumerate(sorted(cues, key=lambda c: c.start), 1):
        tag = tags.get(cue.path, Tags())
        start, end = max(0.0, cue.start), cue.end
        first, last = (label(frame_at(t, rate), rate) for t in (start, end))
        out.append(
            CueRow(
                f"1m{number:02d}", tag.title or Path(cue.path).stem, tag.composer, tag.publisher, tag.artist, tag.isrc,
                cue.usage, start, end, first, last, tag.licence, Path(cue.path).name,
            )
        )  # fmt: skip
    return tuple(out)


def warnings_of(rows: Sequence[CueRow]) -> tuple[str, ...]:
    """Name the rights data that is missing, and licences that reach further than people think."""
    out = []
    seen: set[str] = set()
    for row in rows:
        if row.file in seen:
            continue
        seen.add(row.file)
        lost = [n for n in ("composer", "publisher", "performer", "isrc") if not getattr(row, n)]
        if lost:
            out.append(f"{row.file}: no {', '.join(lost)} in its tags")
        out += [f"{row.file}: {told}" for told in licence_warnings(row.licence)]
    return tuple(out)


def licence_warnings(licence: str) -> tuple[str, ...]:
    """Say what a licence asks that people overlook. No legal advice: it names what to look at."""
    text = licence.lower().replace("-", " ").replace("_", " ")
    words = set(re.findall(r"[a-z]+", text))
    out = []
    if "sa" in words or "sharealike" in words or "share alike" in text:
        out.append(f"ShareAlike ({licence}): synced to picture, it may reach the whole film")
    if "nd" in words or "noderiv" in text or "no deriv" in text:
        out.append(f"NoDerivatives ({licence}): changing its length, or syncing it, is not allowed")
    if "nc" in words or "noncommercial" in words or "non commercial" in text:
        out.append(f"NonCommercial ({licence}): the film may not earn money with it")
    if words & {"gpl", "agpl", "lgpl"}:
        out.append(f"GPL ({licence}): made for programs; what it asks of a film is unsettled, and may reach all of it")
    if not licence:
        out.append("no licence in its tags; clear it before release")
    elif not out and (words & {"rights", "copyright"} or "©" in licence or re.match(r"\s*\(c\)", text)):
        out.append(f"a copyright notice ({licence}), no licence; clear it before release")
    return tuple(out)


def to_csv(rows: Sequence[CueRow]) -> str:
    """Return the sheet as CSV, RFC 4180, with a head. A cell that a spreadsheet would run is quoted as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    for r in rows:
        cells = (
            r.cue, r.title, r.composer, r.publisher, r.performer, r.isrc, r.usage, f"{r.time_in:.3f}",
            f"{r.time_out:.3f}", f"{r.duration:.3f}", r.timecode_in, r.timecode_out, r.licence, r.file,
        )  # fmt: skip
        writer.writerow([f"'{c}" if c[:1] in "=+-@\t\r" and c else c for c in cells])
    return out.getvalue()


def to_html(rows: Sequence[CueRow], *, film: str, length: float, warnings: Sequence[str] = ()) -> str:
    """Return the sheet as one self-contained page that prints on landscape paper."""
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(c) or '<b class=no>missing</b>'}</td>"
            for c in (
                r.cue, r.title, r.composer, r.publisher, r.performer, r.isrc, r.usage, r.timecode_in, r.timecode_out,
                clock(r.duration), r.licence,
            )
        )
        + "</tr>"
        for r in rows
    )  # fmt: skip
    told = "".join(f"<li>{escape(w)}</li>" for w in warnings)
    music = covered([Span(r.time_in, r.time_out) for r in rows])
    heads = ("Cue", "Title", "Composer", "Publisher", "Performer", "ISRC", "Usage", "In", "Out", "Duration", "Licence")
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Cue sheet: {escape(film)}</title><style>body{{font:14px/1.4 system-ui,sans-serif;margin:2em}}"
        "table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.3em .5em;text-align:left}"
        ".no{color:#b00;font-weight:normal}@page{size:landscape}</style>"
        f"<h1>Music cue sheet</h1><p>{escape(film)} · running time {clock(length)} · music {clock(music)}</p>"
        f"<table><tr>{''.join(f'<th>{h}</th>' for h in heads)}</tr>{body}</table>"
        + (f"<h2>To be cleared</h2><ul>{told}</ul>" if told else "")
        + "</html>\n"
    )


def covered(spans: Sequence[Span]) -> float:
    """Return the seconds that `spans` cover together, overlaps once."""
    total, until = 0.0, -math.inf
    for span in sorted(spans, key=lambda s: s.start):
        total += max(0.0, span.end - max(span.start, until))
        until = max(until, span.end)
    return total


def save(text: str, path: str) -> None:
    """Write a sheet whole, or not at all.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    with placed(path) as temporary:
        Path(temporary).write_text(text, encoding="utf-8", newline="")
