"""Slots: no two worktrees that are there have the same, and so no two programs the same ports."""

import shutil
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo
from warm import Warm

from git_fleet.model.settings import Settings
from git_fleet.operations import environment
from git_fleet.repo import slots

TOLD = 'echo "$FLEET_TASK $FLEET_SLOT $FLEET_PORT" >>'


def of(repo: Repo, *tasks: str) -> list[int | None]:
    return [slots.of(rooms.of(repo), str(rooms.tree(repo, task))) for task in tasks]


def test_the_lowest_free_one_whoever_freed_it(tmp_path: Path, warm: Warm) -> None:
    repo = rooms.Quick(rooms.fleet(tmp_path, dict.fromkeys("abcdef")), warm)
    repo.fleet("add", "a", "b", "c", check=0)
    assert of(repo, "a", "b", "c") == [1, 2, 3] and slots.of(rooms.of(repo), str(repo.path)) == 0
    repo.git("worktree", "remove", "../a")
    repo.fleet("add", "d", check=0)
    repo.fleet("undo", check=0)
    shutil.rmtree(repo.path / ".git/fleet")
    repo.fleet("add", "e", "f", check=0)
    assert of(repo, "e", "b", "c", "f") == [1, 2, 3, 4]
    assert repo.git("worktree", "list", "--porcelain").count("prunable") == 0


def test_it_comes_back_with_its_worktree_unless_another_has_it(tmp_path: Path, warm: Warm) -> None:
    repo = rooms.Quick(rooms.fleet(tmp_path, {"a": None, "b": None, "c": None}), warm)
    repo.fleet("add", "a", "b", check=0)
    for task in "ab":
        repo.commit(f"{task}: done", {task: "x\n"}, rooms.tree(repo, task))
    repo.fleet("land", check=0)
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    assert of(repo, "a", "b") == [1, 2]
    removal = repo.fleet("remove", "a", check=0) and repo.fleet("log", "--json", check=0).json["operations"][0]["id"]
    repo.fleet("add", "c", check=0)
    repo.fleet("undo", str(removal), check=0)
    assert of(repo, "a", "b", "c") == [3, 2, 1]


def test_gates_side_by_side_have_ports_of_their_own(tmp_path: Path, warm: Warm) -> None:
    repo = rooms.Quick(rooms.fleet(tmp_path, {"a": None, "b": None}, gateJobs="3", portBase="3000", ports="5"), warm)
    repo.fleet("add", "a", "b", check=0)
    for task in "ab":
        repo.commit(f"{task}: done", {task: "x\n"}, rooms.tree(repo, task))
    together = (
        f'touch "{tmp_path}/at-$FLEET_SLOT"; until test $(ls "{tmp_path}" | grep -c at-) = 3; do sleep 0.01; done'
    )
    repo.config({"fleet.gate": f'{TOLD}"{tmp_path}/told"; {together}'})
    repo.fleet("land", check=0)
    told = [line.split(" ") for line in (tmp_path / "told").read_text().splitlines()]
    assert sorted(task for task, _, _ in told) == ["", "a", "b"]
    assert sorted(slot for _, slot, _ in told) == ["3", "4", "5"]
    assert all(int(port) == 3000 + 5 * int(slot) for _, slot, port in told)


def test_an_agent_where_plain_git_made_the_worktree(tmp_path: Path, warm: Warm) -> None:
    """And it is told of its own task, whoever calls."""
    repo = rooms.Quick(rooms.fleet(tmp_path, {"a": None, "b": {"b": "x\n"}}), warm)
    repo.fleet("add", "a", check=0)
    assert of(repo, "a", "b") == [1, None]
    command = f'{TOLD}told; test -z "${{FLEET_PROMPT_FILE+x}}" && mv told there'
    repo.fleet("run", "b", "--", command, check=0, env={"FLEET_PROMPT_FILE": "/of/another", "FLEET_SLOT": "7"})
    kit.wait_for((rooms.tree(repo, "b") / "there").exists)
    assert (rooms.tree(repo, "b") / "there").read_text() == "b 2 20020\n" and of(repo, "a", "b") == [1, 2]


@pytest.mark.parametrize("content", ["", "x\n", "0\n", "-1\n", "²\n", "9" * 5000])
def test_one_that_makes_no_sense_is_given_anew(tmp_path: Path, make_repo: Callable[..., Repo], content: str) -> None:
    repo = make_repo(tmp_path / "app", {"file": "x\n"})
    repo.git("worktree", "add", "-q", "../a")
    (repo.path / ".git/worktrees/a/fleet-slot").write_text(content)
    assert slots.of(rooms.of(repo), str(tmp_path / "a")) is None
    assert slots.take(rooms.of(repo), str(tmp_path / "a")) == 1
    assert slots.of(rooms.of(repo), str(tmp_path / "a")) == 1


def test_no_port_above_the_last() -> None:
    settings = Settings(port_base=65000, ports=10)
    assert [environment.first_port(settings, slot) for slot in (0, 52, 53)] == [65000, 65520, None]
