"""`go`: real agents, from the plan to the base, whoever fails, is killed, or has to look at it on the way."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import kit
import pexpect
import pytest
import rooms
from jsonschema import validate
from kit import ROOT, Completed, Repo
from warm import Warm

from git_fleet.journal import locks

WORK = 'echo "$FLEET_TASK" >> ../ran; echo "$FLEET_TASK" > "$FLEET_TASK"; git add -A; git commit -qm "$FLEET_TASK"'
"""What an agent does that does well."""
SCHEMA = json.loads((ROOT / "git_fleet/output/schemas/go.json").read_text())


class Place(Repo):
    """A repository, and the program that is loaded already."""

    warm: Warm

    def call(self, *args: str, check: int = 0) -> Completed:
        done = self.warm.run(*args, cwd=self.path, env=kit.environment(None))
        assert done.status == check, done
        return done

    def go(self, *args: str, check: int = 0) -> Completed:
        return self.call("go", *args, check=check)

    def begin(self) -> "Background":
        """`git fleet go`, at work by now."""
        going = Background(self)
        kit.wait_for(lambda: locks.holder(str(self.common_dir() / "fleet"), "go") == going.pid)
        return going

    def states(self) -> dict[str, str]:
        return {row["id"]: row["state"] for row in self.call("status", "--json").json["tasks"]}

    def ran(self) -> list[str]:
        """Tasks whose agents have begun, in that order."""
        return (self.path.parent / "ran").read_text().split()

    def landed(self) -> list[str]:
        """Tasks by the trailers of what landed, oldest first."""
        return self.git("log", "--reverse", "--format=%(trailers:key=Fleet-Task,valueonly,separator=)", "main").split()


class Background:
    """`git fleet go` in the background."""

    def __init__(self, repo: Repo) -> None:
        self._said = repo.path.parent / "said"
        with self._said.open("w") as file:
            self._process = subprocess.Popen(["git-fleet", "go"], cwd=repo.path, stdout=file, stderr=file)
        self.pid = self._process.pid

    def end(self) -> tuple[int, str]:
        """Its exit status (negative: a signal), and all that it said."""
        return self._process.wait(timeout=60), self._said.read_text()


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Iterator[Place]:
    repo = Place(rooms.fleet(tmp_path, {"a": None, "b": None, "c": None}, agent="sh").path)
    repo.warm = warm
    repo.config({"fleetAgent.sh.command": WORK})
    yield repo
    repo.call("stop")


def agent(repo: Repo, task: str, command: str) -> None:
    repo.config({f"fleet.{task}.agent": f"of-{task}", f"fleetAgent.of-{task}.command": command})


def mark(repo: Place, *words: str) -> None:
    repo.call("mark", *words)


def test_a_plan_to_its_end(repo: Place) -> None:
    """b overlaps a, and c needs a: two waves."""
    repo.config({"fleet.a.owns": "x/", "fleet.b.owns": "x/y", "fleet.c.needs": "a"})
    first = repo.fleet("go", "--dry-run", check=0)
    assert first.out.endswith(
        "wave 1: a\nwave 2: b, c\nwould create branch and worktree for a, then start the agents\n"
    )
    told = json.loads(repo.go("--dry-run", "--json").out)
    validate(told, SCHEMA)
    assert told["next"] == {"do": "add", "tasks": ["a"]} and told["waves"] == [["a"], ["b", "c"]]
    went = repo.go()
    assert (
        went.out.endswith("\n\nall has landed on main\n")
        and "hint: to clear what has landed: git fleet clean" in went.err
    )
    told = [line.partition(":")[0] for line in went.err.split("\n") if "of a" in line or "landed a" in line]
    assert told == ["started the agent of a", "the agent of a has ended", "landed a"]
    assert repo.ran()[0] == repo.landed()[0] == "a"
    again = json.loads(repo.go("--json").out)
    validate(again, SCHEMA)
    assert again["left"] == again["landed"] == [] and {task["state"] for task in again["tasks"]} == {"landed"}
    assert sorted(repo.ran()) == sorted(repo.landed()) == ["a", "b", "c"]


def test_what_fails_holds_up_what_needs_it_and_nothing_else(repo: Place) -> None:
    repo.config({"fleet.c.needs": "a"})
    agent(repo, "a", "echo a >> ../ran; exit 7")
    ended = repo.go(check=4)
    assert re.search(r"^a +stuck +exit status 7, see: git fleet logs a\n", ended.out, re.MULTILINE)
    assert re.search(r"^b +landed", ended.out, re.MULTILINE)
    assert re.search(r"^c +blocked +waits for the landing of a\n", ended.out, re.MULTILINE)
    assert "error: not landed: a, c; only a human can go on\nhint: a: git fleet logs a\n" in ended.err
    assert ended.err.endswith("hint: then, to go on: git fleet go\n") and repo.landed() == ["b"]
    told = json.loads(repo.go("--json", check=4).out)
    validate(told, SCHEMA)
    assert told["left"] == ["a", "c"] and repo.ran().count("a") == 1  # nobody asked for another try


def test_a_conflict_waits_and_then_it_goes_on(repo: Place) -> None:
    for task in "ab":
        agent(repo, task, f"echo {task} > both; git add both; git commit -qm {task}")
    ended = repo.go(check=4)
    assert ended.err.count("land --continue") >= 2 and "conflicts in both" in ended.out
    [last] = {"a", "b"} - set(repo.landed())
    other = repo.go(check=4)
    assert f"not landed: {last}" in other.err and repo.landed().count(last) == 0
    lane = next(Path(tree.path) for tree in repo.worktrees() if tree.path.endswith("-lane-1"))
    (lane / "both").write_text("both\n")
    repo.git("add", "both", cwd=lane)
    repo.call("land", "--continue")
    repo.go()
    assert sorted(repo.landed()) == ["a", "b", "c"] and repo.show("both") == "both\n"


def test_a_landing_that_was_given_up_is_not_begun_again_by_the_same_go(repo: Place) -> None:
    for task in "ab":
        agent(repo, task, f"echo {task} > both; git add both; git commit -qm {task}")
    agent(repo, "c", "while ! test -e ../go; do sleep 0.1; done; " + WORK)
    repo.call("add", "a", "b")
    repo.go("a", "b", check=4)
    going = repo.begin()
    kit.wait_for(lambda: repo.states()["c"] == "running")
    repo.call("land", "--abort")
    (repo.path.parent / "go").touch()
    assert going.end()[0] == 4
    assert len(repo.landed()) == 2 and "c" in repo.landed()


def test_only_what_was_reviewed_lands(repo: Place) -> None:
    repo.config({"fleet.c.needs": "a"})
    ended = repo.go("--review", check=4)
    assert re.search(r"^a +done +waits for a review\n", ended.out, re.MULTILINE)
    assert "hint: a: git fleet review a\n" in ended.err and repo.landed() == []
    mark(repo, "approved", "a")
    mark(repo, "rejected", "b", "-m", "no tests")
    ended = repo.go("--review", check=4)
    assert repo.landed() == ["a"] and re.search(r"^b +rejected +no tests\n", ended.out, re.MULTILINE)
    assert sorted(repo.ran()) == ["a", "b", "c"]


def test_a_red_gate_throws_one_out_and_the_rest_lands(repo: Place) -> None:
    repo.config({"fleet.c.needs": "a"})
    repo.config({"fleetGate.whole.command": "! grep -q bad a"})
    agent(repo, "a", "echo bad > a; git add a; git commit -qm a")
    ended = repo.go("--json", check=5)
    [a, b, c] = json.loads(ended.out)["tasks"]
    assert repo.landed() == ["b"] and b["state"] == "landed" and "a does not land: " in ended.err
    assert a["red"] and a["state"] == "done" and a["type"][0].startswith("less /") and not c["red"]
    repo.commit("better", {"a": "good\n"}, rooms.tree(repo, "a"))
    assert "changed since it was marked as done" in repo.go(check=4).out
    mark(repo, "done", "a")
    repo.go("a")
    assert repo.landed() == ["b", "a"]


def test_a_base_that_is_red_lets_nothing_land_but_without_gates(repo: Place) -> None:
    repo.config({"fleetGate.whole.command": "false"})
    ended = repo.go("a", check=5)
    assert repo.landed() == [] and "the gate fails on 'main' itself" in ended.out
    repo.go("a", "--no-gate")
    assert repo.ran() == repo.landed() == ["a"]


def test_work_that_cannot_land_says_why_and_the_rest_lands(repo: Place) -> None:
    agent(repo, "a", "git commit -q --allow-empty -m a; touch left")
    agent(repo, "b", "true")
    ended = repo.go(check=4)
    assert repo.landed() == ["c"]
    assert re.search(r"^a +done +has uncommitted work: left\n", ended.out, re.MULTILINE)
    assert re.search(r"^b +done +done, but it has no commits\n", ended.out, re.MULTILINE)


def test_where_somebody_has_worked_no_agent_is_started(repo: Place) -> None:
    repo.config({"fleet.c.needs": "a"})
    repo.call("add", "a", "b")
    repo.commit("by hand", {"a": "x\n"}, rooms.tree(repo, "a"))
    (rooms.tree(repo, "b") / "file").write_text("changed\n")
    ended = repo.go(check=4)
    assert "git fleet run a   # to have its agent go on" in ended.err and not (repo.path.parent / "ran").exists()
    assert re.findall(r"^[abc] +(\w+)", ended.out, re.MULTILINE) == ["active", "active", "blocked"]


def test_what_a_human_does_is_made_for_him_and_landed_when_he_says_so(repo: Place) -> None:
    agent(repo, "a", "")
    ended = repo.go(check=4)
    assert re.search(r"^a +active +for a human: its agent 'of-a' has no command\n", ended.out, re.MULTILINE)
    assert sorted(repo.landed()) == ["b", "c"] and f"hint: a: cd {rooms.tree(repo, 'a')}\n" in ended.err
    repo.commit("by hand", {"a": "x\n"}, rooms.tree(repo, "a"))
    mark(repo, "running", "a")
    going = repo.begin()
    mark(repo, "done", "a")
    status, said = going.end()
    assert status == 0, said
    assert repo.landed()[2:] == ["a"]


def test_no_agent_starts_before_its_worktree_is_set_up(repo: Place) -> None:
    repo.config({"fleet.setup": "echo $FLEET_TASK >> ../set-up; test $FLEET_TASK != a || test -e ../go"})
    ended = repo.go(check=4)
    assert "its worktree is not set up: " in ended.out and "hint: a: git fleet add a\n" in ended.err
    assert sorted(repo.ran()) == sorted(repo.landed()) == ["b", "c"]
    assert sorted((repo.path.parent / "set-up").read_text().split()) == ["a", "b", "c"]
    (repo.path.parent / "go").touch()
    repo.go("a")
    assert repo.landed()[2:] == ["a"]


def test_no_more_than_the_limit_at_once(repo: Place) -> None:
    repo.config({"fleet.limit": "1"})
    alone = "mkdir ../alone || { touch ../two; exit 1; }; "
    repo.git("config", "fleetAgent.sh.command", f"{alone}{WORK}; sleep 0.1; rmdir ../alone")
    repo.go("a", "b")
    assert sorted(repo.landed()) == ["a", "b"] and not (repo.path.parent / "two").exists()


def test_those_that_were_named_and_what_they_need(repo: Place) -> None:
    repo.config({"fleet.c.needs": "a"})
    repo.go("c")
    assert repo.ran() == repo.landed() == ["a", "c"]
    assert "no task 'x'" in repo.go("x", check=128).err


@pytest.mark.parametrize("place", ["while it adds", "while it starts", "while it lands"])
def test_killed_and_begun_again(repo: Place, place: str) -> None:
    """Each agent was started once, each task has landed once."""
    once, lock = repo.path.parent / "once", repo.common_dir() / "fleet/locks/go.lock"
    kill = f"mkdir '{once}' 2>/dev/null && kill -9 $(cut -d' ' -f2 '{lock}')"
    hook = repo.common_dir() / "hooks/post-checkout"
    if place == "while it adds":
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{kill}; exit 0\n")
        hook.chmod(0o755)
    elif place == "while it starts":
        agent(repo, "a", f"{kill}; {WORK}")
    else:
        repo.config({"fleetGate.whole.command": f"{kill}; sleep 0.1"})
    assert Background(repo).end()[0] == -signal.SIGKILL
    repo.go()
    assert sorted(repo.ran()) == sorted(repo.landed()) == ["a", "b", "c"]
    repo.fsck()


def spent(pid: int) -> float:
    """Seconds of processor time, that of its children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def test_two_at_once(repo: Place) -> None:
    agent(repo, "a", "while ! test -e ../go; do sleep 0.1; done; " + WORK)
    going = repo.begin()
    kit.wait_for(lambda: repo.states()["a"] == "running")
    refused = repo.go(check=75)
    assert "another git fleet is at work here (pid " in refused.err
    before = spent(going.pid)
    time.sleep(2)
    assert spent(going.pid) - before < 0.4  # it waits for agents at next to no cost
    (repo.path.parent / "go").touch()
    assert going.end()[0] == 0 and sorted(repo.ran()) == sorted(repo.landed()) == ["a", "b", "c"]


def test_ctrl_c_leaves_the_agents_at_work(repo: Place) -> None:
    agent(repo, "a", "echo first; echo 'now \033[31mthe tests'; while ! test -e ../go; do sleep 0.1; done; " + WORK)
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    terminal = pexpect.spawn("git-fleet", ["go"], cwd=str(repo.path), env=env, dimensions=(40, 100), encoding="utf-8")
    terminal.expect(r"a runs since \d\d:\d\d:\d\d \(\d+s\): now \\x1b\[31mthe tests\r\n", timeout=30)
    terminal.sendintr()
    terminal.expect("error: interrupted", timeout=10)
    terminal.expect("hint: agents that run go on: git fleet stop ends them", timeout=10)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130 and repo.states()["a"] == "running"
    (repo.path.parent / "go").touch()
    repo.go()
    assert sorted(repo.ran()) == sorted(repo.landed()) == ["a", "b", "c"]


def test_what_cannot_begin_is_refused_with_the_way_on(repo: Place, tmp_path: Path) -> None:
    repo.git("config", "--unset", "fleet.agent")
    refused = repo.fleet("go", check=3)
    assert "no task has an agent\nhint: git config fleet.agent <name>\n" in refused.err
    inside = repo.fleet("go", env={"FLEET_TASK": "a"}, check=3)
    assert "this runs for task a, for whose end it would wait" in inside.err
    gate = repo.fleet("go", env={"FLEET_LANDING": "1"}, check=3)
    assert "this runs in a gate of a landing, for whose end it would wait" in gate.err
    bare = kit.make_repo(tmp_path / "bare", {"file": "x\n"})
    assert "there is no plan that says what to do\nhint: git fleet init\n" in bare.fleet("go", check=128).err
    assert repo.worktrees()[1:] == []
