# SPDX-License-Identifier: Apache-2.0
"""``.otioz``: the edit and its media in one zip file, as OpenTimelineIO lays it out."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from backbeat.errors import InputError
from backbeat.exchange.otio import load
from backbeat.exchange.otio_write import build
from backbeat.exchange.otio_write import text as document
from backbeat.exchange.relocate import moved, paths_of
from backbeat.exchange.urls import relative_url
from backbeat.model.timeline import Timeline
from backbeat.work.output import placed

_EPOCH = (1980, 1, 1, 0, 0, 0)  # one date for all, so that the same edit gives the same bytes


def save(timeline: Timeline, path: str | Path) -> tuple[str, ...]:
    """Write the bundle; return the media that was missing and could only be named.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    names: dict[str, str] = {}
    missing = []
    for media in paths_of(timeline):
        if Path(media).is_file():
            names[media] = _free(Path(media).name, names)
        else:
            missing.append(media)
    urls = {p: relative_url(f"/b/media/{n}", Path("/b")) for p, n in names.items()}
    urls |= {p: relative_url(p, Path(path).absolute().parent / "elsewhere") for p in missing}
    words = document(build(timeline, urls))
    with placed(str(path)) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as bundle:
        for name, body in (("version.txt", "1.0.0"), ("content.otio", words)):
            bundle.writestr(zipfile.ZipInfo(name, _EPOCH), body.encode(), zipfile.ZIP_DEFLATED)
        for media, name in names.items():
            entry = zipfile.ZipInfo(f"media/{name}", _EPOCH)
            entry.file_size = Path(media).stat().st_size
            with Path(media).open("rb") as source, bundle.open(entry, "w", force_zip64=True) as target:
                while block := source.read(1 << 20):
                    target.write(block)
    return tuple(missing)


def unpack(path: str | Path, folder: Path) -> Timeline:
    """Unpack a bundle into `folder` and return its timeline, whose media lie there.

    Raises
    ------
    InputError
        If it is no bundle, or names files outside itself.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            names = bundle.namelist()
            content = next((n for n in names if n.endswith("content.otio")), "")
            if not content:
                raise InputError(f"{path}: no content.otio in it", "give a bundle that OpenTimelineIO wrote")
            for name in names:
                parts = PurePosixPath(name).parts
                if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
                    raise InputError(f"{path}: it names a file outside itself ({name})", "do not trust this bundle")
            folder.mkdir(parents=True, exist_ok=True)
            bundle.extractall(folder)
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"{path}: cannot be unpacked ({error})", "copy it again, and make room") from error
    found = load(folder / content)
    # What lies in the bundle counts, even where a file of the old name still stands.
    inside = {Path(n).name: str(folder / n) for n in names if PurePosixPath(n).parts[0] == "media"}
    return moved(found, lambda p: p if Path(p).exists() else inside.get(Path(p).name, p))


def _free(name: str, taken: dict[str, str]) -> str:
    """Return `name`, numbered if another file of the bundle has it already."""
    used = {n.casefold() for n in taken.values()}
    stem, dot, suffix = name.rpartition(".")
    candidate, number = name, 1
    while candidate.casefold() in used:
        number += 1
        candidate = f"{stem or name}-{number}{dot}{suffix if dot else ''}"
    return candidate
