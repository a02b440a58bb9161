"""The main job, from plan to landed, told sentence by sentence: with a Markdown plan, with the plan in git's own
configuration, with no plan at all, and typed through aliases inside a linked worktree."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import lab
import pytest
from kit import Completed, Repo


class Way(NamedTuple):
    """One of the four ways to type it. `cwd` is where `status` and `land` are typed."""

    repo: Repo
    kind: str
    cwd: Path
    status: tuple[str, ...] = ("git", "fleet", "status")
    land: tuple[str, ...] = ("git", "fleet", "land")

    def look(self) -> dict[str, Any]:
        done = self.repo.run(*self.status, "--json", cwd=self.here(), check=0, reader=True)
        return lab.reports(done.json)

    def ship(self, *args: str, check: int) -> Completed:
        return self.repo.run(*self.land, *args, cwd=self.here(), check=check, reader="--dry-run" in args)

    def here(self) -> Path:
        return self.cwd if self.cwd.is_dir() else self.repo.path


def markdown(folder: Path) -> Way:
    repo = lab.with_markdown(folder)
    return Way(repo, "markdown", repo.path)


def config(folder: Path) -> Way:
    repo = lab.with_config(folder)
    return Way(repo, "config", repo.path)


def worktrees(folder: Path) -> Way:
    repo = lab.with_worktrees(folder)
    return Way(repo, "worktrees", repo.path)


def aliases(folder: Path) -> Way:
    repo = lab.with_markdown(folder)
    repo.config({"alias.fs": "fleet status", "alias.ship": "!git fleet land"})
    return Way(repo, "markdown", lab.worktree(repo, "43"), ("git", "fs"), ("git", "ship"))


@pytest.mark.parametrize("make", [markdown, config, worktrees, aliases], ids=lambda make: make.__name__)
def test_from_plan_to_landed(tmp_path: Path, make: Any) -> None:
    way: Way = make(tmp_path)
    before = way.repo.oid("main")
    the_plan_predicts(way)
    if way.kind != "worktrees":
        three_worktrees_are_added(way)
    agents_work_and_status_shows_it(way)
    two_land_and_the_third_stops(way, before)
    the_conflict_is_resolved(way)
    worktrees_are_cleared_and_one_comes_back(way)


def the_plan_predicts(way: Way) -> None:
    """42 and 43 are parallel, 44 overlaps 42 on cli.py."""
    done = way.repo.fleet("plan", "--json")
    plan = done.json
    assert plan["schema"] == "git-fleet.plan.v1"
    assert plan["source"]["kind"] == way.kind
    assert [(task["id"], task["branch"], task["worktree"]) for task in plan["tasks"]] == [
        (task, lab.branch(task), str(lab.worktree(way.repo, task))) for task in lab.TITLES
    ]
    if way.kind == "worktrees":
        assert done.status == 0 and plan["waves"] == [["42", "43", "44"]] and plan["overlaps"] == []
        return
    assert done.status == 1, done.err
    assert plan["waves"] == [["42", "43"], ["44"]]
    assert plan["overlaps"] == [{"tasks": ["42", "44"], "paths": ["cli.py"], "excused_by": None}]
    assert [joint["path"] for joint in plan["joints"]] == ["cli.py"]
    assert [(task["title"], task["slug"], task["owns"], task["needs"]) for task in plan["tasks"]] == [
        (title, title, lab.OWNS[task], []) for task, title in lab.TITLES.items()
    ]
    assert [problem for problem in plan["problems"] if problem["severity"] == "error"] == []


def three_worktrees_are_added(way: Way) -> None:
    """--ready creates 42 and 43 and refuses 44 saying why; 44 --allow-overlap creates it."""
    repo, base = way.repo, way.repo.oid("main")
    assert {row["state"] for row in lab.reports(repo.fleet("status", "--json", check=0).json).values()} == {"ready"}
    refused = repo.fleet("add", "--ready", check=3)
    assert "cli.py" in refused.err and "42" in refused.err and "--allow-overlap" in refused.err
    assert [lab.worktree(repo, task).is_dir() for task in lab.TITLES] == [True, True, False]
    assert [repo.exists(lab.branch(task)) for task in lab.TITLES] == [True, True, False]
    repo.fleet("add", "44", "--allow-overlap", check=0)
    assert [(tree.path, tree.head, tree.branch) for tree in repo.worktrees()[1:]] == [
        (str(lab.worktree(repo, task)), base, f"refs/heads/{lab.branch(task)}") for task in lab.TITLES
    ]
    for task in lab.TITLES:
        assert repo.git("status", "--porcelain", cwd=lab.worktree(repo, task)) == ""
        assert repo.fleet("path", task, check=0).out == f"{lab.worktree(repo, task)}\n"
    if repo.path.joinpath("PLAN.md").exists():
        assert repo.read("PLAN.md").replace("active", "queued") == lab.PLAN
        assert repo.read("PLAN.md").count("active") == 3


def agents_work_and_status_shows_it(way: Way) -> None:
    """While they work status shows which are dirty; then that 42 and 44 really conflict, and 43 with nobody."""
    lab.edit(way.repo, "42")
    lab.edit(way.repo, "43")
    seen = way.look()
    assert {task: (row["state"], row["unstaged"], row["untracked"], row["ahead"]) for task, row in seen.items()} == {
        "42": ("active", 1, 0, 0),
        "43": ("active", 1, 1, 0),
        "44": ("active", 0, 0, 0),
    }
    for task in ("42", "43", "44"):
        lab.work(way.repo, task) if task == "44" else way.repo.commit("work", cwd=lab.worktree(way.repo, task))
    seen = way.look()
    for task, others in {"42": ["44"], "43": [], "44": ["42"]}.items():
        row = seen[task]
        assert row["branch"] == lab.branch(task) and row["worktree"] == str(lab.worktree(way.repo, task))
        assert row["tip"] == way.repo.oid(lab.branch(task))
        assert (row["staged"], row["unstaged"], row["untracked"], row["ahead"], row["behind"]) == (0, 0, 0, 1, 0)
        assert (row["base_conflict"], row["conflicts_with"], row["drift"]) == (False, others, [])
    assert (seen["42"]["insertions"], seen["42"]["deletions"]) == (2, 0)
    screen = way.repo.run(*way.status, cwd=way.here(), check=0, reader=True).out
    assert all(word in screen for word in ("42", "43", "44"))


def two_land_and_the_third_stops(way: Way, before: str) -> None:
    """land lands 42 and 43 through the gate and stops at 44 with 4; the lane holds the conflict."""
    repo = way.repo
    dry = way.ship("--dry-run", "--json", check=0).json
    assert repo.oid("main") == before
    assert (dry["schema"], dry["base"], dry["strategy"]) == (
        "git-fleet.land.v1",
        {"branch": "main", "commit": before},
        "merge",
    )
    # Where nothing in the plan says that 42 is a joint, the larger change goes first.
    order = ["43", "42"] if way.kind == "worktrees" else ["42", "43"]
    assert dry["result"]["landed"] == order and dry["result"]["stopped"] == ["44"]
    assert [(step["id"], step["action"], step["tip"], step["conflicts"]) for step in dry["steps"]] == [
        *((task, "land", repo.oid(lab.branch(task)), []) for task in order),
        ("44", "stop", repo.oid(lab.branch("44")), ["cli.py"]),
    ]
    stopped = way.ship("--json", check=4)
    result = stopped.json["result"]
    assert result["landed"] == order and result["stopped"] == ["44"]
    assert result["tree"] == dry["result"]["tree"] == repo.oid("main^{tree}")
    assert result["commit"] == repo.oid("main")
    assert [step["gate"] for step in stopped.json["steps"]][:2] == ["passed", "passed"]
    assert "44" in stopped.err and "cli.py" in stopped.err and "--continue" in stopped.err
    assert str(lab.lane(repo)) in stopped.err or lab.lane(repo).name in stopped.err
    conflict = (lab.lane(repo) / "cli.py").read_text()
    assert "<<<<<<<" in conflict and '"count"' in conflict and '"clear"' in conflict
    assert repo.git("diff", "--name-only", "--diff-filter=U", cwd=lab.lane(repo)) == "cli.py"
    merges = [(f"Merge branch '{lab.branch(task)}'", task) for task in order]
    assert landed_commits(repo, before) == merges[::-1]
    assert_checkout_is_base(repo)


def the_conflict_is_resolved(way: Way) -> None:
    """Keep both branches of the dispatch, land --continue; all three commands work; the Status cells say landed."""
    repo = way.repo
    lab.keep_both(lab.lane(repo) / "cli.py")
    repo.git("add", "cli.py", cwd=lab.lane(repo))
    done = way.ship("--continue", "--json", check=0).json
    assert done["result"]["landed"][-1] == "44" and done["result"]["stopped"] == []
    assert done["result"]["commit"] == repo.oid("main")
    assert landed_commits(repo, "main^1") == [("Merge branch 'feature/44-clear'", "44")]
    assert repo.git("rev-list", "--count", "--merges", "main") == "3"
    typed = (("add", "a"), ("add", "b"), ("count",), ("clear",), ("count",), ("list",))
    assert [app(repo, *words) for words in typed] == ["", "", "2\n", "", "0\n", "\n"]
    assert repo.read("CHANGELOG.md").startswith("# Changes")
    assert_checkout_is_base(repo)
    if repo.path.joinpath("PLAN.md").exists():
        assert repo.read("PLAN.md").replace("landed", "queued") == lab.PLAN
        assert repo.read("PLAN.md").count("landed") == 3
    assert {task: row["state"] for task, row in way.look().items()} == dict.fromkeys(lab.TITLES, "landed")
    assert way.ship("--json", check=0).json["result"]["landed"] == []


def worktrees_are_cleared_and_one_comes_back(way: Way) -> None:
    """remove clears the worktrees; git worktree list shows one; fsck is clean; undo brings a removed one back."""
    repo = way.repo
    tip = repo.oid(lab.branch("44"))
    repo.fleet("remove", "42", "43", check=0)
    repo.fleet("remove", "44", check=0)
    assert [tree.path for tree in repo.worktrees()] == [str(repo.path)]
    assert len(repo.git("worktree", "list").splitlines()) == 1
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"
    assert not any(lab.worktree(repo, task).exists() for task in lab.TITLES)
    repo.fsck()
    repo.fleet("undo", check=0)
    assert repo.oid(lab.branch("44")) == tip
    assert [(tree.path, tree.branch) for tree in repo.worktrees()[1:]] == [
        (str(lab.worktree(repo, "44")), f"refs/heads/{lab.branch('44')}")
    ]
    assert repo.git("status", "--porcelain", cwd=lab.worktree(repo, "44")) == ""
    assert '"clear"' in (lab.worktree(repo, "44") / "cli.py").read_text()


def test_each_step_can_be_taken_back(tmp_path: Path) -> None:
    """add and land are undone, newest first, to exactly what was."""
    repo = lab.with_config(tmp_path)
    empty = repo.snapshot()
    repo.fleet("add", "42", check=0)
    tip = lab.work(repo, "42")
    worked = repo.snapshot()
    repo.fleet("land", check=0)
    assert repo.oid("main") != empty.refs["refs/heads/main"]
    repo.fleet("undo", check=0)
    assert repo.snapshot() == worked
    assert repo.oid(lab.branch("42")) == tip
    kinds = [entry["kind"] for entry in repo.fleet("log", "--json", check=0).json["operations"]]
    assert kinds == ["undo", "land", "add"]


def landed_commits(repo: Repo, since: str) -> list[tuple[str, str]]:
    """Subject and task of the merges on main since then, newest first."""
    pretty = "--format=%s%x00%(trailers:key=Fleet-Task,valueonly,separator=%x2C)"
    lines = repo.git("log", "--first-parent", pretty, f"{since}..main").splitlines()
    return [(line.split("\0")[0], line.split("\0")[1]) for line in lines]


def app(repo: Repo, *words: str) -> str:
    """Run the application that landed."""
    env = {**os.environ, "TASKS_FILE": str(repo.path.parent / "tasks")}
    argv = [sys.executable, "cli.py", *words]
    return subprocess.run(argv, cwd=repo.path, env=env, capture_output=True, text=True, check=True).stdout


def assert_checkout_is_base(repo: Repo) -> None:
    """The base's checkout moved with it; only the plan's Status cells differ."""
    dirty = repo.git("status", "--porcelain").split("\n")
    assert [line for line in dirty if line and line != " M PLAN.md"] == []
