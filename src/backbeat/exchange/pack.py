# SPDX-License-Identifier: Apache-2.0
"""Events on as few lanes as they need without overlapping."""

from __future__ import annotations

from collections.abc import Iterable

from backbeat.exchange.sheet import Event


def packed(events: Iterable[Event]) -> list[list[Event]]:
    """Return `events` in order of start, each on the first row that is free."""
    rows: list[list[Event]] = []
    for event in sorted((e for e in events if e.frames > 0), key=lambda e: e.start):
        row = next((r for r in rows if r[-1].end <= event.start), None)
        if row is None:
            rows.append([event])
        else:
            row.append(event)
    return rows
