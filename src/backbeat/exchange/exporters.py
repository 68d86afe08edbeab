# SPDX-License-Identifier: Apache-2.0
"""Our own exporters, as the entry points ``backbeat.exporters`` name them.

An exporter is a function of a timeline and the folder in which the papers will lie; it returns the papers by file name
ending, the main one first: ``{".edl": b"…", ".A1.edl": b"…"}``. Other packages may register theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from backbeat.errors import InputError
from backbeat.exchange.draw import draw
from backbeat.model.timeline import Timeline


class Exporter(Protocol):
    """What an entry point must be."""

    def __call__(self, timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
        """Return the papers of `timeline` by file name ending."""


def otio(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return OpenTimelineIO: the stored truth."""
    from backbeat.exchange.otio import to_bytes

    return {".otio": to_bytes(timeline, folder)}


def fcpxml(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return FCPXML 1.10 for Final Cut Pro and Resolve."""
    from backbeat.exchange.fcpxml import fcpxml as write

    del folder  # the programs want absolute URLs
    return {".fcpxml": write(draw(timeline))}


def premiere(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return FCP 7 XML as Premiere Pro wants it."""
    from backbeat.exchange.fcp7 import fcp7

    del folder
    return {".xml": fcp7(draw(timeline), flavour="premiere")}


def resolve(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return FCP 7 XML as DaVinci Resolve wants it."""
    from backbeat.exchange.fcp7 import fcp7

    del folder
    return {".xml": fcp7(draw(timeline), flavour="resolve")}


def edl(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return CMX 3600 lists."""
    from backbeat.exchange.edl import edl as write

    del folder
    return write(draw(timeline))


def kdenlive(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return a Kdenlive project."""
    from backbeat.exchange.kdenlive import kdenlive as write

    return {".kdenlive": write(draw(timeline), folder)}


def mlt(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return MLT XML for Shotcut and melt."""
    from backbeat.exchange.mlt import mlt as write

    return {".mlt": write(draw(timeline), folder)}


def aaf(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return an AAF with cuts only, through OpenTimelineIO's adapter."""
    from backbeat.exchange.aaf import aaf as write

    del folder
    return {".aaf": write(timeline)}


def markers(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return the markers for Premiere, Resolve, Audacity and YouTube."""
    from backbeat.exchange.marks import markers as write

    del folder
    return write(draw(timeline))


def midi(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return the tempo map."""
    from backbeat.exchange.midi import midi as write

    del folder
    return {".mid": write(draw(timeline))}


def srt(timeline: Timeline, folder: Path) -> Mapping[str, bytes]:
    """Return the titles as subtitles.

    Raises
    ------
    InputError
        If there are none.
    """
    from backbeat.exchange.marks import srt as write

    del folder
    body = write(draw(timeline))
    if not body:
        raise InputError(
            f"{timeline.name}: no titles to make subtitles of", "add titles to the edit, or use --to markers"
        )
    return {".srt": body}
