"""One sentence for each event, git's form for each error."""

from typing import get_args

import pytest

from git_fleet.model.errors import Busy, FleetError, PlanError, Refused
from git_fleet.model.events import (
    AgentAtWork,
    AgentEnded,
    AgentsAtWork,
    AgentStarted,
    AtGate,
    AtWork,
    Copied,
    Created,
    Event,
    Evicted,
    Gated,
    Gating,
    Landed,
    NotCreated,
    Note,
    NotRemoved,
    NotSetUp,
    Progress,
    Recovered,
    Removed,
    Removing,
)
from git_fleet.model.fleet import State
from git_fleet.output import sentences, words

SENTENCES = [
    (Created("42", "feature/42", "/w/42"), "created 42: branch 'feature/42' in '/w/42'"),
    (Created("42", "b\x9b", "/w", existed=True), "42 exists as planned: branch 'b\\u009b' in '/w'"),
    (Copied("42", 1, dry=True), "would copy 1 ignored file into 42"),
    (Copied("42", 2, (("a\n", "gone"),)), "copied 2 ignored files into 42, but not: a\\n (gone)"),
    (NotCreated("44", "it overlaps 42 on cli.py", ("x",)), "44 was not created: it overlaps 42 on cli.py"),
    (
        NotSetUp("42", "'npm ci': exit status 1", "/l"),
        "42 is there, but was not set up: 'npm ci': exit status 1, log: /l",
    ),
    (NotSetUp("42", "no space", None), "42 is there, but was not set up: no space"),
    (Progress("checking out", 1, 2), None),
    (Gating("42", "make test"), "make test runs on 42"),
    (Gated("42", "gate", "passed", 1.26), "gate passed on 42 in 1.3s"),
    (Gated("42", "gate", "passed", 1.2, log="/l", cached=True), "gate passed on 42 (known from before)"),
    (Gated("42", "gate", "failed", 75.0, "/l", "timed out"), "gate failed on 42 in 1m 15s: timed out"),
    (Gated("42", "gate", "flaky", 2.0, "/l"), "gate passed on a second try on 42 in 2.0s, log: /l"),
    (AtWork((AtGate(1, "42 count", "unit", 0.0, 1, 3),)), None),
    (AgentStarted("42", 7), "started the agent of 42: process 7"),
    (AgentEnded("42", State.DONE, None), "the agent of 42 has ended: done"),
    (AgentEnded("42", State.STUCK, "why\x1b"), "the agent of 42 has ended: stuck (why\\x1b)"),
    (AgentsAtWork((AgentAtWork("42", 0.0, "says"),)), None),
    (Evicted("44", "44 alone is red on main: unit\x1b"), "44 does not land: 44 alone is red on main: unit\\x1b"),
    (Landed("42", "feature/42", "a" * 40), "landed 42: branch 'feature/42' as aaaaaaa"),
    (
        Removed("42", "/w/42", "feature/42", ("node_modules/", "a\n")),
        "removed 42: worktree '/w/42' and branch 'feature/42', with node_modules/, a\\n",
    ),
    (Removed("42", None, "x"), "removed 42: branch 'x'"),
    (Removing(("42", "43"), 9), "removing 42, 43; to bring them back: git fleet undo 9"),
    (NotRemoved("42", "somebody wrote\n"), "42 was put back: somebody wrote\\n"),
    (Recovered("a landing was killed\n"), "a landing was killed\\n"),
    (Note("five tasks in flight"), "five tasks in flight"),
]


@pytest.mark.parametrize(("event", "sentence"), SENTENCES)
def test_events(event: Event, sentence: str | None) -> None:
    assert sentences.event(event) == sentence


def test_a_line_a_lane() -> None:
    at_work = AtWork((AtGate(1, "main", "unit", 950.0, 0, 3), AtGate(2, "42 a\x1bb", "lint", 10.0, 1, 3)))
    assert sentences.lanes(at_work, 1000.0, lambda began: f"t{began:.0f}") == [
        "lane 1: unit runs on main, since t950 (50s)",
        "lane 2: lint runs on 42 a\\x1bb, 1 of 3, since t10 (16m)",
    ]


def test_a_line_for_each_agent() -> None:
    at_work = AgentsAtWork((AgentAtWork("42", 880.0, "now \x1b[31m"), AgentAtWork("43", 995.0, "")))
    assert sentences.agents(at_work, 1000.0, lambda began: f"t{began:.0f}") == [
        "42 runs since t880 (2m): now \\x1b[31m",
        "43 runs since t995 (5s)",
    ]


def test_every_kind_of_event_is_told() -> None:
    assert {type(event) for event, _ in SENTENCES} == set(get_args(Event))


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (PlanError("unknown task '9'", "PLAN.md", 7), ["fatal: PLAN.md:7: unknown task '9'"]),
        (
            Refused("locked: x\nhint: a\x1b.py", ("commit\nfirst",)),
            ["error: locked: x\\nhint: a\\x1b.py", "hint: commit\\nfirst"],
        ),
        (Busy(""), ["error: "]),
    ],
)
def test_errors(error: FleetError, lines: list[str]) -> None:
    assert sentences.error(error) == lines


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-5, "0s"), (59.9, "59s"), (60, "1m"), (7_199, "1h"), (86_400, "1d"), (604_800, "1w"), (40_000_000, "1y")],
)
def test_ages(seconds: float, told: str) -> None:
    assert words.age(seconds) == told


@pytest.mark.parametrize(
    ("hint", "lines"),
    [
        ("commit it, or move it away", ["commit it, or move it away"]),
        (
            "git fleet add 'a task with a long name' --owns src/   # side by side all the same",
            ["git fleet add 'a task with a long name' --owns src/", "# side by side all the same"],
        ),
        (
            "to see both sides of each conflict: git fleet check -v --refs x",
            ["to see both sides of each conflict:", "  git fleet check -v --refs x"],
        ),
        (
            "wait for it to end, or see what it does in the other terminal",
            ["wait for it to end, or see what it does in", "  the other terminal"],
        ),
    ],
)
def test_hints_fold_between_words_and_never_in_a_command(hint: str, lines: list[str]) -> None:
    assert sentences.hints([hint]) == [f"hint: {hint}"]
    assert sentences.hints([hint], 50) == [f"hint: {line}" for line in lines]
