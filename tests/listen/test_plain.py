"""The second ear: plain, but not deaf."""

import numpy as np
import pytest
import soxr

from backbeat.listen.plain import RATE, PlainTracker
from backbeat.listen.spectrum import Look
from backbeat.listen.tracker import Grid
from backbeat.media.samples import read_sound
from kit import coded
from kit.shared import SHARED, needs_shared


def heard(sound: np.ndarray) -> Grid:
    """Hear mono sound at 22,050 Hz; it looks at the wave alone."""
    return PlainTracker().track(Look(sound, sound, sound))


def share(heard: np.ndarray, true: np.ndarray) -> float:
    """Return the F-measure within 70 ms."""
    hits = sum(np.abs(true - t).min() <= 0.07 for t in heard) if len(heard) else 0
    return 2 * hits / (len(heard) + len(true))


@pytest.mark.parametrize("bpm", [90.0, 120.0, 141.0])
def test_a_composed_song(bpm: float) -> None:
    sound = soxr.resample(coded.song_sound(bpm, 30.0).mean(0), 48_000, RATE).astype(np.float32)
    grid = heard(sound)
    true = np.array(coded.song_beats(bpm, 30.0))
    assert share(grid.times, true) > 0.9
    near = [float(grid.times[np.abs(grid.times - t).argmin()] - t) for t in true[4:-4]]
    assert abs(np.median(near)) < 0.012


def test_silence_and_shortness() -> None:
    assert len(heard(np.zeros(RATE * 10, np.float32)).times) == 0
    assert len(heard(np.zeros(100, np.float32)).times) == 0


@needs_shared
def test_real_songs() -> None:
    got = []
    for name in ("us_coulton_code_monkey", "lmms_popsip_electric_dancer", "us_coulton_that_spells_dna", "pop_333"):
        sound = read_sound(str(SHARED / "media/songs" / f"{name}.ogg"), rate=RATE, channels=1).samples[0][: 60 * RATE]
        true = np.loadtxt(SHARED / "media/songs" / f"{name}.beats", usecols=0)
        got.append(share(heard(sound).times, true[true < 60]))
    assert np.mean(got) > 0.9, got
