# SPDX-License-Identifier: Apache-2.0
"""A timeline rendered into a film: pictures by frame count, sound by sample count, one encode, no lossy in-between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import av

from backbeat.errors import BackbeatError
from backbeat.make.codecs import picture_format, sound_format
from backbeat.make.facts import completed
from backbeat.make.parts import folder_of
from backbeat.make.segments import Coded, Segment, encode, encode_all, plan, write_fault
from backbeat.make.settings import RenderSettings
from backbeat.make.sound import sound_of, write_stems
from backbeat.media.write import join
from backbeat.model.time import clock
from backbeat.work.pool import each, open_pool
from backbeat.work.progress import Progress, Silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from backbeat.model.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made.

    `seconds` is wall time; `warnings` say what was mended on the way; `looks` are views of the composed pictures about
    the cuts, by record frame, which spare `check` from decoding the sources again.
    """

    path: str
    frames: int
    seconds: float
    warnings: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    looks: Mapping[int, NDArray[np.float32]] = field(default_factory=dict, repr=False)


def render(
    timeline: Timeline,
    output: str,
    *,
    settings: RenderSettings = RenderSettings(),  # noqa: B008 - frozen
    progress: Progress = Silent(),  # noqa: B008 - has no state
    parts: str | None = None,
    breaks: tuple[int, ...] = (),
    keep: bool = False,
) -> Rendered:
    """Render `timeline` to exactly `output`; its suffix names the container.

    `parts` is a folder for finished segments: made if missing, used to go on where an earlier render stopped, removed
    when the film is whole. None uses a temporary one beside the output. With `keep` what this film is made of stays
    there, for a later one that changes little; `breaks` are the record frames between its scenes, which are known again
    wherever they lie.

    Raises
    ------
    InputError
        If the settings do not fit, the timeline is empty, the disk is full, or another render works in `parts`.
    MediaError
        If a source cannot be read; the message names the place in the film.
    MissingPartError
        If an encoder is missing on this machine.
    """
    began = time.monotonic()
    first, last = settings.frames(timeline)
    voice = sound_format(settings, output)
    timeline = completed(timeline)
    form = picture_format(timeline, settings, output)
    stems: tuple[str, ...] = ()
    with folder_of(output, parts, keep=keep) as folder:
        segments = plan(timeline, form, settings.look, (first, last), folder, breaks)
        coded = _pictures(segments, settings.workers, progress)
        progress.start("sound and join", last - first, "frames")
        try:
            sound = sound_of(timeline, settings)
            blocks = None if sound is None else sound.blocks()
            for _ in join(output, [s.path for s in segments], form, blocks, voice):
                progress.advance()
            if sound is not None and settings.stems:
                stems = write_stems(sound, settings.stem_name or output)
        except BackbeatError:
            raise
        except (av.FFmpegError, OSError) as error:
            raise write_fault(error, "joining the segments") from error
        if keep:
            for path in Path(folder).iterdir():
                if path.suffix == form.container and str(path) not in {s.path for s in segments}:
                    path.unlink(missing_ok=True)
        progress.stop()
    warnings = tuple(dict.fromkeys([*_undrawn(timeline, (first, last)), *(w for c in coded for w in c.warnings)]))
    return Rendered(
        output, last - first, time.monotonic() - began, warnings, stems, {n: v for c in coded for n, v in c.looks}
    )


def _undrawn(timeline: Timeline, span: tuple[int, int]) -> Iterator[str]:
    """Yield what is to be told of titles whose letters no font here has."""
    for clip in (c for t in timeline.tracks if t.enabled and t.kind == "picture" for c in t.clips if c.enabled):
        if clip.title is not None and clip.start < span[1] and clip.end > span[0]:
            from backbeat.make.titles import missing_letters

            if missing := missing_letters(clip.title.text):
                where = clock(float(clip.start / timeline.rate))
                yield f"the title at {where}: no font here has {missing[:12]} (BACKBEAT_FONTS names a folder of fonts)"


def _pictures(segments: list[Segment], workers: str, progress: Progress) -> list[Coded]:
    """Make the segments that are not there yet."""
    todo = [s for s in segments if not s.done]
    frames = sum(s.last - s.first for s in segments)
    progress.start("render", frames, "frames")
    if len(todo) < len(segments):
        progress.say(f"going on: {len(segments) - len(todo)} of {len(segments)} segments are there")
        progress.advance(frames - sum(s.last - s.first for s in todo))
    if workers == "1" or len(todo) < 2:
        return list(encode_all(todo, progress.advance))
    coded = []
    with open_pool(workers) as pool:
        for _, result in each(pool, encode, todo):
            if isinstance(result, Exception):
                raise result
            coded.append(result)
            progress.advance(result.frames)
    return coded
