# SPDX-License-Identifier: Apache-2.0
"""Pictures between two pictures for slow motion: dense optical flow at a small size, warped at full size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from backbeat.make.planes import planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Width (pixels) at which the flow is found; DIS costs little there and large motion stays within its reach.
WIDTH = 480
# Where the two warped pictures differ by more (levels of 255) the flow is wrong, and the nearer one is shown.
TRUST = 24.0


class Between:
    """Makes pictures between neighbours; the flow of a pair is found once."""

    def __init__(self) -> None:
        self._finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._pair: tuple[object, object] | None = None
        self._flow: NDArray[np.float32] = np.zeros((1, 1, 2), np.float32)

    def picture(self, a: av.VideoFrame, b: av.VideoFrame, share: float) -> av.VideoFrame:
        """Return the picture `share` (0..1) of the way from `a` to `b`."""
        if self._pair is None or self._pair[0] is not a or self._pair[1] is not b:
            self._flow, self._pair = self._found(a, b), (a, b)
        out = av.VideoFrame(a.width, a.height, a.format.name)
        mask: NDArray[np.float32] | None = None
        scale = 1 << (a.format.components[0].bits - 8)
        for into, x, y in zip(planes(out), planes(a), planes(b), strict=True):
            before, after = self._warped(x, -share), self._warped(y, 1 - share)
            mixed = cv2.addWeighted(before, 1 - share, after, share, 0)
            if mask is None:
                wrong = cv2.absdiff(before, after).astype(np.float32) / scale
                doubt = (cv2.GaussianBlur(wrong, (0, 0), 3) > TRUST).astype(np.float32)
                mask = np.asarray(cv2.GaussianBlur(doubt, (0, 0), 3), np.float32)  # soft edges
            part = (
                mask if mask.shape == into.shape else cv2.resize(mask, into.shape[::-1], interpolation=cv2.INTER_AREA)
            )
            if part.max() > 0:
                near = x if share < 0.5 else y
                mixed = (mixed * (1 - part) + near * part + 0.5).astype(into.dtype)
            into[:] = mixed
        return out

    def _found(self, a: av.VideoFrame, b: av.VideoFrame) -> NDArray[np.float32]:
        height = max(16, round(WIDTH * a.height / a.width))
        shift = a.format.components[0].bits - 8

        def small(frame: av.VideoFrame) -> NDArray[np.uint8]:
            luma = cv2.resize(planes(frame)[0], (WIDTH, height), interpolation=cv2.INTER_AREA)
            return np.asarray(luma // (1 << shift), np.uint8)

        return np.asarray(self._finder.calc(small(a), small(b), None), np.float32)  # type: ignore[call-overload]

    def _warped(self, plane: NDArray[Any], share: float) -> NDArray[Any]:
        """Return `plane` fetched from `share` of the flow away."""
        height, width = plane.shape
        scale = np.array([width / self._flow.shape[1], height / self._flow.shape[0]], np.float32) * share
        flow = cv2.resize(self._flow, (width, height), interpolation=cv2.INTER_LINEAR) * scale
        grid = np.indices((height, width), np.float32)
        return cv2.remap(
            plane, flow[..., 0] + grid[1], flow[..., 1] + grid[0], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
