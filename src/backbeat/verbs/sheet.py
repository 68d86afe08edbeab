# SPDX-License-Identifier: Apache-2.0
"""``sheet``: a film and its timeline on one picture."""

from __future__ import annotations

from pathlib import Path

from backbeat.errors import InputError
from backbeat.verbs.session import Session
from backbeat.work import output


def sheet(film: str, target: str, session: Session, *, force: bool = False, rows: int = 0) -> str:
    """Draw `film` (with its ``.otio`` beside it) into `target`, a .png or .jpg; return its name.

    Raises
    ------
    InputError
        If the timeline is missing or the target cannot be written.
    MediaError
        If the film cannot be read.
    """
    import cv2
    import numpy as np

    from backbeat.exchange import otio
    from backbeat.exchange.poster import Strip, poster
    from backbeat.media.frames import Reader
    from backbeat.media.samples import read_sound

    film = str(Path(film).with_suffix(".mp4")) if film.endswith(".otio") else film
    papers = str(Path(film).with_suffix(".otio"))
    for path in (film, papers):
        if not Path(path).is_file():
            raise InputError(f"{path}: no such file", "give a film that lies beside its .otio")
    output.check(target, force=force, inputs=(film, papers), suffixes=(".png", ".jpg", ".jpeg"))
    timeline = otio.load(papers)
    if not timeline.tracks or not timeline.tracks[0].clips:
        raise InputError(f"{papers}: no clip in it", "give a timeline with a picture track")
    session.progress.start("drawing", len(timeline.tracks[0].clips), "clips")
    thumbs = []
    with Reader(film, threads=2) as reader:
        for clip in timeline.tracks[0].clips:
            frame = reader.picture(clip.start + clip.frames // 2)
            small = frame.reformat(width=240, height=max(2, 240 * frame.height // frame.width), format="bgr24")
            thumbs.append(np.asarray(small.to_ndarray(), np.uint8))
            session.progress.advance()
    step = 0.01
    sound = read_sound(film, rate=8000, channels=1).samples[0]
    block = round(8000 * step)
    peaks = np.abs(sound[: sound.size // block * block]).reshape(-1, block).max(axis=1, initial=0)
    envelope = (peaks / max(float(peaks.max(initial=0)), 1e-6)).astype(np.float32)
    picture = poster(Strip(timeline, tuple(thumbs), envelope, step), rows=rows)
    with output.placed(target) as temporary:
        png = target.lower().endswith(".png")
        how = [cv2.IMWRITE_PNG_COMPRESSION, 9] if png else [cv2.IMWRITE_JPEG_QUALITY, 85]
        if not cv2.imwrite(temporary, picture, how):
            raise InputError(f"{target}: cannot be written", "give another output")
    session.progress.stop()
    return target
