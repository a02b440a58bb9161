"""Where plan and repository disagree."""

import pytest

from git_fleet.analysis import ownership, reality
from git_fleet.model.fleet import Base, Branch, Distance, Landing, Outlook, Repository, Snapshot, Worktree
from git_fleet.model.plan import Plan, Problem, Severity, Source, SourceKind, Task

BASE = Base("main", "c0", "t0")
FILES = ("README.md", "cli.py", "src/a.py")
MAIN = Worktree("/w/app", "c0", "refs/heads/main", main=True)


def task(id: str, *owns: str, status: str | None = None, needs: tuple[str, ...] = ()) -> Task:
    return Task(id, "", "", f"b/{id}", f"/w/{id}", owns=owns or ("cli.py",), needs=needs, status=status, line=int(id))


def tree(id: str, branch: str | None = None, **more: str) -> Worktree:
    return Worktree(f"/w/{id}", "c1", f"refs/heads/b/{branch or id}", **more)  # type: ignore[arg-type]


def seen(
    *trees: Worktree, ahead: dict[str, int] | None = None, landed: tuple[str, ...] = (), **changed: tuple[str, ...]
) -> Outlook:
    """`ahead`: the branches that are there, by task; `changed` by task with an underscore before its id."""
    refs = {f"refs/heads/b/{id}": count for id, count in (ahead or {}).items()}
    snapshot = Snapshot(
        Repository("/w/app/.git", "/w/app/.git", "/w/app", "/w/app", False, "sha1"),
        BASE,
        (MAIN, *trees),
        {ref: Branch(ref, f"tip of {ref}", "t1", 0) for ref in refs},
        {ref: Distance(count, 0) for ref, count in refs.items()},
        {},
        {id: Landing(id, "c1", "c0") for id in landed},
    )
    return Outlook(
        files=FILES, snapshot=snapshot, changed={f"refs/heads/b/{id[1:]}": paths for id, paths in changed.items()}
    )


def told(outlook: Outlook, *tasks: Task, kind: SourceKind = SourceKind.CONFIG) -> list[tuple[str, str]]:
    found = reality.problems(Plan(Source(kind), tasks), ownership.claims(tasks, FILES), outlook)
    assert all(one.severity is Severity.WARNING for one in found)
    return [(one.code, one.message) for one in found]


def test_a_warning_names_task_and_line() -> None:
    found = reality.problems(Plan(Source(SourceKind.CONFIG), (task("7", status="active"),)), {}, seen())
    message = "7: the plan says 'active', but there is no branch 'b/7'"
    assert found == (Problem(Severity.WARNING, "missing-branch", message, ("7",), 7),)


def test_a_plan_that_is_true_is_not_blamed() -> None:
    tasks = (
        task("1"),
        task("2", status="queued"),
        task("3", status="active"),
        task("4", "README.md", status="done"),
        task("5", status="✅ landed"),
        task("6", status="done"),
        task("7", status="dropped", needs=("9",)),
        task("8", status="whatever"),
    )
    outlook = seen(tree("3"), tree("4"), ahead={"2": 0, "3": 0, "4": 2}, landed=("5", "6"), _4=("README.md",))
    assert told(outlook, *tasks) == []


def test_without_a_written_plan_nothing_is_told() -> None:
    assert told(seen(), task("1", status="active"), kind=SourceKind.WORKTREES) == []
    assert reality.problems(Plan(Source(SourceKind.CONFIG), (task("1", status="active"),)), {}, Outlook()) == ()


@pytest.mark.parametrize(
    ("outlook", "expected"),
    [
        (
            seen(tree("elsewhere", "1"), ahead={"1": 1}),
            [("worktree-moved", "1: its branch is checked out in '/w/elsewhere', not in '/w/1' as planned")],
        ),
        (
            seen(tree("1", "2"), ahead={"1": 1}),
            [("worktree-branch", "1: its worktree '/w/1' is on branch 'b/2', not on 'b/1'")],
        ),
        (
            seen(tree("1")._replace(branch=None), ahead={}),
            [
                ("worktree-branch", "1: its worktree '/w/1' is on no branch (detached), not on 'b/1'"),
                ("missing-branch", "1: its worktree is there, its branch 'b/1' is not"),
            ],
        ),
        (
            seen(tree("1", prunable="gone"), ahead={"1": 1}),
            [("worktree-gone", "1: git knows a worktree '/w/1', but its folder is gone")],
        ),
        (seen(tree("1")), [("missing-branch", "1: its worktree is there, its branch 'b/1' is not")]),
    ],
)
def test_branch_and_worktree_are_where_the_plan_says(outlook: Outlook, expected: list[tuple[str, str]]) -> None:
    assert told(outlook, task("1")) == expected


@pytest.mark.parametrize(
    ("status", "outlook", "expected"),
    [
        ("landed", seen(), ("stale-status", "1: the plan says 'landed', but it never did")),
        ("merged", seen(ahead={"1": 2}), ("stale-status", "1: the plan says 'merged', but 'b/1' has commits that main lacks")),  # noqa: E501
        ("In progress", seen(), ("missing-branch", "1: the plan says 'In progress', but there is no branch 'b/1'")),
        ("done", seen(), ("missing-branch", "1: the plan says 'done', but there is no branch 'b/1'")),
        ("active", seen(landed=("1",)), ("stale-status", "1: the plan says 'active', but it has landed")),
        ("queued", seen(ahead={"1": 1}), ("stale-status", "1: the plan says 'queued', but 'b/1' has commits")),
    ],
)  # fmt: skip
def test_a_status_cell_that_lies(status: str, outlook: Outlook, expected: tuple[str, str]) -> None:
    assert told(outlook, task("1", status=status)) == [expected]


def test_owned_paths_that_match_nothing() -> None:
    paths = ("cli.py", "new.py", "src/new.py", "new/", "src/*.rs", "scr/a.py", "scr/", "lib/x/**")
    assert told(seen(), task("1", *paths)) == [
        ("matches-nothing", "1: owned path 'scr/a.py' matches no file, and there is no folder for a new one"),
        ("matches-nothing", "1: owned path 'lib/x/**' matches no file, and there is no folder for a new one"),
    ]
    made = seen(ahead={"1": 1}, _1=("scr/a.py", "src/new.py"))
    assert told(made, task("1", "scr/", "src/new.py", "new.py")) == [
        ("matches-nothing", "1: owned path 'new.py' matches no file, and its branch has made none yet")
    ]
    assert told(seen(landed=("1",)), task("1", "scr/a.py")) == []


def test_drift() -> None:
    tasks = (task("1", "cli.py"), task("2", "README.md", needs=("1",)), task("3", "src/"))
    many = ("a", "b", "c", "d", "e", "f")
    outlook = seen(ahead={"1": 1, "2": 2}, _1=("cli.py", "setup.py", "src/a.py"), _2=("cli.py", "README.md", *many))
    assert told(outlook, *tasks) == [
        ("drift", "1: its branch changed src/a.py, which 3 owns"),
        ("drift", "1: its branch changed setup.py, which nobody owns"),
        ("drift", "2: its branch changed a, b, c, d, e and 1 more, which nobody owns"),
    ]
