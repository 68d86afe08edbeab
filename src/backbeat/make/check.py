# SPDX-License-Identifier: Apache-2.0
"""A finished film read back against its timeline: what it is, not what was intended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np

from backbeat.errors import MediaError
from backbeat.make.colour import film_colour
from backbeat.make.compose import Composer
from backbeat.make.facts import completed
from backbeat.make.layers import cuts
from backbeat.make.loudness import SILENCE, Meter
from backbeat.make.pieces import RATE, pieces_of
from backbeat.make.planes import look_of
from backbeat.make.settings import RenderSettings
from backbeat.make.sound import sound_of
from backbeat.media.frames import SKIPS
from backbeat.media.sounds import SoundReader
from backbeat.media.write import PictureFormat
from backbeat.model.time import Span, clock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.timeline import Timeline

# A cut is looked for this many frames about its place.
REACH = 4
# Two pictures this near (mean of 255 levels) cannot be told apart; a cut between them cannot be measured.
BLUR = 3.0
# Pictures this far (mean of 255 levels) from the planned ones are others.
STRANGE = 12.0
# Seconds of sound correlated at the start and at the end.
LISTEN = 4.0
# Below this correlation the sound is not the expected one, and its offset is not measured.
SURE = 0.2


@dataclass(frozen=True, slots=True)
class CutFound:
    """One planned cut and the frame at which the picture really changes; None where both sides look the same.

    `strange`: the film shows neither side's picture there; `found` is None then too.
    """

    planned: int
    found: int | None
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What a decoded film measures.

    `audio_start_ms` and `end_drift_ms` are how late the sound is at the start and the end (None: not measurable).
    `loudness` is EBU R128 integrated (LUFS, -70 for silence), of the dialogue alone where that is what was set.
    `differences` are sentences; empty = the film is right.
    """

    frames: int
    expected_frames: int
    cuts: tuple[CutFound, ...]
    audio_start_ms: float | None
    end_drift_ms: float | None
    loudness: float
    differences: tuple[str, ...]

    @property
    def cuts_on_frame(self) -> int:
        """How many of the measurable cuts fall on their planned frame."""
        return sum(c.found == c.planned for c in self.cuts if c.found is not None)


def check(
    film: str,
    timeline: Timeline,
    *,
    settings: RenderSettings = RenderSettings(),  # noqa: B008 - frozen
    looks: Mapping[int, NDArray[np.float32]] | None = None,
) -> Checked:
    """Decode `film` and measure it against `timeline`, rendered with `settings` (canvas, fit, span).

    Cuts: the sources are decoded afresh at the two frames about each cut (unless `looks`, from `Rendered`, has them),
    and the film's pictures near it are told to belong to one or the other. Sound: the first and the last seconds are
    correlated with the expected mix.

    Raises
    ------
    MediaError
        If the film or a source cannot be read.
    """
    first, last = settings.frames(timeline)
    timeline = completed(timeline)
    near = range(-REACH - 2, REACH + 2)
    shown, times = _looks(film, timeline.rate, {c - first + n for c in cuts(timeline) for n in near})
    found = tuple(_cut(shown, timeline, settings, first, last, looks or {}))
    start, drift, loudness = _sound(film, timeline, settings)
    differences = [
        *_frame_faults(len(times), last - first, times, timeline.rate),
        *(
            f"the cut at {clock(float(c.planned / timeline.rate))} is {c.found - c.planned:+d} frames off"
            for c in found
            if c.found is not None and c.found != c.planned
        ),
        *(
            f"the pictures about {clock(float(c.planned / timeline.rate))} are not the planned ones"
            for c in found
            if c.strange
        ),
    ]
    for name, value in (("at the start", start), ("at the end", drift)):
        if value is not None and abs(value) >= 1.0:
            differences.append(f"the sound is {abs(value):.1f} ms {'late' if value > 0 else 'early'} {name}")
    if pieces_of(timeline) and start is None and drift is None and loudness > -60:
        differences.append("the sound is not the expected one")
    return Checked(len(times), last - first, found, start, drift, loudness, tuple(differences))


def _frame_faults(count: int, expected: int, times: list[float], rate: Fraction) -> Iterator[str]:
    if count != expected:
        yield f"the film has {count} frames instead of {expected}"
    late = [i for i, t in enumerate(times) if abs(t - float(i / rate)) > 0.0011]
    if late:
        yield f"frame {late[0]} is shown at {times[late[0]]:.4f} s instead of {float(late[0] / rate):.4f} s"


def _looks(film: str, rate: Fraction, near: set[int]) -> tuple[dict[int, NDArray[np.float32]], list[float]]:
    """Return the views of a film's pictures whose numbers are `near` a cut, and when each of its pictures is shown (s).

    Elsewhere pictures that no other needs are not decoded where the decoder can leave them out; their packets count.
    """
    looks, times = {}, []
    try:
        with av.open(film) as box:
            stream = box.streams.video[0]
            stream.thread_type = "AUTO"
            spares = stream.codec_context.name in SKIPS
            base = Fraction(stream.time_base or 1)
            for packet in box.demux(stream):
                if spares and packet.size and packet.pts is not None:
                    times.append(float(packet.pts * base))
                    wanted = round(packet.pts * base * rate) in near
                    stream.codec_context.skip_frame = "DEFAULT" if wanted else "NONREF"
                for frame in packet.decode():
                    if not spares:
                        times.append(float(frame.time or 0.0))
                    if (number := round((frame.pts or 0) * base * rate) if spares else len(times) - 1) in near:
                        looks[number] = look_of(frame)
    except IndexError:
        raise MediaError(f"{film}: no picture in it", "give the film that was rendered") from None
    except (av.FFmpegError, OSError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{film}: cannot be read back ({said})", "is it whole? render it again") from error
    return looks, sorted(times)


def _cut(
    looks: Mapping[int, NDArray[np.float32]],
    timeline: Timeline,
    settings: RenderSettings,
    first: int,
    last: int,
    known: Mapping[int, NDArray[np.float32]],
) -> Iterator[CutFound]:
    # The expected pictures are needed at the size of the views only, but from the right frames.
    width, height = settings.size if all(settings.size) else (timeline.width, timeline.height)
    colour = film_colour(timeline, settings.bits or 8)
    form = PictureFormat("", width + width % 2, height + height % 2, timeline.rate, colour=colour)
    composer = Composer(timeline, form, settings.look)
    try:
        for place in cuts(timeline):
            if not first < place < last:
                continue
            before, after = (known[n] if n in known else look_of(composer.frame(n)) for n in (place - 1, place))
            if float(np.abs(before - after).mean()) < BLUR:
                yield CutFound(place, None)
                continue
            if _same(looks, place - 1 - first, before) and _same(looks, place - first, after):
                yield CutFound(place, place)  # both pictures about the cut are the planned ones: no search needed
                continue
            near = range(max(place - REACH, first + 1), min(place + REACH, last - 1) + 1)
            costs = {n: _cost(looks, n - first, before, after) for n in near if n - first in looks}
            best = min(costs, key=lambda n: (costs[n], abs(n - place)), default=place)
            # Other pictures altogether are further from the planned ones than these are from each other.
            strange = costs.get(best, np.inf) > max(STRANGE, float(np.abs(before - after).mean()) / 2)
            yield CutFound(place, None, strange=True) if strange else CutFound(place, best)
    finally:
        composer.close()


def _same(looks: Mapping[int, NDArray[np.float32]], at: int, picture: NDArray[np.float32]) -> bool:
    """Whether film frame `at` shows `picture`, as far as coding leaves it: nearer than any other side of a cut."""
    return at in looks and float(np.abs(looks[at] - picture).mean()) < BLUR / 2


def _cost(
    looks: Mapping[int, NDArray[np.float32]], at: int, before: NDArray[np.float32], after: NDArray[np.float32]
) -> float:
    """Return how badly a cut at film frame `at` explains the pictures near it."""
    near = [i for i in range(at - 2, at + 2) if i in looks]
    return float(np.mean([np.abs(looks[i] - (before if i < at else after)).mean() for i in near]))


def _sound(film: str, timeline: Timeline, settings: RenderSettings) -> tuple[float | None, float | None, float]:
    """Return (late at the start, late at the end in ms, loudness)."""
    sound = sound_of(timeline, replace(settings, loudness=None))
    if sound is None:
        return None, None, SILENCE
    total = sound.last - sound.first
    length = min(round(LISTEN * RATE), total)
    try:
        reader = SoundReader(film, origin=0.0)
    except MediaError:
        return None, None, SILENCE
    with reader:
        late = []
        meter = Meter()
        for at in range(0, total, 10 * RATE):
            meter.add(reader.read(at, min(10 * RATE, total - at)))
        for at in (0, total - length):
            part = replace(sound, first=sound.first + at, last=sound.first + at + length)
            expected = np.concatenate(list(part.blocks()), axis=1).mean(axis=0)
            late.append(lag(reader.read(at, length).mean(axis=0), expected))
    begin = sound.first / RATE
    within = [Span(s.start - begin, s.end - begin) for s in settings.measured]
    return late[0], late[1], meter.integrated(within)


def lag(heard: NDArray[np.floating], expected: NDArray[np.floating]) -> float | None:
    """Return by how many ms `heard` is late against `expected` (same stretch, mono); None where they are not alike."""
    n = heard.size
    size = 1 << (2 * n - 1).bit_length()
    cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(expected, size)), size)
    most = min(RATE // 4, n - 1)
    near = np.concatenate([cross[-most:], cross[: most + 1]])
    k = int(np.argmax(near))
    power = float(np.linalg.norm(heard) * np.linalg.norm(expected))
    if power == 0 or near[k] < SURE * power:
        return None
    shift = 0.0
    if 0 < k < near.size - 1:
        a, b, c = (float(v) for v in near[k - 1 : k + 2])
        shift = (a - c) / (2 * (a - 2 * b + c)) if a - 2 * b + c else 0.0
    return (k - most + shift) / RATE * 1000
