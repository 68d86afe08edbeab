# SPDX-License-Identifier: Apache-2.0
"""The review as one HTML file: self-contained, no outside requests, readable on a phone, printable.

Nothing that a file name or a tag says is trusted: text is escaped, the data block cannot end its own element, and a
content security policy forbids every request.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from backbeat.model.review import REVIEW_SCHEMA, Aspect, Curve, Figure, Mark, Moment, Picture, Review
from backbeat.model.time import clock
from backbeat.work.output import placed

T = TypeVar("T")
_STRIP = 18
_EVIDENCE = 3


def save(review: Review, path: str | Path) -> None:
    """Write the report to `path`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    text = render(review)
    with placed(str(path)) as temporary:
        Path(temporary).write_text(text, encoding="utf-8", newline="\n")


def render(review: Review) -> str:
    """Return the report as HTML."""
    template = (files("backbeat.exchange") / "templates" / "review.html").read_text(encoding="utf-8")
    name = Path(review.film).name
    parts = {
        "title": escape(f"{name}: review"),
        "film": escape(name),
        "length": clock(review.duration)[:-4],
        "rate": escape(_rate(review.rate)),
        "verdict": escape(review.verdict),
        "total": _total(review),
        "music": escape(review.music),
        "strip": "".join(_image(p, "") for p in spread(review.pictures, _STRIP)),
        "picture": escape(f"The whole film as a timeline: {len(_kind(review, 'cut'))} cuts. {review.verdict}"),
        "aspects": "".join(_aspect(a, review) for a in review.aspects),
        "moments": "".join(_moment(i, m, review) for i, m in enumerate(review.moments, 1)) or "<li>Nothing.</li>",
        "notes": "".join(f"<li>{escape(n)}</li>" for n in review.notes),
        "schema": escape(REVIEW_SCHEMA),
        "data": data(review),
    }
    # One pass, so that what is filled in is never read as a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda m: parts[m[1]], template)


def data(review: Review) -> str:
    """Return what the timeline is drawn from, as JSON that is safe inside a script element."""
    plain = {
        "duration": round(review.duration, 4),
        "curves": {c.name: _curve(c) for c in review.curves},
        "beats": [{"t": m.time, "k": m.kind} for m in review.marks if m.kind in {"beat", "downbeat"}],
        "sections": _kind(review, "section"),
        "cuts": _kind(review, "cut"),
        "hits": _kind(review, "hit"),
        "speech": _kind(review, "speech"),
        "moments": [
            {"i": i, "t": round(m.time, 3), "l": round(m.length, 3), "w": m.what}
            for i, m in enumerate(review.moments, 1)
        ],
    }
    text = json.dumps(plain, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _curve(curve: Curve) -> dict[str, object]:
    return {"step": curve.step, "values": [round(v, 3) for v in curve.values]}


def _kind(review: Review, kind: str) -> list[dict[str, object]]:
    return [_mark(m) for m in review.marks if m.kind == kind]


def _mark(mark: Mark) -> dict[str, object]:
    return {"t": mark.time, "l": mark.length, "n": mark.name, "s": mark.strength}


def _rate(text: str) -> str:
    above, _, below = text.partition("/")
    return f"{int(above) / int(below or 1):.6g}"


def stars(value: float | None) -> str:
    """Return stars as HTML; nothing for an aspect that was not judged."""
    if value is None:
        return '<span class="tag">not judged</span>'
    share = f"{20 * value:.0f}%"
    return f'<span class="stars" role="img" aria-label="{value:g} of 5 stars" style="--share:{share}">★★★★★</span>'


def _total(review: Review) -> str:
    judged = sum(a.stars is not None for a in review.aspects)
    said = f"<span>{judged} of {len(review.aspects)} aspects could be judged</span>"
    if review.stars is None:
        return f"<b>No overall stars</b>{said}"
    return f"{stars(review.stars)}<b>{review.stars:.1f}</b>{said}"


def _aspect(aspect: Aspect, review: Review) -> str:
    tag = '<span class="tag">estimated</span>' if aspect.estimated else ""
    rows = "".join(_figure(f) for f in aspect.figures)
    shown = "".join(
        f"<li>{_image(p, '')}{escape(f'{clock(t)} {said}')}</li>"
        for t, said in evidence(aspect, review)
        if (p := nearest(review.pictures, t)) is not None
    )
    return (
        f'<article class="card aspect{" none" if aspect.stars is None else ""}" id="{escape(aspect.key)}">'
        f"<h3>{escape(aspect.title)} <span>{tag}{stars(aspect.stars)}</span></h3>"
        f"<p>{escape(_sentence(aspect.finding))}</p><dl>{rows}</dl>"
        + (f'<ul class="shots">{shown}</ul>' if shown else "")
        + "</article>"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _figure(figure: Figure) -> str:
    return (
        f'<dt tabindex="0" data-meaning="{escape(figure.meaning)}"><span>{escape(figure.label)}</span></dt>'
        f"<dd>{escape(value_of(figure))}</dd>"
    )


def value_of(figure: Figure) -> str:
    """Return a figure's value for people."""
    if figure.value is None:
        return "–"
    if figure.unit == "%":
        return f"{100 * figure.value:.0f} %"
    value = round(figure.value, 3)
    number = f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
    return f"{number} {figure.unit}".strip()


def evidence(aspect: Aspect, review: Review) -> list[tuple[float, str]]:
    """Return up to three (film second, caption) that show what an aspect's stars rest on."""
    if aspect.moments:
        return [(m.time, m.what.split(":")[0][:60]) for m in aspect.moments[:_EVIDENCE]]
    if aspect.stars is None:
        return []
    if aspect.key == "cutting":
        heavy = [m for m in review.marks if m.kind == "cut" and m.name in {"section", "downbeat"}]
        return [(m.time, f"cut on {m.name}") for m in spread(heavy, _EVIDENCE)]
    if aspect.key == "action":
        hits = sorted((m for m in review.marks if m.kind == "hit"), key=lambda m: -m.strength)
        return [(m.time, m.name) for m in hits[:_EVIDENCE]]
    if aspect.key == "picture":
        return [(p.time, "") for p in spread(review.pictures, _EVIDENCE)]
    return []


def _moment(index: int, moment: Moment, review: Review) -> str:
    title = next((a.title for a in review.aspects if a.key == moment.aspect), moment.aspect)
    length = f" for {moment.length:.1f} s" if moment.length >= 0.1 else ""
    return (
        f'<li class="card moment"><div class="pair">{_pair(moment, review)}</div><div>'
        f'<p><a href="#view" data-time="{moment.time:.3f}">{index}. {clock(moment.time)}</a>{length} '
        f'<span class="of">{escape(title)}</span></p>'
        f'<p>{escape(_sentence(moment.what))}</p><p class="todo">{escape(_sentence(moment.todo))}</p></div></li>'
    )


def _pair(moment: Moment, review: Review) -> str:
    """Return the pictures of a moment: both sides of a cut, first and last of a stretch, else one."""
    cut = next((m.time for m in review.marks if m.kind == "cut" and abs(m.time - moment.time) < 0.02), None)
    if moment.length >= 2.0:
        times = [moment.time + 0.1, moment.time + moment.length - 0.6]
    elif cut is not None:
        times = [cut - 0.03, cut + 0.001]
    else:
        times = [moment.time]
    found = [nearest(review.pictures, t) for t in times]
    kept = list(dict.fromkeys(p for p in found if p is not None))
    return "".join(_image(p, f"the film at {clock(p.time)}") for p in kept)


def nearest(pictures: Sequence[Picture], time: float) -> Picture | None:
    """Return the thumbnail nearest to a film second."""
    if not pictures:
        return None
    i = bisect_left(pictures, time, key=lambda p: p.time)
    return min(pictures[max(0, i - 1) : i + 1], key=lambda p: abs(p.time - time))


def spread(rows: Sequence[T], many: int) -> list[T]:
    """Return up to `many` of `rows`, evenly chosen."""
    if len(rows) <= many:
        return list(rows)
    return [rows[round(i * (len(rows) - 1) / (many - 1))] for i in range(many)]


def _image(picture: Picture, alt: str) -> str:
    # Base64 holds no sign that HTML would read; a damaged cache might.
    data_uri = re.sub(r"[^A-Za-z0-9+/=]", "", picture.data)
    return f'<img alt="{escape(alt)}" loading="lazy" src="data:image/jpeg;base64,{data_uri}">'
