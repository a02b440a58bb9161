"""Trials: a prepared repository, a run that is disturbed, one that puts right, and one judgement for all of them."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import kit
from kit import Repo

from git_fleet.journal import database
from git_fleet.model.journal import OperationState

HERE = Path(__file__).parent
TRACEBACK = "Traceback (most recent call last)"


class Run(NamedTuple):
    """One run of `git fleet` in a worktree, disturbed by a fault (see `program.Fault`) or not."""

    args: Sequence[str]
    fault: Mapping[str, Any] | None = None
    cwd: Path | None = None


class Programs:
    """The warm interpreter that runs are forked from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            [sys.executable, "-P", HERE / "program.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(kit.ROOT)},
        )

    def close(self) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(timeout=30)

    def run(self, repo: Repo, runs: Sequence[Run]) -> list[kit.Completed]:
        """All of them at the same moment, to their end."""
        files = [(self.folder / f"{number}.out", self.folder / f"{number}.err") for number in range(len(runs))]
        jobs = [
            {
                "args": list(run.args),
                "cwd": str(run.cwd or repo.path),
                "env": dict(os.environ),
                "root": str(repo.path.parent),
                "fault": dict(run.fault) if run.fault else None,
                "out": str(out),
                "err": str(err),
            }
            for run, (out, err) in zip(runs, files, strict=True)
        ]
        repo.changed_by_fleet = True
        self.started += len(jobs)
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(jobs) + "\n")
        self._server.stdin.flush()
        statuses = json.loads(self._server.stdout.readline())
        return [
            kit.Completed(status, *(path.read_text(errors="replace") for path in pair))
            for status, pair in zip(statuses, files, strict=True)
        ]

    def one(self, repo: Repo, *args: str, fault: Mapping[str, Any] | None = None) -> kit.Completed:
        return self.run(repo, [Run(args, fault)])[0]


class World:
    """A folder with a repository and its worktrees, brought back to its beginning again and again."""

    def __init__(self, folder: Path, build: Callable[[Path], Repo]) -> None:
        self.folder, self._copy = folder / "world", folder / "copy"
        self.folder.mkdir(parents=True)
        self.repo = build(self.folder)
        self.before = kit.picture(self.repo)
        subprocess.run(["cp", "-a", self.folder, self._copy], check=True)

    def again(self) -> Repo:
        shutil.rmtree(self.folder)
        subprocess.run(["cp", "-a", self._copy, self.folder], check=True)
        made = self.repo._made_in_lanes
        self.repo = kit.Repo(self.repo.path)
        self.repo._made_in_lanes = dict(made)
        return self.repo


class Tally:
    """What was tried, and what was found."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("points", "processes", "lost", "bricked", "doubled", "wrong"), 0)
        self.found: list[str] = []

    def points(self, number: int = 1) -> None:
        self.add("points", number)

    def add(self, what: str, number: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def say(self, kind: str, where: str, what: str) -> None:
        self.counts[kind] += 1
        self.found.append(f"{kind}: {where}: {what}")

    @contextlib.contextmanager
    def none_is_lost(self, where: str) -> Iterator[None]:
        try:
            yield
        except kit.Lost as lost:
            self.say("lost", where, str(lost))


ASKED = ("worktree list", "fsck --no-dangling --connectivity-only", "branch -a", "log --all --format=")


def bricked(repo: Repo) -> list[str]:
    """What no longer works in git, or lies in the way of the next git."""
    found = [_complaint(repo.path, question) for question in ASKED]
    if not any(found):
        trees = [Path(tree.path) for tree in repo.worktrees() if os.path.isdir(tree.path)]
        found += [_complaint(tree, "status --short") for tree in trees]
    common = repo.common_dir()
    left = [path.relative_to(common) for path in common.rglob("*.lock") if common / "fleet" not in path.parents]
    return [complaint for complaint in found if complaint] + [f"{path} is left" for path in left]


def _complaint(top: Path, question: str) -> str | None:
    ended = subprocess.run(["git", *question.split()], cwd=top, capture_output=True, check=False)
    said = (ended.stdout + ended.stderr).decode(errors="replace")
    if ended.returncode == 0 and not re.search(r"^(error|missing|broken)", said, re.M):
        return None
    return f"git {question} in {top}: exit {ended.returncode}: {said.strip()[:300]}"


def doubled(repo: Repo, base: str = "main") -> list[str]:
    """Tasks that landed more than once."""
    trailers = "%(trailers:key=Fleet-Task,valueonly,separator=%x20)"
    ids = repo.git("log", "--first-parent", f"--format={trailers}", base).split()
    return sorted({id for id in ids if ids.count(id) > 1})


def unfinished(repo: Repo) -> list[str]:
    """Operations that the journal takes for running."""
    with database.opened_to_read(str(repo.common_dir() / "fleet")) as journal:
        found = journal.operations(states=[OperationState.RUNNING]) if journal else ()
    return [f"operation {one.id} ({one.summary}) is left running" for one in found]


def judge(tally: Tally, where: str, repo: Repo, before: kit.Picture) -> bool:
    """Nothing lost, nothing bricked, nothing doubled, nothing left half done; is it all so?"""
    known = len(tally.found)
    for what in bricked(repo):
        tally.say("bricked", where, what)
    if len(tally.found) == known:
        with tally.none_is_lost(where):
            kit.judge(repo, before)
        for what in doubled(repo):
            tally.say("doubled", where, what)
        for what in unfinished(repo):
            tally.say("wrong", where, what)
    return len(tally.found) == known


def difference(is_so: kit.Snapshot, expected: kit.Snapshot, *, but_status: bool = False) -> list[str]:
    """What a user would find otherwise than it should be; `but_status`: the plan's own notes may lag behind.

    So may what git remembers of a remote, when a push is killed that the remote has taken.
    """
    is_so, expected = (
        one._replace(refs={ref: tip for ref, tip in one.refs.items() if not ref.startswith("refs/remotes/")})
        for one in (is_so, expected)
    )
    found = []
    for name, one, two in zip(kit.Snapshot._fields, is_so, expected, strict=True):
        lines, others = (value.split("\n") if isinstance(value, str) else [*value.items()] for value in (one, two))
        found += [f"{name} has {line}" for line in lines if line not in others]
        found += [f"{name} lacks {line}" for line in others if line not in lines]
    if but_status:
        found = [one for one in found if not re.search(r"config .*\.status=|PLAN\.md", one)]
    return found
