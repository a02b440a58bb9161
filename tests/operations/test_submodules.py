"""`remove` and submodules: one that holds nothing of its own goes along and comes back, any other stays."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.analysis import view as views
from git_fleet.model.errors import FleetError
from git_fleet.model.events import Event, Removing
from git_fleet.model.removal import Judged
from git_fleet.operations import context as contexts
from git_fleet.operations import remove


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Task `a` has landed with the submodules `lib` and, in that, `deep/inner`; its worktree has both checked out."""
    for key, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    inner = kit.make_repo(tmp_path / "inner", {"inner": "x\n"})
    lib = kit.make_repo(tmp_path / "lib", {"lib": "x\n", ".gitignore": "*.log\nnode_modules/\n"})
    lib.git("submodule", "--quiet", "add", str(inner.path), "deep/inner")
    lib.commit("inner")
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    tree = rooms.tree(repo, "a")
    repo.git("submodule", "--quiet", "add", str(lib.path), "lib", cwd=tree)
    repo.commit("lib", cwd=tree)
    repo.git("submodule", "--quiet", "update", "--init", "--recursive", cwd=tree)
    repo.git("merge", "-q", "--no-ff", "a")
    return repo


def everything(*tops: Path) -> dict[str, bytes | str | None]:
    """Every byte below some folders, git's own files too."""
    found: dict[str, bytes | str | None] = {}
    for top in tops:
        for folder, _, names in os.walk(top):
            found[folder] = None
            for name in names:
                path = Path(folder, name)
                found[str(path)] = os.readlink(path) if path.is_symlink() else path.read_bytes()
    return found


def judged(repo: Repo) -> Judged:
    with contextlib.chdir(repo.path):
        context = contexts.find()
        [found] = remove.judge(context, views.view(context.plan), ["a"])
        return found


def test_a_clean_one_goes_along_and_comes_back_as_it_was(repo: Repo) -> None:
    tree, entry = rooms.tree(repo, "a"), repo.path / ".git/worktrees/a"
    repo.write({"lib/node_modules/x.js": "x\n"}, tree)
    evidence = judged(repo).facts
    assert (evidence.submodules, evidence.disposable) == (("lib", "lib/deep/inner"), ("lib/node_modules/",))
    before, refs = everything(tree, entry), repo.snapshot().refs
    repo.fleet("remove", "a", check=0)
    assert not tree.exists() and not entry.exists()
    repo.fleet("undo", check=0)
    assert everything(tree, entry) == before and repo.snapshot().refs == refs
    assert repo.git("submodule", "status", "--recursive", cwd=tree).count("(") == 2
    repo.fleet("undo", check=0)
    repo.fleet("clean", "--purge", check=0, oracle=False)
    assert not (repo.path / ".git/fleet/trash").exists()


def modified(lib: Path) -> str:
    (lib / "lib").write_text("mine\n")
    return "in its submodule 'lib': modified: lib"


def untracked(lib: Path) -> str:
    (lib / "mine").write_text("mine\n")
    return "in its submodule 'lib': untracked: mine"


def ignored(lib: Path) -> str:
    (lib / "mine.log").write_text("mine\n")
    return "in its submodule 'lib': ignored: mine.log"


def hidden(lib: Path) -> str:
    Repo(lib).git("update-index", "--assume-unchanged", "lib")
    (lib / "lib").write_text("mine\n")
    return "in its submodule 'lib': modified, though marked as unchanged: lib"


def at_another_commit(lib: Path) -> str:
    Repo(lib).git("checkout", "-q", "HEAD~")
    return "modified: lib"


def not_pushed(lib: Path) -> str:
    Repo(lib).git("branch", "mine")
    Repo(lib).git("update-ref", "refs/heads/mine", Repo(lib).git("commit-tree", "-m", "mine", "HEAD^{tree}"))
    return "its submodule 'lib' has commits that are on no remote"


def stashed(lib: Path) -> str:
    (lib / "lib").write_text("mine\n")
    Repo(lib).git("stash", "-q")
    return "its submodule 'lib' has commits that are on no remote"


def bisecting(lib: Path) -> str:
    Repo(lib).git("bisect", "start")
    return "in its submodule 'lib': a bisect is in progress"


def a_repository_in_it(lib: Path) -> str:
    kit.make_repo(lib / "mine", {"mine": "mine\n"})
    return f"a repository is in it: {lib}/mine"


def a_repository_among_its_files(lib: Path) -> str:
    kit.make_repo(lib / "deep")
    return f"a repository is in it: {lib}/deep"


def worktrees_of_its_own(lib: Path) -> str:
    Repo(lib).git("worktree", "add", "-q", "--detach", "../../elsewhere")
    return "its submodule 'lib' has worktrees of its own"


def no_repository(lib: Path) -> str:
    """git status says nothing of what lies there."""
    (lib / ".git").unlink()
    return "its submodule 'lib' has files, but no repository"


def a_repository_elsewhere(lib: Path) -> str:
    Repo(lib).git("config", "--unset", "core.worktree")
    git_dir = Path(Repo(lib).git("rev-parse", "--absolute-git-dir"))
    (lib / ".git").unlink()
    git_dir.rename(lib / ".git")
    return f"a repository is in it: {lib}"


def work_in_the_inner_one(lib: Path) -> str:
    (lib / "deep/inner/mine").write_text("mine\n")
    return "in its submodule 'lib/deep/inner': untracked: mine"


def commits_of_the_inner_one(lib: Path) -> str:
    not_pushed(lib / "deep/inner")
    return "its submodule 'lib/modules/deep/inner' has commits that are on no remote"


def put_away_with_work(lib: Path) -> str:
    not_pushed(lib)
    Repo(lib.parent).git("submodule", "--quiet", "deinit", "--all")
    return "its submodule 'lib' has commits that are on no remote"


@pytest.mark.parametrize(
    "harm",
    [
        modified, untracked, ignored, hidden, at_another_commit, not_pushed, stashed, bisecting, a_repository_in_it,
        a_repository_among_its_files, worktrees_of_its_own, no_repository, a_repository_elsewhere,
        work_in_the_inner_one, commits_of_the_inner_one, put_away_with_work,
    ],
)  # fmt: skip
def test_one_that_anybody_could_miss_keeps_its_worktree(repo: Repo, harm: Callable[[Path], str]) -> None:
    said = harm(rooms.tree(repo, "a") / "lib")
    found = judged(repo)
    assert (str(found.verdict.fate), said in found.verdict.reasons) == ("keep", True), found.verdict.reasons
    assert any("submodule" in hint or said == "modified: lib" for hint in found.verdict.hints)


@pytest.mark.parametrize("harm", [untracked, at_another_commit, not_pushed, work_in_the_inner_one])
def test_who_writes_in_one_between_the_look_and_the_rename_keeps_it(repo: Repo, harm: Callable[[Path], str]) -> None:
    tree, entry = rooms.tree(repo, "a"), repo.path / ".git/worktrees/a"
    then: list[object] = []

    def say(event: Event) -> None:
        if isinstance(event, Removing):
            harm(tree / "lib")
            then.append(everything(tree, entry))

    with contextlib.chdir(repo.path), pytest.raises(FleetError, match="was changed meanwhile"):
        context = contexts.find()
        remove.remove(context, views.view(context.plan), ["a"], say)
    assert then == [everything(tree, entry)] and repo.exists("a")


def test_a_repository_in_one_in_the_trash_stays_there(repo: Repo) -> None:
    repo.fleet("remove", "a", check=0)
    place = repo.path / ".git/fleet/trash/1/0"
    kit.make_repo(place / "lib/node_modules/mine", {"mine": "mine\n"})
    assert "a repository is in it" in repo.fleet("clean", "--purge", check=3).out
    assert (place / "lib/node_modules/mine/mine").read_text() == "mine\n"
