"""The fleet on the screen and as JSON."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.fleet import (
    Base,
    Branch,
    Dirt,
    Distance,
    Fleet,
    Lines,
    Repository,
    Snapshot,
    State,
    TaskReport,
    Worktree,
)
from git_fleet.model.plan import Plan, Source, SourceKind, Task
from git_fleet.output import status
from git_fleet.output.style import Style

NOW = 100_000
BASE = Base("main", "1a2b3c4" + "0" * 33, "2" * 40)
REPOSITORY = Repository("/w/app/.git", "/w/app/.git", "/w/app", "/w/app", False, "sha1")


def report(id_: str, title: str, state: State, **more: Any) -> TaskReport:
    """A task at work: a branch with a commit ten minutes old, a clean worktree."""
    task = Task(id_, title, title, f"feature/{id_}-{title}", f"/w/app-{id_}-{title}")
    whole = TaskReport(
        task=task,
        state=state,
        wave=1,
        branch=Branch(task.ref, "a" * 40, "b" * 40, NOW - 600),
        worktree=Worktree(task.worktree, "a" * 40, task.ref),
        distance=Distance(1, 0),
        dirt=Dirt(),
        lines=Lines(10, 2),
        drift=(),
        base_conflict=(),
        conflicts=(),
        gate="none",
        reason=None,
    )
    return whole._replace(**more)


def without_branch(id_: str, title: str, state: State, **more: Any) -> TaskReport:
    nothing = {"branch": None, "worktree": None, "distance": None, "dirt": None, "lines": None}
    return report(id_, title, state, **nothing, **more)


def fleet(*reports: TaskReport, unplanned: tuple[TaskReport, ...] = (), dirt: Dirt | None = None) -> Fleet:
    source = Source(SourceKind.MARKDOWN, "/w/app/PLAN.md")
    snapshot = Snapshot(REPOSITORY, BASE, (), {}, {}, {}, {})
    return Fleet(Plan(source, tuple(row.task for row in reports)), snapshot, reports, unplanned, dirt)


COUNT = report(
    "42",
    "count",
    State.ACTIVE,
    distance=Distance(2, 1),
    dirt=Dirt(staged=("a",), unstaged=("b", "c"), untracked=("d",), unmerged=("e",), operation="merge"),
    conflicts=(("44", ("cli.py",)),),
)
DOCS = report("43", "docs", State.LANDED, lines=Lines())
CLEAR = report(
    "44",
    "clear",
    State.ACTIVE,
    wave=2,
    conflicts=(("42", ("cli.py",)),),
    base_conflict=("a.py", "b.py", "c.py"),
    drift=("setup.py",),
)
LATER = without_branch("45", "later", State.BLOCKED, wave=2, reason="needs 42")
FLEET = fleet(COUNT, DOCS, CLEAR, LATER)


def test_the_screen() -> None:
    assert status.text(FLEET, Style(), now_s=NOW).splitlines() == [
        "main at 1a2b3c4, plan from PLAN.md",
        "",
        "id  title  state    wave  commits  dirty              lines   conflicts                                "
        "  drift     age  why       branch            worktree",
        "42  count  active      1  +2 -1    1x 1s 2u 1? merge  +10 -2  44 (cli.py)                              "
        "            10m            feature/42-count  ../app-42-count",
        "43  docs   landed      1  +1 -0                                                                        "
        "            10m            feature/43-docs   ../app-43-docs",
        "44  clear  active      2  +1 -0                       +10 -2  base (a.py, b.py and 1 more), 42 (cli.py)"
        "  setup.py  10m            feature/44-clear  ../app-44-clear",
        "45  later  blocked     2                                                                               "
        "                 needs 42  feature/45-later",
        "",
        "4 tasks: 1 blocked, 2 active, 1 landed; 2 conflicts",
    ]


def test_verbose_names_every_path() -> None:
    screen = status.text(FLEET, Style(verbose=True), now_s=NOW)
    assert screen.split("\n\n")[2].splitlines() == [
        "42: uncommitted e, a, b, c, d",
        "42: conflicts with 44 in cli.py",
        "44: drift setup.py",
        "44: conflicts with the base in a.py, b.py, c.py",
        "44: conflicts with 42 in cli.py",
    ]


def test_eighty_columns_keep_what_calls_for_action() -> None:
    screen = status.text(FLEET, Style(width=80), now_s=NOW).splitlines()
    assert screen[2].split() == ["id", "title", "state", "commits", "dirty", "conflicts", "drift", "age"]
    assert screen[-1].endswith("; 5 columns hidden (--wide)")
    assert max(map(len, screen[2:7])) <= 80
    wide = status.text(FLEET, Style(width=80, wide=True), now_s=NOW)
    assert wide == status.text(FLEET, Style(), now_s=NOW)


@pytest.mark.parametrize("columns", [1, 20, 40, 120])
def test_any_terminal(columns: int) -> None:
    table = status.text(FLEET, Style(width=columns, ascii=True), now_s=NOW).split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= max(columns, 11)
    assert table.isascii()


def test_colour_is_warm_for_what_calls_and_cool_for_what_waits() -> None:
    painted = status.text(FLEET, Style(color=True), now_s=NOW)
    assert "\033[33m44 (cli.py)\033[m" in painted
    assert "\033[33msetup.py\033[m" in painted
    assert "\033[36mblocked\033[m" in painted
    assert re.sub("\033\\[[0-9]*m", "", painted) == status.text(FLEET, Style(), now_s=NOW)


def test_other_worktrees_have_their_own_heading() -> None:
    stray = report("try", "try", State.ACTIVE, wave=None)
    stray = stray._replace(task=stray.task._replace(branch="try"))
    assert status.text(fleet(unplanned=(stray,)), Style(), now_s=NOW) == (
        "main at 1a2b3c4, plan from PLAN.md\n"
        "\n"
        "other worktrees:\n"
        "id   state   commits  lines   age  worktree\n"
        "try  active  +1 -0    +10 -2  10m  ../app-try-try\n"
        "\n"
        "0 tasks; 1 other worktree"
    )


@pytest.mark.parametrize(
    ("dirt", "warning"),
    [
        (None, None),
        (Dirt(), None),
        (Dirt(unstaged=("a.py",)), "warning: uncommitted work in the worktree of main: a.py"),
        (
            Dirt(staged=("1", "2"), untracked=("3", "4", "\x1b", "6", "7")),
            "warning: uncommitted work in the worktree of main: 1, 2, 3, 4, \\x1b and 2 more",
        ),
        (Dirt(operation="rebase"), "warning: uncommitted work in the worktree of main: rebase in progress"),
    ],
)
def test_work_in_the_base_is_told(dirt: Dirt | None, warning: str | None) -> None:
    blocks = status.text(fleet(LATER, dirt=dirt), Style(), now_s=NOW).split("\n\n")
    assert blocks[2:-1] == ([warning] if warning else [])


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    unseen = report("46", "gone", State.MISSING, distance=None, dirt=None, lines=None)
    document = conform("status", status.document(fleet(COUNT, LATER, CLEAR, unplanned=(unseen,))))
    assert document["schema"] == "git-fleet.status.v1"
    assert document["base"] == {"branch": "main", "commit": BASE.commit}
    assert document["tasks"][0] == {
        "id": "42",
        "branch": "feature/42-count",
        "worktree": "/w/app-42-count",
        "state": "active",
        "wave": 1,
        "ahead": 2,
        "behind": 1,
        "staged": 1,
        "unstaged": 2,
        "untracked": 1,
        "unmerged": 1,
        "operation": "merge",
        "insertions": 10,
        "deletions": 2,
        "tip": "a" * 40,
        "last_commit_s": NOW - 600,
        "base_conflict": False,
        "conflicts_with": ["44"],
        "drift": [],
        "gate": "none",
        "agent": None,
        "progress": None,
        "reason": None,
    }
    assert document["tasks"][1] == {
        "id": "45",
        "branch": "feature/45-later",
        "worktree": None,
        "state": "blocked",
        "wave": 2,
        "base_conflict": False,
        "conflicts_with": [],
        "drift": [],
        "gate": "none",
        "agent": None,
        "progress": None,
        "reason": "needs 42",
    }
    assert (document["tasks"][2]["base_conflict"], document["tasks"][2]["drift"]) == (True, ["setup.py"])
    asked_in_vain = {"ahead", "behind", "staged", "unstaged", "untracked", "unmerged", "insertions", "deletions"}
    assert {key for key, value in document["unplanned"][0].items() if value is None} == {
        *asked_in_vain,
        "agent",
        "progress",
        "reason",
    }
