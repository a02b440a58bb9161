"""From the plan to its picture."""

from git_fleet.analysis.graph import graph
from git_fleet.analysis.view import view
from git_fleet.model.fleet import State
from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.model.plan import Plan, Source, SourceKind, Task


def drawn(*tasks: Task) -> Graph:
    plan = Plan(Source(SourceKind.CONFIG), tasks)
    return graph(view(plan), {task.id: State.READY for task in tasks})


def task(id: str, *needs: str, owns: str = "") -> Task:
    return Task(id, f"t{id}", id, id, f"/w/{id}", owns=(owns or f"{id}/",), needs=needs)


def test_needs_run_with_the_time_and_only_the_fewest_are_drawn() -> None:
    assert drawn(task("c", "b", "a"), task("b", "a"), task("a")) == Graph(
        (Node("c", "tc", 3, State.READY), Node("b", "tb", 2, State.READY), Node("a", "ta", 1, State.READY)),
        (Edge("b", "c", EdgeKind.NEEDS), Edge("a", "b", EdgeKind.NEEDS)),
    )


def test_an_overlap_starts_in_the_earlier_wave() -> None:
    """Whatever the order of the plan: here the first task has to wait for another one."""
    found = drawn(task("late", "a", owns="x"), task("a"), task("b", owns="x"))
    assert found.edges == (Edge("a", "late", EdgeKind.NEEDS), Edge("b", "late", EdgeKind.OVERLAP, ("x",)))


def test_an_overlap_that_a_need_excuses_is_not_drawn() -> None:
    found = drawn(task("a", owns="x"), task("b", "a"), task("c", "b", owns="x"))
    assert {edge.kind for edge in found.edges} == {EdgeKind.NEEDS}


def test_a_ring_has_no_wave_and_comes_last() -> None:
    found = drawn(task("a", "b"), task("b", "a"), task("c", "a"), task("d", owns="a/"))
    assert [node.wave for node in found.nodes] == [None, None, None, 1]
    assert [[node.id for node in column] for column in found.columns] == [["d"], ["a", "b", "c"]]
    assert found.edges == (
        Edge("b", "a", EdgeKind.NEEDS),
        Edge("a", "b", EdgeKind.NEEDS),
        Edge("a", "c", EdgeKind.NEEDS),
        Edge("d", "a", EdgeKind.OVERLAP, ("a/",)),
    )


def test_a_doubled_id_is_drawn_once() -> None:
    found = drawn(task("a"), task("a", owns="other"), task("b", "a", "nobody"))
    assert [node.id for node in found.nodes] == ["a", "b"]
    assert found.edges == (Edge("a", "b", EdgeKind.NEEDS),)


def test_no_tasks() -> None:
    assert drawn() == Graph((), ())
    assert drawn().columns == ()
