"""The first look, begun before the rest of the program is even loaded: most of `status` is waiting for the disk."""

import os
import shlex
from collections.abc import Callable
from typing import NamedTuple

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Dirt, Repository, Worktree
from git_fleet.repo import git, location, looking


class Glance(NamedTuple):
    """Where we are, the worktrees, and their uncommitted work, still being looked for: call `dirt` to wait for it."""

    repository: Repository
    worktrees: tuple[Worktree, ...]
    dirt: Callable[[], dict[str, Dirt | None]]


def begin() -> Glance:
    """Find the repository and start to look into every worktree. Raises Fatal."""
    repository, worktrees = find()
    tops = [tree.path for tree in worktrees if not (tree.bare or tree.foreign) and os.path.isdir(tree.path)]
    return Glance(repository, worktrees, looking.dirt_soon(tops))


def find() -> tuple[Repository, tuple[Worktree, ...]]:
    """The repository we are in, and its worktrees. Raises Fatal."""
    repository = location.locate()
    _refuse_flipped(repository)
    worktrees = git.worktrees(repository)
    if worktrees:  # of a bare repository git names the folder around `.git`, though nothing is checked out there
        main = repository.common_dir if worktrees[0].bare else worktrees[0].path
        repository = repository._replace(main=main)
    return repository, worktrees


def _refuse_flipped(repository: Repository) -> None:
    """Raises Fatal where `core.bare` is set although files are checked out: a tool that was led astray does that."""
    folder = os.path.dirname(repository.common_dir)
    if not repository.bare or os.path.basename(repository.common_dir) != ".git":
        return
    if any(os.path.lexists(f"{folder}/{path}") for path in looking.first_tracked(repository, folder)):
        raise Fatal(
            f"core.bare is true, but '{folder}' has files of the repository checked out",
            [f"git -C {shlex.quote(folder)} config core.bare false"],
        )
