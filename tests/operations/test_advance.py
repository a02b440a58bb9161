"""Moving a branch with its checkout."""

from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import BrokenOff, Busy, Refused
from git_fleet.model.events import Event
from git_fleet.model.fleet import Worktree
from git_fleet.model.journal import ChangeKind, RecordedChange
from git_fleet.operations import advance
from git_fleet.repo import git

REF = "refs/heads/main"


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    repo = make_repo(tmp_path / "app", {"file": "x\n", "other": "x\n", ".gitignore": "*.log\n"})
    repo.branch("ahead", {"file": "new\n", "fresh/deep": "x\n"})
    return repo


def move(repo: Repo, old: str, new: str, *, back: bool = False) -> None:
    advance.move(rooms.of(repo), REF, repo.oid(old), repo.oid(new), "test", (), back=back)


def test_there_and_back_with_the_checkout(repo: Repo) -> None:
    start = repo.oid("main")
    move(repo, "main", "ahead")
    assert (repo.oid("main"), repo.read("file"), repo.git("status", "--porcelain")) == (repo.oid("ahead"), "new\n", "")
    move(repo, "main", start, back=True)
    assert (repo.oid("main"), repo.read("file"), repo.git("status", "--porcelain")) == (start, "x\n", "")


@pytest.mark.parametrize("checked_out", [True, False])
def test_a_branch_that_is_elsewhere_is_busy(repo: Repo, checked_out: bool) -> None:
    other = repo.branch("other")
    if not checked_out:
        repo.git("checkout", "-q", "--detach")
    before = repo.snapshot()
    with pytest.raises(Busy, match=f"'{REF}' moved meanwhile: it is at {repo.oid('main')}, not at {other}"):
        move(repo, "other", "ahead")
    assert repo.snapshot() == before


@pytest.mark.parametrize("name", ["file", "fresh", "fresh/deep", "fresh/deep/er"])
@pytest.mark.parametrize("ignored", [True, False])
def test_work_at_or_below_or_above_is_in_the_way(repo: Repo, name: str, ignored: bool) -> None:
    if ignored:
        (repo.path / ".git/info").mkdir(exist_ok=True)
        (repo.path / ".git/info/exclude").write_text("fresh\n")
    repo.write({name: "mine\n"})
    before = repo.snapshot()
    with pytest.raises(Refused, match=r"uncommitted work in .* is in the way: f"):
        move(repo, "main", "ahead")
    assert repo.snapshot() == before


def test_a_folder_takes_the_place_of_a_file_and_back(repo: Repo) -> None:
    repo.branch("folder", {"file": None, "file/below": "x\n"})
    start = repo.oid("main")
    move(repo, "main", "folder")
    repo.write({"file/mine.log": "mine\n"})
    with pytest.raises(Refused, match=r"in the way: file/mine\.log"):
        move(repo, "main", start, back=True)
    (repo.path / "file/mine.log").unlink()
    move(repo, "main", start, back=True)
    assert repo.read("file") == "x\n"


def test_work_beside_is_not_in_the_way(repo: Repo) -> None:
    repo.write({"other": "mine\n", "fresh2": "mine\n", "x.log": "mine\n"})
    move(repo, "main", "ahead")
    assert repo.git("status", "--porcelain") == " M other\n?? fresh2"


def test_the_holder_of_a_branch(repo: Repo) -> None:
    found = git.worktrees(rooms.of(repo))
    assert advance.holder(found, REF) == found[0]
    assert advance.holder(found, "refs/heads/ahead") is None
    gone = Worktree("/gone", found[0].head, REF, prunable="gitdir file points to non-existent location")
    assert advance.holder((*found, gone), REF) == found[0]
    with pytest.raises(Refused, match=r"'main' is checked out twice, in '.*app' and '/again'"):
        advance.holder((*found, Worktree("/again", found[0].head, REF)), REF)


def test_many_files_in_the_way_are_counted(repo: Repo) -> None:
    names = [f"fresh{number}" for number in range(8)]
    repo.branch("wide", dict.fromkeys(names, "x\n"))
    repo.write(dict.fromkeys(names, "mine\n"))
    with pytest.raises(Refused, match=r"in the way: fresh0, .*fresh4 and 3 more$"):
        move(repo, "main", "wide")


def test_a_git_that_fails_halfway_is_told_from_one_that_never_began(repo: Repo) -> None:
    """By the files, since a reset says no more than that it failed: the last file's filter does."""
    old = repo.commit("old", {"first": "old\n", "last": "old\n"})
    new = repo.commit("new", {"first": "new\n", "last": "new\n"})
    repo.write({".git/info/attributes": "last filter=broken\n"})
    repo.config({"filter.broken.required": "true", "filter.broken.clean": "cat", "filter.broken.smudge": "false"})
    with pytest.raises(BrokenOff):
        move(repo, new, old, back=True)
    assert repo.oid("main") == new
    repo.config({"filter.broken.smudge": "cat"})
    said: list[Event] = []
    advance.settle(rooms.of(repo), RecordedChange(ChangeKind.REF, "refs/heads/main", new, old), said.append)
    assert repo.git("status", "--porcelain") == "" and repo.read("first") == repo.read("last") == "new\n"
    move(repo, new, old, back=True)
    assert repo.read("first") == repo.read("last") == "old\n"


@pytest.mark.parametrize("name", ["index", "HEAD", "ORIG_HEAD", "refs/heads/main"])
@pytest.mark.parametrize("back", [False, True], ids=["forward", "back"])
def test_a_lock_is_looked_for_before_git_begins(repo: Repo, name: str, back: bool) -> None:
    """git writes the files first, and meets those of the refs when it has."""
    lock = repo.path / f".git/{name}.lock"
    lock.touch()
    before = repo.snapshot()
    with pytest.raises(Busy, match=f"'{lock}' is in the way"):
        move(repo, "main", "ahead", back=back)
    assert repo.snapshot() == before
    lock.unlink()
    move(repo, "main", "ahead", back=back)


def test_a_lock_that_comes_when_git_has_begun_costs_nothing(repo: Repo) -> None:
    """What was written is put back, under the lock of the refs that is still there."""
    repo.config({"fleet.ahead.branch": "ahead"})
    start = repo.oid("main")
    lock = repo.path / ".git/HEAD.lock"
    rooms.hook(repo, "post-index-change", f"touch '{lock}'")
    done = repo.fleet("land", "--no-gate", check=75)
    assert f"'{lock}' is in the way" in done.err and "it is as it was before" in done.err
    lock.unlink()
    (repo.path / ".git/hooks/post-index-change").unlink()
    assert (repo.oid("main"), repo.git("status", "--porcelain"), repo.read("file")) == (start, "", "x\n")
    repo.fleet("land", check=0)
    rooms.hook(repo, "post-index-change", f"touch '{lock}'")
    landed = repo.oid("main")
    assert f"'{lock}' is in the way" in repo.fleet("undo", check=75).err
    lock.unlink()
    (repo.path / ".git/hooks/post-index-change").unlink()
    assert (repo.oid("main"), repo.git("status", "--porcelain"), repo.read("file")) == (landed, "", "new\n")
    repo.fleet("undo", check=0)
