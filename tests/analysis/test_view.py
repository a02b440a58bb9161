"""All of a plan at once."""

import random

from git_fleet.analysis.view import view
from git_fleet.model.fleet import Base, Landing, Outlook, Repository, Snapshot
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


def test_what_has_landed_is_in_nobodys_way_and_the_advice_is_about_the_rest() -> None:
    base = Base("main", "b" * 40, "t" * 40)
    landings = {"42": Landing("42", "1" * 40, "b" * 40)}
    snapshot = Snapshot(Repository("/w", "/w", "/w", "/w", False, "sha1"), base, (), {}, {}, {}, landings)
    found = view(Plan(Source(SourceKind.CONFIG), TASKS), Outlook(snapshot=snapshot))
    assert found.waves == (("42", "43"), ("44",))
    assert found.overlaps == (Overlap(("42", "44"), ("cli.py",), "42 has landed"),)
    assert found.advice.width == 1 and found.advice.verdict is Verdict.SEQUENTIAL
    needs = TASKS[1]._replace(needs=("42",))
    rest = view(Plan(Source(SourceKind.CONFIG), (*TASKS[:1], needs, TASKS[2])), Outlook(snapshot=snapshot))
    assert not any("waits for" in reason for reason in rest.advice.reasons)
    done = view(Plan(Source(SourceKind.CONFIG), TASKS[:1]), Outlook(snapshot=snapshot))
    assert done.advice.reasons == ("all of it has landed",)


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
