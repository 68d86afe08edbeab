# SPDX-License-Identifier: Apache-2.0
"""When each word of a known text is said: the words of subtitles or of a script, laid over the talk that is heard.

English is aligned by PocketSphinx where it is installed. Otherwise a word is expected to last as long as its syllables
and letters ask, at the line's own pace; it begins where the sound dips and rises again. The cheapest division of the
talk by both is found by dynamic programming. Pauses cost nothing: time is counted in talk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy  # its parts load when first used: a run that finds everything in the cache never pays for them

from backbeat.media.probe import probe_times
from backbeat.media.samples import mono_blocks
from backbeat.media.scan import SOUND_RATE
from backbeat.model.footage import Speech, Take, Word
from backbeat.model.time import Span
from backbeat.watch import sphinx
from backbeat.watch.ear import Ear
from backbeat.watch.speech import PAUSE
from backbeat.watch.talk import talking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.watch.ear import Hearing

STEP = 0.01
VERSION = 3  # raise it whenever a result may change: cached words are forgotten
ALIGNED, HEARD, GUESSED = 0.9, 0.6, 0.2  # confidence of words aligned, laid over talk, and spread where none is heard
_GUARD = 0.03  # s kept free beside a word
_TALKED = 0.7  # least share of a script's words that must lie in talk: else it is another take's
_MOST = 1_000_000  # steps times words: a longer script is divided by length alone
_CHUNK = 120.0  # s of cues aligned at once
_REACH = 0.4  # s: subtitles come this much early or late
_SLACK = 0.45  # spread of the log of a word's length over what is expected (fitted to synthetic voices)
_DIP, _GAP = 2.0, 3.0  # what a dip, and a pause, is worth at a word's start
_STRIP = re.compile(r"<[^>]*>|\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|♪[^♪]*♪?")
_WORD = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*")
_VOWELS = re.compile(r"[aeiouyáàâäãåæéèêëíìîïóòôöõøœúùûüýÿ]+")


@dataclass(frozen=True, slots=True)
class Cue:
    """A line and when it is about to be said (s on the take's clock)."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    length: float  # expected, in syllables
    closes: bool  # a comma or a full stop comes after it


def tokens(text: str) -> tuple[_Token, ...]:
    """Return the words of a line; styling, [sounds] and (remarks) left out."""
    plain = re.sub(r"^\s*[A-ZÄÖÜ][A-ZÄÖÜ ]+:\s", "", _STRIP.sub(" ", text), flags=re.MULTILINE)
    out = []
    for found in _WORD.finditer(plain):
        after = plain[found.end() : found.end() + 1]
        out.append(_Token(found[0], _length(found[0].lower()), after in {",", ".", "!", "?", ";", ":", "…"}))
    return tuple(out)


def _length(word: str) -> float:
    """Return how long a word lasts, in syllables: the silent e of English is none, consonants take time too."""
    syllables = len(_VOWELS.findall(word))
    if syllables > 1 and word.endswith("e") and not word.endswith(("le", "ee", "ie")):
        syllables -= 1
    digits = sum(c.isdigit() for c in word)
    syllables = max(1, syllables + digits) if any(c.isascii() for c in word) else max(1, len(word))
    return 0.1 + 0.1 * syllables + 0.22 * len(word)  # fitted to synthetic voices


def tell(take: Take, cues: Sequence[Cue], script: str = "") -> tuple[Speech, ...]:
    """Return the take's speech with the words of `cues`, or of a `script` without times, listening to it again.

    Raises
    ------
    MediaError
        If the sound cannot be read.
    """
    zero = float(probe_times(take.media.path)[1].zero)
    ear, held = Ear(), []
    for block in mono_blocks(take.media.path, SOUND_RATE):
        ear.hear(block.samples[0], block.start - zero)
        held.append((np.clip(block.samples[0], -1, 1) * 32767).astype(np.int16))  # an hour is 115 MB
    hearing, wave = ear.hearing(), np.concatenate(held)
    if script:
        whole = Cue(Span(hearing.start, hearing.start + len(wave) / SOUND_RATE), script)
        said = _aligned(whole, whole.span, hearing.start, wave)
        if said and _heard(said, hearing) >= _TALKED:
            return told(take.speech, [(whole, said)])
        return aligned(take.speech, hearing, scripted(script, hearing))
    inside = [c for c in cues if c.span.start < take.media.duration]
    return aligned(take.speech, hearing, inside, wave)


def aligned(
    speech: Sequence[Speech], hearing: Hearing, cues: Sequence[Cue], wave: NDArray[Any] | None = None
) -> tuple[Speech, ...]:
    """Return `speech` with the words of `cues`; words of a cue without speech make a span of their own.

    `wave`: the sound that was heard, mono at 16 kHz (float or int16), for the aligner; None lays words over talk alone.
    """
    talk = talking(hearing.events)
    ordered = sorted((c for c in cues if tokens(c.text)), key=lambda c: c.span.start)
    spans = [_reach(ordered, i) for i in range(len(ordered))]
    sure = _aligned_together(ordered, spans, hearing.start, wave) if wave is not None and sphinx.present() else {}
    found = []
    for i, (cue, span) in enumerate(zip(ordered, spans, strict=True)):
        said = sure.get(i, ())
        if not said and wave is not None:
            said = _aligned(cue, span, hearing.start, wave)
        found.append((cue, said or words(cue, span, talk, hearing)))
    return told(speech, found)


def _reach(cues: Sequence[Cue], i: int) -> Span:
    """Return where the words of a cue may lie: a little about it, its neighbours' own time left out."""
    span = cues[i].span
    low = max(span.start - _REACH, cues[i - 1].span.end if i else -1e9)
    high = min(span.end + _REACH, cues[i + 1].span.start if i + 1 < len(cues) else 1e9)
    return Span(min(low, span.start), max(high, span.end))


def _aligned_together(
    cues: Sequence[Cue], spans: Sequence[Span], start: float, wave: NDArray[Any]
) -> dict[int, tuple[Word, ...]]:
    """Return words by cue, aligned over minutes at once: sloppy cues may end in the middle of a word.

    Cues whose words come to lie a second and more outside are left out.
    """
    chunks: list[list[int]] = []
    for i, cue in enumerate(cues):
        if chunks and cue.span.end - cues[chunks[-1][0]].span.start <= _CHUNK:
            chunks[-1].append(i)
        else:
            chunks.append([i])
    out: dict[int, tuple[Word, ...]] = {}
    for chunk in chunks:
        whole = Span(spans[chunk[0]].start, max(spans[i].end for i in chunk))
        said = list(_aligned(Cue(whole, "\n".join(cues[i].text for i in chunk)), whole, start, wave))
        if len(said) != sum(len(tokens(cues[i].text)) for i in chunk):
            continue
        for i in chunk:
            mine, said = said[: len(tokens(cues[i].text))], said[len(tokens(cues[i].text)) :]
            if mine[0].span.start > cues[i].span.start - 1 and mine[-1].span.end < cues[i].span.end + 1:
                out[i] = tuple(mine)
    return out


def _heard(said: Sequence[Word], hearing: Hearing) -> float:
    """Return the share of words in whose middle somebody talks."""
    talk = talking(hearing.events)
    at = [round(((w.span.start + w.span.end) / 2 - hearing.start) / STEP) for w in said]
    return float(np.mean([talk[min(max(0, i), len(talk) - 1)] > 0.5 for i in at])) if len(talk) else 0.0


def scripted(text: str, hearing: Hearing) -> tuple[Cue, ...]:
    """Return the lines of a script without times as cues, laid over all the talk that is heard."""
    lines = [line for line in text.splitlines() if tokens(line)]
    length = len(hearing.events) * STEP
    whole = Span(hearing.start, hearing.start + length)
    laid = words(Cue(whole, " ".join(lines)), whole, talking(hearing.events), hearing)
    if not laid or laid[0].confidence <= GUESSED:
        return ()  # nobody is heard to say it
    out, at = [], 0
    for line in lines:
        mine = laid[at : at + len(tokens(line))]
        at += len(mine)
        out.append(Cue(Span(mine[0].span.start, mine[-1].span.end), line))
    return tuple(out)


def _aligned(cue: Cue, span: Span, start: float, wave: NDArray[Any]) -> tuple[Word, ...]:
    """Return the words as the aligner places them, () where it cannot."""
    if not sphinx.present():
        return ()
    said = [t.text for t in tokens(cue.text)]
    first = max(0, round((span.start - start) * SOUND_RATE))
    piece = wave[first : max(first, round((span.end - start) * SOUND_RATE))]
    times = sphinx.placed(said, piece)
    if times is None:
        return ()
    zero = start + first / SOUND_RATE
    return tuple(
        Word(text, Span(round(zero + a, 3), round(zero + b, 3)), ALIGNED)
        for text, (a, b) in zip(said, times, strict=True)
    )


def told(speech: Sequence[Speech], found: Sequence[tuple[Cue, tuple[Word, ...]]]) -> tuple[Speech, ...]:
    """Return `speech` with words put into the spans that they lie in; the others make spans of their own."""
    out = [replace(s, text="", words=()) for s in speech]
    for cue, said in found:
        for word in said:
            middle = (word.span.start + word.span.end) / 2
            at = next((i for i, s in enumerate(out) if s.span.start <= middle < s.span.end), -1)
            if at < 0:
                out.append(Speech(cue.span, GUESSED))
                at = len(out) - 1
            one = out[at]
            out[at] = replace(one, words=(*one.words, word), text=f"{one.text} {word.text}".strip())
    return tuple(_paused(s) for s in sorted(out, key=lambda s: s.span.start))


def _paused(speech: Speech) -> Speech:
    """Return `speech` as wide as its words, and with the pauses that surely placed words leave."""
    if not speech.words:
        return speech
    ordered = tuple(sorted(speech.words, key=lambda w: w.span.start))
    low = min(speech.span.start, ordered[0].span.start)
    high = max(speech.span.end, *(w.span.end for w in ordered))
    pads = speech.pads[0] + speech.span.start - low, speech.pads[1] + high - speech.span.end
    pauses = tuple(p for p in speech.pauses if all(w.span.overlap(p) <= 0 for w in ordered))
    if min(w.confidence for w in ordered) >= ALIGNED:
        gaps = [Span(a.span.end + _GUARD, b.span.start - _GUARD) for a, b in pairwise(ordered) if _far(a, b)]
        pauses = tuple(sorted({*gaps, *(p for p in pauses if not any(g.overlap(p) > 0 for g in gaps))}, key=_start))
    return replace(speech, span=Span(low, high), pads=pads, words=ordered, pauses=pauses)


def _far(one: Word, other: Word) -> bool:
    return other.span.start - one.span.end >= PAUSE + 2 * _GUARD


def _start(span: Span) -> float:
    return span.start


def words(cue: Cue, span: Span, talk: NDArray[np.float32], hearing: Hearing) -> tuple[Word, ...]:
    """Return the words of `cue` within `span`, from the belief in `talk` (m,) every 10 ms."""
    said = tokens(cue.text)
    first = max(0, round((span.start - hearing.start) / STEP))
    last = min(len(talk), round((span.end - hearing.start) / STEP))
    heard = _active(talk[first:last])
    if len(heard) < max(5, 4 * len(said)):
        return _even(cue, said)
    starts = _divided(said, heard, _dips(hearing, first, last)[heard])
    ends = [*starts[1:], len(heard)]
    out = []
    for token, a, b in zip(said, starts, ends, strict=True):
        begin, end = heard[a], max(heard[a], heard[b - 1]) + 1
        jump = np.flatnonzero(np.diff(heard[a:b]) > 1)  # a pause at its end is not the word's
        if len(jump) and b - a - 1 - jump[-1] <= 2:
            end = heard[a + jump[-1]] + 1
        at = hearing.start + (first + np.array([begin, end])) * STEP
        out.append(Word(token.text, Span(round(float(at[0]), 3), round(float(at[1]), 3)), HEARD))
    return tuple(out)


def _active(talk: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the steps in which somebody talks; gaps of stops and breath count in."""
    mask = scipy.ndimage.binary_closing(np.pad(talk > 0.5, 10), np.ones(12))[10:-10]
    return np.flatnonzero(mask)


def _even(cue: Cue, said: Sequence[_Token]) -> tuple[Word, ...]:
    edges = np.concatenate([[0.0], np.cumsum([t.length for t in said])])
    edges = cue.span.start + edges / edges[-1] * cue.span.length
    return tuple(
        Word(t.text, Span(round(float(a), 3), round(float(b), 3)), GUESSED)
        for t, a, b in zip(said, edges, edges[1:], strict=False)
    )


def _dips(hearing: Hearing, first: int, last: int) -> NDArray[np.float64]:
    """Return how much each step looks like the start of a syllable, 0..1: the sound dips before it and rises."""
    level = np.asarray(hearing.level[2 * first : 2 * last], np.float64)
    flux = np.asarray(hearing.flux[2 * first : 2 * last], np.float64)
    size = last - first
    level = np.pad(level, (0, 2 * size - len(level)), mode="edge") if len(level) else np.zeros(2 * size)
    flux = np.pad(flux, (0, 2 * size - len(flux))) if len(flux) else np.zeros(2 * size)
    smooth = scipy.ndimage.uniform_filter1d(level, 5)[::2]
    depth = scipy.ndimage.maximum_filter1d(smooth, 21) - smooth
    rise = flux.reshape(-1, 2).max(1)
    top = float(np.percentile(rise, 95)) or 1.0
    return np.asarray(0.5 * np.clip(depth / 15, 0, 1) + 0.5 * np.clip(rise / top, 0, 1))


def _divided(said: Sequence[_Token], heard: NDArray[np.int64], dips: NDArray[np.float64]) -> list[int]:
    """Return where in `heard` each word starts: least cost of lengths and of starts at dips and pauses."""
    size, count = len(heard), len(said)
    pace = size / sum(t.length for t in said)  # steps a syllable
    ahead = np.cumsum([t.length for t in said]) * pace
    if size * count > _MOST:
        return [min(size - 1, int(a - t.length * pace)) for a, t in zip(ahead, said, strict=True)]
    gap = np.diff(heard, prepend=heard[0] - 1) > 8
    start = _DIP * dips
    best: Any = np.full((count + 1, size + 1), np.inf)
    back = np.zeros((count + 1, size + 1), np.int64)
    best[0, 0] = 0.0
    reach = max(300, size // 6)  # a long text is not looked through whole
    for i, token in enumerate(said):
        expected = token.length * pace
        lengths = np.arange(max(2, int(expected * 0.3)), max(4, int(expected * 3)) + 1)
        cost = np.log(lengths / expected) ** 2 / (2 * _SLACK**2)
        gain = start + gap * (_GAP if i and said[i - 1].closes else _GAP / 2)
        low, high = max(0, int(ahead[i]) - reach), min(size, int(ahead[i]) + reach)
        for end in range(low, high + 1):
            begins = end - lengths
            ok = begins >= 0
            if not ok.any():
                continue
            at = begins[ok]
            total = best[i, at] + cost[ok] - (gain[np.minimum(at, size - 1)] if i else 0.0)
            k = int(total.argmin())
            if total[k] < best[i + 1, end]:
                best[i + 1, end], back[i + 1, end] = total[k], at[k]
    if not np.isfinite(best[count, size]):
        return [min(size - 1, int(a - t.length * pace)) for a, t in zip(ahead, said, strict=True)]
    starts, end = [], size
    for i in range(count, 0, -1):
        end = int(back[i, end])
        starts.append(end)
    return starts[::-1]
