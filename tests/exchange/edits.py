# SPDX-License-Identifier: Apache-2.0
"""Edits that have everything in them; no media behind them."""

from __future__ import annotations

from fractions import Fraction

from backbeat.model.cue import Cue, Duck, Seam
from backbeat.model.footage import Media
from backbeat.model.time import Span
from backbeat.model.timeline import Alternate, Clip, Marker, Speed, Timeline, Title, Track, Transition

RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
}
# Latin with signs, Greek, Chinese, Arabic, Devanagari - and what breaks URLs and XML.
NAMES = ("Ünï çödé & b #1 100%.mov", "Αγάπη <3.mp4", "花 火.mp4", "شمس.mp4", "नाच 'n' \"go\".mp4")


def media(path: str, rate: Fraction, *, frames: int = 1440, timecode: int | None = None) -> Media:
    return Media(
        path=path,
        rate=rate,
        frames=frames,
        width=1920,
        height=1080,
        has_sound=True,
        sample_rate=48000,
        channels=2,
        start_timecode=timecode,
        reel="A001_C002",
    )


def hour(rate: Fraction) -> int:
    """Frame number of 01:00:00:00 (drop-frame at 29.97)."""
    return 107892 if rate == RATES["29.97"] else 3600 * -(-rate.numerator // rate.denominator)


def full(rate: Fraction = RATES["24"], folder: str = "/films/footage") -> Timeline:
    """Five scripts, a gap, dissolve, constant and eased speeds, title, second track, two songs, ducks, locks."""
    takes = tuple(media(f"{folder}/{n}", rate, timecode=hour(rate)) for n in NAMES)
    a, b, c, d, e = (t.path for t in takes)
    eased = Speed(1.0, ((0.0, 0.0), (0.5, 0.4), (1.0, 1.0)))
    sec = lambda f: float(f / rate)  # noqa: E731
    picture = Track(
        (
            Clip(0, 24, a, 100, rate, name="one", sound_gain_db=-3.0, reason="hit on downbeat 1", hits=(sec(12),),
                 terms=(("hit", 1.25), ("cut", 0.5)), value=1.75, alternates=(Alternate(b, 2, 40, 0.125),)),
            Clip(24, 24, b, 200, rate, name="two", speed=Speed(0.9), sound_gain_db=0.0, reason="slowed onto the beat"),
            Clip(48, 24, c, 300, rate, name="three", locked=True, metadata=(("who", "Ada"),), colour="ORANGE"),
            Clip(84, 24, d, 400, rate, name="four", speed=Speed(1.2437), reason="after a rest"),
            Clip(108, 24, e, 500, rate, name="five", speed=eased, reason="eased into the drop"),
            Clip(132, 24, a, 600, rate, name="six", enabled=False),
            Clip(156, 36, b, 700, rate, name="last", sound_gain_db=-6.0, beat=17, shot=3, opacity=0.5),
        ),
        name="V1",
        transitions=(Transition(24, 6, 6),),
    )  # fmt: skip
    over = Track((Clip(60, 12, "", 0, rate, title=Title("ACT ONE\nthe <beat> & you"), name="card"),), name="Titles")
    wild = Track((Clip(10, 48, c, 30, rate, name="wild track", sound_gain_db=-9.0),), kind="sound", name="A wild")
    cues = (
        Cue(
            f"{folder}/söng one.wav", 0.0, sec(96), song_in=4.0, gain_db=-3.0, fade_in=0.5, name="Song One",
            ducks=(Duck(Span(1.0, 2.0), -9.0),), seams=(Seam(6.0, 12.0, 0.9),),
        ),
        Cue(f"{folder}/two.flac", sec(90), sec(192), song_in=8.0, stretch=1.02, fade_out=1.2, name="Two",
            gain_keys=((sec(100), 0.0), (sec(150), -6.0)), usage="theme"),
    )  # fmt: skip
    markers = (
        Marker(0.0, "section", "A", sec(96)),
        Marker(sec(96), "section", "B", sec(96)),
        *(Marker(i * 0.5, "downbeat" if i % 4 == 0 else "beat", f"{i // 4 + 1}.{i % 4 + 1}") for i in range(12)),
        Marker(1.234567, "note", "花 look here"),
    )
    return Timeline(
        name="Été <film> & 花",
        rate=rate,
        width=1280,
        height=720,
        frames=192,
        tracks=(picture, over, wild),
        cues=cues,
        markers=markers,
        takes=takes,
        start_timecode=hour(rate),
        fade_in=0.25,
        fade_out=1.0,
        metadata=(("seed", "3"), ("style", "montage")),
    )
