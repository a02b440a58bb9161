"""`halfway.put_back`: whatever git had done of a move when it was killed is taken back; what is somebody's stays."""

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo, make_repo

from git_fleet.model.errors import Busy
from git_fleet.repo import halfway, merging

LONG = "line\n" * 1000


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """On `main`; `next` changes `edited`, `mode` and `link`, takes `gone` away, brings `deep/down/new`."""
    old = {"edited": "old\n", "mode": "#!/bin/sh\n", "gone": "gone\n", "other": "other\n"}
    repo = make_repo(tmp_path / "app", old)
    (repo.path / "link").symlink_to("edited")
    repo.commit("a link")
    repo.git("checkout", "-q", "-b", "next")
    repo.write({"edited": LONG, "deep/down/new": LONG})
    (repo.path / "mode").chmod(0o755)
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("mode")
    (repo.path / "gone").unlink()
    repo.commit("next")
    repo.git("checkout", "-q", "main")
    return repo


def put_back(repo: Repo) -> bool | None:
    return halfway.put_back(rooms.of(repo), str(repo.path), repo.oid("main"), repo.oid("next"))


def moved(repo: Repo, *paths: str, staged: bool = False) -> None:
    """These are as in `next`, as git leaves them when it is killed before it writes the index, or after."""
    kept = [] if staged else ["--worktree"]
    repo.git("restore", *kept, *(["--staged", "--worktree"] if staged else []), "--source=next", "--", *paths)


PATHS = ("edited", "mode", "link", "gone", "deep/down/new")


def test_nothing_has_moved(repo: Repo) -> None:
    before = repo.snapshot()
    repo.write({"other": "mine\n"})
    assert put_back(repo) is None
    repo.write({"other": "other\n"})
    assert repo.snapshot() == before


@pytest.mark.parametrize("staged", [False, True], ids=["index-old", "index-new"])
def test_any_of_the_paths_has_moved(repo: Repo, staged: bool) -> None:
    before = repo.snapshot()
    for number in (1, 2, len(PATHS)):
        for some in itertools.combinations(PATHS, number):
            moved(repo, *some, staged=staged)
            assert put_back(repo) is True, some
            assert repo.snapshot() == before and not (repo.path / "deep").exists(), some
            assert repo.git("status", "--porcelain") == ""
            assert put_back(repo) is None


def test_the_index_alone_has_moved(repo: Repo) -> None:
    before = repo.snapshot()
    repo.git("read-tree", "next")
    assert put_back(repo) is True and repo.snapshot() == before


@pytest.mark.parametrize("torn", ["", LONG[:-2]], ids=["empty", "cut"])
def test_a_file_that_git_was_writing(repo: Repo, torn: str) -> None:
    before = repo.snapshot()
    repo.write({"edited": torn, "deep/down/new": torn})
    assert put_back(repo) is True and repo.snapshot() == before


def test_a_file_that_is_missing_for_a_moment(repo: Repo) -> None:
    """git unlinks a file before it writes the new one."""
    before = repo.snapshot()
    for name in ("edited", "link"):
        (repo.path / name).unlink()
    assert put_back(repo) is True and repo.snapshot() == before


def test_a_torn_file_with_other_line_ends_in_the_worktree(repo: Repo) -> None:
    repo.write({".git/info/attributes": "edited text eol=crlf\n"})
    (repo.path / "edited").unlink()
    repo.git("checkout", "--", "edited")
    (repo.path / "edited").write_bytes(LONG.replace("\n", "\r\n")[:3000].encode())
    assert put_back(repo) is True and (repo.path / "edited").read_bytes() == b"old\r\n"


@pytest.mark.parametrize("name", ["edited", "mode", "deep/down/new", "gone"])
@pytest.mark.parametrize("staged", [False, True], ids=["written", "staged"])
def test_what_is_somebodys_stops_it_all(repo: Repo, name: str, staged: bool) -> None:
    moved(repo, *(path for path in PATHS if path != name))
    repo.write({name: "mine\n"})
    if staged:
        repo.git("add", name)
        repo.git("restore", "--source=next", "--", name) if name != "gone" else (repo.path / name).unlink()
    before = repo.snapshot()
    assert put_back(repo) is False and repo.snapshot() == before


def test_a_conflict_in_the_index_is_somebodys(repo: Repo) -> None:
    oid = repo.oid("main:edited")
    entries = "".join(f"100644 {oid} {stage}\tedited\n" for stage in (1, 2, 3))
    repo.git("update-index", "--index-info", stdin=f"0 {'0' * 40}\tedited\n{entries}")
    before = repo.git("ls-files", "-s")
    assert put_back(repo) is False and repo.git("ls-files", "-s") == before


def test_a_folder_where_a_file_was_is_somebodys(repo: Repo) -> None:
    (repo.path / "edited").unlink()
    repo.write({"edited/mine": "mine\n"})
    assert put_back(repo) is False and repo.read("edited/mine") == "mine\n"


def test_a_lock_of_the_git_that_was_killed_is_in_the_way(repo: Repo) -> None:
    moved(repo, "edited")
    lock = repo.path / ".git/index.lock"
    lock.touch()
    with pytest.raises(Busy, match=str(lock)):
        put_back(repo)
    lock.unlink()
    assert put_back(repo) is True and repo.read("edited") == "old\n"


def test_a_submodule_that_moved_is_left_to_its_owner(repo: Repo) -> None:
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.oid('main')},sub")
    repo.git("commit", "-q", "-m", "a submodule")
    repo.git("checkout", "-q", "next")
    repo.git("merge", "-q", "-m", "both", "main")
    repo.git("update-index", "--cacheinfo", f"160000,{repo.oid('next')},sub")
    repo.git("commit", "-q", "-m", "moved")
    repo.git("checkout", "-q", "main")
    assert put_back(repo) is None
    moved(repo, "edited")
    assert put_back(repo) is True and os.path.isdir(repo.path / "sub")


@pytest.fixture
def merging_repo(repo: Repo) -> Repo:
    """In the middle of a conflicting merge of `next`, of which git has not said yet that it is one."""
    repo.commit("ours", {"edited": "ours\n", "gone": "ours\n"})
    return repo


def put_merge_back(repo: Repo, then: Callable[[], object]) -> bool | None:
    """`then`: what somebody does before."""
    at = repo.oid("main")
    foreseen = merging.as_author(rooms.of(repo), str(repo.path), "next")
    assert rooms.status_of("git", "merge", "-q", "next", cwd=repo.path) == 1
    (repo.path / ".git/MERGE_HEAD").unlink()
    then()
    return halfway.put_back(
        rooms.of(repo), str(repo.path), at, foreseen.tree, conflicts=halfway.entries(foreseen.stages)
    )


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_a_conflict_that_was_foretold_is_gits(merging_repo: Repo, style: str) -> None:
    merging_repo.config({"merge.conflictStyle": style})
    before = merging_repo.snapshot()
    assert put_merge_back(merging_repo, lambda: None) is True
    assert merging_repo.snapshot() == before and merging_repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["edited", "gone", "deep/down/new"])
def test_a_resolution_is_somebodys(merging_repo: Repo, name: str) -> None:
    def resolve() -> None:
        merging_repo.write({name: "both\n"})
        merging_repo.git("add", name)

    assert put_merge_back(merging_repo, resolve) is False and merging_repo.read(name) == "both\n"
