"""What people stumble over from day to day: dropped tasks, odd terminals, hints that have to work as they stand."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import rooms

from git_fleet.journal import locks


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
    assert "needs 2, which is dropped" in refused and "git fleet land 2" not in refused
    assert "needs 2, which is dropped" in repo.fleet("status", check=0).out


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


def test_a_worktree_whose_folder_is_gone_is_made_again(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "x\n"}, "b": None}, limit="1")
    shutil.rmtree(rooms.tree(repo, "a"))
    assert rooms.states(repo)["a"] == "missing"
    assert repo.fleet("add", "a", check=0).out == f"{rooms.tree(repo, 'a')}\n"
    assert (rooms.tree(repo, "a") / "new").read_text() == "x\n"
    assert [tree.path for tree in repo.worktrees()] == [str(repo.path), str(rooms.tree(repo, "a"))]
    refused = repo.fleet("add", "--ready", check=3).err
    assert "1 task is at work and fleet.limit is 1" in refused


def test_a_worktree_whose_branch_is_gone_has_a_way_out(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "x\n"}})
    tip = repo.oid("a")
    repo.git("update-ref", "-d", "refs/heads/a")
    refused = repo.fleet("add", "a", check=3, oracle=False).err
    assert "its branch 'a' is not" in refused and f"git -C {rooms.tree(repo, 'a')} reflog" in refused
    repo.git("branch", "a", tip)
    assert "exists as planned" in repo.fleet("add", "a", check=0).err


def test_a_task_on_the_base_is_a_problem(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"4": None})
    repo.config({"fleet.4.branch": "main"})
    problems = repo.fleet("plan", "--json", check=1).json["problems"]
    assert [(one["code"], one["tasks"]) for one in problems][:1] == [("bad-branch", ["4"])]
    assert "4: branch 'main' is the base" in repo.fleet("add", "4", check=128).err


def test_a_dry_run_says_would(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    said = repo.fleet("add", "-n", "a", check=0).err
    assert "would create a:" in said and "created" not in said


def test_only_tasks_are_counted_as_at_work(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, dict.fromkeys("abcdef"))
    for number in range(6):
        repo.git("worktree", "add", "-q", "--detach", f"../other-{number}")
    assert "at work" not in repo.fleet("add", "a", check=0).err
    assert "6 tasks are at work" in repo.fleet("add", "--ready", check=0).err


def test_hints_for_a_new_task_work_as_they_stand(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"42": {"file": "x\n"}})
    repo.config({"fleet.42.owns": "file"})
    for more in (["-n"], []):
        said = repo.fleet("add", "44 clear all", "--owns", "file", *more, check=3).err
        assert "git fleet land 42   # then: git fleet add '44 clear all' --owns file\n" in said
    [way_out] = [line.removeprefix("hint: ") for line in said.splitlines() if "--allow-overlap" in line]
    assert way_out.startswith("git fleet add '44 clear all' --owns file --allow-overlap")
    repo.fleet(*shlex.split(way_out, comments=True)[2:], check=0)
    assert rooms.states(repo) == {"42": "active", "44": "active"}


def test_what_is_wrong_with_a_new_task_is_said_of_it_alone(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"1": None})
    before = repo.snapshot()
    for words, said in (
        (["49 x", "--owns", "/abs"], "fatal: 49: owned path '/abs' starts with '/'"),
        (["49 x", "--needs", "999"], "fatal: 49 needs '999', which no task is"),
        (["1 again"], "fatal: task 1 exists: '1'"),
    ):
        refused = repo.fleet("add", *words, check=128).err
        assert refused.startswith(said) and "git fleet plan\n" not in refused and "more)" not in refused
    assert "one new task at a time" in repo.fleet("add", "45 x", "46 y", check=129).err
    assert repo.snapshot() == before


def test_the_first_task_of_a_configuration_has_a_status_too(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {})
    repo.git("worktree", "add", "-q", "-b", "old", "../old")
    repo.fleet("add", "1 one", "--all", check=0)
    assert repo.git("config", "fleet.1.status").strip() == "active"
    assert "fleet.old." not in repo.git("config", "--list")


def test_a_task_under_a_new_title_is_told_of_its_old_branch(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"1": None, "12": None}, branch="feature/{id}-{slug}", worktree="../{id}-{slug}")
    repo.config({"fleet.1.title": "one", "fleet.12.title": "two"})
    repo.fleet("add", "1", check=0)
    repo.config({"fleet.1.title": "uno"})
    reasons = {one["id"]: one["reason"] for one in repo.fleet("status", "--json", check=0).json["tasks"]}
    assert reasons == {
        "1": "'feature/1-one' was made for it under another title: name that branch in the plan",
        "12": None,
    }
    assert "hint: git fleet status" in repo.fleet("remove", "1", check=3).err


def test_a_task_under_a_new_title_goes_on_where_it_began(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"1": None}, branch="feature/{id}-{slug}", worktree="../{id}-{slug}")
    repo.config({"fleet.1.title": "one"})
    repo.fleet("add", "1", check=0)
    repo.git("config", "--replace-all", "fleet.1.title", "uno")
    before = repo.snapshot()
    for how in (["1"], ["--ready"], ["1", "--dry-run"]):
        refused = repo.fleet("add", *how, check=3).err.splitlines()
        assert refused[0] == "error: 1 was not created: its branch 'feature/1-one' was made when its title was another"
    assert repo.snapshot() == before
    ways = [shlex.split(line.removeprefix("hint: "), comments=True)[2:] for line in refused[1:]]
    for way in ways[:2]:
        repo.fleet(*way, check=0)
    assert "1 exists as planned: branch 'feature/1-one'" in repo.fleet("add", "1", check=0).err
    assert rooms.states(repo) == {"1": "active"} and len(repo.worktrees()) == 2
    repo.fleet("plan", "set", "1", "worktree", check=0)
    repo.fleet("plan", "set", "1", "branch", "feature/anew", check=0)
    repo.fleet("add", "1", check=0)
    assert repo.exists("feature/anew") and len(repo.worktrees()) == 3


def test_add_judges_overlaps_as_plan_does(tmp_path: Path) -> None:
    """Two patterns that meet, but at no file that there is, or could be: both own the names of files."""
    repo = rooms.fleet(tmp_path, {"a": None, "b": None, "c": None})
    repo.commit("files", {"src/a.py": "a\n", "src/b.txt": "b\n", "src/a.txt": "c\n"})
    repo.config({"fleet.a.owns": ["src/a.py", "file"], "fleet.b.owns": "src/a.py/**", "fleet.c.owns": "f*"})
    planned = repo.fleet("plan", "--json", check=1).json["overlaps"]
    assert planned == [{"tasks": ["a", "c"], "paths": ["file"], "excused_by": None}]
    repo.fleet("add", "a", "b", check=0)
    assert "owns file, as does a, which is at work" in repo.fleet("add", "c", check=3).err
    assert rooms.states(repo) == {"a": "active", "b": "active", "c": "planned"}
    waves = {one["id"]: one["wave"] for one in repo.fleet("status", "--json", check=0).json["tasks"]}
    assert waves == {"a": 1, "b": 1, "c": 2}


@pytest.mark.parametrize(
    "words", [["add", "b"], ["remove", "a"], ["undo"], ["clean"], ["plan", "set", "b", "title", "x"]]
)
def test_whoever_waits_for_another_is_told(tmp_path: Path, words: list[str]) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "x\n"}, "b": None})
    repo.fleet("land", check=0)
    with locks.hold(str(repo.common_dir() / "fleet"), "worktrees"):
        waiting = subprocess.Popen(["git", "fleet", *words], cwd=repo.path, stderr=subprocess.PIPE, text=True)
        assert waiting.stderr is not None
        first = waiting.stderr.readline()
    waiting.communicate(timeout=60)
    repo.changed_by_fleet = True
    assert (first, waiting.returncode) == (f"waits for another git fleet (pid {os.getpid()})\n", 0)


def test_a_path_whose_folder_is_gone_is_a_no(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "x\n"}, "b": {"new": "x\n"}, "c": None})
    shutil.rmtree(rooms.tree(repo, "a"))
    assert repo.fleet("path", "c", check=0).err == ""
    no = repo.fleet("path", "a", check=1)
    assert (no.out, no.err.splitlines()[-1]) == (f"{rooms.tree(repo, 'a')}\n", "hint: git fleet add a")
    assert repo.fleet("path", "b", check=0).err == ""


def test_what_stays_says_what_has_to_happen_first(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "x\n"}})
    repo.fleet("land", check=0)
    repo.git("worktree", "lock", "../a")
    refused = repo.fleet("remove", "a", check=3).err
    assert f"hint: git worktree unlock {rooms.tree(repo, 'a')}" in refused and "commit" not in refused
    repo.git("worktree", "unlock", "../a")
    assert "nothing to remove" not in repo.fleet("remove", "a", check=0).err
    assert "nothing to remove: a has neither" in repo.fleet("remove", "a", check=0).err
    repo.fleet("undo", check=0)
    assert "hint: cd out of" in repo.fleet("remove", "a", check=3, cwd=rooms.tree(repo, "a")).err


def test_a_colour_that_is_none_is_said(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    repo.git("config", "color.fleet", "bogus")
    assert "bad value 'bogus' for 'color.fleet'" in repo.fleet("status", check=128).err
    for good in ("true", "false", "auto", "Always"):
        repo.git("config", "color.fleet", good)
        repo.fleet("status", check=0)


def test_a_base_that_is_only_checked_out_is_said(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    repo.git("branch", "-m", "main", "trunk")
    assert "hint: git config fleet.base trunk" in repo.fleet("status", check=0).err
    repo.git("config", "fleet.base", "trunk")
    assert repo.fleet("status", check=0).err == ""
