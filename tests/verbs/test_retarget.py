# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import scipy.signal

from backbeat.decide.retarget import Event
from backbeat.errors import InputError
from backbeat.make.retarget import cue_samples
from backbeat.media.samples import Sound
from backbeat.model.song import Beat, Song
from backbeat.verbs import retarget, retarget_ground
from kit.coded import song_beats, song_sound
from kit.shared import SHARED, needs_shared

RATE = 48_000


def known(bpm: float = 100.0, seconds: float = 60.0) -> tuple[Song, Sound]:
    beats = tuple(Beat(t, i % 4 + 1, 1.0 if i % 4 == 0 else 0.5) for i, t in enumerate(song_beats(bpm, seconds)))
    return Song("song.wav", seconds, beats, tempo=bpm), Sound(song_sound(bpm, seconds), RATE)


@pytest.fixture(scope="module")
def ground():
    song, sound = known()
    return retarget_ground.prepare(song, sound)


def hats(samples: np.ndarray) -> np.ndarray:
    """Times of the attacks above 6 kHz, which fall on every half beat, to the half millisecond."""
    high = scipy.signal.sosfiltfilt(scipy.signal.butter(4, 6000, "hp", fs=RATE, output="sos"), samples[0])
    level = (
        np.abs(high).reshape(-1, 24).max(1)
        if high.size % 24 == 0
        else np.abs(high[: -(high.size % 24)]).reshape(-1, 24).max(1)
    )
    peak = np.maximum.reduce([np.roll(level, -k) for k in range(8)])
    before = np.maximum.reduce([np.roll(level, k) for k in range(1, 40)])
    hot = np.flatnonzero((level > 0.35 * peak) & (level > 3 * before) & (peak > 0.1 * level.max()))
    return hot[np.insert(np.diff(hot) > 40, 0, True)] * 24 / RATE


@pytest.mark.parametrize("length", [25.0, 41.3, 60.0, 92.0])
def test_the_length_is_exact_and_the_beat_goes_on_through_every_seam(ground, length) -> None:
    made = retarget.fit(ground, length)
    out = cue_samples(ground.sound, made.cue)
    assert out.shape[1] == round(length * RATE)
    assert len(made.seams) <= 4
    period = 0.3 / made.ratio
    beats = hats(out)
    for seam in made.seams:
        assert seam.bars == int(seam.bars)
        assert abs(seam.off_grid_ms) <= 6
        near = beats[np.abs(beats - seam.at) < 2.5]
        phase = (near - seam.at + period / 2) % period - period / 2
        assert len(near) >= 6
        assert np.ptp(phase) < 0.010


def test_the_true_ending_is_kept(ground) -> None:
    made = retarget.fit(ground, 30.0)
    assert made.ending == "true"
    out = cue_samples(ground.sound, made.cue)
    last = np.flatnonzero(np.abs(out[0]) > 0.05 * np.abs(out).max())[-1] / RATE
    assert last > 28.0
    if made.ratio == 1:  # what sounds a second and a half before the end is in the song's last six seconds
        heard = out[0, round(28.0 * RATE) : round(28.5 * RATE)]
        song = ground.sound.samples[0, -6 * RATE :]
        alike = scipy.signal.correlate(song, heard, "valid") / (np.linalg.norm(heard) ** 2)
        assert alike.max() > 0.9


def test_a_ring_out_can_be_asked_for(ground) -> None:
    made = retarget.fit(ground, 33.0, ending="ring-out")
    assert made.ending == "ring-out"
    assert made.cue.ring_out > 1
    assert made.ratio == pytest.approx(1)


def test_hits_of_the_picture_meet_strong_beats(ground) -> None:
    made = retarget.fit(ground, 45.0, hits=[Event(14.2), Event(31.7)])
    assert made.hits == ((14.2, 14.2), (31.7, 31.7))
    assert made.largest_local_stretch <= 0.02
    beats = hats(cue_samples(ground.sound, made.cue))
    for t in (14.2, 31.7):
        assert np.abs(beats - t).min() < 0.015


def test_a_song_without_beats_says_so() -> None:
    with pytest.raises(InputError, match="too few to join on"):
        retarget_ground.prepare(Song("x.wav", 10.0, ()), Sound(np.zeros((2, 480_000), np.float32), RATE))


@needs_shared
def test_a_real_song_meets_every_length() -> None:
    name = SHARED / "media" / "songs" / "fnf_senpai"
    rows = [line.split() for line in name.with_suffix(".beats").read_text().splitlines()]
    beats = tuple(Beat(float(t), int(float(p)), 0.5) for t, p in rows)
    ground = retarget_ground.prepare(Song(str(name.with_suffix(".ogg")), 98.3, beats))
    for length in (45.0, 90.0, 150.0):
        made = retarget.fit(ground, length)
        assert made.clean
        assert cue_samples(ground.sound, made.cue).shape[1] == round(length * RATE)


@pytest.mark.parametrize("length", [4.0, 7.3, 12.9])
def test_short_lengths_ring_out_rather_than_drag(ground, length):
    made = retarget.fit(ground, length)
    assert abs(made.ratio - 1) <= 0.02
    assert cue_samples(ground.sound, made.cue).shape[1] == round(length * RATE)
