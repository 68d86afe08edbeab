# SPDX-License-Identifier: Apache-2.0
"""Cards and captions drawn with Pillow: any script that a font on this machine knows, right-to-left too."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont, features

from backbeat.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbeat.model.timeline import Title

# Families tried first, in this order; after them every font that knows the text.
FAMILIES = (
    "NotoSans-Regular", "NotoSans", "DejaVuSans", "Inter-Regular", "Roboto-Regular", "OpenSans-Regular",
    "LiberationSans-Regular", "arial", "Arial", "Helvetica", "segoeui", "SFNS", "NotoSansCJK-Regular", "msyh",
    "PingFang", "ArialUnicode", "Arial Unicode",
)  # fmt: skip
# Share of the picture that titles keep free at each edge (EBU R 95: 5 % action, 10 % title safe).
SAFE = 0.1
NOWHERE = "\uffff"  # no font has it: what is drawn for it is the sign for a missing letter


def font_folders() -> list[Path]:
    """Return the folders in which this system keeps fonts; ``$BACKBEAT_FONTS`` comes first."""
    home = Path.home()
    given = os.environ.get("BACKBEAT_FONTS")
    elsewhere = ["/usr/share/fonts", "/usr/local/share/fonts"]
    usual = {
        "win32": [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"],
        "darwin": [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")],
    }.get(sys.platform, [home / ".fonts", home / ".local/share/fonts", *map(Path, elsewhere)])
    return [f for f in ([Path(given)] if given else []) + usual if f.is_dir()]


@cache
def fonts() -> tuple[str, ...]:
    """Return the font files found, the preferred families first."""
    found = [
        path
        for folder in font_folders()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in {".ttf", ".otf", ".ttc"}
    ]
    ranks = {name: i for i, name in enumerate(FAMILIES)}
    found.sort(key=lambda p: ranks.get(p.stem, len(ranks)))
    return tuple(str(p) for p in found)


@cache
def _loaded(path: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(path, size)
    except OSError:
        return None


def _knows(font: ImageFont.FreeTypeFont, text: str) -> int:
    """Return how many of the letters of `text` the font can draw."""
    missing = bytes(font.getmask(NOWHERE))
    return sum(bytes(font.getmask(c)) != missing for c in set(text) if not c.isspace())


def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """Return the first font that can draw every letter, else the one that can draw most; Pillow's own at last."""
    letters = {c for c in text if not c.isspace()}
    best: tuple[int, ImageFont.FreeTypeFont] | None = None
    for path in fonts():
        font = _loaded(path, size)
        if font is None:
            continue
        known = _knows(font, text)
        if known == len(letters):
            return font
        if best is None or known > best[0]:
            best = (known, font)
    own = ImageFont.load_default(size)
    if not isinstance(own, ImageFont.FreeTypeFont):
        raise InputError("no font was found for a title", "put a .ttf file into a folder and set BACKBEAT_FONTS to it")
    if best is None or _knows(own, text) >= best[0]:
        return own
    return best[1]


def missing_letters(text: str) -> str:
    """Return the letters that no font here can draw."""
    font = font_for(text, 24)
    return "".join(sorted(c for c in set(text) if not c.isspace() and not _knows(font, c)))


def draw(title: Title, width: int, height: int) -> NDArray[np.uint8]:
    """Return a title as RGBA, uint8 (height, width, 4), alpha not multiplied in.

    A card fills the picture with its background and centres the text; a lower third stands at the lower left of the
    title-safe area on a bar of its background. Lines too long are broken between words; what is still too large
    is made smaller.

    Raises
    ------
    InputError
        If a colour is none.
    """
    try:
        ink, ground = ImageColor.getrgb(title.colour), ImageColor.getrgb(title.background)
    except ValueError as error:
        raise InputError(f"title {title.text[:20]!r}: {error}", "write colours as #rrggbb or #rrggbbaa") from error
    card = title.kind != "lower-third"
    image = Image.new("RGBA", (width, height), ground if card else (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    room, tall = round(width * (1 - 2 * SAFE)), round(height * (1 - 2 * SAFE))
    size = max(8, round(title.size * height))
    align = "center" if card else "left"
    while True:
        font = font_for(title.text, size)
        text = _wrapped(title.text, font, room)
        box = pen.multiline_textbbox((0, 0), text, font=font, align=align, spacing=size // 4)
        too_big = max((box[2] - box[0]) / room, ((box[3] - box[1]) / tall) ** 0.5)  # smaller letters need fewer lines
        if too_big <= 1 or size <= 8:
            break
        size = max(8, min(size - 1, int(size / too_big)))
    wide, high = box[2] - box[0], box[3] - box[1]
    if card:
        x, y = (width - wide) / 2 - box[0], (height - high) / 2 - box[1]
    else:
        x, y = width * SAFE - box[0], height * (1 - SAFE) - high - box[1]
        edge = size * 0.4
        bar = (x + box[0] - edge, y + box[1] - edge, x + box[2] + edge, y + box[3] + edge)
        pen.rectangle(bar, fill=ground if len(ground) == 4 else (*ground, 160))
    pen.multiline_text((x, y), text, font=font, fill=ink, align=align, spacing=size // 4)
    return np.asarray(image)


def _wrapped(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    """Return `text` with its lines broken between words where they are wider than `room` pixels."""
    lines = []
    for line in text.split("\n"):
        row = ""
        for word in line.split(" "):
            longer = f"{row} {word}" if row else word
            if row and font.getlength(longer) > room:
                lines.append(row)
                row = word
            else:
                row = longer
        lines.append(row)
    return "\n".join(lines)


def shaping() -> str:
    """Return how right-to-left and joined scripts are set: raqm (whole) or basic (letter by letter)."""
    return "raqm" if features.check("raqm") else "basic"
