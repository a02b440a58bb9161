"""What tests of the rooms share: the program's own values for a real repository, and fleets in a line."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from kit import Completed, Repo, environment, make_repo
from warm import Warm

from git_fleet.model.fleet import Repository
from git_fleet.operations import glance


class Quick(Repo):
    """A repository, and the program that is loaded already for many calls; no oracle judges them."""

    def __init__(self, repo: Repo, warm: Warm) -> None:
        super().__init__(repo.path)
        self._warm = warm
        repo.changed_by_fleet = True

    def fleet(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        check: int | None = None,
        oracle: bool = False,
        stdin: str | None = None,
    ) -> Completed:
        """As in `Repo`."""
        done = self._warm.run(*args, cwd=cwd or self.path, env=environment(env), stdin=stdin or "")
        assert check in (None, done.status), done
        return done


def of(repo: Repo, cwd: Path | None = None) -> Repository:
    """The program's own value for a repository, found as a command finds it."""
    with contextlib.chdir(cwd or repo.path):
        return glance.find()[0]


def objects(repo: Repo) -> int:
    """How many objects there are, loose or packed."""
    counts = dict(line.split(": ") for line in repo.git("count-objects", "-v").split("\n"))
    return int(counts["count"]) + int(counts["in-pack"])


def status_of(*argv: str, cwd: Path) -> int:
    """The exit status of a command, whatever it says."""
    return subprocess.run(argv, cwd=cwd, capture_output=True, check=False).returncode


def whom_modes_bind() -> list[str]:
    """What to put before a command so that it may not read what modes forbid, though root runs the tests."""
    if os.geteuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root reads everything")
    caps = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}"]


LONG = "".join(f"line {number}\n" for number in range(20))


def fleet(folder: Path, work: Mapping[str, Mapping[str, str | None] | None], **config: str) -> Repo:
    """A repository `app` whose plan has a task for each id, with branch `<id>` and worktree `../<id>`.

    Those with files have them committed in their worktree; those with None are only planned. `config`: `fleet.*`.
    """
    repo = make_repo(folder / "app", {"file": LONG, "other": LONG, ".gitignore": "*.log\n"})
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}"})
    repo.config({f"fleet.{key}": value for key, value in config.items()})
    for task, files in work.items():
        repo.config({f"fleet.{task}.title": task})
        if files is not None:
            repo.git("worktree", "add", "-q", "-b", task, f"../{task}", "main")
            repo.commit(f"{task}: done", files, tree(repo, task))
    return repo


def hook(repo: Repo, name: str, command: str) -> None:
    """Make it the repository's."""
    path = repo.common_dir() / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def tree(repo: Repo, task: str) -> Path:
    return repo.path.parent / task


def states(repo: Repo) -> dict[str, str]:
    """What `status` says, by task."""
    return {row["id"]: row["state"] for row in repo.fleet("status", "--json", check=0).json["tasks"]}


def operations(repo: Repo) -> list[tuple[str, str]]:
    """(kind, state), newest first."""
    return [(one["kind"], one["state"]) for one in repo.fleet("log", "--json", check=0).json["operations"]]
