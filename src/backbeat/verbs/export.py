# SPDX-License-Identifier: Apache-2.0
"""An edit as the file that another program opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import InputError
from backbeat.model.timeline import Timeline
from backbeat.verbs.session import Session
from backbeat.work import plugins
from backbeat.work.output import check, placed

# What a suffix means where --to is not given.
SUFFIXES = {
    ".otio": "otio", ".otioz": "otioz", ".fcpxml": "fcpxml", ".xml": "premiere", ".edl": "edl", ".kdenlive": "kdenlive",
    ".mlt": "mlt", ".aaf": "aaf", ".mid": "midi", ".midi": "midi", ".srt": "srt",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, the main file first, the media that is named but not there, and the media that was baked."""

    to: str
    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    baked: tuple[str, ...] = ()


def names() -> list[str]:
    """Return the formats that can be written."""
    return sorted({*plugins.names("exporters"), "otioz"})


def export(
    film: str,
    session: Session,
    *,
    to: str = "",
    output: str = "",
    media_root: Sequence[str] = (),
    consolidate: str = "",
    handles: int = 24,
    force: bool = False,
) -> Exported:
    """Write the edit in `film` for another program.

    Parameters
    ----------
    film
        An ``.otio`` file.
    session
        Progress of `consolidate`.
    to
        The format; "" goes by the suffix of `output`.
    output
        The file; "" puts it beside `film`. Further papers (an EDL a track, the kinds of markers) get names like it.
    media_root
        Folders in which missing media is looked for.
    consolidate
        ``prores`` or ``dnxhr``: bake what is used, ramps and all, into a folder beside the output; "" does not.
    handles
        Frames of spare picture on both sides of a baked clip.
    force
        Replace existing files.

    Raises
    ------
    InputError
        If the format is unknown, `film` is no edit, or an output exists.
    MissingPartError
        If the format needs a part that is not installed.
    """
    from backbeat.exchange.otio import load
    from backbeat.exchange.relink import relinked

    form = _format(to, output)
    timeline, missing = relinked(load(film), media_root)
    base = Path(output) if output else Path(film).with_suffix("")
    if output and base.suffix.lower() in SUFFIXES:
        base = base.with_suffix("")
    inputs = [film, *(m.path for m in timeline.takes), *(c.path for c in timeline.cues)]
    baked: tuple[str, ...] = ()
    if consolidate:
        from backbeat.verbs.consolidate import consolidated

        if missing:
            raise InputError(f"{missing[0]}: missing, cannot be baked", "give --media-root DIR with the footage")
        folder = Path(f"{base}.media")
        timeline, baked = consolidated(timeline, folder, session, codec=consolidate, handles=handles, force=force)
    if form == "otioz":
        return _bundle(timeline, output or f"{base}.otioz", inputs, baked, force=force)
    papers = plugins.load("exporters", form)(timeline, base.absolute().parent)
    files = _write(papers, base, output, inputs, force=force)
    return Exported(form, files, missing, baked)


def _format(to: str, output: str) -> str:
    form = to or SUFFIXES.get(Path(output).suffix.lower(), "")
    known = names()
    if form not in known:
        import difflib

        near = difflib.get_close_matches(form, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}"
        if not form:
            raise InputError(f"{output or 'export'}: for which program?", f"give --to: {', '.join(known)}")
        raise InputError(f"--to {form}: no such format", hint)
    return form


def _bundle(timeline: Timeline, output: str, inputs: list[str], baked: tuple[str, ...], *, force: bool) -> Exported:
    from backbeat.exchange.otioz import save

    check(output, force=force, inputs=inputs)
    return Exported("otioz", (output,), save(timeline, output), baked)


def _write(papers: dict[str, bytes], base: Path, output: str, inputs: list[str], *, force: bool) -> tuple[str, ...]:
    """Write all papers or none; one that has no ending but its suffix takes the name that was asked for."""
    suffix = Path(output).suffix.lower()
    stem = base.with_suffix("") if suffix and base.suffix.lower() in {Path(e).suffix for e in papers} else base
    paths = [f"{stem}{ending}" for ending in papers]
    if suffix in SUFFIXES and next(iter(papers)).count(".") == 1:
        paths[0] = output
    for path in paths:
        check(path, force=force, inputs=inputs)
    for path, body in zip(paths, papers.values(), strict=True):
        with placed(path) as temporary:
            Path(temporary).write_bytes(body)
    return tuple(paths)
