"""Every problem of a plan, with its line."""

import pytest

from git_fleet.analysis.problems import problems
from git_fleet.model.plan import Plan, Problem, Severity, Source, SourceKind, Task

FILE = Source(SourceKind.MARKDOWN, "/w/app/PLAN.md")


def task(id: str, line: int, /, **more: object) -> Task:
    task = Task(id, "", "", f"b/{id}", f"/w/{id}", owns=("x",), line=line)
    return task._replace(**more)  # type: ignore[arg-type]


def found(*tasks: Task, source: Source = FILE) -> list[tuple[str, str, tuple[str, ...], int | None, str]]:
    return [(str(one.severity), one.code, one.tasks, one.line, one.message) for one in problems(Plan(source, tasks))]


def test_a_sound_plan_has_none() -> None:
    assert found(task("42", 5), task("43", 6, needs=("42",))) == []


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (
            (task("a", 3), task("b", 4, id="a")),
            ("error", "duplicate-id", ("a",), 4, "id 'a' is taken by the task in line 3"),
        ),
        (
            (task("a", 3), task("b", 4, id="A")),
            (
                "error",
                "duplicate-id",
                ("a", "A"),
                4,
                "id 'A' is taken by the task in line 3 (as 'a', but for case or accents)",
            ),
        ),
        (
            (task("a", 3), task("b", 4, branch="b/a")),
            ("error", "duplicate-branch", ("a", "b"), 4, "b: branch 'b/a' is that of a in line 3"),
        ),
        (
            (task("a", 3, branch="caf\u00e9"), task("b", 4, branch="CAFE\u0301")),
            (
                "warning",
                "case-clash",
                ("a", "b"),
                4,
                "b: branch 'CAFE\u0301' differs from 'caf\u00e9' of a in line 3 by case or accents alone",
            ),
        ),
        (
            (task("a", 3), task("b", 4, worktree="/w/a")),
            ("error", "duplicate-worktree", ("a", "b"), 4, "b: worktree '/w/a' is that of a in line 3"),
        ),
        (
            (task("b", 3, worktree="/w/a/x"), task("a", 4)),
            ("error", "path-escapes", ("a", "b"), 3, "b: worktree '/w/a/x' is inside that of a in line 4"),
        ),
        (
            (task("a", 3, branch="f"), task("b", 4, branch="f/x/y")),
            (
                "error",
                "branch-prefix-clash",
                ("a", "b"),
                4,
                "git cannot have both branch 'f' of a in line 3 and 'f/x/y'",
            ),
        ),
        (
            (task("a", 3, branch="a..b"),),
            ("error", "bad-branch", ("a",), 3, "a: branch 'a..b' will not do: it holds '..'"),
        ),
        ((task("a", 3, id=""),), ("error", "bad-id", ("",), 3, "the row has no id")),
        ((task("a", 3, needs=("a",)),), ("error", "self-need", ("a",), 3, "a needs itself")),
        ((task("a", 3, needs=("z",)),), ("error", "unknown-need", ("a",), 3, "a needs 'z', which no task is")),
        (
            (task("a", 3, needs=("c",)), task("b", 4, needs=("a",)), task("c", 5, needs=("b",))),
            ("error", "cycle", ("a", "c", "b"), 3, "cycle: a needs c needs b needs a"),
        ),
        (
            (task("a", 3, owns=("/x",)),),
            (
                "error",
                "bad-pattern",
                ("a",),
                3,
                "a: owned path '/x' starts with '/': patterns are relative to the top of the tree",
            ),
        ),
        (
            (task("a", 3, owns=()),),
            ("warning", "owns-nothing", ("a",), 3, "a owns no path: overlaps and drift cannot be seen"),
        ),
    ],
    ids=lambda value: value[1] if isinstance(value[0], str) else "",
)
def test_one_problem(tasks: tuple[Task, ...], expected: tuple[object, ...]) -> None:
    assert found(*tasks) == [expected]


def test_worktrees_without_a_plan_own_nothing_by_nature() -> None:
    assert found(task("a", 3, owns=()), source=Source(SourceKind.WORKTREES)) == []


def test_problems_stand_in_the_order_of_their_lines_with_those_of_the_reading() -> None:
    own = Problem(Severity.ERROR, "bad-estimate", "b: …", ("b",), 4)
    plan = Plan(FILE, (task("a", 3, needs=("z",)), task("b", 4), task("c", 5, owns=("",))), (own,))
    assert [one.code for one in problems(plan)] == ["unknown-need", "bad-estimate", "bad-pattern"]
