"""The user's commit hooks run as git has them; what they refuse does not land, what they say is shown."""

from pathlib import Path

import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})


def hook(repo: Repo, name: str, script: str, folder: str = ".git/hooks") -> None:
    path = repo.path / folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("merge", ["pre-merge-commit", "prepare-commit-msg merge", "commit-msg"]),
        ("squash", ["pre-commit", "prepare-commit-msg message", "commit-msg"]),
        ("rebase", []),
        ("ff", []),
    ],
)
def test_those_that_git_would_run(repo: Repo, tmp_path: Path, strategy: str, expected: list[str]) -> None:
    log = tmp_path / "log"
    log.touch()
    for name in ("pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg"):
        source = '" $2"' if name == "prepare-commit-msg" else ""
        hook(repo, name, f"echo {name}{source} >>'{log}'")
    certificate = repo.fleet("land", "--dry-run", "--json", "a", f"--strategy={strategy}").json["result"]["tree"]
    repo.fleet("land", "a", f"--strategy={strategy}", check=0)
    assert log.read_text().splitlines() == expected
    assert repo.oid("main^{tree}") == certificate
    assert len(repo.worktrees()) == 3
    if strategy == "merge":
        assert repo.git("log", "-1", "--format=%B%P", "main").splitlines() == [
            "Merge branch 'a'",
            "",
            "Fleet-Task: a",
            f"{repo.oid('main~1')} {repo.oid('a')}",
        ]


@pytest.mark.parametrize(("strategy", "name"), [("merge", "pre-merge-commit"), ("squash", "pre-commit")])
def test_one_that_refuses(repo: Repo, strategy: str, name: str) -> None:
    hook(repo, name, "test ! -e b || { echo 'b is not wanted' >&2; exit 1; }")
    before = repo.snapshot()
    refused = repo.fleet("land", f"--strategy={strategy}", check=3)
    assert "nothing landed: b: git could not commit it: b is not wanted" in refused.err
    assert "git fleet land a   # without it" in refused.err
    assert repo.snapshot() == before
    assert rooms.operations(repo) == [("land", "failed")]
    repo.fleet("land", "a", f"--strategy={strategy}", check=0)


@pytest.mark.parametrize("strategy", ["merge", "squash"])
def test_one_that_writes_the_message(repo: Repo, strategy: str) -> None:
    hook(repo, "commit-msg", 'git interpret-trailers --in-place --trailer "Change-Id: I1" "$1"')
    repo.fleet("land", f"--strategy={strategy}", check=0)
    assert repo.git("log", "-1", "--format=%(trailers)", "main") == "Fleet-Task: b\nChange-Id: I1\n"
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}


def test_one_that_changes_what_is_committed(repo: Repo) -> None:
    hook(repo, "pre-commit", "echo formatted >file; git add file")
    before = repo.snapshot()
    refused = repo.fleet("land", "--strategy=squash", check=3)
    assert "nothing landed: a: it did not come out as simulated, a hook changed file" in refused.err
    assert repo.snapshot() == before


def test_one_that_changes_files_of_a_merge_changes_nothing(repo: Repo) -> None:
    """As in git: the merge is made of what was merged, and the next one is not in its way."""
    hook(repo, "pre-merge-commit", "echo formatted >file; git add file")
    certificate = repo.fleet("land", "--dry-run", "--json").json["result"]["tree"]
    repo.fleet("land", check=0)
    assert repo.oid("main^{tree}") == certificate and repo.show("file") == rooms.LONG


def test_hooks_that_are_tracked(repo: Repo) -> None:
    hook(repo, "commit-msg", "echo 'tracked says no' >&2; exit 1", "githooks")
    repo.commit("hooks")
    repo.config({"core.hooksPath": "githooks"})
    assert "tracked says no" in repo.fleet("land", check=3).err
    repo.git("config", "core.hooksPath", "nowhere")
    repo.fleet("land", check=0)


def test_a_squash_keeps_its_author_and_is_signed_off_by_the_hook(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    who = ("--amend", "--reset-author", "--no-edit")
    repo.git("-c", "user.name=Alice", "-c", "user.email=alice@example.com", "commit", "-q", *who, cwd=tree)
    hook(repo, "prepare-commit-msg", 'echo "Reviewed-by: hook" >>"$1"')
    repo.fleet("land", "a", "--strategy=squash", check=0)
    assert repo.git("log", "-1", "--format=%an|%cn|%(trailers:key=Reviewed-by,valueonly)") == "Alice|A U Thor|hook\n"
