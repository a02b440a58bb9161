"""After a kill: what the journal, the refs and the folders say decides, never a guess."""

import contextlib
import fcntl
import json
import signal
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.journal import database
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.operations import recover, running
from git_fleet.repo import objects


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "new": None})


def fleet_dir(repo: Repo) -> str:
    return str(repo.common_dir() / "fleet")


def wind_back(repo: Repo, operation: int, *, landings: bool = True) -> None:
    """The journal as if the operation had been killed before its last notes."""
    with contextlib.closing(sqlite3.connect(database.path_of(fleet_dir(repo)))) as db, db:
        db.execute("UPDATE operation SET state = 'running', ended_s = NULL WHERE id = ?", (operation,))
        if landings:
            db.execute("DELETE FROM landing WHERE operation = ?", (operation,))


def is_noted(repo: Repo, gate: int) -> bool:
    """Has the landing written down which process its gate is, to the end?"""
    path = Path(database.path_of(fleet_dir(repo)))
    noted = Path(fleet_dir(repo), "locks").glob("operation-*.gates")
    return any(str(gate) in file.read_text() for file in noted) and not Path(f"{path}-journal").exists()


def killed_in_the_gate(repo: Repo, tmp_path: Path, *args: str) -> None:
    """A landing killed while its gate runs."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    gate = f"echo $$ >'{begun}.new'; mv '{begun}.new' '{begun}'; while ! test -e '{go}'; do sleep 0.02; done"
    repo.config({"fleet.gate": gate})
    running = repo.start("land", *args)
    kit.wait_for(begun.exists)
    running.kill()
    go.touch()


def land_for_ever(repo: Repo, tmp_path: Path) -> tuple[kit.Running, int]:
    """A landing with a gate that runs until it is ended, and the number of that gate's process."""
    seen = tmp_path / "gate-pid"
    repo.config({"fleet.gate": f"echo $$ >'{seen}.new'; mv '{seen}.new' '{seen}'; while :; do sleep 0.05; done"})
    running = repo.start("land")
    kit.wait_for(seen.exists)
    return running, int(seen.read_text())


def is_there(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_gate_and_takes_the_lane_away(repo: Repo, tmp_path: Path, number: int) -> None:
    before = repo.snapshot()
    running, gate = land_for_ever(repo, tmp_path)
    assert running.kill(number) in (-number, 128 + number)
    kit.wait_for(lambda: not is_there(gate))
    assert repo.snapshot().refs == before.refs and not list(tmp_path.glob("*-lane-*"))
    assert rooms.operations(repo) == [("land", "failed")] and len(repo.worktrees()) == 3


def test_a_gate_that_outlived_a_killed_landing_is_ended(repo: Repo, tmp_path: Path) -> None:
    running, gate = land_for_ever(repo, tmp_path)
    kit.wait_for(lambda: is_noted(repo, gate))
    running.kill()
    assert is_there(gate)
    repo.git("config", "--unset-all", "fleet.gate")
    assert "still ran: it was ended" in repo.fleet("land", check=0).err
    kit.wait_for(lambda: not is_there(gate))


def test_killed_during_its_gate(repo: Repo, tmp_path: Path) -> None:
    before = repo.snapshot().refs
    killed_in_the_gate(repo, tmp_path)
    assert repo.snapshot().refs == before and rooms.operations(repo) == [("land", "running")]
    again = repo.fleet("land", "--json", check=0)
    assert again.json["result"]["landed"] == ["a", "b"]
    assert "'land a, b' (operation 1) had been killed: nothing had landed" in again.err
    assert rooms.operations(repo) == [("land", "done"), ("land", "failed")]
    assert not list(tmp_path.glob("*-lane-*")) and len(repo.worktrees()) == 3


def test_killed_after_the_base_moved(repo: Repo) -> None:
    repo.fleet("land", "a", check=0)
    wind_back(repo, 1)
    done = repo.fleet("land", check=0)
    assert "'land a' (operation 1) had been killed: it had landed a" in done.err
    assert rooms.operations(repo) == [("land", "done"), ("land", "done")]
    assert rooms.states(repo) == {"a": "landed", "b": "landed", "new": "ready"}
    repo.fleet("undo", check=0)
    repo.fleet("undo", "1", check=0)
    assert repo.git("rev-list", "--count", "main") == "1"


def test_killed_before_the_base_moved(repo: Repo) -> None:
    start = repo.oid("main")
    repo.fleet("land", "a", check=0)
    repo.git("reset", "-q", "--hard", start)
    wind_back(repo, 1)
    done = repo.fleet("land", check=0)
    assert "had been killed: nothing had landed" in done.err
    assert rooms.operations(repo) == [("land", "done"), ("land", "failed")]
    assert repo.git("rev-list", "--count", "--merges", "main") == "2"


def test_killed_after_the_base_moved_and_then_somebody_committed(repo: Repo) -> None:
    repo.fleet("land", "a", check=0)
    wind_back(repo, 1)
    repo.commit("on top", {"other": "x\n"})
    assert "it had landed a" in repo.fleet("land", check=0).err


def test_killed_while_the_conflict_waits(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    lane = tmp_path / "app-lane-1"
    (lane / "file").write_text("half a resolution\n")
    wind_back(repo, 1, landings=False)
    said = repo.fleet("land", check=4)
    assert "its conflict still waits in" in said.err
    assert (lane / "file").read_text() == "half a resolution\n"
    (lane / "file").write_text("both\n")
    repo.git("add", "file", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "both\n"


def test_killed_in_the_gate_of_a_resolution(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    lane = tmp_path / "app-lane-1"
    (lane / "file").write_text("both\n")
    repo.git("add", "file", cwd=lane)
    killed_in_the_gate(repo, tmp_path, "--continue")
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "both\n" and rooms.states(repo) == {"a": "landed", "b": "landed"}


def test_killed_between_landing_the_resolution_and_its_notes(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"file": "c\n"}})
    repo.fleet("land", check=4)
    lane = tmp_path / "app-lane-1"
    (lane / "file").write_text("both\n")
    repo.git("add", "file", cwd=lane)
    repo.git("commit", "-q", "-m", "mine", cwd=lane)
    repo.git("merge", "-q", "--ff-only", repo.git("rev-parse", "HEAD", cwd=lane))  # as if killed right after it
    wind_back(repo, 1, landings=False)
    done = repo.fleet("land", check=4)
    assert "had been killed" in done.err
    landed = {task for task, state in rooms.states(repo).items() if state == "landed"}
    assert len(landed) == 2 and repo.read("file") == "both\n"


def test_a_landing_on_another_base_is_left_to_that_base(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "release")
    killed_in_the_gate(repo, tmp_path, "--onto", "release", "a")
    assert "killed" not in repo.fleet("land", "b", check=0).err
    assert rooms.operations(repo) == [("land", "done"), ("land", "running")]
    assert "killed" in repo.fleet("land", "--onto", "release", "a", check=0).err


@pytest.mark.parametrize("command", [("add", "new"), ("remove", "a"), ("plan", "set", "b", "priority", "3"), ("undo",)])
def test_whatever_changes_something_puts_a_killed_landing_right(
    repo: Repo, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The lane goes, and what had landed by then counts."""
    killed_in_the_gate(repo, tmp_path)
    assert list(tmp_path.glob("*-lane-*"))
    said = repo.fleet(*command).err
    assert "'land a, b' (operation 1) had been killed: nothing had landed" in said
    assert rooms.operations(repo)[-1] == ("land", "failed") and not list(tmp_path.glob("*-lane-*"))


def test_a_landing_that_still_runs_is_left_alone(repo: Repo, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    repo.config({"fleet.gate": f"touch '{begun}'; while ! test -e '{go}'; do sleep 0.02; done"})
    running = repo.start("land")
    kit.wait_for(begun.exists)
    assert "killed" not in repo.fleet("add", "new", check=0, oracle=False).err
    assert rooms.states(repo)["a"] == "active"
    go.touch()
    assert running.wait() == 0
    assert rooms.operations(repo) == [("add", "done"), ("land", "done")]


# ------------------------------------------------------------------------------------------------- add, remove and undo


def test_who_ends_while_he_is_looked_at_is_not_taken_for_killed(repo: Repo) -> None:
    """Between the look into the journal and that at his lock: he is neither alive nor written down as running."""

    class Late(database.Journal):
        def operations(self, limit: int = -1, states: Sequence[OperationState] = ()) -> tuple[Operation, ...]:
            found = super().operations(limit, states)
            for one in found[:1]:
                self.finish(one.id, OperationState.DONE)
            return found

    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        database.prepare(db, "")
        journal = Late(db)
        journal.begin("add", "add one")
        journal.begin("add", "add two")
        assert [one.summary for one in recover.dead(rooms.of(repo), journal, ["add"])] == ["add one"]


def test_who_looks_whether_it_is_alive_does_not_stop_an_operation(repo: Repo) -> None:
    """To look at a lock is to have it for a moment."""
    repository = rooms.of(repo)
    path = Path(repository.fleet_dir, "locks/operation-1.lock")
    path.parent.mkdir(parents=True)
    with path.open("w") as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_EX)
        threading.Timer(0.1, fcntl.flock, (looked_at, fcntl.LOCK_UN)).start()
        with running.alive(repository, 1):
            assert running.is_alive(repository, 1)
    assert not running.is_alive(repository, 1)


def test_what_a_killed_operation_had_kept_is_let_go(repo: Repo) -> None:
    repository = rooms.of(repo)
    begin(repo, "add", [])
    blob = objects.put(repository, [("blob", b"kept\n")], running.holder(1))
    repo.git("gc", "-q", "--prune=now")
    assert repo.git("cat-file", "blob", blob) == "kept"
    assert "had been killed" in repo.fleet("add", "new", check=0).err
    repo.git("gc", "-q", "--prune=now")
    assert rooms.status_of("git", "cat-file", "-e", blob, cwd=repo.path) == 1


def begin(repo: Repo, kind: str, changes: list[RecordedChange]) -> None:
    """An operation that got as far as writing down what it meant to do."""
    with database.opened(fleet_dir(repo)) as journal:
        journal.begin(kind, f"{kind} something", changes)


def made(repo: Repo) -> list[RecordedChange]:
    refs = [
        RecordedChange(ChangeKind.REF, ref, None, repo.oid("main")) for ref in ("refs/heads/new", "refs/fleet/base/new")
    ]
    note = json.dumps({"branch": "refs/heads/new"})
    return [*refs, RecordedChange(ChangeKind.WORKTREE, str(rooms.tree(repo, "new")), None, note)]


def nothing_yet(repo: Repo) -> None:
    """Killed before its first deed."""


def the_branch(repo: Repo) -> None:
    for ref in ("refs/heads/new", "refs/fleet/base/new"):
        repo.git("update-ref", ref, "main")


def an_empty_worktree(repo: Repo) -> None:
    the_branch(repo)
    repo.git("worktree", "add", "-q", "--no-checkout", "../new", "new")


def half_filled(repo: Repo) -> None:
    an_empty_worktree(repo)
    (rooms.tree(repo, "new") / "file").write_text(rooms.LONG)


@pytest.mark.parametrize("deed", [nothing_yet, the_branch, an_empty_worktree, half_filled])
def test_an_add_that_was_killed_is_taken_back(repo: Repo, deed: Callable[[Repo], None]) -> None:
    before = repo.snapshot()
    begin(repo, "add", made(repo))
    deed(repo)
    said = repo.fleet("add", "new", check=0).err
    assert "had been killed" in said
    assert rooms.operations(repo) == [("add", "done"), ("add", "failed")]
    repo.fleet("undo", check=0)
    assert repo.snapshot().refs == before.refs and repo.snapshot().worktrees == before.worktrees


def test_an_add_that_was_whole_is_kept(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    wind_back(repo, 1)
    said = repo.fleet("add", "new", check=0).err
    assert "it is done" in said
    assert rooms.operations(repo) == [("add", "done")]


def test_what_somebody_moved_meanwhile_is_left_alone(repo: Repo) -> None:
    begin(repo, "add", made(repo))
    the_branch(repo)
    tip = repo.branch("other", {"x": "x\n"})
    repo.git("update-ref", "refs/heads/new", tip)
    said = repo.fleet("remove", "b", check=3).err
    assert repo.oid("new") == tip
    assert "left alone, since it changed meanwhile: refs/heads/new" in said


def test_a_removal_that_was_killed_half_way_is_taken_back(repo: Repo) -> None:
    repo.fleet("land", check=0)
    before = repo.snapshot()
    repo.fleet("remove", "a", check=0)
    repo.git("branch", "a", repo.oid("refs/fleet/keep/2/0"))  # as if the branch had not gone yet
    wind_back(repo, 2)
    said = repo.fleet("remove", "a", check=0).err
    assert "had been killed" in said
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, repo.snapshot().files) == (before.refs, before.files)


def test_an_undo_of_add_that_was_killed_is_put_back(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    added = repo.snapshot()
    repo.fleet("undo", check=0)
    repo.git("update-ref", "refs/heads/new", "main")  # as if the branch had not gone yet
    wind_back(repo, 2)
    with contextlib.closing(sqlite3.connect(database.path_of(fleet_dir(repo)))) as db, db:
        db.execute("UPDATE operation SET state = 'done' WHERE id = 1")
    assert "had been killed" in repo.fleet("remove", "b", check=3).err
    assert (repo.snapshot().refs, repo.snapshot().worktrees) == (added.refs, added.worktrees)
    assert rooms.operations(repo)[0] == ("undo", "failed")


def test_readers_say_nothing_and_put_nothing_right(repo: Repo) -> None:
    begin(repo, "add", made(repo))
    an_empty_worktree(repo)
    before = repo.snapshot()
    assert rooms.states(repo)["new"] == "active"
    repo.fleet("add", "--dry-run", "new")
    assert repo.snapshot() == before and rooms.operations(repo) == [("add", OperationState.RUNNING)]


def test_a_broken_journal_is_named_and_aside_of_it_all_works(repo: Repo) -> None:
    path = Path(database.path_of(fleet_dir(repo)))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"garbage" * 1000)
    assert rooms.states(repo)["a"] == "active"
    refused = repo.fleet("land", check=128)
    assert str(path) in refused.err and "aside" in refused.err
    path.rename(path.with_suffix(".old"))
    repo.fleet("land", check=0)


def test_a_git_that_was_killed_over_cells_that_fleet_wrote_is_put_right(tmp_path: Path) -> None:
    """They were set aside for the move; written back into a file that is half moved, they would look like work."""
    repo = rooms.fleet(tmp_path, {}, plan="PLAN.md")
    table = "# Plan\n\n| ID | Files | Status |\n|---|---|---|\n| a | `a` | |\n"
    repo.commit("plan", {"PLAN.md": table, ".git/info/attributes": "last filter=deadly\n"})
    repo.fleet("add", "a", check=0)
    repo.config({"filter.deadly.smudge": "kill -9 $PPID", "filter.deadly.clean": "cat"})
    repo.commit("a: done", {"last": "x\n", "PLAN.md": f"{table}| b | | |\n"}, rooms.tree(repo, "a"))
    start = repo.oid("main")
    assert "active" in repo.read("PLAN.md")
    assert repo.fleet("land").status != 0
    assert repo.oid("main") == start and "| b |" in repo.read("PLAN.md")
    (repo.path / ".git/index.lock").unlink()
    repo.config({"filter.deadly.smudge": "cat"})
    assert "it is as it was before" in repo.fleet("land", check=0).err
    assert repo.read("last") == "x\n" and rooms.states(repo)["a"] == "landed"
