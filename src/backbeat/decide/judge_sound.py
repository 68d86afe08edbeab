# SPDX-License-Identifier: Apache-2.0
"""Aspects *music weave*, *dialogue* and *technique*."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backbeat.model.film import Film, Mix, Music
from backbeat.model.footage import Speech
from backbeat.model.review import Aspect, Figure, Moment
from backbeat.model.time import Span

CLEAR = 10.0  # LU of speech over music (Torcoli et al., JAES 2019; non-experts want 4 more)
_GUARD = 0.06  # s: how near to its edge a word may be cut
_FALL = 18.0  # dB within two steps of 10 ms: nothing that dies away by itself falls so fast


def falling(value: float, good: float, bad: float) -> float:
    """Return stars on a straight line: 5 at `good` and better, 1 at `bad` and worse."""
    return 5.0 - 4.0 * min(1.0, max(0.0, (value - good) / (bad - good)))


def weave(film: Film, music: Music | None, mix: Mix | None) -> Aspect:
    """Judge how the music is sewn in: seams, steps of loudness at them, and the ending.

    Each part has its straight line: a seam's continuation distance is 5 stars up to the 90th percentile of the song's
    own beat-to-beat changes and 1 at the 100th; a step of loudness 5 up to 2 LU and 1 from 8; the last 50 ms of the
    film 5 from 30 dB below its last loud second and 1 at 6 dB (music chopped off). The aspect is their mean. Where the
    song is not known, seams are found by local change alone: weak evidence (AUC 0.35-0.89), marked so.
    """
    title = "Music weave"
    if mix is None or mix.silent:
        return Aspect("weave", title, None, "the film has no sound")
    if music is None:
        return Aspect("weave", title, None, "no music is heard in the film")
    parts: list[float] = []
    figures: list[Figure] = []
    moments: list[Moment] = []
    said: list[str] = []
    for join in music.joins:
        step = _loudness_step(mix, join.time)
        stars = min(falling(join.percentile, 90, 100), falling(abs(step), 2, 8))
        parts.append(stars)
        if stars < 3:
            moments.append(
                Moment(
                    join.time, "weave",
                    f"the music jumps ({join.name or 'seam'}: rougher than {join.percentile:.0f} % of its own beats"
                    f"{'' if join.known else ', weak evidence'}, {step:+.1f} LU)",
                    "try another seam (backbeat retarget), or lay it under a line or an impact",
                    0.2 + 0.1 * (5 - stars) * (1.0 if join.known else 0.4),
                )
            )  # fmt: skip
    if music.joins:
        rough = max(j.percentile for j in music.joins)
        figures += [
            Figure("seams", len(music.joins), "seams", "", "Places where the music jumps."),
            Figure("seam_worst", rough, "roughest seam", "pct",
                   "Percentile of its continuation distance among the song's own beat-to-beat changes."),
            Figure("step_worst", max((_loudness_step(mix, j.time) for j in music.joins), key=abs), "largest step", "LU",
                   "Loudness of the 1.5 s after a seam less that of the 1.5 s before it."),
        ]  # fmt: skip
        said.append(f"{len(music.joins)} seams, the roughest above {rough:.0f} % of the song's own beats")
    ending = falling(-mix.ending_drop, -30, -6)
    parts.append(ending)
    figures.append(
        Figure("ending_drop", mix.ending_drop, "ending", "dB",
               "How far the last 50 ms lie below the loudest second of the last five: little = chopped off.")
    )  # fmt: skip
    if ending < 3:
        said.append("the music is chopped off at the end")
        moments.append(
            Moment(max(0.0, film.duration - 1.0), "weave", "the music is chopped off at the end",
                   "end on a musical ending (backbeat retarget) or fade out over a bar", 0.6, 1.0)
        )  # fmt: skip
    else:
        said.append("the ending dies away")
    known = music.song_known or not music.joins
    return Aspect(
        "weave", title, float(np.mean(parts)), "; ".join(said), tuple(figures), tuple(moments), estimated=not known
    )


def _loudness_step(mix: Mix, time: float) -> float:
    before = [mix.at(time - d) for d in (0.4, 0.7, 1.0, 1.3)]
    after = [mix.at(time + d) for d in (0.4, 0.7, 1.0, 1.3)]
    return _mean_level(after) - _mean_level(before)


def _mean_level(levels: list[float]) -> float:
    """Return the level of the mean power."""
    if not levels:
        return -70.0
    return 10.0 * math.log10(sum(10.0 ** (x / 10.0) for x in levels) / len(levels))


@dataclass(frozen=True, slots=True)
class OverMusic:
    """Speech of one span: `over` LU above what lies under it, `bed` LUFS of that, `duck` LU it dips under the speech.

    `duck` is None where there is no pause inside the span to hear the bed in.
    """

    span: Span
    over: float
    bed: float
    duck: float | None


def speech_over_music(film: Film, mix: Mix) -> tuple[OverMusic, ...]:
    """Estimate for each span of speech how far it stands above its bed.

    The bed is heard in the pauses inside the span, else in the 3 s about it where nobody speaks; the speech's own power
    is what the span has beyond the bed's. With ducked music and no pause the bed is taken too loud, so the figure is
    too low rather than too high.
    """
    found = []
    for speech in film.speech:
        # A span is padded where its edge is unsure; what lies further in is the voice.
        inside = _levels(mix, Span(speech.span.start + 0.2, speech.span.end - 0.25), (), 0.0)
        if len(inside) < 3:
            continue
        around = _levels(mix, Span(speech.span.start - 3.4, speech.span.end + 3.4), film.speech, 0.2)
        pauses = [x for p in speech.pauses for x in _levels(mix, Span(p.start + 0.2, p.end - 0.2), (), 0.0)]
        beds = pauses if len(pauses) >= 2 else around
        if not beds:
            continue
        bed = max(_mean_level(beds), -70.0)
        whole = _mean_level([x for x in inside if x > bed] or inside)
        own = 10.0 ** (whole / 10.0) - 10.0 ** (bed / 10.0)
        # Below 0 the bed itself has swollen: all that can be said is that the words do not stand out.
        over = max(0.0, 10.0 * math.log10(max(own, 1e-9)) - bed)
        duck = _mean_level(around) - bed if len(pauses) >= 2 and around else None
        found.append(OverMusic(speech.span, min(over, 40.0), bed, duck))
    return tuple(found)


def _levels(mix: Mix, span: Span, without: tuple[Speech, ...], guard: float) -> list[float]:
    first, last = max(0, math.ceil(span.start / mix.step)), min(len(mix.momentary), int(span.end / mix.step) + 1)
    times = [(i, i * mix.step) for i in range(first, last)]
    return [
        mix.momentary[i] for i, t in times
        if not any(s.span.start - guard <= t < s.span.end + guard for s in without)
    ]  # fmt: skip


def cut_words(film: Film, mix: Mix) -> tuple[float, ...]:
    """Return the cuts (s) at which speech stops dead: estimated from the finished mix.

    The level falls by 18 dB and more within 20 ms, within a frame of a cut that lies inside speech (60 ms guard), and
    stays down for 80 ms. A voice's own stop consonants come back sooner, and its vowels die away more slowly.
    """
    levels, step = mix.level, mix.level_step
    found = []
    for time in film.cut_times:
        if not any(s.span.start + _GUARD < time < s.span.end + 0.25 for s in film.speech):
            continue
        reach = max(2, round(1.0 / float(film.rate) / step))
        centre = round(time / step)
        for i in range(max(5, centre - reach), min(len(levels) - 10, centre + reach + 1)):
            before, after = max(levels[i - 4 : i]), max(levels[i + 2 : i + 10])
            if before > -45.0 and before - after >= _FALL:
                found.append(time)
                break
    return tuple(found)


def dialogue(film: Film, music: Music | None, mix: Mix | None) -> Aspect:
    """Judge whether every word is heard: speech over music, words cut.

    Stars: 5 where the 10th percentile (by time) of speech over music reaches 10 LU, 1 at 0 LU; half a star less for
    every word that is cut. Stems of a finished film are not known, so all of it is an estimate and marked so.
    """
    title = "Dialogue"
    if mix is None or mix.silent:
        return Aspect("dialogue", title, None, "the film has no sound")
    if not film.speech:
        return Aspect("dialogue", title, None, "nobody is heard to speak")
    if music is None:
        return Aspect("dialogue", title, None, "no music lies under the words")
    rows = speech_over_music(film, mix)
    if not rows:
        return Aspect(
            "dialogue", title, None, "no line has music about it that is heard alone, so the two cannot be compared"
        )
    over = np.asarray([r.over for r in rows])
    weight = np.asarray([r.span.length for r in rows])
    tenth = float(_weighted_quantile(over, weight, 0.1))
    words = cut_words(film, mix)
    ducks = [r.duck for r in rows if r.duck is not None]
    stars = max(0.0, falling(-tenth, -CLEAR, 0.0) - 0.5 * len(words))
    clear = float(weight[over >= CLEAR].sum() / weight.sum())
    figures = (
        Figure("n", len(rows), "lines judged", "", "Spans of speech with something to compare them with."),
        Figure("over_p10", tenth, "speech over music", "LU",
               "10th percentile by time; 10 LU and more is clear for most (Torcoli et al. 2019)."),
        Figure("clear", clear, "clear speech", "%", "Share of speech time at 10 LU and more over its bed."),
        Figure("duck", float(np.median(ducks)) if ducks else None, "ducking", "LU",
               "How far the bed dips under speech, heard in its pauses."),
        Figure("words_cut", len(words), "words cut", "", "Cuts at which speech stops dead within 20 ms."),
    )  # fmt: skip
    moments = [
        Moment(r.span.start, "dialogue", f"the words stand only {r.over:.0f} LU over the music",
               f"duck it by {CLEAR - r.over:.0f} dB more here", 0.3 + 0.04 * (CLEAR - r.over), r.span.length)
        for r in sorted(rows, key=lambda r: r.over)[:3] if r.over < 0.7 * CLEAR
    ]  # fmt: skip
    moments += [
        Moment(t, "dialogue", "a word is cut off", "move the cut into the pause, or let the sound run on (L-cut)", 0.7)
        for t in words[:4]
    ]
    finding = f"speech stands {tenth:.0f} LU over the music in its weakest tenth ({clear:.0%} of it clear)"
    if words:
        finding += f"; {len(words)} word{'s' * (len(words) != 1)} cut"
    return Aspect("dialogue", title, stars, finding, figures, tuple(moments), estimated=True)


def _weighted_quantile(values: np.ndarray, weights: np.ndarray, q: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, q * total[-1])])


def technique(film: Film, mix: Mix | None, differences: tuple[str, ...] | None = None) -> Aspect:
    """Judge what a delivery check would: loudness, true peak, offset, dropped frames, start and end, the timeline.

    Five stars less: one for every 2 LU outside -24 … -13 LUFS, one for every dB of true peak above -1 dBTP (at most 2
    each); one for every 40 ms that sound leads by more than 45 ms or lags by more than 125 ms (ITU-R BT.1359); one for
    every 0.2 % of irregular frames (at most 3 each); one for sound that starts or ends more than 0.1 s from the
    picture; half for every difference from the timeline. Never below 0. `differences` None: no timeline was given.
    """
    title = "Technique"
    taken: list[tuple[float, str, float | None]] = []  # stars, why, where (film s)
    figures: list[Figure] = []
    if mix is not None and not mix.silent:
        figures += [
            Figure("lufs", mix.integrated, "loudness", "LUFS", "EBU R128 integrated loudness."),
            Figure("true_peak", mix.true_peak, "true peak", "dBTP", "Highest peak between samples (4x oversampled)."),
        ]
        off = max(-24.0 - mix.integrated, mix.integrated + 13.0, 0.0)
        taken.append((min(2.0, off / 2), f"loudness {mix.integrated:.1f} LUFS", None))
        taken.append((min(2.0, max(0.0, mix.true_peak + 1.0)), f"true peak {mix.true_peak:+.1f} dBTP", mix.peak_at))
        late, short = mix.start, film.duration - mix.end
        figures.append(Figure("start_ms", 1000 * late, "sound starts", "ms", "First sample after the first picture."))
        figures.append(Figure("end_ms", 1000 * short, "sound ends early by", "ms", "Picture's end less the sound's."))
        taken.append((float(late > 0.1), f"sound starts {late:.2f} s after the picture", 0.0))
        taken.append((float(abs(short) > 0.1), f"sound and picture end {abs(short):.2f} s apart", mix.end))
    if film.offset is not None:
        figures.append(Figure("offset_ms", 1000 * film.offset, "sound offset", "ms", "Positive: the sound is early."))
        beyond = max(film.offset - 0.045, -film.offset - 0.125, 0.0)
        taken.append((min(3.0, beyond / 0.04), f"sound {1000 * abs(film.offset):.0f} ms off the picture", None))
    share = film.dropped / max(1, film.frames)
    figures.append(
        Figure("dropped", film.dropped, "irregular frames", "", "Steps between frames that are not one frame.")
    )
    taken.append((min(3.0, share / 0.002), f"{film.dropped} irregular frame{'s' * (film.dropped != 1)}", None))
    if differences is not None:
        meaning = "What the film shows otherwise than the timeline says."
        figures.append(Figure("differences", len(differences), "off the timeline", "", meaning))
        taken += [(0.5, d, None) for d in differences]
    lost = sorted(((w, t, at) for w, t, at in taken if w >= 0.05), key=lambda row: -row[0])
    stars = max(0.0, 5.0 - sum(w for w, _, _ in lost))
    finding = "; ".join(t for _, t, _ in lost[:3]) if lost else "nothing to mend"
    moments = tuple(
        Moment(at, "technique", t, "render again, and check the export's settings", min(0.8, 0.1 + 0.15 * w))
        for w, t, at in lost if w >= 1.0 and at is not None
    )  # fmt: skip
    return Aspect("technique", title, stars, finding, tuple(figures), moments)
