# SPDX-License-Identifier: Apache-2.0
"""Results by content: key in, result out. A damaged entry is a missing one. Safe for many processes at once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Any

_EDGE = 64 * 1024


def default_folder() -> Path:
    """Return ``$BACKBEAT_CACHE``, else the user's cache folder."""
    if given := os.environ.get("BACKBEAT_CACHE"):
        return Path(given)
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "backbeat"


def fingerprint(path: str) -> str:
    """Return a key of a file's content: its size and the hash of its first, middle and last 64 KiB.

    Independent of name and time, so a moved or copied file is known again.
    """
    size = Path(path).stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with Path(path).open("rb") as file:
        for place in sorted({0, max(0, size // 2 - _EDGE // 2), max(0, size - _EDGE)}):
            file.seek(place)
            digest.update(file.read(_EDGE))
    return digest.hexdigest()


def key_of(*parts: object) -> str:
    """Return the key of a step: content fingerprint, step name, step version, parameters."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()


class Cache:
    """A folder of JSON values by key, compressed and check-summed; `folder` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.bb"

    def get(self, key: str) -> Any | None:
        """Return the stored value, or None where there is none that is whole."""
        if self.folder is None:
            return None
        try:
            path = self._path(key)
            value = json.loads(zlib.decompress(path.read_bytes()))
            os.utime(path)
        except (OSError, ValueError, zlib.error):
            return None
        return value

    def put(self, key: str, value: Any) -> None:
        """Store `value`, whole or not at all; a full or read-only disk is no error."""
        if self.folder is None:
            return
        data = zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 6)
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(temporary).replace(path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise

    def size(self) -> tuple[int, int]:
        """Return (entries, bytes)."""
        if self.folder is None or not self.folder.is_dir():
            return 0, 0
        sizes = []
        for path in self.folder.rglob("*.bb"):
            with contextlib.suppress(OSError):  # another process may clear meanwhile
                sizes.append(path.stat().st_size)
        return len(sizes), sum(sizes)

    def clear(self) -> None:
        """Forget everything."""
        if self.folder is not None and self.folder.is_dir():
            for child in self.folder.iterdir():
                if child.is_dir() and len(child.name) == 2:
                    shutil.rmtree(child, ignore_errors=True)
