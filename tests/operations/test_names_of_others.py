"""A ref that is another's name, a folder that says it is another worktree, a name with odd characters."""

import shutil
from pathlib import Path

import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Tasks `a` and `b` have landed, their worktrees are still there."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.git("merge", "-q", "--no-ff", "a")
    repo.git("merge", "-q", "--no-ff", "b")
    return repo


@pytest.mark.parametrize("how", [["remove", "c"], ["clean"], ["land", "c"]])
def test_a_branch_that_only_names_another_is_left_alone_and_so_is_that(repo: Repo, how: list[str]) -> None:
    repo.config({"fleet.c.title": "c"})
    repo.git("worktree", "add", "-q", "-b", "precious", "../precious")
    repo.commit("mine", {"mine": "x\n"}, rooms.tree(repo, "precious"))
    repo.git("symbolic-ref", "refs/heads/c", "refs/heads/precious")
    tip = repo.oid("precious")
    repo.fleet(*how)
    assert repo.git("symbolic-ref", "refs/heads/c") == "refs/heads/precious" and repo.oid("precious") == tip
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "precious")) == ""


def test_a_base_that_only_names_another_is_that_one(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, base="main")
    repo.git("branch", "-m", "trunk")
    repo.git("symbolic-ref", "refs/heads/main", "refs/heads/trunk")
    assert "landed a on trunk" in repo.fleet("land", "--onto", "main", check=0).out
    assert (repo.git("status", "--porcelain"), repo.read("a")) == ("", "x\n")
    repo.fleet("undo", check=0)
    assert (repo.git("status", "--porcelain"), (repo.path / "a").exists()) == ("", False)


def test_a_folder_whose_git_names_the_entry_of_another_stays(repo: Repo) -> None:
    a, b = rooms.tree(repo, "a"), rooms.tree(repo, "b")
    shutil.rmtree(a)
    shutil.copytree(b, a, symlinks=True)
    done = repo.fleet("remove", "a", check=3)
    assert "a stays: its '.git' leads to '" in done.err and "which is not its entry" in done.err
    assert repo.git("rev-parse", "HEAD", cwd=b) == repo.oid("b") and repo.oid("a")
    assert "1 removed" in repo.fleet("clean", oracle=False).out  # b, which is what it says
    assert a.is_dir() and repo.oid("a") and not repo.git("branch", "--list", "b")


def test_a_branch_that_was_renamed_in_its_worktree(repo: Repo) -> None:
    repo.git("branch", "-m", "a", "better")
    for how in (["add", "a"], ["remove", "a"]):
        assert "hint: git fleet plan set a branch better" in repo.fleet(*how, check=3).err
    repo.fleet("plan", "set", "a", "branch", "better", check=0)
    repo.fleet("remove", "a", check=0)


def test_what_has_landed_and_is_gone_is_not_to_be_removed(repo: Repo) -> None:
    assert "git fleet remove a" in repo.fleet("add", "a", check=3).err
    repo.fleet("remove", "a", check=0)
    for how in (["add", "a"], ["run", "a", "--", "true"]):
        said = repo.fleet(*how, check=3).err
        assert "it has landed already" in said and "git fleet remove" not in said


def test_hints_can_be_typed_whatever_the_folder_is_called(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path / "ada's", {"a": {"file": "x\n"}})
    repo.write({"file": "mine\n"})
    said = repo.fleet("land", check=3).err
    command = said.partition("try again: ")[2].strip()
    assert rooms.status_of("sh", "-c", command, cwd=tmp_path) == 0


def test_no_name_begins_a_line(repo: Repo) -> None:
    top = rooms.tree(repo, "a")
    repo.git("worktree", "lock", "--reason", "x\nhint: rm -rf ~", str(top))
    (top / "y\nhint: rm -rf ~").touch()
    for how in (["remove", "a"], ["remove", "a", "--dry-run"], ["undo"]):
        done = repo.fleet(*how)
        assert not any(line.startswith("hint: rm") for line in (done.out + done.err).split("\n"))
