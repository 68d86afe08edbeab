# SPDX-License-Identifier: Apache-2.0
"""The whole way, judged from outside: a barcoded shoot and a song with known beats in, the film read back.

Nothing of the program's own measuring is believed here: pictures are read by their codes, sound by correlation with
the song as it was synthesised, beats and hits from what was written.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.exchange import otio
from backbeat.model.timeline import Timeline
from kit import coded
from kit.door import backbeat

BPM, SECONDS, FIRST = 126.0, 44.0, 0.37


@dataclass(frozen=True)
class Judged:
    """One film, what the program said of it, and the truth."""

    said: Mapping[str, Any]
    timeline: Timeline
    film: coded.Film
    path: Path
    takes: Mapping[str, coded.Coded]

    @property
    def ids(self) -> dict[str, int]:
        """Take ids by path."""
        return {path: take.take for path, take in self.takes.items()}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Cut twelve takes (three of another rate, four with a source cut inside) of about three hits each to a song."""
    place = tmp_path_factory.mktemp("judged")
    rng = np.random.default_rng(11)
    takes = {}
    for i in range(12):
        rate = Fraction(30) if i % 4 == 3 else Fraction(24)
        frames = int(rng.integers(5, 8)) * int(rate)
        hits = sorted(float(rng.uniform(k + 0.3, k + 1.6)) * frames / float(rate) / 5.5 for k in (0, 2, 4))
        cuts = (frames // 2,) if i % 3 == 1 else ()
        path = place / "shoot" / f"take {i}.mp4"
        path.parent.mkdir(exist_ok=True)
        takes[str(path)] = coded.write_take(path, 100 + i, frames=frames, rate=rate, hits=hits, cuts=cuts)
    coded.write_song(place / "song.wav", BPM, SECONDS, first=FIRST)
    film = place / "film.mp4"
    said = backbeat("cut", place / "shoot", place / "song.wav", "-o", film, "--json", "--progress", "none")
    assert said.code == 0, said.talk
    return Judged(said.json, otio.load(str(place / "film.otio")), coded.read_film(film), film, takes)


def test_every_picture_is_the_planned_one(judged: Judged) -> None:
    expected = coded.expected_codes(judged.timeline, judged.ids)
    wrong = [(n, a, b) for n, (a, b) in enumerate(zip(judged.film.codes, expected, strict=True)) if a != b]
    assert not wrong, wrong[:5]
    times = np.arange(len(expected)) / float(judged.timeline.rate)
    assert np.allclose(judged.film.times, times, atol=1.1e-3)


def test_every_planned_cut_is_on_its_frame(judged: Judged) -> None:
    codes, ids = judged.film.codes, judged.ids
    clips = judged.timeline.tracks[0].clips
    assert len(clips) >= 10
    for before, clip in itertools.pairwise(clips):
        assert codes[clip.start - 1] == (ids[before.take], before.source_frame(before.frames - 1, judged.timeline.rate))
        assert codes[clip.start] == (ids[clip.take], clip.source_in)


def test_no_source_picture_is_shown_twice(judged: Judged) -> None:
    """Among takes of the film's own rate; a 30 fps take in a 24 fps film skips pictures and repeats none either."""
    assert len(set(judged.film.codes)) == len(judged.film.codes)


def test_no_source_cut_is_shown(judged: Judged) -> None:
    shown = 0
    for clip in judged.timeline.tracks[0].clips:
        first, last = clip.source_span(judged.timeline.rate)
        shown += sum(first < cut < last for cut in judged.takes[clip.take].cuts)
    assert shown == 0


def test_cuts_fall_on_true_beats(judged: Judged) -> None:
    """Within one frame (and 40 ms) of a beat as it was synthesised, with hardly any bias."""
    rate = float(judged.timeline.rate)
    beats = np.array(coded.song_beats(BPM, SECONDS, first=FIRST)) - judged.said["song_in"]
    cuts = np.array([clip.start / rate for clip in judged.timeline.tracks[0].clips[1:]])
    error = (cuts[:, None] - beats)[np.arange(cuts.size), np.abs(cuts[:, None] - beats).argmin(axis=1)]
    assert np.mean(np.abs(error) <= 0.0417) >= 0.95, error
    assert abs(np.median(error)) < 0.012
    assert judged.said["metrics"]["cut_on_beat"] >= 0.95
    assert judged.said["metrics"]["cut_chance"] < 0.6


def test_strong_hits_fall_on_true_beats(judged: Judged) -> None:
    rate = float(judged.timeline.rate)
    beats = np.array(coded.song_beats(BPM, SECONDS, first=FIRST)) - judged.said["song_in"]
    seen = []
    for clip in judged.timeline.tracks[0].clips:
        take = judged.takes[clip.take]
        first, last = clip.source_span(judged.timeline.rate)
        for hit in take.hits:
            frame = hit * float(take.rate)
            if first <= frame < last - 1:
                seen.append(clip.start / rate + (frame - clip.source_in) / float(take.rate))
    assert len(seen) >= 10
    near = [bool(np.abs(beats - time).min() <= 1 / rate) for time in seen]
    chance = 2 / rate / (60 / BPM)
    assert np.mean(near) >= 0.6, (np.mean(near), chance)


def test_sound_and_picture_stay_together(judged: Judged) -> None:
    """The song's sound at both ends, against the song as it was synthesised, in film time."""
    heard = coded.read_samples(judged.path)
    song = coded.song_sound(BPM, SECONDS, first=FIRST).mean(axis=0)
    begin = round(judged.said["song_in"] * coded.RATE)
    length = judged.timeline.duration
    assert abs(heard.size / coded.RATE - length) < 1024 / coded.RATE + 1e-3
    for at in (0.0, length / 2, length - 5.0):
        i = round(at * coded.RATE)
        late, sure = coded.lag(heard[i : i + 4 * coded.RATE], song[begin + i : begin + i + 4 * coded.RATE])
        assert sure > 0.5
        assert abs(late) < 1e-3, (at, late)


def test_production_sound_sits_under_its_picture(judged: Judged) -> None:
    """What is left of the film's sound without the song: each burst lies where its picture flashes."""
    heard = coded.read_samples(judged.path)
    song = coded.song_sound(BPM, SECONDS, first=FIRST).mean(axis=0)
    rate, n = float(judged.timeline.rate), round(0.25 * coded.RATE)
    begin, checked = round(judged.said["song_in"] * coded.RATE), 0
    for clip in judged.timeline.tracks[0].clips:
        take = judged.takes[clip.take]
        for hit in take.hits:
            offset = hit - clip.source_in / float(take.rate)
            if clip.speed.factor != 1 or not 0.15 < offset < clip.frames / rate - 0.2:
                continue
            i = round((clip.start / rate + offset - 0.05) * coded.RATE)
            music = song[begin + i : begin + i + n]
            rest = heard[i : i + n] - music * (heard[i : i + n] @ music) / (music @ music)
            whole = coded.take_sound(take.take, float(take.frames / take.rate), take.hits)[0]
            j = round((hit - 0.05) * coded.RATE)
            late, sure = coded.lag(rest, whole[j : j + n], reach=0.08)
            assert sure > 0.3
            assert abs(late) < 1e-3 + 0.5 / rate
            checked += 1
    assert checked >= 5


def test_a_second_run_does_no_analysis_again_and_decides_the_same(judged: Judged, tmp_path: Path) -> None:
    folder, song = judged.path.parent / "shoot", judged.path.parent / "song.wav"
    said = backbeat("cut", folder, song, "-o", tmp_path / "again.mp4", "--dry-run", "--json", "--progress", "none")
    assert said.code == 0, said.talk
    assert said.json["clips"] == judged.said["clips"]
    first, again = (sum(x["timings"][step] for step in ("listen", "watch")) for x in (judged.said, said.json))
    assert again < first / 20, (first, again)
    assert not list(tmp_path.iterdir()), "a dry run makes nothing"
