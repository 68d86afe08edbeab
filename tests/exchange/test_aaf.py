# SPDX-License-Identifier: Apache-2.0
"""AAF through the optional adapter: cuts where it is installed, one sentence where it is not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from backbeat.errors import MissingPartError
from backbeat.exchange import exporters
from exchange.edits import RATES, full

HAVE = "AAF" in otio.adapters.available_adapter_names()


@pytest.mark.skipif(HAVE, reason="the adapter is installed")
def test_without_the_part_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="extra part") as told:
        exporters.aaf(full(), tmp_path)
    assert told.value.hint == "pip install 'backbeat[aaf]'"


@pytest.mark.skipif(not HAVE, reason="LOUD: otio-aaf-adapter is absent, AAF unproven")
@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_the_cuts_come_back(rate: Fraction, tmp_path: Path) -> None:
    edit = full(rate)
    path = tmp_path / "film.aaf"
    path.write_bytes(exporters.aaf(edit, tmp_path)[".aaf"])
    read = otio.adapters.read_from_file(str(path), adapter_name="AAF")
    if not isinstance(read, otio.schema.Timeline):
        read = read[0]
    video = read.video_tracks()[0]
    rows, at = {}, 0
    for item in video:
        frames = round(item.duration().value)
        if isinstance(item, otio.schema.Clip) and not isinstance(item.media_reference, otio.schema.MissingReference):
            rows[at] = frames
        at += frames
    wanted = {c.start: c.frames for c in edit.tracks[0].clips if c.enabled}
    assert {k: v for k, v in rows.items() if k in wanted} == wanted
