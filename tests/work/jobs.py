# SPDX-License-Identifier: Apache-2.0
"""Jobs for the pool's tests; a spawned worker must be able to import them."""

import os
import time
from pathlib import Path

from backbeat.errors import MediaError
from backbeat.work.cache import Cache


def square(n: int) -> int:
    return n * n


def whose(n: int) -> int:
    return os.getpid()


def odd_fails(n: int) -> int:
    if n % 2:
        raise MediaError(f"take {n}: broken", "copy it again")
    return n


def dies(n: int) -> int:
    if n == 1:
        os._exit(7)
    return n


def sleeps(folder: str) -> None:
    (Path(folder) / f"{os.getpid()}.began").touch()
    time.sleep(60)
    (Path(folder) / "ended").touch()


def hammers(job: tuple[str, int]) -> int:
    """Write and read the same keys as every other process; return how many reads were neither whole nor absent."""
    folder, seed = job
    cache, wrong = Cache(Path(folder)), 0
    for i in range(150):
        key = f"{i % 5:02d}key"
        cache.put(key, {"i": i % 5, "load": [i % 5] * 5000})
        value = cache.get(key)
        wrong += value is None or value["load"] != [value["i"]] * 5000
        if i % 40 == seed:
            cache.clear()
    return wrong
