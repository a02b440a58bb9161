"""Waves and rings, by values."""

import itertools
import time
from graphlib import CycleError, TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from git_fleet.analysis import waves
from git_fleet.model.plan import Overlap, Task

MANY = 10_000


def task(id: str, *needs: str) -> Task:
    return Task(id, "", "", f"b{id}", f"/w/{id}", needs=needs)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Task], list[Overlap]]:
    ids = [str(n) for n in range(draw(st.integers(0, 7)))]
    pick = st.lists(st.sampled_from([*ids, "?"]), max_size=3, unique=True)
    tasks = [task(id, *draw(pick)) for id in ids]
    pairs = [(a, b) for at, a in enumerate(ids) for b in ids[at + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return tasks, [Overlap(pair, ("x",)) for pair in chosen]


def reached(tasks: list[Task]) -> dict[str, set[str]]:
    """All that each task needs, directly or not."""
    known = {task.id: set(task.needs) & {other.id for other in tasks} for task in tasks}
    for _ in tasks:
        for needs in known.values():
            needs |= {far for need in tuple(needs) for far in known[need]}
    return known


def test_the_lab() -> None:
    tasks = [task("42"), task("43"), task("44")]
    assert waves.waves(tasks, [Overlap(("42", "44"), ("cli.py",))]) == (("42", "43"), ("44",))


def test_needs_come_first_wherever_they_stand() -> None:
    tasks = [task("3", "2"), task("2", "1"), task("1"), task("4", "1", "unknown")]
    assert waves.waves(tasks, []) == (("1",), ("2", "4"), ("3",))


def test_a_ring_and_what_needs_it_have_no_wave() -> None:
    tasks = [task("1", "2"), task("2", "1"), task("3", "2"), task("4"), task("5", "5")]
    assert waves.waves(tasks, []) == (("4",),)


@given(plans())
def test_waves_keep_every_promise(plan: tuple[list[Task], list[Overlap]]) -> None:
    tasks, overlaps = plan
    found = {id: number for number, wave in enumerate(waves.waves(tasks, overlaps)) for id in wave}
    needs = reached(tasks)
    in_a_ring = {id for id, far in needs.items() if id in far}
    assert found.keys() == {id for id, far in needs.items() if not far & in_a_ring} - in_a_ring
    assert all(found[need] < number for id, number in found.items() for need in needs[id])
    for a, b in (overlap.tasks for overlap in overlaps):
        assert not (a in found and found.get(b) == found[a])
    assert sorted(set(found.values())) == list(range(len(set(found.values()))))


@given(plans())
def test_every_ring_is_one_and_every_knot_has_one(plan: tuple[list[Task], list[Overlap]]) -> None:
    tasks, _ = plan
    needs = {task.id: task.needs for task in tasks}
    rings = waves.cycles(tasks)
    for ring in rings:
        assert len(set(ring)) == len(ring) > 1
        assert all(after in needs[id] for id, after in zip(ring, (*ring[1:], ring[0]), strict=True))
    far = reached(tasks)
    knotted = {id for id in needs if any(id in far[other] and other in far[id] for other in needs if other != id)}
    knots = {frozenset(other for other in knotted if id in far[other] and other in far[id]) for id in knotted}
    assert len(rings) == len(knots)
    assert all(any(knot.issuperset(ring) for ring in rings) for knot in knots)


@given(plans())
def test_rings_agree_with_the_library(plan: tuple[list[Task], list[Overlap]]) -> None:
    tasks, _ = plan
    ids = {task.id for task in tasks}
    graph = {task.id: [need for need in task.needs if need in ids and need != task.id] for task in tasks}
    try:
        TopologicalSorter(graph).prepare()
        acyclic = True
    except CycleError:
        acyclic = False
    assert acyclic == (waves.cycles(tasks) == ())


def test_the_ring_that_is_shown_is_the_shortest_through_the_first() -> None:
    tasks = [task("0"), task("1", "2"), task("2", "3", "1"), task("3", "1"), task("8", "9"), task("9", "8", "1")]
    assert waves.cycles(tasks) == (("1", "2"), ("8", "9"))


@given(plans())
def test_the_closure_knows_all_needs(plan: tuple[list[Task], list[Overlap]]) -> None:
    tasks, _ = plan
    far = reached(tasks)
    closed = waves.closure(tasks)
    by_id = {task.id: task for task in tasks}
    held = {id for id, needs in far.items() if any(need in far[need] for need in (id, *needs))}
    for id in far.keys() - held:
        assert {other for other in far if closed.needs(id, other)} == far[id]
    for id in far:
        for other in far:
            links = waves.chain(by_id, closed, id, other)
            assert bool(links) == closed.needs(id, other)
            if links and id not in held:
                assert (links[0], links[-1]) == (id, other)
                assert all(b in by_id[a].needs for a, b in itertools.pairwise(links))


def test_a_long_chain_and_a_long_ring_need_no_recursion_and_little_time() -> None:
    chain = [task(str(n), *([str(n - 1)] if n else [])) for n in range(MANY)]
    ring = [chain[0]._replace(needs=(str(MANY - 1),)), *chain[1:]]
    began = time.process_time()
    assert len(waves.waves(chain, [])) == MANY
    assert waves.closure(chain).needs(str(MANY - 1), "0")
    assert waves.cycles(chain) == ()
    assert [len(one) for one in waves.cycles(ring)] == [MANY]
    assert waves.waves(ring, []) == ()
    assert time.process_time() - began < 4
