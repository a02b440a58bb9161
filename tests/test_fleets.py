"""Real pull requests of two real projects: every verdict agrees with git's own, what lands is what `git merge` makes.

The bundles are large and not part of the project: FLEETS names their folder, else `../shared/fleets` next to it.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import kit
import pytest
from kit import Repo

FLEETS = Path(os.environ.get("FLEETS") or kit.ROOT.parent / "shared" / "fleets")


class RealFleet(NamedTuple):
    repo: Repo
    truth: dict[str, Any]

    def base_conflicts(self) -> set[str]:
        return set(self.truth["base_conflicts"])

    def rivals(self, branch: str) -> set[str]:
        """Branches that conflict with this one, by the truth."""
        pairs = [pair.split() for pair, said in self.truth["pairs"].items() if said["verdict"] == "conflict"]
        return {other for pair in pairs if branch in pair for other in pair if other != branch}


@pytest.fixture(params=["flask", "pre-commit"])
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealFleet]:
    """A clone with its pull requests adopted as tasks."""
    bundle = FLEETS / f"{request.param}.bundle"
    if not bundle.is_file():
        pytest.skip(f"{bundle} is not here; FLEETS names the folder of the bundles")
    before = kit.listing(FLEETS)
    repo = kit.adopt(tmp_path / request.param)
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, repo.path], check=True)
    repo.git("fetch", "-q", "origin", "refs/heads/pr/*:refs/heads/pr/*")
    truth = json.loads((FLEETS / f"{request.param}.truth.json").read_text())
    repo.fleet("init", "--from-branches", "pr/*", check=0)
    yield RealFleet(repo, truth)
    assert kit.listing(FLEETS) == before


def test_every_verdict_is_git_s_own(fleet: RealFleet) -> None:
    status = fleet.repo.fleet("status", "--json", check=0).json
    assert status["base"] == {"branch": "main", "commit": fleet.truth["base"]}
    branch_of = {row["id"]: row["branch"] for row in status["tasks"]}
    assert {row["branch"]: row["tip"] for row in status["tasks"]} == fleet.truth["branches"]
    assert {row["branch"] for row in status["tasks"] if row["base_conflict"]} == fleet.base_conflicts()
    said = {row["branch"]: {branch_of[other] for other in row["conflicts_with"] or ()} for row in status["tasks"]}
    assert said == {branch: fleet.rivals(branch) for branch in fleet.truth["branches"]}


def test_what_lands_is_what_git_merge_makes(fleet: RealFleet, tmp_path: Path) -> None:
    repo = fleet.repo
    dry = repo.fleet("land", "--dry-run", "--json").json
    landing = [step for step in dry["steps"] if step["action"] == "land"]
    stopping = [step for step in dry["steps"] if step["action"] == "stop"]
    branches = {oid: branch for branch, oid in fleet.truth["branches"].items()}
    assert len(landing) + len(stopping) == len(dry["steps"]) == len(branches)
    assert fleet.base_conflicts() <= {branches[step["tip"]] for step in stopping}
    assert len(stopping) == len(fleet.base_conflicts()) + fleet.truth["min_stops"]
    assert all(step["conflicts"] for step in stopping)

    done = repo.fleet("land", "--no-gate", "--json", check=4).json
    assert [(step["id"], step["action"], step["tree"]) for step in done["steps"] if step["action"] == "land"] == [
        (step["id"], "land", step["tree"]) for step in landing
    ]
    assert done["result"]["landed"] == [step["id"] for step in landing]
    assert done["result"]["tree"] == dry["result"]["tree"] == repo.oid("main^{tree}")
    assert repo.git("status", "--porcelain") == ""

    trees = plain_merges(repo, fleet.truth["base"], [step["tip"] for step in landing], tmp_path / "scratch")
    assert [step["tree"] for step in landing] == trees
    for step in stopping:
        assert sorted(conflicts(repo, "main", step["tip"])) != [], step["id"]


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_the_script_makes_the_same_tree(fleet: RealFleet, tmp_path: Path, strategy: str) -> None:
    text = fleet.repo.fleet("land", "--script", "--no-gate", "--strategy", strategy, check=0).out
    dry = fleet.repo.fleet("land", "--dry-run", "--json", "--strategy", strategy).json
    clone = kit.adopt(tmp_path / "clone")
    subprocess.run(["git", "clone", "-q", fleet.repo.path, clone.path], check=True)
    done = subprocess.run(["sh"], input=text.encode("utf-8", "surrogateescape"), cwd=clone.path, capture_output=True)
    assert done.returncode == (4 if dry["result"]["stopped"] else 0), done.stderr
    assert dry["result"]["landed"] and clone.oid("main^{tree}") == dry["result"]["tree"]


def plain_merges(repo: Repo, base: str, tips: list[str], place: Path) -> list[str]:
    """The tree after each `git merge`, in a clone where nothing but git ever was."""
    subprocess.run(["git", "clone", "-q", repo.path, place], check=True)
    scratch = Repo(place)
    scratch.git("fetch", "-q", "origin", "refs/heads/pr/*:refs/heads/pr/*")
    scratch.git("checkout", "-q", "-B", "main", base)
    trees = []
    for tip in tips:
        scratch.git("merge", "-q", "--no-edit", "--no-ff", tip)
        trees.append(scratch.oid("HEAD^{tree}"))
    return trees


def conflicts(repo: Repo, ours: str, theirs: str) -> list[str]:
    """Paths that `git merge-tree` cannot merge."""
    argv = ["git", "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs]
    done = subprocess.run(argv, cwd=repo.path, capture_output=True, text=True, check=False)
    return [path for path in done.stdout.split("\0")[1:] if path]
