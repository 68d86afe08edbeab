# SPDX-License-Identifier: Apache-2.0
"""The ear's network, run with numpy alone. It is trained by ``training/``; its weights lie beside this module."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

SLOWEST, FASTEST, TEMPI = 45.0, 230.0, 40  # of the tempo head: states evenly spaced in octaves
_BLOCK = 1024  # frames looked at by the picture front at a time


@cache
def weights() -> dict[str, Array]:
    """Return the trained weights, float32."""
    with resources.files("backbeat.listen").joinpath("ear.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def tempo_states() -> NDArray[np.float64]:
    """Return the tempi (beats a minute) that the tempo head tells apart."""
    return np.asarray(SLOWEST * (FASTEST / SLOWEST) ** (np.arange(TEMPI) / (TEMPI - 1)), dtype=np.float64)


def run(mel: Array) -> tuple[Array, Array]:
    """Return log probabilities of (nothing, beat, downbeat), shape (frames, 3), and of the tempo, shape (frames, 40).

    `mel` is the picture of `spectrum.log_mel`.
    """
    w = weights()
    x = _front(mel * w["scale"] + w["offset"], w)
    for layer in range(sum(1 for name in w if name.endswith(".near"))):
        x = _block(x, w, layer)
    out = x @ w["head.w"] + w["head.b"]
    return _log_softmax(out[:, :3]), _log_softmax(out[:, 3:])


def _log_softmax(x: Array) -> Array:
    x = x - x.max(1, keepdims=True)
    return np.asarray(x - np.log(np.exp(x).sum(1, keepdims=True)), dtype=np.float32)


def _front(mel: Array, w: dict[str, Array]) -> Array:
    """Three convolutions over time and bands, a block of frames at a time so that the patches stay small."""
    parts = []
    padded = np.pad(mel, ((2, 2), (0, 0)))
    for start in range(0, len(mel), _BLOCK):
        size = min(_BLOCK, len(mel) - start)
        x = padded[start : start + size + 4, :, None]
        x = _conv(x, w["c1.w"], w["c1.b"], 3)
        # The network pads each layer with silence, also the second; only the ends of the song see it.
        if start == 0:
            x[0] = 0
        if start + size == len(mel):
            x[-1] = 0
        x = _conv(x, w["c2.w"], w["c2.b"], 2)
        parts.append(_conv(x, w["c3.w"], w["c3.b"], 1)[:, 0])
    return np.concatenate(parts)


def _conv(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """Convolve (time, band, in) with (time, band, in, out), unpadded, bands by `stride`; rectify."""
    high, wide, _, out = weight.shape
    patches = np.lib.stride_tricks.sliding_window_view(x, (high, wide), axis=(0, 1))[:, ::stride]
    patches = patches.transpose(0, 1, 3, 4, 2)
    flat = patches.reshape(patches.shape[0] * patches.shape[1], -1) @ weight.reshape(-1, out) + bias
    np.maximum(flat, 0, out=flat)
    return np.asarray(flat.reshape(patches.shape[0], patches.shape[1], out), dtype=np.float32)


def _block(x: Array, w: dict[str, Array], layer: int) -> Array:
    """Two dilated convolutions of five taps side by side, rectified, joined and added to `x`."""
    step = 2**layer
    reach = 4 * step
    padded = np.pad(x, ((reach, reach), (0, 0)))
    channels = x.shape[1]
    wide = np.empty((len(x), 2 * channels), np.float32)
    for half, (name, spacing) in enumerate((("near", step), ("far", 2 * step))):
        taps = w[f"t{layer}.{name}"]
        start = reach - 2 * spacing
        total = padded[start : start + len(x)] @ taps[0]
        for tap in range(1, 5):
            a = start + tap * spacing
            total += padded[a : a + len(x)] @ taps[tap]
        wide[:, half * channels : (half + 1) * channels] = total
    wide += w[f"t{layer}.b"]
    np.maximum(wide, 0, out=wide)
    return np.asarray(x + wide @ w[f"t{layer}.join"] + w[f"t{layer}.jb"], dtype=np.float32)
