# SPDX-License-Identifier: Apache-2.0
"""How far music steps back under speech: a dip where consonants live first, then as much level as clarity needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backbeat.decide.mix_clarity import SHORTEST, stoi
from backbeat.model.cue import Duck
from backbeat.model.time import Span

Array = NDArray[Any]

CLEAR = 0.90
DIPS = (-8.0, -16.0, -24.0)  # dB about 2 kHz, half of it by each of two bells
DEEPEST = -24.0
BRIDGE = 0.8  # s: shorter gaps between lines are bridged, so that the music does not pump
LEAD, REST = 0.1, 0.1  # s by which a duck is at its depth before, and stays after, a line

# LUFS and dBTP of deliveries
# half a dB under what is delivered (-1, -1, -2 dBTP): AAC adds up to that
LOUDNESS = {"streaming": (-14.0, -1.5), "broadcast": (-23.0, -1.5), "cinema": (-27.0, -2.5)}


def lines_of(words: Sequence[Span]) -> tuple[Span, ...]:
    """Join spans of speech into lines, bridging gaps under 0.8 s."""
    lines: list[Span] = []
    for span in sorted(words, key=lambda s: s.start):
        if lines and span.start - lines[-1].end < BRIDGE:
            lines[-1] = Span(lines[-1].start, max(lines[-1].end, span.end))
        else:
            lines.append(span)
    return tuple(lines)


def dipped(music: Array, rate: int, dip_db: float) -> Array:
    """Return mono `music` with `dip_db` of two bells at 1.2 and 3 kHz (Q 0.7), each half of it, in the spectrum."""
    if not dip_db:
        return music
    hz = np.fft.rfftfreq(len(music), 1 / rate)
    gain = np.ones(len(hz), complex)
    for centre in (1_200.0, 3_000.0):
        x = 1j * hz / centre / 0.7
        gain = gain * (1 + (10 ** (dip_db / 40) - 1) * x / (1 - (hz / centre) ** 2 + x))
    return np.asarray(np.fft.irfft(np.fft.rfft(music) * np.abs(gain), len(music)))


def duck_for(speech: Array, music: Array, rate: int, *, clear: float = CLEAR) -> tuple[float, float, float, float]:
    """Return (depth dB, dip dB, STOI before, STOI after) for one line.

    Parameters
    ----------
    speech, music
        Mono samples of the same stretch of film, as they stand in the mix.
    rate
        Hz.
    clear
        STOI that is asked for.
    """
    before = stoi(speech, speech + music, rate)
    if not np.isfinite(before):
        return -12.0, DIPS[-1], before, before
    if before >= clear:
        return 0.0, 0.0, before, before
    for dip in DIPS:
        soft = dipped(music, rate, dip)
        after = stoi(speech, speech + soft, rate)
        if after >= clear:
            return 0.0, dip, before, after
    low, high = DEEPEST, 0.0
    for _ in range(6):
        middle = (low + high) / 2
        if stoi(speech, speech + soft * 10 ** (middle / 20), rate) >= clear:
            low = middle
        else:
            high = middle
    depth = round(low, 2)
    return depth, DIPS[-1], before, stoi(speech, speech + soft * 10 ** (depth / 20), rate)


def window_of(line: Span) -> Span:
    """Return what must be heard to judge a line: itself, a short one with what stands about it."""
    spare = max(0.0, (3 * SHORTEST - line.length) / 2)
    return Span(max(0.0, line.start - spare), line.end + spare)


def duck_of(line: Span, depth: float, dip: float) -> Duck:
    """Return the duck under one line, at its depth a little before and after."""
    return Duck(Span(line.start - LEAD, line.end + REST), depth, dip)
