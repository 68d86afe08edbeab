# SPDX-License-Identifier: Apache-2.0
"""Open a file, a still, or a numbered run of pictures (``shot_%04d.png``) as one container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from backbeat.errors import MediaError

if TYPE_CHECKING:
    from av.codec.hwaccel import HWAccel
    from av.container import InputContainer

STILLS = frozenset([".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".exr", ".dpx", ".jp2", ".tga"])
_PATTERN = re.compile(r"%0?(\d*)d")


def is_sequence(path: str) -> bool:
    """Whether `path` is a pattern of numbered pictures and no file of that very name."""
    return bool(_PATTERN.search(Path(path).name)) and not Path(path).is_file()


def sequence_files(path: str) -> list[Path]:
    """Return the pictures of a pattern in order of their numbers; only the first unbroken run."""
    pattern = Path(path)
    mark = _PATTERN.search(pattern.name)
    assert mark is not None
    head, tail = pattern.name[: mark.start()], pattern.name[mark.end() :]
    digits = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail))
    width = int(mark[1] or 0)
    found = {}
    if pattern.parent.is_dir():
        for child in pattern.parent.iterdir():
            number = digits.fullmatch(child.name)
            if number and (len(number[1]) == width or (len(number[1]) > width and number[1][0] != "0") or not width):
                found[int(number[1])] = child
    first = min(found, default=0)
    run: list[Path] = []
    while first + len(run) in found:
        run.append(found[first + len(run)])
    return run


def first_number(path: str) -> int:
    """Return the number of a pattern's first picture, 0 where there is none."""
    files = sequence_files(path)
    mark = _PATTERN.search(Path(path).name)
    if not files or mark is None:
        return 0
    tail = len(Path(path).name) - mark.end()
    name = files[0].name
    return int(name[mark.start() : len(name) - tail])


def must_exist(path: str) -> None:
    """Raise a kind `MediaError` where there is nothing to open."""
    if is_sequence(path):
        if not sequence_files(path):
            raise MediaError(f"{path}: no picture matches", "check the folder and the number of digits")
        return
    if not Path(path).exists():
        raise MediaError(f"{path}: no such file", "check the name")
    if not Path(path).is_file():
        raise MediaError(f"{path}: not a file", "give a media file, or a folder to `watch`")
    if Path(path).stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty", "copy it again from the camera card")


def _accelerator(name: str) -> HWAccel | None:
    if not name:
        return None
    from av.codec.hwaccel import HWAccel, hwdevices_available

    if name not in hwdevices_available():
        return None
    return HWAccel(device_type=name, allow_software_fallback=True)


@contextmanager
def open_box(path: str, *, sequence_rate: int = 24, hardware: str = "") -> Iterator[InputContainer]:
    """Yield the opened container; FFmpeg's errors, here and inside the block, become one sentence.

    `hardware` names a hardware decoder (cuda, vaapi, videotoolbox …); where it is absent or cannot decode the file,
    software does.

    Raises
    ------
    MediaError
        If there is no such file, or it is no media file.
    """
    import av

    must_exist(path)
    options: dict[str, str] = {}
    kind: str | None = None
    if is_sequence(path):
        kind = "image2"
        options = {"start_number": str(first_number(path)), "framerate": str(sequence_rate)}
    elif Path(path).suffix.lower() in STILLS:
        kind = "image2"
        options = {"pattern_type": "none", "framerate": str(sequence_rate)}
    try:
        with _opened(path, kind, options, hardware) as box:
            yield box
    except av.FFmpegError as error:
        said = (error.strerror or str(error)).lower()
        raise MediaError(f"{path}: cannot be read ({said})", "is it a media file, and whole?") from error


def _opened(path: str, kind: str | None, options: dict[str, str], hardware: str) -> InputContainer:
    import av

    accelerator = _accelerator(hardware)
    if accelerator is not None:
        with suppress(av.FFmpegError):  # built in, and no such device here
            return av.open(path, format=kind, options=dict(options), metadata_errors="ignore", hwaccel=accelerator)
    return av.open(path, format=kind, options=options, metadata_errors="ignore")
