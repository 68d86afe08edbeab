# SPDX-License-Identifier: Apache-2.0
"""Shots, hits, speech and quality, each by itself."""

from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.media.scan import Picture
from backbeat.model.footage import Hit
from backbeat.watch.ear import SILENCE, Ear, Hearing, Transient
from backbeat.watch.eye import Eye, Sight
from backbeat.watch.hits import OwnHits, estimate_offset, heard, without_echoes
from backbeat.watch.look import pieces
from backbeat.watch.quality import dead, looks
from backbeat.watch.shots import Boundary, OwnShots
from backbeat.watch.speech import spans
from backbeat.watch.talk import talking
from watch.made import clicks, pan


def see(pictures: list[Any], rate: float = 25) -> tuple[Sight, list[Boundary]]:
    eye, finder = Eye(), OwnShots()
    for i, picture in enumerate(pictures):
        grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (320, 180))
        thumb = cv2.resize(picture, (48, 27), interpolation=cv2.INTER_AREA)
        crops = np.concatenate([grey[:144, :256]] * 3)
        eye.see(Picture(i, i / rate, grey, thumb, crops))
        finder.see(thumb, eye.small, eye.novelty)
    return eye.sight(), finder.finish()


def cuts(pictures: list[Any]) -> list[tuple[int, int, str]]:
    return [(b.start, b.end, b.kind) for b in see(pictures)[1]]


def test_a_dissolve_is_a_span_and_no_cut() -> None:
    one, other = pan(1, 60), pan(2, 60)
    mixed = [
        cv2.addWeighted(a, 1 - k / 17, b, k / 17, 0) for k, (a, b) in enumerate(zip(one[30:46], other, strict=False))
    ]
    found = cuts([*one[:30], *mixed, *other[16:50]])
    assert [k for _, _, k in found] == ["gradual"]
    start, end, _ = found[0]
    assert abs(start - 30) <= 2
    assert abs(end - 46) <= 2


def test_a_fade_through_black_leaves_no_mixed_picture_usable() -> None:
    one, other = pan(1, 40), pan(2, 40)
    down = [cv2.convertScaleAbs(p, alpha=1 - k / 12) for k, p in enumerate(one[28:40])]
    up = [cv2.convertScaleAbs(p, alpha=k / 12) for k, p in enumerate(other[:12])]
    sight, found = see([*one[:28], *down, *up, *other[12:]])
    usable = pieces(len(sight.time), found, dead(sight))
    assert len(usable) >= 2
    assert all(end <= 30 or first >= 51 for first, end in usable)  # fading from 29, whole again from 52


def test_what_passes_the_lens_is_refused() -> None:
    pictures = pan(3, 50)
    for j in range(7):
        x = round((j / 6) * 1.6 * 160 - 96)
        pictures[20 + j][:, max(0, x) : max(0, x + 96)] = (60, 40, 30)
    assert all(k == "refused" for _, _, k in cuts(pictures))


def test_a_blended_picture_belongs_to_neither_shot() -> None:
    one, other = pan(1, 20), pan(2, 20)
    blend = cv2.addWeighted(one[-1], 0.5, other[0], 0.5, 0)
    found = cuts([*one, blend, *other])
    assert found == [(20, 21, "cut")]


def test_handheld_jerks_are_no_cuts() -> None:
    random = np.random.default_rng(5)
    pictures = []
    for picture in pan(6, 60, speed=0.2):
        move = np.array([[1, 0, random.normal(0, 3)], [0, 1, random.normal(0, 3)]], np.float32)
        pictures.append(cv2.warpAffine(picture, move, (160, 90), borderMode=cv2.BORDER_REFLECT))
    assert not [k for _, _, k in cuts(pictures) if k != "refused"]


def test_long_footage_is_cut_in_chunks_without_seams() -> None:
    pictures = []
    truth = []
    for seed in range(45):
        pictures += pan(seed, 50, speed=0.3)
        truth.append(len(pictures))
    found = [s for s, e, k in cuts(pictures) if k == "cut" and s == e]
    assert found == truth[:-1]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(4, 300),
    st.lists(
        st.tuples(st.integers(1, 290), st.integers(0, 20), st.sampled_from(["cut", "gradual", "refused"])), max_size=6
    ),
    st.integers(0, 5),
)
def test_usable_spans_never_hold_a_boundary(count: int, raw: list[tuple[int, int, str]], dark: int) -> None:
    found = []
    last = 0
    for start, length, kind in sorted(raw):
        if start > last and start + length < count:
            found.append(Boundary(start, start + (length if kind == "gradual" else 0), kind, 1.0))
            last = start + length
    unusable = np.zeros(count, bool)
    unusable[:dark] = True
    spans_ = pieces(count, found, unusable)
    for first, end in spans_:
        assert 0 <= first < end <= count
        assert not unusable[first]
        for b in found:
            if b.kind != "refused":
                assert end <= b.start or first >= b.end
    assert spans_ == sorted(spans_)


def listen(wave: Any, start: float = 0.0) -> Hearing:
    ear = Ear()
    for a in range(0, len(wave), 5000):
        ear.hear(np.asarray(wave[a : a + 5000], np.float32), start + a / 16000)
    return ear.hearing()


def test_curves_do_not_depend_on_the_blocks() -> None:
    times = [1.0, 19.6, 20.0, 21.6, 21.99, 22.4, 40.5, 44.0]
    hearing = listen(clicks(times, 46.0, rate=16000), start=2.5)
    loud = [t.time - 2.5 for t in hearing.transients if t.jump > 20]
    assert [min(abs(x - t) for x in loud) < 0.005 for t in times].count(True) == 8
    assert abs(len(hearing.level) * 0.005 - 46) < 0.02
    assert abs(len(hearing.events) * 0.01 - 46) < 0.03


def test_silence_is_known() -> None:
    assert SILENCE.silent
    assert listen(np.zeros(16000, np.float32)).silent


CLAP = Transient(time=1.0, flux=1.0, jump=28, level=-10, attack=20, high=30, over=6, speech=0.0, music=0.0)


def test_a_clap_counts_more_than_a_syllable() -> None:
    syllable = replace(CLAP, attack=5, over=-4, speech=1.0)
    assert heard(CLAP) > 0.9
    assert heard(syllable) < 0.15
    assert heard(replace(CLAP, speech=1.0)) > 0.8  # a hit under speech is not lost


def test_the_offset_of_sound_is_found() -> None:
    sight, _ = see(pan(1, 150))
    times = [0.6, 1.4, 2.1, 3.3, 4.2]
    seen = np.zeros(150, np.float32)
    for t in times:
        seen[int(t * 25) + 1] = 1.0
    late = [(replace(CLAP, time=t + 0.08), 0.9) for t in times]
    assert estimate_offset(late, sight, seen) == pytest.approx(-0.08, abs=0.025)
    assert estimate_offset(late[:2], sight, seen) == 0.0
    assert estimate_offset(late, sight, np.zeros(150, np.float32)) == 0.0


def test_an_echo_is_no_second_hit() -> None:
    first, echo, later = Hit(1.0, 0.9), Hit(1.1, 0.4), Hit(1.5, 0.5)
    assert without_echoes([first, echo, later]) == [first, later]
    assert without_echoes([echo, replace(first, time=1.2)]) == [replace(first, time=1.2)]


def test_a_small_ball_that_stops_is_seen_when_the_picture_freezes() -> None:
    pictures = []
    for i in range(30):
        picture = pan(2, 1)[0]
        cv2.circle(picture, (20 + 4 * min(i, 15), 45), 6, (250, 240, 60), -1, cv2.LINE_AA)
        pictures.append(picture)
    for i in range(16, 30):
        pictures[i][:2, :2] = 90 * (i % 2)  # almost the same, and no exact repeat
    sight, _ = see(pictures)
    assert abs(int(np.argmax(sight.loss)) - 16) <= 1
    assert sight.loss.max() > 1.5 * np.delete(sight.loss, range(13, 20)).max()


def test_silent_footage_gives_motion_peaks_by_name() -> None:
    random = np.random.default_rng(4)
    card = random.integers(0, 255, (30, 30, 3)).astype(np.uint8)
    pictures = []
    for i in range(60):
        x = 10 + 3 * i if i < 30 else 97
        picture = pan(2, 1)[0].astype(np.int16)
        picture[30:60, x : x + 30] = cv2.blur(card, (3, 3))
        pictures.append(np.clip(picture + random.normal(0, 3, (90, 160, 1)), 0, 255).astype(np.uint8))
    sight, boundaries = see(pictures)
    found = OwnHits().find(sight, SILENCE, boundaries).hits
    assert found
    assert {h.kind for h in found} == {"motion peak"}
    assert {h.evidence for h in found} == {"seen"}
    best = max(found, key=lambda h: h.strength)
    assert abs(best.time - 29.5 / 25) < 0.06
    assert best.confidence < 0.5


def believed(*pieces: tuple[int, int, tuple[float, float, float, float]], length: int = 900) -> np.ndarray:
    """Return the ear's events with (speech, singing, music, voice) in pieces of steps."""
    events = np.full((length, 4), 0.002, np.float32)
    for start, stop, values in pieces:
        events[start:stop] = values
    return events


# medians over the benchmark's voices, sung songs, and voices under music as loud as they are
TALK, SONG, OVER_MUSIC = (0.99, 0.01, 0.01, 0.99), (0.01, 0.99, 0.99, 0.99), (0.96, 0.08, 0.99, 0.99)


def test_speech_spans_have_pads_and_pauses() -> None:
    found = spans(believed((100, 200, TALK), (240, 300, TALK), (500, 700, SONG)), 1.0)
    assert len(found) == 1
    assert found[0].said.start == pytest.approx(2.0, abs=0.03)
    assert found[0].said.end == pytest.approx(4.0, abs=0.03)
    assert found[0].pads == (0.1, 0.1)  # it comes and goes at once: sure edges
    assert found[0].span.start == pytest.approx(1.9, abs=0.03)
    [pause] = found[0].pauses
    assert 3.0 < pause.start < 3.1
    assert 3.3 < pause.end < 3.4


def test_talk_over_music_is_talk_and_song_is_not() -> None:
    music = (0, 900, (0.02, 0.05, 0.97, 0.05))
    [talk] = spans(believed(music, (300, 500, OVER_MUSIC)), 0.0)
    assert (talk.said.start, talk.said.end) == (pytest.approx(3.0, abs=0.06), pytest.approx(5.0, abs=0.06))
    assert spans(believed(music, (300, 500, SONG)), 0.0) == ()
    assert spans(believed(music), 0.0) == ()


def test_an_unsure_edge_is_padded_more() -> None:
    events = believed((100, 300, TALK))
    slow = np.linspace(0.01, 0.97, 40, dtype=np.float32)
    events[80:120, 0] = slow
    events[80:120, 3] = slow
    [talk] = spans(events, 0.0)
    assert talk.pads == (0.2, 0.1)


def test_belief_does_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    events = np.random.default_rng(1).random((3000, 4)).astype(np.float32)
    whole = talking(events)
    monkeypatch.setattr("backbeat.watch.talk._BLOCK", 700)
    assert np.allclose(talking(events), whole, atol=1e-6)


def sight_of(count: int, **values: float) -> Sight:
    base = {f.name: np.full(count, values.get(f.name, 0.0), np.float32) for f in fields(Sight)}
    base["time"] = np.arange(count) / 25
    return Sight(**base)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        ({"mean": 0.01}, "black"),
        ({"mean": 0.4, "spread": 0.02, "change": 0.01}, "covered"),
        ({"mean": 0.4, "spread": 0.2, "focus": 0.004, "change": 0.01}, "out of focus"),
        ({"mean": 0.4, "spread": 0.2, "focus": 0.1, "change": 0.0}, "frozen"),
        ({"mean": 0.9, "spread": 0.2, "focus": 0.1, "change": 0.01, "bright": 0.4}, "clipped"),
    ],
)
def test_flags(values: dict[str, float], flag: str) -> None:
    found = looks(sight_of(50, **values), 0, 50)
    assert flag in found.flags
    good = looks(sight_of(50, mean=0.45, spread=0.2, focus=0.1, sharp=0.08, change=0.01), 0, 50)
    assert not good.flags
    assert found.quality < good.quality


def test_camera_moves_are_named() -> None:
    assert looks(see(pan(1, 40, speed=3.0))[0], 0, 40).camera == "pan"
    assert looks(see([pan(1, 1)[0]] * 8 + [pan(1, 1, 0.0)[0]] * 30)[0], 0, 38).camera in {"", "static"}
    wide = pan(1, 1)[0]
    push = []
    for i in range(40):
        zoom = cv2.getRotationMatrix2D((80, 45), 0, 1 + 0.01 * i)
        push.append(cv2.warpAffine(wide, zoom, (160, 90), borderMode=cv2.BORDER_REFLECT))
    assert looks(see(push)[0], 0, 40).camera == "push"
