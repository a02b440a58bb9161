"""What is around a worktree besides its files: processes that stand in it, mounts, stash entries, rebases."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from git_fleet.model.fleet import Repository, Worktree
from git_fleet.repo.git import ask, private_dir


class Stash(NamedTuple):
    """An entry of the stash, which all worktrees share: its name, the branch that it says it was made on, and the
    commit on which it was made."""

    name: str
    branch: str | None
    commit: str


def stashes(repository: Repository) -> list[Stash]:
    """Every entry of the stash, newest first."""
    told = ask(repository, "log", "--walk-reflogs", "--format=%P%x00%gs", "refs/stash", "--")
    found = []
    for number, line in enumerate(told.stdout.split("\n")[:-1] if told.status == 0 else ()):
        parents, _, subject = line.partition("\0")
        said = re.match(r"(?:WIP on|On) ([^:]+): ", subject)
        found.append(Stash(f"stash@{{{number}}}", said[1] if said else None, (parents.split() or [""])[0]))
    return found


def made_on(stash: Stash, branch: str) -> bool:
    """Does the entry say that it was made on this branch? Older gits name only what comes after the last slash."""
    return stash.branch in (branch, branch.rpartition("/")[2])


def branch_under_way(repository: Repository, tree: Worktree) -> str | None:
    """The branch that a rebase or bisection in this worktree will come back to: it is in use, though detached."""
    private = repository.common_dir if tree.main else private_dir(tree.path)
    for name in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        try:
            with open(f"{private}/{name}", encoding="utf-8", errors="surrogateescape") as file:
                said = file.read().strip()
        except OSError:
            continue
        return said if said.startswith("refs/") else f"refs/heads/{said}"
    return None


def is_below(path: str, top: str) -> bool:
    """Is it this folder, or something in it?"""
    return path == top or path.startswith(f"{top}/")


def standing_in(top: str) -> bool:
    """Is our own current directory in this folder?"""
    try:
        return is_below(os.path.realpath(os.getcwd()), top)
    except FileNotFoundError:
        return False


def processes_in(top: str) -> list[str]:
    """`1234 (sleep)` for each process whose current directory is in this folder, as far as the system tells us.

    Without us, and without who called us where we stand in it as well.
    """
    ours = {os.getpid(), *(_ancestors(os.getpid()) if standing_in(top) else ())}
    found = []
    for pid in sorted(int(name) for name in _listed("/proc") if name.isdigit()):
        try:
            place = os.readlink(f"/proc/{pid}/cwd")
        except OSError:  # it ended, or it is somebody else's
            continue
        if pid not in ours and is_below(place, top):
            found.append(f"{pid} ({_name(pid)})")
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 1:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                pid = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError):
            return
        yield pid


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "?"


def mounts_in(top: str) -> list[str]:
    """Where something else is mounted at this folder or in it, as far as the system tells us."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return [place for place in mount_points(file.read()) if is_below(place, top)]
    except OSError:
        return []


def mount_points(mountinfo: str) -> list[str]:
    """The mount points of a `/proc/<pid>/mountinfo` (proc(5)): the fifth field, odd characters in octal."""
    fields = (line.split(" ") for line in mountinfo.split("\n"))
    return [re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), five[4]) for five in fields if len(five) > 4]
