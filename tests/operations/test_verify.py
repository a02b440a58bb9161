"""A change that is dropped without a conflict is an error with the branch's name, before the base moves."""

from pathlib import Path

import pytest
import rooms
from kit import Repo

FILE = rooms.LONG


def edited(number: int) -> str:
    return FILE.replace(f"line {number}\n", "changed\n")


def fleet(folder: Path, driver: str) -> Repo:
    repo = rooms.fleet(folder, {})
    repo.commit("attributes", {".gitattributes": "file merge=mine\n"})
    repo.config({"merge.mine.driver": driver})
    for task, number in (("a", 2), ("b", 15)):
        repo.config({f"fleet.{task}.title": task})
        repo.git("worktree", "add", "-q", "-b", task, f"../{task}", "main")
        repo.commit(f"{task}: done", {"file": edited(number), task: "x\n"}, rooms.tree(repo, task))
    return repo


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("true", "b would drop, without a conflict, what it changed in 'file'"),
        ("cp %B %A", "b would drop, without a conflict, what a changed in 'file'"),
    ],
)
def test_a_driver_that_takes_a_side(tmp_path: Path, driver: str, said: str) -> None:
    repo = fleet(tmp_path, driver)
    before = repo.snapshot()
    assert said in repo.fleet("land", "--dry-run", check=3).err
    refused = repo.fleet("land", check=3)
    assert said in refused.err and "git check-attr merge -- file" in refused.err
    assert repo.snapshot() == before
    repo.fleet("land", "a", check=0)


def test_a_driver_that_merges_is_fine(tmp_path: Path) -> None:
    repo = fleet(tmp_path, "git merge-file %A %O %B")
    repo.fleet("land", check=0)
    assert repo.show("file") == edited(2).replace("line 15\n", "changed\n")


def test_what_both_sides_have_is_not_dropped(tmp_path: Path) -> None:
    """The line has the branch's change already, and more of it; and the other way round."""
    repo = rooms.fleet(tmp_path, {"a": {"file": edited(2)}, "b": {"file": edited(2).replace("line 9\n", "more\n")}})
    repo.fleet("land", check=0)
    assert repo.show("file") == edited(2).replace("line 9\n", "more\n")


def test_a_branch_that_takes_away_all_of_another(tmp_path: Path) -> None:
    """A merge that keeps its own side alone: afterwards nothing tells that the other one ever was."""
    repo = rooms.fleet(tmp_path, {"a": {"file": edited(2)}, "b": {"b": "x\n"}})
    repo.config({"fleet.b.needs": "a"})
    repo.git("merge", "-q", "-s", "ours", "-m", "mine is right", "a", cwd=rooms.tree(repo, "b"))
    before = repo.snapshot()
    refused = repo.fleet("land", check=3)
    assert "b takes away all that a changes" in refused.err
    assert repo.snapshot() == before
    repo.fleet("land", "a", check=0)


def test_renamed_deleted_and_old_branches_are_fine(tmp_path: Path) -> None:
    work: dict[str, dict[str, str | None]] = {
        "rename": {"file": None, "moved": FILE},
        "edit": {"file": edited(5)},
        "delete": {"other": None},
        "link": {"new": "x\n"},
    }
    repo = rooms.fleet(tmp_path, work)
    repo.commit("the base goes on", {"base": "x\n"})
    repo.git("merge", "-q", "main", "-m", "catch up", cwd=rooms.tree(repo, "link"))
    answer = repo.fleet("land", "--json", check=0).json
    assert sorted(answer["result"]["landed"]) == sorted(work)
    assert repo.show("moved") == edited(5)


def test_a_base_that_is_turned_back_behind_our_back(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    hook = repo.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngit rm -q a && git commit -q -m 'away with it'\n")
    hook.chmod(0o755)
    done = repo.fleet("land")
    assert (done.status, "the change of a is gone" in done.err) == (128, True), done
