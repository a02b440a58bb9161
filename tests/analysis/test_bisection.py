"""Which tree to test next: against brute force, with every culprit, width and order of answers."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_fleet.analysis import bisection


def search(count: int, red_from: int, width: int, chance: random.Random | None = None) -> tuple[dict[int, bool], int]:
    """What is known at the end, and how many tests were started; answers come in any order."""
    known: dict[int, bool] = {}
    running: list[int] = []
    started = 0
    while wanted := bisection.probes(count, known, running, width):
        assert len(wanted) <= width and not set(wanted) & known.keys()
        running = [place for place in running if place in wanted]
        started += len(set(wanted) - set(running))
        running += [place for place in wanted if place not in running]
        done = (chance or random.Random(0)).choice(running) if chance else min(running)
        running.remove(done)
        known[done] = done < red_from
    return known, started


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9, 13, 21, 32, 33, 40, 65])
def test_one_lane_finds_every_culprit_with_the_fewest_tests(count: int) -> None:
    for red_from in range(count + 1):
        known, started = search(count, red_from, 1)
        if red_from == 0:
            assert (known, started) == ({0: False}, 1)
        elif red_from == count:
            assert known == {0: True, count - 1: True} and started == (1 if count == 1 else 2)
        else:
            assert known[red_from - 1] and not known[red_from]
            assert started <= 2 + (count - 2).bit_length()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 60), st.data(), st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_number_of_lanes_finds_the_lowest_red(
    count: int, data: st.DataObject, width: int, chance: random.Random
) -> None:
    red_from = data.draw(st.integers(0, count))
    known, _ = search(count, red_from, width, chance)
    found = bisection.interval(count, known)
    assert found == (None if red_from == count else (red_from - 1, red_from))


def test_many_lanes_need_fewer_rounds() -> None:
    """By k-ary search: with three lanes, 64 suspects take three rounds after the base and the tip."""
    assert bisection.probes(65, {0: True, 64: False}, (), 3) == (16, 32, 48)
    assert bisection.probes(65, {0: True, 16: True, 32: False, 64: False}, (), 3) == (20, 24, 28)
    assert bisection.probes(65, {0: True, 20: True, 24: False}, (), 3) == (21, 22, 23)


def test_what_still_tells_something_goes_on() -> None:
    assert bisection.probes(33, {0: True, 32: False, 21: False}, (10,), 2) == (7, 10)
    assert bisection.probes(33, {0: True, 32: False, 10: False}, (21,), 2) == (3, 6)


def test_the_upper_suspects_take_the_shorter_way() -> None:
    """So that of a pair among twenty the one, and then the other, is named with at most twelve tests, the base and the
    tip and the one alone among them; to ask for the pair alone is one more where none of these was that already."""
    for last in range(2, 21):
        _, to_the_last = search(21, last, 1)
        for partner in range(1, last):
            _, to_the_partner = search(last, partner, 1)
            alone_and_the_last_are_known = to_the_partner - 2
            assert to_the_last + 1 + max(alone_and_the_last_are_known, 0) <= 12, (last, partner)


def test_the_window_halves_and_grows() -> None:
    assert bisection.window(8, []) == 8
    assert bisection.window(8, [True, False]) == 4
    assert bisection.window(8, [False, False, False, False]) == 1
    assert bisection.window(8, [False, False, True]) == 3
    assert bisection.window(1, [False, True]) == 1


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 12)), st.integers(1, 4), st.randoms(use_true_random=False))
def test_prefixes_are_tested_up_to_the_first_red(red: set[int], width: int, chance: random.Random) -> None:
    known: dict[int, bool] = {}
    while wanted := bisection.prefixes(13, known, width):
        assert len(wanted) <= width
        done = chance.choice(wanted)
        known[done] = done not in red
    first = min(red & set(range(13)), default=13)
    assert all(known[place] for place in range(first)) and known.get(first, False) is False
