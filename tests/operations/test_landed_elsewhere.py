"""What somebody else has landed, as a forge does it, is landed for all commands, also when its branch is gone."""

import shutil
from pathlib import Path

import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`a` has two commits, and `b` needs it."""
    repo = rooms.fleet(tmp_path, {"a": {"file": rooms.LONG.replace("line 3\n", "first\n")}, "b": None})
    repo.commit("a: more", {"new": "x\n"}, rooms.tree(repo, "a"))
    repo.git("config", "fleet.b.needs", "a")
    repo.commit("main went on", {"other": "other\n"})
    return repo


def squash(repo: Repo) -> None:
    repo.git("merge", "-q", "--squash", "a")
    repo.commit("a (#1)")


@pytest.mark.parametrize("how", ["squash", "merge"])
def test_what_needs_it_can_start_before_and_after_it_is_cleared_up(repo: Repo, how: str) -> None:
    squash(repo) if how == "squash" else repo.git("merge", "-q", "--no-ff", "a")
    repo.commit("main went on again", {"other": "again\n"})
    assert rooms.states(repo) == {"a": "landed", "b": "ready"}
    repo.fleet("clean", check=0)
    assert not repo.exists("refs/heads/a") and repo.git("config", "fleet.a.status") == "landed"
    assert rooms.states(repo) == {"a": "landed", "b": "ready"}
    assert repo.fleet("add", "--ready", check=0).out == f"{rooms.tree(repo, 'b')}\n"
    repo.fleet("undo", check=0)
    repo.fleet("undo", "1", check=0)
    assert rooms.states(repo) == {"a": "landed", "b": "ready"}


def test_add_sees_it_also_where_the_base_changed_the_same_lines_later(repo: Repo) -> None:
    squash(repo)
    repo.commit("on the same lines", {"file": rooms.LONG.replace("line 3\n", "second\n")})
    repo.fleet("add", "b", check=0)


def test_uncommitted_work_is_not_landed(repo: Repo) -> None:
    squash(repo)
    repo.write({"new": "y\n"}, rooms.tree(repo, "a"))
    assert rooms.states(repo) == {"a": "active", "b": "blocked"}


def test_a_base_that_was_set_back_has_it_no_more(repo: Repo) -> None:
    before = repo.oid("main")
    squash(repo)
    repo.fleet("clean", check=0)
    repo.git("reset", "-q", "--hard", before)
    assert rooms.states(repo) == {"a": "ready", "b": "blocked"}


def test_an_empty_branch_has_not_landed(repo: Repo) -> None:
    shutil.rmtree(rooms.tree(repo, "a"))
    repo.git("worktree", "prune")
    repo.git("branch", "-f", "a", "main~1")
    repo.git("worktree", "add", "-q", "../a", "a")
    repo.git("commit", "-q", "--allow-empty", "-m", "nothing", cwd=rooms.tree(repo, "a"))
    assert rooms.states(repo) == {"a": "active", "b": "blocked"}
