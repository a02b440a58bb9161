"""What people stumble over from day to day: dropped tasks, odd terminals, hints that have to work as they stand."""

import subprocess
from pathlib import Path

import rooms


def test_what_was_dropped_is_in_nobodys_way(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"1": {"file": "x\n"}, "2": None, "3": None})
    repo.config({"fleet.1.owns": "file", "fleet.2.owns": "file", "fleet.3.owns": "other", "fleet.1.status": "dropped"})
    plan = repo.fleet("plan", "--json", check=0).json
    assert (plan["waves"], plan["overlaps"], plan["joints"]) == ([["2", "3"]], [], [])
    assert rooms.states(repo) == {"1": "dropped", "2": "ready", "3": "ready"}
    before = repo.snapshot()
    assert "1 is dropped" in repo.fleet("land", "1", check=3).err
    assert repo.snapshot() == before


def test_a_need_that_was_dropped_is_a_problem(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"2": None, "3": None})
    repo.config({"fleet.3.needs": "2", "fleet.2.status": "Dropped"})
    problems = repo.fleet("plan", "--json", check=0).json["problems"]
    assert [one["code"] for one in problems if one["tasks"] == ["3"]] == ["dropped-need", "owns-nothing"]
    assert [one["tasks"] for one in problems] == [["3"], ["3"]]
    refused = repo.fleet("add", "3", check=3).err
    assert "needs 2, which the plan has dropped" in refused and "git fleet land 2" not in refused
    assert "needs 2, which the plan has dropped" in repo.fleet("status", check=0).out


def test_colour_that_is_asked_for_goes_into_a_pipe(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    assert "\033[" in repo.fleet("plan", "--color=always", check=0).out
    assert "\033[" not in repo.fleet("plan", check=0).out
    repo.git("config", "color.ui", "always")
    assert "\033[" in repo.fleet("status", check=0).out
    assert "\033[" not in repo.fleet("status", "--color=never", check=0).out


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    for command in ("status", "plan", "log"):
        with open("/dev/full", "wb") as full:
            argv = ["git", "fleet", command]
            done = subprocess.run(argv, cwd=repo.path, stdout=full, stderr=subprocess.PIPE, check=False)
        said = done.stderr.decode()
        if command != "log":
            assert (done.returncode, said.splitlines()[0]) == (128, "fatal: No space left on device"), said
        assert "Traceback" not in said


def test_nothing_made_is_nothing_printed(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None, "b": None})
    repo.config({"fleet.b.needs": "a"})
    assert repo.fleet("add", "b", check=3).out == ""
