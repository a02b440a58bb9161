"""What changed in the repository and its worktrees while gates ran: by a gate that went astray, or by somebody else.

Nobody can tell them apart, and agents work on meanwhile: it is said, and decides nothing. The base moves by
compare-and-swap, and branches land as they were pinned.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from git_fleet.model.fleet import Dirt
from git_fleet.operations.context import Context
from git_fleet.operations.survey import is_lane
from git_fleet.repo import git, looking

_MOST_NAMED = 3


class State(NamedTuple):
    """Refs by name, and by worktree what is not committed there: path -> time and size."""

    refs: Mapping[str, str]
    files: Mapping[str, Mapping[str, tuple[int, int]]]


def look(context: Context) -> State:
    """The refs that are not fleet's own, and the uncommitted work in every worktree that is no lane."""
    found = {ref: tip for ref, tip in git.refs(context.repository).items() if not ref.startswith("refs/fleet/")}
    trees = git.worktrees(context.repository)
    tops = [tree.path for tree in trees if not tree.bare and not is_lane(context.repository, tree)]
    dirt = looking.dirt(tops)
    return State(found, {top: _times(top, seen) for top, seen in dirt.items() if seen is not None})


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
        paths = sorted(path for path in here.keys() | there.keys() if here.get(path) != there.get(path))
        if paths:
            more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
            told.append(f"files changed in '{top}': {', '.join(paths[:_MOST_NAMED])}{more}")
    return tuple(told)
