# SPDX-License-Identifier: Apache-2.0
import math
from dataclasses import replace

import pytest

from backbeat.decide.heard import Clock, heard
from backbeat.decide.joins import Side, blend_gains, blended, choose, handed, joined_on, shortened, unblendable
from backbeat.model.cue import Cue, Seam
from backbeat.model.song import Beat, Key, Section, Song

SIDE = Side("a", tempo=120.0, key=Key(0, "major", 0.5), room=60.0)
NEW = replace(SIDE, song="b", tempo=122.0)


@pytest.mark.parametrize(
    ("old", "new", "flam", "kind"),
    [
        (SIDE, NEW, 0.004, "blend"),
        (SIDE, NEW, 0.02, "echo-out"),
        (SIDE, NEW, None, "echo-out"),
        (SIDE, replace(NEW, tempo=130.0), 0.004, "echo-out"),
        (SIDE, replace(NEW, tempo=61.0, bar=4.0, lasts=60.0), 0.004, "blend"),
        (SIDE, replace(NEW, key=Key(6, "major", 0.5)), 0.004, "echo-out"),
        (replace(SIDE, sung=True), replace(NEW, sung=True), 0.004, "echo-out"),
        (replace(SIDE, room=3.0), NEW, 0.004, "echo-out"),
        (replace(SIDE, mood=("sad",)), replace(NEW, mood=("glad",)), 0.004, "echo-out"),
        (replace(SIDE, tempo=80.0), replace(NEW, tempo=100.0), None, "ring-out"),
        (SIDE, replace(NEW, energy=0.9), 0.004, "cut"),
        (SIDE, replace(NEW, energy=0.1), 0.004, "breath"),
        (SIDE, replace(NEW, talk=0.5), 0.004, "breath"),
        (replace(SIDE, on_end=False), replace(NEW, energy=0.1), None, "fade"),
        (replace(SIDE, over=True), NEW, None, "fade"),
        (replace(SIDE, lasts=2.0), replace(NEW, energy=0.1), None, "cut"),
    ],
)
def test_the_change_of_mood_chooses_the_join(old, new, flam, kind):
    join = choose(old, new, flam=flam)
    assert join.kind == kind
    assert join.why


def test_a_wish_is_kept_or_said_why_not():
    assert choose(SIDE, NEW, asked="breath", flam=0.001).kind == "breath"
    refused = choose(SIDE, replace(NEW, tempo=150.0), asked="blend", flam=0.001)
    assert refused.kind == "echo-out"
    assert "120 and 150 bpm" in refused.notes[0]
    assert choose(SIDE, SIDE, on=True).kind == "on"
    assert choose(SIDE, NEW, asked="blend", flam=0.001).bars == 4  # half of thirty seconds holds no eight bars
    assert choose(SIDE, replace(NEW, lasts=90.0), asked="blend", flam=0.001).bars == 8
    assert "room" in unblendable(replace(SIDE, room=3.0), NEW)


def test_a_blend_puts_downbeats_on_downbeats_and_is_equally_loud():
    old = Cue("a", 0.0, 40.0, song_in=0.5)
    # at 120 bpm: eight bars after the edge are 16 s of old song, played in 15.7 s of the new one's
    after = blended(old, 40.0, 56.5, 15.7)
    clock = Clock(after)
    assert clock.times(56.4999)[0] == pytest.approx(55.7, abs=1e-3)
    assert clock.times(20.5)[0] == pytest.approx(20.0)
    late = Clock(blended(old, 40.0, 56.5, 15.7, lag=0.02))
    middle = 40.5 + 8  # half way through, caught up by the whole lag
    assert clock.times(middle)[0] - late.times(middle)[0] == pytest.approx(0.02, abs=0.002)
    gains = blend_gains(40.0, 0.5, (-15.0,) * 16, (-19.0,) * 16, -15.0, -19.0)
    for i in range(16):
        power = sum(10 ** ((g[1] + level) / 10) for g, level in ((gains.old[i + 1], -15), (gains.new[i + 1], -19)))
        assert 10 * math.log10(power) == pytest.approx(-15 - 4 * (i + 0.5) / 16, abs=0.1)


def test_cues_end_as_their_join_says():
    cue = Cue("a", 10.0, 30.0, song_in=2.0, stretch=1.01, tempo_map=((10.0, 2.0), (20.0, 12.2), (30.0, 22.2)))
    cut = shortened(cue, 25.0, fade=0.1)
    assert cut.tempo_map[-1] == (25.0, pytest.approx(17.2))
    longer = shortened(cue, 32.0, ring=2.0)
    assert longer.tempo_map[-1] == (32.0, pytest.approx(24.2))
    join = choose(SIDE, replace(NEW, energy=0.1))
    breath = handed(cue, join, 30.0, 28.0, 0.5)
    assert (breath.end, breath.ring_out) == (30.0, 2.0)
    on = joined_on(Cue("a", 0.0, 10.0, song_in=1.0), Cue("a", 10.0, 20.0, song_in=11.0, stretch=1.01), 10.0)
    assert Clock(on).song_at(15.0) == pytest.approx(11.0 + 5 * 1.01)
    assert Clock(on).song_at(5.0) == pytest.approx(6.0)


def test_a_song_is_heard_through_seams_and_stretch():
    song = Song(
        "a", 60.0, tuple(Beat(float(t), 1 + t % 4, 0.5) for t in range(60)), (Section(0.0, 60.0, "A", 0.5),),
        energy=tuple(i / 120 for i in range(120)), tempo=60.0,
    )  # fmt: skip
    cue = Cue("a", 5.0, 25.0, song_in=10.0, stretch=1.1, seams=(Seam(20.0, 40.0),))
    found = heard(song, cue)
    times = [b.time for b in found.beats]
    assert times[0] == pytest.approx(5.0)
    assert times[10] == pytest.approx(5.0 + 10 / 1.1)  # beat 40, on the seam
    assert found.beats[10].position == 1
    assert len(times) == 22
    assert [round(s.start, 3) for s in found.sections] == [5.0, round(5 + 10 / 1.1, 3)]
    assert found.energy_at(5.25) == pytest.approx(10.5 / 60, abs=0.02)
    assert found.duration == 25.0
