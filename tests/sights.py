"""Looking at planted branches with the engine of the collision radar."""

import os
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from kit import Repo

from git_fleet.model.fleet import Pair
from git_fleet.model.sight import Sight, Tip
from git_fleet.operations import context as contexts
from git_fleet.operations import sight
from git_fleet.repo import git


def look(repo: Repo, **options: Any) -> Sight:
    """One look at every branch but the base, by short name, with the worktrees in which they are."""
    here = os.getcwd()
    os.chdir(repo.path)
    try:
        context = contexts.find_without_plan()
    finally:
        os.chdir(here)
    tops = {tree.branch: tree.path for tree in context.worktrees}
    tips = {
        branch.short: Tip(branch.short, ref, branch.tip, tops.get(ref))
        for ref, branch in git.branches(context.repository).items()
        if ref != context.base.ref
    }
    return sight.look(context, tips, **options)


def pair(seen: Sight, one: str = "one", other: str = "two") -> Pair | None:
    """The pair of two branches, None if it was no candidate."""
    return next((pair for pair in seen.radar.pairs if pair.keys == (one, other)), None)


def merges(repo: Repo, ours: str, theirs: str, scratch: str) -> tuple[bool, list[str]]:
    """What `git merge` says in a worktree: (clean, paths that stay unmerged)."""
    repo.git("checkout", "-q", "--detach", "--force", ours, cwd=scratch)  # type: ignore[arg-type]
    done = subprocess.run(["git", "merge", "-q", "--no-edit", theirs], cwd=scratch, capture_output=True, check=False)
    listed = repo.git("diff", "--name-only", "--diff-filter=U", "-z", cwd=scratch)  # type: ignore[arg-type]
    if done.returncode:
        repo.git("reset", "-q", "--hard", cwd=scratch)  # type: ignore[arg-type]
        repo.git("clean", "-qfdx", cwd=scratch)  # type: ignore[arg-type]
    return done.returncode == 0, sorted(path for path in listed.split("\0") if path)


def branch(
    repo: Repo, name: str, change: Callable[[Repo], None] | Mapping[str, str | None], start: str = "main"
) -> None:
    """A branch with one commit, made in the main worktree, which goes back to the base."""
    repo.git("checkout", "-q", "-b", name, start)
    if callable(change):
        change(repo)
        repo.git("add", "-A")
        repo.git("commit", "-q", "--allow-empty", "-m", name)
    else:
        repo.commit(name, change)
    repo.git("checkout", "-q", "-f", "main")
    repo.git("clean", "-qfd")
