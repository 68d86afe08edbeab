# SPDX-License-Identifier: Apache-2.0
"""Words of a known English text, placed by forced alignment: PocketSphinx, with the model that its package carries."""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.media.scan import SOUND_RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_KNOWN = 0.6  # share of words that its dictionary must have: of another language it has fewer
_LONGEST = 600  # s
_SOUNDS = {
    "th": "TH", "sh": "SH", "ch": "CH", "ph": "F", "ee": "IY", "oo": "UW", "ou": "AW", "ai": "EY", "ck": "K",
    "qu": "K W", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "Y", "z": "Z", "0": "Z IH R OW", "1": "W AH N", "2": "T UW",
    "3": "TH R IY", "4": "F AO R", "5": "F AY V", "6": "S IH K S", "7": "S EH V AH N", "8": "EY T", "9": "N AY N",
}  # fmt: skip


def present() -> bool:
    """Return whether PocketSphinx is installed (extra ``backbeat[words]``)."""
    return importlib.util.find_spec("pocketsphinx") is not None


@cache
def _decoder() -> Any:
    import pocketsphinx

    return pocketsphinx.Decoder(samprate=SOUND_RATE, lm=None, loglevel="FATAL", bestpath=False)


def sounds(word: str) -> str:
    """Return a rough pronunciation of a word that no dictionary has, letter by letter."""
    parts = re.findall("|".join(_SOUNDS), word.lower())
    return " ".join(_SOUNDS[p] for p in parts)


def placed(said: Sequence[str], wave: NDArray[Any]) -> list[tuple[float, float]] | None:
    """Return when each word begins and ends (s from the first sample), None where the text does not fit the sound.

    `wave`: mono at 16 kHz, float or int16.
    """
    decoder = _decoder()
    names = [re.sub(r"[^\w']", "", word.lower().replace("’", "'")) for word in said]
    known = [decoder.lookup_word(name) is not None for name in names]
    if not names or len(wave) > _LONGEST * SOUND_RATE or sum(known) < _KNOWN * len(names):
        return None
    for name, has in zip(names, known, strict=True):
        if not has:
            spoken = sounds(name)
            if not spoken:
                return None
            decoder.add_word(name, spoken, update=True)
    loud = wave.astype(np.float32) / (32767 if wave.dtype == np.int16 else 1)
    peak = float(np.abs(loud).max()) if len(loud) else 0.0
    if peak < 1e-4:
        return None
    data = (loud * (0.7 / peak) * 32767).astype("<i2").tobytes()
    try:
        decoder.set_align_text(" ".join(names))
        decoder.start_utt()
        decoder.process_raw(data, full_utt=True)
        decoder.end_utt()
        found = [s for s in decoder.seg() or () if re.sub(r"\(\d+\)$", "", s.word) in names]
    except RuntimeError:
        return None
    if [re.sub(r"\(\d+\)$", "", s.word) for s in found] != names:
        return None
    return [(s.start_frame / 100, (s.end_frame + 1) / 100) for s in found]
