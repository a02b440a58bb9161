"""All of a plan at once."""

import random

from git_fleet.analysis.view import view
from git_fleet.model.plan import Advice, Joint, Overlap, Plan, PlanView, Source, SourceKind, Task, Verdict

TASKS = (
    Task("42", "count", "count", "feature/42-count", "/w/app-42-count", ("cli.py",)),
    Task("43", "docs", "docs", "feature/43-docs", "/w/app-43-docs", ("README.md", "CHANGELOG.md")),
    Task("44", "clear", "clear", "feature/44-clear", "/w/app-44-clear", ("cli.py",)),
)


def test_the_lab() -> None:
    plan = Plan(Source(SourceKind.CONFIG), TASKS)
    why = "42 count and 44 clear both own cli.py: 44 after 42, or one of them alone"
    assert view(plan) == PlanView(
        plan,
        waves=(("42", "43"), ("44",)),
        overlaps=(Overlap(("42", "44"), ("cli.py",)),),
        joints=(Joint("cli.py", ("42", "44")),),
        problems=(),
        advice=Advice(Verdict.MIXED, 2, 1.5, (why,), critical_path=("42", "44")),
    )


def test_ten_thousand_tasks_with_thirty_thousand_needs_take_no_time() -> None:
    chance = random.Random(1)
    tasks = tuple(
        Task(
            str(n),
            f"t{n}",
            f"t{n}",
            f"feature/{n}-t",
            f"/w/x-{n}",
            (f"src/m{chance.randrange(8_000)}/", f"docs/{n}.md"),
            tuple({str(chance.randrange(n)) for _ in range(3)}) if n else (),
        )
        for n in range(10_000)
    )
    assert view(Plan(Source(SourceKind.CONFIG), tasks)).problems == ()
