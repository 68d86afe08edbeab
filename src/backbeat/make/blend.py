# SPDX-License-Identifier: Apache-2.0
"""One picture over another on YUV planes: dissolves, wipes and drawn overlays. Sources are never written into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from backbeat.make.planes import copied, planes

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Overlay:
    """A drawn picture with transparency.

    `values` are its planes as the film's pixel format has them, `alpha` the opacity of each plane (float32 0..1, same
    shapes). `opaque`: it covers everything.
    """

    values: tuple[NDArray[Any], ...]
    alpha: tuple[NDArray[np.float32], ...]
    opaque: bool = False


def blended(below: av.VideoFrame, above: av.VideoFrame, amount: float) -> av.VideoFrame:
    """Return `below` under `above` at opacity `amount` 0..1."""
    out = av.VideoFrame(below.width, below.height, below.format.name)
    for into, a, b in zip(planes(out), planes(below), planes(above), strict=True):
        into[:] = cv2.addWeighted(a, 1 - amount, b, amount, 0)
    return out


def wiped(below: av.VideoFrame, above: av.VideoFrame, amount: float, kind: str) -> av.VideoFrame:
    """Return `below` with `above` uncovered as far as `amount` 0..1 along `kind`.

    wipe and wipe-right uncover from the left to the right, wipe-left, wipe-down and wipe-up accordingly.
    """
    out = copied(below)
    for into, values in zip(planes(out), planes(above), strict=True):
        height, width = into.shape
        x, y = round(width * amount), round(height * amount)
        part = {
            "wipe-left": (slice(None), slice(width - x, None)),
            "wipe-down": (slice(0, y), slice(None)),
            "wipe-up": (slice(height - y, None), slice(None)),
        }.get(kind, (slice(None), slice(0, x)))
        into[part] = values[part]
    return out


def overlaid(below: av.VideoFrame, over: Overlay, amount: float) -> av.VideoFrame:
    """Return `below` with a drawn overlay at opacity `amount`."""
    out = copied(below)
    for into, values, alpha in zip(planes(out), over.values, over.alpha, strict=True):
        rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
        if not rows.size:
            continue
        part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        share = alpha[part] * amount
        into[part] = (into[part] * (1 - share) + values[part] * share + 0.5).astype(into.dtype)
    return out
