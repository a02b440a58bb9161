"""Does git have a hook to run here? And the commits that it makes itself in a worktree, so that they do run."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from git_fleet.model.errors import Busy, GitError, Refused
from git_fleet.model.fleet import Repository
from git_fleet.repo import changing, git, looking

_QUIET = MappingProxyType({"GIT_EDITOR": ":", "FLEET_LANDING": "1"})


def present(repository: Repository, commit: str, names: Sequence[str]) -> bool:
    """Is one of these hooks there, or tracked in the commit below a relative `core.hooksPath`?"""
    folder = git.answer(repository, "rev-parse", "--git-path", "hooks").removesuffix("\n")
    paths = [os.path.join(repository.main, folder, name) for name in names]
    if any(os.access(path, os.X_OK) for path in paths):
        return True
    if os.path.isabs(folder):
        return False
    tracked = git.answer(repository, "ls-tree", "--name-only", "-z", commit, "--", f"{os.path.normpath(folder)}/")
    return any(os.path.basename(path) in names for path in tracked.split("\0") if path)


def merge(repository: Repository, lane: str, tip: str, message: str) -> str:
    """Merge in a lane as `git merge --no-ff` does; the commit. Raises Refused with what a hook said."""
    path = f"{git.private_dir(lane)}/FLEET_MSG"
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(message)
    args = ("merge", "--no-ff", "--no-edit", "--no-autostash", "--cleanup=verbatim", "--no-stat", "--quiet", "-F", path)
    return _made(repository, lane, (*args, "--", tip), "", {})


def commit(repository: Repository, lane: str, tree: str, message: str, author: Mapping[str, str]) -> str:
    """Commit a tree in a lane as `git commit` does; the commit. Raises Refused with what a hook said."""
    reading = ("read-tree", "-m", "-u", "HEAD", tree)
    read = git.ask(repository, *reading, cwd=lane)
    if read.status:
        raise GitError(reading, read.status, read.stderr)
    args = ("commit", "--quiet", "--cleanup=verbatim", "--allow-empty", "-F", "-")
    return _made(repository, lane, args, message, author)


def _made(repository: Repository, lane: str, args: Sequence[str], message: str, env: Mapping[str, str]) -> str:
    done = git.ask(repository, *args, cwd=lane, stdin=message, env={**_QUIET, **env}, pinned=changing.DURABLE)
    if done.status == 0:
        return looking.commit_and_parents(repository, lane)[0]
    dirt = looking.dirt([lane])[lane]
    if dirt is None or dirt.unmerged:
        raise Busy("the merge did not come out as simulated", ["try again"])
    said = "\n".join(text.strip() for text in (done.stderr, done.stdout) if text.strip())
    raise Refused(said or f"git {args[0]} ended with {done.status}")
