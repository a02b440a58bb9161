"""`run`, `stop`, `logs`: real programs in real worktrees, watched to their end, whoever is killed on the way."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import kit
import pexpect
import pytest
import rooms
from kit import ROOT, Completed, Repo
from warm import Warm

from git_fleet.journal import agents as journalled
from git_fleet.journal import database
from git_fleet.model.agent import Agent
from git_fleet.model.errors import Busy
from git_fleet.operations import agents, outlook
from git_fleet.operations import context as contexts

WAIT_S = 60.0


class Place(Repo):
    """A repository, and the program that is loaded already for the many calls."""

    warm: Warm

    def call(
        self, *args: str, check: int, cwd: Path | None = None, env: Mapping[str, str | None] | None = None
    ) -> Completed:
        done = self.warm.run(*args, cwd=cwd or self.path, env=kit.environment(env))
        assert done.status == check, done
        return done


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Iterator[Place]:
    repo = Place(rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "c": None}).path)
    repo.warm = warm
    yield repo
    for agent in known(repo).values():
        for pid in (agent.pid, watcher(agent.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)


def known(repo: Place) -> dict[str, Agent]:
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        return journalled.latest(journal)


def watcher(pid: int) -> int:
    """The process that watches an agent; its own number where that is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return pid
    return parent if parent > 1 else pid


def until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.05)


def run(repo: Place, *args: str, check: int = 0, env: Mapping[str, str | None] | None = None) -> str:
    done = repo.call("run", *args, check=check, env=env)
    return done.out + done.err


def begun(repo: Place, task: str, command: str) -> Agent:
    """An agent that has said `here` by now."""
    run(repo, task, "--", f"echo here; {command}")
    agent = known(repo)[task]
    until(lambda: "here" in Path(agent.log).read_text(), "its first word")
    return agent


def ended(repo: Place, task: str) -> None:
    until(lambda: known(repo)[task].ended_s is not None, f"the end of {task}")


def state(repo: Place, task: str) -> tuple[str, str | None]:
    row = next(row for row in repo.call("status", "--json", check=0).json["tasks"] if row["id"] == task)
    return row["state"], row["reason"]


def test_it_works_in_its_worktree_and_what_it_says_is_kept(repo: Place) -> None:
    repo.commit("prompts", {"prompts/a.md": "do it\n"})
    repo.config({"fleet.agent": "sh", "fleet.a.prompt": "prompts/a.md", "fleet.a.title": "first"})
    script = 'cat; pwd; echo "$FLEET_TASK,$FLEET_TITLE,$FLEET_BRANCH,$FLEET_BASE,$FLEET_WORKTREE"; ls /proc/$$/fd'
    repo.config({"fleetAgent.sh.command": f'{script}; cat "$FLEET_PROMPT_FILE" >&2; echo "$TOKEN,$GIT_DIR"; touch new'})
    said = run(repo, "a", env={"TOKEN": "s3cret", "GIT_DIR": str(repo.common_dir())})
    ended(repo, "a")
    here = rooms.tree(repo, "a")
    assert said == f"started a: process {known(repo)['a'].pid}\n"
    assert repo.call("logs", "a", check=0).out.split("\n") == [
        *(str(here), f"a,first,a,main,{here}", "0", "1", "2", "do it", "s3cret,", ""),
    ]
    assert state(repo, "a") == ("done", None) and (here / "new").exists()
    assert repo.call("logs", cwd=here, check=0).out.startswith(f"{here}\n")
    assert b"s3cret" not in (repo.common_dir() / "fleet" / "fleet.db").read_bytes()


def test_how_it_ends_is_how_the_task_stands(repo: Place) -> None:
    run(repo, "a", "b", "--", "git commit -q --allow-empty -m w; exit 3")
    ended(repo, "a")
    ended(repo, "b")
    assert state(repo, "a") == ("stuck", "exit status 3, see: git fleet logs a")
    run(repo, "a", "--", "sh", "-c", "kill -9 $PPID")
    ended(repo, "a")
    assert state(repo, "a") == ("stuck", "killed by signal 9, see: git fleet logs a")
    run(repo, "a", "--", "git fleet mark stuck -m 'which port?'; exit 0")
    ended(repo, "a")
    assert state(repo, "a") == ("stuck", "which port?")
    run(repo, "a", "--", "true")
    ended(repo, "a")
    assert state(repo, "a") == ("done", None)


def test_one_in_a_worktree(repo: Place) -> None:
    agent = begun(repo, "a", "sleep 60")
    refused = run(repo, "a", "b", "--", "true", check=3)
    assert "a was not started: an agent runs in its worktree since 20" in refused and f"process {agent.pid})" in refused
    assert "git fleet stop a" in refused and "started b" in refused
    assert state(repo, "a") == ("running", None)


def test_whoever_was_quicker_counts_also_when_he_has_ended(repo: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two decide to start one, and the second begins only when the first has ended: that was it."""
    monkeypatch.chdir(repo.path)
    context = contexts.find()
    view = outlook.view(context)
    first, second = (agents.prepare(context, view, context.plan.tasks[0], ["echo x >> ran"]) for _ in range(2))
    agents.run(context, first, lambda event: None)
    ended(repo, "a")
    with pytest.raises(Busy, match="another agent was quicker, and has ended"):
        agents.run(context, second, lambda event: None)
    assert (rooms.tree(repo, "a") / "ran").read_text() == "x\n"


def test_its_watcher_is_killed_and_it_lives_on(repo: Place) -> None:
    """SAFETY 113: who it is was written down, so it is known, never doubled, and its end is seen."""
    agent = begun(repo, "a", "sleep 60")
    os.kill(watcher(agent.pid), signal.SIGKILL)
    until(lambda: watcher(agent.pid) == agent.pid, "the end of the watcher")
    assert state(repo, "a") == ("running", None)
    assert f"process {agent.pid})" in run(repo, "a", "--", "true", check=3)
    assert repo.call("doctor", check=0).err == ""
    os.killpg(agent.pid, signal.SIGKILL)
    until(lambda: state(repo, "a")[0] == "stuck", "that it is gone")
    assert state(repo, "a") == ("stuck", "its agent is gone, see: git fleet logs a")
    found = repo.call("doctor", "--json", check=1).json["findings"]
    assert [one["code"] for one in found] == ["agent-gone"]
    repo.call("doctor", "--repair", check=0)
    repo.call("doctor", check=0)
    assert state(repo, "a") == ("stuck", "its agent is gone, see: git fleet logs a")
    run(repo, "a", "--", "true")
    ended(repo, "a")
    assert state(repo, "a") == ("done", None)


def test_a_number_that_is_used_again_is_not_the_agent(repo: Place) -> None:
    agent = begun(repo, "a", "sleep 60")
    os.kill(watcher(agent.pid), signal.SIGKILL)
    until(lambda: watcher(agent.pid) == agent.pid, "the end of the watcher")
    with database.opened(str(repo.common_dir() / "fleet")) as journal, journal.writing("test") as db:
        db.execute("UPDATE agent SET identity = 'another boot'")
    assert state(repo, "a")[0] == "stuck"
    assert "no agent runs for a" in repo.call("stop", "a", check=0).err
    os.kill(agent.pid, 0)


def test_stop_ends_all_that_it_started(repo: Place) -> None:
    agent = begun(repo, "a", "sleep 60 & sleep 60; echo never")
    other = begun(repo, "b", "sleep 60")
    assert repo.call("stop", "a", "--dry-run", check=0).out == f"would stop a: process {agent.pid}\n"
    assert repo.call("stop", "a", check=0).out == f"stopped a: process {agent.pid}\n"
    until(lambda: not group(agent.pid), "the end of all of it")
    assert state(repo, "a")[0] == "stuck" and str(state(repo, "a")[1]).startswith("stopped by ")
    assert state(repo, "b") == ("running", None)
    assert repo.call("stop", check=0).out == f"stopped b: process {other.pid}\n"
    assert "no agent runs" in repo.call("stop", check=0).err


def test_one_that_does_not_listen_is_killed(repo: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = begun(repo, "a", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    until(lambda: "deaf" in Path(agent.log).read_text(), "that it does not listen")
    monkeypatch.chdir(repo.path)
    context = contexts.find()
    assert agents.stop(context, context.agents["a"], grace_s=0.2)
    until(lambda: not group(agent.pid), "its end")
    assert known(repo)["a"].ended_s is not None


def group(leader: int) -> list[int]:
    """Who lives in a process group."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(name))
    return found


def test_what_it_left_behind_ends_with_it(repo: Place) -> None:
    agent = begun(repo, "a", "sleep 60 >/dev/null 2>&1 & exit 0")
    ended(repo, "a")
    assert state(repo, "a")[0] == "done" and group(agent.pid) == []


def test_quiet_is_said(repo: Place) -> None:
    repo.config({"fleet.quietAfter": "1s"})
    begun(repo, "a", "sleep 60")
    until(lambda: str(state(repo, "a")[1]).startswith("quiet for "), "that it is quiet")
    repo.config({"fleet.quietAfter": "1h"})
    assert state(repo, "a") == ("running", None)


def test_its_worktree_stays(repo: Place) -> None:
    repo.fleet("add", "c", check=0)
    agent = begun(repo, "c", "sleep 60")
    undo = repo.fleet("undo", check=3)
    assert f"the agent of c runs in '{rooms.tree(repo, 'c')}' (process {agent.pid})" in undo.err
    for refused in (undo, repo.fleet("remove", "c", check=3)):
        assert f"process {agent.pid})" in refused.err and "git fleet stop c" in refused.err
    repo.call("stop", "c", check=0)
    repo.fleet("undo", check=0)


def test_what_cannot_be_started_says_why(repo: Place) -> None:
    repo.config({"fleet.b.needs": "a", "fleet.a.agent": "claude"})
    assert "c was not started: it has no worktree\nhint: git fleet add c" in run(repo, "c", "--", "true", check=3)
    assert "b was not started: it needs a, not landed yet" in run(repo, "b", "--", "true", check=3)
    assert "its agent 'claude' has no command\nhint: git config fleetAgent.claude.command" in run(repo, "a", check=3)
    repo.config({"fleet.a.prompt": "../b/b"})
    assert "its prompt '../b/b' is no file of the repository" in run(repo, "a", "--", "true", check=3)
    assert "which task?" in run(repo, "--", "true", check=129)
    assert "no agent was started for a" in repo.fleet("logs", "a", check=128).err
    assert known(repo) == {}


def test_a_dry_run_starts_nothing(repo: Place) -> None:
    done = repo.call("run", "a", "--dry-run", "--", "echo", "a b", check=0)
    assert done.out == f"would start a in '{rooms.tree(repo, 'a')}': echo 'a b'\n" and known(repo) == {}


def test_logs_follow_to_the_end_and_show_no_terminal_what_it_would_obey(repo: Place) -> None:
    run(repo, "a", "--", r"printf 'one\033[31m\n'; sleep 1; printf 'two\tthree'")
    assert repo.call("logs", "--follow", "a", check=0).out == "one\033[31m\ntwo\tthree"
    shown = pexpect.run("git fleet logs a", cwd=str(repo.path), env=dict(os.environ)).decode()
    assert shown == "one\\x1b[31m\r\ntwo\tthree\r\n"


def test_whoever_starts_it_may_be_killed(repo: Place) -> None:
    """No lock, pipe or terminal of his holds it, nor does it hold one of his."""
    script = (
        "import os, sys\n"
        "from git_fleet.journal import locks\n"
        "from git_fleet import cli\n"
        "with locks.hold(sys.argv[1], 'plan'):\n"
        "    try: cli.main(['run', 'a', '--', 'echo here; sleep 60'])\n"
        "    except SystemExit: pass\n"
        "    sys.stdout.flush(); os.kill(os.getpid(), 9)\n"
    )
    argv = [sys.executable, "-c", script, str(repo.common_dir() / "fleet")]
    done = subprocess.run(
        argv, cwd=repo.path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=WAIT_S
    )
    assert (done.returncode, done.stdout.startswith("started a")) == (-9, True), done.stderr
    assert state(repo, "a") == ("running", None)
    repo.fleet("add", "c", check=0)
