"""How far a plan came, whole: the screen, what to type, the document."""

from collections.abc import Callable
from typing import Any

from git_fleet.model.fleet import Base, State
from git_fleet.model.going import Deed, Going, Held, Left, Turn
from git_fleet.model.plan import Task
from git_fleet.output import go
from git_fleet.output.style import Style

A, B, C = (Task(id, title, id, f"f/{id}", f"/{id}") for id, title in (("1", "count"), ("2", "docs"), ("3", "3")))
STUCK = Held("exit status 1\x1b", ("git fleet logs 2", "git fleet run 2   # again"))
LEFT = (Left(B, State.STUCK, STUCK), Left(C, State.BLOCKED, Held("waits for the landing of 2")))
STATES = {"1": State.LANDED, "2": State.STUCK, "3": State.BLOCKED}
END = Going(Base("main", "b" * 40, "t" * 40), (A, B, C), STATES, Turn(Deed.END, left=LEFT), ("1",), (("2",), ("3",)))
DONE = END._replace(states=dict.fromkeys("123", State.LANDED), turn=Turn(Deed.END), waves=())
FIRST = END._replace(turn=Turn(Deed.START, ("2",)), landed=())


def test_the_end_on_the_screen() -> None:
    assert go.text(END, Style(), dry=False).split("\n") == [
        "id  title  state    why",
        "1   count  landed",
        "2   docs   stuck    exit status 1\\x1b",
        "3          blocked  waits for the landing of 2",
        "",
        "1 of 3 tasks landed on main",
    ]
    assert go.text(DONE, Style(), dry=False).endswith("\n\nall has landed on main")


def test_a_dry_run_on_the_screen() -> None:
    assert go.text(FIRST, Style(), dry=True).endswith("\n\nwave 1: 2\nwave 2: 3\nwould start the agents of 2")
    assert go.text(END, Style(), dry=True).endswith("\nwave 2: 3\nnothing can go on by itself")
    assert go.text(DONE, Style(), dry=True).endswith("\n\nall has landed")


def test_what_was_not_done_and_what_to_type() -> None:
    assert go.failure(END) == "not landed: 2, 3; only a human can go on" and go.failure(DONE) is None
    assert go.hints(END, "git fleet go 3") == [
        "2: git fleet logs 2",
        "2: git fleet run 2   # again",
        "then, to go on: git fleet go 3",
    ]
    assert go.hints(DONE, "git fleet go") == ["to clear what has landed: git fleet clean"]
    assert go.hints(DONE._replace(landed=()), "git fleet go") == []
    many = END._replace(turn=Turn(Deed.END, left=tuple(Left(A, State.STUCK, STUCK) for _ in range(7))))
    assert go.hints(many, "git fleet go")[10:-1] == ["and so on for 2 other tasks: git fleet go --json"]


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    told = conform("go", go.document(END, dry=False))
    assert told["left"] == ["2", "3"] and told["landed"] == ["1"] and "next" not in told
    assert told["tasks"][:2] == [
        {"id": "1", "state": "landed"},
        {"id": "2", "state": "stuck", "why": STUCK.why, "red": False, "type": list(STUCK.hints)},
    ]
    assert conform("go", go.document(FIRST, dry=True))["next"] == {"do": "start", "tasks": ["2"]}
