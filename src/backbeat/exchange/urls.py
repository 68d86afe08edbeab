# SPDX-License-Identifier: Apache-2.0
"""Paths to URLs and back: spaces, any script, ``%``, ``#``, Windows drive letters and UNC names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

_DRIVE = re.compile(r"^/?([A-Za-z])(?::|%3[aA]|\|)[/\\]")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+:")
# What RFC 3986 lets stand in a path; everything else is percent-encoded as UTF-8.
_SAFE = "/-._~!$'()*+,;=@"


def is_windows(path: str) -> bool:
    r"""Whether `path` is one of another system: ``C:\…``, ``C:/…`` or ``\\server\share``."""
    return bool(_DRIVE.match(path)) or path.startswith("\\\\")


def absolute(path: str) -> str:
    """Return `path` from the root; a Windows path is left as it is."""
    return path if is_windows(path) else os.path.abspath(path)  # noqa: PTH100 - keeps symlinks as the user named them


def file_url(path: str, *, host: str = "") -> str:
    """Return the absolute ``file://`` URL of `path`; `host` is ``localhost`` where a reader wants it."""
    path = absolute(path)
    if path.startswith("\\\\"):
        return "file:" + _quote(path.replace("\\", "/"))
    if is_windows(path):
        drive, rest = path[0], path[2:].replace("\\", "/")
        return f"file://{host}/{drive}:{_quote(rest)}"
    return f"file://{host}{_quote(path)}"


def relative_url(path: str, folder: Path) -> str:
    """Return a URL of `path` relative to `folder` where it lies beneath, else the absolute one."""
    if is_windows(path):
        return file_url(path)
    inside = os.path.relpath(absolute(path), os.path.abspath(folder))  # noqa: PTH100
    if inside.startswith(".."):
        return file_url(path)
    # A first part with a colon would read as a scheme.
    return _quote(inside) if ":" not in inside.split("/")[0] else "./" + _quote(inside)


def local_path(url: str, folder: Path) -> str:
    """Return the path that `url` names; relative ones are met from `folder`.

    Plain paths, which many programs write where a URL belongs, are taken as they stand if such a file exists.
    A Windows path stays one (``C:/…``, ``//server/share/…``); relinking finds its file.
    """
    if url.lower().startswith("file:"):
        rest = url[5:]
        if rest.startswith("//"):
            host, _, tail = rest[2:].partition("/")
            rest = f"/{tail}" if host.lower() in {"", "localhost", "127.0.0.1"} else f"//{host}/{tail}"
        if _DRIVE.match(rest):
            rest = rest.lstrip("/")
        return _unquote(rest)
    if is_windows(url):
        return url
    if _SCHEME.match(url) and not (folder / url).exists():
        return url
    for name in (url, _unquote(url)):
        if (folder / name).exists():
            return str(folder / name)
    return str(folder / _unquote(url))


def _quote(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"), safe=_SAFE)


def _unquote(text: str) -> str:
    return unquote(text, errors="surrogateescape")
