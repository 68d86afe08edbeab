# SPDX-License-Identifier: Apache-2.0
"""Words of takes: from the subtitle file or the script that lies beside a take under the same name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backbeat.errors import BackbeatError
from backbeat.model.codec import from_plain, to_plain
from backbeat.model.footage import Speech, Take
from backbeat.verbs.session import Session
from backbeat.work.cache import fingerprint, key_of
from backbeat.work.pool import each, open_pool

SCRIPT = ".txt"
_MOST = 5_000_000  # bytes: no subtitle file is longer


@dataclass(frozen=True, slots=True)
class Told:
    """A take's speech with its words."""

    speech: tuple[Speech, ...]


def beside(path: str) -> str:
    """Return the subtitle file (``NAME.srt``, ``NAME.en.vtt`` …) or script (``NAME.txt``) of a take, "" for none."""
    from backbeat.exchange.subtitles import SUFFIXES

    take = Path(path)
    try:
        names = sorted(p.name for p in take.parent.iterdir() if p.name.startswith(f"{take.stem}.") and p.is_file())
    except OSError:
        return ""
    for suffix in SUFFIXES:
        found = [n for n in names if n.lower().endswith(suffix) and n[len(take.stem) : -len(suffix)].count(".") <= 1]
        if found:
            return str(take.parent / min(found, key=lambda n: (len(n), n)))
    return str(take.parent / f"{take.stem}{SCRIPT}") if f"{take.stem}{SCRIPT}" in names else ""


def worded(takes: Sequence[Take], session: Session) -> list[Take]:
    """Return `takes` with the words of what lies beside them; a file that cannot be used is told in the warnings."""
    out = list(takes)
    texts = {i: file for i, t in enumerate(takes) if t.media.has_sound and (file := beside(t.media.path))}
    if not texts:
        return out
    from backbeat.watch import sphinx
    from backbeat.watch.words import VERSION

    jobs: list[tuple[int, str, Take, str]] = []
    for i, file in texts.items():
        take = takes[i]
        content = key_of(fingerprint(take.media.path), fingerprint(file), to_plain(take.speech))
        key = key_of(content, "words", VERSION, sphinx.present())
        try:
            out[i] = replace(take, speech=from_plain(Told, session.cache.get(key)).speech)
        except (TypeError, ValueError, KeyError, AttributeError):
            jobs.append((i, key, take, file))
    if jobs:
        session.progress.start("words", len(jobs), "takes")
        with open_pool(session.workers) as pool:
            for index, result in each(pool, _tell, [(take, file) for _, _, take, file in jobs]):
                i, key, take, file = jobs[index]
                if isinstance(result, Told):
                    out[i] = replace(take, speech=result.speech)
                    session.cache.put(key, to_plain(result))
                else:
                    why = result.message if isinstance(result, BackbeatError) else f"{file}: {result}"
                    out[i] = replace(take, warnings=(*take.warnings, why))
                session.progress.advance()
        session.progress.stop()
    return out


def _tell(job: tuple[Take, str]) -> Told:
    from backbeat.errors import InputError
    from backbeat.exchange.subtitles import read_subtitles
    from backbeat.watch.words import Cue, tell

    take, file = job
    if Path(file).stat().st_size > _MOST:
        raise InputError(f"{file}: too long for the words of one take", "give a shorter file")
    if file.endswith(SCRIPT):
        return Told(tell(take, (), Path(file).read_text(encoding="utf-8", errors="replace")))
    cues: Any = [Cue(s.span, s.text) for s in read_subtitles(file)]
    return Told(tell(take, cues))
