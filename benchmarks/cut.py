# SPDX-License-Identifier: Apache-2.0
"""Films cut to charted songs, judged from outside: do the visible cuts fall on true beats?

    python benchmarks/cut.py [SONGS] [--only PREFIX,PREFIX] [--every N] [--seconds S] [--style NAME] [--markdown]

SONGS (default ../shared/media/songs) holds NAME.ogg and NAME.beats (time, position in the bar). A barcoded shoot of 24
takes is made once; each song is cut through the command line, the film is decoded picture by picture, and its cuts are
where the codes jump: nothing that the program says of itself is used. A cut is on the beat within 40 ms of a charted
beat; chance is the share of the film's time that lies so near; error is the signed median to the nearest charted beat.
Also told: planned cuts on their frame, source pictures shown twice, source cuts shown, and the sound's lateness at the
start and the end (correlation with the song). Beside it stand peers' ways at plan level on the same songs, with each
cut on its nearest frame: a fixed 120 bpm grid, every second beat of the `plain` tracker, and, where librosa is
installed, every second beat of its default tracker.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from backbeat.exchange import otio
from backbeat.media.samples import read_sound
from kit import coded

LEFT_OUT = {"lmms_dnb"}  # a sampled break whose project grid is not the heard beat
TOLERANCE = 0.040


def shoot(folder: Path) -> dict[str, coded.Coded]:
    """Make (or reuse) the barcoded shoot; return its takes by path."""
    folder.mkdir(parents=True, exist_ok=True)
    takes = {}
    for i in range(24):
        rng = np.random.default_rng(900 + i)
        frames = int(rng.integers(130, 210))
        hits = [float(h) for h in np.sort(rng.uniform(0.3, frames / 24 - 0.5, 4)) if h > 0]
        cuts = (frames // 2,) if i % 4 == 1 else ()
        path = folder / f"{i:02d}.mp4"
        takes[str(path)] = coded.write_take(path, i + 1, frames=frames, hits=hits, cuts=cuts)
    return takes


def nearest(cuts: np.ndarray, beats: np.ndarray) -> np.ndarray:
    """Return each cut's signed distance to its nearest beat (s)."""
    distance = cuts[:, None] - beats
    return distance[np.arange(cuts.size), np.abs(distance).argmin(axis=1)] if cuts.size else np.zeros(0)


def score(cuts: np.ndarray, beats: np.ndarray, length: float) -> tuple[float, float, float]:
    """Return (share on a beat, chance, signed median error in ms)."""
    error = nearest(cuts, beats)
    grid = np.arange(0, length, 0.001)
    chance = float(np.mean(np.abs(nearest(grid, beats)) <= TOLERANCE))
    on = float(np.mean(np.abs(error) <= TOLERANCE)) if cuts.size else 0.0
    return on, chance, 1000 * float(np.median(error)) if cuts.size else 0.0


def film(song: Path, folder: Path, options: argparse.Namespace, takes: dict[str, coded.Coded]) -> dict[str, float]:
    """Cut one song and judge the film."""
    out = folder / f"{song.stem}.mp4"
    done = subprocess.run(
        [sys.executable, "-m", "backbeat", "cut", str(folder / "shoot"), str(song), "-o", str(out), "--force", "--json",
         "--progress", "none", "--style", options.style, "--length", str(options.seconds)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{song.stem}: {done.stdout}{done.stderr}")
    said = json.loads(done.stdout)
    timeline = otio.load(str(out.with_suffix(".otio")))
    read = coded.read_film(out)
    rate = float(timeline.rate)
    planned = coded.expected_codes(timeline, {path: take.take for path, take in takes.items()})
    wrong = sum(a != b for a, b in zip(read.codes, planned, strict=True))
    seen = [c for c in read.codes if c]
    cuts = [
        n
        for n, (a, b) in enumerate(zip(read.codes, read.codes[1:], strict=False), 1)
        if a and b and (a[0] != b[0] or not 0 < b[1] - a[1] <= 3)
    ]
    inside = sum(
        first < cut < last
        for clip in timeline.tracks[0].clips
        for first, last in [clip.source_span(timeline.rate)]
        for cut in takes[clip.take].cuts
    )
    heard = coded.read_samples(out)
    music = read_sound(str(song), channels=1).samples[0]
    begin, n = round(said["song_in"] * coded.RATE), 4 * coded.RATE
    late = []
    for at in (0, heard.size - n - coded.RATE):
        lateness, sure = coded.lag(heard[at : at + n], music[begin + at : begin + at + n])
        late.append(1000 * lateness if sure > 0.3 else float("nan"))
    true = np.loadtxt(song.with_suffix(".beats"), ndmin=2)[:, 0] - said["song_in"]
    on, chance, error = score(np.array(cuts) / rate, true, timeline.duration)
    tempo = 60 / float(np.median(np.diff(true)))
    return {
        "cuts": len(cuts), "on": on, "chance": chance, "error": error, "wrong": wrong,
        "repeats": len(seen) - len(set(seen)), "inside": inside, "start": late[0], "end": late[1],
        "tempo": tempo, "heard": said["tempo"], "length": timeline.duration, "song_in": said["song_in"],
    }  # fmt: skip


def peers(song: Path, row: dict[str, float]) -> dict[str, tuple[float, float, float]]:
    """Judge the trivial ways on the same stretch of the same song."""
    from backbeat.work import plugins

    ways = {"fixed 120": np.arange(0.0, row["song_in"] + row["length"], 0.5)[::2]}
    if "plain" in plugins.names("beats"):
        from backbeat.listen.hear import hear

        ways["plain tracker"] = np.array([b.time for b in hear(str(song), tracker="plain").beats])[::2]
    try:
        import librosa
    except ImportError:
        pass
    else:
        sound = read_sound(str(song), rate=22_050, channels=1).samples[0]
        ways["librosa"] = np.asarray(librosa.beat.beat_track(y=sound, sr=22_050, units="time")[1])[::2]
    true = np.loadtxt(song.with_suffix(".beats"), ndmin=2)[:, 0] - row["song_in"]
    found = {}
    for name, times in ways.items():
        cuts = times - row["song_in"]
        cuts = np.round(cuts[(cuts > 0) & (cuts < row["length"])] * 24) / 24
        found[name] = score(cuts, true, row["length"])
    return found


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("songs", nargs="?", type=Path, default=Path(__file__).parents[2] / "shared/media/songs")
    parser.add_argument("--only", default="fnf,osu,sm,fof,lmms,us")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--style", default="wright")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "backbeat-bench-cut")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    wanted = tuple(options.only.split(","))
    songs = [p for p in sorted(options.songs.glob("*.ogg")) if p.stem.startswith(wanted) and p.stem not in LEFT_OUT]
    takes = shoot(options.folder / "shoot")
    rows, others = [], []
    names = ["fixed 120", "plain tracker", "librosa"]
    print("| song | bpm (heard) | cuts | on a beat ±40 ms | chance | error ms | frames wrong | repeats | source cuts |"
          " sound ms start, end | " + " | ".join(names) + " |")  # fmt: skip
    print("|---" * (10 + len(names)) + "|")
    for song in songs[:: options.every]:
        row = film(song, options.folder, options, takes)
        other = {} if options.no_peers else peers(song, row)
        rows.append(row)
        others.append(other)
        tail = " | ".join(f"{other[n][0]:.0%} ({other[n][2]:+.0f})" if n in other else "" for n in names)
        print(
            f"| {song.stem} | {row['tempo']:.0f} ({row['heard']:.0f}) | {row['cuts']} | {row['on']:.0%} |"
            f" {row['chance']:.0%} | {row['error']:+.0f} | {row['wrong']} | {row['repeats']} | {row['inside']} |"
            f" {row['start']:+.2f}, {row['end']:+.2f} | {tail} |",
            flush=True,
        )
    mean = {k: float(np.mean([r[k] for r in rows])) for k in ("on", "chance")}
    tail = " | ".join(
        f"{np.mean([o[n][0] for o in others if n in o]):.0%}" if any(n in o for o in others) else "" for n in names
    )
    middle = float(np.median([r["error"] for r in rows]))
    total = {k: int(sum(r[k] for r in rows)) for k in ("cuts", "wrong", "repeats", "inside")}
    print(
        f"| **{len(rows)} songs** | | {total['cuts']} | **{mean['on']:.0%}** | {mean['chance']:.0%} |"
        f" **{middle:+.0f}** | {total['wrong']} | {total['repeats']} | {total['inside']} | | {tail} |"
    )


if __name__ == "__main__":
    main()
