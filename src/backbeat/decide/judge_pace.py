# SPDX-License-Identifier: Apache-2.0
"""Aspect *pace*: whether it follows the music, and whether it varies at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backbeat.decide.judge import Floats
from backbeat.model.film import Film, Music
from backbeat.model.review import Aspect, Figure, Moment

_CUT_SIGMA = 4.0  # s: width of the kernel that makes a rate of cuts
_ENERGY_SPAN = 5  # s
_LEAST_CUTS = 8
_LEAST_SECONDS = 30.0
_FULL = 0.5  # rho less half its null that earns five stars: shots 4 times longer in quiet than in loud music
_DRAWS = 999
_RUN = 8  # equal lengths in a row from which people tire


@dataclass(frozen=True, slots=True)
class Coupling:
    """Spearman's `rho` of cut rate and energy, `null95` what 95 % of like curves stay below, and `p`."""

    rho: float
    null95: float
    p: float


@dataclass(frozen=True, slots=True)
class Monotony:
    """`kinds` is the effective number of shot lengths (exp of their entropy), `run` the longest run of equal ones.

    `run_start` is the index of the shot that the run begins with.
    """

    kinds: float
    run: int
    run_start: int


def shot_spans(film: Film) -> Floats:
    """Return (start, end) seconds of every shot, shape (n, 2)."""
    edges = np.asarray([0.0, *film.cut_times, film.duration])
    return np.stack([edges[:-1], edges[1:]], axis=1)


def lengths_in_beats(film: Film, music: Music) -> Floats:
    """Return the length of every shot in beats of the local tempo, shape (n,)."""
    beats = np.asarray(music.times)
    usual = float(np.median(np.diff(beats)))
    # The grid runs on at its usual period where the film is longer than the music.
    before = beats[0] - usual * np.arange(int(max(0.0, beats[0]) / usual) + 2, 0, -1)
    after = beats[-1] + usual * np.arange(1, int(max(0.0, film.duration - beats[-1]) / usual) + 3)
    grid = np.concatenate([before, beats, after])
    place = np.interp(shot_spans(film).ravel(), grid, np.arange(len(grid), dtype=float)).reshape(-1, 2)
    return np.asarray(place[:, 1] - place[:, 0], float)


def monotony(lengths: Sequence[float] | Floats) -> Monotony:
    """Measure how alike shot lengths are: entropy over half-octave bins, and the longest run within 6 %.

    Catches the metronome that has every cut on a beat.
    """
    values = np.maximum(np.asarray(lengths, float), 1e-6)
    if len(values) == 0:
        return Monotony(0.0, 0, 0)
    # Bins are centred on 1, √2, 2 … so that whole numbers of beats do not fall on an edge.
    share = np.unique(np.round(2 * np.log2(values)), return_counts=True)[1] / len(values)
    kinds = float(np.exp(-(share * np.log(share)).sum()))
    best, best_start, start = 1, 0, 0
    for i in range(1, len(values)):
        if abs(np.log(values[i] / values[start])) > 0.06:
            start = i
        if i - start + 1 > best:
            best, best_start = i - start + 1, start
    return Monotony(kinds, best, best_start)


def coupling(film: Film, energy: Floats, *, seed: int = 0) -> Coupling:
    """Correlate the rate of cuts with the music's energy (one value a second), against curves as smooth as it.

    The naive p of Spearman's rho is wrong 27-35 % of the time for such curves. Two nulls keep the smoothness: all
    circular shifts (alone: type I error 6-8 % in our simulations) and Fourier surrogates of random phase (Theiler et
    al. 1992); the larger p of both is told (4-6 %).
    """
    seconds = len(energy)
    times = np.arange(seconds) + 0.5
    cuts = np.asarray(film.cut_times)
    kernel = np.exp(-0.5 * ((times[:, None] - cuts[None, :]) / _CUT_SIGMA) ** 2).sum(axis=1)
    # A kernel loses weight at the film's ends; what it has left there is known.
    inner = np.exp(-0.5 * ((times[:, None] - times[None, :]) / _CUT_SIGMA) ** 2).sum(axis=1)
    cut_rank = _ranks(kernel / inner)
    energy_rank = _ranks(_smooth(energy, _ENERGY_SPAN))
    rho = float(energy_rank @ cut_rank / seconds)
    least = min(8, max(2, seconds // 6))
    shifts = np.arange(least, seconds - least + 1)
    shifted = energy_rank[(np.arange(seconds)[None, :] - shifts[:, None]) % seconds] @ cut_rank / seconds
    # Mirrored, the curve has no step at its ends that a random phase would spread over all of it.
    spectrum = np.abs(np.fft.rfft(np.concatenate([energy_rank, energy_rank[::-1]])))
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (_DRAWS, len(spectrum)))
    surrogates = np.fft.irfft(spectrum * np.exp(1j * phases), 2 * seconds)[:, :seconds]
    surrogates -= surrogates.mean(axis=1, keepdims=True)
    surrogates /= np.maximum(surrogates.std(axis=1, keepdims=True), 1e-12)
    turned = surrogates @ cut_rank / seconds
    p = max(float((1 + np.count_nonzero(null >= rho - 1e-12)) / (len(null) + 1)) for null in (shifted, turned))
    return Coupling(rho, float(np.quantile(turned, 0.95)), p)


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ranks = ranks - ranks.mean()
    spread = float(ranks.std())
    return np.asarray(ranks / spread if spread > 0 else ranks, float)


def _smooth(values: Floats, span: int) -> Floats:
    weights = np.ones(span)
    mean = np.convolve(values, weights, "same") / np.convolve(np.ones(len(values)), weights, "same")
    return np.asarray(mean, float)


def energy_by_second(music: Music, duration: float) -> Floats:
    """Return the music's energy in the film, one value for each whole second."""
    seconds = int(duration)
    if not music.energy:
        return np.full(seconds, 0.5)
    keys = (np.arange(len(music.energy)) + 0.5) * music.energy_step
    return np.asarray(np.interp(np.arange(seconds) + 0.5, keys, np.asarray(music.energy, float)), float)


def pace(film: Film, music: Music | None) -> Aspect:
    """Judge whether the pace follows the music's energy, and whether it varies at all.

    Stars: 1 + 4·clip((rho - null95 / 2) / 0.5, 0, 1), at most 1.5 while p ≥ 0.05, and never more than the variety of
    shot lengths allows: 1 + 2·(kinds - 1), less one for every eight equal shots in a row beyond the first eight.
    """
    title = "Pace"
    if music is None or len(music.beats) < 4:
        return Aspect("pace", title, None, "no music with a beat is heard in the film")
    if len(film.cuts) < _LEAST_CUTS or film.duration < _LEAST_SECONDS:
        few = f"{len(film.cuts)} cuts in {film.duration:.0f} s are too few to see a pace (8 cuts and 30 s are needed)"
        return Aspect("pace", title, None, "one shot only: there is no pace to judge" if not film.cuts else few)
    lengths = lengths_in_beats(film, music)
    same = monotony(lengths)
    energy = energy_by_second(music, film.duration)
    by_level = _by_energy(film, lengths, energy)
    figures = [
        Figure("shot_median", float(np.median(lengths)), "median shot", "beats", "Median shot length in beats."),
        *by_level,
        Figure("kinds", same.kinds, "kinds of shot length", "",
               "exp of the entropy of shot lengths over half-octave bins: 1 = all alike."),
        Figure("longest_run", same.run, "equal shots in a row", "", "Longest run of shots within 6 % of one length."),
    ]  # fmt: skip
    ceiling = min(5.0, 1.0 + 2.0 * (same.kinds - 1.0)) - max(0, (same.run - _RUN) // _RUN)
    if float(np.std(energy)) < 0.04:
        if ceiling <= 2.0:
            return Aspect("pace", title, max(1.0, ceiling), _alike(same), tuple(figures), _runs(film, lengths, same))
        why = "the music keeps one energy throughout, so the pace has nothing to follow"
        return Aspect("pace", title, None, why, tuple(figures))
    got = coupling(film, energy)
    figures += [
        Figure("rho", got.rho, "pace with energy", "", "Spearman's rho of cut rate (kernel of 4 s) and energy (5 s)."),
        Figure(
            "chance", got.null95, "by chance up to", "", "95 % of random curves as smooth as the energy stay below."
        ),
        Figure("low", got.rho - got.null95 / 2, "counted", "", "rho less half of what chance reaches."),
        Figure(
            "p",
            got.p,
            "p",
            "",
            "Share of curves as smooth (shifted, or of random phase) that do as well; the larger.",
        ),
        Figure("n", len(lengths), "shots", "", "Number of shots."),
    ]
    stars = 1.0 + 4.0 * min(1.0, max(0.0, (got.rho - got.null95 / 2) / _FULL))
    stars = min(stars, 1.5) if got.p >= 0.05 else stars
    finding = f"cut rate and energy go together with rho {got.rho:.2f} (chance reaches {got.null95:.2f})"
    if got.p >= 0.05:
        finding = f"the pace does not follow the music's energy beyond chance (rho {got.rho:.2f}, p {got.p:.2f})"
    if ceiling < stars:
        finding = _alike(same)
    moments = (*_runs(film, lengths, same), *_against_energy(film, lengths, energy))
    return Aspect("pace", title, max(1.0, min(stars, ceiling)), finding, tuple(figures), moments)


def _alike(same: Monotony) -> str:
    return f"the shots are all alike in length ({same.run} equal ones in a row): a machine's pace"


def _by_energy(film: Film, lengths: Floats, energy: Floats) -> list[Figure]:
    if len(energy) == 0:
        return []
    middle = shot_spans(film).mean(axis=1)
    levels = np.interp(middle, np.arange(len(energy)) + 0.5, energy)
    low, high = np.quantile(energy, [1 / 3, 2 / 3])
    rows = (("quiet", levels <= low), ("middle", (levels > low) & (levels < high)), ("loud", levels >= high))
    return [
        Figure(f"shot_{name}", float(np.median(lengths[rows_of])), f"… {name} music", "beats",
               f"Median shot length where the energy is in its {name} third.")
        for name, rows_of in rows if rows_of.any()
    ]  # fmt: skip


def _runs(film: Film, lengths: Floats, same: Monotony) -> tuple[Moment, ...]:
    if same.run <= _RUN:
        return ()
    spans = shot_spans(film)
    start, end = float(spans[same.run_start, 0]), float(spans[same.run_start + same.run - 1, 1])
    beats = float(lengths[same.run_start])
    return (
        Moment(
            start, "pace", f"{same.run} shots in a row of {beats:.1f} beats each",
            "let one in four breathe: join two, or cut one in half", min(0.9, 0.3 + same.run / 60), end - start,
        ),
    )  # fmt: skip


def _against_energy(film: Film, lengths: Floats, energy: Floats) -> tuple[Moment, ...]:
    """Name long shots under loud music and short ones under quiet music."""
    spans = shot_spans(film)
    levels = np.interp(spans.mean(axis=1), np.arange(len(energy)) + 0.5, energy)
    low, high = np.quantile(energy, [0.25, 0.75])
    usual = float(np.median(lengths))
    found = []
    for (start, end), beats, level in zip(spans, lengths, levels, strict=True):
        if level >= high and beats > 3 * usual:
            what = f"one shot holds for {end - start:.1f} s ({beats:.0f} beats) while the music is at its loudest"
            weight = min(0.8, 0.2 + 0.1 * beats / usual)
            found.append(
                Moment(float(start), "pace", what, "cut it shorter, or cut into it", weight, float(end - start))
            )
        elif level <= low and beats < usual / 3:
            what = f"a shot of {end - start:.1f} s where the music is quiet"
            found.append(
                Moment(float(start), "pace", what, "let it breathe, or leave it out", 0.25, float(end - start))
            )
    return tuple(sorted(found, key=lambda m: -m.weight)[:4])
