# SPDX-License-Identifier: Apache-2.0
"""A cue made to sound: the song's pieces joined, its ending rung out, the whole stretched to the sample."""

from __future__ import annotations

import numpy as np
import scipy.signal
import soxr
from numpy.typing import NDArray

from backbeat.make.echo import echoed_out
from backbeat.media.samples import Sound
from backbeat.model.cue import Cue, Seam

Samples = NDArray[np.float32]

VARISPEED = 0.005  # up to here pitch may move with the tempo (8.6 cents): it keeps attacks sharp
_OVERLAP = 0.02  # crossfade between differently stretched spans (s)
_PAD = 0.1  # what a stretched span is given either side, so that its ends are settled (s)


def cue_samples(sound: Sound, cue: Cue, *, frames: int | None = None) -> Samples:
    """Return the cue as samples at the rate of `sound`, shape (channels, frames), before gains and ducks.

    Seams, stretch, tempo map, fades and ring-out are done; the length is exact to the sample: `frames`, else that of
    the cue. Where the song ends too soon there is silence.
    """
    rate = sound.rate
    count = round((cue.end - cue.start) * rate) if frames is None else frames
    keys = cue.tempo_map or ((cue.start, cue.song_in), (cue.end, cue.song_in + (cue.end - cue.start) * cue.stretch))
    film = [round((k[0] - cue.start) * rate) for k in keys]
    played = [round((k[1] - cue.song_in) * rate) for k in keys]
    film[-1] = count if abs(film[-1] - count) < rate // 100 else film[-1]
    ring = round(cue.ring_out * (played[-1] / max(1, film[-1])) * rate)
    straight = joined(sound, cue.song_in, cue.seams, played[-1] + (rate if not ring else 0))
    if ring:
        straight = straight[:, : played[-1]]
        echo = round(cue.echo * rate)
        straight = echoed_out(straight, ring, echo, rate) if echo else rung_out(straight, ring, rate)
    out = _stretched(straight, film, played, rate)
    out = np.pad(out[:, :count], ((0, 0), (0, max(0, count - out.shape[1]))))
    _fade(out, round(cue.fade_in * rate), round(cue.fade_out * rate))
    return out


def _fade(samples: Samples, first: int, last: int) -> None:
    if first > 0:
        first = min(first, samples.shape[1])
        samples[:, :first] *= np.sin(np.linspace(0, np.pi / 2, first, dtype=np.float32)) ** 2
    if last > 0:
        last = min(last, samples.shape[1])
        samples[:, -last:] *= np.cos(np.linspace(0, np.pi / 2, last, dtype=np.float32)) ** 2


def _take(sound: Sound, first: int, count: int) -> Samples:
    """Return `count` samples from `first`, silence where the song has none."""
    n = sound.samples.shape[1]
    a, z = min(max(0, first), n), min(max(0, first + count), n)
    left = min(max(0, -first), count)
    return np.pad(sound.samples[:, a:z], ((0, 0), (left, count - left - (z - a))))


def joined(sound: Sound, song_in: float, seams: tuple[Seam, ...], count: int) -> Samples:
    """Return `count` samples of the song from `song_in`, jumping at each seam; no stretch.

    A crossfade is centred on its seam. Its gains keep the power whether the two sides run alike or not: equal power,
    corrected by their measured correlation.
    """
    rate = sound.rate
    out = np.zeros((sound.samples.shape[0], count), np.float32)
    at, place = round(song_in * rate), 0  # song sample now, and where it goes
    half_before = 0
    for seam in (*seams, None):
        length = count - place if seam is None else round(seam.out * rate) - at
        half = 0 if seam is None else max(1, round(seam.crossfade * rate / 2))
        piece = _take(sound, at - half_before, half_before + length + half)
        if half_before:
            fade = 2 * half_before
            here = slice(place - half_before, min(place + half_before, count))
            width = here.stop - here.start
            if width > 0:
                out[:, here] = _cross(out[:, here], piece[:, :fade][:, :width], fade)
            piece = piece[:, fade:]
            place_in = place + half_before
        else:
            place_in = place
        z = min(count, place_in + piece.shape[1])
        if z > place_in:
            out[:, place_in:z] = piece[:, : z - place_in]
        if seam is None:
            break
        place += length
        at, half_before = round(seam.into * rate), half
        if place >= count:
            break
    return out


def _cross(a: Samples, b: Samples, fade: int) -> Samples:
    u = (np.arange(a.shape[1], dtype=np.float32) + 0.5) / fade * (np.pi / 2)
    down, up = np.cos(u), np.sin(u)
    power = float(np.sqrt((a.astype(float) ** 2).sum() * (b.astype(float) ** 2).sum()))
    alike = max(0.0, float((a.astype(float) * b).sum()) / power) if power > 1e-12 else 0.0
    return np.asarray((a * down + b * up) / np.sqrt(1 + 2 * alike * down * up), np.float32)


def rung_out(samples: Samples, ring: int, rate: int) -> Samples:
    """Return `samples` with its last `ring` samples made a tail: the beat before it decays as in a hall.

    The song itself falls away within 0.6 s of the beat; two seconds of it, up to there, excite decaying noise (seeded,
    one per channel, 60 dB over the tail, darkening). The tail starts 8 dB under what was playing and ends in silence.
    """
    out = samples.copy()
    n = out.shape[1]
    stop = max(0, n - ring)
    release = min(ring, round(0.6 * rate))
    hold = min(release, round(0.06 * rate))
    fall = np.zeros(n - stop, np.float32)
    fall[:hold] = 1
    fall[hold:release] = np.cos(np.linspace(0, np.pi / 2, release - hold, dtype=np.float32)) ** 2
    out[:, stop:] *= fall
    first = max(0, stop - 2 * rate)
    source = out[:, first:] * np.minimum(1, np.arange(n - first, dtype=np.float32) / (1.5 * rate)) ** 2
    t = np.arange(ring, dtype=np.float32) / max(1, ring)
    noise = np.random.default_rng(7).standard_normal((out.shape[0], ring)).astype(np.float32)
    dark = scipy.signal.lfilter([0.35], [1, -0.65], noise, axis=1)
    hall = (dark * 10 ** (-3 * t)).astype(np.float32)
    wet = np.stack([scipy.signal.fftconvolve(x, h)[: n - first] for x, h in zip(source, hall, strict=True)])
    window = round(0.3 * rate)
    before = float(np.sqrt(np.mean(samples[:, max(0, stop - window) : stop + window].astype(float) ** 2)))
    after = float(np.sqrt(np.mean(wet[:, stop - first : stop - first + 2 * window].astype(float) ** 2)))
    gain = before / after * 10 ** (-8 / 20) if after > 1e-9 else 0.0
    rise = np.zeros(n - first, np.float32)
    swell = min(stop - first, rate // 4)
    rise[stop - first - swell : stop - first] = np.linspace(0, 1, swell, dtype=np.float32)
    rise[stop - first :] = 1
    end = max(1, ring // 3)
    rise[-end:] *= np.cos(np.linspace(0, np.pi / 2, end, dtype=np.float32)) ** 2
    out[:, first:] += (wet * gain * rise).astype(np.float32)
    return out


def _stretched(straight: Samples, film: list[int], played: list[int], rate: int) -> Samples:
    """Return `straight` with sample ``played[k]`` at ``film[k]``."""
    if all(a == b for a, b in zip(film, played, strict=True)):
        return straight[:, : film[-1]]
    if len(film) == 2:
        return to_length(straight[:, : played[-1]], film[-1], rate)
    overlap, pad = round(_OVERLAP * rate), round(_PAD * rate)
    out = np.zeros((straight.shape[0], film[-1]), np.float32)
    for k in range(len(film) - 1):
        a, z = played[k], played[k + 1]
        ratio = (film[k + 1] - film[k]) / max(1, z - a)
        left, right = min(pad, a), min(pad, straight.shape[1] - z)
        before, after = round(left * ratio), round(right * ratio)
        span = to_length(straight[:, a - left : z + right], film[k + 1] - film[k] + before + after, rate)
        # the neighbours share `overlap` samples about the knot
        half_in = min(overlap // 2, before) if k else 0
        half_out = min(overlap // 2, after) if k + 2 < len(film) else 0
        first, last = film[k] - half_in, film[k + 1] + half_out
        piece = span[:, before - half_in : before - half_in + (last - first)].copy()
        if half_in:
            shared = slice(first, first + 2 * half_in)
            piece[:, : 2 * half_in] = _cross(out[:, shared], piece[:, : 2 * half_in], 2 * half_in)
        out[:, first : min(last, film[-1])] = piece[:, : min(last, film[-1]) - first]
    return out


def to_length(samples: Samples, count: int, rate: int) -> Samples:
    """Return `samples` lasting exactly `count` samples: varispeed within 0.5 %, pitch kept beyond (Signalsmith)."""
    n = samples.shape[1]
    if n == count or not n:
        return np.pad(samples[:, :count], ((0, 0), (0, max(0, count - n))))
    if abs(n / count - 1) <= VARISPEED:
        made = soxr.resample(samples.T, n, count, quality="HQ").T
    else:
        from python_stretch import Signalsmith

        engine = Signalsmith.Stretch(1)  # seeded: the same sound every time
        engine.preset(samples.shape[0], rate)
        engine.timeFactor = n / count
        made = engine.process(np.ascontiguousarray(samples, np.float32))
    made = np.asarray(made[:, :count], np.float32)
    return np.pad(made, ((0, 0), (0, count - made.shape[1])))
