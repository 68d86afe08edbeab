# SPDX-License-Identifier: Apache-2.0
"""How alike the beats of a song are, and how much a seam would stand out from its natural beats.

`distance` feeds the path search of a retargeted song; `Meter` measures rendered seams against the song itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
import soxr
from numpy.typing import NDArray

Array = NDArray[Any]

RATE = 24_000  # Hz; all analysis is done at this rate
HOP = 192  # 8 ms
WINDOW = 1024
CHROMA_HOP = 1024
CHROMA_WINDOW = 4096
_MEL = 48
_CLICK_HZ = 7_000.0


@dataclass(frozen=True, slots=True)
class Spectra:
    """One pass over mono sound at `RATE`.

    `mel`: (frames, 48) dB every `HOP`; `flux`: (frames,) mean rise of `mel`; `chroma`: (frames, 12) every
    `CHROMA_HOP`, each of length 1; `energy`: (samples + 1,) running sum of squares above 100 Hz; `high`: (samples,)
    magnitude above 7 kHz. Frame k is centred on sample ``k * hop``.
    """

    mel: Array
    flux: Array
    chroma: Array
    energy: Array
    high: Array


@cache
def _mel_bank() -> Array:
    """Return triangles, shape (bins, 48), equal on the mel scale from 30 Hz to 11 kHz (O'Shaughnessy's formula)."""

    def mel(hz: float) -> float:
        return 2595.0 * float(np.log10(1 + hz / 700))

    edges = 700 * (10 ** (np.linspace(mel(30), mel(11_000), _MEL + 2) / 2595) - 1)
    hz = np.fft.rfftfreq(WINDOW, 1 / RATE)[:, None]
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    bank: Array = np.maximum(0, np.minimum(rise, fall))
    # low triangles are narrower than a bin; give each at least its nearest bin
    nearest = np.argmin(np.abs(hz - edges[1:-1]), axis=0)
    bank[nearest, np.arange(_MEL)] = np.maximum(bank[nearest, np.arange(_MEL)], 0.5)
    return np.asarray(bank / bank.sum(0), np.float32)


@cache
def _chroma_bank() -> Array:
    """Return weights, shape (bins, 12), that fold 60 Hz .. 2.1 kHz on the twelve pitch classes."""
    hz = np.fft.rfftfreq(CHROMA_WINDOW, 1 / RATE)[1:]
    pitch = 12 * np.log2(hz / 440.0) + 69
    away = (pitch[:, None] - np.arange(12) + 6) % 12 - 6
    bank = np.exp(-0.5 * (away / 0.5) ** 2) * ((hz > 60) & (hz < 2_100))[:, None]
    return np.vstack([np.zeros((1, 12)), bank]).astype(np.float32)


def _stft(mono: Array, window: int, hop: int) -> Array:
    """Return magnitudes, shape (frames, bins); frame k is centred on sample ``k * hop``."""
    padded = np.pad(mono, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    shape = scipy.signal.get_window("hann", window).astype(np.float32)
    out = np.empty((len(frames), window // 2 + 1), np.float32)
    for a in range(0, len(frames), 2048):  # in blocks, to keep the memory small
        out[a : a + 2048] = np.abs(scipy.fft.rfft(frames[a : a + 2048] * shape, axis=1))
    return out


@cache
def _filters() -> tuple[Array, Array]:
    return (
        scipy.signal.butter(2, 100, "hp", fs=RATE, output="sos"),
        scipy.signal.butter(4, _CLICK_HZ, "hp", fs=RATE, output="sos"),
    )


def to_mono(samples: Array, rate: int) -> Array:
    """Return samples of shape (channels, n) as mono float32 at `RATE`."""
    mono = np.asarray(samples, np.float32).mean(0)
    return np.asarray(soxr.resample(mono, rate, RATE) if rate != RATE else mono, np.float32)


def spectra(mono: Array) -> Spectra:
    """Measure mono sound at `RATE` once; see `Spectra`."""
    mel = 20 * np.log10(_stft(mono, WINDOW, HOP) @ _mel_bank() / WINDOW * 4 + 1e-4)
    flux = np.maximum(np.diff(mel, axis=0, prepend=mel[:1]), 0).mean(1)
    chroma = np.log1p(100 * (_stft(mono, CHROMA_WINDOW, CHROMA_HOP) / CHROMA_WINDOW * 4) @ _chroma_bank())
    chroma /= np.linalg.norm(chroma, axis=1, keepdims=True) + 1e-6
    rumble, click = _filters()
    energy = np.concatenate([[0.0], np.cumsum(scipy.signal.sosfilt(rumble, mono).astype(np.float64) ** 2)])
    return Spectra(mel, flux, chroma, energy, np.abs(scipy.signal.sosfilt(click, mono)))


def _slots(curve: Array, edges: Array, parts: int) -> Array:
    """Return means of `curve` (frames, d) in `parts` equal slots between successive `edges` (frames): (n, parts*d)."""
    total = np.vstack([np.zeros((1, curve.shape[1])), np.cumsum(curve, axis=0, dtype=np.float64)])
    grid = edges[:-1, None] + np.diff(edges)[:, None] * np.arange(parts + 1) / parts
    at = np.clip(np.rint(grid), 0, len(curve)).astype(int)
    # a slot shorter than a frame takes the frame it lies in
    low = np.minimum(at[:, :-1], len(curve) - 1)
    high = np.maximum(at[:, 1:], low + 1)
    means = (total[high] - total[low]) / (high - low)[..., None]
    return np.asarray(means).reshape(len(edges) - 1, -1)


def _apart(X: Array, *, cosine: bool) -> Array:
    if cosine:
        unit = X / (np.linalg.norm(X, axis=1, keepdims=True) + 1e-9)
        return np.asarray(1 - unit @ unit.T)
    square = (X**2).sum(1)
    return np.asarray(np.sqrt(np.maximum(square[:, None] + square - 2 * X @ X.T, 0)))


def distance(found: Spectra, times: Array) -> Array:
    """Return how unlike the beats sound, shape (n, n) float32; 1 is the song's median pair.

    Beat i lasts from ``times[i]`` to ``times[i + 1]``, the last one as long as the one before. Four parts: spectrum in
    four slots of the beat (0.4), chroma in two (0.3), timbre as cepstrum (0.15), level (0.15).
    """
    times = np.asarray(times, float)
    edges = np.append(times, 2 * times[-1] - times[-2]) if len(times) > 1 else np.array([times[0], times[0] + 0.5])
    frame = edges * RATE / HOP
    mel = _slots(found.mel, frame, 4)
    whole = _slots(found.mel, frame, 1)
    cepstrum = scipy.fft.dct(whole, axis=1, norm="ortho")[:, 1:14]
    parts = (
        (mel, False, 0.4),
        (_slots(found.chroma, edges * RATE / CHROMA_HOP, 2), True, 0.3),
        (cepstrum, False, 0.15),
        (whole.mean(1, keepdims=True), False, 0.15),
    )
    total = np.zeros((len(times), len(times)))
    for values, cosine, weight in parts:
        apart = _apart(values, cosine=cosine)
        total += weight * apart / (np.median(apart) + 1e-9)
    return total.astype(np.float32)


MEASURES = ("onset", "timbre", "harmony", "level", "click")


def at(found: Spectra, time: float, period: float) -> Array:
    """Return the five changes about `time` (s), in the order of `MEASURES`.

    onset: largest flux within 30 ms (dB); timbre: distance of the mel means 20..200 ms before and after; harmony:
    1 - cosine of the chroma a beat (`period`, s) before and after; level: step over 400 ms (dB); click: peak above
    7 kHz from 20 ms before to 8 ms after, over the median about it (dB).
    """

    def mean(curve: Array, hop: int, a: float, z: float) -> Array:
        low = min(max(0, round(a * RATE / hop)), len(curve) - 1)
        return np.asarray(curve[low : max(low + 1, round(z * RATE / hop))].mean(0))

    def power(a: float, z: float) -> float:
        low, high = (min(max(0, round(t * RATE)), len(found.energy) - 1) for t in (a, z))
        return 10 * float(np.log10((found.energy[high] - found.energy[low]) / max(1, high - low) + 1e-9))

    a = min(max(0, round((time - 0.03) * RATE / HOP)), len(found.flux) - 1)
    onset = found.flux[a : max(a + 1, round((time + 0.03) * RATE / HOP))].max()
    timbre = np.linalg.norm(
        mean(found.mel, HOP, time - 0.2, time - 0.02) - mean(found.mel, HOP, time + 0.02, time + 0.2)
    )
    before = mean(found.chroma, CHROMA_HOP, time - period, time)
    after = mean(found.chroma, CHROMA_HOP, time, time + period)
    harmony = 1 - before @ after / (np.linalg.norm(before) * np.linalg.norm(after) + 1e-9)
    level = abs(power(time, time + 0.4) - power(time - 0.4, time))
    near = found.high[max(0, round((time - 0.02) * RATE)) : round((time + 0.008) * RATE)]
    about = found.high[max(0, round((time - 0.15) * RATE)) : round((time + 0.15) * RATE)]
    peak = float(near.max()) if near.size else 0.0
    click = 20 * np.log10((peak + 1e-6) / (float(np.median(about)) + 1e-5)) if about.size else 0.0
    return np.array([onset, timbre, harmony, level, click])


@dataclass(frozen=True, slots=True)
class SeamFigures:
    """A seam against its song's own beats.

    `percentile` 0..100: where the mean of the five percentiles (`parts`, in the order of `MEASURES`) stands among the
    song's natural beats. Nine in ten natural beats stay below 90.
    """

    percentile: float
    parts: tuple[float, ...]


class Meter:
    """Measures seams of one song against its natural beats.

    Parameters
    ----------
    found
        The song's spectra.
    times
        Its beats in seconds.
    """

    def __init__(self, found: Spectra, times: Array) -> None:
        times = np.asarray(times, float)
        self.period = float(np.median(np.diff(times))) if len(times) > 1 else 0.5
        last = len(found.high) / RATE
        inner = times[(times > self.period + 0.45) & (times < last - self.period - 0.45)]
        natural = np.array([at(found, t, self.period) for t in inner] or [np.zeros(len(MEASURES))])
        self._sorted = np.sort(natural, axis=0)
        self._means = np.sort(np.array([self._parts(row).mean() for row in natural]))

    def _parts(self, row: Array) -> Array:
        count = max(1, len(self._sorted))
        return np.array([np.searchsorted(self._sorted[:, k], row[k]) * 100 / count for k in range(len(MEASURES))])

    def measure(self, excerpt: Array, time: float) -> SeamFigures:
        """Measure a rendered seam.

        Parameters
        ----------
        excerpt
            Mono sound at `RATE`, at least a beat and half a second either side of the seam.
        time
            Where in it the landing beat falls (s).
        """
        parts = self._parts(at(spectra(excerpt), time, self.period))
        percentile = float(np.searchsorted(self._means, parts.mean()) * 100 / max(1, len(self._means)))
        return SeamFigures(percentile, tuple(float(p) for p in parts))


def align(mono: Array, out: float, into: float, *, reach: float = 0.006) -> tuple[float, float]:
    """Return (seconds to add to `into`, correlation -1..1) at which the waveform about `into` fits that about `out`.

    Below 3 kHz, over 0.2 s either side, within `reach` seconds. (0, r) where r stays under 0.5: unlike sounds give no
    true peak, and on a rigid song the grid alone is better (measured: free correlation moves joins off it).
    """
    half, slack = round(0.2 * RATE), round(reach * RATE)
    low = scipy.signal.butter(4, 3_000, fs=RATE, output="sos")

    def cut(time: float, extra: int) -> Array:
        a, z = round(time * RATE) - half - extra, round(time * RATE) + half + extra
        piece = mono[max(0, a) : max(0, z)]
        return np.asarray(
            scipy.signal.sosfilt(low, np.pad(piece, (max(0, -a), max(0, z - a - len(piece) - max(0, -a)))))
        )

    here, there = cut(out, 0), cut(into, slack)
    score = scipy.signal.correlate(there, here, "valid")
    size = np.sqrt((here**2).sum() * np.maximum(np.convolve(there**2, np.ones(len(here)), "valid"), 1e-12)) + 1e-9
    score = score / size
    best = int(score.argmax())
    return ((best - slack) / RATE if score[best] > 0.5 else 0.0), float(score[best])


@dataclass(frozen=True, slots=True)
class Tail:
    """How a song ends.

    `kind`: true (a last attack that decays), fade (attacks go on while the level falls) or stop (cut off, or a loop).
    Seconds: `first`, `last`: the first and last audible instants; `attack`: the last loud one; `settled`: when that has
    lost 20 dB.
    """

    kind: str
    first: float
    last: float
    attack: float
    settled: float


def tail(mono: Array) -> Tail:
    """Tell how mono sound at `RATE` ends, from its level alone (mean magnitude in steps of 20 ms)."""
    step = RATE // 50
    count = max(1, len(mono) // step)
    blocks = np.pad(mono, (0, max(0, step - len(mono))))[: count * step].reshape(count, step)
    level = 20 * np.log10(np.abs(blocks).mean(1, dtype=np.float64) + 1e-7)
    loud = float(np.percentile(level, 90))
    heard = np.flatnonzero(level > loud - 50)
    if loud < -100:
        return Tail("stop", 0.0, len(mono) / RATE, 0.0, len(mono) / RATE)
    begin = int(np.flatnonzero(level > loud - 60)[0])
    end = int(heard[-1]) + 1
    rise = level[3:end] - np.minimum.reduce([level[k : end - 3 + k] for k in range(3)])
    rises = np.flatnonzero(rise > 6) + 3
    onsets = rises[level[rises] > loud - 25]
    attack = int(onsets[-1]) if onsets.size else max(0, end - 50)
    below = np.flatnonzero(level[attack:end] < level[attack : attack + 5].max() - 20)
    settled = attack + int(below[0]) if below.size else end
    if level[max(0, end - 4) : max(1, end - 1)].mean() > loud - 18:
        kind = "stop"
    elif _fades(level[max(0, end - 400) : end], rises - max(0, end - 400)):
        kind = "fade"
    else:
        kind = "true"
    return Tail(kind, begin * 0.02, min(end * 0.02, len(mono) / RATE), attack * 0.02, settled * 0.02)


def _fades(level: Array, rises: Array) -> bool:
    """Whether the last eight seconds fall by 20 dB in a straight line while attacks go on into their second half."""
    if len(level) < 400:
        return False
    seconds = level.reshape(8, 50).max(1)
    slope, offset = np.polyfit(np.arange(8), seconds, 1)
    rest = seconds - (slope * np.arange(8) + offset)
    straight = 1 - float(rest.var()) / max(float(seconds.var()), 1e-9)
    return bool(slope * 7 < -20 and straight > 0.8 and (rises > 200).any())
