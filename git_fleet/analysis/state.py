"""What state is a task in? A pure function of the plan, of what was seen, and of what was said of it last.

A Status cell can only say `dropped`; everything else is said with `git fleet mark`.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from git_fleet.model.agent import Agent
from git_fleet.model.fleet import Mark, Snapshot, State, Worktree
from git_fleet.model.plan import Overlap, Plan, Task

IN_FLIGHT = frozenset(
    (State.ACTIVE, State.RUNNING, State.STUCK, State.DONE, State.APPROVED, State.REJECTED, State.MISSING)
)
"""Begun and not landed: their owned paths are taken."""

DROPPED = frozenset(("dropped", "cancelled", "canceled", "wontfix"))


def is_dropped(task: Task) -> bool:
    """Does the plan say that nobody is to do it?"""
    return (task.status or "").strip().lower() in DROPPED


_OF_A_TIP = (State.DONE, State.APPROVED)
"""Whoever says so has seen the branch as it was then."""
_HELD = (State.REJECTED, State.STUCK, State.RUNNING)


def ways_on(id: str, *, left: bool) -> tuple[str, ...]:
    """The commands for a task that has landed; `left`: something of it is there still."""
    clears = (f"git fleet remove {id}   # clears what is left of it",) if left else ()
    return (*clears, "git fleet add '<id> <title>'   # for what is still to do: a task of its own")


def ways_back(id: str) -> tuple[str, ...]:
    """What to do about a task that is dropped, by the plan or by a mark."""
    return (
        f"git fleet mark running {id}   # takes it up again; where the plan says dropped:",
        f"git fleet plan set {id} status active",
    )


class Standing(NamedTuple):
    """A task's state, the worktree that is its own, and a sentence where the state alone does not say enough."""

    state: State
    worktree: Worktree | None
    reason: str | None = None


def without_dropped(plan: Plan, marks: Mapping[str, Mark]) -> Plan:
    """The plan as if it said itself what was marked as dropped."""
    gone = {id for id, mark in marks.items() if mark.state is State.DROPPED}
    if gone.isdisjoint(task.id for task in plan.tasks):
        return plan
    return plan._replace(tasks=tuple(t._replace(status="dropped") if t.id in gone else t for t in plan.tasks))


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
    mark = snapshot.marks.get(task.id)
    if task.id in snapshot.landings:
        return Standing(State.LANDED, tree)
    if is_dropped(task) or (mark and mark.state is State.DROPPED):
        return Standing(State.DROPPED, tree, mark.why if mark and mark.state is State.DROPPED else None)
    seen = _seen(task, tree, there=there)
    if seen is None or mark is None or not there:
        return seen
    return _marked(seen, _of_agent(mark, snapshot.agents.get(task.id)), snapshot.branches[task.ref].tip)


def _seen(task: Task, tree: Worktree | None, *, there: bool) -> Standing | None:
    if tree is None:
        return Standing(State.MISSING, None, "no worktree") if there else None
    if tree.foreign is not None:
        why = f"its folder '{tree.path}' belongs to another repository, '{tree.foreign}': was this one copied?"
        return Standing(State.MISSING, tree, why)
    if tree.prunable is not None:
        return Standing(State.MISSING, tree, f"the worktree's folder is gone: {tree.path}")
    if not there:
        return Standing(State.MISSING, tree, "the worktree is there, its branch is not")
    if tree.branch != task.ref:
        return Standing(State.ACTIVE, tree, f"the worktree is {_elsewhere(tree)}")
    return Standing(State.ACTIVE, tree)


def _of_agent(mark: Mark, agent: Agent | None) -> Mark:
    """What is true of a task that is said to be running: the agent may be gone without a word."""
    if mark.state is not State.RUNNING or agent is None or agent.alive or agent.ended_s is not None:
        return mark
    return mark._replace(state=State.STUCK, why=agent_gone(agent))


def agent_gone(agent: Agent) -> str:
    """Of an agent that ended without anybody seeing how."""
    return f"its agent is gone, see: git fleet logs {agent.task}"


def quiet(silent_s: float, after_s: float) -> str | None:
    """Of an agent that lives, and of which nothing was heard or seen for so long."""
    if silent_s <= after_s:
        return None
    return f"quiet for {int(silent_s // 60)}m" if silent_s >= 60 else f"quiet for {int(silent_s)}s"


def _marked(seen: Standing, mark: Mark, tip: str) -> Standing:
    """What is said counts for what is there: of a branch at its tip, and of work in a worktree."""
    if mark.state is State.ACTIVE or (mark.state is State.RUNNING and seen.state is State.MISSING):
        return seen
    if mark.state in _OF_A_TIP and mark.tip != tip:
        said = "approved" if mark.state is State.APPROVED else "marked as done"
        return seen._replace(reason=_joined(seen.reason, f"changed since it was {said}"))
    return seen._replace(state=mark.state, reason=_joined(mark.why, seen.reason))


def _joined(*reasons: str | None) -> str | None:
    return "; ".join(filter(None, reasons)) or None


def held_back(
    standings: Mapping[str, Standing], stands_on: Mapping[str, Iterable[str]], *, named: bool = False
) -> dict[str, str]:
    """Tasks that do not land because of what was said of them, or of one on whose commits they stand: the reasons.

    Whoever names a task (`named`) that is stuck or still at work wants it all the same; what was rejected has to be
    looked at again.
    """
    held = _HELD[:1] if named else _HELD
    found = {id: standing for id, standing in standings.items() if standing.state in held}
    below = {id: next((one for one in under if one in found), None) for id, under in stands_on.items()}
    return {
        **{id: f"stands on {one}, which is {found[one].state}" for id, one in below.items() if one is not None},
        **{id: f"{one.state}: {one.reason}" if one.reason else str(one.state) for id, one in found.items()},
    }


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
    return needs_dropped(gone) if gone else f"waits for the landing of {', '.join(waits)}"


def needs_dropped(gone: Collection[str]) -> str:
    """Why it can never start: what it needs will not land."""
    return f"needs {', '.join(gone)}, which {'is' if len(gone) == 1 else 'are'} dropped"
