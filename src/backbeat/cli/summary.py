# SPDX-License-Identifier: Apache-2.0
"""What a person sees when a film is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from backbeat.model.time import clock

if TYPE_CHECKING:
    from backbeat.decide.judge import Metric
    from backbeat.verbs.cut import Result


def print_cut(result: Result) -> None:
    """Print the summary of a cut on stdout."""
    timeline, checked = result.timeline, result.checked
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row(
        "length",
        f"{clock(timeline.duration)}, {timeline.frames} frames at {float(timeline.rate):.3f}: {result.length.why}",
    )
    table.add_row(
        "picture", f"{timeline.width}x{timeline.height}, {len(result.picture)} clips from {_takes_used(result)} takes"
    )
    table.add_row(
        "song", f"{result.problem.song.tempo:.1f} bpm, beats sure to {result.problem.song.beat_confidence:.0%}"
    )
    table.add_row("cuts on a beat", _rate(result.cuts))
    table.add_row("hits on a beat", _rate(result.hits))
    if not result.solution.unmet:  # the bound is of films of the length asked
        table.add_row("distance to the best edit", f"at most {result.solution.gap:.2%} (proved)")
    if checked is not None:
        table.add_row(
            "read back",
            f"{checked.frames} of {checked.expected_frames} frames, "
            f"{checked.cuts_on_frame} of {sum(c.found is not None for c in checked.cuts)} cuts on their frame, "
            f"sound {_ms(checked.audio_start_ms)} at the start, {_ms(checked.end_drift_ms)} at the end",
        )
        table.add_row("film", result.film)
        table.add_row("timeline", result.timeline_file)
    table.add_row("time", ", ".join(f"{step} {seconds:.1f} s" for step, seconds in result.timings.items()))
    console = Console(highlight=False)
    console.print(table)
    for path, reason in result.left_out:
        console.print(f"left out: {path}: {reason}", markup=False)
    for note in result.notes:
        console.print(f"note: {note}", markup=False)


def _takes_used(result: Result) -> int:
    return len({c.take for c in result.picture})


def _rate(metric: Metric) -> str:
    if not metric.n:
        return "none to judge"
    return f"{metric.value:.0%} of {metric.n} (chance {metric.chance:.0%})"


def _ms(value: float | None) -> str:
    return "not heard" if value is None else f"{value:+.2f} ms"
