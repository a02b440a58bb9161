"""Looking into worktrees: every kind of uncommitted work, under every kind of name, and nothing is written."""

import os
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.model.fleet import Dirt
from git_fleet.repo import looking

ODD = ("new\nline", "-dash", "\udcff", "sp ace", '"quoted"', "ü", "tab\there", ":(top)x", "a\u2028b")


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"file": "x\n", "other": "x\n", ".gitignore": "*.log\nbuild/\n"})


def seen(repo: Repo, *, untracked: bool = True) -> Dirt | None:
    top = str(repo.path)
    return looking.dirt([top], untracked=untracked)[top]


def test_a_clean_worktree(repo: Repo) -> None:
    assert seen(repo) == looking.holdings(str(repo.path)) == Dirt()


def test_every_kind(repo: Repo) -> None:
    repo.write({"new": "x\n", "folder/deep": "x\n", "x.log": "x\n", "build/out": "x\n", "staged": "x\n"})
    repo.git("add", "staged")
    repo.write({"file": "changed\n", "other": None})
    repo.write({"staged": "and changed again\n"})
    expected = Dirt(staged=("staged",), unstaged=("file", "other", "staged"), untracked=("folder/", "new"))
    assert seen(repo) == expected
    assert not expected.clean and expected.paths == ("staged", "file", "other", "folder/", "new")
    assert seen(repo, untracked=False) == expected._replace(untracked=())
    whole = expected._replace(untracked=("folder/deep", "new"), ignored=("build/", "x.log"))
    assert looking.holdings(str(repo.path)) == whole


def test_odd_names(repo: Repo) -> None:
    repo.write(dict.fromkeys(ODD, "x\n"))
    assert set(seen(repo).untracked) == set(ODD)  # type: ignore[union-attr]
    repo.git("add", "-A")
    assert set(seen(repo).staged) == set(ODD)  # type: ignore[union-attr]
    repo.git("commit", "-q", "-m", "odd")
    repo.write(dict.fromkeys(ODD, "changed\n"))
    assert set(seen(repo).unstaged) == set(ODD)  # type: ignore[union-attr]


def test_a_rename_is_two_paths(repo: Repo) -> None:
    repo.git("mv", "file", "renamed")
    assert seen(repo) == Dirt(staged=("file", "renamed"))


def test_modes_and_kinds_count(repo: Repo) -> None:
    (repo.path / "file").chmod(0o755)
    (repo.path / "other").unlink()
    (repo.path / "other").symlink_to("file")
    assert seen(repo) == Dirt(unstaged=("file", "other"))


@pytest.mark.parametrize(
    ("touched", "met"),
    [
        (["file", "other", "new", "build/new", "a/b/c"], []),
        (["x.log", "build/out"], ["build/out", "x.log"]),
        (["build"], ["build/"]),
        (["x.log/deep/er", "link/deep"], ["link", "x.log"]),
        (["file/below"], []),
        (["staged", "mixed"], ["mixed/mine"]),
        (["empty", "empty/x"], []),
        (list(ODD), sorted(ODD)),
    ],
)
def test_what_git_does_not_track_where_something_is_written(repo: Repo, touched: list[str], met: list[str]) -> None:
    """A tracked file in the way is git status' affair: it is as committed, or it is dirty."""
    repo.commit("tracked", {"mixed/theirs": "x\n"})
    repo.write({"mixed/mine": "x\n", "x.log": "x\n", "build/out": "x\n", "staged": "x\n", **dict.fromkeys(ODD, "x\n")})
    repo.git("add", "staged")
    (repo.path / "link").symlink_to("build")
    (repo.path / "empty").mkdir()
    assert looking.untracked_where(rooms.of(repo), str(repo.path), touched) == met


def test_conflicts(repo: Repo) -> None:
    repo.branch("side", {"file": "theirs\n"})
    repo.commit("ours", {"file": "ours\n"})
    assert rooms.status_of("git", "merge", "-q", "side", cwd=repo.path) == 1
    assert seen(repo) == Dirt(unmerged=("file",), operation="merge")


def test_a_user_who_hides_untracked_files_hides_none_from_us(repo: Repo) -> None:
    repo.config({"status.showUntrackedFiles": "no", "status.short": "true", "status.branch": "true"})
    repo.config({"core.quotePath": "true", "status.renames": "copies", "status.showStash": "true"})
    repo.write({"ü": "x\n"})
    assert seen(repo) == Dirt(untracked=("ü",))


def test_many_worktrees_each_gets_its_own(repo: Repo, tmp_path: Path) -> None:
    for name in ("one", "two"):
        repo.git("worktree", "add", "-q", f"../{name}")
    (tmp_path / "one" / "new").write_text("x\n")
    tops = [str(tmp_path / name) for name in ("two", "one", "none")]
    assert looking.dirt(tops) == {tops[0]: Dirt(), tops[1]: Dirt(untracked=("new",)), tops[2]: None}
    assert looking.dirt([]) == {}


def test_looking_writes_nothing(repo: Repo) -> None:
    os.utime(repo.path / "file", (1, 1))  # git would like to refresh its index now
    with kit.frozen(repo):
        assert looking.holdings(str(repo.path)) == Dirt()
        assert looking.untracked_where(rooms.of(repo), str(repo.path), ["new"]) == []


def test_a_folder_that_lost_its_git_is_not_taken_for_the_repository_around_it(repo: Repo) -> None:
    inner = repo.path / "build" / "inner"
    repo.git("worktree", "add", "-q", "-b", "inner", inner)
    (inner / ".git").unlink()
    assert looking.dirt([str(inner)]) == {str(inner): None}


@pytest.mark.parametrize("content", ["", "nonsense\n", "gitdir: /nonexistent\n", "gitdir:"])
def test_a_git_file_that_leads_nowhere(repo: Repo, tmp_path: Path, content: str) -> None:
    repo.git("worktree", "add", "-q", "../side")
    (tmp_path / "side" / ".git").write_text(content)
    assert looking.dirt([str(tmp_path / "side")]) == {str(tmp_path / "side"): None}


def test_a_broken_index_is_not_clean(repo: Repo) -> None:
    (repo.path / ".git" / "index").write_bytes(b"broken")
    assert seen(repo) is None


def test_the_private_directory(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "../side")
    private = f"{repo.path}/.git/worktrees/side"
    assert looking.private_dir(str(repo.path)) == f"{repo.path}/.git"
    assert looking.private_dir(str(tmp_path / "side")) == private
    (tmp_path / "side" / ".git").write_text("gitdir: ../app/.git/worktrees/side\n")
    assert looking.private_dir(str(tmp_path / "side")) == private
    assert looking.private_dir(str(tmp_path)) is None
    assert looking.index_bytes(str(tmp_path / "side")) == os.path.getsize(f"{private}/index")
    assert looking.index_bytes(str(tmp_path)) == 0


# -------------------------------------------------------------------------------------------------------- in progress


@pytest.fixture
def side(repo: Repo, tmp_path: Path) -> Path:
    """A linked worktree on `side`, which conflicts with main."""
    repo.git("worktree", "add", "-q", "-b", "side", "../side")
    repo.commit("theirs", {"file": "theirs\n"}, tmp_path / "side")
    repo.commit("ours", {"file": "ours\n"})
    return tmp_path / "side"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("merge", "main"), "merge"),
        (("rebase", "main"), "rebase"),
        (("rebase", "--apply", "main"), "rebase"),
        (("cherry-pick", "main"), "cherry-pick"),
        (("revert", "--no-edit", "main"), "revert"),
    ],
)
def test_operations_that_stopped(repo: Repo, side: Path, command: tuple[str, ...], name: str) -> None:
    assert rooms.status_of("git", *command, cwd=side) != 0
    dirt = looking.dirt([str(side)])[str(side)]
    assert dirt is not None and (dirt.operation, dirt.unmerged) == (name, ("file",))
    assert looking.operation_in_progress(f"{repo.path}/.git") is None


@pytest.mark.parametrize("command", [("cherry-pick", "main~", "main"), ("revert", "--no-edit", "main", "main~")])
def test_several_picks_of_which_one_was_committed_by_hand(repo: Repo, side: Path, command: tuple[str, ...]) -> None:
    repo.commit("more", {"file": "more\n"})
    assert rooms.status_of("git", *command, cwd=side) != 0
    repo.git("commit", "-q", "-a", "-m", "by hand", cwd=side)
    assert looking.dirt([str(side)])[str(side)] == Dirt(operation="cherry-pick")


def test_a_bisection_is_an_operation(repo: Repo, side: Path) -> None:
    repo.git("bisect", "start", cwd=side)
    assert looking.dirt([str(side)])[str(side)] == Dirt(operation="bisect")


def test_what_is_being_merged(repo: Repo, side: Path) -> None:
    rooms.status_of("git", "merge", "main", cwd=side)
    assert looking.merge_head(str(side)) == repo.oid("main")
    assert looking.merge_head(str(repo.path)) is None
    assert looking.commit_and_parents(rooms.of(repo), str(side)) == [repo.oid("side"), repo.oid("side~")]


# --------------------------------------------------------------------------------------------------------- hidden edits


def hidden(repo: Repo) -> tuple[str, ...]:
    return looking.hidden_edits(rooms.of(repo), str(repo.path))


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_edits_that_status_does_not_show(repo: Repo, flag: str) -> None:
    repo.git("update-index", flag, "file", "other")
    assert hidden(repo) == ()
    repo.write({"file": "mine\n"})
    assert seen(repo) == Dirt()
    with kit.frozen(repo):
        assert hidden(repo) == ("file",)


def test_both_flags_at_once(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "file")
    repo.git("update-index", "--skip-worktree", "file")
    repo.write({"file": "mine\n"})
    assert hidden(repo) == ("file",)


def test_files_left_out_of_a_sparse_checkout_are_no_edits(repo: Repo) -> None:
    repo.commit("deep", {"deep/down": "x\n"})
    repo.git("sparse-checkout", "set", "--no-cone", "/file")
    assert hidden(repo) == ()


def test_hidden_edits_under_odd_names(repo: Repo) -> None:
    repo.commit("odd", dict.fromkeys(ODD, "x\n"))
    repo.git("update-index", "--assume-unchanged", "-z", "--stdin", stdin="\0".join(ODD))
    assert hidden(repo) == ()
    repo.write(dict.fromkeys(ODD, "mine\n"))
    assert set(hidden(repo)) == set(ODD)


def test_links_are_compared_as_links(repo: Repo) -> None:
    for name, target in (("whole", "file"), ("dangling", "nowhere"), ("moved", "file")):
        (repo.path / name).symlink_to(target)
    repo.commit("links")
    repo.git("update-index", "--assume-unchanged", "whole", "dangling", "moved")
    assert hidden(repo) == ()
    (repo.path / "moved").unlink()
    (repo.path / "moved").symlink_to("other")
    assert hidden(repo) == ("moved",)


def test_a_folder_where_a_hidden_file_was(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "file")
    (repo.path / "file").unlink()
    repo.write({"file/deep": "mine\n"})
    assert hidden(repo) == ("file",)


def test_line_ends_are_those_of_the_attributes(repo: Repo) -> None:
    repo.commit("crlf", {".gitattributes": "*.txt text eol=crlf\n", "a.txt": "x\n"})
    (repo.path / "a.txt").unlink()
    repo.git("checkout", "a.txt")
    assert repo.read("a.txt") == "x\r\n"
    repo.git("update-index", "--assume-unchanged", "a.txt")
    os.utime(repo.path / "a.txt", (1, 1))
    assert hidden(repo) == ()


# ------------------------------------------------------------------------------------------------------------ the rest


def test_conflict_markers_in_what_is_staged(repo: Repo) -> None:
    marked = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
    repo.write({"marked": marked, "new\nline": marked, "fine": "=======\n<<<<<<<<\n << a\n", "unasked": marked})
    repo.git("add", "-A")
    repo.write({"marked": "resolved, not added\n"})
    asked = ["marked", "new\nline", "fine", "gone"]
    found = looking.with_conflict_markers(rooms.of(repo), str(repo.path), asked)
    assert sorted(found) == ["marked", "new\nline"]
    assert looking.with_conflict_markers(rooms.of(repo), str(repo.path), []) == []


def test_nested_repositories(repo: Repo, tmp_path: Path) -> None:
    kit.make_repo(repo.path / "sub" / "inner", {"x": "x\n"})
    repo.git("worktree", "add", "-q", "-b", "side", repo.path / "tree")
    kit.make_repo(tmp_path / "outside", {"x": "x\n"})
    (repo.path / "link").symlink_to(tmp_path / "outside")
    found = looking.below(str(repo.path)).repositories
    assert sorted(found) == [f"{repo.path}/sub/inner", f"{repo.path}/tree"]
