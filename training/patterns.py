# SPDX-License-Identifier: Apache-2.0
"""Drum patterns by style: what is hit on which sixteenth. A style also knows the tempi at which it is played."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KICK, SNARE, RIM, CLAP, CLOSED, OPEN, PEDAL = 36, 38, 37, 39, 42, 46, 44
CRASH, RIDE, CHINA, BELL, TAMB, COWBELL, SHAKER = 49, 51, 52, 53, 54, 56, 70
TOMS = (50, 48, 47, 45, 43, 41)
Hit = tuple[float, int, float]  # sixteenths from the bar line, General MIDI drum, velocity 0..1


@dataclass(frozen=True)
class Style:
    """`low`..`high` beats a minute hold nine in ten pieces; `weight` how often it is drawn; `swing` how often swung."""

    name: str
    low: float
    high: float
    weight: float
    swing: float = 0.0
    meters: tuple[int, ...] = (4,)


STYLES = (
    Style("rock", 85, 185, 12, 0.06), Style("eighths", 100, 190, 6), Style("punk", 150, 220, 6),
    Style("metal", 95, 220, 10), Style("blast", 110, 220, 4), Style("gallop", 110, 200, 3),
    Style("house", 112, 140, 9), Style("techno", 122, 155, 4), Style("hardcore", 150, 215, 7),
    Style("offbeat", 120, 200, 5), Style("dnb", 155, 185, 9), Style("breaks", 105, 190, 6),
    Style("hiphop", 76, 112, 6, 0.3), Style("trap", 120, 175, 5), Style("half", 120, 190, 5),
    Style("dubstep", 136, 175, 3), Style("dembow", 84, 110, 3), Style("fastdembow", 160, 195, 2),
    Style("disco", 104, 136, 4), Style("funk", 85, 125, 4, 0.15), Style("swing", 90, 230, 4, 1.0),
    Style("shuffle", 80, 150, 4, 1.0), Style("ballad", 50, 90, 6), Style("pop", 78, 140, 10, 0.05),
    Style("train", 80, 130, 3), Style("twobeat", 150, 230, 3), Style("onedrop", 65, 95, 2, 0.2),
    Style("steppers", 120, 160, 2), Style("samba", 90, 130, 2), Style("bossa", 100, 150, 2),
    Style("march", 95, 130, 2), Style("toms", 80, 180, 4), Style("stomp", 80, 180, 3), Style("chip", 115, 200, 6),
    Style("waltz", 80, 200, 6, 0.1, (3,)), Style("six", 45, 85, 4, 0.0, (2, 4)), Style("odd", 90, 180, 2, 0.0, (5, 7)),
)  # fmt: skip


def draw_style(rng: np.random.Generator, meter: int) -> Style:
    """Draw a style that can be played in `meter`."""
    fits = [s for s in STYLES if meter in s.meters] or list(STYLES[:3])
    weight = np.array([s.weight for s in fits])
    return fits[rng.choice(len(fits), p=weight / weight.sum())]


def bar(style: str, rng: np.random.Generator, meter: int) -> list[Hit]:
    """Return one bar of `style`; bars of triplet feel count twelve twelfths as `4 * meter` sixteenths too."""
    n = 4 * meter
    hits: list[Hit] = []

    def add(at: float, what: int, velocity: float) -> None:
        if 0 <= at < n:
            hits.append((float(at), what, float(np.clip(velocity + rng.normal(0, 0.06), 0.1, 1))))

    def chance(p: float) -> bool:
        return bool(rng.random() < p)

    def some(places: list[float], what: int, velocity: float, p: float) -> None:
        for at in places:
            if chance(p):
                add(at, what, velocity)

    def time(step: float, what: int | None = None, velocity: float = 0.6, offset: float = 0.0) -> None:
        what = int(rng.choice([CLOSED, CLOSED, CLOSED, OPEN, RIDE, SHAKER])) if what is None else what
        lift = rng.uniform(0, 0.25)
        for at in np.arange(offset, n, step):
            add(at, what, velocity + (lift if at % 4 == 0 else 0 if at % 2 == 0 else -0.1))

    beats = [4.0 * b for b in range(meter)]
    back = beats[1::2] if meter != 3 else beats[1:]
    snare = int(rng.choice([SNARE, SNARE, SNARE, 40, CLAP]))
    if style in {"rock", "pop", "eighths", "train", "waltz", "odd", "funk"}:
        add(0, KICK, 1)
        for b in beats[2::2] if style != "waltz" else []:
            if chance(0.85):
                add(b, KICK, 0.9)
        for b in back:
            add(b, snare if style != "waltz" or chance(0.5) else CLOSED, 0.95 if style != "waltz" else 0.6)
        if style == "eighths":
            some([2.0 * k for k in range(n // 2)], KICK, 0.85, 0.4)
        busy = {"rock": 0.2, "pop": 0.2, "funk": 0.35}.get(style, 0.1)
        some([2.0 + 4 * k for k in range(meter)], KICK, 0.8, busy)
        some([k for k in range(n) if k % 2], KICK, 0.7, busy * 0.35)
        if style == "funk":
            some([k for k in range(n) if k % 4], SNARE, 0.3, 0.25)
        if style == "train":
            some(list(range(n)), SNARE, 0.4, 0.85)
        else:
            time(float(rng.choice([2, 2, 2, 4, 1])))
    elif style == "punk":
        for b in beats:
            add(b, KICK, 0.9)
        for b in back if chance(0.6) else [b + 2 for b in beats]:
            add(b, SNARE, 1)
        time(2, int(rng.choice([CLOSED, OPEN, CRASH])), 0.8)
    elif style in {"metal", "blast", "gallop"}:
        if style == "gallop":
            for b in beats:
                for o in (0, 2, 3):
                    add(b + o, KICK, 0.9)
        else:
            step = float(rng.choice([1, 1, 2, 0.5 if style == "blast" else 1]))
            some(list(np.arange(0, n, step)), KICK, 0.85, rng.uniform(0.7, 1))
        if style == "blast" and chance(0.7):
            for k in np.arange(0, n, 2):
                add(k + (1 if chance(0.0) else 0), SNARE, 0.9)
        else:
            for b in back if chance(0.75) else beats[2::4] or back:
                add(b, SNARE, 1)
        time(float(rng.choice([4, 4, 2])), int(rng.choice([CHINA, CRASH, RIDE, OPEN, BELL])), 0.75)
    elif style in {"house", "techno", "disco", "steppers", "hardcore", "offbeat"}:
        for b in beats:
            add(b, KICK, 1)
        if style == "hardcore":
            some([k for k in range(n) if k % 4], KICK, 0.7, rng.choice([0, 0, 0.1]))
        if chance(0.75):
            for b in back:
                add(b, int(rng.choice([CLAP, SNARE])), 0.85)
        if chance(0.8):
            for b in beats:
                add(b + 2, int(rng.choice([OPEN, OPEN, CLOSED])), 0.75)
        if chance(0.5):
            time(float(rng.choice([1, 2])), CLOSED, 0.4)
        if style == "offbeat":
            some([k for k in range(n) if k % 4], int(rng.choice([CLAP, SNARE, COWBELL, RIM])), 0.6, 0.2)
    elif style in {"dnb", "breaks"}:
        for at in (0, 10) if chance(0.7) else (0, 6, 11):
            add(at, KICK, 1)
        for at in back:
            add(at, SNARE, 1)
        some([7, 9, 14, 15], SNARE, 0.35, 0.4)
        some([2, 3, 6, 11, 13], KICK, 0.8, 0.2)
        time(float(rng.choice([2, 2, 1])), int(rng.choice([CLOSED, RIDE, SHAKER])), 0.6)
    elif style in {"hiphop", "trap", "half", "dubstep"}:
        add(0, KICK, 1)
        some([3, 6, 7, 10, 11, 14], KICK, 0.85, 0.28)
        for at in back if style == "hiphop" else beats[2:3]:
            add(at, snare, 1)
        if style == "trap":
            time(float(rng.choice([1, 2])), CLOSED, 0.55)
            for start in np.flatnonzero(rng.random(meter) < 0.25) * 4.0:
                for o in np.arange(0, 2, rng.choice([0.5, 1 / 3])):
                    add(start + 2 + o, CLOSED, 0.5)
        else:
            time(float(rng.choice([2, 2, 4, 1])), int(rng.choice([CLOSED, RIDE, CRASH, OPEN])), 0.6)
    elif style in {"dembow", "fastdembow"}:
        for b in beats:
            add(b, KICK, 1)
        width = 1 if style == "dembow" else 2
        for at in (3, 6, 11, 14) if width == 1 else (6, 12):
            add(at, snare, 0.85)
        time(2, CLOSED, 0.5)
    elif style in {"swing", "shuffle"}:
        for b in beats:
            add(b, RIDE if style == "swing" else CLOSED, 0.7)
            if style == "shuffle" or (b / 4) % 2:
                add(b + 2, RIDE if style == "swing" else CLOSED, 0.5)
        for b in back:
            add(b, PEDAL if style == "swing" else SNARE, 0.6 if style == "swing" else 0.95)
        some([2.0 * k for k in range(n // 2)], SNARE, 0.4, 0.12)
        some(beats, KICK, 0.5 if style == "swing" else 0.9, 0.5)
    elif style == "ballad":
        add(0, KICK, 0.8)
        for b in back:
            add(b, int(rng.choice([RIM, SNARE])), 0.7)
        some([6, 10], KICK, 0.6, 0.4)
        time(float(rng.choice([4, 2, 2, 1])), CLOSED, 0.4)
    elif style == "twobeat":
        for i, b in enumerate(beats):
            add(b, KICK if i % 2 == 0 else SNARE, 0.9)
        time(float(rng.choice([2, 4])), CLOSED, 0.5)
    elif style == "onedrop":
        add(beats[2] if meter > 2 else 0, KICK, 0.9)
        add(beats[2] if meter > 2 else 0, RIM, 0.9)
        time(2, CLOSED, 0.5)
    elif style in {"samba", "bossa"}:
        for at in range(0, n, 4):
            add(at, KICK, 0.8)
            add(at + 3, KICK, 0.6)
        for at in (0, 3, 6, 10, 12):
            add(at, RIM, 0.7)
        time(1 if style == "samba" else 2, SHAKER, 0.45)
    elif style == "march":
        some(list(np.arange(0, n, 1)), SNARE, 0.5, 0.6)
        for b in beats:
            add(b, SNARE, 0.8)
        for b in beats[::2]:
            add(b, KICK, 0.9)
    elif style == "toms":
        for at in np.arange(0, n, float(rng.choice([2, 1, 4]))):
            if chance(0.75):
                add(at, int(rng.choice(TOMS)), 0.9 if at % 4 == 0 else 0.65)
        for b in beats[::2]:
            add(b, KICK, 1)
    elif style == "stomp":
        for b in beats if chance(0.5) else beats[::2]:
            add(b, KICK, 1)
        for b in back:
            add(b, int(rng.choice([CLAP, TAMB])), 0.9)
    elif style == "chip":
        for i, b in enumerate(beats):
            add(b, KICK if i % 2 == 0 else SNARE, 0.9)
        some([2.0 * k for k in range(n // 2)], CLOSED, 0.5, 0.8)
        some([k for k in range(n) if k % 4], KICK, 0.7, 0.15)
    elif style == "six":  # two or four dotted beats of three eighths; an eighth is 4/3 sixteenths
        for i, b in enumerate(beats):
            add(b, KICK if i % 2 == 0 else snare, 0.9)
        for at in np.arange(0, n, 4 / 3):
            add(at, CLOSED, 0.5)
        some([b + 8 / 3 for b in beats], KICK, 0.7, 0.3)
    return hits


def fill(rng: np.random.Generator, start: float, end: float) -> list[Hit]:
    """Return a run of drums from sixteenth `start` to `end`."""
    step = float(rng.choice([1, 1, 0.5, 4 / 3, 2]))
    order = list(rng.choice([SNARE, *TOMS], size=int((end - start) / step) + 1))
    if rng.random() < 0.4:
        order = sorted(order, key=lambda d: (d != SNARE, -d))
    return [(at, int(d), float(rng.uniform(0.6, 1))) for at, d in zip(np.arange(start, end, step), order, strict=False)]
