"""`--onto integration` for those who review the sum first; from there, the base is fast-forwarded."""

from pathlib import Path

import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "c": {"c": "x\n"}})
    repo.git("branch", "integration")
    return repo


@pytest.mark.parametrize("strategy", ["merge", "rebase"])
def test_the_whole_way(repo: Repo, strategy: str) -> None:
    repo.config({"fleet.strategy": strategy})
    start = repo.oid("main")
    before = repo.snapshot()
    repo.fleet("land", "--onto", "integration", check=0)
    after = repo.snapshot()
    assert {**after.refs, "refs/heads/integration": start} == before.refs
    assert (after.worktrees, after.files) == (before.worktrees, before.files)
    assert rooms.states(repo) == {"a": "active", "b": "active", "c": "active"}
    said = repo.fleet("land", "--dry-run", "--json", check=0).json
    assert [step["action"] for step in said["steps"]] == ["land"] * 3
    done = repo.fleet("land", "--onto", "main", "--json", check=0).json
    assert repo.oid("main") == repo.oid("integration") == done["result"]["commit"]
    assert done["result"]["tree"] == said["result"]["tree"]
    assert done["steps"][0]["reason"].startswith("landed on 'integration' as ")
    assert rooms.states(repo) == {"a": "landed", "b": "landed", "c": "landed"}
    repo.fleet("undo", check=0)
    assert repo.oid("main") == start != repo.oid("integration")
    assert rooms.states(repo) == {"a": "active", "b": "active", "c": "active"}
    repo.fleet("land", check=0)
    assert repo.oid("main") == repo.oid("integration")


def test_what_was_made_there_by_hand_comes_along(repo: Repo) -> None:
    repo.fleet("land", "a", "b", "--onto", "integration", check=0)
    repo.branch("integration", {"by-hand": "x\n"}, start="integration")
    done = repo.fleet("land", "a", "b", "--json", check=0).json
    assert done["steps"][1]["reason"].endswith(", with 1 more made there by hand: fast-forward")
    assert repo.oid("main") == repo.oid("integration") and repo.show("by-hand") == "x\n"


def test_the_first_of_them_alone(repo: Repo) -> None:
    repo.fleet("land", "--onto", "integration", check=0)
    repo.fleet("land", "a", check=0)
    assert repo.oid("main") == repo.oid("integration~2")
    repo.fleet("land", check=0)
    assert repo.oid("main") == repo.oid("integration")


@pytest.mark.parametrize("why", ["the base moved", "a branch went on", "out of order"])
def test_else_it_is_merged_anew(repo: Repo, why: str) -> None:
    repo.fleet("land", "--onto", "integration", check=0)
    if why == "the base moved":
        repo.commit("moved", {"moved": "x\n"})
    elif why == "a branch went on":
        repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "a"))
    named = ("c",) if why == "out of order" else ()
    done = repo.fleet("land", *named, "--json", check=0).json
    assert done["result"]["landed"] == (["c"] if named else ["a", "b", "c"])
    assert repo.git("merge-base", "main", "integration") != repo.oid("integration")
    assert repo.show("c") == "x\n"


def test_a_branch_that_is_not_there_is_not_made(repo: Repo) -> None:
    repo.git("branch", "-D", "integration")
    before = repo.snapshot()
    assert "'integration' is not a branch" in repo.fleet("land", "--onto", "integration", check=128).err
    assert repo.snapshot() == before
