# SPDX-License-Identifier: Apache-2.0
"""An edit checked apart from the solver: from the clips, the footage and the song alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby, pairwise

from backbeat.decide import explain, locks
from backbeat.decide import grid as music
from backbeat.decide.problem import CutProblem, Solution, Violation
from backbeat.model.footage import Take
from backbeat.model.timeline import Clip

CLOSE = 1e-6


def verify(solution: Solution, problem: CutProblem) -> list[Violation]:
    """Return every rule of `problem` that `solution` breaks; empty for a sound edit."""
    problem = locks.settle(problem)
    return [
        *_tiling(solution, problem),
        *_footage(solution, problem),
        *_locks(solution, problem),
        *_order(solution, problem),
        *_value(solution, problem),
    ]


def _tiling(solution: Solution, problem: CutProblem) -> list[Violation]:
    out, at = [], 0
    for i, clip in enumerate(solution.clips):
        if clip.start != at:
            out.append(Violation("tiling", i, f"starts at frame {clip.start}, the clip before ends at {at}"))
        if clip.frames < 1:
            out.append(Violation("tiling", i, f"lasts {clip.frames} frames"))
        at = clip.end
    if at != solution.frames:
        out.append(Violation("length", -1, f"the clips end at frame {at}, the film at {solution.frames}"))
    if at != problem.frames and not solution.unmet:
        out.append(Violation("length", -1, f"the film ends at frame {at}, {problem.frames} was asked and nothing said"))
    return out


def _footage(solution: Solution, problem: CutProblem) -> list[Violation]:
    out: list[Violation] = []
    shown: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    takes = {t.media.path: t for t in problem.takes}
    windows = {w.take: (w.earliest, w.latest) for w in problem.wants}
    locked = {(x.take, x.source_in, x.start) for x in problem.locks if x.kind == "clip"}
    for i, clip in enumerate(solution.clips):
        take = takes.get(clip.take)
        if take is None:
            out.append(Violation("take", i, f"{clip.take} is not among the footage"))
            continue
        low, high = clip.source_span(problem.rate)
        if clip.source_rate != take.media.rate:
            out.append(Violation("rate", i, f"source rate {clip.source_rate}, the take has {take.media.rate}"))
        if not clip.locked and explain.find_shot(takes, clip, problem.rate) is None:
            out.append(Violation("range", i, f"shows source frames {low} to {high - 1}, in no one usable range"))
        is_locked = (clip.take, clip.source_in, clip.start) in locked
        early, late = windows.get(clip.take, (0.0, 1.0))
        if not is_locked and not (early * problem.frames - 1 <= clip.start and clip.end <= late * problem.frames + 1):
            out.append(Violation("window", i, f"stands outside {early:.2f}..{late:.2f} of the film"))
        out += _speed(i, clip, take, problem)
        shown[clip.take].append((low, high, i))
    if not problem.reuse:
        for spans in shown.values():
            spans.sort()
            out += [
                Violation("reuse", b[2], f"shows source frames again that clip {a[2]} shows")
                for a, b in pairwise(spans)
                if b[0] < a[1]
            ]
    return out


def _speed(i: int, clip: Clip, take: Take, problem: CutProblem) -> list[Violation]:
    low, high = problem.style.speed
    out = []
    factors = [clip.speed.factor] if clip.speed.constant else slopes(clip)
    if any(not low - 2e-3 <= f <= high + 2e-3 for f in factors) and not clip.locked:
        out.append(Violation("speed", i, f"speed {factors} outside {low}..{high}"))
    lasting = min(1.0, float(problem.rate / clip.source_rate))
    if not problem.reuse and not clip.locked and min(factors) < lasting - 1e-4:
        out.append(Violation("reuse", i, f"runs at {min(factors):.3f}, so it shows source frames twice"))
    changed = any(abs(f - 1) > 0.03 for f in factors)
    span = clip.source_span(problem.rate)
    rate = float(clip.source_rate)
    talk = [s for s in take.speech if s.span.start * rate < span[1] and s.span.end * rate > span[0]]
    if changed and talk and not clip.locked:
        out.append(Violation("speech", i, "speed is changed under speech"))
    if problem.keep_sound and not clip.locked:
        if changed:
            out.append(Violation("sound", i, "speed is changed though the sound is kept"))
        for speech in talk:
            for edge in span:
                at = edge / rate
                inside = speech.span.start + CLOSE < at < speech.span.end - CLOSE
                if inside and not any(p.start - CLOSE <= at <= p.end + CLOSE for p in speech.pauses):
                    out.append(Violation("word", i, f"cuts into speech at {at:.2f} s of the take"))
    return out


def slopes(clip: Clip) -> list[float]:
    """Return the speeds of a clip's curve, piece by piece."""
    points = clip.speed.points
    return [(b[1] - a[1]) / max(b[0] - a[0], 1e-9) for a, b in pairwise(points)]


def _locks(solution: Solution, problem: CutProblem) -> list[Violation]:
    out = []
    cuts = {c.start for c in solution.clips}
    for lock in problem.locks:
        if solution.unmet and max(lock.start, lock.end) > solution.frames:
            continue  # the footage gave out before it, and that is said
        if lock.kind == "clip":
            same = [
                c
                for c in solution.clips
                if (c.start, c.end, c.take, c.source_in) == (lock.start, lock.end, lock.take, lock.source_in)
            ]
            if not same:
                out.append(Violation("lock", -1, f"the locked clip at frame {lock.start} is not there"))
        elif lock.kind == "cut" and lock.start not in cuts:
            out.append(Violation("lock", -1, f"the locked cut at frame {lock.start} is not there"))
        elif lock.kind == "forbid" and any(c.take == lock.take for c in solution.clips):
            out.append(Violation("lock", -1, f"the forbidden take {lock.take} is used"))
    return out


def _order(solution: Solution, problem: CutProblem) -> list[Violation]:
    if problem.order == "free":
        return []
    from backbeat.decide.pool import take_order

    place = {problem.takes[t].media.path: k for k, t in enumerate(take_order(problem.takes, problem.order))}
    out = []
    for i, (a, b) in enumerate(pairwise(solution.clips)):
        if (place.get(b.take, 0), b.source_in) < (place.get(a.take, 0), a.source_in) and not (a.locked or b.locked):
            out.append(Violation("order", i + 1, f"{b.take} comes before {a.take} in {problem.order} order"))
    return out


def _value(solution: Solution, problem: CutProblem) -> list[Violation]:
    grid, takes = music.build(problem), explain.by_path(problem)
    out, total = [], 0.0
    before = None
    for i, clip in enumerate(solution.clips):
        value = sum(v for _, v in explain.clip_terms(clip, before, problem, grid, takes))
        if abs(value - clip.value) > CLOSE:
            out.append(Violation("value", i, f"is worth {value:.6f}, {clip.value:.6f} is claimed"))
        total += value
        before = clip
    total -= film_cost(solution.clips, problem, grid)
    if abs(total - solution.value) > CLOSE * max(1, len(solution.clips)):
        out.append(Violation("value", -1, f"the film is worth {total:.6f}, {solution.value:.6f} is claimed"))
    if solution.value > solution.bound + CLOSE:
        out.append(Violation("bound", -1, f"worth {solution.value:.6f} above its bound {solution.bound:.6f}"))
    return out


def film_cost(clips: tuple[Clip, ...], problem: CutProblem, grid: music.Grid) -> float:
    """Return what the whole film pays: lengths and runs that stray, crowded phrases, favourites, repeats."""
    from backbeat.decide import terms
    from backbeat.decide.rows import film_bounds, shares, style_bounds

    counts = style_counts(clips, grid)
    low, high = style_bounds(grid.target)
    fewest, most = film_bounds(float(grid.target.sum()))
    cost = terms.STRAY * max(0.0, len(clips) - most, fewest - len(clips))
    cost += sum(
        terms.STRAY * max(0.0, n - b, a - n) for n, a, b in zip(counts, low.tolist(), high.tolist(), strict=True)
    )
    cost += _runs_cost(clips, problem, grid) + _crowded_cost(clips, problem, grid)
    seconds: Counter[str] = Counter()
    for clip in clips:
        seconds[clip.take] += clip.frames
    caps = shares(problem, grid)
    for path, frames in seconds.items():
        cost += terms.FAVOURITE * max(0.0, frames / float(problem.rate) - caps.get(path, float("inf")))
    usable = {t.media.path for t in problem.takes if any(s.end_frame > s.start_frame for s in t.shots)}
    forbidden = {x.take for x in problem.locks if x.kind == "forbid"}
    for want in problem.wants:
        if want.must and want.take in usable - forbidden and want.take not in seconds:
            cost += terms.MISSING
    return float(cost + repeated(clips, problem) * terms.AGAIN)


def _runs_cost(clips: tuple[Clip, ...], problem: CutProblem, grid: music.Grid) -> float:
    from backbeat.decide import terms
    from backbeat.decide.rows import burst_bounds

    if problem.style.burst_length <= 0:
        return 0.0
    runs = quick_runs(clips, grid)
    low, high = burst_bounds(grid, problem.style.burst_length)
    return terms.BURST * max(0.0, len(runs) - high, low - len(runs))


def quick_runs(clips: tuple[Clip, ...], grid: music.Grid) -> list[int]:
    """Return the length, in shots, of each run of quick shots (of a beat or less)."""
    quick = {
        (int(grid.frame[a]), int(grid.frame[b]))
        for a, b in zip(grid.first[grid.quick], grid.last[grid.quick], strict=True)
    }
    return [len(list(run)) for is_quick, run in groupby(clips, lambda c: (c.start, c.end) in quick) if is_quick]


def _crowded_cost(clips: tuple[Clip, ...], problem: CutProblem, grid: music.Grid) -> float:
    from backbeat.decide import terms

    most = problem.style.hits_per_phrase
    if most <= 0:
        return 0.0
    takes, hits = explain.by_path(problem), Counter[int]()
    for clip in clips:
        found = explain.find_shot(takes, clip, problem.rate)
        if found is not None:
            # A ramp eased after the decision keeps its hits where they are.
            hits[int(grid.phrase(clip.start))] += explain.full_hits(clip, found[1], problem, grid)
    return terms.CROWDED * sum(max(0.0, n - most) for n in hits.values())


def style_counts(clips: tuple[Clip, ...], grid: music.Grid) -> list[int]:
    """Return how many clips fall in each row of the style's histogram."""
    slots = {
        (int(grid.frame[a]), int(grid.frame[b])): int(r)
        for a, b, r in zip(grid.first, grid.last, grid.row, strict=True)
    }
    out = [0] * len(grid.target)
    for clip in clips:
        row = slots.get((clip.start, clip.end))
        if row is not None:
            out[row] += 1
    return out


def repeated(clips: tuple[Clip, ...], problem: CutProblem) -> float:
    """Return the seconds of source that are shown more often than once."""
    shown: dict[str, Counter[int]] = defaultdict(Counter)
    rates = {}
    for clip in clips:
        shown[clip.take].update(range(*clip.source_span(problem.rate)))
        rates[clip.take] = float(clip.source_rate)
    return sum(sum(n - 1 for n in c.values()) / rates[take] for take, c in shown.items())
