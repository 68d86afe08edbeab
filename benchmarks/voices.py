# SPDX-License-Identifier: Apache-2.0
"""Speech whose every instant is known: synthetic voices with their words' times, and clean recordings.

eSpeak NG comes in the wheel `espeakng-loader` (group bench); it tells when each word starts. `flite`, where it is
installed, adds voices cut from real speech. Truth of a clean voice is its energy: what lies within 32 dB of its loud
parts and well over its own noise, gaps of less than 0.2 s (stops, breath between words) counted in.
"""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from backbeat.media.samples import read_sound

RATE = 16_000
STEP = 0.01

# Harvard sentences (IEEE 1969, public domain): lists 1 to 3 to tune on, 4 to 6 to score
SENTENCES = {
    "dev": (
        "The birch canoe slid on the smooth planks.", "Glue the sheet to the dark blue background.",
        "It's easy to tell the depth of a well.", "These days a chicken leg is a rare dish.",
        "Rice is often served in round bowls.", "The juice of lemons makes fine punch.",
        "The box was thrown beside the parked truck.", "The hogs were fed chopped corn and garbage.",
        "Four hours of steady work faced us.", "A large size in stockings is hard to sell.",
        "The boy was there when the sun rose.", "A rod is used to catch pink salmon.",
        "The source of the huge river is the clear spring.", "Kick the ball straight and follow through.",
        "Help the woman get back to her feet.", "A pot of tea helps to pass the evening.",
        "Smoky fires lack flame and heat.", "The soft cushion broke the man's fall.",
        "The salt breeze came across from the sea.", "The girl at the booth sold fifty bonds.",
        "The small pup gnawed a hole in the sock.", "The fish twisted and turned on the bent hook.",
        "Press the pants and sew a button on the vest.", "The swan dive was far short of perfect.",
        "The beauty of the view stunned the young boy.", "Two blue fish swam in the tank.",
        "Her purse was full of useless trash.", "The colt reared and threw the tall rider.",
        "It snowed, rained, and hailed the same morning.", "Read verse out loud for pleasure.",
    ),
    "test": (
        "Hoist the load to your left shoulder.", "Take the winding path to reach the lake.",
        "Note closely the size of the gas tank.", "Wipe the grease off his dirty face.",
        "Mend the coat before you go out.", "The wrist was badly strained and hung limp.",
        "The stray cat gave birth to kittens.", "The young girl gave no clear response.",
        "The meal was cooked before the bell rang.", "What joy there is in living.",
        "A king ruled the state in the early days.", "The ship was torn apart on the sharp reef.",
        "Sickness kept him home the third week.", "The wide road shimmered in the hot sun.",
        "The lazy cow lay in the cool grass.", "Lift the square stone over the fence.",
        "The rope will bind the seven books at once.", "Hop over the fence and plunge in.",
        "The friendly gang left the drug store.", "Mesh wire keeps chicks inside.",
        "The frosty air passed through the coat.", "The crooked maze failed to fool the mouse.",
        "Adding fast leads to wrong sums.", "The show was a flop from the very start.",
        "A saw is a tool used for making boards.", "The wagon moved on well oiled wheels.",
        "March the soldiers past the next hill.", "A cup of sugar makes sweet fudge.",
        "Place a rosebush near the porch steps.", "Both lost their lives in the raging storm.",
    ),
}  # fmt: skip
ESPEAK = {
    "dev": ("en-us", "en-us+f3", "en-gb+m3", "en-gb-scotland+f2"),
    "test": ("en-gb", "en-us+f4", "en-us+m7", "en-gb-x-rp+f5"),
}
FLITE = {"dev": ("rms", "kal16"), "test": ("slt", "awb")}


@dataclass(frozen=True, slots=True)
class Utterance:
    """`wave` at 16 kHz; `text`; `words` are (word, start, end) in seconds of the wave, () where unknown."""

    wave: Any
    text: str = ""
    words: tuple[tuple[str, float, float], ...] = ()


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
        ("ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", ctypes.c_char * 8),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@functools.cache
def _espeak() -> tuple[Any, int]:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    return library, library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)


def espeak(text: str, voice: str, speed: int = 160) -> Utterance:
    """Return `text` said by eSpeak, with when each word is said."""
    library, rate = _espeak()
    samples: list[int] = []
    events: list[tuple[int, int, int]] = []

    def take(wave: Any, count: int, event: Any) -> int:
        if wave and count:
            samples.extend(wave[:count])
        i = 0
        while event[i].type:
            if event[i].type == 1:  # a word begins
                events.append((event[i].text - 1, event[i].length, event[i].ms))
            i += 1
        return 0

    hold = _Callback(take)
    library.espeak_SetSynthCallback(hold)
    library.espeak_SetVoiceByName(voice.encode())
    library.espeak_SetParameter(1, speed, 0)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
    wave = soxr.resample(np.array(samples, np.float32) / 32768, rate, RATE)
    said = spoken(wave)
    last = np.flatnonzero(said)[-1] * STEP if said.any() else len(wave) / RATE
    starts = [e[2] / 1000 for e in events]
    ends = [*starts[1:], float(last)]
    words = tuple((text[a : a + n], s, e) for (a, n, _), s, e in zip(events, starts, ends, strict=True))
    return Utterance(wave, text, words)


def flite(text: str, voice: str) -> Utterance:
    """Return `text` said by flite."""
    with tempfile.TemporaryDirectory() as folder:
        name = str(Path(folder) / "a.wav")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", name], check=True)
        return Utterance(read_sound(name, rate=RATE, channels=1).samples[0], text)


def recorded(path: Path) -> Utterance:
    """Return a clean recording."""
    return Utterance(read_sound(str(path), rate=RATE, channels=1).samples[0])


def spoken(wave: Any) -> Any:
    """Return whether a clean voice speaks, bool every 10 ms."""
    n = round(RATE * 0.005)
    power = np.add.reduceat(np.append(wave.astype(np.float64), 0.0) ** 2, np.arange(0, len(wave), n)) / n
    power = np.convolve(power, np.ones(5) / 5, "same")
    level = 10 * np.log10(power + 1e-10)
    floor = max(float(np.percentile(level, 97)) - 32, float(np.percentile(level, 3)) + 10, -75.0)
    mask = (level > floor)[: len(level) // 2 * 2].reshape(-1, 2).any(1)
    return drop(fill(mask, 20), 5)


def runs(mask: Any) -> list[tuple[int, int]]:
    """Return the half-open runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def fill(mask: Any, shorter: int) -> Any:
    """Return `mask` without inner gaps shorter than so many steps."""
    out = mask.copy()
    found = runs(mask)
    for (_, a), (b, _) in pairwise(found):
        if b - a < shorter:
            out[a:b] = True
    return out


def drop(mask: Any, shorter: int) -> Any:
    """Return `mask` without runs shorter than so many steps."""
    out = mask.copy()
    for a, b in runs(mask):
        if b - a < shorter:
            out[a:b] = False
    return out


@dataclass(frozen=True, slots=True)
class Talk:
    """A stretch of speech and silence: `wave`, `mask` of who speaks every 10 ms, its words, its lines."""

    name: str
    wave: Any
    mask: Any
    words: tuple[tuple[str, float, float], ...] = ()
    lines: tuple[tuple[str, float, float], ...] = ()


def talk(name: str, utterances: list[Utterance], seed: int) -> Talk:
    """Return the utterances one after another, 0.3 to 3 s apart and up to 3 dB louder or softer, over faint hiss."""
    random = np.random.default_rng(seed)
    waves, masks, words, lines = [], [], [], []
    at = 0
    for said in utterances:
        gap = round(float(np.exp(random.uniform(np.log(0.3), np.log(3.0)))) / STEP) * round(RATE * STEP)
        waves.append(np.zeros(gap, np.float32))
        masks.append(np.zeros(gap // round(RATE * STEP), bool))
        at += gap
        whole = len(said.wave) // round(RATE * STEP) * round(RATE * STEP)
        wave = said.wave[:whole]
        loud = float(np.sqrt(np.mean(wave[np.repeat(spoken(said.wave)[: whole // 160], 160)] ** 2)))
        waves.append(wave * (0.05 / max(loud, 1e-6) * 10 ** (random.uniform(-3, 3) / 20)))
        masks.append(spoken(said.wave)[: whole // 160])
        begin = at / RATE
        words += [(w, begin + a, begin + b) for w, a, b in said.words]
        here = runs(masks[-1])
        lines.append((said.text, begin + here[0][0] * STEP, begin + here[-1][1] * STEP) if here else ("", begin, begin))
        at += whole
    wave = np.concatenate(waves).astype(np.float32)
    wave += random.normal(0, 10 ** (-68 / 20), len(wave)).astype(np.float32)
    return Talk(name, wave, np.concatenate(masks), tuple(words), tuple(lines))


def talks(half: str, recordings: Path | None = None) -> list[Talk]:
    """Return the talks of a half, dev or test."""
    lines = SENTENCES[half]
    found = []
    for i, voice in enumerate(ESPEAK[half]):
        mine = [espeak(s, voice, 140 + 15 * i) for s in lines[i * 7 % 15 : i * 7 % 15 + 15]]
        found.append(talk(f"espeak {voice}", mine, i))
    if shutil.which("flite"):
        for i, voice in enumerate(FLITE[half]):
            found.append(talk(f"flite {voice}", [flite(s, voice) for s in lines[i * 12 : i * 12 + 15]], 10 + i))
    if recordings:
        real = [recorded(p) for p in sorted((recordings / half).iterdir())]
        found += [talk(f"recorded {k}", real[k::2], 20 + k) for k in range(2)]
    return found
