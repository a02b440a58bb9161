"""A landing on the screen and as JSON, before and after the fact."""

from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.fleet import Base
from git_fleet.model.landing import Action, Ending, Eviction, GateReport, LandOutcome, Step, merge_message
from git_fleet.output import land
from git_fleet.output.style import Style

BASE = Base("main", "1a2b3c4" + "0" * 33, "2" * 40)
COUNT = Step("42", "feature/42-count", "3" * 40, Action.LAND, "first in the plan", "4" * 40, title="count")
DOCS = Step("43", "feature/43-docs", "5" * 40, Action.LAND, "next in the plan", "6" * 40, title="docs")
CLEAR = Step("44", "44", "8" * 40, Action.STOP, "conflicts with 42", conflicts=("cli.py", "it's\x1b.py"), title="44")
PARKED = Step("45", "45", "9" * 40, Action.PARK, "needs 44", title="45")
DRY = LandOutcome(Ending.DRY, BASE, "merge", (COUNT, DOCS, CLEAR, PARKED), "6" * 40, None)
DONE = (
    COUNT._replace(commit="a" * 40, gate="passed", gate_s=1.25),
    DOCS._replace(commit="b" * 40, gate="flaky", gate_s=200.0),
)
STOPPED = DRY._replace(
    ending=Ending.STOPPED, steps=(*DONE, CLEAR, PARKED), commit="b" * 40, lane="/w/app lane-1", operation=7
)

OUT = CLEAR._replace(action=Action.PARK, reason="42 and 44 are green alone and red together: unit", gate="failed")
LATER = PARKED._replace(id="46", title="46", reason="not tested: the landing stopped at 44")
REPORT = GateReport("each", 2, 9, 12.0, 4.25, (Eviction("44", "unit", OUT.reason, "42", "/w/1.log"),), ("x moved",))
THROWN_OUT = LandOutcome(
    Ending.GATE_FAILED, BASE, "merge", (*DONE, OUT._replace(conflicts=()), LATER), "6" * 40, "b" * 40, 7, gates=REPORT
)


def test_a_branch_that_a_gate_threw_out() -> None:
    assert land.text(THROWN_OUT, Style()).splitlines()[3:8] == [
        "3  44         thrown out                    failed        42 and 44 are green alone and red together: unit",
        "4  46         parked                                      not tested: the landing stopped at 44",
        "",
        "landed  stopped  thrown out  parked  gate runs  gate time  saved by speculation",
        "     2        0           1       1          9      12.0s                  4.2s",
    ]
    assert land.failure(THROWN_OUT) == "not landed: 44; a gate failed"
    stopped = THROWN_OUT._replace(ending=Ending.STOPPED, steps=(*THROWN_OUT.steps, CLEAR._replace(id="47")))
    assert land.failure(stopped) == ("not landed: task 47 conflicts in cli.py, it's\\x1b.py; a gate threw out 44")


def test_what_gates_did_as_json(conform: Callable[[str, dict[str, object]], Any]) -> None:
    document = conform("land", land.document(THROWN_OUT))
    assert document["result"] == {"tree": "6" * 40, "commit": "b" * 40, "landed": ["42", "43"], "stopped": []}
    evicted = {"id": "44", "gate": "unit", "reason": OUT.reason, "partner": "42", "log": "/w/1.log"}
    assert document["gates"] == {
        "mode": "each",
        "lanes": 2,
        "runs": 9,
        "seconds": 12.0,
        "saved_s": 4.25,
        "evicted": [evicted],
        "disturbed": ["x moved"],
    }


def test_what_was_typed_about_gates_is_typed_again() -> None:
    typed = land.Typed(names=("42", "44", "45"), ways=("--gate", "make test", "--no-keep-going"))
    assert land.hints(THROWN_OUT, typed)[0] == (
        "correct 44 and commit there, then: git fleet land --gate 'make test' --no-keep-going 44 45"
    )
    assert land.hints(THROWN_OUT, land.Typed(names=("42",)))[0].endswith("then: git fleet land 44")
    assert typed.over("--continue") == "git fleet land --continue"
    red = LandOutcome(Ending.BASE_RED, BASE, "merge", (COUNT,), None, None)
    assert land.hints(red, land.Typed(ways=("--gate", "x")))[0].endswith("git fleet land --no-gate")


def test_a_dry_run() -> None:
    assert land.text(DRY, Style()) == (
        "#  id  title  step  tree     conflicts            reason\n"
        "1  42  count  land  4444444                       first in the plan\n"
        "2  43  docs   land  6666666                       next in the plan\n"
        "3  44         stop           cli.py, it's\\x1b.py  conflicts with 42\n"
        "4  45         park                                needs 44\n"
        "\n"
        "2 of 4 tasks would land on main at 1a2b3c4 and make tree 6666666; 1 would stop for a human"
    )
    assert land.hints(DRY) == ("to land them: git fleet land",)
    assert land.hints(DRY._replace(steps=(CLEAR,))) == ("to resolve the first conflict: git fleet land",)
    assert land.hints(DRY._replace(steps=(PARKED,))) == ()


def test_a_stop() -> None:
    assert land.text(STOPPED, Style()) == (
        "#  id  title  step     tree     commit   gate          conflicts            reason\n"
        "1  42  count  landed   4444444  aaaaaaa  passed 1.2s                        first in the plan\n"
        "2  43  docs   landed   6666666  bbbbbbb  flaky 3m 20s                       next in the plan\n"
        "3  44         stopped                                  cli.py, it's\\x1b.py  conflicts with 42\n"
        "4  45         parked                                                        needs 44\n"
        "\n"
        "landed 42, 43 on main: 1a2b3c4..bbbbbbb\n"
        "stopped at 44: conflict in cli.py, it's\\x1b.py\n"
        "the conflict waits in /w/app lane-1"
    )
    assert land.hints(STOPPED) == (
        "resolve the conflict there: cd '/w/app lane-1'",
        "then: git add cli.py 'it'\"'\"'s\\x1b.py' && git fleet land --continue",
        "to leave 44 out: git fleet land --skip",
        "to hand it back to its branch: git fleet sync 44",
        "to give up the rest: git fleet land --abort",
    )


def test_a_stop_with_nothing_landed_and_another_to_come() -> None:
    outcome = STOPPED._replace(steps=(CLEAR, CLEAR._replace(id="46")), commit=None)
    assert land.text(outcome, Style()).splitlines()[-4:] == [
        "nothing landed, main stays at 1a2b3c4",
        "stopped at 44: conflict in cli.py, it's\\x1b.py",
        "the conflict waits in /w/app lane-1",
        "after it: 46",
    ]


@pytest.mark.parametrize(
    ("outcome", "verdict", "hints"),
    [
        (
            LandOutcome(Ending.LANDED, BASE, "merge", DONE, "6" * 40, "b" * 40, operation=9),
            "landed 42, 43 on main: 1a2b3c4..bbbbbbb",
            ("to clear what has landed: git fleet remove 42 43", "to take it back: git fleet undo 9"),
        ),
        (LandOutcome(Ending.NOTHING, BASE, "merge", (), None, None), "nothing to land on main", ()),
        (
            LandOutcome(Ending.GATE_FAILED, BASE, "merge", (OUT,), None, None, log="/w/1.log", lane="/w/lane"),
            "the gate failed on 44\nnothing landed, main stays at 1a2b3c4",
            ("correct it there: cd /w/lane", "then: git add <path>... && git fleet land --continue"),
        ),
        (
            THROWN_OUT,
            "landed 42, 43 on main: 1a2b3c4..bbbbbbb\nthrown out: 42 and 44 are green alone and red together: unit",
            (
                "correct 44 and commit there, then: git fleet land",
                "or land the others: git fleet land 46",
                "to take back what landed: git fleet undo 7",
            ),
        ),
        (
            LandOutcome(Ending.BASE_RED, BASE, "merge", (COUNT,), None, None, log="/w/1.log"),
            "the gate fails on main itself, at 1a2b3c4\nno branch is to blame, nothing landed",
            ("make the gate pass on main first, or land without it: git fleet land --no-gate",),
        ),
    ],
)
def test_other_endings(outcome: LandOutcome, verdict: str, hints: tuple[str, ...]) -> None:
    assert land.text(outcome, Style()).rpartition("\n\n")[2] == verdict
    assert land.hints(outcome) == hints


def test_hints_say_what_was_typed() -> None:
    typed = land.Typed(("--onto", "my release"), True, ("42", "43"))
    assert land.hints(DRY, typed) == ("to land them: git fleet land --onto 'my release' --no-gate 42 43",)
    assert land.hints(STOPPED, typed)[2] == "to leave 44 out: git fleet land --skip --onto 'my release'"
    done = LandOutcome(Ending.LANDED, BASE, "merge", DONE, "6" * 40, "b" * 40, operation=9)
    assert land.hints(done, typed, clears=False) == ("to take it back: git fleet undo 9",)


def test_after_a_skip_with_nothing_landed_nothing_is_to_be_cleared() -> None:
    skipped = CLEAR._replace(action=Action.SKIP)
    assert land.hints(LandOutcome(Ending.LANDED, BASE, "merge", (skipped,), None, None, operation=9)) == ()


def test_a_task_is_no_count() -> None:
    assert land.failure(STOPPED._replace(steps=(CLEAR._replace(id="2"),))) == (
        "not landed: task 2 conflicts in cli.py, it's\\x1b.py"
    )


def test_many_with_nothing_to_land_are_one_line() -> None:
    idle = tuple(PARKED._replace(id=str(n), action=Action.SKIP, reason="nothing to land") for n in range(50, 54))
    lines = land.text(DRY._replace(steps=(COUNT, *idle)), Style()).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["1", "42"], []]
    assert lines[3] == "4 with nothing to land: 50, 51, 52, 53"


def test_what_did_not_land_is_not_called_landed() -> None:
    outcome = STOPPED._replace(ending=Ending.BASE_RED)
    assert [line.split()[3:5] for line in land.text(outcome, Style()).splitlines()[1:3]] == [["not", "landed"]] * 2
    document = land.document(outcome)
    assert document["result"] == {"tree": "6" * 40, "commit": "b" * 40, "landed": [], "stopped": ["44"]}


def test_a_narrow_terminal() -> None:
    lines = land.text(STOPPED, Style(width=30, ascii=True)).splitlines()
    assert lines[:2] == ["id  step     conflicts", "42  landed"]
    assert lines[-1] == "6 columns hidden (--wide)"


def test_the_documents(conform: Callable[[str, dict[str, object]], Any]) -> None:
    document = conform("land", land.document(STOPPED))
    assert document == {
        "schema": "git-fleet.land.v1",
        "ending": "stopped",
        "base": {"branch": "main", "commit": BASE.commit},
        "strategy": "merge",
        "steps": [
            {
                "id": "42",
                "tip": "3" * 40,
                "action": "land",
                "reason": "first in the plan",
                "tree": "4" * 40,
                "commit": "a" * 40,
                "conflicts": [],
                "gate": "passed",
                "gate_s": 1.25,
            },
            document["steps"][1],
            {
                "id": "44",
                "tip": "8" * 40,
                "action": "stop",
                "reason": "conflicts with 42",
                "conflicts": ["cli.py", "it's\x1b.py"],
                "gate": "none",
            },
            document["steps"][3],
        ],
        "result": {"tree": "6" * 40, "commit": "b" * 40, "landed": ["42", "43"], "stopped": ["44"]},
        "operation": 7,
        "lane": "/w/app lane-1",
    }
    dry = conform("land", land.document(DRY._replace(commit="c" * 40)))
    assert dry["result"] == {"tree": "6" * 40, "landed": ["42", "43"], "stopped": ["44"]}
    assert [("commit" in step, step.get("tree")) for step in dry["steps"][:3]] == [
        (False, "4" * 40),
        (False, "6" * 40),
        (False, None),
    ]


def test_the_message_of_a_landing() -> None:
    assert merge_message("feature/42-count", "42", "main") == "Merge branch 'feature/42-count'\n\nFleet-Task: 42\n"
    assert merge_message("x", "7", "dev").splitlines()[0] == "Merge branch 'x' into dev"
