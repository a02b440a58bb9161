"""Which repository are we in?"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Repository
from git_fleet.repo import location


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"sub/file": "x\n"})


def located(folder: Path | str, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(folder)
    return location.locate()


def test_in_the_main_worktree_and_below_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    git, top = str(repo.path / ".git"), str(repo.path)
    expected = Repository(git, git, top, top, bare=False, object_format="sha1")
    assert located(repo.path, monkeypatch) == located(repo.path / "sub", monkeypatch) == expected
    assert (expected.name, expected.fleet_dir) == ("app", f"{git}/fleet")


def test_in_a_linked_worktree(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("worktree", "add", "-q", "../linked")
    git = str(repo.path / ".git")
    expected = Repository(
        git, f"{git}/worktrees/linked", str(tmp_path / "linked"), str(repo.path), bare=False, object_format="sha1"
    )
    assert located(tmp_path / "linked" / "sub", monkeypatch) == expected


def test_in_a_bare_repository(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("clone", "-q", "--bare", ".", "../hub.git")
    hub = str(tmp_path / "hub.git")
    found = located(hub, monkeypatch)
    assert found == Repository(hub, hub, None, hub, bare=True, object_format="sha1")
    assert found.name == "hub"


def test_in_a_worktree_of_a_bare_repository(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.git("clone", "-q", "--bare", ".", "../hub.git")
    repo.git("worktree", "add", "-q", "-b", "side", "../side", cwd=tmp_path / "hub.git")
    found = located(tmp_path / "side", monkeypatch)
    assert (found.common_dir, found.top, found.bare) == (str(tmp_path / "hub.git"), str(tmp_path / "side"), False)
    assert found.main == str(tmp_path / "hub.git")


def test_inside_the_git_directory(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    found = located(repo.path / ".git" / "refs", monkeypatch)
    assert (found.top, found.main, found.bare) == (None, str(repo.path), False)


def test_a_git_directory_elsewhere(
    tmp_path: Path, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo(tmp_path / "app", {"file": "x\n"}, f"--separate-git-dir={tmp_path}/store")
    repo.git("worktree", "add", "-q", "../linked")
    assert rooms.of(repo).main == str(repo.path)
    assert rooms.of(repo).common_dir == str(tmp_path / "store")
    location.note_main(rooms.of(repo))
    assert not (tmp_path / "store/fleet").exists()  # nothing of ours is there yet: nothing to note it for
    (tmp_path / "store/fleet").mkdir()
    location.note_main(rooms.of(repo))
    assert located(tmp_path / "linked", monkeypatch).main == str(repo.path)
    repo.path.rename(tmp_path / "moved")
    assert located(tmp_path / "linked", monkeypatch).main == str(tmp_path / "store")


def test_paths_are_real(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(repo.path)
    assert located(tmp_path / "link" / "sub", monkeypatch).top == str(repo.path)


def test_sha256(tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    assert rooms.of(make_repo(tmp_path / "app", {"f": "x\n"}, "--object-format=sha256")).object_format == "sha256"


@pytest.mark.parametrize("name", ["a b", "a'b", "a:b", '"ab', "a\u2028b", "a\x85b", "-a", "\udcff", "a\nb", "a\n"])
def test_odd_names(tmp_path: Path, make_repo: Callable[..., Repo], name: str) -> None:
    repo = make_repo(tmp_path / name, {"f": "x\n"})
    found = rooms.of(repo)
    assert (found.top, found.common_dir, found.name) == (str(repo.path), str(repo.path / ".git"), name)


def test_git_dir_of_the_caller_is_heard(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(repo.path / ".git"))
    assert located(tmp_path, monkeypatch).common_dir == str(repo.path / ".git")


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Fatal, match=r"^not a git repository \(or any") as caught:
        located(tmp_path, monkeypatch)
    assert caught.value.hints


def test_the_current_directory_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    with pytest.raises(Fatal, match=r"^the current directory is gone$"):
        location.locate()


def test_the_version_is_that_of_the_git_on_path() -> None:
    said = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("git version " + ".".join(map(str, location.version())))
    assert location.version() >= location.OLDEST_GIT


def test_no_git_on_path(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(Fatal, match=r"^git is not on PATH$"):
        located(repo.path, monkeypatch)


def test_a_submodule_has_a_main_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.path), "inner")
    found = rooms.of(repo, repo.path / "inner")
    assert (found.main, found.name) == (str(repo.path / "inner"), "inner")
    assert found.common_dir == str(repo.path / ".git/modules/inner")
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), cwd=repo.path / "inner")
    assert rooms.of(repo, tmp_path / "linked").main == str(repo.path / "inner")
