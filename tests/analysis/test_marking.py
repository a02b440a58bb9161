"""What may be said of a task, and what it means for its state and for what lands. Decision tables over values."""

from collections.abc import Mapping

import pytest

from git_fleet.analysis.marking import refusal
from git_fleet.analysis.state import Standing, held_back, standings, without_dropped
from git_fleet.model.fleet import MARKS, Base, Branch, Landing, Mark, Repository, Snapshot, State, Worktree
from git_fleet.model.plan import Plan, Source, SourceKind, Task

HERE, ELSEWHERE = "1" * 40, "9" * 40
A, B = (Task(id, id, id, id, f"/{id}") for id in "ab")
TREE = Worktree("/a", HERE, "refs/heads/a")
REPOSITORY = Repository("/r/.git", "/r/.git", "/r", "/r", bare=False, object_format="sha1")


def mark(state: State, why: str | None = None, tip: str | None = HERE, task: str = "a") -> Mark:
    return Mark(task, state, why, "me", 0.0, tip)


def judged(
    said: Mark | None,
    *trees: Worktree,
    branch: bool = True,
    landed: bool = False,
    task: Task = A,
) -> Standing:
    snapshot = Snapshot(
        REPOSITORY,
        Base("main", "0" * 40, "2" * 40),
        trees,
        {task.ref: Branch(task.ref, HERE, "2" * 40, 0)} if branch else {},
        distances={},
        origins={},
        landings={"a": Landing("a", HERE, "3" * 40)} if landed else {},
        marks={said.task: said} if said else {},
    )
    return standings(Plan(Source(SourceKind.CONFIG), (task,)), snapshot, ())["a"]


@pytest.mark.parametrize("state", MARKS)
def test_what_was_said_is_the_state_and_why_the_reason(state: State) -> None:
    assert judged(mark(state, "so"), TREE) == Standing(state, TREE, "so")
    assert judged(mark(state), TREE) == Standing(state, TREE, None)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.APPROVED, Standing(State.ACTIVE, TREE, "changed since it was approved")),
        (State.DONE, Standing(State.ACTIVE, TREE, "changed since it was marked as done")),
        (State.RUNNING, Standing(State.RUNNING, TREE, "so")),
        (State.STUCK, Standing(State.STUCK, TREE, "so")),
        (State.REJECTED, Standing(State.REJECTED, TREE, "so")),
        (State.DROPPED, Standing(State.DROPPED, TREE, "so")),
    ],
)
def test_an_approval_is_of_the_tip_that_was_seen(state: State, expected: Standing) -> None:
    assert judged(mark(state, "so", ELSEWHERE), TREE) == expected
    assert judged(mark(state, "so", None), TREE) == expected


@pytest.mark.parametrize("state", MARKS)
def test_landed_is_landed(state: State) -> None:
    assert judged(mark(state), TREE, landed=True) == Standing(State.LANDED, TREE)


NO_TREE = "no worktree"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.RUNNING, Standing(State.MISSING, None, NO_TREE)),
        (State.ACTIVE, Standing(State.MISSING, None, NO_TREE)),
        (State.APPROVED, Standing(State.APPROVED, None, f"so; {NO_TREE}")),
        (State.REJECTED, Standing(State.REJECTED, None, f"so; {NO_TREE}")),
    ],
)
def test_a_branch_without_a_worktree_can_be_judged_but_nobody_runs_there(state: State, expected: Standing) -> None:
    assert judged(mark(state, "so")) == expected


@pytest.mark.parametrize("state", [state for state in MARKS if state is not State.DROPPED])
def test_of_nothing_nothing_is_believed(state: State) -> None:
    assert judged(mark(state), branch=False) == Standing(State.READY, None)
    assert judged(mark(state), TREE, branch=False).state is State.MISSING


def test_a_branch_made_anew_is_as_new() -> None:
    assert judged(mark(State.ACTIVE), TREE) == judged(None, TREE) == Standing(State.ACTIVE, TREE)


def test_marked_as_dropped_is_as_if_the_plan_said_so() -> None:
    plan = Plan(Source(SourceKind.CONFIG), (A, B))
    dropped = mark(State.DROPPED)
    assert without_dropped(plan, {"a": dropped, "gone": mark(State.DROPPED, task="gone")}).tasks == (
        A._replace(status="dropped"),
        B,
    )
    assert without_dropped(plan, {"a": mark(State.DONE)}) == plan
    assert judged(dropped, branch=False) == judged(None, branch=False, task=A._replace(status="dropped"))


WORDS = {
    "a": Standing(State.REJECTED, TREE, "no tests"),
    "b": Standing(State.STUCK, None),
    "c": Standing(State.APPROVED, None),
    "d": Standing(State.RUNNING, None),
    "e": Standing(State.ACTIVE, None, "changed since it was approved"),
}


@pytest.mark.parametrize(
    ("stands_on", "named", "expected"),
    [
        ({}, False, {"a": "rejected: no tests", "b": "stuck", "d": "running"}),
        ({}, True, {"a": "rejected: no tests"}),
        (
            {"c": ("d",), "d": ()},
            False,
            {"a": "rejected: no tests", "b": "stuck", "c": "stands on d, which is running", "d": "running"},
        ),
        (
            {"c": ("d", "a"), "e": ("b",), "b": ("a",)},
            False,
            {
                "a": "rejected: no tests",
                "b": "stuck",
                "c": "stands on d, which is running",
                "d": "running",
                "e": "stands on b, which is stuck",
            },
        ),
        ({"e": ("b",)}, True, {"a": "rejected: no tests"}),
    ],
)
def test_who_is_left_out_of_a_landing(
    stands_on: Mapping[str, tuple[str, ...]], named: bool, expected: dict[str, str]
) -> None:
    assert held_back(WORDS, stands_on, named=named) == expected


ADD = ("git fleet add a",)


@pytest.mark.parametrize(
    ("standing", "there", "before", "refused"),
    [
        (Standing(State.LANDED, None), True, None, dict.fromkeys(MARKS, "a has landed already")),
        (Standing(State.ACTIVE, TREE), True, None, {}),
        (Standing(State.MISSING, None, NO_TREE), True, None, {}),
        (
            Standing(State.READY, None),
            False,
            None,
            {state: "a has no branch yet: 'a'" for state in MARKS if state is not State.DROPPED},
        ),
        (
            Standing(State.READY, None),
            False,
            mark(State.DROPPED),
            {state: "a has no branch yet: 'a'" for state in MARKS if state not in (State.DROPPED, State.RUNNING)},
        ),
        (
            Standing(State.DROPPED, None),
            True,
            None,
            {state: "the plan says that a is dropped" for state in MARKS if state is not State.DROPPED},
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    standing: Standing, there: bool, before: Mark | None, refused: dict[State, str]
) -> None:
    found = {state: refusal(A, state, standing, before, there=there) for state in MARKS}
    assert {state: one.why for state, one in found.items() if one} == refused
    assert all(one.hints for one in found.values() if one)
