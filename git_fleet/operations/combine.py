"""Bring one branch onto the line, by the strategy; all that is made lies in a quarantine.

The line is a make-believe commit that has the tips of all that landed among its ancestors, whatever the commits of the
base will look like: so a branch that stands on another one which is squashed or rebased meets it as in a merge.
"""

from collections.abc import Mapping
from typing import NamedTuple

from git_fleet.repo import git, merging


class Pick(NamedTuple):
    """A commit to be made again, and the tree that it has on the line."""

    commit: str
    tree: str


class Combined(NamedTuple):
    """What comes out. `why`: it cannot go this way; `empty`: nothing is left of it."""

    clean: bool
    tree: str
    paths: tuple[str, ...] = ()
    why: str | None = None
    picks: tuple[Pick, ...] = ()
    empty: bool = False


class _Commit(NamedTuple):
    id: str
    tree: str
    parents: tuple[str, ...]
    there: bool
    """Has the line this change already?"""


def combine(place: merging.Quarantine, strategy: str, line: tuple[str, str], tip: str, task: str) -> Combined:
    """The branch at `tip` onto `line` (commit, tree) by the strategy; `task` is named in the way out."""
    if strategy == "ff":
        return _fast_forward(place, line[0], tip, task)
    merge = merging.merge(place, line[0], tip)
    if strategy == "rebase":
        return _rebase(place, line, tip, task, merge)
    return Combined(merge.clean, merge.tree, merge.paths, merge.why and f"git cannot merge it: {merge.why}")


def _fast_forward(place: merging.Quarantine, line: str, tip: str, task: str) -> Combined:
    if merging.ask(place, "merge-base", "--is-ancestor", line, tip).status:
        why = f"it does not descend from what it lands on, so nothing can be fast-forwarded: git fleet sync {task}"
        return Combined(False, "", why=why)
    return Combined(True, git.tree_of(place.repository, tip))


def _rebase(place: merging.Quarantine, onto: tuple[str, str], tip: str, task: str, merge: merging.Merge) -> Combined:
    """Each commit again on the line, as `git rebase` does: what the line has already is left out, merges are flattened.

    A merge among them may hold a resolution that goes lost so; then the branch has to come out as when it is merged.
    """
    if merge.why:
        return Combined(False, "", why=f"git cannot rebase it: {merge.why}")
    line, tree = onto
    picks: list[Pick] = []
    commits = _to_pick(place, line, tip)
    below = git.trees_of(place.repository, [parent for commit in commits for parent in commit.parents])
    for commit in commits:
        empty = bool(commit.parents) and commit.tree == below[commit.parents[0]]
        if commit.there and not empty:
            continue
        found = _picked(place, tree, commit, below)
        if not found.clean:
            why = found.why and f"git cannot rebase it: {found.why}"
            return Combined(False, found.tree, found.paths, why, tuple(picks))
        if found.tree != tree or empty:  # what became empty goes, what was empty stays
            picks.append(Pick(commit.id, found.tree))
        tree = found.tree
    merged = merging.answer(place, "rev-list", "--count", "--merges", f"{line}..{tip}").strip() != "0"
    if merged and (not merge.clean or merge.tree != tree):
        why = f"rebasing would lose what its merges resolved: git fleet land --strategy=merge {task}"
        return Combined(False, "", why=why)
    return Combined(True, tree, picks=tuple(picks), empty=not picks)


def _to_pick(place: merging.Quarantine, line: str, tip: str) -> list[_Commit]:
    """The commits of a branch in the order in which they are made again."""
    words = ("--cherry-mark", "--right-only", "--no-merges", "--topo-order", "--reverse", "--format=%m %H %T %P")
    listed = merging.answer(place, "log", *words, f"{line}...{tip}", "--")
    rows = [row.split() for row in listed.splitlines()]
    return [_Commit(row[1], row[2], tuple(row[3:]), row[0] == "=") for row in rows]


def _picked(place: merging.Quarantine, tree: str, commit: _Commit, below: Mapping[str, str]) -> merging.Merge:
    """One commit's change on a tree: a merge whose base is the commit's parent."""
    if not commit.parents:
        return merging.Merge(False, "", why="no common history")
    parent = commit.parents[0]
    if tree == below[parent]:
        return merging.Merge(True, commit.tree)
    ours = merging.commits(place, [(tree, (parent,))])[0]
    return merging.merge(place, ours, commit.id)
