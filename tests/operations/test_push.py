"""`land --push`: a plain push at the end; what became of it is what the remote says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import kit
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.git("clone", "-q", "--bare", ".", "../hub")
    repo.git("remote", "add", "origin", str(tmp_path / "hub"))
    repo.git("fetch", "-q", "origin")
    return repo


def there(repo: Repo, ref: str = "refs/heads/main") -> str:
    return repo.git("ls-remote", "origin", ref).split("\t")[0]


def noted(repo: Repo) -> Any:
    """The state that the journal knows of the last push."""
    import sqlite3

    with sqlite3.connect(repo.path / ".git/fleet/fleet.db") as db:
        rows = db.execute("SELECT detail FROM operation WHERE kind = 'land' ORDER BY id DESC").fetchall()
    return json.loads(rows[0][0])["push"][3]


def hub_hook(tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / "hub" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_pushed(repo: Repo) -> None:
    done = repo.fleet("land", "--push", check=0)
    assert done.out.endswith("pushed to origin main\n")
    assert there(repo) == repo.oid("main") == repo.oid("origin/main")
    assert noted(repo) == "pushed"
    refused = repo.fleet("undo", check=3)
    assert "has it already" in refused.err
    command = next(line for line in refused.err.splitlines() if "git revert" in line)
    rooms.status_of("sh", "-c", command.removeprefix("hint: "), cwd=repo.path)
    assert repo.oid("main^{tree}") == repo.oid(f"{there(repo)}~2^{{tree}}")


@pytest.mark.parametrize("linked", [False, True])
def test_a_remote_by_a_relative_path_that_refuses(repo: Repo, tmp_path: Path, linked: bool) -> None:
    """It is read from where it was pushed."""
    repo.git("remote", "set-url", "origin", "../hub")
    hub_hook(tmp_path, "pre-receive", "echo one; echo two; exit 1")
    if linked:
        repo.git("switch", "-q", "--detach")
        repo.git("worktree", "add", "-q", "../base", "main")
    done = repo.fleet("land", "--push", check=75)
    assert "'main' was not pushed" in done.err and noted(repo) == "rejected"
    assert "remote: one; remote: two; " in done.err
    repo.fleet("undo", check=0)


@pytest.mark.parametrize("strategy", ["squash", "rebase", "ff"])
def test_the_reverts_fit_the_strategy(repo: Repo, strategy: str) -> None:
    before = repo.oid("main^{tree}")
    repo.fleet("land", "a", "--push", f"--strategy={strategy}", check=0)
    refused = repo.fleet("undo", check=3)
    command = next(line for line in refused.err.splitlines() if "git revert" in line)
    assert rooms.status_of("sh", "-c", command.removeprefix("hint: "), cwd=repo.path) == 0
    assert repo.oid("main^{tree}") == before


def test_to_the_upstream_under_another_name(repo: Repo) -> None:
    repo.git("push", "-q", "origin", "main:trunk")
    repo.config({"branch.main.remote": "origin", "branch.main.merge": "refs/heads/trunk"})
    answer = repo.fleet("land", "--push", "--json", check=0).json
    assert answer["push"] == {
        "remote": "origin",
        "ref": "refs/heads/trunk",
        "commit": repo.oid("main"),
        "state": "pushed",
    }
    schema = json.loads((kit.ROOT / "git_fleet/output/schemas/land.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(answer)
    assert there(repo, "refs/heads/trunk") == repo.oid("main") != there(repo)


def test_rejected_since_the_remote_moved(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", str(tmp_path / "hub"), "../other")
    other = kit.adopt(tmp_path / "other")
    theirs = other.commit("theirs", {"theirs": "x\n"})
    other.git("push", "-q")
    done = repo.fleet("land", "--push", check=75)
    assert "'main' was not pushed; what landed stays on 'main'" in done.err
    assert "git pull --no-rebase origin main" in done.err
    assert there(repo) == theirs and repo.show("a") == "x\n"
    assert noted(repo) == "rejected"
    repo.git("pull", "-q", "--no-rebase", "origin", "main")
    repo.git("push", "-q", "origin", "main:main")


def test_rejected_by_a_hook(repo: Repo, tmp_path: Path) -> None:
    before = there(repo)
    hub_hook(tmp_path, "pre-receive", "echo 'no pushes on a Friday' >&2; exit 1")
    done = repo.fleet("land", "--push", check=75)
    assert "no pushes on a Friday" in done.err and there(repo) == before and noted(repo) == "rejected"
    assert "pull" not in done.err
    repo.fleet("undo", check=0)
    assert not (repo.path / "a").exists()


def test_our_own_hook_says_no(repo: Repo) -> None:
    hook = repo.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not from here' >&2; exit 1\n")
    hook.chmod(0o755)
    before = there(repo)
    assert "not from here" in repo.fleet("land", "--push", check=75).err
    assert there(repo) == before


def test_cut_off_after_the_remote_accepted(repo: Repo, tmp_path: Path) -> None:
    """The server is killed once the ref has moved: git says failure, the remote says otherwise."""
    hub_hook(tmp_path, "reference-transaction", "test $1 != committed || kill -9 $PPID")
    done = repo.fleet("land", "--push", check=0)
    assert done.out.endswith("pushed to origin main\n")
    assert there(repo) == repo.oid("main") == repo.oid("origin/main") and noted(repo) == "pushed"


def test_a_remote_that_vanishes_leaves_it_unknown_until_it_is_read(repo: Repo, tmp_path: Path) -> None:
    away = f"mv '{tmp_path}/hub' '{tmp_path}/away'; kill -9 $PPID"
    hub_hook(tmp_path, "reference-transaction", f"test $1 != committed || {{ {away}; }}")
    done = repo.fleet("land", "--push", check=75)
    assert "nobody knows whether 'main' arrived" in done.err and noted(repo) == "unknown"
    assert "'origin' may have it" in repo.fleet("undo", check=3).err
    (tmp_path / "away").rename(tmp_path / "hub")
    assert "has it already" in repo.fleet("undo", check=3).err


def test_without_a_remote(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    done = repo.fleet("land", "--push", check=75)
    assert "'main' has no upstream, and there is no remote 'origin'" in done.err
    assert repo.show("a") == "x\n"


def test_a_stop_is_pushed_when_all_is_done(repo: Repo, tmp_path: Path) -> None:
    repo.write({"a": "other\n"}, rooms.tree(repo, "b"))
    repo.commit("conflict", cwd=rooms.tree(repo, "b"))
    before = there(repo)
    repo.fleet("land", "--push", check=4)
    assert there(repo) == before
    lane = tmp_path / "app-lane-1"
    repo.write({"a": "both\n"}, lane)
    repo.git("add", "a", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert there(repo) == repo.oid("main") and repo.show("a") == "both\n"


def test_typed_again_it_pushes_what_did_not_arrive(repo: Repo, tmp_path: Path) -> None:
    hub_hook(tmp_path, "pre-receive", "exit 1")
    repo.fleet("land", "--push", check=75)
    (tmp_path / "hub/hooks/pre-receive").unlink()
    assert repo.fleet("land", check=0).out == "nothing to land on main\n" and there(repo) != repo.oid("main")
    assert repo.fleet("land", "--push", check=0).out == "nothing to land on main\npushed to origin main\n"
    assert there(repo) == repo.oid("main") and noted(repo) == "pushed"
    assert repo.fleet("land", "--push", check=0).out == "nothing to land on main\n"


def test_killed_before_it_was_pushed(repo: Repo, tmp_path: Path) -> None:
    """git's own hook kills git fleet when the base has moved."""
    hook = repo.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $(ps -o ppid= -p $PPID)\n")
    hook.chmod(0o755)
    assert repo.fleet("land", "--push").status != 0
    hook.unlink()
    kit.wait_for(lambda: not (repo.path / ".git/index.lock").exists())
    said = repo.fleet("land", check=0).err
    assert "had been killed: it had landed a, b, and was not pushed: git fleet land --push" in said
    repo.fleet("land", "--push", check=0)
    assert there(repo) == repo.oid("main")
