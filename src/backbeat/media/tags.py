# SPDX-License-Identifier: Apache-2.0
"""What a sound file says of itself."""

from __future__ import annotations

from backbeat.model.song import Tags

_NAMES = {
    "title": ("title",),
    "artist": ("artist", "album_artist", "performer"),
    "composer": ("composer",),
    "publisher": ("publisher", "label", "organization", "tpub"),
    "isrc": ("isrc", "tsrc"),
    "licence": ("license", "licence", "copyright", "wcop"),
}
_LONGEST = 500  # characters; a tag is a name, not a book


def read_tags(path: str) -> Tags:
    """Return the tags of `path`, empty where there are none or the file cannot be read."""
    import av

    try:
        with av.open(path, metadata_errors="ignore") as box:
            # Ogg keeps its tags with the stream, most others with the container.
            said = {k.lower(): v for stream in box.streams.audio[:1] for k, v in stream.metadata.items()}
            said |= {k.lower(): v for k, v in box.metadata.items()}
    except (av.FFmpegError, OSError):
        return Tags()
    found = {}
    for field, names in _NAMES.items():
        value = next((said[n] for n in names if said.get(n)), "")
        found[field] = " ".join(str(value).split())[:_LONGEST]
    return Tags(**found)
