# SPDX-License-Identifier: Apache-2.0
"""``demo``: a film from nothing. A shoot is drawn, a song synthesised, and the one cut to the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import InputError
from backbeat.verbs.session import Session


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the sample media lie: the folder of takes, the song, and the truth about both (JSON)."""

    shoot: str
    song: str
    truth: str


def sample(folder: str, session: Session) -> Sample:
    """Draw the sample shoot and synthesise the sample song into `folder`; what is there already is kept.

    ``truth.json`` beside them holds the seconds of every hit and beat and the frames of the cuts inside takes.

    Raises
    ------
    InputError
        If `folder` cannot be written to.
    """
    from backbeat.make.sample import shoot, song
    from backbeat.work.pool import each, open_pool

    found = Sample(str(Path(folder) / "shoot"), str(Path(folder) / "song.wav"), str(Path(folder) / "truth.json"))
    try:
        Path(found.shoot).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written to ({error.strerror})", "give another folder") from error
    jobs = [(take, str(Path(found.shoot) / f"{take.name}.mp4")) for take in shoot.SHOOT]
    if _version(found.truth) != shoot.VERSION:
        Path(found.truth).unlink(missing_ok=True)
        todo = jobs
    else:
        todo = [job for job in jobs if not Path(job[1]).is_file()]
    if todo:
        session.progress.start("drawing a shoot", sum(take.seconds for take, _ in todo), "s")
        with open_pool(session.workers) as pool:
            for index, result in each(pool, shoot.write, todo):
                if isinstance(result, Exception):
                    raise result
                session.progress.advance(todo[index][0].seconds)
        session.progress.stop()
    if todo or not Path(found.song).is_file():
        session.progress.start("composing a song", 0)
        piece = song.write(found.song)
        session.progress.stop()
        truth = {
            "version": shoot.VERSION,
            "takes": {
                path: {"hits": [{"time": t, "kind": k} for t, k in take.hits], "cuts": list(take.cuts)}
                for take, path in ((take, Path(path).name) for take, path in jobs)
            },
            "beats": [list(beat) for beat in piece.beats],
            "sections": [list(section) for section in piece.sections],
        }
        Path(found.truth).write_text(json.dumps(truth, indent=1), encoding="utf-8")
    return found


def _version(path: str) -> int:
    try:
        return int(json.loads(Path(path).read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return -1
