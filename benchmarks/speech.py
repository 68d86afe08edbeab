# SPDX-License-Identifier: Apache-2.0
"""How well speech is found, and words with a known text, against truth to 10 ms.

    OPENBLAS_NUM_THREADS=1 uv run --group bench python benchmarks/speech.py [--half test] [--voices FOLDER]

Voices are those of voices.py (FOLDER may hold clean recordings in dev/ and test/), mixed with songs and clips of the
shared media. The halves share no voice, sentence, recording, song or clip; settings were chosen on dev.
F1 is over steps of 10 ms, the pads taken off and the pauses taken out; an edge is compared with the nearest found one.
"Unsaid" is the share of true speech that lies outside the padded spans or in an offered pause: what a cut could hit.
"""

from __future__ import annotations

import argparse
import difflib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import voices

from backbeat.media.samples import read_sound
from backbeat.model.time import Span
from backbeat.watch import sphinx
from backbeat.watch.ear import SILENCE, Ear, Hearing
from backbeat.watch.speech import OwnSpeech
from backbeat.watch.words import Cue, aligned

RATE = 16_000
SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "media"
VOCALS = ("us_", "mir_gtzan_country0", "osu_welcome")
EFFECTS = {
    "dev": ("FoleyCrafter__avsync_1.mp4", "FoleyCrafter__vggsound_1.mp4"),  # pistol, sheep
    "test": ("FoleyCrafter__avsync_0.mp4", "FoleyCrafter__vggsound_2.mp4", "FoleyCrafter__vggsound_0.mp4"),
}  # dog, train, congas
LEVELS = (-10, 0, 5)


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything of one half: talks, (name, wave) of music without and with song, and effects in one wave."""

    talks: list[voices.Talk]
    music: list[tuple[str, Any]]
    sung: list[tuple[str, Any]]
    effects: Any


@dataclass(frozen=True, slots=True)
class Mix:
    """A talk in a condition."""

    condition: str
    voice: str
    wave: Any
    mask: Any


def inputs(parser: argparse.ArgumentParser) -> None:
    """Add where the material lies."""
    parser.add_argument("--media", type=Path, default=SHARED, help="holds songs/ and footage/")
    parser.add_argument("--voices", type=Path, default=None, help="clean recordings in dev/ and test/")


def bank(half: str, given: argparse.Namespace) -> Bank:
    """Return the material of a half."""
    names = sorted(p.stem for p in (given.media / "songs").glob("*.ogg"))
    plain = [n for n in names if not n.startswith(VOCALS)][half == "test" :: 2]
    sung = [n for n in names if n.startswith(VOCALS[:2])]
    sung = sorted(sung, key=lambda n: n.startswith("mir"))[half == "test" :: 2]
    load = {n: sound(given.media / "songs" / f"{n}.ogg")[: 90 * RATE] for n in (*plain, *sung)}
    level = {n: w * (0.05 / rms(w)) for n, w in load.items()}
    clips = np.concatenate([sound(given.media / "footage" / f) for f in EFFECTS[half]])
    talks = voices.talks(half, given.voices)
    return Bank(talks, [(n, level[n]) for n in plain], [(n, level[n]) for n in sung], clips)


def sound(path: Path) -> Any:
    """Return mono sound at 16 kHz."""
    return read_sound(str(path), rate=RATE, channels=1).samples[0]


def rms(wave: Any) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)) + 1e-12))


def mixed(talk: voices.Talk, bed: Any, level: float, random: np.random.Generator) -> Any:
    """Return the talk with a piece of `bed` so many dB over the speech (its silences not counted)."""
    size = len(talk.wave)
    at = int(random.integers(0, max(1, len(bed) - size)))
    piece = np.resize(bed[at : at + size], size)
    said = rms(talk.wave[: len(talk.mask) * 160][np.repeat(talk.mask, 160)])
    return (talk.wave + piece * (said / rms(piece) * 10 ** (level / 20))).astype(np.float32)


def conditions(given: Bank) -> list[Mix]:
    """Return every talk clean, with two songs at each level, with effects and with pink noise."""
    out = []
    for i, talk in enumerate(given.talks):
        random = np.random.default_rng(i)
        waves = [("clean", talk.wave)]
        for level in LEVELS:
            beds = [given.music[(2 * i + j) % len(given.music)][1] for j in range(2)]
            waves += [(f"music {level:+d} dB", mixed(talk, bed, level, random)) for bed in beds]
        spectrum = np.fft.rfft(random.normal(size=len(talk.wave)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), len(talk.wave))
        waves += [("effects +0 dB", mixed(talk, given.effects, 0, random))]
        waves += [("pink noise -10 dB", mixed(talk, pink, -10, random))]
        out += [Mix(c, talk.name, w, talk.mask) for c, w in waves]
    return out


def heard(wave: Any) -> Hearing:
    """Return what the ear makes of a wave."""
    ear = Ear()
    for start in range(0, len(wave), RATE):
        ear.hear(wave[start : start + RATE], start / RATE)
    return ear.hearing()


@dataclass(slots=True)
class Tally:
    """Counts of a condition."""

    hit: int = 0
    false: int = 0
    missed: int = 0
    unsaid: int = 0
    edges: list[float] | None = None

    def add(self, mask: Any, hearing: Hearing) -> None:
        """Count one talk."""
        size = len(mask)
        bare, guarded = np.zeros(size, bool), np.zeros(size, bool)
        for s in OwnSpeech().find(hearing):
            a, b = s.said.start, s.said.end
            bare[index(a) : index(b)] = True
            guarded[index(s.span.start) : index(s.span.end)] = True
            for p in s.pauses:
                bare[index(p.start) : index(p.end)] = False
                guarded[index(p.start) : index(p.end)] = False
        self.hit += int((bare & mask).sum())
        self.false += int((bare & ~mask).sum())
        self.missed += int((~bare & mask).sum())
        self.unsaid += int((~guarded & mask).sum())
        self.edges = self.edges or []
        found = np.array(voices.runs(voices.fill(bare, 20)))
        for edge, side in ((e, k) for r in voices.runs(mask) for k, e in enumerate(r)):
            if len(found):
                off = float(found[np.abs(found[:, side] - edge).argmin(), side] - edge) * 10
                self.edges += [off] if abs(off) < 500 else []

    @property
    def f1(self) -> float:
        return 2 * self.hit / max(1, 2 * self.hit + self.false + self.missed)


def index(time: float) -> int:
    return max(0, round(time / 0.01))


def report(half: str, given: Bank) -> None:
    """Print the tables of a half."""
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for mix in conditions(given):
        hearing = heard(mix.wave)
        for kind in ("all", mix.voice.split()[0]):
            tallies[mix.condition, kind].add(mix.mask, hearing)
    kinds = list(dict.fromkeys(k for _, k in tallies))
    print(f"\n{half}: {len(given.talks)} talks, {len(given.music)} songs, {len(given.sung)} sung\n")
    print("| condition | " + " | ".join(f"F1 {k}" for k in kinds) + " | edges: median, within 50 ms | unsaid |")
    print("|---" * (len(kinds) + 3) + "|")
    for condition in dict.fromkeys(c for c, _ in tallies):
        t = tallies[condition, "all"]
        off = np.abs(t.edges or [0.0])
        f1 = " | ".join(f"{tallies[condition, k].f1:.3f}" for k in kinds)
        edges = f"{np.median(off):.0f} ms, {100 * np.mean(off <= 50):.0f} %"
        print(f"| {condition} | {f1} | {edges} | {100 * t.unsaid / (t.hit + t.missed):.1f} % |")
    print("\nFalse speech, share of the time:", end=" ")
    effects = [("", given.effects)]
    for name, waves in (("music", given.music), ("sung songs", given.sung), ("effects", effects)):
        shares = {}
        for label, wave in waves:
            spans = OwnSpeech().find(heard(wave))
            shares[label] = sum(s.said.length - sum(p.length for p in s.pauses) for s in spans) / (len(wave) / RATE)
        worst = max(shares, key=lambda k: shares[k])
        print(
            f"{name} {100 * np.mean(list(shares.values())):.1f} % (worst {worst} {100 * shares[worst]:.0f} %)", end="; "
        )
    print()


def words(half: str, given: Bank) -> None:
    """Print how far word starts are off, for eSpeak's voices with sloppy cues."""
    print(f"\n{half}: word starts\n\n| condition | placed | words | median | 90 % within | within 50 ms |")
    print("|---|---|---|---|---|---|")
    for condition, level in (("clean", None), ("music -10 dB", -10.0), ("music +0 dB", 0.0)):
        off: dict[str, list[float]] = defaultdict(list)
        for i, talk in enumerate(t for t in given.talks if t.words):
            random = np.random.default_rng(i)
            cues = [Cue(Span(a - random.uniform(0, 0.25), b + random.uniform(0, 0.5)), t) for t, a, b in talk.lines]
            bed = given.music[2 * i % len(given.music)][1]
            wave = talk.wave if level is None else mixed(talk, bed, level, random)
            hearing = heard(wave)
            found = OwnSpeech().find(hearing)
            off["evenly over the cue"] += late(aligned((), SILENCE, cues), talk)
            off["by talk, length and dips"] += late(aligned(found, hearing, cues), talk)
            if sphinx.present():
                off["by PocketSphinx"] += late(aligned(found, hearing, cues, wave), talk)
        for how, each in off.items():
            far = np.abs(each) * 1000
            close = f"{np.median(far):.0f} ms | {np.percentile(far, 90):.0f} ms | {100 * np.mean(far <= 50):.0f} %"
            print(f"| {condition} | {how} | {len(far)} | {close} |")


def late(speech: Any, talk: voices.Talk) -> list[float]:
    """Return by how much each word that can be told begins too late (s); eSpeak runs some short words together."""
    got = sorted((w for s in speech for w in s.words), key=lambda w: w.span.start)
    names = [w.text.lower() for w in got], [w[0].lower().strip(".,") for w in talk.words]
    same = difflib.SequenceMatcher(None, *names, autojunk=False).get_matching_blocks()
    return [got[m.a + i].span.start - talk.words[m.b + i][1] for m in same for i in range(m.size)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    inputs(parser)
    parser.add_argument("--half", choices=("dev", "test"), action="append")
    given = parser.parse_args()
    for half in given.half or ("dev", "test"):
        material = bank(half, given)
        report(half, material)
        words(half, material)


if __name__ == "__main__":
    main()
