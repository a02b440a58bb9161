"""The reviewer's screen, whole, and its document."""

from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.fleet import Base, State
from git_fleet.model.plan import Progress
from git_fleet.model.review import Answer, Clash, File, Page
from git_fleet.output import review
from git_fleet.output.style import Style

BASE = Base("main", "b" * 40, "t" * 40)
PAGE = Page(
    base=BASE,
    id="42",
    title="count",
    branch="feature/42-count",
    tip="a" * 40,
    state=State.DONE,
    reason="all\x1b[31m green",
    place="before 44: both change cli.py, 42 is the joint",
    commits=(("c" * 40, "count: first"), ("a" * 40, "count: last")),
    files=(
        File("cli.py", 30, 2, ("44", "45")),
        File("new.py", 4, 0, before="old.py"),
        File("logo.png", None, None, drift=True),
        File("README.md", 1, 1, drift=True, owners=("43",)),
    ),
    clashes=(Clash(None, ("cli.py",)), Clash("44", ("cli.py", "a", "b"))),
    doubt=None,
    gate="passed",
    gate_s=2.5,
    needs=("41",),
    needed_by=("44", "45"),
    stands_on=("41",),
    uncommitted=2,
    worktree="/there",
    agent="claude",
    progress=Progress(3, 5),
    likely_s=900.0,
    likely_from=0,
    began_s=100.0,
    now_s=160.0,
    waiting=("42", "44"),
)
SCREEN = """\
task         42 count, 1 of 2 that wait for review
state        done: all\\x1b[31m green
branch       feature/42-count at aaaaaaa, for main at bbbbbbb
agent        claude
checklist    3/5
landing      before 44: both change cli.py, 42 is the joint
needs        41
needed by    44, 45
stands on    41, whose commits are among these
conflicts    with main (cli.py), 44 (cli.py, a and 1 more)
gate         passed in 2.5s, as it would land
uncommitted  2 paths in its worktree, no part of this
size         +35 -3 in 4 files; likely 15m to read (fleet.review), 1m 0s so far

ccccccc count: first
aaaaaaa count: last

file                +    -
cli.py             30    2  joint: 44, 45 build on it
old.py => new.py    4    0
logo.png          bin  bin  drift, which nobody owns
README.md           1    1  drift, owned by 43

read it: git diff main...feature/42-count"""


def test_the_screen() -> None:
    assert review.text(PAGE, Style()) == SCREEN


def test_what_is_not_known_is_left_out_or_said() -> None:
    bare = PAGE._replace(
        reason=None, place=None, commits=(), files=(), clashes=(), doubt="git died", gate=None, needs=(), needed_by=()
    )
    bare = bare._replace(stands_on=(), uncommitted=0, agent=None, progress=None, began_s=None, waiting=("44",))
    assert review.text(bare, Style()) == (
        "task       42 count, which does not wait for review\n"
        "state      done\n"
        "branch     feature/42-count at aaaaaaa, for main at bbbbbbb\n"
        "conflicts  unknown, git died\n"
        "size       +0 -0 in 0 files; likely 15m to read (fleet.review)\n\n\n\n"
        "no file differs from where it left the base\n\n"
        "read it: git diff main...feature/42-count"
    ).replace("\n\n\n\n", "\n\n")


@pytest.mark.parametrize(("verbose", "commits", "rest"), [(False, 20, 2), (True, 30, 0)])
def test_a_long_branch_is_cut_unless_asked_for(verbose: bool, commits: int, rest: int) -> None:
    long = PAGE._replace(
        commits=tuple((f"{number:040}", f"step {number}") for number in range(30)),
        files=tuple(File(f"f{number}", 1, 0) for number in range(30)),
    )
    said = review.text(long, Style(verbose=verbose))
    assert said.count("step ") == commits and said.count("more (-v)") == rest
    assert ("and 10 commits more (-v)" in said) is not verbose


def test_the_documents_conform(conform: Callable[[str, dict[str, object]], Any]) -> None:
    known = conform("review", review.document(BASE, PAGE))
    assert known["waiting"] == ["42", "44"] and known["task"]["files"][1]["before"] == "old.py"
    assert known["task"]["conflicts"][0] == {"task": None, "paths": ["cli.py"]}
    assert conform("review", review.document(BASE, PAGE._replace(doubt="x")))["task"]["conflicts"] is None
    assert conform("review", review.document(BASE, None)) == {
        "schema": "git-fleet.review.v1",
        "base": {"branch": "main", "commit": "b" * 40},
        "task": None,
        "waiting": [],
    }
    given = Answer("42", "count", "a" * 40, State.REJECTED, "why", "me", None)
    assert conform("review", review.answer_document(BASE, given))["answer"]["review_s"] is None
    assert review.answer(given, dry=False) == "rejected 42 count at aaaaaaa, not timed: why"
    assert review.answer(given._replace(seconds=75.0, why=None), dry=True) == (
        "would mark as rejected 42 count at aaaaaaa after 1m 15s"
    )
