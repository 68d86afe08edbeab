# SPDX-License-Identifier: Apache-2.0
"""An edited scene of a film: left as it is with music laid under it, or moved onto its song. Runs in any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backbeat.model.cue import Cue
from backbeat.model.song import Song
from backbeat.model.time import Span, seconds_at
from backbeat.verbs.make_scene import LEAD, EditJob, SceneCut, SceneJob, captioned, lay

if TYPE_CHECKING:
    from backbeat.decide.judge import Metric
    from backbeat.model.timeline import Timeline


def solve_edit(job: SceneJob, edit: EditJob) -> SceneCut:
    """Return an edited scene with its music.

    Raises
    ------
    NoEditError
        If it cannot be moved onto its song.
    MediaError
        If the song cannot be read.
    """
    return _synced(job, edit) if edit.mode == "sync" else _scored(job, edit)


def _scored(job: SceneJob, edit: EditJob) -> SceneCut:
    from backbeat.verbs.score import locked
    from backbeat.verbs.score_needs import film_words

    laid = lay(job)
    rate = edit.scene.timeline.rate
    cuts = [float(p.clip.start / rate) for p in edit.scene.pieces if p.cut and p.clip.start > 0]
    metric = _met(job, cuts, laid.heard)
    return SceneCut(
        name=job.name, timeline=_fitting(locked(edit.scene), job, edit, laid.heard), cue=laid.cue, heard=laid.heard,
        on_end=laid.on_end, ending=laid.ending, words=film_words(edit.scene) if edit.dialogue else (), cuts=metric.n,
        cuts_on_beat=metric.value, cuts_chance=metric.chance, seams=laid.seams, notes=laid.notes,
        subtitles=edit.subtitles,
    )  # fmt: skip


def _synced(job: SceneJob, edit: EditJob) -> SceneCut:
    from backbeat.decide.arrange import downbeats
    from backbeat.decide.heard import heard
    from backbeat.verbs.sync_move import SyncOptions, move

    options = SyncOptions(
        scene=job.name, song=job.song.path, output="", song_in=edit.song_in,
        start_on="any" if job.first else "downbeat",
        allow_seams=edit.song_in is None and job.song.duration < edit.scene.timeline.duration + 1,
    )  # fmt: skip
    moved = move(options, job.song, edit.scene, edit.subtitles)
    made = moved.synced
    cue = _led(made.timeline.cues[0], first=job.first)
    song = heard(job.song, cue)
    end = made.timeline.duration
    near = min((abs(t - end) for t in downbeats(song)), default=1.0)
    over = cue.end > end - 0.05 and cue.song_in + (cue.end - cue.start) * cue.stretch > job.song.duration - 0.05
    fades = replace(cue, gain_db=0.0, fade_out=cue.fade_out if job.last else 0.0)
    return SceneCut(
        name=job.name, timeline=_fitting(made.timeline, job, edit, song), cue=fades, heard=song,
        on_end=near < 0.015, ending="the song's own" if over else "fade", words=moved.words if edit.dialogue else (),
        cuts=made.cuts.n, cuts_on_beat=made.cuts.value, cuts_chance=made.cuts.chance, hits=made.hits.n,
        hits_on_beat=made.hits.value, notes=made.notes, subtitles=moved.titles,
    )  # fmt: skip


def _led(cue: Cue, *, first: bool) -> Cue:
    """Return `cue` begun a little before the picture, so that the attack of its first downbeat is whole."""
    if first or cue.song_in < LEAD:
        return cue
    keys = cue.tempo_map
    if keys:
        keys = ((keys[0][0] - LEAD, keys[0][1] - LEAD), *keys)
    return replace(cue, start=cue.start - LEAD, song_in=cue.song_in - LEAD * cue.stretch, tempo_map=keys, fade_in=0.01)


def _fitting(timeline: Timeline, job: SceneJob, edit: EditJob, song: Song) -> Timeline:
    """Return the scene at the film's rate and size, with its caption, mute where its dialogue is not wanted."""
    from backbeat.decide.heard import marks
    from backbeat.decide.strung import at_rate

    made = at_rate(timeline, job.rate)
    # what was marked of the music that lay there before is not true any more
    kept = [m for m in made.markers if m.kind in {"note", "hit"}]
    found = tuple(sorted([*kept, *marks(song, made.duration)], key=lambda m: (m.time, m.kind)))
    made = replace(made, name=job.name, width=job.width, height=job.height, cues=(), markers=found)
    if not edit.dialogue:
        pictures = (t for t in made.tracks if t.kind == "picture")
        mute = tuple(replace(t, clips=tuple(replace(c, sound_gain_db=None) for c in t.clips)) for t in pictures)
        made = replace(made, tracks=mute)
    return captioned(made, job, song, 0.0)


def _met(job: SceneJob, cuts: Sequence[float], song: Song) -> Metric:
    from backbeat.decide.judge import cut_on_beat

    span = Span(0.0, seconds_at(job.frames, job.rate))
    beats = [b.time for b in song.beats if span.start <= b.time <= span.end]
    return cut_on_beat(list(cuts), beats, job.rate)
