# SPDX-License-Identifier: Apache-2.0
"""Which colour the film has, which a source has, and drawn pictures in the film's colour."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbeat.make.blend import Overlay
from backbeat.media.write import Colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.footage import Media
    from backbeat.model.timeline import Timeline

# Names as `Media` has them, numbers as ISO/IEC 23091-2 and FFmpeg have them.
MATRICES = {"gbr": 0, "bt709": 1, "fcc": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020nc": 9, "bt2020c": 10}
TRANSFERS = {
    "bt709": 1, "gamma22": 4, "gamma28": 5, "smpte170m": 6, "linear": 8, "iec61966-2-1": 13, "bt2020-10": 14,
    "bt2020-12": 15, "smpte2084": 16, "arib-std-b67": 18,
}  # fmt: skip
PRIMARIES = {
    "bt709": 1, "bt470m": 4, "bt470bg": 5, "smpte170m": 6, "smpte240m": 7, "bt2020": 9, "smpte431": 11, "smpte432": 12,
}  # fmt: skip
PQ, HLG = 16, 18
WIDE = 9  # BT.2020 primaries
# Kr, Kb of each matrix (ITU-R BT.601, BT.709, BT.2020).
LUMA = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}


def colour_of(media: Media) -> Colour:
    """Return a source's colour; what it does not say is taken from its size, as players do."""
    small = media.height <= 576 and media.width <= 1024
    matrix = MATRICES.get(media.color_space, 0 if _rgb(media) else 6 if small else 1)
    primaries = PRIMARIES.get(media.color_primaries, WIDE if matrix in {9, 10} else 6 if small and matrix != 1 else 1)
    transfer = TRANSFERS.get(media.color_transfer, 1)
    full = media.color_range == "pc" or media.pixel_format.startswith("yuvj") or matrix == 0
    return Colour(matrix, primaries, transfer, 2 if full else 1)


def _rgb(media: Media) -> bool:
    return media.pixel_format.startswith(("rgb", "bgr", "gbr", "pal", "argb", "abgr", "0rgb", "rgba"))


def film_colour(timeline: Timeline, bits: int = 8) -> Colour:
    """Return the film's colour: that of the sources with the most record frames.

    HDR survives only where all of them have the same kind of it and 10 bits are asked for; otherwise the film is SDR
    BT.709.
    """
    known = {m.path: colour_of(m) for m in timeline.takes}
    votes: Counter[Colour] = Counter()
    for track in timeline.tracks:
        for clip in track.clips:
            if track.kind == "picture" and clip.take in known:
                votes[known[clip.take]] += clip.frames
    if not votes:
        return Colour()
    most = votes.most_common(1)[0][0]
    alike = len({(c.transfer, c.primaries) for c in votes}) == 1
    if most.transfer in {PQ, HLG} and alike and bits >= 10:
        return most
    if most.transfer in {PQ, HLG} or most.primaries == WIDE or most.matrix not in LUMA:
        return Colour()
    return most


def needs_mapping(source: Colour, film: Colour) -> bool:
    """Whether light itself must be converted, not only its coding: HDR or wide gamut into a plain film."""
    if (source.transfer, source.primaries) == (film.transfer, film.primaries):
        return False
    return source.transfer in {PQ, HLG} or (source.primaries == WIDE) != (film.primaries == WIDE)


def overlay(rgba: NDArray[np.uint8], colour: Colour, shapes: list[tuple[int, int]], bits: int) -> Overlay:
    """Return a drawn picture in the film's colour and planes of `shapes` (height, width)."""
    red, blue = LUMA.get(colour.matrix, LUMA[1])
    rgb = rgba[..., :3].astype(np.float32) / 255
    luma = rgb @ np.array([red, 1 - red - blue, blue], np.float32)
    parts = (luma, (rgb[..., 2] - luma) / (2 * (1 - blue)), (rgb[..., 0] - luma) / (2 * (1 - red)))
    alpha = rgba[..., 3].astype(np.float32) / 255
    full, top = colour.range == 2, 1 << (bits - 8)
    values: list[NDArray[Any]] = []
    alphas: list[NDArray[np.float32]] = []
    for i, (part, (height, width)) in enumerate(zip(parts, shapes, strict=True)):
        size = (width, height)
        same = part.shape == (height, width)
        small = part if same else np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.float32)
        scale, offset = ((255, 0) if full else (219, 16)) if i == 0 else ((255, 128) if full else (224, 128))
        codes = np.clip((small * scale + offset) * top + 0.5, 0, 256 * top - 1)
        values.append(codes.astype(np.uint16 if bits > 8 else np.uint8))
        clear = alpha if same else np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
        alphas.append(np.asarray(clear, np.float32))
    return Overlay(tuple(values), tuple(alphas), opaque=bool(rgba[..., 3].min() == 255))
