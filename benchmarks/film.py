# SPDX-License-Identifier: Apache-2.0
"""A film of ten minutes made from a project, judged from outside: pictures, joins, drift.

    python benchmarks/film.py [SONGS] [--scenes N] [--seconds S] [--footage DIR] [--folder DIR] [--workers N]

SONGS (default ../shared/media/songs) holds NAME.ogg and NAME.beats (time, position in the bar). A barcoded shoot of 24
takes (160x90) is shared out to N scenes of S seconds; songs are chosen from twelve charted ones, a song a scene. The
film is decoded: every picture's code against the timeline; the charted downbeat of each new song against the picture
cut; the song's own samples against the film's sound at the first and in the last minute (lag in ms); the loudness of
each join's overlap against the line from before to after. Then the project is made again: unchanged, and with one scene
changed. With --footage, three scenes of real clips are made as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from scipy.signal import lfilter

from backbeat.decide.heard import Clock
from backbeat.exchange import otio
from backbeat.make.loudness import PASS, SHELF
from backbeat.media.samples import read_sound
from kit import coded

LIBRARY = (
    "pop_007", "pop_077", "pop_201", "pop_333", "fnf_roses", "fnf_blammed", "fnf_senpai", "lmms_popsip_electric_dancer",
    "lmms_saber_finalstep", "lmms_socceroos_progress", "us_coulton_code_monkey", "us_coulton_a_talk_with_george",
)  # fmt: skip
REAL = {
    "fight": ("FightClub__Videos_brawl", "FightClub__Videos_running", "PySceneDetect__resources_goldeneye-vfr-drop3",
              "Video-LLaMA__examples_IronMan", "Violence-Detection-System__fight"),
    "talk": ("VideoContext__assets_introductions-rant", "videogrep__test_inputs_manifesto"),
    "calm": ("Ask-Anything__example_yoga", "Video-LLaMA__examples_skateboarding_dog", "bigbuckbunny",
             "imageio-binaries__images_cockatoo", "sam2__gallery_01_dog"),
}  # fmt: skip


def make(project: Path, *more: str) -> tuple[dict, float]:
    """Run the command; return what it says and the seconds it took."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "backbeat", "make", str(project), "--force", "--json", "--progress", "none", *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{project}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout), time.monotonic() - began


def shoot(folder: Path, scenes: int) -> dict[str, int]:
    """Write 24 takes into the folders of the scenes; return take numbers by path."""
    takes = {}
    for i in range(24):
        rng = np.random.default_rng(900 + i)
        frames = int(rng.integers(260, 420))
        hits = [float(h) for h in np.sort(rng.uniform(0.3, frames / 24 - 0.5, 5))]
        place = folder / f"scene{i % scenes + 1:02d}"
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{i:02d}.mp4"
        coded.write_take(path, i + 1, frames=frames, hits=hits, cuts=(frames // 2,) if i % 4 == 1 else ())
        takes[str(path)] = i + 1
    return takes


def downbeats(song: str) -> tuple[np.ndarray, str]:
    """Return the charted downbeats of a song and what they are; its beats where the chart knows no bars."""
    rows = np.loadtxt(Path(song).with_suffix(".beats"), usecols=(0, 1), ndmin=2)
    bars = rows[rows[:, 1] == 1, 0]
    return (bars, "downbeat") if bars.size else (rows[:, 0], "beat")


def nearest(cue: object, time: float) -> tuple[float, str]:
    """Return by how many ms the charted downbeat nearest to a film second comes after it, and what it is."""
    charted, what = downbeats(cue.path)
    here = Clock(cue).song_at(max(time, cue.start))
    return 1000 * float(min(charted - here, key=abs)) / cue.stretch, what


def lag_at(film: np.ndarray, cue: object, at: float, length: float = 1.0) -> tuple[float, float]:
    """Return by how many ms the film's sound is late against the cue's song about `at`, and the correlation."""
    clock = Clock(cue)
    rate = 48_000
    song = read_sound(cue.path, rate=rate, channels=1).samples[0]
    begin = round(clock.song_at(at) * rate)
    expected = song[begin : begin + round(length * rate)]
    heard = film[round(at * rate) :][: expected.size]
    late, alike = coded.lag(heard, expected[: heard.size], reach=0.05)
    return 1000 * late, alike


def loudness_through(film: np.ndarray, join: dict) -> tuple[float, float]:
    """Return how far (LU) the loudness of the seconds of a join leaves the line from before to after it: low, high.

    The line runs from the four seconds before to the four after the overlap.
    """
    start, end = join["time"], join["time"] + max(join["overlap"], 1.0)
    rate = 48_000
    a, z = round((start - 5) * rate), round((end + 5) * rate)
    sound = film[a:z].astype(float)
    for b, c in (SHELF, PASS):
        sound = lfilter(b, c, sound)

    def level(t0: float, t1: float) -> float:
        part = sound[round((t0 - start + 5) * rate) : round((t1 - start + 5) * rate)]
        return float(10 * np.log10(np.mean(part**2) + 1e-12))

    before, after = level(start - 4, start), level(end, end + 4)
    seconds = np.arange(start, end - 0.999, 1.0)
    off = [level(t, t + 1) - (before + (after - before) * (t + 0.5 - start) / (end - start)) for t in seconds]
    return min(off), max(off)


def judge(made: dict, takes: dict[str, int]) -> None:
    """Decode the film and print what it measures."""
    line = otio.load(made["timeline"])
    rate = float(line.rate)
    read = coded.read_film(made["film"])
    planned = coded.expected_codes(line, takes)
    both = [(a, b) for a, b in zip(planned, read.codes, strict=False) if a is not None]
    right = sum(a == b for a, b in both)
    jumps = [
        i for i, (a, b) in enumerate(pairwise(read.codes), 1) if a and b and (a[0] != b[0] or abs(b[1] - a[1] - 1) > 3)
    ]
    cuts = {c.start for t in line.tracks for c in t.clips if c.start}
    print(f"film: {len(read.codes)} pictures of {line.frames}, {right} of {len(both)} are the planned ones")
    print(f"cuts: {len(cuts)} planned, {len(cuts & set(jumps))} found there, {len(set(jumps) - cuts)} elsewhere")
    film = coded.read_samples(made["film"])
    errors = []
    for join, scene in zip(made["joins"], made["scenes"][1:], strict=True):
        cue = next(c for c in line.cues if c.start <= join["time"] + 0.01 < c.end and c.path == scene["song"])
        near, what = nearest(cue, join["time"])
        errors.append(near)
        low, high = loudness_through(film, join)
        flam = "" if join["flam_ms"] is None else f" flam {join['flam_ms']} ms"
        print(
            f"  {join['time']:7.2f} {join['kind']:9s} {join['overlap']:5.2f} s, charted {what} {near:+7.1f} ms"
            f", loudness {low:+.1f}..{high:+.1f} LU{flam}  {Path(cue.path).stem}: {join['why']}"
        )
    on = np.abs(errors) <= 1000 / rate
    median = np.median(np.abs(errors))
    print(f"joins: {on.sum()} of {len(errors)} on a charted downbeat within a frame, median {median:.1f} ms")
    beats = made["scenes"]
    total = sum(s["cuts"] for s in beats)
    print(f"cuts on the beat as heard: {sum(s['cuts_on_beat'] * s['cuts'] for s in beats) / total:.1%} of {total}, "
          f"chance {sum(s['cuts_chance'] * s['cuts'] for s in beats) / total:.1%}")  # fmt: skip
    first, last = line.cues[0], line.cues[-1]
    for name, cue, at in (("start", first, first.start + 5), ("end", last, last.end - 12)):
        late, alike = lag_at(film, cue, at)
        print(f"sound against its song at the {name} ({at:.0f} s): {late:+.2f} ms (correlation {alike:.2f})")
    print(f"own check: {made['checked']['end_drift_ms']:+.3f} ms at the end, cuts on frame {made['cuts_on_frame']}, "
          f"loudness {made['checked']['loudness']:.2f} LUFS")  # fmt: skip


def main() -> None:
    """Make and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("songs", nargs="?", default="../shared/media/songs")
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=75.0)
    parser.add_argument("--footage", default="")
    parser.add_argument("--folder", default="")
    parser.add_argument("--workers", default="1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary).absolute()
        songs = [str(Path(options.songs).absolute() / f"{name}.ogg") for name in LIBRARY]
        takes = shoot(folder, options.scenes)
        head = f'[film]\nrate = 24\nsize = "160x90"\nsongs = {json.dumps(songs)}\noutput = "film.mp4"\n'
        scenes = "".join(
            f'[[scene]]\nname = "{i + 1}"\nfootage = "scene{i + 1:02d}"\nreuse = true\nlength = {options.seconds}\n'
            f'style = "{("wright", "chase", "romance", "montage")[i % 4]}"\n'
            for i in range(options.scenes)
        )
        project = folder / "film.toml"
        project.write_text(head + scenes, encoding="utf-8")
        made, seconds = make(project, "--workers", options.workers)
        print(f"{options.scenes} scenes, {made['duration']:.1f} s of film, made in {seconds:.0f} s")
        judge(made, takes)
        _, again = make(project, "--workers", options.workers)
        project.write_text(head + scenes.replace('style = "chase"', 'style = "trailer"', 1), encoding="utf-8")
        changed, other = make(project, "--workers", options.workers)
        kept = sum(s["kept"] for s in changed["scenes"])
        print(f"made again unchanged {again:.0f} s; one scene changed {other:.0f} s, {kept} scenes as before")
        if options.footage:
            real(Path(options.footage).absolute(), songs, folder)


def real(footage: Path, songs: list[str], folder: Path) -> None:
    """Make three scenes of real clips."""
    text = f'[film]\nsize = "640x360"\nsongs = {json.dumps(songs)}\noutput = "real.mp4"\n'
    for name, clips in REAL.items():
        paths = [str(next(footage.glob(f"{c}.*"))) for c in clips]
        talk = "dialogue = true\n" if name == "talk" else ""
        text += f'[[scene]]\nname = "{name}"\nfootage = {json.dumps(paths)}\nmood = ["{name}"]\n{talk}'
    project = folder / "real.toml"
    project.write_text(text, encoding="utf-8")
    made, seconds = make(project)
    line = otio.load(made["timeline"])
    print(f"real: {made['duration']:.1f} s of film in {seconds:.0f} s, cuts on frame {made['cuts_on_frame']}, "
          f"end {made['checked']['end_drift_ms']:+.3f} ms, differences {made['checked']['differences']}")  # fmt: skip
    for scene in made["scenes"]:
        print(f"  {scene['name']}: {scene['cuts_on_beat']:.0%} of {scene['cuts']} cuts on the beat (chance "
              f"{scene['cuts_chance']:.0%}), {Path(scene['song']).stem}, {scene['notes']}")  # fmt: skip
    for join in made["joins"]:
        cue = next(c for c in line.cues if c.start <= join["time"] + 0.01 < c.end and c.start > join["time"] - 1)
        near, what = nearest(cue, join["time"])
        print(f"  {join['kind']}: charted {what} {near:+.1f} ms; {join['why']}")


if __name__ == "__main__":
    main()
