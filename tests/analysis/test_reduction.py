"""The transitive reduction of needs, against its definition."""

import time
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from git_fleet.analysis.reduction import reduction
from git_fleet.model.plan import Task


def plan(needs: Mapping[str, Sequence[str]]) -> list[Task]:
    return [Task(id, id, id, id, f"/w/{id}", needs=tuple(wanted)) for id, wanted in needs.items()]


def reached(needs: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """All that is needed, directly or not; walked, not computed."""
    found: set[str] = set()
    work = [start]
    while work:
        for need in needs[work.pop()]:
            if need not in found:
                found.add(need)
                work.append(need)
    return found


def test_a_need_that_another_implies_is_left_out() -> None:
    needs = {"1": (), "2": ("1",), "3": ("2", "1"), "4": ("1", "3", "2", "nobody")}
    assert reduction(plan(needs)) == {"1": (), "2": ("1",), "3": ("2",), "4": ("3",)}


def test_the_order_of_the_row_stays_and_doubles_go() -> None:
    needs = {"a": (), "b": (), "c": ("b", "a", "b")}
    assert reduction(plan(needs))["c"] == ("b", "a")
    doubled = [*plan({"x": (), "y": ("x",)}), *plan({"y": ("x",)})]
    assert reduction(doubled) == {"x": (), "y": ("x",)}


def test_a_ring_keeps_what_it_says() -> None:
    needs = {"a": ("c",), "b": ("a",), "c": ("b",), "d": ("a", "b", "c", "d"), "e": ("f",), "f": ()}
    assert reduction(plan(needs)) == {
        "a": ("c",),
        "b": ("a",),
        "c": ("b",),
        "d": ("a", "b", "c"),
        "e": ("f",),
        "f": (),
    }


edges = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=30)


@given(edges)
def test_without_rings_it_is_the_one_reduction(pairs: list[tuple[int, int]]) -> None:
    """An edge stays exactly where there is no longer way, and all that was reached still is."""
    needs: dict[str, list[str]] = {str(number): [] for number in range(9)}
    for one, other in pairs:
        if one != other and str(min(one, other)) not in needs[str(max(one, other))]:
            needs[str(max(one, other))].append(str(min(one, other)))
    found = reduction(plan(needs))
    for id, wanted in needs.items():
        longer = [need for need in wanted if any(need in reached(needs, other) for other in wanted)]
        assert found[id] == tuple(need for need in wanted if need not in longer)
        assert reached(found, id) == reached(needs, id)


@given(edges)
def test_with_rings_nothing_that_was_reached_is_lost(pairs: list[tuple[int, int]]) -> None:
    needs: dict[str, list[str]] = {str(number): [] for number in range(9)}
    for one, other in pairs:
        needs[str(one)].append(str(other))
    found = reduction(plan(needs))
    for id in needs:
        assert reached(found, id) - {id} == reached(needs, id) - {id}
        assert set(found[id]) <= set(needs[id])


def test_ten_thousand_tasks() -> None:
    """In time, and without recursion: a chain in which each also needs the two before."""
    needs = {str(number): [str(number - back) for back in (1, 2, 3) if number >= back] for number in range(10_000)}
    start = time.monotonic()
    found = reduction(plan(needs))
    assert time.monotonic() - start < 5
    assert found == {str(number): (str(number - 1),) if number else () for number in range(10_000)}
