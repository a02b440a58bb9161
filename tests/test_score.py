"""`score`: a real fleet from its first worktree to its last landing, and what is known of it."""

import contextlib
import json
import sqlite3
import time
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kit
import pytest
import rooms
from kit import Repo

H = 3600


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, dict.fromkeys("abc"), gate="true")


def document(repo: Repo, *args: str) -> Any:
    """`score --json`, which conforms to the published schema."""
    found = repo.fleet("score", "--json", *args, check=0).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/score.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def backdate(repo: Repo, *statements: str) -> None:
    """Move what the journal has in time; nobody wants to wait for hours here."""
    with contextlib.closing(sqlite3.connect(repo.common_dir() / "fleet" / "fleet.db")) as db, db:
        for statement in statements:
            db.execute(statement)


def committed(repo: Repo, task: str, ages_s: list[float], monkeypatch: pytest.MonkeyPatch, text: str = "x\n") -> None:
    for number, age_s in enumerate(ages_s):
        monkeypatch.setenv("GIT_AUTHOR_DATE", f"@{int(time.time() - age_s)} +0000")
        monkeypatch.setenv("GIT_AUTHOR_EMAIL", f"{task}@example.com")
        repo.commit(f"{task} {number}", {"file": text, f"{task}{number}": "x\n"}, rooms.tree(repo, task))


def test_from_the_first_worktree_to_the_verdict(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.fleet("add", "a", "b", check=0)
    committed(repo, "a", [2.5 * H, 1.5 * H, 0.5 * H], monkeypatch)
    committed(repo, "b", [1.6 * H, 0.25 * H], monkeypatch, "y\n")
    backdate(repo, f"UPDATE operation SET began_s = began_s - {3 * H}")
    repo.fleet("review", "a", check=0)
    backdate(repo, f"UPDATE review SET at_s = at_s - {H // 2}")
    repo.fleet("review", "--approve", "a", check=0)
    repo.fleet("land", check=4)
    backdate(repo, f"UPDATE phase SET at_s = at_s - {H // 5} WHERE state = 'stopped'")
    lane = repo.path.parent / "app-lane-1"
    (lane / "file").write_text("x\ny\n")
    repo.git("add", "-A", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    found = document(repo)
    a, b = found["tasks"]
    near = pytest.approx
    assert (a["source"], a["work_s"]["least"], b["work_s"]["most"]) == (
        "commits",
        near(2.5 * H, 0.1),
        near(2.75 * H, 0.1),
    )
    assert (a["review_s"], a["conflict_s"], b["review_s"]) == (near(H / 2, 0.1), 0.0, None)
    assert (b["conflict_s"], b["waited_s"]) == (near(H / 5, 0.2), near(H / 4, 0.2))
    assert (found["at_work_s"], found["left"], found["at_once"]) == (near(3 * H, 0.1), 1, 2)
    assert found["conflict_s"] == b["conflict_s"] and found["gate_s"] > 0
    assert found["verdict"] == "paid" and found["speedup"]["least"] == near(1.75, 0.1)
    repo.fleet("clean", check=0)
    assert "\nparallel paid: 3h for what takes 5h" in repo.fleet("score", check=0).out
    since = document(repo, "--since", "1 hour ago")
    assert since == {**found, "left": 0}, "branches and worktrees are not needed"


def test_agents_that_ran_and_what_landed_without_us(repo: Repo) -> None:
    repo.fleet("add", "a", "b", check=0)
    repo.fleet("run", "a", "--", "git", "commit", "-q", "--allow-empty", "-m", "x", check=0)
    repo.commit("y", {"b": "x\n"}, rooms.tree(repo, "b"))
    kit.wait_for(lambda: rooms.states(repo)["a"] == "done")
    backdate(repo, f"UPDATE operation SET began_s = began_s - {H}", f"UPDATE agent SET began_s = began_s - {H // 2}")
    repo.fleet("land", "a", check=0)
    repo.git("merge", "-q", "--no-edit", "b")
    found = document(repo)
    a, b = found["tasks"]
    assert (a["source"], a["work_s"]["least"]) == ("agent", pytest.approx(H / 2, 0.1))
    assert (b["source"], b["work_s"], b["landed_s"]) == (None, None, None)
    assert (found["verdict"], found["speedup"]) == ("unknown", None)
    assert found["reason"] == "too little is known: nobody knows when b landed"
    assert document(repo, "--since", "2")["reason"] == "too little is known: only one task has landed"
    for since, status in (("banana", 129), ("99", 128)):
        assert "hint: git fleet" in repo.fleet("score", "--since", since, check=status).err


def test_without_a_plan_and_from_a_database_that_knows_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = rooms.fleet(tmp_path, {})
    for task, start, ages in (("a", "main", [2 * H, 1.5 * H]), ("b", "a", [1 * H, 0.25 * H])):
        repo.git("worktree", "add", "-q", "-b", task, f"../{task}", start)
        committed(repo, task, ages, monkeypatch)
    repo.fleet("land", check=0)
    backdate(
        repo, "DROP TABLE review", "DROP TABLE phase", "ALTER TABLE landing DROP COLUMN at_s", "PRAGMA user_version = 5"
    )
    found = document(repo)
    assert [one["id"] for one in found["tasks"]] == ["a", "b"] and found["left"] == 0
    work = [one["work_s"]["least"] / H for one in found["tasks"]]
    assert work == [pytest.approx(0.5, 0.01), pytest.approx(0.75, 0.01)], "each its own commits"
    assert found["tasks"][0]["landed_s"] is not None
