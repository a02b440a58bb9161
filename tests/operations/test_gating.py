"""Gates: what lands was green as it lands; who is red is named, alone or with a partner; every run is counted."""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kit
import pytest
import rooms


class Fleet:
    """Branches `01`, `02`, … that each add a file of their name, and a gate that writes down every run."""

    def __init__(self, folder: Path, count: int, red: str, **config: str) -> None:
        self.folder = folder
        names = [f"{number:02}" for number in range(1, count + 1)]
        self.repo = rooms.fleet(folder, dict.fromkeys(names), **{"gateRetries": "1", "gateJobs": "1", **config})
        for name in names:
            self.repo.branch(name, {name: "x\n"})
        self.gate(red)

    def gate(self, red: str) -> None:
        """The gate is red where the shell command `red` succeeds."""
        counted = f'echo "${{FLEET_TASK:-base}}:$(echo [0-9]*)" >>{shlex.quote(str(self.folder / "runs"))}'
        self.repo.git("config", "fleetGate.unit.command", f"{counted}; ! {{ {red}; }}")

    def runs(self) -> list[str]:
        path = self.folder / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def land(self, *args: str, check: int = 0) -> Any:
        return self.repo.fleet("land", "--json", *args, check=check).json


def evicted(done: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["id"], one["reason"], one.get("partner")) for one in done["gates"]["evicted"]]


def steps(done: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {step["id"]: (step["action"], step["gate"]) for step in done["steps"]}


# ------------------------------------------------------------------------------------------------------ who is to blame


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_a_branch_that_is_red_alone_is_thrown_out_and_the_others_land(tmp_path: Path, mode: str) -> None:
    fleet = Fleet(tmp_path, 4, "test -e 02", gateMode=mode)
    done = fleet.land(check=5)
    assert evicted(done) == [("02", "02 alone is red on main: unit", None)]
    assert done["result"]["landed"] == ["01", "03", "04"] and done["ending"] == "gate failed"
    assert steps(done)["02"] == ("park", "failed")
    assert fleet.repo.git("ls-tree", "--name-only", "main", "01", "02", "03", "04").split() == ["01", "03", "04"]
    assert fleet.repo.git("status", "--porcelain") == "" and not list(tmp_path.glob("*-lane-*"))
    assert rooms.operations(fleet.repo)[0] == ("land", "done")
    first, search = ["base:[0-9]*", "01:01", "02:01 02", "02:01 02", "02:02"], ["base:[0-9]*", "04:01 02 03 04"]
    if mode == "each":
        assert fleet.runs() == [*first, "03:01 03", "04:01 03 04"]
    else:
        assert fleet.runs() == [*search, "02:01 02", "01:01", "02:02", "04:01 03 04"]


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_two_that_are_green_alone_and_red_together_are_both_named(tmp_path: Path, mode: str) -> None:
    fleet = Fleet(tmp_path, 6, "test -e 02 && test -e 05", gateMode=mode)
    done = fleet.land(check=5)
    assert evicted(done) == [("05", "02 and 05 are green alone and red together: unit", "02")]
    assert done["result"]["landed"] == ["01", "02", "03", "04", "06"]
    assert "05:05" in fleet.runs() and "05:02 05" in fleet.runs()


def test_three_that_are_red_only_together_are_not_called_two(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 4, "test -e 01 && test -e 02 && test -e 04")
    done = fleet.land(check=5)
    why = "04 is green alone and red after 02 and what lands before that: unit"
    assert evicted(done) == [("04", why, None)]
    assert done["result"]["landed"] == ["01", "02", "03"]


def test_what_is_built_anew_is_held_while_it_is_tested(tmp_path: Path) -> None:
    """A gate that lets git forget all that nobody holds takes nothing away that is to land."""
    fleet = Fleet(tmp_path, 4, "git -c gc.reflogExpire=now gc -q --prune=now; test -e 02")
    done = fleet.land(check=5)
    assert done["result"]["landed"] == ["01", "03", "04"] and [id for id, _, _ in evicted(done)] == ["02"]
    fleet.repo.fsck()


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_several_culprits(tmp_path: Path, mode: str) -> None:
    fleet = Fleet(tmp_path, 6, "test -e 01 || test -e 06 || { test -e 03 && test -e 04; }", gateMode=mode)
    done = fleet.land(check=5)
    assert [id for id, _, _ in evicted(done)] == ["01", "04", "06"]
    assert done["result"]["landed"] == ["02", "03", "05"]
    assert sum(len(set(some)) for some in ([run] for run in fleet.runs())) == len(fleet.runs())


@pytest.mark.parametrize("culprit", [1, 17, 32])
def test_one_culprit_in_thirty_two_is_named_with_eight_runs(tmp_path: Path, culprit: int) -> None:
    name = f"{culprit:02}"
    fleet = Fleet(tmp_path, 32, f"test -e {name}", gateMode="tip")
    done = fleet.land("--no-keep-going", check=5)
    assert evicted(done) == [(name, f"{name} alone is red on main: unit", None)]
    assert len(done["result"]["landed"]) == culprit - 1
    assert len(fleet.runs()) == done["gates"]["runs"] <= 8


@pytest.mark.parametrize(("one", "other"), [(7, 14), (1, 20), (8, 9)])
def test_a_pair_among_twenty_is_named_with_twelve_runs(tmp_path: Path, one: int, other: int) -> None:
    fleet = Fleet(tmp_path, 20, f"test -e {one:02} && test -e {other:02}", gateMode="tip")
    done = fleet.land("--no-keep-going", check=5)
    assert evicted(done) == [
        (f"{other:02}", f"{one:02} and {other:02} are green alone and red together: unit", f"{one:02}")
    ]
    assert len(fleet.runs()) == done["gates"]["runs"] <= 12


# --------------------------------------------------------------------------------------------------------- what goes on


def test_what_needs_a_culprit_or_was_built_upon_it_is_parked(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 5, "test -e 02")
    fleet.repo.config({"fleet.04.needs": "03", "fleet.03.needs": "02"})
    fleet.repo.branch("stacked", {"stacked": "x\n"}, start="02")
    fleet.repo.config({"fleet.stacked.branch": "stacked"})
    done = fleet.land(check=5)
    assert done["result"]["landed"] == ["01", "05"]
    assert {id: what for id, what in steps(done).items() if what[0] == "park"} == {
        "02": ("park", "failed"),
        "03": ("park", "none"),
        "04": ("park", "none"),
        "stacked": ("park", "none"),
    }
    fleet.gate("false")
    assert fleet.land()["result"]["landed"] == ["02", "stacked", "03", "04"]


def test_a_branch_is_not_blamed_for_what_it_needs(tmp_path: Path) -> None:
    """`02` works only upon what it needs, so alone means: with that."""
    fleet = Fleet(tmp_path, 3, "{ test -e 02 && ! test -e 01; } || { test -e 02 && test -e 03; }")
    fleet.repo.config({"fleet.02.needs": "01"})
    done = fleet.land(check=5)
    assert evicted(done) == [("03", "02 and 03 are green alone and red together: unit", "02")]


def test_what_stopped_because_of_a_culprit_lands_without_it(tmp_path: Path) -> None:
    work = {"a": {"file": "red\n"}, "b": {"file": "b\n"}, "c": {"c": "x\n"}, "d": {"d": "x\n"}, "e": {"e": "x\n"}}
    repo = rooms.fleet(tmp_path, work)
    needs = {"fleet.c.needs": "b", "fleet.d.needs": "a", "fleet.e.needs": "a"}
    repo.config({**needs, "fleet.gate": "! grep -q red file"})
    done = repo.fleet("land", "--json", check=5).json
    assert evicted(done) == [("a", "a alone is red on main: gate", None)]
    assert done["result"] == {**done["result"], "landed": ["b", "c"], "stopped": []}
    assert repo.show("file") == "b\n"


def test_a_culprit_and_a_conflict_in_one_landing(tmp_path: Path) -> None:
    """The conflict waits, the exit code is the gate's, and what goes on afterwards leaves the culprit out."""
    work = {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "red": {"red": "x\n"}, "d": {"d": "x\n"}}
    repo = rooms.fleet(tmp_path, work, gate="! test -e red")
    done = repo.fleet("land", check=5)
    assert "conflicts in file; a gate threw out red" in done.err and "git fleet land --continue" in done.err
    assert (repo.read("file"), repo.read("d")) == ("a\n", "x\n")
    lane = tmp_path / "app-lane-1"
    repo.write({"file": "both\n"}, lane)
    repo.git("add", "file", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "both\n" and rooms.states(repo)["red"] == "active"


def test_ending_at_the_first_culprit(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 4, "test -e 02 || test -e 03")
    done = fleet.repo.fleet("land", "--no-keep-going", check=5)
    assert "git fleet land --no-keep-going\n" in done.err and "or land the others: git fleet land" in done.err
    assert fleet.repo.git("ls-tree", "--name-only", "main", "01", "02", "03", "04").split() == ["01"]
    assert "03 04" not in done.out and "not tested: the landing stopped at 02" in done.out


def test_everything_red(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 2, "test -e 01 || test -e 02")
    before = fleet.repo.oid("main")
    done = fleet.repo.fleet("land", check=5)
    assert fleet.repo.oid("main") == before and "nothing landed, main stays" in done.out
    assert rooms.operations(fleet.repo) == [("land", "failed")]


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_a_red_base_blames_nobody(tmp_path: Path, mode: str) -> None:
    fleet = Fleet(tmp_path, 3, "true", gateMode=mode)
    before = fleet.repo.snapshot()
    done = fleet.land(check=5)
    assert done["ending"] == "base red" and done["gates"]["evicted"] == []
    assert fleet.runs() == ["base:[0-9]*"] * 2  # once more, on the same tree
    assert fleet.repo.snapshot() == before


# ------------------------------------------------------------------------------------------------------ flaky and known


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_a_gate_that_is_flaky_on_every_tree(tmp_path: Path, mode: str) -> None:
    """Red the first time, green the second: nobody is to blame, and all land."""
    fleet = Fleet(tmp_path, 3, f"mkdir {tmp_path}/$(git rev-parse HEAD^{{tree}}) 2>/dev/null", gateMode=mode)
    done = fleet.land()
    assert done["result"]["landed"] == ["01", "02", "03"] and done["gates"]["evicted"] == []
    assert steps(done)["03"] == ("land", "flaky")


@pytest.mark.parametrize("mode", ["each", "tip"])
def test_a_gate_that_is_flaky_once(tmp_path: Path, mode: str) -> None:
    fleet = Fleet(tmp_path, 5, f"test -e 04 && mkdir {tmp_path}/once 2>/dev/null", gateMode=mode)
    done = fleet.land()
    assert done["result"]["landed"] == ["01", "02", "03", "04", "05"]
    assert ("land", "flaky") in steps(done).values()


def test_without_retries_nothing_is_flaky(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 2, f"test -e 02 && mkdir {tmp_path}/once 2>/dev/null", gateRetries="0")
    done = fleet.land(check=5)
    assert [id for id, _, _ in evicted(done)] == ["02"]
    assert fleet.runs() == ["base:[0-9]*", "01:01", "02:01 02", "02:02"]


def test_a_pass_is_remembered_for_the_environment_a_failure_for_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(tmp_path, 1, "test -e 01", gateRetries="0")
    fleet.land(check=5)
    fleet.land(check=5)
    assert fleet.runs() == ["base:[0-9]*", "01:01", "01:01"]
    monkeypatch.setenv("SHLVL", "7")
    fleet.land(check=5)
    assert fleet.runs()[3:] == ["01:01"]
    monkeypatch.setenv("DATABASE", "other")
    fleet.land(check=5)
    assert fleet.runs()[4:] == ["base:[0-9]*", "01:01"]


# ---------------------------------------------------------------------------------------------------------- which gates


def test_several_gates_run_in_order_up_to_the_first_that_fails(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, gateRetries="0")
    for name, red in (("one", "false"), ("two", "test -e a"), ("three", "false")):
        repo.config({f"fleetGate.{name}.command": f"echo {name} >>'{tmp_path}/runs'; ! {red}"})
    done = repo.fleet("land", "--json", check=5).json
    assert evicted(done) == [("a", "a alone is red on main: two", None)]
    assert (tmp_path / "runs").read_text().split() == ["one", "two", "three", "one", "two"]
    repo.fleet("land", "--gate", "one", "--gate", f"echo typed >>'{tmp_path}/runs'", check=0)
    assert (tmp_path / "runs").read_text().split()[5:] == ["typed", "typed"]


def test_a_gate_that_is_none(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.config({"fleetGate.unit.command": "true"})
    refused = repo.fleet("land", "--gate", "units", check=129)
    assert "'units' is neither a gate nor a program" in refused.err and "gates that are configured: unit" in refused.err
    assert "--gate goes with none of" in repo.fleet("land", "--gate", "unit", "--no-gate", check=129).err
    assert rooms.operations(repo) == []


def test_what_was_typed_about_gates_is_kept_over_a_stop(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}}, gate="false")
    repo.fleet("land", "--gate", f"echo x >>'{tmp_path}/runs'", check=4)
    lane = tmp_path / "app-lane-1"
    repo.write({"file": "both\n"}, lane)
    repo.git("add", "file", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert (tmp_path / "runs").read_text() == "x\n" * 3


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("exit 125", "it ran no test (exit status 125)"),
        ("exec /nonexistent/program", "it could not start (exit status 127)"),
        ("kill -9 $$", "killed by signal 9"),
        ("sleep 60 & wait", "timed out after 0.6 s"),
        ('cd / && rm -rf "$FLEET_WORKTREE"; exit 3', "exit status 3"),
    ],
)
def test_what_is_no_pass_is_a_failure(tmp_path: Path, command: str, why: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, gateTimeout="600ms", gateRetries="0")
    repo.config({"fleet.gate": f"test ! -e a || {{ {command}; }}"})
    done = repo.fleet("land", "-v", check=5)
    assert "gate failed on a in " in done.err and why in done.err
    assert not (repo.path / "a").exists() and (repo.path / "b").exists() and not list(tmp_path.glob("*-lane-*"))


# -------------------------------------------------------------------------------------------------------- several lanes


def test_trees_are_tested_side_by_side_each_in_its_lane(tmp_path: Path) -> None:
    """Each gate waits until another one runs beside it, which but one at a time never would."""
    meet = (
        f'mkdir "{tmp_path}/at-$FLEET_LANE" && for i in $(seq 200); do'
        f" test $(ls -d {tmp_path}/at-* | wc -l) -ge 2 && break; sleep 0.05; done;"
        f' test $i -lt 200 && echo "$FLEET_LANE $PWD" >>"{tmp_path}/lanes"; s=$?; sleep 0.1;'
        f' rmdir "{tmp_path}/at-$FLEET_LANE"; exit $s'
    )
    fleet = Fleet(tmp_path, 3, "false", gateJobs="2")
    done = fleet.land("--gate", meet)
    assert done["result"]["landed"] == ["01", "02", "03"] and done["gates"]["lanes"] == 2
    assert {tuple(line.split()) for line in (tmp_path / "lanes").read_text().splitlines()} == {
        ("1", str(tmp_path / "app-lane-1")),
        ("2", str(tmp_path / "app-lane-2")),
    }
    assert done["gates"]["saved_s"] > 0 and len(fleet.repo.worktrees()) == 1


def test_what_was_begun_for_nothing_is_ended(tmp_path: Path) -> None:
    """The tests of what comes after a red tree hang for ever, but nobody needs them."""
    fleet = Fleet(tmp_path, 4, "if test -e 03; then sleep 60; fi; test -e 02", gateJobs="3", gateRetries="0")
    done = fleet.land("--no-keep-going", check=5)
    assert done["result"]["landed"] == ["01"] and [id for id, _, _ in evicted(done)] == ["02"]


def test_many_lanes_search_by_parts(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 12, "test -e 07", gateJobs="3", gateMode="tip")
    done = fleet.land(check=5)
    assert [id for id, _, _ in evicted(done)] == ["07"] and len(done["result"]["landed"]) == 11


def test_a_lane_is_warm_but_clean(tmp_path: Path) -> None:
    """What git ignores stays from one tree to the next, all else that a gate leaves goes."""
    fleet = Fleet(tmp_path, 2, "false")
    leave = "ls left build.log 2>/dev/null; echo x >left; echo x >build.log; echo x >file; git add left"
    fleet.repo.git("config", "fleetGate.unit.command", f"({leave}) >>'{tmp_path}/seen'")
    fleet.land()
    assert (tmp_path / "seen").read_text().split() == ["build.log", "build.log"]
    assert fleet.repo.show("file") == rooms.LONG


def test_a_killed_landing_leaves_no_gate_and_no_lane(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 3, "false", gateJobs="2")
    command = f"echo $$ >>'{tmp_path}/pids'; sleep 60 & wait"
    fleet.repo.git("config", "fleetGate.unit.command", command)
    running = fleet.repo.start("land")
    pids = tmp_path / "pids"
    kit.wait_for(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    running.kill()
    assert all(os.path.exists(f"/proc/{pid}") for pid in pids.read_text().split())
    fleet.gate("false")
    done = fleet.repo.fleet("land", check=0)
    assert "2 gates of 'land 01, 02, 03' (operation 1) still ran: they were ended" in done.err
    assert not any(is_there(int(pid)) for pid in pids.read_text().split())
    assert not list(tmp_path.glob("*-lane-*")) and len(fleet.repo.worktrees()) == 1
    assert rooms.operations(fleet.repo) == [("land", "done"), ("land", "failed")]


def is_there(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


# ---------------------------------------------------------------------------------------------------- gates gone astray


def test_a_gate_that_writes_elsewhere_and_moves_refs_is_reported(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    elsewhere = tmp_path / "b"
    repo.config({"fleet.gate": f"echo x >>'{elsewhere}/stray'; git update-ref refs/tags/stray HEAD"})
    tip = repo.oid("a")
    said = repo.fleet("land", "--json", "a", check=0)
    assert said.json["gates"]["disturbed"] == [
        f"'refs/tags/stray' moved from nothing to {said.json['result']['commit'][:12]}",
        f"files changed in '{elsewhere}': stray",
    ]
    assert "while gates ran: files changed in" in said.err and repo.oid("main^2") == tip


def test_a_gate_that_keeps_to_its_lane_is_not(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, gate="echo x >left; git commit -qam mine")
    repo.write({"mine": "x\n"}, tmp_path / "b")
    assert repo.fleet("land", "--json", "a", check=5).json["gates"]["disturbed"] == []


def test_a_gate_that_forks_leaves_nobody_behind(tmp_path: Path) -> None:
    fork = f"for i in 1 2 3; do sh -c 'trap \"\" TERM; echo $$ >>{tmp_path}/pids; sleep 60' & done; sleep 0.3"
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, gate=fork)
    repo.fleet("land", check=0)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 6
    kit.wait_for(lambda: not any(map(is_there, pids)))


def test_a_gate_that_writes_without_end_fills_no_disk(tmp_path: Path) -> None:
    """The log is capped; the time-out ends the gate."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, gateTimeout="1s", gateRetries="0")
    repo.config({"fleet.gate": "test ! -e a || yes"})
    repo.fleet("land", check=5)
    logs = list((repo.path / ".git/fleet/logs").iterdir())
    assert len(logs) == 2 and max(log.stat().st_size for log in logs) < 17 << 20


def test_a_gate_that_fills_its_lane_is_cleared_away(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.config({"fleet.gate": "head -c 3000000 /dev/zero >big; mkdir -p deep/er; chmod 555 deep deep/er; test ! -e a"})
    repo.fleet("land", check=5)
    assert not list(tmp_path.glob("*-lane-*")) and not list((repo.path / ".git/worktrees").glob("*lane*"))


def test_a_base_that_moves_while_several_gates_run(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 2, "false", gateJobs="2")
    new = fleet.repo.branch("meanwhile", {"mine": "x\n"})
    fleet.repo.git("checkout", "-q", "--detach")
    move = f"git -C '{fleet.repo.path}' update-ref refs/heads/main {new}"
    done = fleet.repo.fleet("land", "--gate", move)
    assert done.status in (0, 75) and fleet.repo.git("merge-base", "main", new) == new
    assert not list(tmp_path.glob("*-lane-*"))


def test_a_killed_git_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that dies of a signal while the gates' lane is set is an error, and not a verdict about a branch."""
    fleet = Fleet(tmp_path, 2, "false")
    before = fleet.repo.oid("main")
    real = subprocess.run(["sh", "-c", "command -v git"], capture_output=True, text=True, check=True).stdout.strip()
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\ncase "$*" in *" worktree add "*) kill -9 $$;; esac\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    done = fleet.repo.run("git-fleet", "land", reader=False)
    assert done.status == 128 and fleet.repo.oid("main") == before
    assert rooms.operations(fleet.repo) == [("land", "failed")] and fleet.runs() == []
    monkeypatch.undo()


def test_old_notes_of_a_landing_are_understood(tmp_path: Path) -> None:
    """A landing that was stopped by an older git fleet, whose request knew less."""
    import sqlite3

    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    with sqlite3.connect(repo.path / ".git/fleet/fleet.db") as db:
        (text,) = db.execute("SELECT detail FROM operation").fetchone()
        detail = json.loads(text)
        detail["request"] = {"names": detail["request"]["names"], "gates": True}
        db.execute("UPDATE operation SET detail = ?", (json.dumps(detail),))
    lane = tmp_path / "app-lane-1"
    repo.write({"file": "both\n"}, lane)
    repo.git("add", "file", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "both\n"


def test_a_gate_that_cannot_be_noted_never_begins_and_nobody_waits_for_it(tmp_path: Path) -> None:
    """A full disk looks like this."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, gate=f"touch '{tmp_path}/begun'")
    note = repo.path / ".git/fleet/locks/operation-1.gates.new"
    note.mkdir(parents=True)
    start = repo.oid("main")
    running = repo.start("land")
    assert running.wait() == 128
    assert repo.oid("main") == start and not (tmp_path / "begun").exists()
    note.rmdir()
    repo.fleet("land", check=0)
    assert rooms.states(repo) == {"a": "landed"} and not list(tmp_path.glob("*-lane-*"))
