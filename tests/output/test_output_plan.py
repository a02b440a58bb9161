"""The plan on the screen and as JSON."""

from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.fleet import State
from git_fleet.model.plan import (
    Advice,
    Coupling,
    Hot,
    Joint,
    Overlap,
    Plan,
    PlanView,
    Problem,
    Severity,
    Source,
    SourceKind,
    Task,
    Verdict,
)
from git_fleet.output import plan
from git_fleet.output.style import Style


def task(id_: str, title: str, *owns: str, **more: Any) -> Task:
    name = f"{id_}-{title}"
    return Task(id_, title, title, f"feature/{name}", f"/home/me/tasks-app-{name}", owns=owns, status="queued", **more)


TASKS = (
    task("42", "count", "cli.py", estimate_s=2700, priority=2),
    task("43", "docs", "README.md", "CHANGELOG.md", agent="claude"),
    task("44", "clear", "cli.py"),
)
ADVICE = Advice(Verdict.MIXED, 2, 1.5, ("44 has to wait for 42",))
NOTHING_KNOWN = {"speedup_without_review": None, "critical_path": [], "critical_path_s": None, "serial_s": None}
FILE = Source(SourceKind.MARKDOWN, "/home/me/tasks-app/PLAN.md")
OVERLAP = Overlap(("42", "44"), ("cli.py",))
VIEW = PlanView(Plan(FILE, TASKS), (("42", "43"), ("44",)), (OVERLAP,), (Joint("cli.py", ("42", "44")),), (), ADVICE)


def test_the_screen() -> None:
    assert plan.text(VIEW, Style(), here="/home/me/tasks-app") == (
        "plan from PLAN.md, 3 tasks\n"
        "\n"
        "id  title  wave  branch            owns                     status  agent\n"
        "42  count     1  feature/42-count  cli.py                   queued\n"
        "43  docs      1  feature/43-docs   README.md, CHANGELOG.md  queued  claude\n"
        "44  clear     2  feature/44-clear  cli.py                   queued\n"
        "\n"
        "wave 1: 42, 43\n"
        "wave 2: 44\n"
        "\n"
        "44 overlaps 42 on cli.py\n"
        "joint cli.py: 42, 44 build on it\n"
        "\n"
        "verdict: mixed, 2 at once, about 1.5 times as fast\n"
        "  44 has to wait for 42"
    )


def test_problems_name_file_and_line() -> None:
    problems = (
        Problem(Severity.ERROR, "cycle", "cycle: 42 needs 44 needs 42", ("42", "44"), 7),
        Problem(Severity.WARNING, "owns-nothing", "43 owns\x1b nothing", ("43",)),
    )
    view = VIEW._replace(problems=problems, overlaps=(OVERLAP._replace(excused_by="44 needs 42"),), joints=())
    assert plan.text(view, Style()).split("\n\n")[3:5] == [
        "42 and 44 share cli.py, but 44 needs 42",
        "/home/me/tasks-app/PLAN.md:7: error: cycle: 42 needs 44 needs 42\n"
        "/home/me/tasks-app/PLAN.md: warning: 43 owns\\x1b nothing",
    ]
    assert plan.hints(view, [State.READY]) == ("correct the plan, then: git fleet plan",)
    config = view._replace(plan=Plan(Source(SourceKind.CONFIG), TASKS), problems=problems[1:])
    assert "\n\nwarning: 43 owns\\x1b nothing\n\n" in plan.text(config, Style())


def test_a_gain_is_a_bound_where_a_task_owns_nothing() -> None:
    bare = VIEW.plan._replace(tasks=(*VIEW.plan.tasks[:-1], VIEW.plan.tasks[-1]._replace(owns=())))
    assert "2 at once, at most 1.5 times as fast" in plan.text(VIEW._replace(plan=bare), Style())


def test_many_that_own_nothing_are_one_line() -> None:
    bare = tuple(Problem(Severity.WARNING, "owns-nothing", f"{id} owns nothing", (str(id),), id) for id in range(1, 5))
    error = Problem(Severity.ERROR, "cycle", "cycle: 1 needs 1", ("1",), 1)
    said = plan.text(VIEW._replace(problems=(*bare, error)), Style(), here="/home/me/tasks-app")
    assert said.split("\n\n")[-2].splitlines() == [
        "PLAN.md:1: error: cycle: 1 needs 1",
        "PLAN.md: warning: 4 tasks own no path: overlaps and drift cannot be seen (1, 2, 3, 4)",
    ]
    assert len(plan.document(VIEW._replace(problems=bare))["problems"]) == 4  # type: ignore[arg-type]


def test_a_plan_without_tasks() -> None:
    empty = PlanView(Plan(Source(SourceKind.WORKTREES), ()), (), (), (), (), Advice(Verdict.SEQUENTIAL, 0, None, ()))
    assert plan.text(empty, Style(width=20)) == (
        "no plan: the branches of the linked worktrees, 0 tasks\n\nverdict: sequential"
    )
    assert plan.hints(empty, []) == ("to start a plan: git fleet init",)


@pytest.mark.parametrize(
    ("states", "hints"),
    [
        (
            [State.ACTIVE, State.READY],
            ("to create branch and worktree of every task that can start: git fleet add --ready",),
        ),
        ([State.ACTIVE, State.PLANNED], ("to see where they stand: git fleet status",)),
        ([State.LANDED, State.DROPPED], ()),
    ],
)
def test_what_to_type_next_depends_on_what_may_be_started(states: list[State], hints: tuple[str, ...]) -> None:
    assert plan.hints(VIEW, states) == hints


def test_hidden_columns_are_counted() -> None:
    screen = plan.text(VIEW, Style(width=40, ascii=True))
    assert screen.splitlines()[2:4] == ["id  title  wave  owns", "42  count     1  cli.py"]
    assert screen.splitlines()[-1] == "3 columns hidden (--wide)"


def test_colour_has_a_plain_twin() -> None:
    painted = plan.text(VIEW, Style(color=True))
    assert "\033[33m44 overlaps 42 on cli.py\033[m" in painted
    for code in ("\033[33m", "\033[1m", "\033[m"):
        painted = painted.replace(code, "")
    assert painted == plan.text(VIEW, Style())


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    problems = (Problem(Severity.ERROR, "cycle", "…", ("42",), 7), Problem(Severity.WARNING, "x", "y"))
    document = conform("plan", plan.document(VIEW._replace(problems=problems, waves=(("42", "43"),))))
    assert document == {
        "schema": "git-fleet.plan.v1",
        "source": {"kind": "markdown", "path": "/home/me/tasks-app/PLAN.md"},
        "tasks": [
            {
                "id": "42",
                "title": "count",
                "slug": "count",
                "branch": "feature/42-count",
                "worktree": "/home/me/tasks-app-42-count",
                "owns": ["cli.py"],
                "needs": [],
                "wave": 1,
                "agent": None,
                "estimate_s": 2700,
                "priority": 2,
            },
            {**document["tasks"][1], "id": "43", "wave": 1, "agent": "claude", "estimate_s": None, "priority": 0},
            {**document["tasks"][2], "id": "44", "wave": None},
        ],
        "waves": [["42", "43"]],
        "overlaps": [{"tasks": ["42", "44"], "paths": ["cli.py"], "excused_by": None}],
        "joints": [{"path": "cli.py", "tasks": ["42", "44"]}],
        "couplings": None,
        "hot": [],
        "problems": [
            {"severity": "error", "code": "cycle", "message": "…", "tasks": ["42"], "line": 7},
            {"severity": "warning", "code": "x", "message": "y", "tasks": []},
        ],
        "advice": {"verdict": "mixed", "width": 2, "speedup": 1.5, "reasons": ["44 has to wait for 42"]}
        | NOTHING_KNOWN,
    }


def test_what_history_says(conform: Callable[[str, dict[str, object]], Any]) -> None:
    couplings = (
        Coupling(("42", "43"), ("cli.py", "README.md"), 12, 0.64),
        Coupling(("43", "44"), ("docs/\x1b", "x"), 5, 1.0),
    )
    hot = (Hot("cli.py", 0.24, ("42", "44"), 0.5), Hot("x", 0.0, ("44",), 0.2), Hot("y", 0.1, ("44",)))
    view = VIEW._replace(overlaps=(), joints=(), couplings=couplings, hot=hot)
    assert plan.text(view, Style()).split("\n\n")[3] == (
        "coupled docs/\\x1b and x: changed together in 5 commits, 100% of those that changed the rarer (43, 44)\n"
        "coupled cli.py and README.md: changed together in 12 commits, 64% of those that changed the rarer (42, 43)\n"
        "hot cli.py: 24% of past work changed it, it was in 50% of past conflicts (42, 44)\n"
        "hot x: it was in 20% of past conflicts (44)\n"
        "hot y: 10% of past work changed it (44)"
    )
    many = plan.text(view._replace(couplings=couplings * 6), Style())
    assert "\nand 2 couplings more\n" in many
    document = conform("plan", plan.document(view))
    assert document["couplings"] == [
        {"tasks": ["42", "43"], "paths": ["cli.py", "README.md"], "support": 12, "confidence": 0.64},
        {"tasks": ["43", "44"], "paths": ["docs/\x1b", "x"], "support": 5, "confidence": 1.0},
    ]
    assert document["hot"][0] == {"path": "cli.py", "share": 0.24, "conflicts": 0.5, "tasks": ["42", "44"]}
