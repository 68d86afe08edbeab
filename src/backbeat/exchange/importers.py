# SPDX-License-Identifier: Apache-2.0
"""Read what another program wrote, whatever it is, as a `Timeline`."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from backbeat.errors import InputError
from backbeat.exchange.gather import gather
from backbeat.exchange.sheet import Sheet
from backbeat.exchange.timecode import DROP_RATES, relabelled
from backbeat.model.footage import Media
from backbeat.model.timeline import Clip, Timeline

SUFFIXES = (".otio", ".otioz", ".fcpxml", ".fcpxmld", ".xml", ".edl", ".mlt", ".kdenlive")


def read(path: str | Path, *more: str | Path, rate: Fraction | None = None, unpack: Path | None = None) -> Timeline:
    """Return the edit in `path`; XML is known by its root element, the rest by its suffix.

    Parameters
    ----------
    path
        The file; an ``.fcpxmld`` bundle is a folder.
    *more
        Further EDLs of the same film: one list holds one track.
    rate
        Frames a second of an EDL, which names none.
    unpack
        Folder for the media of an ``.otioz``.

    Raises
    ------
    InputError
        If the file is missing, damaged, hostile or of no known kind.
    """
    from backbeat.exchange import otio, otioz, read_fcp7, read_fcpxml, read_mlt, xmlio

    path = Path(path)
    if path.is_dir() and (path / "Info.fcpxml").is_file():
        path /= "Info.fcpxml"
    if not path.is_file():
        raise InputError(f"{path}: no such file", "check the name")
    suffix = path.suffix.lower()
    if suffix == ".otio":
        return otio.load(path)
    if suffix == ".otioz":
        return otioz.unpack(path, unpack or path.with_suffix(".media"))
    if suffix == ".edl":
        return gather(_lists([path, *(Path(m) for m in more)], rate))
    if more:
        raise InputError(f"{more[0]}: one edit at a time", "only EDLs of one film, a list a track, are read together")
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: no edit that can be read", f"give {', '.join(SUFFIXES)}")
    root = xmlio.read(path)
    readers = {"fcpxml": read_fcpxml.read_fcpxml, "xmeml": read_fcp7.read_fcp7, "mlt": read_mlt.read_mlt}
    if root.tag not in readers:
        raise InputError(f"{path}: XML of an unknown kind ({root.tag})", "give FCPXML, FCP 7 XML, MLT or Kdenlive")
    try:
        return gather(readers[root.tag](root, path))
    except (ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError) as error:
        raise InputError(f"{path}: damaged ({error!r})", "export it again from the program that made it") from error


def _lists(paths: list[Path], rate: Fraction | None) -> Sheet:
    """Return several lists as one sheet, on the first one's clock."""
    from backbeat.exchange.read_edl import read_edl

    first = read_edl(paths[0], rate)
    lanes = list(first.lanes)
    for path in paths[1:]:
        other = read_edl(path, first.rate)
        shift = other.start - first.start
        for lane in other.lanes:
            events = tuple(replace(e, start=e.start + shift) for e in lane.events)
            spare = path.name.endswith(".alternates.edl")
            if spare:
                events = tuple(replace(e, enabled=False) for e in events)
            lanes.append(replace(lane, kind="alternates" if spare else lane.kind, events=events))
    # One file has one length and one clock, whichever list tells of it first.
    known = {s.path: s for s in reversed([e.source for x in lanes for e in x.events if e.source])}
    lanes = [
        replace(x, events=tuple(replace(e, source=known[e.source.path]) if e.source else e for e in x.events))
        for x in lanes
    ]
    return replace(first, lanes=tuple(lanes))


def settled(timeline: Timeline, facts: dict[str, Media]) -> Timeline:
    """Return `timeline` with the true facts of its media, and source positions that the paper could not know.

    A paper without the file's length (an EDL) counts source frames by timecode; these become frames of the file. One
    that counts in its own rate (MLT) is turned to the file's.
    """
    told = {m.path: m for m in timeline.takes}

    def frame(take: str, source_in: int, rate: Fraction) -> int:
        true, paper = facts[take], told.get(take)
        there = -1
        if (paper is None or not paper.frames) and true.start_timecode is not None:
            there = relabelled(source_in, rate, true.rate, drop=true.rate in DROP_RATES) - true.start_timecode
        return there if there >= 0 else round(Fraction(source_in) / rate * true.rate)

    def clip(c: Clip) -> Clip:
        others = tuple(
            replace(a, source_in=frame(a.take, a.source_in, told[a.take].rate if a.take in told else c.source_rate))
            if a.take in facts
            else a
            for a in c.alternates
        )
        if c.take not in facts:
            return replace(c, alternates=others)
        there = frame(c.take, c.source_in, c.source_rate)
        return replace(c, source_in=there, source_rate=facts[c.take].rate, alternates=others)

    tracks = tuple(replace(t, clips=tuple(clip(c) for c in t.clips)) for t in timeline.tracks)
    known = {m.path for m in timeline.takes}
    takes = tuple(facts.get(m.path, m) for m in timeline.takes)
    takes += tuple(m for p, m in facts.items() if p not in known)
    size = {}
    if facts and not any(m.width for m in timeline.takes):
        first = next(iter(facts.values()))
        size = {"width": first.width, "height": first.height}
    return replace(timeline, tracks=tracks, takes=takes, **size)  # type: ignore[arg-type]
