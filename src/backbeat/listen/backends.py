# SPDX-License-Identifier: Apache-2.0
"""Other people's beat trackers behind our protocol; optional, imported when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.errors import MissingPartError
from backbeat.listen import spectrum
from backbeat.listen.snap import snap, straighten
from backbeat.listen.spectrum import Look
from backbeat.listen.tracker import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TRUST = 0.5  # these trackers do not say how sure they are


class LibrosaTracker:
    """librosa's dynamic-programming tracker (Ellis 2007). No bars; its beats, late by 39 ms, are put on the attacks."""

    name = "librosa"

    def __init__(self) -> None:
        try:
            import librosa
        except ImportError:
            raise MissingPartError(
                "the tracker librosa needs the package librosa, which is not installed",
                "pip install 'backbeat[librosa]'",
            ) from None
        self._librosa: Any = librosa

    def track(self, look: Look, bpm: float | None = None) -> Grid:
        """Return the grid of a song; `bpm` is where librosa starts to look."""
        times = self.plain(look.mono, bpm)
        return _grid(times, np.full(len(times), -1), look)

    def plain(self, mono: NDArray[np.float32], bpm: float | None = None) -> NDArray[np.float64]:
        """Return the beats exactly as librosa gives them (s)."""
        _, times = self._librosa.beat.beat_track(y=mono, sr=spectrum.RATE, start_bpm=bpm or 120.0, units="time")
        return np.asarray(times, dtype=np.float64)


class BeatThisTracker:
    """Beat This! (Foscarin, Schlüter & Widmer, ISMIR 2024), in torch. It fetches its weights itself when first used."""

    name = "beat_this"

    def __init__(self) -> None:
        try:
            from beat_this.inference import Audio2Beats
        except ImportError:
            raise MissingPartError(
                "the tracker beat_this needs the package beat-this, which is not installed",
                "pip install 'backbeat[beat-this]'",
            ) from None
        try:
            self._run: Any = Audio2Beats(checkpoint_path="final0", device="cpu", dbn=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise MissingPartError(
                f"the tracker beat_this could not fetch its weights ({type(error).__name__})",
                "connect to the network once, or use --tracker own",
            ) from error

    def track(self, look: Look, bpm: float | None = None) -> Grid:  # noqa: ARG002 - it takes no hint
        """Return the grid of a song."""
        beats, downs = self._run(look.mono, spectrum.RATE)
        times = np.asarray(beats, dtype=np.float64)
        first = [i for i, t in enumerate(times) if len(downs) and np.abs(np.asarray(downs) - t).min() < 0.04]
        positions = np.full(len(times), -1)
        for a, b in zip(first, [*first[1:], len(times)], strict=True):
            positions[a:b] = np.arange(1, b - a + 1)
        return _grid(times, positions, look)


def _grid(times: NDArray[np.float64], positions: NDArray[np.int64], look: Look) -> Grid:
    if len(times) > 3:
        times = straighten(snap(times, look.attack))
    bars = np.diff(np.flatnonzero(positions == 1))
    meter = int(np.bincount(bars).argmax()) if len(bars) else 4
    trust = np.full(len(times), _TRUST)
    return Grid(times, positions.astype(np.int64), trust, meter, _TRUST if len(times) > 3 else 0.0)
