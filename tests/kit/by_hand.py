# SPDX-License-Identifier: Apache-2.0
"""Small films decided by trying every one."""

import numpy as np

from backbeat.decide import beam, prices
from backbeat.decide.place import Placements, Scene
from backbeat.decide.rows import Rows


def best_by_hand(sc: Scene, rows: Rows, placements: Placements) -> float:
    """Return the value of the best film of `placements`."""
    net = prices.Network(sc, rows, placements)
    into: dict[int, list[int]] = {}
    for k in range(net.p.size):
        into.setdefault(int(net.from_node[k]), []).append(k)
    best = -np.inf

    def go(node: int, path: list[int]) -> None:
        nonlocal best
        if node == net.nodes - 1:
            best = max(best, beam.value_of(net, np.array(path)))
            return
        for k in into.get(node, []):
            if all(net.p.high[k] <= net.p.low[q] or net.p.low[k] >= net.p.high[q] for q in path):
                go(int(net.to_node[k]), [*path, k])

    go(0, [])
    return float(best)
