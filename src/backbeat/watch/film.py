# SPDX-License-Identifier: Apache-2.0
"""Look at a finished film: cuts, hits, repeats, standing and black picture, and thumbnails, in one decode."""

from __future__ import annotations

import base64
from array import array
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from scipy.ndimage import uniform_filter1d

from backbeat.errors import MediaError
from backbeat.media.probe import Times, probe_times
from backbeat.media.scan import Picture as Seen
from backbeat.media.scan import Scan
from backbeat.model.film import Film
from backbeat.model.footage import Media, Shot
from backbeat.model.review import Picture
from backbeat.model.time import Span
from backbeat.watch.ear import SILENCE, Ear, Hearing
from backbeat.watch.eye import Eye, Sight
from backbeat.watch.hits import OwnHits
from backbeat.watch.quality import looks
from backbeat.watch.shots import Boundary, OwnShots
from backbeat.watch.speech import OwnSpeech

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = 6
_DISSOLVE = 4  # pictures
_EVERY = 0.5  # s between thumbnails; longer where the film would give more than _MOST
_MOST = 1000
_LEAP = 10.0  # mean difference of 255 levels from which both sides of a step are kept as thumbnails
_FROZEN = 0.5  # s
_STILL = 0.0004  # mean change (0..1) of a coded still; quiet webcam pictures have 0.0005 and more
_MUSIC = 0.35  # mean probability over 2 s; talk alone stays below 0.1, music under talk reaches 0.3 … 0.9
_HZ = 8.0  # pictures a second that are asked whether they were shown before
_RUN = 4  # of them in a row
_MOVES = 4.0  # levels that a stretch of so many must change by


@dataclass(frozen=True, slots=True)
class FilmSeen:
    """The facts of a film's file, its picture, and thumbnails (those about cuts among them)."""

    media: Media
    film: Film
    pictures: tuple[Picture, ...]


def look_at_film(path: str) -> FilmSeen:
    """Return everything that a verdict needs to see.

    Hits are told from the picture alone: in a finished film the sudden sounds are the music's own drums, and a hit that
    was heard would fall on the beat by definition.

    Raises
    ------
    MediaError
        If it cannot be opened, or not one picture of it can be decoded.
    """
    media, times = probe_times(path)
    eye, ear, cutter = Eye(), Ear(), OwnShots()
    prints, album = Fingerprints(float(media.rate)), Album(media.duration)
    for picture in Scan(media, times, hear=ear.hear):
        eye.see(picture)
        cutter.see(picture.thumb, eye.small, eye.novelty)
        prints.see(picture)
        album.see(picture)
    sight = eye.sight()
    if len(sight.time) == 0:
        raise MediaError(f"{path}: not one picture could be decoded", "is the film whole?")
    boundaries = [b for b in cutter.finish() if b.kind != "refused"]
    inner = [b for b in boundaries if 0 < _middle(b) < len(sight.time)]
    places = [times.frame_of(float(sight.time[_middle(b)])) for b in inner]
    cuts = tuple(sorted({c for c in places if c > 0}))
    gradual = tuple(sorted({c for c, b in zip(places, inner, strict=True) if b.end - b.start >= _DISSOLVE and c > 0}))
    shots = grouped(_shots(media, times, sight, boundaries), prints, media.rate, gradual)
    hearing = ear.hearing()
    half = 0.5 / float(media.rate)
    film = Film(
        rate=media.rate,
        frames=max(1, times.frame_of(float(sight.time[-1])) + 1),
        cuts=cuts,
        shots=shots,
        # A hit shows on the picture whose motion changed, half a frame after the instant that the finder names.
        hits=tuple(replace(h, time=round(h.time + half, 4)) for h in OwnHits().find(sight, SILENCE, boundaries).hits),
        speech=OwnSpeech().find(hearing),
        repeated=prints.repeated([float(c / media.rate) for c in cuts]),
        frozen=_frozen(sight),
        black=_runs(sight.time, (sight.mean < 0.03) & (sight.spread < 0.02), 0.2),
        dropped=irregular(times),
        music=music_spans(hearing),
        gradual=gradual,
    )
    return FilmSeen(media, film, album.pictures())


def music_spans(hearing: Hearing) -> tuple[Span, ...]:
    """Return where music or singing is heard, under speech too; gaps up to 4 s closed, less than 3 s dropped."""
    if len(hearing.events) == 0:
        return ()
    likely = uniform_filter1d(hearing.events[:, 1:3].max(axis=1).astype(np.float64), 200, mode="nearest")
    time = np.asarray(hearing.start + 0.01 * np.arange(len(likely)), np.float64)
    joined: list[Span] = []
    for span in _runs(time, likely > _MUSIC, 0.0):
        if joined and span.start - joined[-1].end < 4.0:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(s for s in joined if s.length >= 3.0)


def _middle(boundary: Boundary) -> int:
    """Return the picture at which the eye takes a change to happen: the first new one, or a dissolve's middle."""
    return boundary.start if boundary.start == boundary.end else (boundary.start + boundary.end) // 2


def _shots(media: Media, times: Times, sight: Sight, boundaries: list[Boundary]) -> tuple[Shot, ...]:
    """Return the shots with their black edges: a film's run-time is all of it."""
    edges = [0, *(m for b in boundaries if 0 < (m := _middle(b)) < len(sight.time)), len(sight.time)]
    found: list[Shot] = []
    for first, last in pairwise(edges):
        if last <= first:
            continue
        start = times.frame_of(float(sight.time[first]))
        end = times.frame_of(float(sight.time[last])) if last < len(sight.time) else times.frames
        figures = looks(sight, first, last)
        found.append(
            Shot(
                take=media.path, index=len(found), start_frame=start, end_frame=max(end, start + 1),
                **{name: getattr(figures, name) for name in figures.__slots__},
            )
        )  # fmt: skip
    return tuple(found)


def _frozen(sight: Sight) -> tuple[Span, ...]:
    """Return where the picture stands still though it is not black: encoder noise aside, nothing changes."""
    still = (sight.change < _STILL) & (sight.spread > 0.03)
    if len(still):
        still[0] = len(still) > 1 and bool(still[1])
    # One refreshed key picture does not end a still.
    joined: list[Span] = []
    for span in _runs(sight.time, still, 0.2):
        if joined and span.start - joined[-1].end < 0.1:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(s for s in joined if s.length >= _FROZEN)


def _runs(time: NDArray[np.float64], mask: Any, least: float) -> tuple[Span, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))).reshape(-1, 2)
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.04
    spans = [Span(round(float(time[a]), 4), round(float(time[b - 1]) + step, 4)) for a, b in edges]
    return tuple(s for s in spans if s.length >= least)


def irregular(times: Times) -> int:
    """Return how many steps between pictures are not one frame: dropped, doubled or jittering frames."""
    if len(times.pictures) < 2:
        return 0
    steps = np.diff(times.pictures) * float(times.rate)
    # A millisecond's time base (Matroska) moves a picture by up to half of it.
    slack = max(0.1, 0.0011 * float(times.rate))
    return int(np.count_nonzero(np.abs(steps - 1.0) > slack))


class Fingerprints:
    """Small grey versions of every picture that tell whether footage was shown before."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._time = array("d")
        self._small: list[Any] = []

    def see(self, picture: Seen) -> None:
        """Take a picture."""
        self._time.append(picture.time)
        grey = cv2.cvtColor(picture.thumb, cv2.COLOR_RGB2GRAY)
        self._small.append(cv2.resize(grey, (16, 9), interpolation=cv2.INTER_AREA).ravel())

    def at(self, time: float) -> NDArray[np.float32]:
        """Return the print nearest to a second, float32 (144,)."""
        index = int(np.argmin(np.abs(np.frombuffer(self._time, np.float64) - time)))
        return np.asarray(self._small[index], np.float32)

    def repeated(self, cuts: list[float]) -> tuple[Span, ...]:
        """Return the spans that were shown before, of half a second and more.

        Eight pictures a second (fewer in films over 20 minutes) are compared with every picture of earlier shots. Two
        stretches are the same footage when four in a row differ by no more than coding noise (3 levels, root mean
        square). Where nothing moves, a return to the same set-up cannot be told from the same frames, so a stretch
        counts only if it moves by more than that.
        """
        n = len(self._small)
        time = np.frombuffer(self._time, np.float64)
        hz = _HZ * min(1.0, 1200.0 / max(1.0, float(time[-1]))) if n else _HZ
        stride = max(1, round(self._rate / hz))
        back = (_RUN - 1) * stride
        if n <= back + 1:
            return ()
        table = np.asarray(self._small, np.float32)
        shot = np.searchsorted(np.asarray(cuts), time + 1e-6, side="right")
        square = (table**2).sum(axis=1)
        moving = np.abs(table[back:] - table[:-back]).mean(axis=1)
        asked = np.arange(0, n, stride)
        again = np.zeros(n, bool)
        rows = max(_RUN, 8_000_000 // n)
        for first in range(_RUN - 1, len(asked), rows):
            part = asked[first - _RUN + 1 : first + rows]
            gap = (square[part, None] + square[None, :] - 2 * table[part] @ table.T) / table.shape[1]
            same = (gap < 9.0) & (shot[None, :] < shot[part, None])
            # Row r, column c: the print part[r + _RUN - 1] and picture c + back, and the three before each, are alike.
            chain = same[: len(part) - _RUN + 1, : n - back].copy()
            for k in range(1, _RUN):
                chain &= same[k : len(part) - _RUN + 1 + k, k * stride : n - back + k * stride]
            for r in np.flatnonzero(chain.any(axis=1)):
                end = int(part[r + _RUN - 1])
                if moving[end - back] > _MOVES and shot[end - back] == shot[end]:
                    again[end - back : end + 1] = True
        return _runs(time, again, 0.45)


def grouped(
    shots: tuple[Shot, ...], prints: Fingerprints, rate: Fraction, gradual: tuple[int, ...]
) -> tuple[Shot, ...]:
    """Return `shots` with neighbours of one set-up in one group: what jump cuts are told by.

    The last picture before the cut and the first after it are alike (10 levels in the mean) though the cut is a cut. A
    dissolve is no jump.
    """
    found: list[Shot] = []
    group = 0
    for shot in shots:
        if found:
            at = float(shot.start_frame / rate)
            gap = float(np.abs(prints.at(at - 0.13) - prints.at(at + 0.13)).mean())
            group += gap > 10.0 or shot.start_frame in gradual
        found.append(replace(shot, group=group))
    return tuple(found)


class Album:
    """Thumbnails for the report: one every half second, and both sides of every leap.

    The luma that the analysis already has is given the small thumbnail's colour, so a picture costs one JPEG.
    """

    def __init__(self, duration: float) -> None:
        self._every = max(_EVERY, duration / _MOST)
        self._next = 0.0
        self._last: tuple[Seen, Any] | None = None
        self._kept: dict[float, str] = {}

    def see(self, picture: Seen) -> None:
        """Take a picture."""
        thumb = picture.thumb.astype(np.int16)
        if self._last is not None and np.abs(thumb - self._last[1]).mean() > _LEAP and len(self._kept) < 4 * _MOST:
            self._keep(self._last[0])
            self._keep(picture)
        if picture.time + 1e-6 >= self._next:
            self._next = picture.time + self._every
            self._keep(picture)
        self._last = (picture, thumb)

    def _keep(self, picture: Seen) -> None:
        if picture.time not in self._kept:
            self._kept[picture.time] = jpeg(picture)

    def pictures(self) -> tuple[Picture, ...]:
        """Return what was kept, in order."""
        return tuple(Picture(round(t, 4), data) for t, data in sorted(self._kept.items()))


def jpeg(picture: Seen, width: int = 224) -> str:
    """Return a picture as a small JPEG in base64."""
    high, wide = picture.luma.shape
    size = (width, max(16, round(width * high / wide / 2) * 2)) if wide >= high else (round(126 * wide / high), 126)
    colour = cv2.cvtColor(picture.thumb, cv2.COLOR_RGB2YCrCb)
    planes = [cv2.resize(picture.luma, size, interpolation=cv2.INTER_AREA)]
    planes += [cv2.resize(colour[..., i], size, interpolation=cv2.INTER_CUBIC) for i in (1, 2)]
    image = cv2.cvtColor(cv2.merge(planes), cv2.COLOR_YCrCb2BGR)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 72])
    return base64.b64encode(data.tobytes()).decode() if done else ""
