# SPDX-License-Identifier: Apache-2.0
"""HDR and wide gamut into a plain film: one three-dimensional table of the whole way, applied by FFmpeg."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.filter import Graph

from backbeat.make.colour import HLG, PQ, WIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.media.write import Colour

SIZE = 33  # points a side of the table
WHITE = 203.0  # nits of diffuse white in HDR (ITU-R BT.2408)
PEAK = 1000.0  # nits that the sources are taken to reach
# From BT.2020 to BT.709 in linear light (ITU-R BT.2087).
GAMUT = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128


def pq_to_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084: code 0..1 to nits."""
    root = np.maximum(code, 0) ** (1 / M2)
    return np.asarray((np.maximum(root - C1, 0) / (C2 - C3 * root)) ** (1 / M1) * 10_000)


def nits_to_pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084: nits to code 0..1."""
    light = (np.maximum(nits, 0) / 10_000) ** M1
    return np.asarray(((C1 + C2 * light) / (1 + C3 * light)) ** M2)


def hlg_to_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100 HLG: R'G'B' (…, 3) to display nits of a 1000-nit screen (system gamma 1.2)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(PEAK * scene * np.maximum(luma, 1e-6)[..., None] ** 0.2)


def squeezed(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return light of 0..`PEAK` nits inside 0..`WHITE`: straight to a knee, then a Hermite curve (ITU-R BT.2390)."""
    top = float(nits_to_pq(np.array(PEAK)))
    code = np.clip(nits_to_pq(nits) / top, 0, 1)
    limit = float(nits_to_pq(np.array(WHITE))) / top
    knee = 1.5 * limit - 0.5
    t = np.clip((code - knee) / (1 - knee), 0, 1)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * limit
    return pq_to_nits(np.where(code < knee, code, curve) * top)


def table(source: Colour) -> NDArray[np.float64]:
    """Return the table, shape (33, 33, 33, 3), red slowest: R'G'B' of `source` to R'G'B' of BT.709, all 0..1."""
    line = np.linspace(0, 1, SIZE)
    code = np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)
    if source.transfer in {PQ, HLG}:
        nits = pq_to_nits(code) if source.transfer == PQ else hlg_to_nits(code)
        # The brightest channel is squeezed and the others keep their share of it: hues hold.
        most = nits.max(axis=-1, keepdims=True)
        light = nits * squeezed(most) / np.maximum(most, 1e-9) / WHITE
    else:
        light = code**2.4
    if source.primaries == WIDE:
        light = light @ GAMUT.T
    return np.asarray(np.clip(light, 0, 1) ** (1 / 2.4))


class ToneMapper:
    """Turns pictures of one colour, size and format into the film's; made once and used for a whole clip."""

    def __init__(self, frame: av.VideoFrame, size: tuple[int, int], source: Colour, film: Colour, form: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="backbeat-lut-")
        cube = Path(self._folder.name) / "map.cube"
        values = table(source).transpose(2, 1, 0, 3).reshape(-1, 3)  # the file wants red fastest
        lines = "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in values)
        cube.write_text(f"LUT_3D_SIZE {SIZE}\n{lines}\n", encoding="ascii")
        ranges = {1: "tv", 2: "pc"}
        matrix = "bt2020" if source.matrix in {9, 10} else "bt709"
        graph = Graph()
        first = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        into = f"w={size[0]}:h={size[1]}:flags=bicubic:in_color_matrix={matrix}:in_range={ranges[source.range]}"
        out = f"out_color_matrix={'bt709' if film.matrix == 1 else 'smpte170m'}:out_range={ranges[film.range]}"
        chain = [
            first,
            graph.add("scale", into),
            graph.add("format", "gbrp10le"),
            graph.add("lut3d", f"file={cube}:interp=tetrahedral"),
            graph.add("scale", out),
            graph.add("format", form),
            graph.add("buffersink"),
        ]
        graph.link_nodes(*chain).configure()
        self._graph = graph
        self._count = 0

    def mapped(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return `frame` in the film's colour, size and format."""
        kept = frame.pts, frame.time_base
        frame.pts, frame.time_base = self._count, Fraction(1, 1000)
        self._count += 1
        self._graph.push(frame)
        frame.pts, frame.time_base = kept[0], kept[1] or Fraction(1)
        out = self._graph.pull()
        assert isinstance(out, av.VideoFrame)
        return out

    def close(self) -> None:
        """Remove the table's file."""
        self._folder.cleanup()
