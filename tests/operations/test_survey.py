"""The one look: what `status` makes of worktrees, branches and distances, whatever was done to them by hand."""

import shutil
from pathlib import Path
from typing import Any

import rooms
from kit import Repo


def rows(repo: Repo) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in repo.fleet("status", "--json", check=0).json["tasks"]}


def test_distances_are_those_of_git(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "on-a": None})
    repo.git("worktree", "add", "-q", "-b", "on-a", "../on-a", "a")
    repo.commit("more", {"on": "x\n"}, tmp_path / "on-a")
    for number in range(3):
        repo.commit("base moves", {"other": f"{number}\n"})
    repo.git("merge", "-q", "main", "-m", "catch up", cwd=tmp_path / "b")
    repo.commit("base moves", {"other": "last\n"})
    found = rows(repo)
    for name in ("a", "b", "on-a"):
        behind, ahead = repo.git("rev-list", "--left-right", "--count", f"main...{name}").split()
        assert (found[name]["ahead"], found[name]["behind"]) == (int(ahead), int(behind))


def test_unrelated_history_has_a_distance(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    repo.git("update-ref", "refs/heads/a", repo.git("commit-tree", "-m", "root", repo.oid("main^{tree}")))
    repo.git("worktree", "add", "-q", "../a", "a")
    found = rows(repo)["a"]
    assert (found["ahead"], found["behind"], found["base_conflict"]) == (1, 1, None)
    assert found["reason"] == "no common history"
    [step] = repo.fleet("land", "--json", check=0).json["steps"]
    assert (step["action"], step["reason"]) == ("park", "git cannot merge it: no common history")


def test_every_state_that_a_hand_can_make(tmp_path: Path) -> None:
    work: dict[str, Any] = {name: {name: "x\n"} for name in ("active", "gone", "elsewhere", "detached", "bare")}
    repo = rooms.fleet(tmp_path, {**work, "ready": None, "blocked": None})
    repo.config({"fleet.blocked.needs": "active", "fleet.dropped.title": "x", "fleet.dropped.status": "dropped"})
    shutil.rmtree(tmp_path / "gone")
    repo.git("checkout", "-q", "-b", "other", cwd=tmp_path / "elsewhere")
    repo.git("checkout", "-q", "--detach", cwd=tmp_path / "detached")
    repo.git("worktree", "remove", "../bare")
    found = rows(repo)
    assert {task: row["state"] for task, row in found.items()} == {
        "active": "active",
        "gone": "missing",
        "elsewhere": "active",
        "detached": "active",
        "bare": "missing",
        "ready": "ready",
        "blocked": "blocked",
        "dropped": "dropped",
    }
    assert {task: row["reason"] for task, row in found.items() if row["reason"]} == {
        "gone": f"the worktree's folder is gone: {tmp_path / 'gone'}",
        "elsewhere": "the worktree is on other",
        "detached": "the worktree is on no branch (detached)",
        "bare": "no worktree",
        "blocked": "waits for the landing of active",
    }


def test_worktrees_that_no_task_names_are_shown(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.git("worktree", "add", "-q", "-b", "feature/7-side", "../side")
    repo.git("worktree", "add", "-q", "--detach", "../bits")
    (tmp_path / "bits" / "new").write_text("x\n")
    extra = repo.fleet("status", "--json", check=0).json["unplanned"]
    assert [(row["branch"], row["worktree"], row["untracked"]) for row in extra] == [
        ("feature/7-side", str(tmp_path / "side"), 0),
        (None, str(tmp_path / "bits"), 1),
    ] or [row["worktree"] for row in extra] == [str(tmp_path / "bits"), str(tmp_path / "side")]


def test_two_plans_never_share_a_row_for_one_branch(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.git("worktree", "add", "-q", "-b", "feature/a-more", "../more")
    status = repo.fleet("status", "--json", check=0).json
    ids = [row["id"] for row in (*status["tasks"], *status["unplanned"]) if row["id"]]
    assert len(ids) == len(set(ids))
