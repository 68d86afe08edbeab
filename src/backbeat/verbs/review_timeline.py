# SPDX-License-Identifier: Apache-2.0
"""Whether a film shows what its timeline says, and who is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import BackbeatError
from backbeat.model.film import Film
from backbeat.model.time import clock
from backbeat.model.timeline import Timeline
from backbeat.verbs.session import Session


@dataclass(frozen=True, slots=True)
class Compared:
    """`differences` are sentences; `offset` (s) of the sound, to be added to it, None where it was not measured."""

    differences: tuple[str, ...]
    offset: float | None = None
    notes: tuple[str, ...] = ()


def against_timeline(path: str, film: Film, timeline: Timeline, session: Session) -> Compared:
    """Compare the film with its timeline: frame by frame where the footage is there, by its cuts elsewhere."""
    missing = [m.path for m in timeline.takes if not Path(m.path).exists()]
    if not missing:
        from backbeat.make.check import check

        session.progress.start("checking against the timeline", 0)
        try:
            checked = check(path, timeline)
        except BackbeatError as error:
            return Compared(_by_cuts(film, timeline), notes=(error.message,))
        finally:
            session.progress.stop()
        late = checked.audio_start_ms
        return Compared(checked.differences, None if late is None else -late / 1000)
    note = f"{len(missing)} files of the timeline are not here, so it is compared by its cuts alone"
    return Compared(_by_cuts(film, timeline), notes=(note,))


def _by_cuts(film: Film, timeline: Timeline) -> tuple[str, ...]:
    found: list[str] = []
    if film.rate != timeline.rate:
        return (f"the film has {float(film.rate):.3f} frames a second, the timeline {float(timeline.rate):.3f}",)
    if film.frames != timeline.frames:
        found.append(f"the film has {film.frames} frames instead of {timeline.frames}")
    planned = sorted(
        {
            c.start
            for t in timeline.tracks
            if t.kind == "picture" and t.enabled
            for c in t.clips
            if 0 < c.start < film.frames
        }
    )
    for cut in planned:
        near = min(film.cuts, key=lambda c: abs(c - cut), default=None)
        if near is not None and 0 < abs(near - cut) <= 4:
            found.append(f"the cut at {clock(float(cut / timeline.rate))} is {near - cut:+d} frames off")
    return tuple(found)


def character_shares(timeline: Timeline) -> dict[str, float]:
    """Return each character's share of the run-time: from the logs beside the footage, and the clips' own tags.

    Nothing is decoded for it. A clip's tag is its metadata ``characters``, parted by commas.
    """
    from backbeat.verbs.watch import read_logs
    from backbeat.watch.logs import entry_for

    paths = [m.path for m in timeline.takes if Path(m.path).exists()]
    logs = read_logs(paths)
    logged = {p: entry_for(p, logs).characters for p in paths}
    frames: Counter[str] = Counter()
    for track in timeline.tracks:
        for clip in track.clips if track.kind == "picture" and track.enabled else ():
            names = {n.strip() for k, v in clip.metadata if k == "characters" for n in v.split(",") if n.strip()}
            frames.update(dict.fromkeys(names.union(logged.get(clip.take, ())), clip.frames))
    return {name: count / max(1, timeline.frames) for name, count in frames.items()}
