# SPDX-License-Identifier: Apache-2.0
"""Section boundaries against LMMS projects, whose tracks tell exactly where the music changes.

    OPENBLAS_NUM_THREADS=1 uv run --group bench python benchmarks/sections.py DEMOS [FOLDER]

DEMOS is ``/usr/share/lmms/projects`` of Debian's lmms-common; FOLDER as for ear.py. The truth: bars where at least a
third of the tracks that sound on either side start or stop. F is mir_eval's boundary F, ends trimmed, within 0.5
and 3 s.
"""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from backbeat.listen import energy, harmony, sections, spectrum
from backbeat.listen.tracker import OwnTracker
from backbeat.media.samples import read_sound


def changes(path: Path) -> list[int]:
    """Return the bars at which the arrangement of a project changes."""
    data = path.read_bytes()
    project = ET.fromstring(zlib.decompress(data[4:]) if path.suffix == ".mmpz" else data)  # noqa: S314
    head = project.find("head")
    bar = 192 * int(head.get("timesig_numerator", 4)) // int(head.get("timesig_denominator", 4))
    tracks = []
    for track in project.find("song").find("trackcontainer").findall("track"):
        spans = []
        for clip in [c for c in track if c.tag in {"pattern", "bbtco", "sampletco"} and c.get("muted") != "1"]:
            start, length = int(clip.get("pos", 0)), int(clip.get("len", 0) or 0)
            if clip.tag == "pattern":
                ends = [int(n.get("pos")) + max(int(n.get("len")), 1) for n in clip.findall("note")]
                if not ends:
                    continue
                length = max(length, int(np.ceil(max(ends) / bar)) * bar)
            spans.append((start // bar, int(np.ceil((start + length) / bar))))
        if spans and track.get("muted") != "1":
            tracks.append(spans)
    table = np.zeros((len(tracks), max(b for spans in tracks for _, b in spans)), bool)
    for row, spans in zip(table, tracks, strict=True):
        for a, b in spans:
            row[a:b] = True
    before, after = table[:, :-1], table[:, 1:]
    share = (before != after).sum(0) / np.maximum((before | after).sum(0), 1)
    return [int(k) for k in 1 + np.flatnonzero(share >= 1 / 3)]


def main() -> None:
    import mir_eval.segment as m

    demos = {p.stem.lower().replace("-", "_"): p for p in Path(sys.argv[1]).rglob("*.mmp*")}
    default = Path(__file__).parents[2] / "shared" / "media" / "songs"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else default
    rows = []
    for song in sorted(folder.glob("lmms_*.beats")):
        project = demos.get(song.stem[5:])
        truth = np.loadtxt(song, ndmin=2)
        downs = truth[truth[:, 1] == 1, 0]
        bars = [k for k in changes(project) if k < len(downs)] if project else []
        if len(bars) < 3:
            continue
        mono = read_sound(str(song.with_suffix(".ogg")), rate=spectrum.RATE, channels=1).samples[0]
        end = len(mono) / spectrum.RATE
        look = spectrum.look(mono)
        grid = OwnTracker().track(look)
        heard = look.mel, harmony.chroma(mono), energy.curve(look.mel)
        true = np.unique([0, *downs[bars], end])
        found = {
            "every 8 bars": np.unique([0, *grid.times[grid.positions == 1][::8], end]),
            "own bars": np.unique(
                [s.start for s in sections.find(grid.times[grid.positions == 1], *heard, end)] + [end]
            ),
            "true bars": np.unique([s.start for s in sections.find(downs, *heard, end)] + [end]),
        }
        spans = np.c_[true[:-1], true[1:]]
        row = [
            m.detection(spans, np.c_[f[:-1], f[1:]], window=w, trim=True)[2] for f in found.values() for w in (0.5, 3)
        ]
        rows.append(row)
        print(f"{song.stem:46}", " ".join(f"{v:.2f}" for v in row), flush=True)
    print("\n| boundaries | F ±0.5 s | F ±3 s |\n|---|---|---|")
    for k, name in enumerate(("every 8 bars", "own bars", "true bars")):
        print(f"| {name} | {np.mean(rows, 0)[2 * k]:.2f} | {np.mean(rows, 0)[2 * k + 1]:.2f} |")
    print(f"\n{len(rows)} projects")


if __name__ == "__main__":
    main()
