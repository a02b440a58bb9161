"""What state is a task in? A pure function of the plan and of what was seen; a Status cell can only say `dropped`."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from git_fleet.model.fleet import Snapshot, State, Worktree
from git_fleet.model.plan import Overlap, Plan, Task

IN_FLIGHT = frozenset(
    (State.ACTIVE, State.RUNNING, State.STUCK, State.DONE, State.APPROVED, State.REJECTED, State.MISSING)
)
"""Begun and not landed: their owned paths are taken."""

DROPPED = frozenset(("dropped", "cancelled", "canceled", "wontfix"))


def is_dropped(task: Task) -> bool:
    """Does the plan say that nobody is to do it?"""
    return (task.status or "").strip().lower() in DROPPED


class Standing(NamedTuple):
    """A task's state, the worktree that is its own, and a sentence where the state alone does not say enough."""

    state: State
    worktree: Worktree | None
    reason: str | None = None


def worktree_of(task: Task, worktrees: Iterable[Worktree]) -> Worktree | None:
    """The worktree in which the task's branch is checked out, else the one at the task's path."""
    linked = [tree for tree in worktrees if not tree.main]
    on_branch = next((tree for tree in linked if tree.branch == task.ref), None)
    return on_branch or next((tree for tree in linked if tree.path == task.worktree), None)


def standings(plan: Plan, snapshot: Snapshot, overlaps: Iterable[Overlap]) -> dict[str, Standing]:
    """Every task's standing, by id."""
    first = {task.id: _begun(task, snapshot) for task in plan.tasks}
    taken = {id for id, standing in first.items() if standing and standing.state in IN_FLIGHT}
    blocking = _blocked_by(overlaps, taken)
    landed = {id for id, standing in first.items() if standing and standing.state is State.LANDED}
    return {task.id: first[task.id] or _waiting(task, landed, blocking, first) for task in plan.tasks}


def _begun(task: Task, snapshot: Snapshot) -> Standing | None:
    """The standing of a task of which something is there; None if nothing is."""
    tree = worktree_of(task, snapshot.worktrees)
    there = task.ref in snapshot.branches
    if task.id in snapshot.landings:
        return Standing(State.LANDED, tree)
    if is_dropped(task):
        return Standing(State.DROPPED, tree)
    if tree is None:
        return Standing(State.MISSING, None, "no worktree") if there else None
    if tree.prunable is not None:
        return Standing(State.MISSING, tree, f"the worktree's folder is gone: {tree.path}")
    if not there:
        return Standing(State.MISSING, tree, "the worktree is there, its branch is not")
    if tree.branch != task.ref:
        return Standing(State.ACTIVE, tree, f"the worktree is {_elsewhere(tree)}")
    return Standing(State.ACTIVE, tree)


def _elsewhere(tree: Worktree) -> str:
    return f"on {tree.branch.removeprefix('refs/heads/')}" if tree.branch else "on no branch (detached)"


def _blocked_by(overlaps: Iterable[Overlap], taken: Collection[str]) -> dict[str, tuple[str, str]]:
    """task -> (the task in flight whose paths it wants, one of the paths)"""
    blocked: dict[str, tuple[str, str]] = {}
    for overlap in overlaps:
        if overlap.excused_by is None:
            one, other = overlap.tasks
            for mine, theirs in ((one, other), (other, one)):
                if theirs in taken:
                    blocked.setdefault(mine, (theirs, overlap.paths[0]))
    return blocked


def _waiting(
    task: Task,
    landed: Collection[str],
    blocking: Mapping[str, tuple[str, str]],
    known: Mapping[str, Standing | None],
) -> Standing:
    waits = [need for need in task.needs if need in known and need not in landed]
    if waits:
        return Standing(State.BLOCKED, None, _waits_for(waits, known))
    if task.id in blocking:
        other, path = blocking[task.id]
        return Standing(State.PLANNED, None, f"{other} is at work on {path}")
    return Standing(State.READY, None)


def _waits_for(waits: Iterable[str], known: Mapping[str, Standing | None]) -> str:
    gone = [need for need in waits if (standing := known[need]) and standing.state is State.DROPPED]
    return (
        f"needs {', '.join(gone)}, which the plan has dropped"
        if gone
        else f"waits for the landing of {', '.join(waits)}"
    )
