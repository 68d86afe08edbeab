# SPDX-License-Identifier: Apache-2.0
"""Speed of rendering: CPU seconds of one edit by several programs, side by side in one run, as ratios.

    uv run python benchmarks/speed.py [--clips 12] [--gop 250] [--repeat 1] [--keep FOLDER]

The floor is the plain encode of the same frames from memory with the same settings; beside it stands the decode that
cannot be avoided (from the key picture before each in-point to its out-point, non-reference pictures before the
in-point skipped). ffmpeg, melt and moviepy take part where they are installed. CPU is that of the process and its
children, so a loaded machine changes little; wall time is not told.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from backbeat.model.timeline import Timeline

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

RATE = Fraction(24)
SIZE = (1920, 1080)
X264 = {"preset": "veryfast", "crf": "20"}
SECONDS = 14


def cpu() -> float:
    """CPU seconds of this process and its finished children."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(r.ru_utime + r.ru_stime for r in both)


# ---------------------------------------------------------------- material


def make_sources(folder: Path, gop: int) -> list[str]:
    """Write three 1080p takes with camera-like noise, and a song."""
    import av

    from kit import coded

    paths = []
    for take in (1, 2, 3):
        path = folder / f"take{take}.mp4"
        paths.append(str(path))
        if path.exists():
            continue
        rng = np.random.default_rng(take)
        # Blocks of noise large enough to cost bits, small enough to be made quickly; shifted every frame.
        grain = rng.normal(0, 5, (SIZE[1] + 64, SIZE[0] + 64)).astype(np.int16)
        with av.open(str(path), "w") as box:
            video = box.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "20", "bf": "3"})
            video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
            video.codec_context.gop_size = gop
            sound = box.add_stream("aac", rate=48_000, layout="mono")
            for n in range(SECONDS * int(RATE)):
                luma, u, v = coded.picture(take, n, rate=RATE, size=SIZE, hits=(), shot=0)
                y, x = rng.integers(0, 64, 2)
                noisy = np.clip(luma + grain[y : y + SIZE[1], x : x + SIZE[0]], 0, 255).astype(np.uint8)
                frame = coded._frame((noisy, u, v))  # noqa: SLF001 - the kit's own
                frame.pts, frame.time_base = n, 1 / RATE
                box.mux(video.encode(frame))
            box.mux(video.encode())
            coded.write_sound(box, sound, coded.take_sound(take, SECONDS))
    song = folder / "song.wav"
    if not song.exists():
        coded.write_song(song, 120, 60)
    return [*paths, str(song)]


def make_edit(paths: list[str], count: int) -> Timeline:
    """Return a timeline of `count` clips of 20 to 28 frames with production sound under a song."""
    from backbeat.media.probe import probe
    from backbeat.model.cue import Cue
    from backbeat.model.timeline import Clip, Timeline, Track

    rng = np.random.default_rng(1)
    clips, at = [], 0
    for i in range(count):
        n = int(rng.integers(20, 29))
        into = int(rng.integers(10, SECONDS * int(RATE) - 40))
        clips.append(Clip(at, n, paths[i % 3], into, RATE, sound_gain_db=-6.0))
        at += n
    cue = Cue(paths[3], 0.0, float(at / RATE), song_in=2.0, gain_db=-3.0)
    takes = tuple(probe(p) for p in paths[:3])
    return Timeline("speed", RATE, *SIZE, at, (Track(tuple(clips)),), cues=(cue,), takes=takes)


# ---------------------------------------------------------------- what is measured (each in a process of its own)


def floor_encode(timeline: Timeline, folder: Path) -> None:
    """Encode the film's frames from memory."""
    import av

    from backbeat.make.codecs import picture_format
    from backbeat.make.compose import Composer
    from backbeat.make.settings import RenderSettings

    form = picture_format(timeline, RenderSettings(), "x.mp4")
    composer = Composer(timeline, form)
    frames = [f.to_ndarray() for f in composer.frames(0, timeline.frames)]
    composer.close()
    begin = cpu()
    with av.open(str(folder / "floor.mp4"), "w") as box:
        video = box.add_stream("libx264", rate=RATE, options=X264)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        video.codec_context.thread_type = "FRAME"
        video.codec_context.thread_count = min(8, (os.cpu_count() or 1) + 1)
        for n, values in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(values, "yuv420p")
            frame.pts, frame.time_base = n, 1 / RATE
            box.mux(video.encode(frame))
        box.mux(video.encode())
    print(json.dumps({"cpu": cpu() - begin}))


def floor_decode(timeline: Timeline, _folder: Path) -> None:
    """Decode what must be decoded: from the key picture to the out-point, skipping what may be skipped."""
    import av

    from backbeat.media.frames import read_table

    tables = {m.path: read_table(m.path) for m in timeline.takes}
    begin = cpu()
    boxes = {p: av.open(p) for p in tables}
    for box in boxes.values():
        box.streams.video[0].codec_context.thread_count = 1
    packets, at = {}, dict.fromkeys(tables, -1)
    for clip in timeline.tracks[0].clips:
        table, box = tables[clip.take], boxes[clip.take]
        first, last = table.pts[clip.source_in], table.pts[clip.source_in + clip.frames - 1]
        key = table.key_before(clip.source_in)
        stream = box.streams.video[0]
        if not key <= at[clip.take] < first:  # else it rolls on
            box.seek(int(key), stream=stream)
            stream.codec_context.flush_buffers()
            at[clip.take] = -1
            packets[clip.take] = box.demux(stream)
        while at[clip.take] < last:
            packet = next(packets[clip.take])
            late = packet.pts is None or packet.pts >= first
            stream.codec_context.skip_frame = "DEFAULT" if late else "NONREF"
            for frame in packet.decode():
                at[clip.take] = frame.pts
            if not packet.size:
                break
    for box in boxes.values():
        box.close()
    print(json.dumps({"cpu": cpu() - begin}))


def backbeat(timeline: Timeline, folder: Path, *, draft: bool = False, verify: bool = False) -> None:
    """Render by backbeat."""
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.make.settings import RenderSettings

    settings = RenderSettings(preset="draft" if draft else "web")
    begin = cpu()
    out = str(folder / "backbeat.mp4")
    rendered = render(timeline, out, settings=settings)
    if verify:
        assert check(out, timeline, settings=settings, looks=rendered.looks).differences == ()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"cpu": cpu() - begin, "rss": peak}))


def _told(command: list[str], folder: Path) -> None:
    begin = cpu()
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps({"cpu": cpu() - begin, "rss": peak}))


def _coding(out: str) -> list[str]:
    return ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a",
            "256k", "-y", out]  # fmt: skip


def giant(timeline: Timeline, folder: Path) -> None:
    """One ffmpeg with one filter graph."""
    cue = timeline.cues[0]
    command, graph, labels = ["ffmpeg", "-v", "error"], [], ""
    for i, clip in enumerate(timeline.tracks[0].clips):
        start, length = float(clip.source_in / RATE), float(clip.frames / RATE)
        # Half a frame early so that the right picture is caught; the sound is cut where it belongs.
        command += ["-ss", f"{start - 0.5 / RATE:.6f}", "-t", f"{length + 0.1:.6f}", "-i", clip.take]
        graph.append(f"[{i}:v]trim=end_frame={clip.frames},setpts=N/{RATE}/TB[v{i}]")
        skip = 0.5 / float(RATE)
        graph.append(
            f"[{i}:a]atrim=start={skip}:duration={length},asetpts=PTS-STARTPTS,volume=-6dB,"
            f"aformat=channel_layouts=stereo[a{i}]"
        )
        labels += f"[v{i}][a{i}]"
    n = len(timeline.tracks[0].clips)
    command += ["-ss", str(cue.song_in), "-t", f"{cue.end:.6f}", "-i", cue.path]
    graph.append(f"{labels}concat=n={n}:v=1:a=1[v][s];[{n}:a]volume=-3dB[m];[s][m]amix=2:normalize=0[a]")
    command += ["-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]", *_coding("giant.mp4")]
    _told(command, folder)


def segments(timeline: Timeline, folder: Path) -> None:
    """One ffmpeg a clip, joined by copying, the song mixed at the end."""
    cue = timeline.cues[0]
    lines = []
    script = ["set -e"]
    for i, clip in enumerate(timeline.tracks[0].clips):
        start = float(clip.source_in / RATE) - 0.5 / float(RATE)
        script.append(
            f"ffmpeg -v error -ss {start:.6f} -i {clip.take} -frames:v {clip.frames} "
            f"-t {float(clip.frames / RATE):.5f} "
            f"{' '.join(_coding(f's{i}.mp4'))}"
        )
        lines.append(f"file s{i}.mp4")
    (folder / "list.txt").write_text("\n".join(lines), encoding="utf-8")
    script.append(
        f"ffmpeg -v error -f concat -i list.txt -ss {cue.song_in} -i {cue.path} -filter_complex "
        "'[0:a]volume=-6dB[s];[1:a]volume=-3dB[m];[s][m]amix=2:normalize=0:duration=first[a]' -map 0:v -map '[a]' "
        "-c:v copy -c:a aac -b:a 256k -y segments.mp4"
    )
    _told(["bash", "-c", "\n".join(script)], folder)


def melt(timeline: Timeline, folder: Path) -> None:
    """melt with the clips in one playlist and the song in another track."""
    command = ["melt", "-profile", "atsc_1080p_24"]
    for clip in timeline.tracks[0].clips:
        command += [clip.take, f"in={clip.source_in}", f"out={clip.source_in + clip.frames - 1}"]
    cue = timeline.cues[0]
    first = round(cue.song_in * RATE)
    last = first + timeline.frames - 1
    command += ["-track", cue.path, f"in={first}", f"out={last}", "-transition", "mix", "a_track=0",
                "b_track=1", "combine=1", "-consumer", "avformat:melt.mp4", "vcodec=libx264", "preset=veryfast",
                "crf=20", "acodec=aac", "ab=256k", "real_time=-2"]  # fmt: skip
    _told(command, folder)


def moviepy(timeline: Timeline, folder: Path) -> None:
    """Render by moviepy 2."""
    from moviepy import AudioFileClip, CompositeAudioClip, VideoFileClip, concatenate_videoclips

    begin = cpu()
    parts = []
    for clip in timeline.tracks[0].clips:
        start = float(clip.source_in / RATE)
        parts.append(VideoFileClip(clip.take).subclipped(start, start + float(clip.frames / RATE)))
    film = concatenate_videoclips(parts)
    cue = timeline.cues[0]
    song = AudioFileClip(cue.path).subclipped(cue.song_in, cue.song_in + float(timeline.duration))
    film = film.with_audio(CompositeAudioClip([film.audio.with_volume_scaled(0.5), song.with_volume_scaled(0.7)]))
    film.write_videofile(
        str(folder / "moviepy.mp4"), codec="libx264", preset="veryfast", ffmpeg_params=["-crf", "20"], logger=None
    )
    film.close()
    for part in (*parts, song):
        part.close()  # else their decoders' CPU is not counted
    print(json.dumps({"cpu": cpu() - begin, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


METHODS = {
    "encode": floor_encode,
    "decode": floor_decode,
    "backbeat": backbeat,
    "backbeat, read back": lambda t, f: backbeat(t, f, verify=True),
    "backbeat --draft": lambda t, f: backbeat(t, f, draft=True),
    "ffmpeg, one graph": giant,
    "ffmpeg, a clip at a time": segments,
    "melt": melt,
    "moviepy": moviepy,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--gop", type=int, default=250)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--keep", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--run", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    folder = Path(given.keep or tempfile.mkdtemp(prefix="backbeat-speed-"))
    folder.mkdir(exist_ok=True)
    timeline = make_edit(make_sources(folder, given.gop), given.clips)
    if given.run:
        METHODS[given.run](timeline, folder)
        return
    found: dict[str, tuple[float, int]] = {}
    for name in METHODS:
        if given.only and name not in given.only.split("+"):
            continue
        need = {"ffmpeg, one graph": "ffmpeg", "ffmpeg, a clip at a time": "ffmpeg", "melt": "melt"}.get(name)
        if need and not shutil.which(need):
            continue
        runs = []
        for _ in range(given.repeat):
            command = [sys.executable, __file__, "--run", name, "--keep", str(folder), "--clips", str(given.clips)]
            done = subprocess.run([*command, "--gop", str(given.gop)], capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{name}: {(done.stderr.strip().splitlines() or ['failed'])[-1][:120]}", file=sys.stderr)
                break
            told = json.loads(done.stdout.strip().splitlines()[-1])
            runs.append((told["cpu"], told.get("rss", 0)))
            time.sleep(0.1)
        if runs:
            found[name] = min(runs)
    encode = found.get("encode", (1.0, 0))[0]
    floor = encode + found.get("decode", (0.0, 0))[0]
    print(f"{given.clips} clips, {timeline.frames} frames 1080p24, takes with a key picture every {given.gop}\n")
    print("| method | CPU s | x plain encode | x (encode + unavoidable decode) | peak MB |")
    print("|---|---|---|---|---|")
    for name, (spent, peak) in found.items():
        print(f"| {name} | {spent:.1f} | {spent / encode:.2f} | {spent / floor:.2f} | {peak or '-'} |")
    if not given.keep:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
