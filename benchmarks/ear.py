# SPDX-License-Identifier: Apache-2.0
"""How well songs are heard: every installed tracker side by side on charted songs.

    OPENBLAS_NUM_THREADS=1 uv run --group bench python benchmarks/ear.py [FOLDER] [--only PREFIX] [--markdown]

FOLDER (default ../shared/media/songs) holds NAME.ogg, NAME.beats (time, position in the bar or -1) and manifest.json.
The songs of each kind are split by turns, in order of name, into a half on which settings of the decoder were chosen
("chosen on") and a half that was never looked at while choosing ("held"); the network saw neither.
F is mir_eval's F-measure of beats within 70 ms, F30 within 30 ms, the first 5 s left out as is usual; CMLt and AMLt its
continuity scores; bars F that of downbeats; bias and error the median and the mean magnitude of the hits' offsets.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np

from backbeat.errors import BackbeatError
from backbeat.listen import hear, spectrum
from backbeat.media.samples import read_sound
from backbeat.work import plugins

warnings.filterwarnings("ignore")
NO_BARS = ("us_", "mir_simac", "fof_", "sm_")  # bar lines unknown or not to be trusted
LEFT_OUT = {"lmms_dnb"}  # a sampled break whose project grid is not the heard beat
RENDERED = ("pop_", "asap_")


def split(names: list[str]) -> dict[str, str]:
    """Return "chosen on" or "held" by name."""
    kinds = sorted({n.split("_")[0] for n in names})
    turns = {n: i for kind in kinds for i, n in enumerate(sorted(x for x in names if x.split("_")[0] == kind))}
    return {n: "chosen on" if turns[n] % 2 == 0 else "held" for n in names}


def score(truth: np.ndarray, times: np.ndarray, positions: np.ndarray, *, bars: bool) -> dict[str, float]:
    """Return the figures of one song."""
    import mir_eval.beat as m

    true, found = m.trim_beats(truth[:, 0]), m.trim_beats(np.unique(times))
    if len(found) < 2:
        return {"F": 0.0, "F30": 0.0, "CMLt": 0.0, "AMLt": 0.0} | ({"bars F": 0.0} if bars else {})
    offsets = np.array([found[np.abs(found - t).argmin()] - t for t in true])
    offsets = offsets[np.abs(offsets) <= 0.07] * 1000
    _, cmlt, _, amlt = m.continuity(true, found)
    figures = {
        "F": m.f_measure(true, found), "F30": m.f_measure(true, found, f_measure_threshold=0.03),
        "CMLt": cmlt, "AMLt": amlt,
    }  # fmt: skip
    if len(offsets):
        figures |= {"bias": float(np.median(offsets)), "error": float(np.abs(offsets).mean())}
    if bars:
        downs = m.trim_beats(np.unique(times[positions == 1]))
        figures["bars F"] = m.f_measure(m.trim_beats(truth[truth[:, 1] == 1, 0]), downs) if len(downs) else 0.0
    return figures


def told(ear: str, column: str, values: list[float]) -> str:
    """Return one cell of the table."""
    if not values or (column == "bars F" and ear.startswith("librosa")):
        return "–"
    form = {"bias": "+.1f", "error": ".1f"}.get(column, ".3f")
    return format(float(np.mean(values)), form)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).parents[2] / "shared" / "media" / "songs"))
    parser.add_argument("--only", default="")
    parser.add_argument("--songs", action="store_true", help="a line a song too")
    parser.add_argument("--trackers", default="", help="comma between names; all that are installed if left out")
    given = parser.parse_args()
    folder = Path(given.folder)
    facts = {row["name"]: row for row in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))}
    names = sorted(p.stem for p in folder.glob("*.beats") if p.stem not in LEFT_OUT)
    halves = split(names)
    names = [n for n in names if n.startswith(given.only)]
    ears = [("own", {}), ("own, bpm given", {"hint": True})]
    trackers = {}
    for name in plugins.names("beats"):
        if given.trackers and name not in {"own", *given.trackers.split(",")}:
            continue
        try:
            trackers[name] = plugins.load("beats", name)()
        except BackbeatError as error:
            print(f"{name}: {error.message}")
            continue
        if name != "own":
            ears.append((name, {}))
            if hasattr(trackers[name], "plain"):
                ears.append((f"{name}, as it is", {"plain": True}))
    figures: dict[str, dict[str, dict[str, float]]] = {ear: {} for ear, _ in ears}
    cost: dict[str, float] = dict.fromkeys(figures, 0.0)
    whole, seconds = 0.0, 0.0
    timed = 0.0
    for number, name in enumerate(names):
        if number % 6 == 0:
            began = time.process_time()
            timed += hear.hear(str(folder / f"{name}.ogg")).duration
            whole += time.process_time() - began
        mono = read_sound(str(folder / f"{name}.ogg"), rate=spectrum.RATE, channels=1).samples[0]
        look = spectrum.look(mono)
        seconds += len(mono) / spectrum.RATE
        truth = np.loadtxt(folder / f"{name}.beats", ndmin=2)
        bars = not name.startswith(NO_BARS)
        for ear, how in ears:
            tracker = trackers[ear.split(",")[0]]
            began = time.process_time()
            if how.get("plain"):
                times = tracker.plain(mono)
                positions = np.full(len(times), -1)
            else:
                grid = tracker.track(look, facts[name]["bpm"] if how.get("hint") else None)
                times, positions = grid.times, grid.positions
            cost[ear] += time.process_time() - began
            figures[ear][name] = score(truth, times, positions, bars=bars)
            if given.songs:
                print(
                    f"{ear:16} {name:44} {halves[name]:9} ",
                    {k: round(v, 2) for k, v in figures[ear][name].items()},
                    flush=True,
                )
    print(f"\neverything (decoding, sections, key, loudness …): {timed / whole:.0f} times real time, one core\n")
    groups = {
        "real + produced": lambda n: not n.startswith(RENDERED),
        "… chosen on": lambda n: not n.startswith(RENDERED) and halves[n] == "chosen on",
        "… held": lambda n: not n.startswith(RENDERED) and halves[n] == "held",
        "lmms (exact truth)": lambda n: n.startswith("lmms_"),
        "pop909 rendered": lambda n: n.startswith("pop_"),
        "asap piano": lambda n: n.startswith("asap_"),
    }
    columns = ("F", "F30", "CMLt", "AMLt", "bars F", "bias", "error")
    print("| tracker | songs | n | " + " | ".join(columns) + " | speed |\n|---|---|" + "---|" * (len(columns) + 2))
    for ear, _ in ears:
        for group, takes in groups.items():
            rows = [f for n, f in figures[ear].items() if takes(n)]
            if not rows:
                continue
            means = [told(ear, column, [r[column] for r in rows if column in r]) for column in columns]
            print(f"| {ear} | {group} | {len(rows)} | " + " | ".join(means) + f" | {seconds / cost[ear]:.0f} |")


if __name__ == "__main__":
    main()
