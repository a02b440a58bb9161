"""`review`: the next branch in landing order, what to read of it, how long that takes, and the answer."""

import contextlib
import json
import re
import sqlite3
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rooms
from kit import Repo

from git_fleet.journal import database, reviews
from git_fleet.model.fleet import Mark, State
from git_fleet.model.review import Event


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`b` lands before `a`, which needs it; `c` is only planned."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n", "b": "y\n"}, "b": {"b": "x\n"}, "c": None})
    repo.config({"fleet.a.owns": "a", "fleet.a.needs": "b", "fleet.b.owns": "b", "fleet.c.owns": "b"})
    return repo


def document(repo: Repo, *args: str) -> Any:
    """`review --json`, which conforms to the published schema."""
    found = repo.fleet("review", "--json", *args, check=0, oracle="--dry-run" in args).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/review.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def events(repo: Repo) -> list[tuple[str, str, str | None, bool]]:
    with contextlib.closing(sqlite3.connect(repo.common_dir() / "fleet" / "fleet.db")) as db:
        return db.execute("SELECT task, tip, answer, began_s IS NOT NULL FROM review ORDER BY id").fetchall()


def test_from_the_first_look_to_the_last_answer(repo: Repo) -> None:
    first = repo.fleet("review", check=0)
    assert "task       b, 1 of 2 that wait for review\n" in first.out
    assert "needed by  a\n" in first.out and "conflicts  with a (b)\n" in first.out
    assert re.search(r"^b +1 +0 +joint: c builds on it$", first.out, re.M)
    assert first.out.endswith("read it: git diff main...b\n")
    assert "hint: then: git fleet review --approve b\nhint: or: git fleet review --reject b -m '<why>'\n" in first.err
    assert re.fullmatch(r"approved b at \w{7} after \d\.\ds\n", repo.fleet("review", "--approve", check=0).out)
    seen = document(repo)
    task = seen["task"]
    assert (task["id"], task["needs"], seen["waiting"]) == ("a", ["b"], ["a"])
    assert [(one["path"], one["drift"], one["owners"]) for one in task["files"]] == [
        ("a", False, []),
        ("b", True, ["b"]),
    ]
    assert "--reject needs a reason" in repo.fleet("review", "--reject", check=129).err
    said = document(repo, "--reject", "-m", "no tests")["answer"]
    assert (said["id"], said["state"], said["why"], said["tip"]) == ("a", "rejected", "no tests", task["tip"])
    assert 0 <= said["review_s"] < 60
    assert rooms.states(repo) == {"a": "rejected", "b": "approved", "c": "planned"}
    assert repo.fleet("review", check=0).out == "nothing waits for review\n"
    assert document(repo) == {**seen, "task": None, "waiting": []}
    b, a = repo.oid("b"), repo.oid("a")
    assert events(repo) == [
        ("b", b, None, False),
        ("b", b, "approved", True),
        ("a", a, None, False),
        ("a", a, "rejected", True),
    ]


def test_what_moved_since_has_to_be_looked_at_again(repo: Repo) -> None:
    tip = document(repo, "b")["task"]["tip"]
    moved = repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "b"))
    refused = repo.fleet("review", "--approve", "b", check=3, oracle=False)
    assert f"not marked as approved: 'b' moved since you looked: {tip[:10]}..{moved[:10]}" in refused.err
    assert "git fleet review b   # look again" in refused.err and rooms.states(repo)["b"] == "active"
    began = document(repo, "b")["task"]["began_s"]
    assert document(repo, "b")["task"]["began_s"] == began, "a second look goes on with the first"
    repo.fleet("review", "--reject", "b", "-m", "no", check=0, oracle=False)
    repo.commit("better", {"more": "y\n"}, rooms.tree(repo, "b"))
    assert document(repo)["waiting"] == ["a", "b"]


def test_an_answer_is_never_guessed(repo: Repo) -> None:
    nobody = repo.fleet("review", "--approve", check=3, oracle=False)
    assert "which task? none was shown to you that waits for an answer" in nobody.err and "# b, a" in nobody.err
    said = repo.fleet("review", "--approve", "a", "-m", "fine", check=0, oracle=False)
    assert said.out == f"approved a at {repo.oid('a')[:7]}, not timed: fine\n"
    assert events(repo) == [("a", repo.oid("a"), "approved", False)]
    repo.fleet("review", "b", check=0, oracle=False)
    either = repo.fleet("review", "--approve", cwd=rooms.tree(repo, "a"), check=3, oracle=False)
    assert "which task? b was shown to you, and this is the worktree of a" in either.err
    here = repo.fleet("review", "--reject", "-m", "no", cwd=rooms.tree(repo, "b"), check=0, oracle=False)
    assert here.out.startswith("rejected b at ")
    assert "c has no branch yet: 'c'" in repo.fleet("review", "c", check=3, oracle=False).err
    for words in (["--approve", "--reject"], ["-p", "--json"]):
        repo.fleet("review", *words, check=129, oracle=False)


def test_a_dry_run_and_who_cannot_write_show_the_same(repo: Repo) -> None:
    dry = repo.fleet("review", "--dry-run", check=0)
    assert repo.fleet("review", "--approve", "b", "--dry-run", check=0).out.startswith("would mark as approved b at ")
    (repo.common_dir() / "fleet").write_text("no folder")
    shown = repo.fleet("review", check=0)
    assert shown.out == dry.out and "this review is not timed: " in shown.err


def test_the_patch_is_that_of_git(repo: Repo) -> None:
    shown = repo.fleet("review", "b", "-p", check=0, oracle=False)
    assert shown.out.endswith("read it: git diff main...b\n" + repo.git("diff", "main...b") + "\n")
    assert events(repo) == [("b", repo.oid("b"), None, False)]


def test_reviews_of_the_past_say_how_long_the_next_is_likely_to_take(repo: Repo) -> None:
    repo.config({"fleet.review": "4h", "fleet.a.estimate": "1h"})
    before = repo.fleet("plan", "--json").json["advice"]["serial_s"]
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        for number, minutes in enumerate((10, 20, 60, 600)):
            done = Mark("b", State.APPROVED, None, "me", 60.0 * minutes, str(number))
            reviews.answer(journal, Event("b", str(number), "me", done.at_s, "approved", 0.0), done)
    page = document(repo, "a")["task"]
    assert (page["likely_s"], page["likely_from"]) == (20 * 60, 3)
    after = repo.fleet("plan", "--json").json["advice"]["serial_s"]
    assert before - after == 3 * (4 * 3600 - 20 * 60)


def test_a_branch_that_has_nothing_in_common_with_the_base(repo: Repo) -> None:
    repo.git("update-ref", "refs/heads/b", repo.git("commit-tree", "-m", "x", "b^{tree}"))
    fatal = repo.fleet("review", "b", check=128, oracle=False)
    assert "have no commit in common here" in fatal.err and "git fetch --unshallow" in fatal.err


def test_work_that_is_not_ready_does_not_wait(repo: Repo) -> None:
    repo.fleet("mark", "stuck", "b", check=0)
    repo.branch("c", {"c": "x\n"}, start="b")  # stands on what is stuck
    (rooms.tree(repo, "a") / "left").write_text("x")
    assert document(repo, "--dry-run")["waiting"] == ["a"]
    repo.config({"fleet.gate": "true"})
    repo.fleet("land", "b", check=0)
    page = document(repo, "a", "--dry-run")
    assert (page["task"]["id"], page["task"]["uncommitted"], page["task"]["gate"]) == ("a", 1, "none")
    assert "nothing to review: b is landed" in repo.fleet("review", "b", check=3, oracle=False).err
    repo.fleet("undo", check=0, oracle=False)
    repo.fleet("mark", "done", "b", check=0, oracle=False)
    known = document(repo, "--dry-run")
    assert (known["task"]["id"], known["task"]["gate"], known["waiting"]) == ("b", "passed", ["b", "c", "a"])
