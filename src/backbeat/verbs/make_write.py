# SPDX-License-Identifier: Apache-2.0
"""A finished plan of a film rendered, read back, and put in place with its papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import MediaError
from backbeat.model.project import Project
from backbeat.model.time import Span, frame_at
from backbeat.verbs.make_joins import JoinMade
from backbeat.verbs.session import Session

if TYPE_CHECKING:
    from backbeat.exchange.cuesheet import CueRow
    from backbeat.exchange.subtitles import Subtitle
    from backbeat.make.check import Checked
    from backbeat.model.timeline import Timeline
    from backbeat.verbs.mixing import Line


@dataclass(frozen=True, slots=True)
class MakeOptions:
    """What the command adds to the project; `output` "" takes the project's."""

    project: str
    output: str = ""
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class MadeScene:
    """A scene of the film: where it lies, its song and why, how well it is cut, and how its music hands over.

    `kept`: nothing of it had changed, so it was not solved again.
    """

    name: str
    start: float
    end: float
    song: str
    why: str
    song_in: float
    cuts: int
    cuts_on_beat: float
    cuts_chance: float
    hits: int
    hits_on_beat: float
    gap: float
    seams: tuple[tuple[float, float], ...]
    ending: str
    kept: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it. `failed` are (scene, reason); `scenes` are those in the film."""

    film: str
    timeline_file: str
    cue_sheets: tuple[str, ...]
    subtitles_file: str
    timeline: Timeline
    scenes: tuple[MadeScene, ...]
    joins: tuple[JoinMade, ...]
    failed: tuple[tuple[str, str], ...]
    proven: bool
    lines: tuple[Line, ...]
    rights: tuple[str, ...]
    checked: Checked | None = None
    notes: tuple[str, ...] = ()


def outputs(project: Project) -> tuple[str, str, str, str]:
    """Return the paths of film, timeline, cue sheet and its printable page."""
    base = Path(project.output)
    papers, table, page = (str(base.with_suffix(s)) for s in (".otio", ".cues.csv", ".cues.html"))
    return project.output, papers, table, page


def written(
    project: Project,
    options: MakeOptions,
    made: Made,
    rows: Sequence[CueRow],
    subtitles: tuple[Subtitle, ...],
    words: Sequence[Span],
    session: Session,
) -> Made:
    """Render, read the film back, and put it and its papers in place.

    Raises
    ------
    MediaError
        If the finished film is not what the timeline says.
    """
    from backbeat.exchange import cuesheet, otio
    from backbeat.exchange.subtitles import write_srt
    from backbeat.make.check import check
    from backbeat.make.film import render
    from backbeat.verbs.mixing import delivered
    from backbeat.verbs.render import parts_folder
    from backbeat.work import output

    film, papers, table, page = outputs(project)
    asked = delivered(project.loudness, words, made.timeline.duration)
    settings = replace(asked, stems=project.stems, stem_name=film, workers=session.workers)
    sources = (*(m.path for m in made.timeline.takes), *(c.path for c in made.timeline.cues))
    output.check(film, force=options.force, inputs=sources)
    with output.placed(papers) as paper, output.placed(film) as picture:
        starts = tuple(frame_at(s.start, made.timeline.rate) for s in made.scenes[1:])
        rendered = render(
            made.timeline, picture, settings=settings, progress=session.progress, parts=str(parts_folder(film)),
            breaks=starts, keep=True,
        )  # fmt: skip
        session.progress.start("checking the film", 0)
        checked = check(picture, made.timeline, settings=settings, looks=rendered.looks)
        session.progress.stop()
        if checked.differences:
            raise MediaError(
                f"{film}: the finished film is not what the timeline says ({checked.differences[0]})",
                "run again; if it comes back, a source file changed or is damaged where the film uses it",
            )
        otio.save(made.timeline, paper)
    cuesheet.save(cuesheet.to_csv(rows), table)
    sheet = cuesheet.to_html(rows, film=Path(film).stem, length=made.timeline.duration, warnings=made.rights)
    cuesheet.save(sheet, page)
    srt = str(Path(film).with_suffix(".srt")) if subtitles else ""
    if srt:
        write_srt(subtitles, srt)
    return replace(
        made, film=film, timeline_file=papers, cue_sheets=(table, page), subtitles_file=srt, checked=checked,
        notes=(*made.notes, *rendered.warnings),
    )  # fmt: skip


def as_json(made: Made) -> dict[str, object]:
    """Return the summary as one plain object."""
    checked = made.checked
    return {
        "film": made.film or None,
        "timeline": made.timeline_file or None,
        "cue_sheets": made.cue_sheets,
        "subtitles": made.subtitles_file or None,
        "duration": made.timeline.duration,
        "frames": made.timeline.frames,
        "rate_exact": str(made.timeline.rate),
        "size": [made.timeline.width, made.timeline.height],
        "scenes": made.scenes,
        "joins": made.joins,
        "failed": [{"scene": name, "reason": reason} for name, reason in made.failed],
        "assignment_proven": made.proven,
        "cues": made.timeline.cues,
        "lines": made.lines,
        "rights": made.rights,
        "checked": None if checked is None else replace(checked, cuts=()),
        "cuts_on_frame": None if checked is None else [checked.cuts_on_frame, len(checked.cuts)],
        "notes": made.notes,
    }  # fmt: skip
