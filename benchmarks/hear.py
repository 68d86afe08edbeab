# SPDX-License-Identifier: Apache-2.0
"""How fast all of a song is heard, in how much memory: ``hear.py SONG …`` (CPU time, the first song warms up)."""

from __future__ import annotations

import resource
import sys
import time

from backbeat.listen.hear import hear


def main(paths: list[str]) -> None:
    """Print times real time of each song and of all, and the peak of this process."""
    hear(paths[0])
    heard = spent = 0.0
    for path in paths:
        start = time.process_time()
        song = hear(path)
        took = time.process_time() - start
        heard, spent = heard + song.duration, spent + took
        print(f"{path}: {song.duration:.0f} s, {song.duration / took:.0f} times real time")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"all: {heard / spent:.0f} times real time, peak {peak:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
