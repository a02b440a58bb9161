"""Independent sets of components too large for the exact search."""

from random import Random

import pytest

from git_fleet.analysis.bits import bits
from git_fleet.analysis.independent import EXACT, Merit, largest


def graph(seed: int, count: int, density: float) -> tuple[list[int], list[Merit]]:
    dice = Random(seed)
    neighbours = [0] * count
    for one in range(count):
        for other in range(one):
            if dice.random() < density:
                neighbours[one] |= 1 << other
                neighbours[other] |= 1 << one
    return neighbours, [(dice.choice((0, 0, 0, 5)), dice.random() < 0.2) for _ in range(count)]


def test_swaps_find_what_greed_misses() -> None:
    """19 is the best there is (exact search, 1 s); taking the least connected alone gives 18."""
    neighbours, merits = graph(11, 56, 0.16)
    assert largest((1 << 56) - 1, neighbours, merits).bit_count() == 19


def test_swaps_for_merit() -> None:
    """All neighbours of each other but for one pair: that pair; then without it, whoever has the most merit."""
    count = EXACT + 2
    everybody = (1 << count) - 1
    neighbours = [everybody & ~(1 << at) for at in range(count)]
    for at in (0, 7):
        neighbours[at] &= ~(1 << 7 - at)
    merits = [(at, False) for at in range(count)]
    assert largest(everybody, neighbours, merits) == 1 << 0 | 1 << 7
    neighbours[0] |= 1 << 7
    neighbours[7] |= 1 << 0
    assert largest(everybody, neighbours, merits) == 1 << count - 1


@pytest.mark.parametrize("density", [0.02, 0.1, 0.5])
def test_independent_and_maximal(density: float) -> None:
    for seed in range(5):
        neighbours, merits = graph(seed, 120, density)
        some = sum(1 << at for at in range(120) if at % 7)
        chosen = largest(some, neighbours, merits)
        assert chosen & ~some == 0
        assert all(not neighbours[at] & chosen for at in bits(chosen))
        assert all(neighbours[at] & chosen for at in bits(some & ~chosen))
