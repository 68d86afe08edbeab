# SPDX-License-Identifier: Apache-2.0
"""Facts of one file from its headers and packet table."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from backbeat.errors import MediaError
from backbeat.model.footage import Media
from backbeat.model.time import nearest_rate


def probe(path: str) -> Media:
    """Return the facts of a picture file. First version; see the design for what it must grow to.

    Raises
    ------
    MediaError
        If the file cannot be opened or carries no picture.
    """
    import av

    if not Path(path).is_file():
        raise MediaError(f"{path}: no such file", "check the name")
    if Path(path).stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty", "copy it again from the camera card")
    try:
        with av.open(path, metadata_errors="ignore") as box:
            if not box.streams.video:
                raise MediaError(f"{path}: no picture in it", "give a video file")
            video = box.streams.video[0]
            context = video.codec_context
            rate = nearest_rate(video.average_rate or video.guessed_rate or Fraction(25))
            pts = sorted(p.pts for p in box.demux(video) if p.pts is not None)
            span = (pts[-1] - pts[0]) * (video.time_base or Fraction(1)) if pts else Fraction(0)
            sounds = box.streams.audio
            sound = sounds[0] if sounds else None
            return Media(
                path=path,
                rate=rate,
                frames=max(len(pts) and 1, round(span * rate) + 1),
                width=context.width,
                height=context.height,
                video_codec=context.name,
                pixel_format=str(context.pix_fmt or ""),
                has_sound=sound is not None,
                sample_rate=sound.codec_context.sample_rate if sound else 0,
                channels=sound.codec_context.channels if sound else 0,
                sound_streams=len(sounds),
            )
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror})", "is it a media file, and whole?") from error
