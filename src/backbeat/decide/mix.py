# SPDX-License-Identifier: Apache-2.0
"""How far music steps back under speech: first where speech lives and music can spare it, then in level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.decide.mix_clarity import CENTRES, RATE, SHORTEST, at_rate, stoi, table
from backbeat.model.cue import BELL_Q, BELLS, Duck
from backbeat.model.time import Span

Array = NDArray[Any]
Setting = tuple[float, tuple[float, ...]]  # dB of all, dB of each bell

CLEAR = 0.90
LOWEST = -18.0  # dB of one bell: deeper sounds hollow
DEEPEST = -24.0  # dB of all
_EVEN = 9.0  # dB by which a bell may lie under its neighbours
_STEP = 1.5
_MIX_RATE = 48_000
_LEVELS = np.arange(0.0, -64.0, -3.0)  # dB at which the clarity of each third octave is looked up
JOINED = 0.35  # s: shorter gaps are inside a line
BRIDGE = 1.5  # s: over shorter gaps between lines the music stays down, so that it does not pump
LEAD, REST = 0.1, 0.1  # s by which a duck is at its depth before, and stays after, a line

# LUFS and dBTP of deliveries; cinema's is that of its dialogue
# half a dB under what is delivered (-1, -1, -2 dBTP): AAC adds up to that
LOUDNESS = {"streaming": (-14.0, -1.5), "broadcast": (-23.0, -1.5), "cinema": (-27.0, -2.5)}


LITTLE = 0.15  # share of dialogue under which cinema is set by the whole programme, to PROGRAMME
PROGRAMME = -24.0  # LUFS


@dataclass(frozen=True, slots=True)
class Delivery:
    """How loud a film is made: `level` LUFS (of the dialogue alone where `gated`), `ceiling` dBTP, and why."""

    level: float
    ceiling: float
    gated: bool
    why: str


def delivery_of(name: str, words: Sequence[Span], duration: float) -> Delivery:
    """Return the levels of a delivery; `words` and `duration` in film seconds.

    Cinema is measured on its dialogue (an estimate: our speech spans stand in for Dolby's), or as a whole at -24 LUFS
    where that is under 15 % of the film, as large streaming houses ask.
    """
    level, ceiling = LOUDNESS[name]
    if name != "cinema":
        return Delivery(level, ceiling, gated=False, why="the whole programme")
    share = sum(w.length for w in lines_of(words)) / max(duration, 1e-9)
    if share < LITTLE:
        return Delivery(PROGRAMME, ceiling, gated=False, why=f"the whole programme: dialogue is {share:.0%} of it")
    return Delivery(level, ceiling, gated=True, why=f"its dialogue, {share:.0%} of the film")


def lines_of(words: Sequence[Span]) -> tuple[Span, ...]:
    """Join spans of speech into lines, over gaps under 0.35 s."""
    lines: list[Span] = []
    for span in sorted(words, key=lambda s: s.start):
        if lines and span.start - lines[-1].end < JOINED:
            lines[-1] = Span(lines[-1].start, max(lines[-1].end, span.end))
        else:
            lines.append(span)
    return tuple(lines)


def response(bells: Sequence[float], hz: Array) -> Array:
    """Return the gain (linear magnitude) of bells of so many dB at frequencies `hz`, as the mixer's filters have it."""
    w = 2 * np.pi * hz / _MIX_RATE
    z = np.exp(-1j * w)
    out = np.ones(len(hz), complex)
    for centre, depth in zip(BELLS, bells, strict=False):
        if depth:
            w0 = 2 * np.pi * centre / _MIX_RATE
            alpha = np.sin(w0) / (2 * BELL_Q)
            band = (alpha - alpha * z**2) / (1 + alpha - 2 * np.cos(w0) * z + (1 - alpha) * z**2)
            out = out * (1 + (10 ** (depth / 20) - 1) * band)
    return np.abs(out)


def shaped(music: Array, rate: int, bells: Sequence[float]) -> Array:
    """Return mono `music` through the bells, in the spectrum."""
    if not any(bells):
        return music
    hz = np.fft.rfftfreq(len(music), 1 / rate)
    return np.asarray(np.fft.irfft(np.fft.rfft(music) * response(bells, hz), len(music)))


@dataclass(frozen=True, slots=True)
class Shape:
    """How the music steps back: `depth` dB of all, `bells` dB more; the clarity (STOI) without and with it.

    `alone`: the depth (dB) that level alone would need.
    """

    depth: float
    bells: tuple[float, ...]
    before: float
    after: float
    alone: float = 0.0


def shape_for(speech: Array, music: Array, rate: int, *, clear: float = CLEAR) -> Shape:
    """Return the duck that keeps the music loudest at a clarity of `clear`.

    Bells down to -18 dB clear the band of speech where that costs the least loudness (K-weighted), the level of all
    does the rest. What a setting does to clarity is looked up, as third octaves do not know of each other; the level
    is settled by hearing the shaped music itself.

    Parameters
    ----------
    speech, music
        Mono samples of the same stretch of film, as they stand in the mix.
    rate
        Hz; above 10 kHz, so that the loudness of what lies over the speech counts.
    clear
        STOI that is asked for.
    """
    said, played = (at_rate(x, rate) for x in (speech, music))
    before = stoi(said, said + played, RATE)
    if not np.isfinite(before):
        return Shape(-12.0, (*(-6.0,) * (len(BELLS) - 1), -3.0), before, before, -15.0)
    if before >= clear:
        return Shape(0.0, (), before, before)
    found = table(said, played, _LEVELS)
    assert found is not None  # a clarity was found before
    desk = _Desk(found, *_loudness_bands(music, rate))
    depth, bells = desk.best(clear)
    soft = shaped(played, RATE, bells)

    def heard(level: float) -> float:
        return stoi(said, said + soft * 10 ** (level / 20), RATE)

    low, high = DEEPEST, min(0.0, depth + 3.0)
    if heard(high) >= clear:
        low = high
    while high - low > 0.3:
        near = max(low + 0.1, min(high - 0.1, depth)) if high - low > 3.5 else (low + high) / 2
        low, high = (near, high) if heard(near) >= clear else (low, near)
    return Shape(round(low, 2), bells, before, heard(low), desk.levelled((0.0,) * len(BELLS), clear)[1][0])


def _loudness_bands(music: Array, rate: int) -> tuple[Array, Array]:
    """Return third octaves (Hz) and the music's power in each as the ear weighs it (BS.1770, by its magnitude)."""
    power = np.abs(np.fft.rfft(music)) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / rate)
    shelf = 1 + (10 ** (4 / 20) - 1) / (1 + (1_680 / np.maximum(hz, 1)) ** 4)
    rumble = (hz / 38) ** 2 / (1 + (hz / 38) ** 2)
    centres = 25.0 * 2 ** (np.arange(29) / 3)
    place = np.floor(3 * np.log2(np.maximum(hz, 1) / 25.0) + 0.5).astype(int)
    kept = (place >= 0) & (place < len(centres))
    bands = np.bincount(place[kept], (power * (shelf * rumble) ** 2)[kept], len(centres))
    return centres, bands / max(float(bands.sum()), 1e-20)


def _plateaus() -> list[tuple[float, ...]]:
    """Return settings in which a run of bells is equally deep, with slopes as steep as may be beside it."""
    count = len(BELLS) - 1
    out = [(0.0,) * len(BELLS)]
    for first, last in combinations_with_replacement(range(count), 2):
        for depth in (-6.0, -12.0, -18.0):
            bells = [min(0.0, depth + _EVEN * max(0, first - k, k - last)) for k in range(count)]
            out.append((*bells, bells[-1] / 2))
    return out


class _Desk:
    """Level and bells, and what a setting does to clarity and loudness by estimate."""

    def __init__(self, known: Array, centres: Array, power: Array) -> None:
        self.known = known  # (levels, 15): the correlation of each third octave at each level of the music
        self.power = power  # (29,) of the music as the ear weighs it, at `centres`
        self.bands = np.arange(known.shape[1])
        self.size = known.shape[1]
        self.hz = np.concatenate([CENTRES, centres])

    def judged(self, state: Setting) -> tuple[float, float]:
        """Return (clarity, loudness in LU against the music as it is)."""
        depth, bells = state
        gain = response(bells, self.hz)
        cut = np.clip((20 * np.log10(gain[: self.size] + 1e-6) + depth) / -3.0, 0, len(_LEVELS) - 1.001)
        low = cut.astype(int)
        part = cut - low
        clarity = ((1 - part) * self.known[low, self.bands] + part * self.known[low + 1, self.bands]).mean()
        return float(clarity), 10 * float(np.log10((self.power * gain[self.size :] ** 2).sum() + 1e-12)) + depth

    @staticmethod
    def moved(state: Setting, what: int, by: float) -> Setting | None:
        """Return the state with one bell (or the level, the last) moved by `by` dB, None where it may not."""
        depth, bells = state
        last = len(bells) - 1
        if what == last:
            return (depth + by, bells) if DEEPEST <= depth + by <= 0 else None
        new = [*bells]
        new[what] += by
        new[last] = new[last - 1] / 2  # what STOI does not hear follows half as far
        beside = [new[i] for i in (what - 1, what + 1) if 0 <= i < last]
        if not LOWEST <= new[what] <= 0 or any(abs(new[what] - b) > _EVEN for b in beside):
            return None
        return depth, tuple(new)

    def best(self, clear: float) -> Setting:
        """Return the loudest setting found that is clear by estimate.

        Begun with every plateau of neighbouring bells at three depths, each with the level that it needs; the best of
        them is bettered by exchanging steps.
        """
        begun = [self.levelled(bells, clear) for bells in _plateaus()]
        now, state = max(begun, key=lambda t: (t[0][0] >= clear, t[0][1]))
        for step in (2 * _STEP, _STEP):
            while (better := self._exchanged(state, now, clear, step)) is not None:
                now, state = better
        return state

    def levelled(self, bells: tuple[float, ...], clear: float) -> tuple[tuple[float, float], Setting]:
        """Return the setting of these bells at the highest level that is clear, and what is judged of it."""
        low, high = round(DEEPEST / _STEP), 0
        while low < high:
            middle = -((-low - high) // 2)
            low, high = (middle, high) if self.judged((middle * _STEP, bells))[0] >= clear else (low, middle - 1)
        state = (low * _STEP, bells)
        return self.judged(state), state

    def _exchanged(
        self, state: Setting, now: tuple[float, float], clear: float, step: float
    ) -> tuple[tuple[float, float], Setting] | None:
        """Return the best setting one exchange away: one thing up, another down; None where none is louder."""
        count = len(BELLS)
        ups = [s for k in range(count) if (s := self.moved(state, k, step))]
        both = [s for up in ups for k in range(count) for d in (step, 2 * step) if (s := self.moved(up, k, -d))]
        tried = [(self.judged(s), s) for s in (*ups, *both)]
        good = [t for t in tried if t[0][0] >= clear and t[0][1] > now[1] + 0.02]
        return max(good, key=lambda t: t[0][1], default=None)


def window_of(line: Span) -> Span:
    """Return what must be heard to judge a line: itself, a short one with what stands about it."""
    spare = max(0.0, (3 * SHORTEST - line.length) / 2)
    return Span(max(0.0, line.start - spare), line.end + spare)


def ducks_of(lines: Sequence[tuple[Span, Shape]]) -> tuple[Duck, ...]:
    """Return the ducks under lines, in order: at their depth a little before and after, held over short gaps."""
    out = []
    for i, (line, shape) in enumerate(lines):
        if not shape.depth and not any(shape.bells):
            continue
        end = line.end + REST
        if i + 1 < len(lines) and lines[i + 1][0].start - line.end < BRIDGE:
            end = max(end, lines[i + 1][0].start - LEAD)
        out.append(Duck(Span(line.start - LEAD, end), shape.depth, shape.bells, shape.alone))
    return tuple(out)
