"""What is seen of a worktree and its branch before they may go, and again when the folder is in the trash."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.analysis import disposable
from git_fleet.model.errors import FleetError
from git_fleet.model.fleet import Dirt, Repository, Snapshot, Worktree
from git_fleet.model.plan import Task
from git_fleet.model.removal import Facts
from git_fleet.operations import submodules
from git_fleet.operations.context import Context, furnished
from git_fleet.repo import around, copies, entries, git, held, looking, worktrees
from git_fleet.repo.worktrees import Trashed


class Surroundings(NamedTuple):
    """What all worktrees share, looked at once: the stash, and who is at work on which branch."""

    stashes: tuple[around.Stash, ...]
    users: tuple[tuple[str, str], ...]
    """(branch, worktree) of each that has it checked out, or will come back to it."""
    shown: str | None = None
    """What HEAD of a bare repository names: whoever clones it gets this one."""


def surroundings(context: Context) -> Surroundings:
    """Read-only."""
    repository, trees = context.repository, context.worktrees
    here = [(tree.branch, tree.path) for tree in trees if tree.branch and tree.prunable is None]
    under_way = [(ref, tree.path) for tree in trees if (ref := around.branch_under_way(repository, tree))]
    shown = git.symbolic_ref(repository, "HEAD") if any(tree.bare for tree in trees[:1]) else None
    return Surroundings(tuple(around.stashes(repository)), (*here, *under_way), shown)


def branch(seen: Surroundings, context: Context, snapshot: Snapshot, task: Task, tree: Worktree | None) -> Facts:
    """The branch alone, landed by ancestry or by the record of a landing."""
    tip = snapshot.branches[task.ref].tip if task.ref in snapshot.branches else None
    distance, landing = snapshot.distances.get(task.ref), snapshot.landings.get(task.id)
    landed = landing is not None and tip in (None, landing.tip)  # a branch that went on has not landed
    facts = Facts(
        branch=task.branch,
        tip=tip,
        landed=landed,
        proof=f"landed: {landing.tip[:10]} is in {context.base.branch}" if landing and landed else "",
        unlanded=distance.ahead if distance and not landing else 0,  # what was squashed has commits of its own
    )
    return claimed(seen, facts, task, tree) if tip else facts


def claimed(seen: Surroundings, facts: Facts, task: Task, tree: Worktree | None) -> Facts:
    """The same with what else than its own worktree speaks for a branch: other worktrees, the stash, a bare HEAD."""
    in_use, stashes = _others(seen, task, tree), _stashes(seen, task, tree)
    return facts._replace(in_use=tuple(in_use), stashes=tuple(stashes), shown=task.ref == seen.shown)


def _others(seen: Surroundings, task: Task, tree: Worktree | None) -> list[str]:
    """Other worktrees that use the branch."""
    here = tree.path if tree else None
    return list(dict.fromkeys(path for ref, path in seen.users if ref == task.ref and path != here))


def _stashes(seen: Surroundings, task: Task, tree: Worktree | None) -> list[str]:
    detached = tree.head if tree and tree.branch is None else None
    return [
        one.name
        for one in seen.stashes
        if around.made_on(one, task.branch) or (one.branch == "(no branch)" and one.commit == detached)
    ]


def worktree(
    context: Context, tree: Worktree, known: Facts, tips: Sequence[str], trashed: Trashed | None = None
) -> Facts:
    """`known` with what is seen of the worktree, which may be in the trash by now.

    `tips`: commits that keep what is checked out there, where that is on no branch.
    """
    repository, here = context.repository, trashed.folder if trashed else tree.path
    private = f"{repository.common_dir}/worktrees/{trashed.entry_name}" if trashed else git.private_dir(here)
    other = tree.branch if tree.branch != f"refs/heads/{known.branch}" else None
    facts = known._replace(worktree=tree.path, locked=tree.locked, other_branch=other and git.short(other))
    if not os.path.isdir(here):
        return _gone(context, tree, facts, tips)
    if private is None or not os.path.isdir(private):
        return facts
    if trashed is None and not tree.main and not entries.is_of(repository, private, tree.path):
        return facts._replace(taken_over=private)
    whole = looking.whole(repository, here, private, submodules=False)
    if whole is None:
        return facts
    work, again, copied = ignored(context, here, whole.dirt.ignored)
    others = [one.path for one in context.worktrees if _is_in(one, tree.path)]
    place = submodules.Place(here, tree.path, private)
    try:
        seen = submodules.look(repository, context.settings, place, [one for one in whole.nested if one not in others])
    except FleetError:
        return facts
    return facts._replace(
        dirt=whole.dirt._replace(ignored=work),
        disposable=(*again, *seen.again),
        copies=copied,
        submodules=seen.clean,
        inside=(
            *(f"another worktree is in it: {one}" for one in others),
            *seen.reasons,
            *(f"its submodule '{name}' has commits that are on no remote" for name in submodules.unpushed(private)),
            *(f"something is mounted in it: {one}" for one in around.mounts_in(here)),
        ),
        standing_in=around.standing_in(here),
        processes=tuple(around.processes_in(here)),
        agent=_agent(context, tree.path),
        unkept=_unkept(repository, tree, private, tips),
    )


def _is_in(tree: Worktree, top: str) -> bool:
    """Is it in this folder? Of one that was deleted there only the entry is left, and that lies elsewhere."""
    return tree.path.startswith(f"{top}/") and (tree.prunable is None or os.path.lexists(tree.path))


def _agent(context: Context, path: str) -> tuple[str, int] | None:
    return next(((one.task, one.pid) for one in context.agents.values() if one.alive and one.worktree == path), None)


def _gone(context: Context, tree: Worktree, facts: Facts, tips: Sequence[str]) -> Facts:
    """Only the entry is left. Where not even the folder around it is there, a disk may be away."""
    repository = context.repository
    entry = worktrees.lost_entry(repository, tree.path)
    staged = looking.staged_without_folder(entry) if entry else Dirt()
    away = None if os.path.isdir(os.path.dirname(tree.path)) else os.path.dirname(tree.path)
    moved = entries.moved_to(repository, tree.path, [one.path for one in context.worktrees])
    unkept = _unkept(repository, tree, entry, tips)
    return facts._replace(gone=True, dirt=staged, away=away, moved=moved, unkept=unkept)


def ignored(
    context: Context, top: str, paths: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(work, disposable, copies) of the ignored paths of a worktree."""
    work, again = disposable.split(paths, context.settings.disposable, looking.caches(top, paths))
    home = furnished(context)
    copied = copies.same(home, top, work) if home else ()
    return tuple(path for path in work if path not in copied), again, copied


def _unkept(
    repository: Repository, tree: Worktree, entry: str | None, tips: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """What would lose its only name: the commits of a detached HEAD, and of private references."""
    detached = {"HEAD": tree.head} if tree.branch is None and tree.head else {}
    private = held.private_refs(repository, entry) if entry else {}
    return held.unkept(repository, detached | private, tips)
