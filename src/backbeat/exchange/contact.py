# SPDX-License-Identifier: Apache-2.0
"""Contact sheets and tables of watched footage: one row a shot."""

from __future__ import annotations

import base64
import csv
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from backbeat.model.footage import Shot, Take, Word
from backbeat.model.time import clock, seconds_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLUMNS = (
    "take", "shot", "start_frame", "end_frame", "start", "end", "rate", "quality", "motion", "direction", "camera",
    "shake", "sharpness", "exposure", "brightness", "shot_size", "framing", "group", "flags", "hits", "strongest_hit",
    "speech_seconds",
    "scene", "number", "circled", "characters", "tags", "comment",
)  # fmt: skip
CURVE = (260, 56)
LEGEND = "motion (green), hits (red: seen and heard; dashed or dark: one of them), speech (blue; pauses left out)"
_STYLE = """body{font:13px/1.4 system-ui,sans-serif;background:#16181d;color:#d8dbe2;margin:24px}
h1{font-size:20px}h2{font-size:14px;margin:22px 0 6px}table{border-spacing:0 6px}td{padding:0 10px 0 0;
vertical-align:middle}
img{display:inline-block;margin-right:4px;border-radius:3px}.n{color:#8b93a3}.f{color:#ffb454}.g{color:#8bd17c}.left{color:#ff7a7a}
svg{background:#20242c;border-radius:3px}"""


@dataclass(frozen=True, slots=True)
class Row:
    """A shot of a take, and its first, middle and last picture (RGB, equal heights)."""

    take: Take
    shot: Shot
    pictures: tuple[NDArray[np.uint8], ...]


def table(takes: Iterable[Take]) -> str:
    """Return all shots as CSV with a header (`COLUMNS`)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for take in takes:
        for shot in take.shots:
            writer.writerow(_cells(take, shot))
    return out.getvalue()


def _cells(take: Take, shot: Shot) -> list[Any]:
    rate = take.media.rate
    start, end = seconds_at(shot.start_frame, rate), seconds_at(shot.end_frame, rate)
    spoken = sum(max(0.0, min(end, s.span.end) - max(start, s.span.start)) for s in take.speech)
    best = max(shot.hits, key=lambda h: h.strength, default=None)
    log = take.log
    return [
        take.media.path, shot.index, shot.start_frame, shot.end_frame, round(start, 4), round(end, 4), str(rate),
        shot.quality, shot.motion, "" if shot.direction is None else shot.direction, shot.camera, shot.shake,
        shot.sharpness, shot.exposure, shot.brightness, "" if shot.shot_size is None else shot.shot_size, shot.framing,
        shot.group, " ".join(shot.flags), len(shot.hits),
        best.time if best else "", round(spoken, 2), log.scene, log.number, int(log.circled),
        "; ".join(log.characters), "; ".join(log.tags), log.comment,
    ]  # fmt: skip


def page(rows: Sequence[Row], left_out: Sequence[tuple[str, str]], images: Sequence[Sequence[bytes]]) -> str:
    """Return the sheet as one HTML file; `images` are each row's pictures as JPEG."""
    parts = [
        f"<!doctype html><meta charset='utf-8'><title>Footage</title><style>{_STYLE}</style>",
        f"<h1>{len(rows)} shots</h1><p class='n'>First, middle and last picture; {LEGEND}.</p>",
    ]
    last = ""
    for row, pictures in zip(rows, images, strict=True):
        path = row.take.media.path
        if path != last:
            parts += [("</table>" if last else ""), _heading(row.take), "<table>"]
            last = path
        shown = "".join(
            f"<img alt='' height='90' src='data:image/jpeg;base64,{base64.b64encode(p).decode()}'>" for p in pictures
        )
        parts.append(f"<tr><td>{shown}</td><td>{_curve(row)}</td><td>{_words(row)}</td></tr>")
    parts.append("</table>" if rows else "")
    if left_out:
        parts.append("<h2>Left out</h2>")
        parts += [f"<p class='left'>{html.escape(reason)}</p>" for _, reason in left_out]
    return "\n".join(parts)


def _heading(take: Take) -> str:
    media = take.media
    facts = f"{media.width}x{media.height}, {float(media.rate):.3f} fps, {clock(media.duration)}"
    notes = "".join(f" <span class='f'>{html.escape(w)}</span>" for w in take.warnings)
    log = f" <span class='g'>{html.escape(logged(take))}</span>" if logged(take) else ""
    return f"<h2>{html.escape(PurePath(media.path).name)} <span class='n'>{facts}</span>{log}{notes}</h2>"


def logged(take: Take) -> str:
    """Return what the log says of a take in one line, "" if nothing."""
    log = take.log
    scene = " ".join(
        x for x in (f"scene {log.scene}" if log.scene else "", f"take {log.number}" if log.number else "") if x
    )
    parts = [scene, "circled" if log.circled else "", ", ".join(log.characters), ", ".join(log.tags), log.comment]
    return " · ".join(p for p in parts if p)


def _curve(row: Row) -> str:
    """Return the motion curve as SVG: hits are lines (full where seen and heard), speech a bar."""
    width, height = CURVE
    shot, rate = row.shot, float(row.take.media.rate)
    start, end = shot.start_frame / rate, shot.end_frame / rate
    top = max(2.0, *shot.motion_curve, 2.0)

    def x(t: float) -> float:
        return round((t - start) / max(1e-6, end - start) * width, 1)

    n = max(1, len(shot.motion_curve) - 1)
    points = " ".join(f"{i / n * width:.1f},{height - v / top * height:.1f}" for i, v in enumerate(shot.motion_curve))
    talk = "".join(
        f"<rect x='{x(a)}' y='{height - 4}' height='4' fill='#5aa9ff' width='{x(b) - x(a):.1f}'/>"
        for a, b in talk_spans(row)
    )
    hits = "".join(
        f"<line x1='{x(h.time)}' x2='{x(h.time)}' y1='0' y2='{height}' stroke='#ff5d5d' "
        f"stroke-opacity='{0.3 + 0.7 * h.strength:.2f}' stroke-dasharray='{'none' if h.evidence == 'both' else '3 3'}'>"
        f"<title>{html.escape(h.kind)} {h.time:.3f} s, {h.strength:.2f}, {html.escape(h.evidence)}</title></line>"
        for h in shot.hits
    )
    line = f"<polyline points='{points}' fill='none' stroke='#8bd17c' stroke-width='1.5'/>"
    return f"<svg width='{width}' height='{height}'>{line}{talk}{hits}</svg>"


def _words(row: Row) -> str:
    shot, rate = row.shot, row.take.media.rate
    facts = [
        f"{clock(seconds_at(shot.start_frame, rate))} – {clock(seconds_at(shot.end_frame, rate))}",
        f"quality {shot.quality:.2f}, motion {shot.motion:.2f}" + (f", {shot.camera}" if shot.camera else ""),
        f"{len(shot.hits)} hits, group {shot.group}" + (f", {shot.framing}" if shot.framing else ""),
    ]
    said = " ".join(w.text for w in spoken(row))
    if said:
        facts.append(f"“{said[:160]}{'…' if len(said) > 160 else ''}”")
    flags = f"<br><span class='f'>{html.escape(', '.join(shot.flags))}</span>" if shot.flags else ""
    return f"<b>{shot.index}</b> " + "<br>".join(html.escape(f) for f in facts) + flags


def talk_spans(row: Row) -> list[tuple[float, float]]:
    """Return when somebody speaks inside the shot (s), pauses left out."""
    shot, rate = row.shot, float(row.take.media.rate)
    start, end = shot.start_frame / rate, shot.end_frame / rate
    out = []
    for speech in row.take.speech:
        edges = [speech.span.start, *(t for p in speech.pauses for t in (p.start, p.end)), speech.span.end]
        pieces = [(max(start, a), min(end, b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        out += [(a, b) for a, b in pieces if b > a]
    return out


def spoken(row: Row) -> list[Word]:
    """Return the words that begin inside the shot."""
    shot, rate = row.shot, float(row.take.media.rate)
    start, end = shot.start_frame / rate, shot.end_frame / rate
    return [w for s in row.take.speech for w in s.words if start <= w.span.start < end]
