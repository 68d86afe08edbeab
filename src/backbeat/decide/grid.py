# SPDX-License-Identifier: Apache-2.0
"""The music as the picture sees it: where cuts may fall, where hits should, how long clips may last.

Cut frames are fixed here, once, as whole frames from absolute beat times; everything later counts in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backbeat.decide import terms
from backbeat.decide.problem import CutProblem
from backbeat.model.song import Song
from backbeat.model.time import frame_at

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SECTION, DOWNBEAT, BEAT, HALF, FREE = range(5)
TRUSTED = 0.2  # below this confidence the tracker itself says that there is no beat
INSTANT = 0.6  # s; the grid that stands in for beats where there are none
PHRASE = 4  # bars
QUICK = 1.0  # beats; the longest shot that counts as quick
SHORTEST = 0.17  # s; no free clip is shorter


@dataclass(frozen=True, slots=True)
class Grid:
    """Cut points (nodes), beats as targets for hits, and the slots between cut points.

    Nodes [n]: `frame` (record frame of the cut), `position` (in beats), `kind`, `beat` (index of the song's beat, -1).
    Beats [m]: `beat_time` (film seconds), `beat_frame`, `beat_worth`. Per record frame [frames + 1]: `worth` (weight of
    the nearest beat) and `bell` (nearness 0..1). Slots [s]: `first`, `last` (nodes), `length` (beats), `row` (which
    count of the style's histogram it belongs to), `energy` 0..1; `energy_sum`
    [frames + 1] its prefix sum by record frame. `target` [3 * lengths] are the counts that the style
    asks for, `lengths` in beats; `phrase_frame` where phrases but the first begin. `notes` say what was done about a
    song without beats.
    """

    frame: Ints
    position: Floats
    kind: NDArray[np.int8]
    beat: Ints
    beat_time: Floats
    beat_frame: Ints
    beat_worth: Floats
    worth: Floats
    bell: Floats
    first: Ints
    last: Ints
    length: Floats
    row: Ints
    energy: Floats
    energy_sum: Floats
    target: Floats
    lengths: Floats
    phrase_frame: Ints
    free_time: bool
    notes: tuple[str, ...]

    def phrase(self, frame: Ints | int) -> Ints:
        """Return the number of the phrase in which each record frame lies; the first is 0."""
        return np.asarray(np.searchsorted(self.phrase_frame, frame, side="right"), np.int64)

    @property
    def quick(self) -> NDArray[np.bool_]:
        """Whether each slot [slots] counts as a quick shot, of a beat or less."""
        return np.asarray(self.lengths[self.row % len(self.lengths)] <= QUICK, bool)


@dataclass(frozen=True, slots=True)
class Beats:
    """Beats in film time: `time` (s), `kind`, `strength` 0..1, `index` in the song; `per_bar`; `free_time`."""

    time: Floats
    kind: NDArray[np.int8]
    strength: Floats
    index: Ints
    per_bar: int
    free_time: bool


def hear_beats(song: Song, song_in: float, seconds: float) -> Beats:
    """Return the beats of `song` in a film of `seconds` that starts at `song_in`; instants if it has none."""
    if has_beats(song):
        rows = [(b.time - song_in, b.position, b.strength, i) for i, b in enumerate(song.beats)]
        free = False
    else:
        rows = [(t - song_in, -1, s, -1) for t, s in instants(song)]
        free = True
    rows = [r for r in _filled(rows, seconds) if -1e-6 <= r[0] < seconds]
    time = np.array([r[0] for r in rows], float)
    kind = np.array([DOWNBEAT if r[1] == 1 else BEAT for r in rows], np.int8)
    if len(time):
        period = float(np.median(np.diff(time))) if len(time) > 1 else 0.5
        for section in song.sections:
            at = section.start - song_in
            nearest = int(np.abs(time - at).argmin())
            if section.start > 0 and abs(time[nearest] - at) <= 0.5 * period:
                kind[nearest] = SECTION
    strength = np.clip(np.array([r[2] for r in rows], float), 0.0, 1.0)
    return Beats(time, kind, strength, np.array([r[3] for r in rows], np.int64), max(song.beats_per_bar, 1), free)


Row = tuple[float, int, float, int]


def _filled(rows: list[Row], seconds: float) -> list[Row]:
    """Lay silent instants where the beats pause for long (intro, breakdown, ring-out), for clips to be cut there."""
    if len(rows) < 2:
        return rows
    times = [r[0] for r in rows]
    period = float(np.median(np.diff(times)))
    before = [-period * k for k in range(max(1, int(times[0] / period) + 1), 0, -1)]
    edges = [(times[0] + before[0], -1, 0.0, -1), *rows, (seconds, -1, 0.0, -1)]
    out: list[Row] = []
    for one, other in pairwise(edges):
        out.append(one)
        n = round((other[0] - one[0]) / period)
        if n > 2:
            out += [(one[0] + (other[0] - one[0]) * k / n, -1, 0.0, -1) for k in range(1, n)]
    return [r for r in out if r[0] < seconds]


def has_beats(song: Song) -> bool:
    """Whether the song's beats can be cut on."""
    return len(song.beats) >= 4 and song.beat_confidence >= TRUSTED


def instants(song: Song) -> list[tuple[float, float]]:
    """Return (time, strength) of musical instants that stand in for beats: accents, section starts, rises of energy.

    Between them an even grid of about `INSTANT` seconds is laid, of strength 0, so that clips of any length fit.
    """
    found = [(a.time, a.strength) for a in song.accents] + [(s.start, 0.8) for s in song.sections]
    if song.energy:
        curve = np.asarray(song.energy)
        rise = np.diff(curve)
        bar = max(0.08, float(np.quantile(rise, 0.9))) if len(rise) else 1.0
        found += [((i + 1) * song.energy_step, min(1.0, float(rise[i]) * 2)) for i in np.flatnonzero(rise >= bar)]
    kept: list[tuple[float, float]] = []
    for time, strength in sorted(found):
        if kept and time - kept[-1][0] < 0.3:
            kept[-1] = max(kept[-1], (time, strength), key=lambda r: r[1])
        elif 0 <= time < song.duration:
            kept.append((float(time), float(strength)))
    edges = [(0.0, 0.0), *[k for k in kept if k[0] > 0.2], (song.duration, 0.0)]
    out: list[tuple[float, float]] = []
    for (a, strength), (b, _) in pairwise(edges):
        n = max(1, round((b - a) / INSTANT))
        out += [(a + (b - a) * k / n, strength if k == 0 else 0.0) for k in range(n)]
    return out


def metre_lengths(lengths: tuple[float, ...], per_bar: int) -> Floats:
    """Return shot lengths in beats for a metre: lengths of whole bars of four become whole bars of this metre."""
    if per_bar in {2, 4, 8, 1}:
        return np.array(lengths)
    scaled = [n if n < 4 else n / 4 * per_bar for n in lengths]
    scaled = [n if n < 1 else float(round(n)) for n in scaled]
    for k in range(1, len(scaled)):  # keep them rising
        scaled[k] = max(scaled[k], scaled[k - 1] + (0.5 if scaled[k - 1] < 1 else 1.0))
    return np.array(scaled)


def build(problem: CutProblem) -> Grid:
    """Return the grid of `problem`."""
    song, rate, frames = problem.song, problem.rate, problem.frames
    seconds = float(frames / rate)
    beats = hear_beats(song, problem.song_in, seconds)
    lengths = metre_lengths(problem.style.lengths, beats.per_bar)
    frame, position, kind, beat = _nodes(problem, beats, half=bool((lengths % 1 > 0).any()))
    beat_frame = np.array([frame_at(t, rate) for t in beats.time], np.int64)
    accents = _accent_at(song, beats.time + problem.song_in)
    worth = terms.beat_weight(beats.strength, beats.kind, accents)
    worth = np.where((beats.index < 0) & (beats.strength <= 0), 0.0, worth)  # silent instants catch no hit
    per_frame, bell = _per_frame(problem, beats.time, worth)
    energy = _energy(problem)
    low, high = energy_bounds(song)
    first, last, length, row, mean = _slots(problem, frame, position, kind, lengths, energy, (low, high))
    target = _targets(problem, beats, lengths, energy, (low, high))
    notes: tuple[str, ...] = ()
    if beats.free_time:
        notes = ("the song has no steady beat: cuts follow its accents, sections and rises of energy instead",)
    return Grid(
        frame, position, kind, beat, beats.time, beat_frame, worth, per_frame, bell,
        first, last, length, row, mean, energy, target, lengths, _phrases(beats, beat_frame), beats.free_time, notes,
    )  # fmt: skip


def _phrases(beats: Beats, frame: Ints) -> Ints:
    """Return the record frames at which a phrase of `PHRASE` bars begins; each section begins one."""
    heads = np.flatnonzero(beats.kind <= DOWNBEAT)
    if not len(heads):
        return frame[PHRASE * beats.per_bar :: PHRASE * beats.per_bar]
    out, bars = [], 0
    for beat in heads[heads > 0].tolist():
        bars = 0 if beats.kind[beat] == SECTION else bars + 1
        if bars % PHRASE == 0:
            out.append(int(frame[beat]))
    return np.array(out, np.int64)


def _accent_at(song: Song, times: Floats) -> Floats:
    """Return the strength of the accent within 50 ms of each of `times`, 0 where there is none."""
    out = np.zeros(len(times))
    for accent in song.accents:
        near = np.abs(times - accent.time) <= 0.05
        out[near] = np.maximum(out[near], accent.strength)
    return out


def lead_frames(problem: CutProblem) -> int:
    """Return how many frames of the film a cut falls before its beat."""
    return round(problem.style.lead_frames * float(problem.rate) / 24)


def _nodes(problem: CutProblem, beats: Beats, *, half: bool) -> tuple[Ints, Floats, NDArray[np.int8], Ints]:
    rate, frames, lead = problem.rate, problem.frames, lead_frames(problem)
    shortest = max(1, round(SHORTEST * float(rate)))
    rows = [
        (frame_at(float(t), rate) - lead, float(i), int(k), int(b))
        for i, (t, k, b) in enumerate(zip(beats.time, beats.kind, beats.index, strict=True))
    ]
    if half:
        middle = (beats.time[1:] + beats.time[:-1]) / 2
        rows += [(frame_at(float(t), rate) - lead, i + 0.5, HALF, -1) for i, t in enumerate(middle)]
    fixed = forced_frames(problem)
    rows = sorted(r for r in rows if all(abs(r[0] - f) >= shortest for f in (0, frames)) and 0 < r[0] < frames)
    known = {r[0]: r for r in reversed(rows)}
    period = float(np.median(np.diff(beats.time))) if len(beats.time) > 1 else 0.5
    beat_at = np.concatenate([beats.time * float(rate) - lead, []])

    def free(f: int) -> tuple[int, float, int, int]:
        if len(beat_at) < 2:
            place = f / float(rate) / period
        else:
            place = float(np.interp(f, beat_at, np.arange(len(beat_at))))
            place += min(0.0, f - beat_at[0]) / float(rate) / period + max(0.0, f - beat_at[-1]) / float(rate) / period
        return f, place, FREE, -1

    for f in (0, frames, *fixed):
        known.setdefault(f, free(f))
    nodes = [known[f] for f in sorted(known)]
    first_kind = SECTION  # the film's first frame is no cut; it is not weighed
    frame = np.array([n[0] for n in nodes], np.int64)
    kind = np.array([n[2] for n in nodes], np.int8)
    kind[0] = first_kind
    return frame, np.array([n[1] for n in nodes], float), kind, np.array([n[3] for n in nodes], np.int64)


def forced_frames(problem: CutProblem) -> list[int]:
    """Return the record frames at which locks demand a cut."""
    out: set[int] = set()
    for lock in problem.locks:
        if lock.kind == "clip":
            out |= {lock.start, lock.end}
        elif lock.kind == "cut":
            out.add(lock.start)
    return sorted(f for f in out if 0 < f < problem.frames)


def _per_frame(problem: CutProblem, times: Floats, worth: Floats) -> tuple[Floats, Floats]:
    """Return the weight of the nearest beat and the nearness to it, for a hit on each record frame."""
    n, rate = problem.frames + 1, float(problem.rate)
    if not len(times):
        return np.zeros(n), np.zeros(n)
    # A beat that falls between two frames is met as well as can be by the nearer one: measured from its own frame.
    targets = np.floor(times * rate + 0.5) / rate
    at = np.arange(n) / rate
    right = np.clip(np.searchsorted(targets, at), 1, len(targets) - 1) if len(targets) > 1 else np.zeros(n, np.int64)
    left = np.maximum(right - 1, 0)
    nearest = np.where(np.abs(targets[left] - at) <= np.abs(targets[right] - at), left, right)
    bell = terms.near_beat(np.abs(targets[nearest] - at))
    return worth[nearest], np.where(worth[nearest] > 0, bell, 0.0)


def _energy(problem: CutProblem) -> Floats:
    """Return the prefix sum of the song's energy by record frame [frames + 1]."""
    at = problem.song_in + (np.arange(problem.frames) + 0.5) / float(problem.rate)
    song = problem.song
    if song.energy:
        curve = np.asarray(song.energy, float)
        values = curve[np.clip((at / song.energy_step).astype(np.int64), 0, len(curve) - 1)]
    else:
        values = np.full(problem.frames, 0.5)
        for section in song.sections:
            values[(at >= section.start) & (at < section.end)] = section.energy
    return np.concatenate([[0.0], np.cumsum(values)])


def energy_bounds(song: Song) -> tuple[float, float]:
    """Return the energies below which a passage is quiet and above which it is loud.

    The song's own terciles; a song that hardly changes is judged by the scale itself.
    """
    if len(song.energy) < 3:
        return 1 / 3, 2 / 3
    curve = np.asarray(song.energy)
    if np.quantile(curve, 0.9) - np.quantile(curve, 0.1) < 0.2:
        return 1 / 3, 2 / 3
    return float(np.quantile(curve, 1 / 3)), float(np.quantile(curve, 2 / 3))


def _tercile(energy: Floats, bounds: tuple[float, float]) -> Ints:
    return np.asarray((energy >= bounds[0]).astype(np.int64) + (energy >= bounds[1]), np.int64)


def section_at(song: Song, time: Floats) -> Ints:
    """Return the index of the section of `song` in which each song second lies, -1 where there is none."""
    starts = np.array([s.start for s in song.sections])
    ends = np.array([s.end for s in song.sections])
    index = np.searchsorted(starts, time, side="right") - 1
    inside = (index >= 0) & (time < ends[np.maximum(index, 0)]) if len(starts) else np.zeros(np.shape(time), bool)
    return np.asarray(np.where(inside, index, -1), np.int64)


def length_bin(length: Floats, lengths: Floats) -> Ints:
    """Return the index of the nearest of the style's `lengths`, as a ratio."""
    ratio = np.abs(np.log(np.maximum(length, 0.05))[..., None] - np.log(lengths))
    return np.asarray(ratio.argmin(axis=-1), np.int64)


def _slots(
    problem: CutProblem,
    frame: Ints,
    position: Floats,
    kind: NDArray[np.int8],
    lengths: Floats,
    energy: Floats,
    bounds: tuple[float, float],
) -> tuple[Ints, Ints, Floats, Ints, Floats]:
    """Return the slots: every pair of nodes whose distance is one of the style's lengths, or that ends off the grid."""
    n = len(frame)
    shortest = max(1, round(SHORTEST * float(problem.rate)))
    forced = np.isin(frame, [0, problem.frames, *forced_frames(problem)])
    walls = np.flatnonzero(forced)
    wall = walls[np.minimum(np.searchsorted(walls, np.arange(n), side="right"), len(walls) - 1)]
    locked = {x.start: x.end for x in problem.locks if x.kind == "clip"}
    bound_to = np.array([locked.get(int(f), -1) for f in frame])
    # Pairs (i, i + step) for every step that the longest length can reach.
    reach = int((np.searchsorted(position, position + float(lengths.max()) + 1e-6, side="right") - np.arange(n)).max())
    halves = lengths[lengths % 1 > 0]
    pairs = []
    for step in range(1, max(reach, 2)):
        i = np.arange(n - step)
        j = i + step
        far = position[j] - position[i]
        whole = (kind[i] != HALF) & (kind[j] != HALF)
        on = (np.abs(far[:, None] - lengths).min(axis=1) < 0.02) & whole
        half = np.abs(far[:, None] - halves).min(axis=1, initial=9.0) < 0.02
        good = on | half | ((forced[i] | forced[j]) & whole)
        good &= (far <= float(lengths.max()) + 1e-6) & (frame[j] - frame[i] >= shortest) & (j <= wall[i])
        pairs.append(np.stack([i[good], j[good]]))
    some = np.concatenate(pairs, axis=1)
    # Between two walls that lie closer than a clip should be, or further than the longest, one clip may stand.
    bare = np.setdiff1d(walls[:-1], some[0])
    near = walls[:-1][np.diff(frame[walls]) < 2 * shortest]
    alone = np.union1d(bare, near)
    a, b = np.concatenate([some, np.stack([alone, wall[alone]])], axis=1)
    fits = (bound_to[a] < 0) | (frame[b] == bound_to[a])
    ends = np.flatnonzero(bound_to >= 0)
    a = np.concatenate([a[fits], ends])
    b = np.concatenate([b[fits], np.searchsorted(frame, bound_to[ends])])
    a, b = np.unique(np.stack([a, b]), axis=1)
    length = position[b] - position[a]
    mean = (energy[frame[b]] - energy[frame[a]]) / np.maximum(frame[b] - frame[a], 1)
    row = _tercile(mean, bounds) * len(lengths) + length_bin(length, lengths)
    return a, b, length, row, mean


def _targets(problem: CutProblem, beats: Beats, lengths: Floats, energy: Floats, bounds: tuple[float, float]) -> Floats:
    """Return the counts that the style asks for: share of each length times the clips that the passage can hold."""
    style = problem.style
    seconds = float(problem.frames / problem.rate)
    period = float(np.median(np.diff(beats.time))) if len(beats.time) > 1 else 0.5
    step = max(1, round(period * float(problem.rate)))
    edges = np.arange(0, problem.frames, step)
    ends = np.minimum(edges + step, problem.frames)
    third = _tercile((energy[ends] - energy[edges]) / np.maximum(ends - edges, 1), bounds)
    total = len(beats.time) if len(beats.time) > 1 else seconds / period
    out = np.zeros((3, len(lengths)))
    for q, shares in enumerate((style.quiet, style.middle, style.loud)):
        in_beats = total * float((third == q).mean())
        share = np.asarray(shares)
        out[q] = share * in_beats / max(float((share * lengths).sum()), 1e-9)
    return out.ravel()
