"""`mark`: said at once, seen by `status`, heeded by `land`, never lost."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kit
import pytest
import rooms
from kit import Repo

from git_fleet.journal import locks, schema


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "c": None})


def rows(repo: Repo) -> dict[str, Any]:
    """`status --json`, which conforms to the published schema; tasks by id."""
    found = repo.fleet("status", "--json", check=0).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/status.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return {row["id"]: row for row in found["tasks"]}


def said(repo: Repo) -> list[tuple[str, str, str | None, str | None]]:
    with contextlib.closing(sqlite3.connect(repo.common_dir() / "fleet" / "fleet.db")) as db:
        return db.execute("SELECT task, state, why, tip FROM mark ORDER BY id").fetchall()


def test_status_shows_what_was_said_until_something_else_is(repo: Repo) -> None:
    tip = repo.oid("a")
    assert repo.fleet("mark", "stuck", "a", "-m", "which\nport?", check=0).out == "marked a as stuck\n"
    row = rows(repo)["a"]
    assert (row["state"], row["reason"]) == ("stuck", "which port?")
    marked = row["marked"]
    assert (marked["state"], marked["why"], marked["tip"]) == ("stuck", "which port?", tip)
    assert "which port?" in repo.fleet("status", check=0).out
    assert f"a: marked as stuck by {marked['by']} at {tip[:7]}" in repo.fleet("status", "-v", check=0).out
    repo.fleet("mark", "done", check=0, cwd=rooms.tree(repo, "a"))
    assert rows(repo)["a"]["state"] == "done" and rows(repo)["b"]["state"] == "active"
    assert "marked" not in rows(repo)["b"]
    assert said(repo) == [("a", "stuck", "which port?", tip), ("a", "done", None, tip)]
    assert rooms.operations(repo) == []


def test_an_approval_ends_where_the_branch_moves(repo: Repo) -> None:
    repo.fleet("mark", "approved", "a", check=0)
    repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "a"))
    row = rows(repo)["a"]
    assert (row["state"], row["reason"]) == ("active", "changed since it was approved")
    assert repo.fleet("land", "--json", check=0).json["result"]["landed"] == ["a", "b"]


def test_what_is_rejected_or_stuck_or_at_work_does_not_land_with_the_others(repo: Repo) -> None:
    repo.fleet("mark", "rejected", "a", "-m", "no tests", check=0)
    repo.branch("c", {"c": "x\n"}, start="a")
    done = repo.fleet("land", "--json", check=0).json
    assert {step["id"]: (step["action"], step["reason"]) for step in done["steps"] if step["id"] != "b"} == {
        "a": ("skip", "rejected: no tests"),
        "c": ("skip", "stands on a, which is rejected"),
    }
    assert done["result"]["landed"] == ["b"] and not (repo.path / "a").exists()
    refused = repo.fleet("land", "a", check=3)
    assert "not landed: a is rejected: no tests" in refused.err and "git fleet mark approved a" in refused.err
    for word in ("stuck", "running"):
        repo.fleet("mark", word, "a", check=0)
        assert repo.fleet("land", "--json", check=0).json["result"]["landed"] == []
    assert repo.fleet("land", "a", "--json", check=0).json["result"]["landed"] == ["a"]


def test_what_needs_a_rejected_task_waits_with_it(repo: Repo) -> None:
    repo.config({"fleet.b.needs": "a"})
    repo.fleet("mark", "rejected", "a", check=0)
    steps = repo.fleet("land", "--dry-run", "--json", check=0).json["steps"]
    assert [(step["id"], step["action"]) for step in steps] == [("a", "skip"), ("b", "park")]


def test_dropped_is_in_nobodys_way_and_can_be_taken_up_again(repo: Repo) -> None:
    repo.config({f"fleet.{task}.owns": "file" for task in "ac"})
    assert rooms.states(repo)["c"] == "planned"
    repo.fleet("mark", "dropped", "a", "-m", "too dear", check=0)
    assert rooms.states(repo) == {"a": "dropped", "b": "active", "c": "ready"}
    assert repo.fleet("plan", "--json", check=0).json["waves"] == [["b", "c"]]
    assert "a is dropped" in repo.fleet("land", "a", check=3).err
    assert "git fleet mark running a" in repo.fleet("add", "a", check=3).err
    repo.fleet("mark", "running", "a", check=0)
    assert rooms.states(repo)["a"] == "running"


def test_what_makes_no_sense_is_refused_and_writes_nothing(repo: Repo) -> None:
    repo.fleet("land", "a", check=0)
    assert "not marked as done: a has landed already" in repo.fleet("mark", "done", "a", check=3).err
    no_branch = repo.fleet("mark", "approved", "c", check=3)
    assert "c has no branch yet: 'c'" in no_branch.err and "git fleet add c" in no_branch.err
    unknown = repo.fleet("mark", "finished", "b", check=129)
    assert "one of running, done, stuck, approved, rejected, dropped" in unknown.err
    assert "which task?" in repo.fleet("mark", "done", check=129).err
    assert "no task 'nobody'" in repo.fleet("mark", "done", "nobody", check=128).err
    assert said(repo) == []


def test_a_dry_run_says_the_same_and_writes_nothing(repo: Repo) -> None:
    assert repo.fleet("mark", "done", "a", "--dry-run", check=0).out == "would mark a as done\n"
    repo.fleet("mark", "done", "c", "--dry-run", check=3)
    assert rooms.states(repo)["a"] == "active"


def test_without_a_plan_and_of_a_task_that_left_it(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"file": "x\n"})
    repo.git("worktree", "add", "-q", "-b", "pr/7", "../seven")
    repo.fleet("mark", "approved", cwd=tmp_path / "seven", check=0)
    assert rooms.states(repo) == {"7": "approved"}
    repo.git("worktree", "remove", "../seven")
    assert rooms.states(repo) == {} and repo.fleet("land", check=0).err == ""


def test_a_branch_made_anew_has_no_mark(repo: Repo) -> None:
    repo.fleet("add", "c", check=0)
    repo.fleet("mark", "stuck", "c", check=0)
    repo.fleet("undo", check=0)
    assert rooms.states(repo)["c"] == "ready"
    repo.fleet("add", "c", check=0)
    assert rooms.states(repo)["c"] == "active" and "marked" not in rows(repo)["c"]


def test_what_is_done_exists_for_add_and_a_lost_worktree_is_made_again(repo: Repo) -> None:
    repo.fleet("mark", "done", "a", check=0)
    assert "a exists as planned" in repo.fleet("add", "a", check=0).err
    shutil.rmtree(rooms.tree(repo, "a"))
    assert "created a" in repo.fleet("add", "a", check=0, oracle=False).err
    assert rooms.states(repo)["a"] == "done"


def test_it_waits_for_no_landing(repo: Repo) -> None:
    fleet_dir = str(repo.common_dir() / "fleet")
    with locks.hold(fleet_dir, locks.base_lock("main")), locks.hold(fleet_dir, "worktrees"):
        repo.fleet("mark", "done", "a", check=0)
    assert rooms.states(repo)["a"] == "done"


def test_a_database_from_before_there_were_marks_is_read(repo: Repo) -> None:
    folder = repo.common_dir() / "fleet"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "fleet.db")) as db, db:
        for step in schema.MIGRATIONS[:3]:
            db.executescript(step)
        db.execute("PRAGMA user_version = 3")
    assert rooms.states(repo)["a"] == "active"
    repo.fleet("mark", "done", "a", check=0)
    assert rooms.states(repo)["a"] == "done"


MARKER = """
import os, sys
from git_fleet.model.fleet import State
from git_fleet.operations import context as contexts, mark
os.chdir(sys.argv[1])
context = contexts.with_plan(contexts.find_without_plan(), None)
task = next(task for task in context.plan.tasks if task.id == sys.argv[2])
for number in range(100):
    made = mark.would(context, task, State.RUNNING) if number % 50 == 0 else made
    mark.write(context.repository, made._replace(why=f"{sys.argv[3]}-{number}"))
"""


def test_two_thousand_marks_from_twenty_processes_are_all_there(repo: Repo) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", MARKER, repo.path, "ab"[number % 2], str(number)], cwd=kit.ROOT)
        for number in range(20)
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0] * 20
    assert sorted((why or "") for _, _, why, _ in said(repo)) == sorted(
        f"{a}-{b}" for a in range(20) for b in range(100)
    )
    assert {tip for task, _, _, tip in said(repo) if task == "a"} == {repo.oid("a")}
    assert rooms.states(repo) == {"a": "running", "b": "running", "c": "ready"}
