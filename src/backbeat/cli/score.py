# SPDX-License-Identifier: Apache-2.0
"""``backbeat score``: songs for a locked film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.verbs.score import Scored
    from backbeat.verbs.score_scenes import ScoredScene


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(score)


def score(
    film: Annotated[str, typer.Argument(metavar="FILM", help="The locked film, or its edit (.otio, .fcpxml …).")],
    *,
    songs: Annotated[list[str], typer.Option("--songs", help="A folder of songs, or a song; repeat it.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The film with music.")] = "film.mp4",
    scene: Annotated[
        list[str] | None,
        typer.Option(
            help='"0:00-1:20", with mood words and @characters "1:20-3:05 tense @Anna", or a song'
            ' "3:05-4:00=chase.mp3". Without any, the scenes are found.'
        ),
    ] = None,
    theme: Annotated[
        list[str] | None,
        typer.Option(help='A character\'s song: "Anna=song.mp3", or a passage "Anna=song.mp3@1:05"; repeat it.'),
    ] = None,
    forbid: Annotated[list[str] | None, typer.Option(help="A song of the library not to use; repeat it.")] = None,
    join: Annotated[str, typer.Option(help="How songs follow each other: ring-out or breath.")] = "ring-out",
    subtitles: Annotated[
        str, typer.Option(help="The film's subtitles (.srt, .vtt, .ass): more words to duck under.")
    ] = "",
    media: Annotated[list[str] | None, typer.Option(help="Where the edit's media lies; repeat it.")] = None,
    loudness: common.Loudness = "streaming",
    stems: Annotated[bool, typer.Option("--stems", help="Also write music, dialogue and effects apart.")] = False,
    snap_effects: Annotated[
        bool, typer.Option("--snap-effects", help="Nudge gunshots and slams onto the beat, by one frame at most.")
    ] = False,
    dry_run: common.DryRun = False,
    force: common.Force = False,
    as_json: common.Json = False,
    show: common.Open = False,
    workers: common.Workers = "1",
    no_cache: common.NoCache = False,
    talk: common.Talk = "auto",
) -> None:
    """Score a locked film: songs chosen for its scenes, brought to length, joined, mixed under the dialogue."""
    with common.told(as_json=as_json), common.session(workers=workers, no_cache=no_cache, talk=talk) as session:
        from backbeat.verbs import score as story
        from backbeat.verbs.score_library import parse_theme
        from backbeat.verbs.score_needs import parse_scene

        options = story.ScoreOptions(
            film=film, songs=tuple(songs), output=output, scenes=tuple(parse_scene(s) for s in scene or ()),
            forbid=tuple(forbid or ()), themes=tuple(parse_theme(t) for t in theme or ()), join=join, loudness=loudness,
            subtitles=subtitles, media=tuple(media or ()), stems=stems, snap_effects=snap_effects, dry_run=dry_run,
            force=force,
        )  # fmt: skip
        result = story.score(options, session)
        if as_json:
            common.print_json(story.as_json(result))
        else:
            _print(result)
        if show and result.film:
            typer.launch(result.film)


def _print(result: Scored) -> None:
    from backbeat.model.time import clock

    for scene in result.scenes:
        _scene(scene)
    if result.lines:
        clear = min(line.clarity for line in result.lines)
        typer.echo(f"{len(result.lines)} lines of dialogue, clarity {clear:.2f} or more")
    if result.room_tone:
        typer.echo(f"room tone in {len(result.room_tone)} holes of the production sound")
    for move in result.snapped:
        typer.echo(f"effect at {clock(move.time)} heard {move.frames:+d} frame, on the beat at {clock(move.beat)}")
    if result.checked is not None:
        typer.echo(f"loudness {result.checked.loudness:.1f} LUFS of {result.delivery.why}")
    for note in (*result.rights, *result.notes):
        typer.echo(f"note: {note}", err=True)
    for path in (result.film, result.timeline_file, *result.stems, *result.cue_sheets):
        if path:
            typer.echo(path)


def _scene(scene: ScoredScene) -> None:
    from pathlib import Path

    from backbeat.model.time import clock

    how = f"  [found: {scene.found}; confidence {scene.confidence:.2f}]" if scene.found else ""
    typer.echo(f"{clock(scene.start)}-{clock(scene.end)}  {Path(scene.song).name}: {scene.why}{how}")
    seams = ", ".join(s.letter for s in scene.seams) or "none"
    sung = ""
    if scene.sung_talk_before > 0:
        sung = f"; sung under dialogue {scene.sung_talk:.1f} s (unsteered {scene.sung_talk_before:.1f} s)"
    typer.echo(
        f"    seams {seams}; ending {scene.ending}; stretch {scene.stretch:+.2%}; hits met {len(scene.hits)}{sung}"
    )
    for term in sorted(scene.terms, key=lambda t: t.cost):
        typer.echo(f"    {term.cost:+.2f} {term.name}: {term.why}")
    for choice in scene.ranked:
        if choice.path != scene.song:
            reasons = "; ".join(t.why for t in choice.terms[:2])
            typer.echo(f"    or {Path(choice.path).name} ({choice.cost:+.2f}): {reasons}")
    for note in scene.notes:
        typer.echo(f"    note: {note}", err=True)
