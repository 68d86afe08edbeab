# SPDX-License-Identifier: Apache-2.0
"""How one scene's song hands over to the next one's, and the cues that make it so. Pure; film seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from backbeat.model.cue import Cue
from backbeat.model.song import Key

KINDS = ("on", "cut", "ring-out", "echo-out", "blend", "breath", "fade")
RING = 2.0  # s that an old song rings or echoes under the new one
CUT = 0.015  # s of fade at a hard cut
LEAST_RING, MOST_RING = 0.9, 3.2  # s of ring in a breath
TEMPO, FLAM = 0.04, 0.010  # how far apart the tempi (share) and the attacks (s) of a blend may be
STEADY, FAST = 0.6, 105.0  # a beat that is sure, and fast enough (bpm) to echo
RISE, FALL, NEAR = 0.12, 0.25, 0.25  # changes of energy, 0..1
SOON = 2.0  # s: words that begin so soon need room


@dataclass(frozen=True, slots=True)
class Side:
    """The music on one side of a scene's edge.

    `energy` 0..1, half that of the eight seconds next to it (most songs begin softly), half of the whole scene; `bar`
    its seconds; `sung`: somebody sings there; `mood` the scene's words; `lasts` the scene's seconds. Of the old song:
    `on_end`, a beat of it falls on the edge; `over`, it ends there by itself; `room`, song seconds left after the edge
    (0 where its cue cannot go on). Of the new one: `talk`, seconds until somebody speaks.
    """

    song: str
    energy: float = 0.5
    tempo: float = 0.0
    bar: float = 2.0
    key: Key | None = None
    confidence: float = 1.0
    sung: bool = False
    mood: tuple[str, ...] = ()
    lasts: float = 30.0
    on_end: bool = True
    over: bool = False
    room: float = 0.0
    talk: float = math.inf


@dataclass(frozen=True, slots=True)
class Join:
    """A way to hand over: `kind` is one of `KINDS`, `why` a sentence, `bars` of a blend, `notes` what was not had."""

    kind: str
    why: str
    bars: int = 0
    notes: tuple[str, ...] = ()


def choose(old: Side, new: Side, *, asked: str = "auto", flam: float | None = None, on: bool = False) -> Join:
    """Return how `old` hands over to `new`.

    Parameters
    ----------
    old, new
        The music either side of the edge.
    asked
        The editor's wish; auto leaves it to the change of mood and energy.
    flam
        Median seconds between the attacks of the two where they would be blended, None where nobody measured it.
    on
        Whether the new cue begins where the old one stands in the same song.
    """
    if on:
        return Join("on", "the same song plays on")
    if asked == "blend":
        why = unblendable(old, new) or _flam(flam)
        if not why:
            return Join("blend", "as asked", bars=_bars(old, new))
        fallen = choose(old, new)
        return replace(fallen, notes=(f"a blend was asked for, but {why}",))
    if asked != "auto":
        return _possible(Join(asked, "as asked"), old)
    if old.over:
        return Join("fade", "the old song ends by itself")
    if new.talk < SOON:
        return _possible(Join("breath", f"somebody speaks {new.talk:.1f} s into the new scene"), old)
    step = new.energy - old.energy
    other_mood = bool(old.mood and new.mood and not set(old.mood) & set(new.mood))
    if not other_mood and abs(step) < NEAR and not unblendable(old, new) and not _flam(flam):
        why = f"tempi and keys agree, attacks {1000 * (flam or 0.0):.0f} ms apart, the mood stays"
        return Join("blend", why, bars=_bars(old, new))
    if step >= RISE:
        return Join("cut", f"the music rises ({old.energy:.2f} to {new.energy:.2f})")
    if step <= -FALL or (other_mood and step <= -RISE):
        how = "falls" + (" and the mood changes" if other_mood else "")
        return _possible(Join("breath", f"the music {how} ({old.energy:.2f} to {new.energy:.2f})"), old)
    if old.tempo >= FAST and old.confidence >= STEADY:
        return _possible(Join("echo-out", f"a steady {old.tempo:.0f} bpm, the intensity stays"), old)
    return _possible(Join("ring-out", "the intensity stays"), old)


def _possible(join: Join, old: Side) -> Join:
    """Return `join`, or what comes nearest to it where the old song has no beat to end on, or is too short."""
    if join.kind in {"cut", "fade"}:
        return join
    if not old.on_end:
        return replace(join, kind="fade", notes=(*join.notes, f"no {join.kind}: the old song has no beat to end on"))
    if old.lasts < (2 * old.bar if join.kind == "breath" else old.bar) + 1:
        return replace(join, kind="cut", notes=(*join.notes, f"no {join.kind}: the old scene is too short for it"))
    return join


def _flam(flam: float | None) -> str:
    if flam is None:
        return "their attacks could not be compared"
    return "" if flam <= FLAM else f"their attacks lie {1000 * flam:.0f} ms apart"


def _bars(old: Side, new: Side) -> int:
    """Return how many bars a blend lasts: eight, four in short scenes; 0 where there is no room for four."""
    return next((n for n in (8, 4) if n * new.bar <= min(old.room, new.lasts / 2, old.lasts)), 0)


def tempo_ratio(old: float, new: float) -> float:
    """Return new over old tempo, halved or doubled towards 1; 0 where one is unknown."""
    if old <= 0 or new <= 0:
        return 0.0
    ratio = new / old
    return float(ratio / 2 ** round(math.log2(ratio)))


def unblendable(old: Side, new: Side) -> str:
    """Return why the two cannot be blended, "" if they may be; attacks are not looked at."""
    from backbeat.decide.choose import camelot

    ratio = tempo_ratio(old.tempo, new.tempo)
    if not ratio or abs(ratio - 1) > TEMPO:
        return f"{old.tempo:.0f} and {new.tempo:.0f} bpm are too far apart"
    if abs(old.bar / new.bar * old.tempo / new.tempo - 1) > 0.1:
        return "their bars differ"
    if old.key is None or new.key is None or camelot(old.key, new.key) > 1:
        return "their keys do not fit"
    if old.sung and new.sung:
        return "both are sung there"
    if not old.on_end:
        return "the old song has no beat on the edge"
    if min(old.confidence, new.confidence) < STEADY:
        return "a beat is unsure"
    if not _bars(old, new):
        return "there is no room for four bars of both"
    return ""


# ---- cues


def shortened(cue: Cue, end: float, *, ring: float = 0.0, echo: float = 0.0, fade: float = 0.0) -> Cue:
    """Return `cue` ended at the film second `end`, or drawn out to it; its keys are cut or go on as they went.

    The last `ring` seconds ring out, or echo every `echo` seconds; else it fades over `fade` seconds.
    """
    keys = cue.tempo_map
    if keys:
        kept = [k for k in keys if k[0] < end - 1e-6]
        i = min(len(kept), len(keys) - 1)
        (f0, s0), (f1, s1) = keys[max(0, i - 1)], keys[max(1, i)]
        kept.append((end, s0 + (end - f0) * (s1 - s0) / (f1 - f0)))
        keys = tuple(kept)
    return replace(cue, end=end, tempo_map=keys, ring_out=ring, echo=echo, fade_out=fade)


def joined_on(old: Cue, new: Cue, edge: float) -> Cue:
    """Return one cue of two that are the same song played on: `new` goes on at `edge` where `old` stands."""
    first = shortened(old, edge)
    song = first.song_in + (edge - first.start) * first.stretch
    head = first.tempo_map or ((first.start, first.song_in), (edge, song))
    tail = shortened(new, new.end).tempo_map or (
        (edge, song),
        (new.end, song + (new.end - edge) * new.stretch),
    )
    tail = tuple(k for k in tail if k[0] > edge + 1e-6)
    return replace(
        old, end=new.end, tempo_map=(*head, *tail), seams=(*old.seams, *new.seams), ring_out=new.ring_out,
        echo=new.echo, fade_out=new.fade_out,
    )  # fmt: skip


def handed(old: Cue, join: Join, edge: float, last_beat: float, beat: float) -> Cue:
    """Return the old cue as its join lets it go at `edge`; `blend` and `on` are made elsewhere.

    `last_beat` is a downbeat of it before the edge on which a breath lets it end, `beat` the new song's (s).
    """
    if join.kind == "cut":
        return shortened(old, edge, fade=CUT)
    if join.kind == "breath":
        ring = edge - last_beat
        return shortened(old, last_beat + min(ring, MOST_RING), ring=min(ring, MOST_RING))
    if join.kind == "ring-out":
        rings = old.ring_out > 0 and abs(old.end - edge - RING) < 0.1
        return old if rings else shortened(old, edge + RING, ring=RING)
    if join.kind == "echo-out":
        return shortened(old, edge + RING, ring=RING, echo=0.75 * beat)
    return shortened(old, min(old.end, edge), fade=min(1.5, (edge - old.start) / 3))


def blended(old: Cue, edge: float, song: float, bars: float, lag: float = 0.0) -> Cue:
    """Return the old cue going on for `bars` seconds under the new song, on the new one's beat.

    `song` is the song second that sounds `bars` seconds after the edge, so that downbeats meet; `lag` is by how many
    seconds its attacks come late then.
    """
    here = old.song_in + (edge - old.start) * old.stretch if not old.tempo_map else old.tempo_map[-1][1]
    keys = old.tempo_map or ((old.start, old.song_in), (edge, here))
    stretch = (song - here) / bars
    moved = lag * stretch
    later = min(1.0, bars / 8)  # what is late catches up within this time, then stays on the beat
    catch = (edge + later, here + later * stretch + moved)
    return replace(old, end=edge + bars, tempo_map=(*keys, catch, (edge + bars, song + moved)), fade_out=0.0)


@dataclass(frozen=True, slots=True)
class Gains:
    """Gain keys (film seconds, dB) of the old and the new cue of a blend."""

    old: tuple[tuple[float, float], ...]
    new: tuple[tuple[float, float], ...]


def blend_gains(
    edge: float, step: float, old: tuple[float, ...], new: tuple[float, ...], before: float, after: float
) -> Gains:
    """Return gains by which a blend sounds equally loud throughout.

    `old` and `new` are the loudness (LUFS) of each song alone, every `step` seconds from `edge` on; `before` and
    `after` that of the film beside the blend. The old one goes and the new one comes with equal power; what the two
    are louder or softer than a straight line from `before` to `after` is taken out, 6 dB at most, from both alike.
    """
    count = min(len(old), len(new))
    keys_old, keys_new = [], []
    for i in range(count):
        x = (i + 0.5) / count
        down, up = math.cos(x * math.pi / 2) ** 2, math.sin(x * math.pi / 2) ** 2
        here = slice(max(0, i - 1), i + 2)
        power = down * 10 ** (_level(old[here]) / 10) + up * 10 ** (_level(new[here]) / 10)
        wanted = before + (after - before) * x
        mend = min(6.0, max(-6.0, wanted - 10 * math.log10(max(power, 1e-9)))) if wanted > -60 else 0.0
        time = edge + (i + 0.5) * step
        keys_old.append((time, 10 * math.log10(max(down, 1e-6)) + mend))
        keys_new.append((time, 10 * math.log10(max(up, 1e-6)) + mend))
    last = edge + count * step
    return Gains(((edge, 0.0), *keys_old, (last, -60.0)), ((edge, keys_new[0][1]), *keys_new, (last, 0.0)))


def _level(levels: tuple[float, ...]) -> float:
    """Return the mean of loudnesses (LUFS), as power."""
    return 10 * math.log10(max(sum(10 ** (v / 10) for v in levels) / max(1, len(levels)), 1e-9))
