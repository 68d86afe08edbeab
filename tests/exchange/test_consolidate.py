# SPDX-License-Identifier: Apache-2.0
"""--consolidate: the same film from plain cuts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.exchange.otio import load, save
from backbeat.make.film import render
from backbeat.make.settings import RenderSettings
from backbeat.model.timeline import NORMAL
from backbeat.verbs.export import export
from backbeat.verbs.session import Session
from backbeat.work.cache import Cache
from exchange.coded_edits import edit
from kit import coded

QUIET = Session(Cache(None))
PCM = RenderSettings(sound_codec="pcm")


@pytest.mark.parametrize("codec", ["prores", "dnxhr"])
def test_the_baked_film_is_the_film(codec: str, tmp_path: Path) -> None:
    rate = Fraction(25)
    timeline, takes = edit(tmp_path / "footage", rate)
    timeline = replace(timeline, cues=(replace(timeline.cues[0], stretch=1.03, song_in=1.01),))
    if codec == "dnxhr":
        timeline = replace(timeline, width=320, height=180)
    film = tmp_path / "film.otio"
    save(timeline, film)
    out = str(tmp_path / "flat.otio")
    done = export(str(film), QUIET, output=out, consolidate=codec, handles=6)
    flat = load(done.files[0])
    clips = flat.tracks[0].clips
    assert all(c.speed == NORMAL and c.source_rate == rate for c in clips)
    assert [(c.start, c.frames, c.name) for c in clips] == [
        (c.start, c.frames, c.name) for c in timeline.tracks[0].clips
    ]
    assert [c.source_in for c in clips] == [6, 6, 6, 6, 5, 6, 6, 6, 0, 6, 6, 6]  # as far as the source reaches
    known = {m.path: m for m in flat.takes}
    assert all(known[c.take].frames >= c.source_in + c.frames for c in clips)
    assert flat.cues[0].stretch == 1.0
    assert flat.cues[0].path.endswith(".wav")
    shown = coded.read_film(render(flat, str(tmp_path / "flat.mov"), settings=PCM).path).codes
    wanted = coded.expected_codes(timeline, takes)
    (dissolve,) = timeline.tracks[0].transitions
    for frame, (a, b) in enumerate(zip(shown, wanted, strict=True)):
        if not dissolve.at - dissolve.before <= frame < dissolve.at + dissolve.after:
            assert a == b, frame
    ours = coded.read_samples(render(timeline, str(tmp_path / "ours.mov"), settings=PCM).path)
    theirs = coded.read_samples(tmp_path / "flat.mov")
    late, alike = coded.lag(theirs[:72_000], ours[:72_000])
    assert abs(late) < 0.0002
    assert alike > 0.98
    assert abs(20 * np.log10(np.std(theirs) / np.std(ours))) < 0.3
    with pytest.raises(InputError, match="exists"):
        export(str(film), QUIET, output=str(tmp_path / "flat.fcpxml"), consolidate=codec)
    with pytest.raises(InputError, match="own media"):
        export(done.files[0], QUIET, output=str(tmp_path / "flat.fcpxml"), consolidate=codec, force=True)


def test_an_unknown_codec_is_told(tmp_path: Path) -> None:
    timeline, _ = edit(tmp_path / "footage", Fraction(25))
    save(timeline, tmp_path / "film.otio")
    with pytest.raises(InputError, match="no such codec"):
        export(str(tmp_path / "film.otio"), QUIET, to="edl", consolidate="cinepak")
    with pytest.raises(InputError, match="smaller than DNxHR"):
        export(str(tmp_path / "film.otio"), QUIET, to="edl", consolidate="dnxhr")
