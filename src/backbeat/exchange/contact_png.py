# SPDX-License-Identifier: Apache-2.0
"""The contact sheet of watched footage as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import PurePath
from typing import Any

from backbeat.exchange.contact import CURVE, LEGEND, Row, logged, spoken, talk_spans
from backbeat.model.time import clock, seconds_at

MOST = 300  # shots: a taller picture opens nowhere
_HEIGHT, _GAP, _HEAD = 90, 6, 30
_SLOT, _LABEL = 160, 300
_BACK, _PANEL, _INK, _FAINT, _WARN, _GOOD = "#16181d", "#20242c", "#d8dbe2", "#8b93a3", "#ffb454", "#8bd17c"


def drawn(rows: Sequence[Row], left_out: Sequence[tuple[str, str]] = (), more: int = 0) -> Any:
    """Return the sheet as a Pillow image: a heading a take, a row a shot, then the files `left_out`.

    `more`: shots that found no room, told at the end.
    """
    from PIL import Image, ImageDraw, ImageFont

    takes = [(take, list(each)) for take, each in groupby(rows, key=lambda r: r.take)]
    last = [f"and {more} more shots: write .html for all of them"] if more else []
    last += [f"left out: {PurePath(path).name}: {reason.removeprefix(f'{path}: ')}" for path, reason in left_out[:50]]
    width = 3 * (_SLOT + _GAP) + CURVE[0] + _LABEL + 4 * _GAP
    height = 2 * _GAP + _HEAD * (1 + len(takes)) + len(rows) * (_HEIGHT + _GAP) + 20 * len(last)
    sheet = Image.new("RGB", (width, height), _BACK)
    pen = ImageDraw.Draw(sheet)
    plain, small = ImageFont.load_default(13), ImageFont.load_default(12)
    pen.text((_GAP, _GAP), _plain(f"First, middle, last picture; {LEGEND}"), fill=_FAINT, font=small)
    y = _HEAD
    for take, mine in takes:
        media = take.media
        x = float(_GAP)
        facts = f"{media.width}x{media.height}  {float(media.rate):.2f} fps  {clock(media.duration)}"
        parts = ((PurePath(media.path).name[:60], _INK), (facts, _FAINT), (logged(take), _GOOD))
        for text, colour in (*parts, ("; ".join(take.warnings), _WARN)):
            pen.text((x, y + 10), _plain(text), fill=colour, font=plain)
            x += plain.getlength(_plain(text)) + 14
        y += _HEAD
        for row in mine:
            _row(sheet, pen, row, y, small)
            y += _HEIGHT + _GAP
    for text in last:
        pen.text((_GAP, y + 4), _plain(text), fill=_WARN, font=small)
        y += 20
    return sheet


def _row(sheet: Any, pen: Any, row: Row, top: int, font: Any) -> None:
    from PIL import Image

    for i, picture in enumerate(row.pictures):
        image = Image.fromarray(picture)
        image.thumbnail((_SLOT, _HEIGHT))
        x = _GAP + i * (_SLOT + _GAP) + (_SLOT - image.width) // 2
        sheet.paste(image, (x, top + (_HEIGHT - image.height) // 2))
    left = 3 * (_SLOT + _GAP) + 2 * _GAP
    _curve(pen, row, left, top + (_HEIGHT - CURVE[1]) // 2)
    shot, rate = row.shot, row.take.media.rate
    said = " ".join(w.text for w in spoken(row))
    lines = (
        f"#{shot.index}  {clock(seconds_at(shot.start_frame, rate))} - {clock(seconds_at(shot.end_frame, rate))}",
        f"quality {shot.quality:.2f}  motion {shot.motion:.2f}  {shot.camera}  {shot.framing}",
        f"{len(shot.hits)} hits  group {shot.group}",
        said[:44] + ("..." if len(said) > 44 else ""),
    )
    for i, line in enumerate(lines):
        pen.text((left + CURVE[0] + 2 * _GAP, top + 8 + 18 * i), _plain(line), fill=_INK, font=font)
    pen.text((left + CURVE[0] + 112, top + 44), ", ".join(shot.flags), fill=_WARN, font=font)


def _curve(pen: Any, row: Row, left: int, top: int) -> None:
    width, height = CURVE
    shot, rate = row.shot, float(row.take.media.rate)
    start, end = shot.start_frame / rate, shot.end_frame / rate

    def x(time: float) -> float:
        return left + (time - start) / max(1e-6, end - start) * width

    pen.rectangle((left, top, left + width, top + height), fill=_PANEL)
    for a, b in talk_spans(row):
        pen.rectangle((x(a), top + height - 4, x(b), top + height), fill="#5aa9ff")
    most = max(2.0, *shot.motion_curve, 2.0)
    n = max(1, len(shot.motion_curve) - 1)
    points = [(left + i / n * width, top + height - v / most * height) for i, v in enumerate(shot.motion_curve)]
    if len(points) > 1:
        pen.line(points, fill=_GOOD, width=2)
    for hit in shot.hits:
        pen.line((x(hit.time), top, x(hit.time), top + height), fill="#ff5d5d" if hit.evidence == "both" else "#a05050")


def _plain(text: str) -> str:
    """Return `text` on one line, in letters that the built-in font has."""
    return " ".join(text.split()).encode("latin-1", "replace").decode("latin-1")
