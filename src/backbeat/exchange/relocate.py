# SPDX-License-Identifier: Apache-2.0
"""Media that has moved: the same timeline with other paths."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from backbeat.model.timeline import Clip, Timeline


def paths_of(timeline: Timeline) -> list[str]:
    """Return every media path that `timeline` names, once, in order of use."""
    clips = [c for t in timeline.tracks for c in t.clips]
    return [
        p
        for p in dict.fromkeys([
            *(c.take for c in clips), *(c.path for c in timeline.cues), *(m.path for m in timeline.takes),
            *(a.take for c in clips for a in c.alternates),
        ])
        if p
    ]  # fmt: skip


def moved(timeline: Timeline, path: Callable[[str], str]) -> Timeline:
    """Return `timeline` with every media path sent through `path`."""

    def clip(c: Clip) -> Clip:
        return replace(
            c,
            take=path(c.take) if c.take else "",
            alternates=tuple(replace(a, take=path(a.take)) for a in c.alternates),
        )

    return replace(
        timeline,
        tracks=tuple(replace(t, clips=tuple(clip(c) for c in t.clips)) for t in timeline.tracks),
        cues=tuple(replace(c, path=path(c.path)) for c in timeline.cues),
        takes=tuple(replace(m, path=path(m.path)) for m in timeline.takes),
    )


def nearer(kept: str, named: str) -> str:
    """Return which of two names of one file to believe.

    `kept` is the path as first given, `named` what the URL beside it means from where the paper lies now. The URL
    wins where the two are different files, or only it exists.
    """
    here, there = Path(kept).exists(), Path(named).exists()
    if there and not (here and os.path.samefile(kept, named)):  # noqa: PTH121
        return named
    return kept
