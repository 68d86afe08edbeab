# SPDX-License-Identifier: Apache-2.0
"""A first ``film.toml``, written for a person to go on with: what was found, and what else could be said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundScene:
    """A folder that will be a scene: its path, how many videos lie in it, and its song (both relative to the file)."""

    name: str
    footage: str
    videos: int
    song: str = ""


_HEAD = """\
# A film of backbeat. What follows a # is a remark; take it away to use the line.
#     backbeat make {file}
# All paths are relative to this file.

[film]
name = {name}
output = {output}
{songs}
# length = "5:00"             # of the whole film; left out, every scene lasts what its material carries
# style = "wright"            # chase, documentary, montage, romance, trailer, wright, or a file of your own
# rate = 24                   # as most of the footage, if left out
# size = "1920x1080"          # the same
# loudness = "streaming"      # or broadcast, cinema
# join = "auto"               # how songs follow each other: cut, ring-out, echo-out, blend, breath

# [characters.Jane]           # her song is preferred where she is
# theme = "songs/jane.mp3"
"""
_SCENE = """\

[[scene]]
name = {name}
footage = {footage}{count}
song = {song}
"""
_MORE = """\
# mood = ["tense", "night"]   # words that songs are chosen by
# characters = ["Jane"]
# length = "auto"             # or seconds, "1:30", or "song"
# song_in = "0:30"            # where its song begins
# order = "free"              # or name, time, story
# dialogue = true             # its own sound is heard in full, words whole
# title = "A card before it"
# caption = "A line over its first pictures"
# end = "A card after it"
# edit = "cut.otio"           # instead of footage: a scene that is cut already; mode = "sync" or "score"
"""


def text(name: str, file: str, scenes: Sequence[FoundScene], songs: str, count: int) -> str:
    """Return the text of a project file for `scenes`; `songs` is the folder of `count` songs, "" where none was found.

    The remarks on what a scene can say stand in the first one only.
    """
    place = f"songs = {_quoted(songs)}{_remark(count, 'song')}" if songs else '# songs = "songs"           # a folder'
    out = [_HEAD.format(file=file, name=_quoted(name), output=_quoted("film.mp4"), songs=place)]
    for i, scene in enumerate(scenes):
        out.append(
            _SCENE.format(
                name=_quoted(scene.name), footage=_quoted(scene.footage), count=_remark(scene.videos, "video"),
                song=_quoted(scene.song or "choose"),
            )
        )  # fmt: skip
        if i == 0:
            out.append(_MORE)
    return "".join(out)


def _quoted(value: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _remark(count: int, what: str) -> str:
    return f"  # {count} {what}{'s' if count != 1 else ''}"
