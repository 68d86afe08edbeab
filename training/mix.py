# SPDX-License-Identifier: Apache-2.0
"""Pieces to features: place the one-shots, glue them as a master would, and look at them as the ear does."""

from __future__ import annotations

import numpy as np
from compose import Part, Piece  # noqa: TC002
from scipy.signal import lfilter

from backbeat.listen.spectrum import BANDS, FPS, RATE, log_mel

RELEASE = int(0.03 * RATE)


def _place(out: np.ndarray, part: Part) -> None:
    limit = len(out)
    fade = np.linspace(1, 0, RELEASE, dtype=np.float32)
    for time, length, pitch, velocity in part.notes:
        at = round(time * RATE)
        if at < 0 or at >= limit:
            continue
        sound = part.voice.sound(pitch)
        if sound is None:
            continue
        size = min(len(sound), round(length * RATE) + RELEASE, limit - at)
        if size < 8:
            continue
        piece = sound[:size] * np.float32(part.gain * velocity**1.5)
        if size < len(sound) and size > RELEASE:
            piece[-RELEASE:] *= fade
        out[at : at + size] += piece


def mix(piece: Piece, rng: np.random.Generator, seconds: float) -> np.ndarray:
    """Return mono samples."""
    size = int(seconds * RATE)
    buses = {name: np.zeros(size, np.float32) for name in ("drums", "band", "lead")}
    for part in piece.parts:
        _place(buses[part.bus], part)
    for name in ("band", "lead"):
        level = float(np.sqrt(np.mean(np.square(buses[name])))) + 1e-9
        drums = float(np.sqrt(np.mean(np.square(buses["drums"]))))
        if level > 1e-6 and drums > 1e-6:  # a chosen balance instead of a random one
            buses[name] *= drums / level * 10 ** (rng.uniform(-14, 9) / 20)
    if rng.random() < 0.3 and len(piece.times) > 2:  # pumping
        depth = rng.uniform(0.3, 0.95)
        at = np.arange(size, step=64) / RATE
        last = piece.times[np.maximum(np.searchsorted(piece.times, at, "right") - 1, 0)]
        pump = 1 - depth * np.exp(-np.maximum(at - last, 0) / rng.uniform(0.05, 0.2))
        buses["band"] *= np.repeat(pump, 64)[:size].astype(np.float32)
    if rng.random() < 0.35:  # an overdriven band
        level = float(np.sqrt(np.mean(np.square(buses["band"])))) + 1e-9
        buses["band"] = np.tanh(rng.uniform(1, 8) * buses["band"] / (3 * level)) * level
    out = buses["drums"] + buses["band"] + buses["lead"]
    out /= np.abs(out).max() + 1e-9
    if rng.random() < 0.6:
        drive = np.exp(rng.uniform(0, 2.3))
        out = np.tanh(drive * out) / np.tanh(drive)
    if rng.random() < 0.4:
        out += rng.normal(0, 10 ** rng.uniform(-4.5, -2), size).astype(np.float32)
    return out.astype(np.float32)


def picture(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the log-mel picture after a room and an equaliser that are drawn here."""
    mel = np.expm1(log_mel(samples)) / 20
    if rng.random() < 0.5:  # a room: a tail of its own for high and low bands
        decay = np.exp(-1 / (FPS * rng.uniform(0.05, 0.35)))
        wet = rng.uniform(0.05, 0.5)
        power = mel**2
        tail = lfilter([0, 1 - decay], [1, -decay], power, axis=0)
        mel = np.sqrt(power + wet * tail)
    tilt = np.exp(np.linspace(-1, 1, BANDS) * rng.normal(0, 0.5))
    knots = np.exp(rng.normal(0, 0.4, 8))
    mel = mel * tilt * np.interp(np.linspace(0, 7, BANDS), np.arange(8), knots)
    if rng.random() < 0.12:  # telephone, or dull as a low rate leaves it
        edge = int(rng.integers(25, 60))
        mel[:, edge:] *= 10 ** rng.uniform(-3, -1)
    return np.log1p(20 * mel).astype(np.float16)
