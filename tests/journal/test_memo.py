"""Remembered merges: a branch that moves costs its own candidates only, and a broken memory costs nothing else."""

import sqlite3
from pathlib import Path

import pytest
from kit import Repo, make_repo
from sights import branch, look

from git_fleet.journal import database, memo, schema
from git_fleet.journal.memo import Row
from git_fleet.model.fleet import Change, Lines

TEXT = "".join(f"line {number}\n" for number in range(30))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path / "app", {"file": TEXT, "other": TEXT})
    for number in range(5):
        name = "file" if number < 4 else "other"
        branch(repo, f"b{number}", {name: TEXT.replace(f"line {number * 6}\n", f"by {number}\n")})
    repo.commit("on", {"base": "1\n"})
    return repo


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = {
        ("b", "1", "2"): Row("conflict", ("a", "b\udcff\n"), ("content", "add/add"), 2),
        ("b", "1", ""): Row("clean", (), (), 0, "tree", (Change("p", "1", "2", "3", "4"),), Lines(3, 4)),
        ("b", "2", ""): Row("unknown", (), (), why="who knows"),
        ("b", "3", ""): Row("clean", (), (), lasting=False),
    }
    memo.keep(str(tmp_path), "scope", rows)
    found = memo.recall(str(tmp_path), "scope", rows)
    assert found == {key: rows[key] for key in (("b", "1", "2"), ("b", "1", ""))}
    assert memo.recall(str(tmp_path), "another scope", rows) == {}


def test_the_second_look_remembers_and_says_the_same(repo: Repo) -> None:
    first = look(repo, remember=True)
    second = look(repo)
    assert (first.compared, first.remembered, second.remembered) == (6, 0, 6)
    assert second._replace(remembered=0, hunks={}) == first._replace(hunks={})


def test_a_branch_that_moves_costs_its_own_pairs(repo: Repo) -> None:
    look(repo, remember=True)
    repo.git("checkout", "-q", "b1")
    repo.commit("more", {"file": TEXT.replace("line 0\n", "x\n")})
    repo.git("checkout", "-q", "main")
    seen = look(repo)
    assert (seen.compared, seen.remembered) == (6, 3)
    assert seen._replace(remembered=0, hunks={}) == look(repo, memo=False)._replace(hunks={})


def test_configuration_that_decides_about_merges_begins_anew(repo: Repo) -> None:
    look(repo, remember=True)
    repo.config({"merge.renames": "false"})
    assert look(repo).remembered == 0


def test_only_who_may_write_does(repo: Repo) -> None:
    look(repo)
    assert not (repo.path / ".git/fleet").exists()


def test_a_damaged_database_is_as_if_it_were_not_there(repo: Repo) -> None:
    look(repo, remember=True)
    path = Path(database.path_of(str(repo.path / ".git/fleet")))
    path.write_bytes(b"not a database" * 100)
    seen = look(repo, remember=True)
    assert (seen.compared, seen.remembered) == (6, 0)


def test_a_database_in_use_is_not_waited_for(repo: Repo) -> None:
    look(repo, remember=True)
    connection = sqlite3.connect(database.path_of(str(repo.path / ".git/fleet")), isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        assert look(repo, remember=True).remembered == 0
    finally:
        connection.close()


def test_an_old_database_is_brought_up_to_date(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "fleet.db")
    for statement in schema.MIGRATIONS[0].split(";"):
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO landing VALUES ('42', 'tip', 'commit', 1)")
    connection.commit()
    connection.close()
    assert memo.recall(str(tmp_path), "scope", [("a", "b", "c")]) == {}
    with database.opened_to_read(str(tmp_path)) as journal:
        assert journal is not None and [landing.task for landing in journal.landings()] == ["42"]
    memo.keep(str(tmp_path), "scope", {("a", "b", "c"): Row("clean", (), ())})
    assert memo.recall(str(tmp_path), "scope", [("a", "b", "c")]) == {("a", "b", "c"): Row("clean", (), ())}
