# SPDX-License-Identifier: Apache-2.0
"""What every verb is handed: where results are kept, who works, who is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from backbeat.work.cache import Cache, default_folder
from backbeat.work.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class Session:
    """Cache, workers and progress in one value. `workers`: ``"1"``, ``"N"`` or ``"dask://host:port"``."""

    cache: Cache = field(default_factory=lambda: Cache(default_folder()))
    workers: str = "1"
    progress: Progress = field(default_factory=Silent)
