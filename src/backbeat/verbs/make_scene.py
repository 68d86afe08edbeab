# SPDX-License-Identifier: Apache-2.0
"""One scene of a film, solved by itself: its music laid, its pictures cut to it. Runs in any process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import InputError, NoEditError
from backbeat.exchange.subtitles import Subtitle
from backbeat.model.cue import Cue
from backbeat.model.footage import Take
from backbeat.model.plan import Lock, Style
from backbeat.model.song import Song
from backbeat.model.time import Span, frame_at, seconds_at
from backbeat.model.timeline import Clip, Timeline, Title, Track
from backbeat.verbs.sync_scene import Scene

if TYPE_CHECKING:
    from backbeat.decide.arrange import Way
    from backbeat.decide.problem import CutProblem, Solution

VERSION = 6
LEAD = 0.012  # s before its downbeat at which a song comes in, so that the attack is whole
DRAG = 0.04  # stretch beyond which a song is rather played over than brought to length
OVERLAP = 2.0  # s by which a song may ring on under the next one
CARD, END, CAPTION = 2.5, 3.5, 4.0  # s that a title card, an end card, a caption stand at least


@dataclass(frozen=True, slots=True)
class EditJob:
    """An edited scene: `mode` is score (left as it is) or sync (moved onto its song, from `song_in` if given).

    `hits` are (scene seconds, weight) of strong events that the music should meet; `dialogue`: its sound is heard.
    """

    mode: str
    scene: Scene
    subtitles: tuple[Subtitle, ...] = ()
    song_in: float | None = None
    hits: tuple[tuple[float, float], ...] = ()
    dialogue: bool = True


@dataclass(frozen=True, slots=True)
class SceneJob:
    """What one scene is solved from; nothing of the other scenes is in it.

    `way` and `frames` as arranged. `talk` is where somebody speaks, as far as it is known before; `passage`: the song
    is asked for from ``way.song_in`` on. `locks` are in frames of the scene.
    """

    name: str
    song: Song
    way: Way
    frames: int
    rate: Fraction
    width: int
    height: int
    style: Style
    takes: tuple[Take, ...] = ()
    order: str = ""
    reuse: bool = False
    seed: int = 0
    dialogue: bool = False
    takes_out: tuple[str, ...] = ()
    title: str = ""
    caption: str = ""
    end: str = ""
    first: bool = False
    last: bool = False
    edit: EditJob | None = None
    talk: tuple[Span, ...] = ()
    passage: bool = False
    locks: tuple[Lock, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneCut:
    """A solved scene on a clock of its own (0 = its first picture).

    `cue` is its music, which may begin a little before 0 and reach beyond the end. `heard` is the song as it sounds in
    it, `words` where somebody speaks. `on_end` tells whether a beat of the song falls on the scene's end. `seams` are
    (time, percentile) of the joins inside the song.
    """

    name: str
    timeline: Timeline
    cue: Cue
    heard: Song
    on_end: bool
    ending: str
    words: tuple[Span, ...] = ()
    cuts: int = 0
    cuts_on_beat: float = 0.0
    cuts_chance: float = 0.0
    hits: int = 0
    hits_on_beat: float = 0.0
    gap: float = 0.0
    seams: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()
    subtitles: tuple[Subtitle, ...] = ()


@dataclass(frozen=True, slots=True)
class _Laid:
    """The music of a scene."""

    cue: Cue
    heard: Song
    on_end: bool
    ending: str
    seams: tuple[tuple[float, float], ...] = ()
    notes: tuple[str, ...] = ()


def solve(job: SceneJob) -> SceneCut:
    """Lay the music, cut the pictures to it, and say how well they meet.

    Where the footage gives out before the scene's end, the scene is made shorter and ends on an earlier downbeat.

    Raises
    ------
    NoEditError
        If no edit of the footage satisfies what is asked.
    MediaError
        If the song cannot be read.
    """
    if job.edit is not None:
        from backbeat.verbs.make_edit import solve_edit

        return solve_edit(job, job.edit)
    from backbeat.decide import cut as decide_cut
    from backbeat.decide.arrange import phrase_end
    from backbeat.decide.judge import cut_on_beat, hit_on_beat
    from backbeat.decide.problem import CutProblem
    from backbeat.decide.verify import verify
    from backbeat.verbs.asked import with_sound

    laid = lay(job)
    begin, stop = _cards(job, laid.heard)
    problem = CutProblem(
        song=laid.heard, takes=job.takes, style=job.style, rate=job.rate, frames=stop - begin,
        song_in=seconds_at(begin, job.rate), order=job.order or job.style.order, reuse=job.reuse, seed=job.seed,
        locks=(*_bans(job), *_locks(job, begin)), keep_sound=job.dialogue,
    )  # fmt: skip
    solution = decide_cut.solve(problem)
    if wrong := verify(solution, problem):  # a bug of ours
        raise RuntimeError(f"the decision broke its own rules: {wrong[:3]}")
    missing = problem.frames - solution.frames
    if missing > 0 and solution.frames > 0:
        reached = seconds_at(job.frames - missing, job.rate)
        song_in, song = job.way.song_in, job.song
        if song.duration - song_in > reached:
            end = phrase_end(song, song_in, reached, reached) - song_in
        else:
            end = phrase_end(laid.heard, 0.0, reached, reached)
        frames = min(frame_at(end, job.rate), job.frames - missing)
        shorter = replace(job, frames=frames, way=_rearranged(job, seconds_at(frames, job.rate)))
        if frames - (job.frames - stop) > begin and frames < job.frames:
            note = f"the footage fills {reached:.1f} s of {seconds_at(job.frames, job.rate):.1f} s"
            made = solve(shorter)
            return replace(made, notes=(note, *made.notes))
    timeline = decide_cut.timeline(problem, solution, width=job.width, height=job.height, name=job.name)
    timeline = with_sound(timeline, "takes" if job.dialogue else "mix", job.takes)
    judged = _judged(problem, solution)
    timeline = _placed(timeline, job, begin, laid.heard)
    cuts, hits = cut_on_beat(*judged[0], job.rate), hit_on_beat(*judged[1], job.rate)
    return SceneCut(
        name=job.name, timeline=timeline, cue=laid.cue, heard=laid.heard, on_end=laid.on_end, ending=laid.ending,
        words=_words(timeline, job.takes) if job.dialogue else (), cuts=cuts.n, cuts_on_beat=cuts.value or 0.0,
        cuts_chance=cuts.chance or 0.0, hits=hits.n, hits_on_beat=hits.value or 0.0, gap=solution.gap,
        seams=laid.seams, notes=(*laid.notes, *solution.unmet, *solution.notes),
    )  # fmt: skip


def lay(job: SceneJob) -> _Laid:
    """Return the music of a scene as its way says; a song that no path serves is played straight and faded out."""
    from backbeat.decide.heard import heard

    length = seconds_at(job.frames, job.rate)
    lead = 0.0 if job.first else min(LEAD, job.way.song_in)
    name = job.song.tags.title or Path(job.song.path).stem
    if job.way.kind == "fit":
        from backbeat.decide.retarget import Event
        from backbeat.verbs.retarget import fit
        from backbeat.verbs.retarget_ground import prepare

        try:
            ground = prepare(job.song)
            hits = [Event(t, w) for t, w in job.edit.hits] if job.edit else []
            made = fit(
                ground, length + LEAD * (not job.first) + (0.0 if job.last else OVERLAP),
                entry="start" if job.first else "downbeat", ending="auto" if job.last else "ring-out",
                tail=None if job.last else OVERLAP, start=0.0 if job.first else -LEAD, hits=hits, talk=job.talk,
                song_in=job.way.song_in if job.passage or not job.first else None,
            )  # fmt: skip
        except (InputError, NoEditError):
            pass
        else:
            if abs(made.ratio - 1) <= DRAG:
                seams = tuple((s.at, s.percentile) for s in made.seams)
                cue = replace(made.cue, name=name)
                notes = tuple(n.partition("; ")[0] for n in made.notes)  # the rest is about options of retarget
                return _Laid(cue, heard(ground.song, cue), not job.last, made.ending, seams, notes)
    from backbeat.decide.arrange import looped

    way = job.way
    reach = (job.song.duration - way.song_in) / way.stretch
    if way.kind == "fit" and (loops := looped(job.song, way.song_in, length)):
        away = min(1.5, length / 3) if job.last else 0.0
        cue = Cue(job.song.path, -lead, length, way.song_in - lead, fade_in=0.01, fade_out=away, seams=loops, name=name)
        note = f"too short, or without a beat: it is played {len(loops) + 1} times over"
        return _Laid(cue, heard(job.song, cue), on_end=False, ending="fade", notes=(note,))
    own = reach < length + 0.05
    cue = Cue(
        job.song.path, -lead, min(length, reach), song_in=way.song_in - lead * way.stretch, stretch=way.stretch,
        fade_in=0.01 if way.song_in > 0.05 else 0.0, fade_out=min(1.5, length / 3) if job.last and not own else 0.0,
        name=name,
    )  # fmt: skip
    missing = () if reach > length - 0.1 else (f"the song ends {length - reach:.1f} s before the scene does",)
    ending = "the song's own" if own else "downbeat" if way.ends and not job.last else "fade"
    return _Laid(cue, heard(job.song, cue), way.ends and not own, ending, notes=missing)


def _rearranged(job: SceneJob, length: float) -> Way:
    from backbeat.decide.arrange import way

    return way(job.song, job.way.song_in, length, last=job.last)


def _locks(job: SceneJob, begin: int) -> tuple[Lock, ...]:
    """Return the scene's locks as frames after its title card."""
    return tuple(replace(x, start=x.start - begin, end=x.end - begin) for x in job.locks)


def _bans(job: SceneJob) -> tuple[Lock, ...]:
    names = set(job.takes_out)
    out = [t.media.path for t in job.takes if names & {t.media.path, Path(t.media.path).name, Path(t.media.path).stem}]
    return tuple(Lock("forbid", take=path) for path in out)


def _cards(job: SceneJob, song: Song) -> tuple[int, int]:
    """Return the scene's frames in which pictures are cut: cards before and after them end and begin on downbeats."""
    from backbeat.decide.arrange import card_end, downbeats

    begin, stop = 0, job.frames
    if job.title:
        begin = frame_at(card_end(song, CARD), job.rate)
    if job.end:
        latest = seconds_at(job.frames, job.rate) - END
        at = max((t for t in downbeats(song) if t <= latest + 1e-6), default=latest)
        stop = frame_at(at, job.rate)
    if stop - begin < round(job.rate):
        raise NoEditError(
            f"{job.name}: its cards leave no room for pictures", "make the scene longer, or leave a card out"
        )
    return begin, stop


def _placed(timeline: Timeline, job: SceneJob, begin: int, song: Song) -> Timeline:
    """Return the cut moved behind its title card, with its end card and caption."""
    from backbeat.decide.heard import marks
    from backbeat.decide.strung import moved

    shifted = moved(timeline, begin)
    cards = []
    if job.title:
        cards.append(_card(0, begin, job.title, job.rate))
    if job.end:
        cards.append(_card(shifted.frames, job.frames - shifted.frames, job.end, job.rate))
    picture = shifted.tracks[0]
    clips = tuple(sorted((*picture.clips, *cards), key=lambda c: c.start))
    tracks = [replace(picture, clips=clips), *shifted.tracks[1:]]
    # the decision marks the music from its first picture on; there is music under the cards too
    kept = [m for m in shifted.markers if m.kind == "hit"]
    found = sorted([*kept, *marks(song, seconds_at(job.frames, job.rate))], key=lambda m: (m.time, m.kind))
    made = replace(shifted, frames=job.frames, tracks=tuple(tracks), cues=(), markers=tuple(found))
    return captioned(made, job, song, seconds_at(begin, job.rate))


def captioned(timeline: Timeline, job: SceneJob, song: Song, after: float) -> Timeline:
    """Return `timeline` with the scene's caption over its pictures, from the first downbeat after `after` s."""
    from backbeat.decide.arrange import card_end

    if not job.caption:
        return timeline
    start = card_end(song, after + 0.5)
    stop = min(card_end(song, start + CAPTION), timeline.duration)
    a, z = frame_at(start, job.rate), frame_at(stop, job.rate)
    if z - a < job.rate:
        return timeline
    card = Track((_card(a, z - a, job.caption, job.rate, "lower-third"),), "picture", "captions")
    return replace(timeline, tracks=(*timeline.tracks, card))


def _card(start: int, frames: int, text: str, rate: Fraction, kind: str = "card") -> Clip:
    ground = "#000000" if kind == "card" else "#000000a0"
    size = 0.08 if kind == "card" else 0.05
    return Clip(start, frames, "", 0, rate, name=text, title=Title(text, kind, size, background=ground))


def _judged(
    problem: CutProblem, solution: Solution
) -> tuple[tuple[list[float], list[float]], tuple[list[float], list[float]]]:
    """Return cuts with their beats and hits with theirs, seconds after the first cut picture."""
    length = seconds_at(solution.frames, problem.rate)
    beats = [t for b in problem.song.beats if -1e-6 <= (t := b.time - problem.song_in) <= length]
    cuts = [seconds_at(c.start, problem.rate) for c in solution.clips[1:]]
    return (cuts, beats), ([t for c in solution.clips for t in c.hits], beats)


def _words(timeline: Timeline, takes: tuple[Take, ...]) -> tuple[Span, ...]:
    """Return where somebody speaks in the clips that are heard, scene seconds."""
    from backbeat.decide.align_scene import words_of

    known = {t.media.path: words_of(t) for t in takes}
    out = []
    for clip in timeline.tracks[0].clips:
        if clip.sound_gain_db is None or clip.take not in known:
            continue
        start, end = seconds_at(clip.start, timeline.rate), seconds_at(clip.end, timeline.rate)
        shift = start - float(clip.source_in / clip.source_rate)
        out += [
            Span(max(start, w.start + shift), min(end, w.end + shift))
            for w in known[clip.take]
            if w.end + shift > start and w.start + shift < end
        ]
    return tuple(out)
