"""`remove`: whatever anybody could miss keeps a worktree where it is."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Task `a` has landed, its worktree is still there; `b` is at work."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.fleet("land", "a", check=0)
    return repo


def git(tree: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=tree, check=True, capture_output=True)


def modified(tree: Path) -> None:
    (tree / "file").write_text("mine\n")


def untracked(tree: Path) -> None:
    (tree / "mine").write_text("mine\n")


def ignored(tree: Path) -> None:
    (tree / "mine.log").write_text("mine\n")


def staged(tree: Path) -> None:
    (tree / "mine").write_text("mine\n")
    git(tree, "add", "mine")


def committed(tree: Path) -> None:
    git(tree, "commit", "-q", "--allow-empty", "-m", "more")


def locked(tree: Path) -> None:
    git(tree, "worktree", "lock", "--reason", "agent 7", str(tree))


def nested_worktree(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.log\n/inner\n")
    git(tree, "update-index", "--assume-unchanged", ".gitignore")
    git(tree, "worktree", "add", "-q", "-b", "inner", "inner")
    (tree / ".gitignore").write_text("*.log\n")


def nested_repository(tree: Path) -> None:
    kit.make_repo(tree / "inner", {"mine": "mine\n"})


def assumed_unchanged(tree: Path) -> None:
    git(tree, "update-index", "--assume-unchanged", "file")
    (tree / "file").write_text("mine\n")


def skipped(tree: Path) -> None:
    git(tree, "update-index", "--skip-worktree", "file")
    (tree / "file").write_text("mine\n")


def detached(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    git(tree, "commit", "-q", "--allow-empty", "-m", "on no branch")


def bisecting(tree: Path) -> None:
    git(tree, "bisect", "start")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (modified, "modified: file"),
        (untracked, "untracked: mine"),
        (ignored, "ignored: mine.log"),
        (staged, "staged: mine"),
        (committed, "has 1 commit that the base lacks"),
        (locked, "it is locked: agent 7"),
        (nested_worktree, "another worktree is in it: "),
        (nested_repository, "a repository is in it: "),
        (assumed_unchanged, "modified, though marked as unchanged: file"),
        (skipped, "modified, though marked as unchanged: file"),
        (detached, "what is checked out there is on no branch"),
        (bisecting, "a bisect is in progress"),
    ],
)
def test_it_stays(repo: Repo, harm: Callable[[Path], None], said: str) -> None:
    harm(rooms.tree(repo, "a"))
    before, operations = repo.snapshot(), rooms.operations(repo)
    refused = repo.fleet("remove", "a", check=3)
    assert said in refused.err
    assert repo.snapshot() == before and rooms.operations(repo) == operations
    assert repo.fleet("remove", "--dry-run", "a").status == 3


def test_every_reason_is_named(repo: Repo) -> None:
    for harm in (modified, untracked, ignored, locked):
        harm(rooms.tree(repo, "a"))
    said = repo.fleet("remove", "a", check=3).err
    for reason in ("modified: file", "untracked: mine", "ignored: mine.log", "it is locked: agent 7"):
        assert reason in said


@pytest.mark.parametrize("below", [".", "deep/down"])
def test_it_stays_while_you_stand_in_it(repo: Repo, below: str) -> None:
    here = rooms.tree(repo, "a") / below
    here.mkdir(parents=True, exist_ok=True)
    before = repo.snapshot()
    assert "you stand in it" in repo.fleet("remove", "a", cwd=here, check=3).err
    assert repo.snapshot() == before and here.is_dir()


def test_what_has_not_landed_stays(repo: Repo) -> None:
    before = repo.snapshot()
    assert "'b' has 1 commit that the base lacks" in repo.fleet("remove", "b", check=3).err
    assert repo.snapshot() == before


def test_one_that_stays_keeps_all(repo: Repo) -> None:
    before = repo.snapshot()
    refused = repo.fleet("remove", "a", "b", check=3)
    assert repo.snapshot() == before
    assert "git fleet remove a" in refused.err


def test_a_removed_task_is_gone_and_its_commits_are_kept(repo: Repo) -> None:
    tip, tree = repo.oid("a"), rooms.tree(repo, "a")
    repo.git("commit", "-q", "--allow-empty", "-m", "given up", cwd=tree)
    given_up = repo.oid("a")
    repo.git("reset", "-q", "--hard", tip, cwd=tree)
    done = repo.fleet("remove", "a", check=0)
    assert not tree.exists() and not repo.exists("a") and not repo.exists("refs/fleet/base/a")
    assert f"{tree}" in done.err + done.out
    repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert {repo.git("cat-file", "-t", oid) for oid in (tip, given_up)} == {"commit"}


def test_twice_is_nothing_to_do(repo: Repo) -> None:
    repo.fleet("remove", "a", check=0)
    before = repo.snapshot()
    repo.fleet("remove", "a", check=0)
    assert repo.snapshot() == before


def test_a_branch_whose_folder_was_deleted_by_hand(repo: Repo) -> None:
    subprocess.run(["rm", "-r", rooms.tree(repo, "a")], check=True)
    repo.fleet("remove", "a", check=0)
    assert not repo.exists("a")
    assert [tree.branch for tree in repo.worktrees()] == ["refs/heads/main", "refs/heads/b"]


def test_a_locked_worktree_whose_disk_is_away_stays(repo: Repo, tmp_path: Path) -> None:
    locked(rooms.tree(repo, "a"))
    rooms.tree(repo, "a").rename(tmp_path / "unmounted")
    before = repo.git("worktree", "list", "--porcelain")
    assert "it is locked: agent 7" in repo.fleet("remove", "a", check=3).err
    assert repo.git("worktree", "list", "--porcelain") == before


def test_a_worktree_that_was_moved_by_git(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "move", "../a", "../moved")
    repo.fleet("remove", "a", check=0)
    assert not (tmp_path / "moved").exists() and not repo.exists("a")


def test_no_process_needs_to_be_in_the_way_to_see_another_base(repo: Repo) -> None:
    """The base's own worktree is never a task's."""
    repo.config({"fleet.main.title": "main"})
    before = repo.snapshot()
    assert repo.fleet("remove", "main").status != 0
    assert repo.snapshot() == before and os.path.isdir(repo.path)
