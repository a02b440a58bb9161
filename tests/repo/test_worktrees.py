"""Worktree administration: what `git worktree add` leaves, and to the trash and back without loss."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import Fatal, FleetError, Refused
from git_fleet.repo import changing, looking, process, worktrees


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    repo = make_repo(tmp_path / "app", {"file": "x\n", "sub/deep": "x\n"})
    repo.git("branch", "side")
    return repo


def made(repo: Repo, path: Path, branch: str = "side") -> Path:
    """A worktree, registered and filled as `add` does it."""
    folder = worktrees.create(rooms.of(repo), str(path), branch)
    [done] = process.run_many([changing.fill(str(path), folder)], at_once=1)
    os.close(folder)
    assert done.status == 0, done.stderr
    return path


def entries(repo: Repo) -> list[str]:
    home = repo.common_dir() / "worktrees"
    return sorted(os.listdir(home)) if home.is_dir() else []


def test_it_is_what_git_makes(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "plain")
    ours, theirs = made(repo, tmp_path / "ours"), tmp_path / "theirs"
    repo.git("worktree", "add", "-q", theirs, "plain")
    for path, branch in ((ours, "side"), (theirs, "plain")):
        assert repo.git("symbolic-ref", "HEAD", cwd=path) == f"refs/heads/{branch}"
        assert repo.git("status", "--porcelain=v2", "--ignored", cwd=path) == ""
        assert sorted(os.listdir(path)) == [".git", "file", "sub"]
    home = repo.path / ".git/worktrees"
    for name in ("commondir", "gitdir"):
        ours_said = (home / "ours" / name).read_text().replace("ours", "x")
        theirs_said = (home / "theirs" / name).read_text().replace("theirs", "x")
        assert ours_said == theirs_said  # also of the way to the repository, which may be moved
    assert repo.git("fsck", "--no-dangling") == ""


def test_no_branch_of_ours_is_left(repo: Repo, tmp_path: Path) -> None:
    before = repo.snapshot().refs
    made(repo, tmp_path / "tree")
    assert repo.snapshot().refs == before
    assert "fleet-new-worktree" not in "".join(
        path.read_text()
        for path in (repo.path / ".git/worktrees/tree").rglob("*")
        if path.is_file() and path.name != "index"
    )


def test_the_head_reflog_tells_only_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    tree = made(repo, tmp_path / "tree")
    heads = repo.git("log", "--walk-reflogs", "--format=%H", "HEAD", "--", cwd=tree).split()
    assert set(heads) <= {repo.oid("main")}


def test_the_index_is_fresh(repo: Repo, tmp_path: Path) -> None:
    tree = made(repo, tmp_path / "tree")
    assert rooms.status_of("git", "diff-files", "--quiet", cwd=tree) == 0
    assert looking.index_bytes(str(tree)) > 0


def test_folders_on_the_way_are_made(repo: Repo, tmp_path: Path) -> None:
    made(repo, tmp_path / "one" / "two" / "tree")
    assert (tmp_path / "one/two/tree/file").is_file()


def test_an_entry_name_that_is_taken(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "other")
    made(repo, tmp_path / "here" / "tree")
    made(repo, tmp_path / "there" / "tree", "other")
    assert entries(repo) == ["tree", "tree1"]
    assert [tree.branch for tree in repo.worktrees()] == [f"refs/heads/{n}" for n in ("main", "side", "other")]


@pytest.mark.parametrize("name", ["sp ace", "it's", "new\nline", "ü", "a:b", "-dash", "x.lock", "a..b", "@{x}"])
def test_odd_folder_names(repo: Repo, tmp_path: Path, name: str) -> None:
    tree = made(repo, tmp_path / name)
    assert [entry.path for entry in repo.worktrees()] == [str(repo.path), str(tree)]
    assert repo.git("status", "--porcelain", cwd=tree) == ""


@pytest.mark.parametrize("options", [["--object-format=sha256"], []])
def test_what_libgit2_cannot_open_is_gits(tmp_path: Path, make_repo: Callable[..., Repo], options: list[str]) -> None:
    repo = make_repo(tmp_path / "app", {"file": "x\n"}, *options)
    if not options:
        repo.config({"core.repositoryFormatVersion": "1", "extensions.partialClone": "origin"})
    repo.git("branch", "side")
    tree = made(repo, tmp_path / "tree")
    assert repo.git("symbolic-ref", "HEAD", cwd=tree) == "refs/heads/side"
    assert repo.git("status", "--porcelain", cwd=tree) == ""
    assert repo.git("branch", "--format=%(refname:short)").split() == ["main", "side"]


def test_a_sparse_checkout_is_inherited_as_git_does_it(repo: Repo, tmp_path: Path) -> None:
    repo.git("sparse-checkout", "set", "sub")
    repo.git("worktree", "add", "-q", "-b", "plain", "../plain")
    tree = made(repo, tmp_path / "tree")
    shown = [sorted(os.listdir(path)) for path in (tree, tmp_path / "plain")]
    assert shown[0] == shown[1]
    assert repo.git("status", "--porcelain", cwd=tree) == ""


def test_what_a_killed_run_left_is_no_hindrance(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "fleet-new-worktree")
    made(repo, tmp_path / "tree")
    assert not repo.exists("fleet-new-worktree")


def test_a_place_that_cannot_be_leaves_nothing(repo: Repo, tmp_path: Path) -> None:
    before = repo.snapshot()
    (tmp_path / "file").write_text("x\n")
    for place in ("/proc/nowhere", str(tmp_path / "file" / "tree")):
        with pytest.raises((FleetError, OSError)):
            worktrees.create(rooms.of(repo), place, "side")
        assert repo.snapshot() == before and entries(repo) == []


# --------------------------------------------------------------------------------------------------------------- trash


def trash(repo: Repo, tree: Path, operation: int = 7) -> worktrees.Trashed:
    trashed = worktrees.trash_place(rooms.of(repo), str(tree), operation, 0)
    worktrees.move_folder_to_trash(trashed)
    worktrees.move_entry_to_trash(rooms.of(repo), trashed)
    return trashed


def back(repo: Repo, trashed: worktrees.Trashed) -> None:
    worktrees.move_entry_back(rooms.of(repo), trashed)
    worktrees.move_folder_back(trashed)


def test_to_the_trash_and_back_keeps_everything(repo: Repo, tmp_path: Path) -> None:
    tree = made(repo, tmp_path / "tree")
    repo.commit("work", {"file": "work\n"}, tree)
    repo.write({"staged": "staged\n"}, tree)
    repo.git("add", "staged", cwd=tree)
    repo.write({"staged": "and changed\n", "untracked": "x\n", "file": "edited\n"}, tree)
    (tree / "link").symlink_to("nowhere")
    os.utime(tree / "untracked", (5, 5))

    def everything() -> tuple[object, ...]:
        says = [("status", "--porcelain=v2"), ("ls-files", "-s"), ("reflog", "show", "HEAD"), ("stash", "list")]
        return (repo.snapshot(), (tree / "untracked").stat().st_mtime, *(repo.git(*words, cwd=tree) for words in says))

    before = everything()
    trashed = trash(repo, tree)
    assert not tree.exists() and len(repo.worktrees()) == 1 and entries(repo) == []
    assert trashed.folder.startswith(f"{repo.path}/.git/fleet/trash/7/")
    back(repo, trashed)
    assert everything() == before


def test_a_worktree_that_is_linked_by_a_relative_path(repo: Repo, tmp_path: Path) -> None:
    """As newer gits do where `worktree.useRelativePaths` is set: looked into in the trash, and back as it was."""
    tree = made(repo, tmp_path / "tree")
    private = Path(repo.git("rev-parse", "--absolute-git-dir", cwd=tree))
    link = f"gitdir: {os.path.relpath(private, tree)}\n"
    (tree / ".git").write_text(link)
    (private / "gitdir").write_text(f"{os.path.relpath(tree, private)}/.git\n")
    place = worktrees.trash_place(rooms.of(repo), str(tree), 7, 0)
    worktrees.move_folder_to_trash(place)
    found = looking.dirt([place.folder])[place.folder]
    assert found is not None and found.clean
    worktrees.move_folder_back(place)
    assert (tree / ".git").read_text() == link
    assert repo.git("status", "--porcelain", cwd=tree) == ""


def test_the_branch_is_free_while_its_worktree_is_in_the_trash(repo: Repo, tmp_path: Path) -> None:
    trash(repo, made(repo, tmp_path / "tree"))
    repo.git("checkout", "-q", "side")


def test_git_can_look_at_a_folder_in_the_trash(repo: Repo, tmp_path: Path) -> None:
    tree = made(repo, tmp_path / "tree")
    repo.write({"late": "x\n"}, tree)
    trashed = worktrees.trash_place(rooms.of(repo), str(tree), 7, 0)
    worktrees.move_folder_to_trash(trashed)
    dirt = looking.dirt([trashed.folder])[trashed.folder]
    assert dirt is not None and dirt.untracked == ("late",)


def test_back_is_refused_where_something_is(repo: Repo, tmp_path: Path) -> None:
    tree = made(repo, tmp_path / "tree")
    trashed = trash(repo, tree)
    tree.mkdir()
    with pytest.raises(Refused, match=f"^'{tree}' exists: "):
        worktrees.move_folder_back(trashed)
    tree.rmdir()
    repo.git("worktree", "add", "-q", "-b", "other", tmp_path / "again" / "tree")
    with pytest.raises(Refused, match=r"^another worktree is registered as 'tree' by now$"):
        worktrees.move_entry_back(rooms.of(repo), trashed)
    assert worktrees.entry_exists(rooms.of(repo), "tree")


@pytest.mark.parametrize("kind", ["main", "foreign", "plain"])
def test_what_is_no_linked_worktree_of_ours_never_goes_to_the_trash(repo: Repo, tmp_path: Path, kind: str) -> None:
    other = Repo(tmp_path / "other")
    repo.git("clone", "-q", ".", "../other")
    other.git("worktree", "add", "-q", "../foreign")
    (tmp_path / "plain").mkdir()
    path = repo.path if kind == "main" else tmp_path / kind
    with pytest.raises((Refused, Fatal)):
        worktrees.trash_place(rooms.of(repo), str(path), 1, 0)
