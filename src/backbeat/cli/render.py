# SPDX-License-Identifier: Apache-2.0
"""``backbeat render``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backbeat.cli import common

if TYPE_CHECKING:
    from backbeat.make.check import Checked
    from backbeat.make.settings import RenderSettings
    from backbeat.verbs.render import RenderReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("render")(render)


def render(
    timeline: Annotated[str, typer.Argument(help="The edit, an .otio file.", metavar="FILM.otio")],
    output: Annotated[str, typer.Option("-o", "--output", help="The film: .mp4, .mov, .mkv or .webm.")] = "",
    *,
    check: Annotated[str, typer.Option("--check", help="Read this film back instead of rendering.")] = "",
    preset: Annotated[str, typer.Option(help="web, master or draft.")] = "web",
    draft: Annotated[bool, typer.Option("--draft", help="Half size and fast: the same as --preset draft.")] = False,
    codec: Annotated[str, typer.Option(help="h264, h265, av1, vp9, prores or dnxhr.")] = "",
    audio: Annotated[str, typer.Option(help="aac, opus, flac or pcm.")] = "",
    quality: Annotated[float, typer.Option(help="Constant quality of the codec (CRF); lower is better.")] = 0.0,
    bits: Annotated[int, typer.Option(help="Bits a sample: 8 or 10.")] = 0,
    hardware: Annotated[str, typer.Option(help="Encode by nvenc, qsv, amf or videotoolbox.")] = "",
    size: Annotated[str, typer.Option(help="Another canvas, such as 1080x1920.", metavar="WxH")] = "",
    fit: Annotated[str, typer.Option(help="letterbox, fill or stretch.")] = "letterbox",
    reframe: Annotated[str, typer.Option(help="centre, or follow the motion where --fit fill crops.")] = "",
    smooth: Annotated[bool, typer.Option("--smooth", help="New pictures between the old in slow motion.")] = False,
    partial: Annotated[str, typer.Option(help="Only this part, such as 0:30-0:45.", metavar="FROM-TO")] = "",
    loudness: Annotated[float | None, typer.Option(help="Integrated loudness to reach (LUFS), such as -14.")] = None,
    stems: Annotated[bool, typer.Option("--stems", help="Also write takes and music apart, as FLAC.")] = False,
    verify: Annotated[bool, typer.Option(help="Read the finished film back.")] = True,
    force: common.Force = False,
    workers: common.Workers = "1",
    talk: common.Talk = "auto",
    as_json: common.Json = False,
    show: common.Open = False,
) -> None:
    """Render a timeline into a film, exact to the frame and the sample; or --check a film against its timeline."""
    with common.told(as_json=as_json), common.session(workers=workers, talk=talk) as session:
        from backbeat.errors import InputError
        from backbeat.exchange.otio import load
        from backbeat.make.settings import RenderSettings, parse_size, parse_span
        from backbeat.verbs.render import check_file, film_of

        edit = load(timeline)
        settings = RenderSettings(
            preset="draft" if draft else preset,
            codec=codec,
            sound_codec=audio,
            quality=quality,
            bits=bits,
            hardware=hardware,
            size=parse_size(size) if size else (0, 0),
            fit="fill" if reframe else fit,
            reframe=reframe,
            smooth=smooth,
            span=parse_span(partial, edit) if partial else None,
            loudness=loudness,
            stems=stems,
            workers=workers,
        )
        if check:
            found = check_file(timeline, check, session, settings=settings)
            _print_check(check, found, as_json=as_json)
            raise typer.Exit(1 if found.differences else 0)
        if not output:
            raise InputError("no output was given", "add -o film.mp4")
        report = film_of(edit, output, session, settings=settings, force=force, verify=verify, inputs=(timeline,))
        _print(report, settings, as_json=as_json)
        if show:
            typer.launch(output)


def _print(report: RenderReport, settings: RenderSettings, *, as_json: bool) -> None:
    if as_json:
        common.print_json(report)
        return
    speed = report.duration / report.seconds if report.seconds else 0.0
    typer.echo(f"{report.film}: {report.frames} frames, {report.duration:.3f} s at {report.rate} ({settings.preset})")
    typer.echo(f"made in {report.seconds:.1f} s ({speed:.2g} x real time)")
    for line in (*(f"note: {w}" for w in report.warnings), *(f"stem: {s}" for s in report.stems)):
        typer.echo(line)
    if report.checked is not None:
        _print_check(report.film, report.checked, as_json=False)


def _print_check(film: str, found: Checked, *, as_json: bool) -> None:
    if as_json:
        common.print_json(found)
        return
    seen = [c for c in found.cuts if c.found is not None]
    alike = sum(c.found is None and not c.strange for c in found.cuts)
    note = f" ({alike} between pictures too alike to measure)" if alike else ""
    typer.echo(
        f"read back: {found.frames} of {found.expected_frames} frames, "
        f"{found.cuts_on_frame} of {len(seen)} cuts on their frame{note}"
    )
    start, end = (("-" if v is None else f"{v:+.2f} ms") for v in (found.audio_start_ms, found.end_drift_ms))
    typer.echo(f"sound: {start} at the start, {end} at the end, {found.loudness:.1f} LUFS")
    for line in found.differences:
        typer.echo(f"  differs: {line}")
    if not found.differences:
        typer.echo(f"{film}: as planned")
