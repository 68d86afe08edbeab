# SPDX-License-Identifier: Apache-2.0
"""The sample shoot and song are what their truth says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backbeat.make.sample import foley, paint, shoot, song
from backbeat.media.probe import probe
from backbeat.media.samples import read_sound


def test_a_take_is_written_with_its_sound_where_the_truth_says(tmp_path: Path) -> None:
    whole = shoot.SHOOT[9]
    take = shoot.Sample("short", (shoot.Setup("street", 2.0, ((1.25, "impact"),)),), whole.seed)
    path = shoot.write((take, str(tmp_path / "short.mp4")))
    assert [p.name for p in tmp_path.iterdir()] == ["short.mp4"], "nothing else is left behind"
    media = probe(path)
    assert (media.rate, media.frames, media.width, media.height) == (24, 48, 640, 360)
    sound = read_sound(path, channels=1)
    level = np.abs(sound.samples[0])
    at = round(1.25 * 48_000)
    assert level[at : at + 2400].max() > 3 * level[at - 4800 : at - 240].max()


@pytest.mark.parametrize("name", sorted(shoot.BUILDERS))
def test_every_set_up_draws_something_that_moves(name: str) -> None:
    hits = [0.5, 1.0]
    draw = shoot.BUILDERS[name](paint.DUSK, 3, hits)
    shown = []
    for time in (0.1, 0.3, 0.52):
        canvas = np.zeros((paint.HEIGHT, paint.WIDTH, 3), np.uint8)
        draw(canvas, time)
        shown.append(canvas)
    assert all(picture.std() > 10 for picture in shown)
    assert np.abs(shown[0].astype(int) - shown[1]).mean() > 0.15
    again = np.zeros_like(shown[0])
    draw(again, 0.3)
    assert np.array_equal(again, shown[1]), "a pure function of the time"


def test_the_truth_of_the_shoot_is_whole() -> None:
    assert len({take.name for take in shoot.SHOOT}) == len(shoot.SHOOT) == 12
    assert sum(take.seconds for take in shoot.SHOOT) > 1.5 * song.SECONDS
    assert any(take.cuts for take in shoot.SHOOT)
    for take in shoot.SHOOT:
        assert all(0 < time < take.seconds for time, _ in take.hits)


def test_a_blow_begins_on_its_sample() -> None:
    quiet = foley.production(2.0, [], 4, ambience="street")
    loud = foley.production(2.0, [(1.0, "slam")], 4, ambience="street")
    changed = np.flatnonzero(np.abs(loud - quiet) > 1e-6)
    assert 48_000 <= changed[0] <= 48_010


def test_the_song_has_an_arrangement_and_a_true_ending(tmp_path: Path) -> None:
    piece = song.write(str(tmp_path / "song.wav"))
    assert 60 < song.SECONDS < 75
    assert np.abs(piece.samples).max() < 1
    assert np.abs(piece.samples[:, -480:]).max() < 1e-3
    sound = read_sound(str(tmp_path / "song.wav"))
    assert sound.samples.shape == piece.samples.shape
    level = {role: 0.0 for _, role in piece.sections}
    for start, role in piece.sections:
        i = round(start * song.RATE)
        level[role] = float(np.sqrt(np.mean(piece.samples[:, i : i + 3 * song.RATE] ** 2)))
    assert level["drop"] > level["verse"] > level["intro"] > level["break"]
    assert piece.beats[0] == (song.FIRST, 1)
    assert np.allclose(np.diff([time for time, _ in piece.beats]), song.BEAT)
