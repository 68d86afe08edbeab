# SPDX-License-Identifier: Apache-2.0
"""Where a known song sounds in a film: as one piece or several, early or late, shortened, stretched, under dialogue.

Coarse: log-mel spectra of 4 s of the film against the whole song, by fast correlation, every second; a cheapest path
through the best places prefers that the song goes on. Fine: the wave itself within ± 60 ms, whitened (GCC-PHAT, Knapp
& Carter 1976); a robust line through each piece's places gives its offset and stretch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

RATE = 16_000
HOP = 320  # 20 ms
_STEP = HOP / RATE
_WINDOW = 200  # spectra: 4 s
_EVERY = 50  # spectra: 1 s
_BANDS = 16
_SURE = 0.45  # correlation from which a place may be the song's
_CERTAIN = 0.7  # … and from which the wave need not confirm it
VERSION = 2
_JUMP = 0.35  # what a jump costs in correlation
_BEST = 6  # places kept for each window
_SAME = 0.06  # s within which the song goes on


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the film in which the song runs without a jump.

    ``start`` … ``end`` film seconds; the song is at `song` seconds at `start` and runs `stretch` song seconds a film
    second. `score` 0..1 is the mean correlation of its spectra.
    """

    start: float
    end: float
    song: float
    stretch: float
    score: float

    def film_time(self, song_time: float) -> float:
        """Return the film second at which `song_time` sounds in this piece."""
        return self.start + (song_time - self.song) / self.stretch

    def song_time(self, film_time: float) -> float:
        """Return the song second that sounds at `film_time`."""
        return self.song + (film_time - self.start) * self.stretch


def locate(film: Floats, song: Floats) -> tuple[Piece, ...]:
    """Return the pieces of `song` in `film` (mono float32 at 16 kHz), in order; empty where it is not heard."""
    if len(film) < RATE or len(song) < RATE:
        return ()
    window = min(_WINDOW, int(min(len(film), len(song)) / HOP * 0.8))
    heard, known = _bands(film), _bands(song)
    starts, lags, scores = _candidates(heard, known, window)
    path = _path(lags, scores)
    centre = starts * _STEP + window * _STEP / 2
    pieces = []
    for run in _runs(centre, lags, scores, path):
        if len(run) >= 2 or len(centre) < 4:
            rows = np.array(run)
            at = lags[rows, path[rows]] * _STEP
            pieces.append(_fit(film, song, centre[rows], at, float(scores[rows, path[rows]].mean()), window * _STEP))
    return _joined(heard, known, [_extended(film, song, p) for p in pieces if p is not None])


def _bands(mono: Floats) -> Floats:
    """Return log energies in bands, (n, 16), each less its running mean: level and equaliser do not matter."""
    from scipy.ndimage import uniform_filter1d

    size = 1024
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(mono, size // 2), size)[::HOP]
    edges = np.geomspace(80, 6000, _BANDS + 1) / RATE * size
    place = np.arange(size // 2 + 1)
    bank = np.stack([(place >= a) & (place < max(b, a + 1.5)) for a, b in pairwise(edges)], 1)
    shape = np.hanning(size).astype(np.float32)
    out = np.empty((len(frames), _BANDS), np.float32)
    for a in range(0, len(frames), 4096):
        power = np.square(np.abs(np.fft.rfft(frames[a : a + 4096] * shape, axis=1))).astype(np.float32)
        out[a : a + 4096] = np.log10(power @ bank.astype(np.float32) + 1e-4)
    return np.asarray(out - uniform_filter1d(out, 151, axis=0, mode="nearest"), np.float32)


def _candidates(heard: Floats, known: Floats, window: int) -> tuple[Any, Any, Any]:
    """Return (starts, lags, scores): for windows of the film the best places in the song, in spectra."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = next_fast_len(len(known) + window, real=True)
    spectrum = rfft(known, size, axis=0)
    energy = np.concatenate([[0.0], np.cumsum(np.square(known).sum(1, dtype=np.float64))])
    power = np.sqrt(np.maximum(energy[window:] - energy[:-window], 1e-9))
    starts = np.arange(0, max(1, len(heard) - window + 1), _EVERY)
    lags = np.zeros((len(starts), _BEST))
    scores = np.zeros((len(starts), _BEST))
    for row, start in enumerate(starts):
        piece = heard[start : start + window]
        cross = irfft((spectrum * np.conj(rfft(piece, size, axis=0))).sum(1), size)[: len(power)]
        score = cross / (power * max(float(np.linalg.norm(piece)), 1e-6))
        for k in range(_BEST):
            best = int(score.argmax())
            lags[row, k], scores[row, k] = best - start + _between(score, best), score[best]
            score[max(0, best - 6) : best + 7] = -1.0
    return starts, lags, scores


def _between(score: Any, best: int) -> float:
    """Return how far beside `best` the peak lies, by a parabola."""
    if not 0 < best < len(score) - 1:
        return 0.0
    a, b, c = score[best - 1 : best + 2]
    bend = a - 2 * b + c
    return float(0.5 * (a - c) / bend) if bend < 0 and a > -1 and c > -1 else 0.0


def _path(lags: Any, scores: Any) -> Any:
    """Return the index of the chosen place of every window: best total, jumps paid for."""
    total = scores[0].copy()
    back = np.zeros(scores.shape, int)
    near = round(_SAME / _STEP)
    for row in range(1, len(scores)):
        apart = np.abs(lags[row][:, None] - lags[row - 1][None, :]) > near
        reach = total[None, :] - _JUMP * apart
        back[row] = reach.argmax(1)
        total = reach.max(1) + scores[row]
    path = np.zeros(len(scores), int)
    path[-1] = int(total.argmax())
    for row in range(len(scores) - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path


def _runs(centre: Any, lags: Any, scores: Any, path: Any) -> list[list[int]]:
    """Return runs of windows in which the song is heard and goes on."""
    found: list[list[int]] = []
    near = round(_SAME / _STEP)
    for row in range(len(centre)):
        if scores[row, path[row]] < _SURE:
            continue
        if found and row - found[-1][-1] <= 6:
            last = found[-1][-1]
            if abs(lags[row, path[row]] - lags[last, path[last]]) <= near * (row - last):
                found[-1].append(row)
                continue
        found.append([row])
    return found


def _fit(film: Floats, song: Floats, centre: Any, lag: Any, score: float, window: float) -> Piece | None:
    """Return the piece through the places of its windows, refined by the wave."""
    points = []
    for time, coarse in zip(centre, lag, strict=True):
        for at in (time - window / 4, time + window / 4):
            fine, sure = _refine(film, song, at, coarse)
            if sure > 0.12:
                points.append((at, fine))
    if score < _CERTAIN and len(points) < len(centre):
        return None  # alike in its spectra only: another piece of the same kind
    table = np.array(points) if len(points) >= 2 else np.stack([centre, lag], 1)
    slope, offset = _line(table[:, 0], table[:, 1])
    start, end = max(0.0, float(centre[0]) - window / 2), min(len(film) / RATE, float(centre[-1]) + window / 2)
    stretch = 1.0 + slope
    at = start * stretch + offset
    if at < 0:  # the song cannot begin before its beginning
        start, at = start - at / stretch, 0.0
    end = min(end, start + (len(song) / RATE - at) / stretch)
    return Piece(start, end, at, stretch, score) if end - start > 0.5 else None


def _extended(film: Floats, song: Floats, piece: Piece) -> Piece:
    """Return the piece as far as the wave goes on agreeing beyond its windows, at either end (steps of 50 ms)."""
    start = _reach(film, song, piece, piece.start, -0.05)
    end = _reach(film, song, piece, piece.end, 0.05)
    return replace(piece, start=start, end=end, song=piece.song_time(start))


def _reach(film: Floats, song: Floats, piece: Piece, edge: float, step: float) -> float:
    last, time, misses = edge, edge, 0
    while misses < 8:
        time += step
        if not 0 <= time <= len(film) / RATE or not 0 <= piece.song_time(time) <= len(song) / RATE:
            # The last window of all is shorter than the correlation: the song runs to the end.
            return min(max(time - step, 0.0), len(film) / RATE) if misses < 4 else last
        if _agree(film, song, piece, time) > 0.3:
            last, misses = time, 0
        else:
            misses += 1
    return last


def _line(x: Any, y: Any) -> tuple[float, float]:
    """Return (slope, offset) of the line most points agree with: the median of slopes (Theil-Sen), then of offsets."""
    if len(x) < 4 or float(np.ptp(x)) < 6.0:
        return 0.0, float(np.median(y))
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), 160)).astype(int))
    a, b = x[keep], y[keep]
    dx, dy = a[None, :] - a[:, None], b[None, :] - b[:, None]
    far = dx > 0.25 * float(np.ptp(a))
    slope = float(np.median(dy[far] / dx[far]))
    # Less than 5 ms over the piece is no stretch, but the noise of the places.
    if abs(slope) * float(np.ptp(x)) < 0.005:
        slope = 0.0
    return slope, float(np.median(y - slope * x))


def _refine(film: Floats, song: Floats, time: float, lag: float, *, reach: float = 0.06) -> tuple[float, float]:
    """Return (lag, peak 0..1): where the wave about film second `time` sounds in the song less `time`."""
    size, extra = RATE, round(reach * RATE)
    begin, into = round((time - 0.5) * RATE), round((time - 0.5 + lag) * RATE) - extra
    if begin < 0 or into < 0 or begin + size > len(film) or into + size + 2 * extra > len(song):
        return lag, 0.0
    piece, place = film[begin : begin + size], song[into : into + size + 2 * extra]
    length = 1 << (size + 2 * extra - 1).bit_length()
    cross = np.fft.rfft(place, length) * np.conj(np.fft.rfft(piece, length))
    hz = np.fft.rfftfreq(length, 1 / RATE)
    # Whitened, but only where music has its energy; half-whitened keeps noise bins from voting.
    cross = np.where((hz > 100) & (hz < 4000), cross / (np.abs(cross) ** 0.7 + 1e-9), 0)
    shift = np.fft.irfft(cross, length)[: 2 * extra + 1]
    best = int(np.argmax(shift))
    around = np.abs(shift)
    sure = float(shift[best] / (np.linalg.norm(around) + 1e-12))
    return (into + best) / RATE - (time - 0.5), sure


def _joined(heard: Floats, known: Floats, pieces: list[Piece]) -> tuple[Piece, ...]:
    """Return the pieces without overlap: each seam set where the film stops agreeing with one and begins the other."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.start < found[-1].end:
            seam = _seam(heard, known, found[-1], piece)
            last = found[-1]
            found[-1] = Piece(last.start, seam, last.song, last.stretch, last.score)
            piece = Piece(seam, piece.end, piece.song_time(seam), piece.stretch, piece.score)  # noqa: PLW2901
        if piece.end - piece.start > 0.3:
            found.append(piece)
    return tuple(p for p in found if p.end - p.start > 0.3)


def _seam(heard: Floats, known: Floats, one: Piece, other: Piece) -> float:
    """Return the film second in the overlap of two pieces that splits it best between them (steps of 20 ms).

    Told by the spectra: a stretched wave does not agree with its song's, its spectra do.
    """
    steps = np.arange(round(other.start / _STEP), round(one.end / _STEP))
    steps = steps[(steps >= 0) & (steps < len(heard))]
    if len(steps) < 2:
        return (other.start + one.end) / 2
    gaps = []
    for piece in (one, other):
        at = np.clip(np.rint((piece.song + (steps * _STEP - piece.start) * piece.stretch) / _STEP), 0, len(known) - 1)
        gaps.append(np.abs(heard[steps] - known[at.astype(int)]).mean(1))
    split = np.concatenate([[0.0], np.cumsum(gaps[1] - gaps[0])])
    return float(_STEP * (steps[0] + int(split.argmax())))


def _agree(film: Floats, song: Floats, piece: Piece, time: float) -> float:
    """Return the correlation of film and song over 80 ms."""
    size = round(0.08 * RATE)
    a, b = round(time * RATE) - size // 2, round(piece.song_time(time) * RATE) - size // 2
    if a < 0 or b < 0 or a + size > len(film) or b + size > len(song):
        return 0.0
    x, y = film[a : a + size], song[b : b + size]
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y) + 1e-6))
