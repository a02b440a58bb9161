"""The certificate: what a dry run promises is what a landing does, tree by tree, and it leaves nothing behind."""

from pathlib import Path
from typing import Any

import rooms
from kit import Repo


def steps(repo: Repo, *args: str, check: int = 0) -> list[dict[str, Any]]:
    return repo.fleet("land", "--json", *args, check=check).json["steps"]  # type: ignore[no-any-return]


def trees(found: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(step["id"], step["action"], step.get("tree")) for step in found]


def test_the_dry_run_promises_what_the_landing_does(tmp_path: Path) -> None:
    work: dict[str, Any] = {
        "a": {"file": rooms.LONG.replace("line 1\n", "a\n")},
        "b": {"file": rooms.LONG.replace("line 18\n", "b\n")},
        "c": {"file": rooms.LONG.replace("line 1\n", "c\n")},
        "d": {"d": "x\n"},
    }
    repo = rooms.fleet(tmp_path, work)
    before = rooms.loose_objects(repo)
    promised = steps(repo, "--dry-run")
    assert rooms.loose_objects(repo) == before
    done = steps(repo, check=4)
    assert trees(promised) == trees(done)
    landed = [tree for _, action, tree in trees(done) if action == "land"]
    assert repo.oid("main^{tree}") == landed[-1] and len(landed) == 3


def test_each_alone_merges_but_not_all_three(tmp_path: Path) -> None:
    """Renames of a folder and additions to it: no pair conflicts with the base; the fold knows the truth."""
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"file": "a\n"}})
    found = steps(repo, check=4)
    assert sorted(step["action"] for step in found) == ["land", "land", "stop"]
    assert next(step for step in found if step["action"] == "stop")["conflicts"] == ["file"]


def test_what_lands_is_tested_and_merged_in_the_same_order(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {name: {name: "x\n"} for name in "abc"})
    found = steps(repo)
    line = repo.git("log", "--first-parent", "--reverse", "--format=%T", "-3", "main").split()
    assert [step["tree"] for step in found] == line
