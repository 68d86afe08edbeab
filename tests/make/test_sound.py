# SPDX-License-Identifier: Apache-2.0
"""Limiter, loudness, ducks, speed and seams, measured."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest

from backbeat.make.duck import Dip, duck_curve
from backbeat.make.limit import limited, true_peak
from backbeat.make.loudness import loudness
from backbeat.make.settings import RenderSettings
from backbeat.make.sound import sound_of
from backbeat.model.cue import Cue, Duck, Seam
from backbeat.model.time import Span
from backbeat.model.timeline import Clip, Speed
from kit import coded
from make.films import edit

RATE = Fraction(25)


def cut_up(samples: np.ndarray, sizes: tuple[int, ...]) -> list[np.ndarray]:
    edges = np.cumsum(sizes)
    return [b for b in np.split(samples, edges[edges < samples.shape[1]], axis=1) if b.shape[1]]


def test_the_limiter_holds_the_true_peak_whatever_the_blocks() -> None:
    t = np.arange(96_000)
    tone = 1.3 * np.sin(2 * np.pi * t / 4 + np.pi / 4)  # its samples hide 3 dB of its peak
    tone[:24_000] *= 0.1
    tone[-500:] *= np.linspace(1, 0, 500)  # a sound cut off would ring in the meter
    sound = np.stack([tone, -tone]).astype(np.float32)
    one = np.concatenate(list(limited([sound], -1.5)), axis=1)
    many = np.concatenate(list(limited(cut_up(sound, (1000, 31, 40_000, 7, 20_000)), -1.5)), axis=1)
    assert one.shape == sound.shape
    np.testing.assert_allclose(one, many, atol=1e-6)
    assert true_peak(one) <= -1.45
    assert np.abs(one[:, 48_000:90_000]).max() > 0.99 * 10 ** (-1.5 / 20) / np.sqrt(
        2
    )  # no more is taken than is needed
    np.testing.assert_array_equal(one[:, :20_000], sound[:, :20_000])


def test_loudness_is_that_of_the_standard_meter() -> None:
    rng = np.random.default_rng(3)
    sound = (rng.standard_normal((2, 480_000)) * np.linspace(0.001, 0.2, 480_000)).astype(np.float32)
    expected = pyloudnorm.Meter(48_000).integrated_loudness(sound.T)
    assert loudness(cut_up(sound, (777, 100_000, 33))) == pytest.approx(expected, abs=0.05)
    assert loudness([np.zeros((2, 96_000), np.float32)]) == -70.0


def test_ducks_reach_their_depth_before_the_words() -> None:
    ducks = (Duck(Span(2.0, 3.0), -9.0), Duck(Span(2.5, 4.0), -6.0, (0.0, 0.0, 0.0, -6.0)))
    curve = duck_curve(ducks, 0, 6 * 48_000)
    assert curve[48_000] == 0
    assert curve[2 * 48_000] == pytest.approx(-9)
    assert curve[round(3.9 * 48_000)] == pytest.approx(-6, abs=0.2)
    assert curve[-1] == 0
    t = np.arange(6 * 48_000) / 48_000
    voice, bass = (np.stack([np.sin(2 * np.pi * hz * t)] * 2).astype(np.float32) for hz in (1900.0, 80.0))
    part = slice(3 * 48_000, round(3.5 * 48_000))
    for sound, low, high in ((voice, -7.0, -3.5), (bass, -0.6, 0.1)):
        out = np.concatenate([Dip(ducks).applied(sound, 0)], axis=1)
        level = 20 * np.log10(np.abs(out[:, part]).max())
        assert low < level < high


def mixed(timeline: object, **more: object) -> np.ndarray:
    sound = sound_of(timeline, RenderSettings(**more))  # type: ignore[arg-type]
    assert sound is not None
    return np.concatenate(list(sound.blocks()), axis=1)


@pytest.mark.parametrize("factor", [0.9, 1.003, 1.2])
def test_sound_keeps_with_the_picture_at_other_speeds(tmp_path: Path, factor: float) -> None:
    hits = tuple(0.5 + k for k in range(8))
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=230, rate=RATE, hits=hits, size=(96, 54))
    clip = Clip(0, 120, take.path, 25, RATE, speed=Speed(factor), sound_gain_db=0.0)
    heard = np.abs(mixed(edit([clip], RATE))).max(axis=0)
    for hit in hits[1:-2]:
        at = (hit - 1.0) / factor
        if not 0.2 < at < 4.5:
            continue
        near = heard[round((at - 0.08) * 48_000) : round((at + 0.08) * 48_000)]
        first = int(np.argmax(near > 0.25 * near.max())) / 48_000 - 0.08
        assert abs(first) < 0.006


def test_a_seam_leaves_and_lands_to_the_sample(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    noise = (rng.standard_normal((2, 10 * 48_000)) * 0.1).astype(np.float32)
    song = coded.write_wav(tmp_path / "song.wav", noise)
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=130, rate=RATE, size=(96, 54))
    cue = Cue(song, 0.0, 5.0, song_in=1.0, seams=(Seam(3.0, 6.0),))
    heard = mixed(edit([Clip(0, 125, take.path, 0, RATE)], RATE, cues=(cue,)))[0]
    for at, into in ((0.2, 1.2), (1.5, 2.5), (2.1, 6.1), (4.0, 8.0)):
        a, b = round(at * 48_000), round(into * 48_000)
        late, sure = coded.lag(heard[a : a + 20_000], noise[0, b : b + 20_000])
        assert sure > 0.99
        assert abs(late) < 1e-5


def test_a_loudness_target_is_met(tmp_path: Path) -> None:
    song = coded.write_song(tmp_path / "song.wav", seconds=10)
    take = coded.write_take(tmp_path / "a.mp4", 1, frames=220, rate=RATE, size=(96, 54))
    timeline = edit([Clip(0, 200, take.path, 0, RATE)], RATE, cues=(Cue(song, 0.0, 8.0, gain_db=-12),))
    sound = mixed(timeline, loudness=-16.0)
    assert loudness([sound]) == pytest.approx(-16, abs=0.3)
    assert true_peak(sound) <= -1.4


def test_through_edits_are_not_heard(tmp_path: Path) -> None:
    take = coded.write_take(tmp_path / "a.mov", 1, frames=100, rate=RATE, size=(96, 54), sound="pcm_s16le")
    whole = edit([Clip(0, 80, take.path, 10, RATE, sound_gain_db=0.0)], RATE)
    parts = edit([Clip(i, 20, take.path, 10 + i, RATE, sound_gain_db=0.0) for i in range(0, 80, 20)], RATE)
    np.testing.assert_allclose(mixed(parts)[:, 200:-200], mixed(whole)[:, 200:-200], atol=1e-4)


def test_the_loudness_of_dialogue_alone_can_be_set(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    loud = np.where(np.arange(10 * 48_000) // 96_000 % 2, 0.2, 0.01)  # two seconds each
    path = coded.write_wav(tmp_path / "song.wav", (rng.standard_normal((2, loud.size)) * loud * 0.3).astype(np.float32))
    timeline = edit([Clip(0, 250, "", 0, RATE)], RATE, cues=(Cue(path, 0.0, 10.0),))
    quiet = (Span(0.2, 1.8), Span(4.2, 5.8))
    sound = mixed(timeline, loudness=-30.0, dialogue=quiet, gated=True)
    assert loudness([sound], quiet) == pytest.approx(-30, abs=0.2)
    assert loudness([sound]) > -12
    assert loudness([mixed(timeline, loudness=-30.0, dialogue=quiet)]) == pytest.approx(-30, abs=0.2)


def test_stems_of_dialogue_effects_and_music_add_up(tmp_path: Path) -> None:
    song = coded.write_song(tmp_path / "song.wav", seconds=6)
    take = coded.write_take(tmp_path / "a.mov", 1, frames=150, rate=RATE, size=(96, 54), sound="pcm_s16le", hits=(4.0,))
    timeline = edit([Clip(0, 150, take.path, 0, RATE, sound_gain_db=0.0)], RATE, cues=(Cue(song, 0.0, 6.0),))
    settings = RenderSettings(dialogue=(Span(1.0, 2.0),), ceiling=20.0)
    sound = sound_of(timeline, settings)
    assert sound is not None
    assert sound.stems == ("dialogue", "effects", "music")
    parts = {s: np.concatenate(list(sound.blocks(s)), axis=1) for s in sound.stems}
    whole = np.concatenate(list(sound.blocks()), axis=1)
    np.testing.assert_allclose(sum(parts.values()), whole, atol=2e-6)
    assert np.abs(parts["dialogue"][:, 3 * 48_000 :]).max() == 0
    assert np.abs(parts["effects"][:, round(1.1 * 48_000) : round(1.9 * 48_000)]).max() == 0
    assert np.abs(parts["effects"][:, 4 * 48_000 : 4 * 48_000 + 2000]).max() > 0.1
    assert sound_of(timeline, RenderSettings()).stems == ("music", "takes")  # type: ignore[union-attr]


def test_finished_cues_are_kept_within_bounds(tmp_path: Path) -> None:
    from backbeat.make.mix import Cues

    path = coded.write_song(tmp_path / "song.wav", seconds=4)
    kept = Cues(2 * 2 * 4 * 48_000 + 1)  # room for two cues of a second
    cue = Cue(path, 0.0, 1.0, song_in=0.5, stretch=1.01)
    one = kept.made(path, cue, 48_000)
    assert kept.made(path, Cue(path, 0.0, 1.0, song_in=0.5, stretch=1.01, gain_db=-3.0), 48_000) is one
    two = kept.made(path, Cue(path, 0.0, 1.0, song_in=1.5, stretch=1.01), 48_000)
    assert np.abs(two - one).max() > 0.01
    kept.made(path, Cue(path, 0.0, 1.0, song_in=2.5, stretch=1.01), 48_000)
    assert kept.made(path, cue, 48_000) is not one  # the first had to go
    coded.write_wav(path, np.zeros((2, 4 * 48_000), np.float32))
    assert np.abs(kept.made(path, cue, 48_000)).max() == 0  # another file under the same name


def test_a_loudness_target_is_met_through_a_hard_working_limiter(tmp_path: Path) -> None:
    """Far over the ceiling, turning down does nothing at first."""
    song = coded.write_song(tmp_path / "song.wav", seconds=8)
    timeline = edit([Clip(0, 200, "", 0, RATE)], RATE, cues=(Cue(song, 0.0, 8.0, gain_db=24.0),))
    for target in (-14.0, -23.0):
        sound = mixed(timeline, loudness=target)
        assert loudness([sound]) == pytest.approx(target, abs=0.3)
        assert true_peak(sound) <= -1.4
