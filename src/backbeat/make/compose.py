# SPDX-License-Identifier: Apache-2.0
"""Record frames out of sources: a few open readers, one canvas, layers blended on YUV planes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Event
from typing import TYPE_CHECKING

from backbeat.errors import MediaError
from backbeat.make.blend import Overlay, blended, overlaid, wiped
from backbeat.make.colour import colour_of, overlay
from backbeat.make.fit import Fitter
from backbeat.make.flow import Between
from backbeat.make.layers import Layer, Stack
from backbeat.make.planes import planes
from backbeat.make.pool import Pool
from backbeat.make.reframe import Path, follow
from backbeat.make.settings import Look
from backbeat.make.titles import draw
from backbeat.media.deinterlace import Deinterlaced
from backbeat.media.write import Colour, PictureFormat
from backbeat.model.time import clock
from backbeat.model.timeline import NORMAL, Clip, Timeline

if TYPE_CHECKING:
    import av

    from backbeat.model.footage import Media

# A made picture nearer than this (source frames) to a real one is the real one.
NEAR = 0.1
# A take that ends less than this (s) too soon holds its last picture; more is an error.
SHORT = 0.5


@dataclass(slots=True)
class _OnScreen:
    """What a clip needs while it is on screen: its last pictures on the canvas, and its helpers."""

    fitted: dict[tuple[int, tuple[float, float]], av.VideoFrame] = field(default_factory=dict)
    whole: Deinterlaced | None = None
    between: Between | None = None
    path: Path | None = None


class Composer:
    """Makes record frames of one timeline, in rising order at the least cost."""

    def __init__(
        self,
        timeline: Timeline,
        form: PictureFormat,
        look: Look = Look(),  # noqa: B008 - frozen
        *,
        threads: int = 1,
        stop: Event | None = None,
    ) -> None:
        self._timeline, self._look = timeline, look
        self._stack = Stack(timeline)
        self._fitter = Fitter(form.width, form.height, form.pixel_format, mode=look.fit, colour=form.colour)
        self._pool = Pool(threads=threads, stop=stop, rough=look.rough)
        self._media: dict[str, Media] = {m.path: m for m in timeline.takes}
        self._colours = {m.path: colour_of(m) for m in timeline.takes}
        self._clips: dict[int, _OnScreen] = {}
        self._titles: dict[int, Overlay] = {}

    @property
    def held(self) -> dict[str, int]:
        """How many damaged pictures were held over, by file; complete after `close`."""
        return self._pool.held

    def close(self) -> None:
        """Close all sources."""
        self._clips.clear()
        self._pool.close()
        self._fitter.close()

    def frames(self, first: int, last: int) -> Iterator[av.VideoFrame]:
        """Yield record frames ``first .. last``; do not write into them."""
        for number in range(first, last):
            yield self.frame(number)

    def frame(self, number: int) -> av.VideoFrame:
        """Return one record frame.

        Raises
        ------
        MediaError
            If a source cannot be read; the message names the place in the film.
        """
        layers = self._stack.at(number)
        active = {id(layer.clip) for layer in layers}
        self._pool.keep(active)
        for key in self._clips.keys() - active:
            del self._clips[key]
        picture: av.VideoFrame | None = None
        for layer in layers:
            try:
                picture = self._laid(picture, layer)
            except MediaError as error:
                where = clock(float(number / self._timeline.rate))
                raise MediaError(f"at {where} of the film: {error.message}", error.hint) from error
        shown = picture if picture is not None else self._fitter.black()
        level = _faded(self._timeline, number)
        return shown if level >= 1 else blended(self._fitter.black(), shown, level)

    def _laid(self, below: av.VideoFrame | None, layer: Layer) -> av.VideoFrame:
        """Return `below` (None: black) with one layer over it."""
        if layer.clip.title is not None:
            return overlaid(below or self._fitter.black(), self._title(layer.clip), layer.amount)
        picture = self._picture(layer)
        if layer.covers:
            return picture
        below = below or self._fitter.black()
        return wiped(below, picture, layer.amount, layer.wipe) if layer.wipe else blended(below, picture, layer.amount)

    def _title(self, clip: Clip) -> Overlay:
        assert clip.title is not None
        if id(clip) not in self._titles:
            black = self._fitter.black()
            shapes = [(p.shape[0], p.shape[1]) for p in planes(black)]
            rgba = draw(clip.title, black.width, black.height)
            bits = black.format.components[0].bits
            self._titles[id(clip)] = overlay(rgba, self._fitter.colour, shapes, bits)
        return self._titles[id(clip)]

    def _picture(self, layer: Layer) -> av.VideoFrame:
        clip = layer.clip
        state = self._clips.setdefault(id(clip), _OnScreen())
        centre = self._centre(state, layer)
        if self._look.smooth and (pair := self._pair(layer)) is not None:
            first, second = (self._fitted(clip, state, n, centre) for n in pair[:2])
            if first is not second:
                state.between = state.between or Between()
                return state.between.picture(first, second, pair[2])
        return self._fitted(clip, state, clip.source_frame(layer.offset, self._timeline.rate), centre)

    def _pair(self, layer: Layer) -> tuple[int, int, float] | None:
        """Return the source frames about the exact place of a slowed clip and the share between; None for none."""
        clip, rate = layer.clip, self._timeline.rate
        if clip.speed == NORMAL:
            return None
        place = clip.source_in + clip.speed.source_at(float(layer.offset / rate)) * float(clip.source_rate)
        after = clip.source_in + clip.speed.source_at(float((layer.offset + 1) / rate)) * float(clip.source_rate)
        low = math.floor(place)
        share = place - low
        if not 0 < abs(after - place) < 0.98 or not NEAR < share < 1 - NEAR:
            return None
        first, end = clip.source_span(rate)
        return (low, low + 1, share) if first <= low and low + 1 < end else None

    def _fitted(self, clip: Clip, state: _OnScreen, number: int, centre: tuple[float, float]) -> av.VideoFrame:
        """Return one source frame on the canvas."""
        table = self._pool.table(clip.take)
        media = self._media.get(clip.take)
        short = table.beyond(number, clip.source_rate) if media is not None and media.frames > 1 else 0.0  # no still
        if short > SHORT:
            raise MediaError(
                f"{clip.take}: ends {short:.1f} s before the wanted picture", "is it whole? or trim the clip"
            )
        index = table.index(number, clip.source_rate)
        key = (index, centre)
        if (found := state.fitted.get(key)) is not None:
            return found
        reader = self._pool.lend(clip, index)
        if media is not None and media.interlaced:
            state.whole = state.whole or Deinterlaced(reader)
            raw = state.whole.picture(index)
        else:
            raw = reader.picture(index, backwards=clip.speed.factor < 0)
        aspect = media.pixel_aspect if media is not None else Fraction(1)
        colour = self._colours.get(clip.take, Colour())
        while len(state.fitted) > 1:
            state.fitted.pop(next(iter(state.fitted)))
        state.fitted[key] = self._fitter.fit(raw, colour, pixel_aspect=aspect, centre=centre)
        return state.fitted[key]

    def _centre(self, state: _OnScreen, layer: Layer) -> tuple[float, float]:
        """Return what a crop keeps in view."""
        if self._look.reframe != "follow":
            return 0.5, 0.5
        if state.path is None:
            state.path = follow(layer.clip, self._timeline.rate, self._pool)
        return state.path.at(layer.offset)


def _faded(timeline: Timeline, number: int) -> float:
    """Return the level 0..1 of the film's own fades from and to black."""
    seconds = float((number + Fraction(1, 2)) / timeline.rate)
    left = timeline.duration - seconds
    level = 1.0
    if timeline.fade_in > 0:
        level = min(level, seconds / timeline.fade_in)
    if timeline.fade_out > 0:
        level = min(level, left / timeline.fade_out)
    return max(0.0, level)
