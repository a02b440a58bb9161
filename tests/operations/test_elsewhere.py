"""What changed outside of an agent's worktree while it ran is said at the end of its log: real agents that go astray,
beside others that do not. SAFETY I 109.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo
from warm import Warm

from git_fleet.journal import agents as journalled
from git_fleet.journal import database
from git_fleet.operations import elsewhere

WAIT_S = 60.0


class Place(Repo):
    """A repository, and the program that is loaded already."""

    warm: Warm

    def call(self, *args: str) -> str:
        done = self.warm.run(*args, cwd=self.path, env=kit.environment(None))
        assert done.status == 0, done
        return done.out


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Iterator[Place]:
    """`a`, `b` and `c` at work, `spare` a branch that is checked out nowhere."""
    repo = Place(rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "c": {"c": "x\n"}}).path)
    repo.git("branch", "spare")
    repo.warm = warm
    yield repo
    for pid in pids(repo).values():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def pids(repo: Place, *, ended: bool = False) -> dict[str, int]:
    """The processes of the last agents by task, or those of them that ended."""
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        known = journalled.latest(journal)
    return {task: agent.pid for task, agent in known.items() if not ended or agent.ended_s is not None}


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def begin(repo: Place, task: str, script: str) -> None:
    """An agent that waits for a file `go`."""
    go = repo.path.parent / "go"
    repo.call("run", task, "--", f"echo here; while ! test -e '{go}'; do sleep 0.05; done; {script}")
    log = repo.common_dir() / "fleet/logs/agents"
    until(lambda: any("here" in path.read_text() for path in log.glob(f"{task}-*.log")))


def go(repo: Place, *tasks: str) -> None:
    (repo.path.parent / "go").touch()
    until(lambda: set(tasks) <= set(pids(repo, ended=True)))


def said(repo: Place, task: str) -> list[str]:
    """What its log says of elsewhere."""
    start = "[git fleet: changed elsewhere while this ran: "
    return [line.removeprefix(start).removesuffix("]") for line in repo.call("logs", task).split("\n") if start in line]


def reason(repo: Place, task: str) -> tuple[str, str | None]:
    row = next(row for row in repo.fleet("status", "--json", check=0).json["tasks"] if row["id"] == task)
    return row["state"], row["reason"]


def test_an_agent_that_goes_astray(repo: Place) -> None:
    main, c = repo.oid("main"), rooms.tree(repo, "c")
    astray = "git checkout -q -b other && echo x >>file && git commit -qam astray && echo y >>other"
    begin(repo, "a", f"echo mine >>a; git branch own; cd '{c}'; git branch -f spare b; cd ../app; {astray}")
    go(repo, "a")
    assert said(repo, "a") == [
        f"'refs/heads/spare' moved from {main[:12]} to {repo.oid('b')[:12]}",
        f"'{repo.path}' was at 'refs/heads/main', and is at 'refs/heads/other'",
        f"files changed in '{repo.path}': other",
    ]
    assert reason(repo, "a") == ("done", "something else changed meanwhile, see: git fleet logs a")


def test_a_commit_on_the_base_and_files_of_a_worktree_that_nobody_is_at(repo: Place) -> None:
    main, c = repo.oid("main"), rooms.tree(repo, "c")
    begin(
        repo,
        "a",
        f"echo half >'{c}/c'; touch '{c}/x\nhint: y'; cd ../app; git commit -q --allow-empty -m astray; exit 3",
    )
    go(repo, "a")
    assert said(repo, "a") == [
        f"'refs/heads/main' moved from {main[:12]} to {repo.oid('main')[:12]}",
        f"files changed in '{c}': c, x\\nhint: y",
    ]
    assert reason(repo, "a") == ("stuck", "exit status 3, see: git fleet logs a")


def test_what_siblings_and_we_do_meanwhile_is_not_reported(repo: Place) -> None:
    """`b` is at work, `c` lands, a task is added, and the plan's file gets a status; in all, nothing goes astray."""
    repo.commit(
        "plan", {"PLAN.md": "| ID | Files | Status |\n|---|---|---|\n" + "".join(f"| {one} | | |\n" for one in "abcd")}
    )
    repo.config({"fleet.plan": "PLAN.md"})
    repo.git("worktree", "add", "-q", "inside", "spare")
    last = "while ! grep -q more ../app/inside/file; do sleep 0.05; done"
    begin(repo, "a", f"echo mine >>a; git commit -qam mine; echo more >>a; {last}")
    begin(repo, "b", "echo theirs >>b; git commit -qam theirs; git branch extra; echo more >>../app/inside/file")
    repo.call("land", "c")
    repo.call("add", "d")
    go(repo, "a", "b")
    assert said(repo, "a") == said(repo, "b") == [f"files changed in '{repo.path}/inside': file"]


def test_nobody_waits_for_it_and_no_error_comes_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    assert elsewhere.in_background(lambda: held.wait(WAIT_S))(0.01) is None
    held.set()

    def fails() -> int:
        raise OSError

    assert elsewhere.in_background(fails)(WAIT_S) is None and elsewhere.in_background(lambda: 7)(WAIT_S) == 7


def test_of_many_worktrees_a_few_are_looked_into(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {name: {} for name in "abcd"})
    room = rooms.of(repo)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elsewhere, "MOST_TREES", 2)
        before = elsewhere.look(room, str(rooms.tree(repo, "a")))
    assert before.left_out == 2
    assert elsewhere.since(room, str(rooms.tree(repo, "a")), "refs/heads/a", before) == ()
    repo.write({"file": "mine\n"})
    told = elsewhere.since(room, str(rooms.tree(repo, "a")), "refs/heads/a", before)
    assert told == (f"files changed in '{repo.path}': file", "2 more worktrees were not looked into")
