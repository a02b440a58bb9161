"""What state is a task in? Decision tables over values."""

from collections.abc import Sequence

import pytest

from git_fleet.analysis.state import Standing, standings, worktree_of
from git_fleet.model.fleet import Base, Branch, Landing, Repository, Snapshot, State, Worktree
from git_fleet.model.plan import Overlap, Plan, Source, SourceKind, Task

REPOSITORY = Repository("/r/.git", "/r/.git", "/r", "/r", bare=False, object_format="sha1")
MAIN = Worktree("/r", "0" * 40, "refs/heads/main", main=True)


def task(id: str, *needs: str, status: str | None = None) -> Task:
    return Task(id, id, id, id, f"/{id}", needs=needs, status=status)


def tree(name: str, branch: str | None = "", prunable: str | None = None) -> Worktree:
    """A worktree at `/<name>`; by default on the branch of that name."""
    return Worktree(
        f"/{name}", "1" * 40, f"refs/heads/{branch or name}" if branch is not None else None, prunable=prunable
    )


def judged(
    tasks: Sequence[Task],
    trees: Sequence[Worktree] = (),
    branches: Sequence[str] = (),
    landed: Sequence[str] = (),
    overlaps: Sequence[Overlap] = (),
) -> dict[str, Standing]:
    refs = [f"refs/heads/{name}" for name in branches]
    snapshot = Snapshot(
        REPOSITORY,
        Base("main", "0" * 40, "2" * 40),
        (MAIN, *trees),
        {ref: Branch(ref, "1" * 40, "2" * 40, 0) for ref in refs},
        distances={},
        origins={},
        landings={id: Landing(id, "1" * 40, "3" * 40) for id in landed},
    )
    return standings(Plan(Source(SourceKind.CONFIG), tuple(tasks)), snapshot, overlaps)


GONE = tree("a", prunable="gone")


@pytest.mark.parametrize(
    ("trees", "branches", "expected"),
    [
        ((), (), Standing(State.READY, None)),
        ((), ("a",), Standing(State.MISSING, None, "no worktree")),
        ((tree("a"),), ("a",), Standing(State.ACTIVE, tree("a"))),
        ((tree("a"),), (), Standing(State.MISSING, tree("a"), "the worktree is there, its branch is not")),
        ((GONE,), ("a",), Standing(State.MISSING, GONE, "the worktree's folder is gone: /a")),
        ((tree("a", "b"),), ("a", "b"), Standing(State.ACTIVE, tree("a", "b"), "the worktree is on b")),
        (
            (tree("a", None),),
            ("a",),
            Standing(State.ACTIVE, tree("a", None), "the worktree is on no branch (detached)"),
        ),
        ((tree("x", "a"),), ("a",), Standing(State.ACTIVE, tree("x", "a"))),
        ((tree("a", "b"), tree("x", "a")), ("a", "b"), Standing(State.ACTIVE, tree("x", "a"))),
    ],
)
def test_what_is_there_decides(trees: Sequence[Worktree], branches: Sequence[str], expected: Standing) -> None:
    assert judged([task("a")], trees, branches) == {"a": expected}


@pytest.mark.parametrize("word", ["dropped", " Dropped ", "cancelled", "canceled", "wontfix"])
def test_the_plan_can_say_dropped(word: str) -> None:
    assert judged([task("a", status=word)], [tree("a")], ["a"])["a"] == Standing(State.DROPPED, tree("a"))
    assert judged([task("a", status=word)], landed=["a"])["a"].state is State.LANDED


@pytest.mark.parametrize("word", ["landed", "done", "active", "queued", "anything"])
def test_no_other_word_of_the_plan_is_believed(word: str) -> None:
    assert judged([task("a", status=word)])["a"].state is State.READY


def test_the_main_worktree_is_nobodys() -> None:
    assert worktree_of(Task("m", "m", "m", "main", "/r"), [MAIN]) is None


def test_a_landed_task_stays_landed_with_or_without_its_worktree() -> None:
    assert judged([task("a")], landed=["a"])["a"] == Standing(State.LANDED, None)
    assert judged([task("a")], [tree("a")], ["a"], ["a"])["a"] == Standing(State.LANDED, tree("a"))


def test_needs_block_until_they_have_landed() -> None:
    tasks = [task("a"), task("b", "a"), task("c", "a", "b"), task("d", "outside")]
    blocked = Standing(State.BLOCKED, None, "waits for the landing of a, b")
    assert judged(tasks, [tree("a")], ["a"])["c"] == blocked
    assert judged(tasks, landed=["a"]) == {
        "a": Standing(State.LANDED, None),
        "b": Standing(State.READY, None),
        "c": Standing(State.BLOCKED, None, "waits for the landing of b"),
        "d": Standing(State.READY, None),
    }


def test_who_has_begun_is_not_blocked_any_more() -> None:
    assert judged([task("a"), task("b", "a")], [tree("b")], ["b"])["b"].state is State.ACTIVE


def test_paths_that_are_taken_make_it_wait() -> None:
    tasks = [task("a"), task("b"), task("c")]
    overlaps = [Overlap(("a", "b"), ("x", "y")), Overlap(("b", "c"), ("z",)), Overlap(("a", "c"), ("w",), "c needs a")]
    assert judged(tasks, [tree("a")], ["a"], overlaps=overlaps) == {
        "a": Standing(State.ACTIVE, tree("a")),
        "b": Standing(State.PLANNED, None, "a is at work on x"),
        "c": Standing(State.READY, None),
    }
    assert judged(tasks, landed=["a"], overlaps=overlaps)["b"].state is State.READY
    assert judged(tasks, branches=["b"], overlaps=overlaps)["c"] == Standing(State.PLANNED, None, "b is at work on z")
