"""What changed in the repository and its worktrees while gates ran: by a gate that went astray, or by somebody else.

Nobody can tell them apart, and agents work on meanwhile: it is said, and decides nothing. The base moves by
compare-and-swap, and branches land as they were pinned.
"""

import os
from collections.abc import Collection, Mapping
from typing import NamedTuple

from git_fleet.model.fleet import Dirt, Repository
from git_fleet.operations.survey import is_lane
from git_fleet.repo import git, looking

_MOST_NAMED = 3


class State(NamedTuple):
    """Refs by name; by worktree what is not committed there, path -> time and size; and what its HEAD is at."""

    refs: Mapping[str, str]
    files: Mapping[str, Mapping[str, tuple[int, int]]]
    heads: Mapping[str, str]


def look(repository: Repository, among: Collection[str] | None = None) -> State:
    """The refs that are not fleet's own, where the worktrees are that are no lanes, and the uncommitted work in them,
    or in those `among` them."""
    found = {ref: tip for ref, tip in git.refs(repository).items() if not ref.startswith("refs/fleet/")}
    trees = [tree for tree in git.worktrees(repository) if not (tree.bare or tree.foreign or is_lane(repository, tree))]
    dirt = looking.dirt([tree.path for tree in trees if among is None or tree.path in among])
    heads = {tree.path: tree.branch or tree.head or "nothing" for tree in trees}
    return State(found, {top: _times(top, seen) for top, seen in dirt.items() if seen is not None}, heads)


def _times(top: str, seen: Dirt) -> dict[str, tuple[int, int]]:
    found = {}
    for path in (*seen.staged, *seen.unstaged, *seen.untracked, *seen.unmerged):
        try:
            there = os.lstat(os.path.join(top, path))
            found[path] = (there.st_mtime_ns, there.st_size)
        except OSError:
            found[path] = (0, 0)
    return found


def between(before: State, after: State) -> tuple[str, ...]:
    """A sentence for each ref and each worktree that is not as it was."""
    told = []
    for ref in sorted(before.refs.keys() | after.refs.keys()):
        old, new = before.refs.get(ref), after.refs.get(ref)
        if old != new:
            told.append(f"'{ref}' moved from {(old or 'nothing')[:12]} to {(new or 'nothing')[:12]}")
    for top in sorted(before.files.keys() | after.files.keys()):
        here, there = before.files.get(top), after.files.get(top)
        if here is None or there is None:
            told.append(f"the worktree '{top}' {'came' if here is None else 'went'}")
            continue
        if before.heads[top] != after.heads[top]:
            told.append(f"'{top}' was at '{before.heads[top]}', and is at '{after.heads[top]}'")
        paths = sorted(path for path in here.keys() | there.keys() if here.get(path) != there.get(path))
        if paths:
            more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
            told.append(f"files changed in '{top}': {', '.join(paths[:_MOST_NAMED])}{more}")
    return tuple(told)
