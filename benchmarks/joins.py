# SPDX-License-Identifier: Apache-2.0
"""Which songs can follow which, and how: every ordered pair of a library as two scenes of about forty seconds.

    python benchmarks/joins.py [SONGS] [--only PREFIX,PREFIX]

SONGS (default ../shared/media/songs) holds NAME.ogg. Told: how often each join is chosen, why pairs are no blends, and
for each pair whose tempi, keys and singing would allow a blend: the flam that was measured and, where it is blended,
how far the loudness of any second of the overlap leaves the straight line from before to after it (LU).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np

from backbeat.decide.arrange import entry, phrase_end
from backbeat.decide.heard import heard
from backbeat.decide.joins import choose, unblendable
from backbeat.model.cue import Cue
from backbeat.model.project import ScenePlan
from backbeat.model.song import Song
from backbeat.model.timeline import Timeline
from backbeat.verbs import listen, make_joins
from backbeat.verbs.make_joins import Placed
from backbeat.verbs.make_scene import LEAD, SceneCut
from backbeat.verbs.session import Session
from backbeat.work.progress import Lines

RATE = Fraction(24)


def scene(song: Song, start: float) -> Placed:
    """Return a scene of about forty seconds of the beginning of a song, on a phrase."""
    into = entry(song, first=start == 0)
    end = phrase_end(song, into, 40.0, 60.0)
    frames = max(1, round((end - into) * RATE))
    stretch = (end - into) / float(frames / RATE)
    lead = LEAD if start else 0.0
    cue = Cue(song.path, -lead, float(frames / RATE), into - lead * stretch, -18 - song.loudness, stretch)
    line = Timeline("scene", RATE, 160, 90, frames, ())
    return Placed(SceneCut("scene", line, cue, heard(song, cue), True, "downbeat"), ScenePlan("scene"), song, start)


def leaves(new: Placed, first: Cue, second: Cue) -> tuple[float, float]:
    """Return how far (LU) the seconds of a blend leave the line from before to after it, low and high."""
    edge, length = new.start, first.end - new.start
    total = np.zeros((2, round((length + 8) * 48_000)), np.float32)
    for cue in (first, second):
        a, z = max(cue.start, edge - 4), min(cue.end, edge + length + 4)
        sound = make_joins.sound_of(cue, a, z - a)
        at = round((a - edge + 4) * 48_000)
        times = edge - 4 + (at + np.arange(sound.shape[1])) / 48_000
        keys = cue.gain_keys or ((0.0, 0.0),)
        sound = sound * 10 ** (np.interp(times, [k[0] for k in keys], [k[1] for k in keys]) / 20)
        sound = sound[:, : total.shape[1] - at]
        total[:, at : at + sound.shape[1]] += sound.astype(np.float32)
    power = 10 ** (np.array(make_joins.levels_of(total, 1.0)) / 10)
    before, after = 10 * np.log10(power[:4].mean()), 10 * np.log10(power[-4:].mean())
    inside = 10 * np.log10(power[4:-4])
    line = before + (after - before) * (np.arange(len(inside)) + 0.5) / max(1, len(inside))
    return float((inside - line).min()), float((inside - line).max())


def main() -> None:
    """Judge every pair."""
    parser = argparse.ArgumentParser()
    parser.add_argument("songs", nargs="?", default="../shared/media/songs")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    wanted = tuple(p for p in options.only.split(",") if p) or ("",)
    paths = sorted(str(p) for p in Path(options.songs).glob("*.ogg") if p.name.startswith(wanted))
    songs = listen.songs(paths, Session(progress=Lines(sys.stderr, 30.0)))
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rows = []
    for one, other in permutations(songs, 2):
        old = scene(one, 0.0)
        new = scene(other, old.end)
        before, after = make_joins.side_of(old, old=True), make_joins.side_of(new, old=False)
        why, found = unblendable(before, after), None
        cues = make_joins.cue_of(old), make_joins.cue_of(new)
        if why:
            reasons["tempo" if "bpm" in why else why] += 1
        else:
            bars = choose(before, after, asked="blend", flam=0.0).bars
            found = make_joins.flam_of(old, new, *cues, bars)
        join = choose(before, after, flam=found[0] if found else None)
        kinds[join.kind] += 1
        if not why:
            off = leaves(new, *make_joins.made_of(old, new, *cues, join, found[1])) if join.kind == "blend" else None
            rows.append((one, other, before.tempo, after.tempo, found, join.kind, off))
    total = sum(kinds.values())
    print(f"{len(songs)} songs, {total} ordered pairs: {dict(kinds.most_common())}")
    print(f"no blend: {dict(reasons.most_common())}; {len(rows)} pairs measured")
    for one, other, a, b, found, kind, off in rows:
        flam = f"flam {1000 * found[0]:.0f} ms after {1000 * found[1]:+.0f} ms" if found else "flam unknown"
        loud = f", loudness {off[0]:+.1f}..{off[1]:+.1f} LU" if off else ""
        print(f"  {Path(one.path).stem} ({a:.0f}) -> {Path(other.path).stem} ({b:.0f}): {flam}, {kind}{loud}")


if __name__ == "__main__":
    main()
