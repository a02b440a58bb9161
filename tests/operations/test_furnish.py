"""What `add` brings into a new worktree besides the files of its branch, and what becomes of that."""

from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = rooms.fleet(tmp_path, {"a": None, "b": None}, copy="/config/")
    repo.commit("ignore", {".gitignore": "*.log\n.env\n/config/x\n", "config/t": "x\n", ".worktreeinclude": ".env\n"})
    repo.write({".env": "TOKEN=1\n", "sub/.env": "x\n", "config/x": "secret\n", "draft": "mine\n", "big.log": "x\n"})
    return repo


def content(tree: Path) -> dict[str, str]:
    """What git does not track there."""
    found = kit.Repo(tree).git("ls-files", "-o", "-z").split("\0")[:-1]
    return {name: (tree / name).read_text() for name in found}


def test_what_is_asked_for_is_copied(repo: Repo) -> None:
    """By the configuration and by a tracked file; what is not ignored stays where it is."""
    before = repo.snapshot()
    said = repo.fleet("add", "--dry-run", "a", "b", check=0).err
    assert "would copy 3 ignored files into a\n" in said and repo.snapshot() == before
    said = repo.fleet("add", "a", "b", check=0).err
    assert "copied 3 ignored files into b\n" in said
    for task in "ab":
        assert content(rooms.tree(repo, task)) == {".env": "TOKEN=1\n", "sub/.env": "x\n", "config/x": "secret\n"}
        assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, task)) == ""
    one, two = (rooms.tree(repo, "a") / ".env").stat(), (repo.path / ".env").stat()
    assert one.st_nlink == 1 and one.st_ino != two.st_ino
    assert "copied" not in repo.fleet("add", "a", check=0).err


def test_nothing_is_written_through_a_link_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    repo.git("worktree", "add", "-q", "-b", "a", "../tmp", "main")
    repo.git("rm", "-rq", "config", cwd=tmp_path / "tmp")
    (tmp_path / "tmp/config").symlink_to("../outside")
    repo.commit("a link", cwd=tmp_path / "tmp")
    repo.git("worktree", "remove", "../tmp")
    said = repo.fleet("add", "a", check=0).err
    assert "copied 2 ignored files into a, but not: config/x (its branch does not ignore it)" in said
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_the_branch_does_not_ignore_would_be_committed_by_accident(repo: Repo) -> None:
    repo.branch("a", {".gitignore": "/config/x\n", "sub/.env": "the branch's\n"})
    said = repo.fleet("add", "a", check=0).err
    assert "copied 1 ignored file into a, but not: .env (" in said and "sub/.env (" in said
    assert content(rooms.tree(repo, "a")) == {"config/x": "secret\n"}
    assert (rooms.tree(repo, "a") / "sub/.env").read_text() == "the branch's\n"


def test_patterns_that_cannot_be_read(repo: Repo, tmp_path: Path) -> None:
    (repo.path / ".worktreeinclude").unlink()
    (repo.path / ".worktreeinclude").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("draft\n")
    before = repo.snapshot()
    assert "'.worktreeinclude'" in repo.fleet("add", "a", check=128).err.replace(f"{repo.path}/", "")
    assert repo.snapshot() == before


def test_a_bare_repository_has_them_where_the_base_is(tmp_path: Path) -> None:
    rooms.fleet(tmp_path, {}).git("clone", "-q", "--bare", ".", "../hub.git")
    hub = kit.adopt(tmp_path / "hub.git")
    hub.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a", "fleet.copy": "*.log"})
    hub.fleet("add", "a", check=0, oracle=False)
    hub.fleet("undo", check=0, oracle=False)
    hub.git("worktree", "add", "-q", "../main", "main")
    (tmp_path / "main/x.log").write_text("x\n")
    hub.fleet("add", "a", check=0, oracle=False)
    assert content(tmp_path / "a") == {"x.log": "x\n"}


def test_a_copy_is_in_nobodys_way_until_it_is_changed(repo: Repo) -> None:
    repo.fleet("add", "a", "b", check=0)
    repo.fleet("undo", check=0)
    repo.fleet("undo", check=0)
    assert (rooms.tree(repo, "a") / ".env").read_text() == "TOKEN=1\n"
    for task in "ab":
        repo.commit(f"{task}: done", {task: "x\n"}, rooms.tree(repo, task))
    repo.fleet("land", check=0)
    repo.write({".env": "TOKEN=mine\n"}, rooms.tree(repo, "b"))
    verdicts = repo.fleet("remove", "--dry-run", "--json", "a", "b", check=3).json["verdicts"]
    told = {one["id"]: (one["verdict"], sorted(one["evidence"]["copies"])) for one in verdicts}
    assert told == {"a": ("remove", [".env", "config/x", "sub/.env"]), "b": ("keep", ["config/x", "sub/.env"])}
    assert "b stays: ignored: .env\n" in repo.fleet("remove", "b", check=3).err
    assert "with .env" in repo.fleet("remove", "a", check=0).err
    repo.fleet("undo", check=0)
    assert (rooms.tree(repo, "a") / ".env").read_text() == "TOKEN=1\n"
    (repo.path / ".env").unlink()
    assert "a stays: ignored: .env\n" in repo.fleet("remove", "a", check=3).err
