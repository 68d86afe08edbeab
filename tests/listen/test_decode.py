# SPDX-License-Identifier: Apache-2.0
import itertools

import numpy as np
import pytest

from backbeat.listen.decode import decode, tempos
from backbeat.listen.snap import snap, straighten
from backbeat.listen.spectrum import ATTACK_STEP
from backbeat.listen.tracker import Evidence, best_path


def odds(bpm: float, meter: int, seconds: float = 40.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Odds with a peak on every beat, higher for a downbeat on the first of each bar."""
    rng = np.random.default_rng(0)
    beat = rng.normal(-4, 0.5, int(50 * seconds)).astype(np.float32)
    down = beat - 1
    times = 0.3 + 60 / bpm * np.arange(int((seconds - 0.5) * bpm / 60))
    frames = np.rint(times * 50).astype(int)
    beat[frames], down[frames] = 2, -2
    beat[frames[::meter]], down[frames[::meter]] = -1, 3
    return beat, down, frames


@pytest.mark.parametrize(("bpm", "meter"), list(itertools.product((61.0, 97.3, 128.0, 187.0), (3, 4))))
def test_a_clear_grid_is_found_whole(bpm: float, meter: int) -> None:
    beat, down, frames = odds(bpm, meter)
    path = decode(beat, down, 50, np.zeros(len(tempos()), np.float32))
    assert path.meter == meter
    assert path.frames.tolist() == frames.tolist()
    assert (path.positions[0], path.positions[meter]) == (1, 1)


def best_by_search(beat: np.ndarray, down: np.ndarray, periods: list[int], price: float) -> float:
    """Walk every path of a tiny song in 3."""
    cost, reach = (0.0, 1.2, 3.5, 6.5), max(periods) + 1

    def walk(frame: int, place: int, state: int) -> float:
        found = float(down[frame] if place == 0 else beat[frame])
        onward = [0.0] if frame >= len(beat) - reach else []
        for new, late in itertools.product(range(len(periods)), (-1, 0, 1)):
            if abs(new - state) < len(cost) and frame + periods[new] + late < len(beat):
                paid = cost[abs(new - state)] + (0.6 if late else 0) + price
                onward.append(walk(frame + periods[new] + late, (place + 1) % 3, new) - paid)
        return found + max(onward, default=-np.inf)

    starts = itertools.product(range(reach), range(3), range(len(periods)))
    return max(walk(*start) for start in starts)


def test_the_path_is_the_best_of_all() -> None:
    rng = np.random.default_rng(4)
    allowed = np.flatnonzero(np.isin(np.rint(3000 / tempos()), (20, 21)))
    prior = np.full(len(tempos()), -1e9, np.float32)
    prior[allowed] = -0.1
    periods = np.rint(3000 / tempos()[allowed]).astype(int).tolist()
    for _ in range(3):
        beat, down = rng.normal(-1, 2, (2, 72)).astype(np.float32)
        path = decode(beat, down, 50, prior, (3,))
        assert path.score == pytest.approx(best_by_search(beat, down, periods, 0.1), abs=1e-3)


def test_seven_needs_a_reason() -> None:
    votes = np.full(40, -3.7, np.float32)
    for meter in (4, 5, 7):
        beat, down, _ = odds(140.0, meter)
        assert best_path(Evidence(beat, down, votes)).meter == meter


def test_snap_finds_the_attacks_and_straighten_the_line() -> None:
    truth = 0.5 + 0.47 * np.arange(60)
    curve = np.zeros(int(30 / ATTACK_STEP), np.float32)
    curve[np.rint((truth - 0.002) / ATTACK_STEP).astype(int)] = 1
    rng = np.random.default_rng(1)
    late = truth + 0.03 + rng.normal(0, 0.003, len(truth))
    assert np.abs(snap(late, curve) - truth).max() < 0.008
    assert np.abs(straighten(snap(late, curve)) - truth).max() < 0.002


def test_a_human_is_not_straightened() -> None:
    rng = np.random.default_rng(2)
    played = np.cumsum(0.5 + rng.normal(0, 0.02, 60))
    assert np.array_equal(straighten(played), played)
