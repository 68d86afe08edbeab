# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import av
import numpy as np
import pytest

from backbeat.media.tags import read_rights, read_tags


def tagged(path: Path, **tags: str) -> str:
    codec = {".flac": "flac", ".mp3": "libmp3lame"}[path.suffix]
    with av.open(str(path), "w") as box:
        box.metadata.update(tags)
        stream = box.add_stream(codec, rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        if codec == "flac":
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
            frame.sample_rate = 44_100
        box.mux(stream.encode(frame))
        box.mux(stream.encode())
    return str(path)


@pytest.mark.parametrize("suffix", [".flac", ".mp3"])
def test_tags_are_read_from_the_file(tmp_path, suffix):
    path = tagged(
        tmp_path / f"a{suffix}", title="One", artist="Band", composer="Ann", publisher="Pub", genre="Suspense",
        comment="dark\x00 and slow",
    )  # fmt: skip
    found = read_tags(path)
    assert (found.title, found.artist, found.composer, found.publisher) == ("One", "Band", "Ann", "Pub")
    assert "Suspense" in found.keywords
    assert "\x00" not in found.keywords


def test_papers_beside_the_song_say_more(tmp_path):
    path = tagged(tmp_path / "song.flac", title="One")
    (tmp_path / "song.flac.license").write_text("SPDX-FileCopyrightText: Ann\nSPDX-License-Identifier: CC-BY-SA-4.0\n")
    (tmp_path / "rights.toml").write_text(
        '["*"]\npublisher = "House"\nlicence = ""\n["song.flac"]\nperformer = "Trio"\nmood = ["tense", "night"]\n'
        "isrc = 7\nbogus = 1\n"
    )
    tags, note = read_rights(path)
    assert note == ""
    assert (tags.title, tags.publisher, tags.artist, tags.isrc) == ("One", "House", "Trio", "7")
    assert tags.licence == "CC-BY-SA-4.0"
    assert tags.keywords == "tense, night"


def test_a_broken_paper_is_told_and_costs_nothing(tmp_path):
    path = tagged(tmp_path / "song.flac", title="One")
    (tmp_path / "rights.toml").write_text("[song\n")
    (tmp_path / "song.license").write_bytes(b"\xff\xfe\x00bad")
    tags, note = read_rights(path)
    assert tags.title == "One"
    assert "rights.toml: cannot be read" in note


def test_a_file_that_is_none_says_nothing(tmp_path):
    (tmp_path / "x.mp3").write_bytes(b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(range(256)))
    assert read_tags(str(tmp_path / "x.mp3")).title == ""
    assert read_rights(str(tmp_path / "none.mp3"))[0].title == ""
