# SPDX-License-Identifier: Apache-2.0
"""How long each paper takes for an edit of 2,000 clips, written and read back.

    uv run python benchmarks/export.py [CLIPS]

CPU seconds of this process; the ratio is to saving the same edit as film.otio.
"""

from __future__ import annotations

import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from backbeat.exchange import exporters
from backbeat.exchange.importers import read
from backbeat.model.cue import Cue, Duck
from backbeat.model.footage import Media
from backbeat.model.time import Span
from backbeat.model.timeline import Alternate, Clip, Marker, Speed, Timeline, Track, Transition

FORMATS = ("otio", "fcpxml", "premiere", "resolve", "edl", "mlt", "kdenlive", "markers", "midi")


def edit(count: int) -> Timeline:
    """An edit of `count` clips of a second each: every third retimed, every twentieth dissolved, all with sound."""
    rate = Fraction(24)
    takes = tuple(
        Media(f"/films/ü/take {i:03d}.mov", rate, 3000, 1920, 1080, has_sound=True, channels=2, start_timecode=86_400)
        for i in range(200)
    )
    speeds = (Speed(), Speed(0.9), Speed(1.0, ((0.0, 0.0), (0.5, 0.4), (1.0, 1.0))))
    clips = tuple(
        Clip(
            24 * i, 24, takes[i % 200].path, 100 + 7 * (i % 300), rate, speeds[i % 3 if i % 2 else 0], name=f"clip {i}",
            sound_gain_db=-3.0, reason="hit on the downbeat; pace of the chorus", hits=(i + 0.5,),
            alternates=(Alternate(takes[(i + 1) % 200].path, 0, 200, 0.1),),
        )
        for i in range(count)
    )  # fmt: skip
    dissolves = tuple(Transition(24 * i, 4, 4) for i in range(20, count, 20))
    marks = [
        Marker(0.5 * k, "downbeat" if k % 4 == 0 else "beat", f"{k // 4 + 1}.{k % 4 + 1}") for k in range(2 * count)
    ]
    marks += [Marker(30.0 * k, "section", "ABAC"[k % 4], 30.0) for k in range(count // 30)]
    cues = tuple(
        Cue(f"/films/song {k}.wav", 180.0 * k, min(180.0 * (k + 1), count), 5.0, -3.0,
            ducks=tuple(Duck(Span(180.0 * k + 10 * j, 180.0 * k + 10 * j + 4), -9.0) for j in range(17)))
        for k in range(-(-count // 180))
    )  # fmt: skip
    track = Track(clips, name="V1", transitions=dissolves)
    return Timeline("long", rate, 1920, 1080, 24 * count, (track,), cues=cues, markers=tuple(marks), takes=takes,
                    start_timecode=86_400)  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    timeline = edit(count)
    exporters.otio(edit(10), Path("/films"))  # imports are not counted
    base = 0.0
    print("| paper | write, CPU s | × film.otio | MB | read, CPU s |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            start = time.process_time()
            papers = getattr(exporters, form)(timeline, Path("/films"))
            wrote = time.process_time() - start
            base = base or wrote
            paths = []
            for ending, body in papers.items():
                paths.append(Path(folder) / f"film-{form}{ending}")
                paths[-1].write_bytes(body)
            told = "–"
            if form not in {"markers", "midi"}:
                start = time.process_time()
                back = read(*paths, rate=timeline.rate)
                told = f"{time.process_time() - start:.2f}"
                assert sum(len(t.clips) for t in back.tracks if t.kind == "picture") >= count, form
            size = sum(len(b) for b in papers.values()) / 1e6
            print(f"| `{form}` | {wrote:.2f} | {wrote / base:.2f} | {size:.1f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
