# SPDX-License-Identifier: Apache-2.0
"""``backbeat render``: a timeline becomes a film, which is read back before it is put in place."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.make.check import Checked
    from backbeat.make.settings import RenderSettings
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.session import Session


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What was made and what it measures; `checked` is None where the check was switched off."""

    film: str
    frames: int
    duration: float
    rate: str
    seconds: float
    warnings: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    checked: Checked | None = None


def render_file(
    source: str, output: str, session: Session, *, settings: RenderSettings, force: bool = False, verify: bool = True
) -> RenderReport:
    """Render the timeline in `source` (.otio) to `output`.

    Raises
    ------
    BackbeatError
        Any of the tree; no file is left under `output` then, but finished segments are, for the next run.
    """
    from backbeat.exchange.otio import load

    return film_of(load(source), output, session, settings=settings, force=force, verify=verify, inputs=(source,))


def film_of(
    timeline: Timeline,
    output: str,
    session: Session,
    *,
    settings: RenderSettings,
    force: bool = False,
    verify: bool = True,
    inputs: tuple[str, ...] = (),
) -> RenderReport:
    """Render `timeline`, read the film back, and put it in place; see `render_file`."""
    from backbeat.make.check import check
    from backbeat.make.codecs import CONTAINERS
    from backbeat.make.film import render
    from backbeat.work import output as place

    sources = {c.take for t in timeline.tracks for c in t.clips if c.take} | {c.path for c in timeline.cues}
    place.check(output, force=force, inputs=(*inputs, *sources), suffixes=CONTAINERS)
    began = time.monotonic()
    settings = replace(settings, stem_name=settings.stem_name or output)
    with place.placed(output) as temporary:
        rendered = render(
            timeline, temporary, settings=settings, progress=session.progress, parts=str(parts_folder(output))
        )
        checked = None
        if verify:
            session.progress.start("read back", 0)
            checked = check(temporary, timeline, settings=settings, looks=rendered.looks)
            session.progress.stop()
    return RenderReport(
        film=output,
        frames=rendered.frames,
        duration=float(rendered.frames / timeline.rate),
        rate=str(timeline.rate),
        seconds=round(time.monotonic() - began, 3),
        warnings=rendered.warnings,
        stems=rendered.stems,
        checked=checked,
    )


def parts_folder(output: str) -> Path:
    """Return the folder of a film's finished segments, hidden beside it."""
    path = Path(output)
    return path.with_name(f".{path.name}.parts")


def check_file(source: str, film: str, session: Session, *, settings: RenderSettings) -> Checked:
    """Read `film` back against the timeline in `source`.

    Raises
    ------
    BackbeatError
        If one of the two cannot be read.
    """
    from backbeat.exchange.otio import load
    from backbeat.make.check import check

    if not Path(film).is_file():
        raise InputError(f"{film}: no such file", "give the film that was rendered")
    session.progress.start("read back", 0)
    checked = check(film, load(source), settings=settings)
    session.progress.stop()
    return checked
