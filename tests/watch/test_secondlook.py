# SPDX-License-Identifier: Apache-2.0
"""Flashes that jerk the picture are no cuts; cuts under a large still overlay are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backbeat.media.probe import probe_times
from backbeat.media.scan import Scan
from backbeat.watch.eye import Eye
from backbeat.watch.shots import detect
from kit import coded


def cuts_of(path: Path) -> list[int]:
    """Return the first pictures after each change of shot that is found."""
    media, times = probe_times(str(path))
    eye, thumbs, smalls = Eye(), [], []
    for picture in Scan(media, times):
        eye.see(picture)
        thumbs.append(picture.thumb)
        smalls.append(eye.small)
    return [b.start for b in detect(thumbs, smalls, eye.sight().novelty.tolist()) if b.kind != "refused"]


def test_flashes_and_cuts_of_a_barcoded_take(tmp_path: Path) -> None:
    draw = np.random.default_rng(9)
    cuts = [int(c) for c in np.cumsum(draw.uniform(0.5, 1.7, 5)) * 50]
    hits = [float(h) for h in np.sort(draw.uniform(0.3, 6.5, 4))]
    coded.write_take(tmp_path / "a.mp4", 9, frames=350, rate=50, size=(160, 90), hits=hits, cuts=cuts, sound=None)
    assert cuts_of(tmp_path / "a.mp4") == cuts
