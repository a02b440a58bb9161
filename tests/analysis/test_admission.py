"""May this task be started now? Decision tables over values."""

from collections.abc import Mapping, Sequence

import pytest

from git_fleet.analysis.admission import Admission, Seen, admit
from git_fleet.analysis.state import Standing
from git_fleet.model.fleet import State, Worktree
from git_fleet.model.plan import Overlap, Task

A, B, C = (Task(id, id, id, f"f/{id}", f"/{id}") for id in "abc")
TREE = {task.id: Worktree(task.worktree, "1" * 40, task.ref) for task in (A, B, C)}
READY = Standing(State.READY, None)
OVERLAPS = (Overlap(("a", "b"), ("cli.py", "x")),)


def asked(
    tasks: Sequence[Task],
    standings: Mapping[str, Standing] | None = None,
    *,
    branches: Sequence[str] = (),
    checked_out: Mapping[str, str] | None = None,
    occupied: Sequence[str] = (),
    overlaps: Sequence[Overlap] = (),
    limit: int | None = None,
    allow_overlap: bool = False,
) -> list[Admission]:
    known = {task.id: READY for task in (A, B, C)} | dict(standings or {})
    seen = Seen(known, branches, checked_out or {}, occupied)
    return list(admit(tasks, seen, overlaps, limit=limit, allow_overlap=allow_overlap))


def active(task: Task) -> dict[str, Standing]:
    return {task.id: Standing(State.ACTIVE, TREE[task.id])}


def test_a_task_that_is_ready_is_made() -> None:
    assert asked([A]) == [Admission(A, create=True, new_branch=True)]


def test_a_branch_that_is_there_is_used() -> None:
    there = {"a": Standing(State.MISSING, None, "no worktree")}
    assert asked([A], there, branches=[A.ref]) == [Admission(A, create=True)]


def test_what_is_there_as_planned_exists() -> None:
    assert asked([A], active(A), branches=[A.ref], checked_out={A.ref: "/a"}) == [Admission(A, exists=True)]


@pytest.mark.parametrize(
    ("standing", "world", "why"),
    [
        (Standing(State.LANDED, None), {}, "it has landed already"),
        (Standing(State.DROPPED, None), {}, "it is dropped"),
        (READY, {"occupied": ["/a"]}, "'/a' exists already"),
        (READY, {"checked_out": {A.ref: "/else"}}, "its branch 'f/a' is checked out in '/else'"),
        (
            Standing(State.ACTIVE, TREE["a"]),
            {"checked_out": {A.ref: "/else"}},
            "its branch 'f/a' is checked out in '/else'",
        ),
        (Standing(State.ACTIVE, TREE["a"], "the worktree is on x"), {"occupied": ["/a"]}, "'/a' exists already"),
    ],
)
def test_refused_with_the_reason_and_the_way_out(standing: Standing, world: dict[str, object], why: str) -> None:
    [answer] = asked([A], {"a": standing}, **world)  # type: ignore[arg-type]
    assert (answer.create, answer.exists, answer.why) == (False, False, why)
    assert answer.hints


@pytest.mark.parametrize("held", [{A.ref: "/old"}, {}])
def test_a_worktree_that_was_moved_is_not_made_again(held: dict[str, str]) -> None:
    old = held.get(A.ref, A.worktree)
    seen = Seen({"a": READY}, [A.ref], held, (), lost=[old], moved={old: "/it's new"})
    [answer] = admit([A], seen, (), limit=None, allow_overlap=False)
    assert (answer.create, answer.why) == (False, f"its worktree '{old}' was moved to '/it's new'")
    assert answer.hints[0].startswith("git worktree repair '/it'\"'\"'s new'   # ")


def test_needs_that_have_not_landed() -> None:
    task = C._replace(needs=("a", "b"))
    standings = {"a": Standing(State.LANDED, None), "b": Standing(State.MISSING, None)}
    [answer] = asked([task], standings | {"c": Standing(State.BLOCKED, None)})
    assert (answer.why, answer.hints) == ("needs b, not landed yet", ("git fleet land b",))
    standings = {"a": Standing(State.READY, None), "b": Standing(State.ACTIVE, None)}
    [answer] = asked([task], standings | {"c": Standing(State.BLOCKED, None)})
    assert answer.hints == ("git fleet land b", "git fleet add a   # not begun yet")


def test_paths_that_are_taken() -> None:
    [answer] = asked([B], active(A), overlaps=OVERLAPS)
    assert answer == Admission(
        B,
        why="owns cli.py, as does a, which is at work",
        hints=(
            "git fleet land a   # then: git fleet add b",
            "git fleet add b --allow-overlap   # side by side all the same",
        ),
    )
    assert asked([B], active(A), overlaps=OVERLAPS, allow_overlap=True)[0].create
    assert asked([B], active(A), overlaps=[OVERLAPS[0]._replace(excused_by="b needs a")])[0].create
    assert asked([B], overlaps=OVERLAPS)[0].create  # nobody is at work there


def test_who_is_admitted_is_in_the_way_of_the_next() -> None:
    assert [bool(answer.why) for answer in asked([A, B, C], overlaps=OVERLAPS)] == [False, True, False]
    assert [bool(answer.why) for answer in asked([B, A, C], overlaps=OVERLAPS)] == [False, True, False]
    assert [bool(answer.why) for answer in asked([A, B], overlaps=OVERLAPS, allow_overlap=True)] == [False, False]


def test_the_limit_counts_who_is_at_work_and_who_is_admitted() -> None:
    answers = asked([B, C], active(A), limit=2)
    assert [answer.create for answer in answers] == [True, False]
    assert answers[1].why == "2 tasks are at work and fleet.limit is 2"
    assert answers[1].hints == ("git fleet land a b   # or those that are done",)


def test_who_is_there_already_is_no_more_than_there() -> None:
    answers = asked([A, B], active(A), checked_out={A.ref: "/a"}, limit=1)
    assert [(answer.exists, bool(answer.why)) for answer in answers] == [(True, False), (False, True)]


def test_nobody_asked_nobody_answers() -> None:
    assert asked([]) == []
