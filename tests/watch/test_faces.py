# SPDX-License-Identifier: Apache-2.0
"""Faces, and what their height tells of a shot."""

import cv2
import numpy as np
import pytest

from backbeat.media.probe import probe
from backbeat.media.stills import stills
from backbeat.model.footage import Shot
from backbeat.watch import faces as module
from backbeat.watch.faces import Face, Faces, faces
from kit.shared import SHARED, needs_shared

GREY = np.full((90, 160), 128, np.uint8)


@needs_shared
def test_faces_are_found_where_they_are() -> None:
    media = probe(str(SHARED / "media/footage/Video-LLaMA__examples_silence_girl.mp4"))
    [picture] = stills(media, [30], 144)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    [face] = faces(grey)
    assert 0.4 < face.height < 0.65
    assert 0.3 < face.x + face.width / 2 < 0.7
    high, width = grey.shape
    wide = np.zeros((2 * high, 2 * width), np.uint8)
    wide[high:, width:] = grey
    [smaller] = faces(wide)
    assert smaller.height == pytest.approx(face.height / 2, rel=0.3)
    assert smaller.x > 0.5
    assert smaller.y > 0.45


def test_nothing_is_no_face() -> None:
    assert faces(GREY) == ()
    assert faces(np.zeros((200, 32), np.uint8)) == ()


def test_few_pictures_are_looked_at_and_cuts_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    now = 0.0
    monkeypatch.setattr(
        module, "faces", lambda _: looked.append(now) or ((Face(0, 0, 0.2, 0.3, 0.9),) if now < 5 else ())
    )
    people = Faces()
    for i in range(1000):
        now = i / 25
        people.see(now, GREY, 0.9 if i == 150 else 0.1)
    assert looked[:4] == [0.28, 1.28, 3.32, 6.28]  # 6 s: a cut
    assert len(looked) < 15
    assert people.of(0, 6) == (0.3, 0.9)
    assert people.of(6, 40) == (None, 0.0)
    assert people.of(50, 60) == (None, 0.0)


@pytest.mark.parametrize(("size", "name"), [(None, ""), (0.5, "close-up"), (0.15, "medium"), (0.05, "wide")])
def test_framing(size: float | None, name: str) -> None:
    assert Shot("a", 0, 0, 10, shot_size=size).framing == name
