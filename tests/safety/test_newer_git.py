"""What the distribution's git may not know yet: references in a reftable, worktrees linked by relative paths.

Everything that git fleet reads in files of its own accord, because git cannot be asked or costs too much, is elsewhere
there, or says something else.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import kinds
import pytest
import rooms
from kit import Repo

from git_fleet.operations import pulse
from git_fleet.repo import changing, looking

pytestmark = pytest.mark.usefixtures("newer_git")


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Repo]:
    """`rooms.fleet` with its references in a reftable."""
    kinds.needs_git(kinds.REFTABLES)
    monkeypatch.setenv("GIT_DEFAULT_REF_FORMAT", "reftable")
    return lambda work, **config: rooms.fleet(tmp_path, work, **config)


def findings(repo: Repo, *args: str, check: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = repo.fleet("doctor", "--json", *args, check=check, oracle=False).json["findings"]
    return found


def entry(repo: Repo, name: str = "a") -> Path:
    return repo.path / ".git/worktrees" / name


# ------------------------------------------------------------------------------------------------------------- reftable


@pytest.mark.parametrize("operation", ["cherry-pick", "revert"])
def test_a_pick_that_stopped_is_seen(tables: Callable[..., Repo], operation: str) -> None:
    """Its name is no file: only git knows. Shown, not landed, not removed, though nothing else is to be seen."""
    repo = tables({"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    top = rooms.tree(repo, "a")
    repo.commit("more", {"a": "y\n"}, top)
    assert rooms.status_of("git", operation, "--no-edit", "HEAD~", cwd=top) == 1
    repo.git("checkout", "-q", "HEAD", "--", "a", cwd=top)
    assert repo.git("status", "--porcelain", cwd=top) == ""
    assert looking.operation_in_progress(str(entry(repo))) == operation
    assert looking.operation_in_progress(str(entry(repo, "b"))) is None
    before = repo.snapshot()
    for words in (("land", "a"), ("remove", "a")):
        assert operation in repo.fleet(*words, check=3).err
    assert repo.snapshot() == before


def test_a_rebase_that_conflicts_waits_in_a_lane(tables: Callable[..., Repo]) -> None:
    repo = tables({"a": {"file": "a\n"}, "b": {"file": "b\n"}}, strategy="rebase")
    repo.fleet("land", check=4)
    lane = repo.path.parent / "app-lane-1"
    assert "<<<<<<< " in (lane / "file").read_text()
    (lane / "file").write_text("both\n")
    repo.git("add", "file", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert (repo.read("file"), repo.git("rev-list", "--count", "--merges", "main")) == ("both\n", "0")
    assert rooms.states(repo) == {"a": "landed", "b": "landed"} and not lane.exists()


def test_doctor_sees_the_branches_that_are_checked_out(tables: Callable[..., Repo]) -> None:
    repo = tables({"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    assert findings(repo, check=0) == []
    repo.git("checkout", "-q", "--ignore-other-worktrees", "a", cwd=rooms.tree(repo, "b"))
    assert [one["code"] for one in findings(repo, check=1)] == ["branch-twice"]


def test_doctor_writes_the_head_that_git_wants_to_see(tables: Callable[..., Repo]) -> None:
    """The real one is in the table, so there is one right content; elsewhere it is never guessed."""
    repo = tables({"a": {"a": "x\n"}})
    before = repo.snapshot()
    (entry(repo) / "HEAD").unlink()
    assert [one["code"] for one in findings(repo, check=1)] == ["entry-broken"]
    assert [one["repaired"] for one in findings(repo, "--repair", check=0)] == [True]
    assert repo.snapshot() == before and repo.git("symbolic-ref", "HEAD", cwd=rooms.tree(repo, "a")) == "refs/heads/a"


def test_doctor_mends_an_entry_without_its_commondir(tables: Callable[..., Repo]) -> None:
    """Git cannot be asked for its HEAD then, and that is no finding of its own."""
    repo = tables({"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    for name in ("a", "b"):
        (entry(repo, name) / "commondir").unlink()
    assert [one["code"] for one in findings(repo, check=1)] == ["entry-broken"] * 2
    assert [one["repaired"] for one in findings(repo, "--repair", check=0)] == [True] * 2


def test_doctor_names_locks_on_tables(tables: Callable[..., Repo]) -> None:
    repo = tables({"a": {"a": "x\n"}})
    locks = [home / "reftable/tables.list.lock" for home in (repo.path / ".git", entry(repo))]
    for lock in locks:
        lock.touch()
    assert sorted(str(one["path"]) for one in findings(repo, "--repair", check=1)) == sorted(map(str, locks))
    assert all(lock.exists() for lock in locks)
    assert f"'{locks[0]}' is in the way" in repo.fleet("land", check=75, oracle=False).err
    for lock in locks:
        lock.unlink()
    repo.fleet("land", check=0)


def test_doctor_names_a_reference_without_an_object(tables: Callable[..., Repo]) -> None:
    repo = tables({"a": {"a": "x\n"}})
    start, tip = repo.oid("a~"), repo.oid("a")
    (repo.path / f".git/objects/{tip[:2]}/{tip[2:]}").unlink()
    [one] = findings(repo, check=1)
    hints = one["hints"]
    assert one["code"] == "ref-broken" and isinstance(hints, list)
    subprocess.run(["sh", "-c", hints[0].partition(": ")[2]], cwd=repo.path, check=True)
    assert repo.oid("a") == start and findings(repo, check=0) == []


def test_undo_brings_the_reflog_back(tables: Callable[..., Repo]) -> None:
    kinds.needs_git(kinds.REFLOGS_WRITTEN)
    repo = tables({"a": {"a": "x\n"}})
    repo.git("update-ref", "-m", "odd  \u00fc", "refs/heads/a", "a~1")
    repo.git("update-ref", "-m", "and back", "refs/heads/a", "a@{1}")
    before = changing.read_reflog(rooms.of(repo), "refs/heads/a")
    assert before is not None and before.count("\n") == 4 and before.endswith(" +0000\tand back\n")
    repo.fleet("land", check=0)
    repo.fleet("remove", "a", check=0)
    assert changing.read_reflog(rooms.of(repo), "refs/heads/a") is None
    repo.fleet("undo", check=0)
    assert changing.read_reflog(rooms.of(repo), "refs/heads/a") == before


def test_a_switch_in_a_linked_worktree_is_noticed(tables: Callable[..., Repo]) -> None:
    """`--watch` and a landing that waits look at times of files alone."""
    repo = tables({"a": {"a": "x\n"}})
    before = pulse.take(rooms.of(repo))
    assert pulse.take(rooms.of(repo)) == before
    repo.git("symbolic-ref", "HEAD", "refs/heads/elsewhere", cwd=rooms.tree(repo, "a"))
    assert pulse.take(rooms.of(repo)) != before


# ------------------------------------------------------------------------------------------------------- relative links


def test_relative_links_survive_all_that_moves_a_worktree(tmp_path: Path) -> None:
    """Made so, seen so by doctor, removed and brought back so."""
    kinds.needs_git(kinds.RELATIVE_LINKS)
    repo = rooms.fleet(tmp_path, {"new": None})
    repo.config({"worktree.useRelativePaths": "true"})
    repo.fleet("add", "new", check=0)
    link = f"gitdir: {os.path.relpath(entry(repo, 'new'), rooms.tree(repo, 'new'))}\n"
    assert (rooms.tree(repo, "new") / ".git").read_text() == link
    assert findings(repo, check=0) == []
    repo.commit("work", {"new": "x\n"}, rooms.tree(repo, "new"))
    repo.fleet("land", "new", check=0)
    repo.fleet("remove", "new", check=0)
    repo.fleet("undo", check=0)
    assert (rooms.tree(repo, "new") / ".git").read_text() == link
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "new")) == ""
    os.rename(rooms.tree(repo, "new"), tmp_path / "moved")
    assert [one["code"] for one in findings(repo, check=1)] == ["worktree-moved"]
    assert [one["repaired"] for one in findings(repo, "--repair", check=0)] == [True]
    assert repo.git("status", "--porcelain", cwd=tmp_path / "moved") == ""
