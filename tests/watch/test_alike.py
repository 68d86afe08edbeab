# SPDX-License-Identifier: Apache-2.0
"""Near-duplicate set-ups."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np

from backbeat.model.footage import Media, Shot, Take
from backbeat.watch.alike import Prints, fingerprint, grouped
from watch.made import scenery


def thumb(seed: int, gain: float = 1.0, shift: int = 0) -> Any:
    big = np.roll(scenery(seed), shift, axis=1)
    small = cv2.resize(big, (48, 27), interpolation=cv2.INTER_AREA)
    return np.clip(small * gain, 0, 255).astype(np.uint8)


def take(name: str, seeds: list[int], gain: float = 1.0) -> Take:
    shots = tuple(
        Shot(name, i, 0, 10, prints=tuple(fingerprint(thumb(s, gain, k)) for k in (0, 2, 4)))
        for i, s in enumerate(seeds)
    )
    return Take(Media(name, Fraction(25), 100, 160, 90), shots)


def test_retakes_share_a_group_and_others_do_not() -> None:
    found = grouped([take("a", [1, 2]), take("b", [2, 3], gain=0.8), take("c", [1])])
    groups = [s.group for t in found for s in t.shots]
    assert groups == [0, 1, 1, 2, 0]


def test_many_different_pictures_stay_apart() -> None:
    found = grouped([take("a", list(range(60)))])
    groups = [s.group for s in found[0].shots]
    assert len(set(groups)) >= 58


def test_plain_pictures_have_no_print_and_no_twin() -> None:
    assert fingerprint(np.full((27, 48, 3), 90, np.uint8)) == 0
    bare = take("a", [1])
    plain = replace(bare, shots=(replace(bare.shots[0], prints=()),) * 2)
    assert [s.group for s in grouped([plain])[0].shots] == [0, 1]


def test_prints_are_spread_over_the_shot() -> None:
    prints = Prints()
    for i in range(100):
        prints.see(i / 10, thumb(i // 20))
    assert len(prints.of(0, 10)) == 5
    assert len(set(prints.of(0, 10))) >= 4
    assert prints.of(50, 60) == ()
