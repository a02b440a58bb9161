"""May this task be started now? A pure function; a refusal is a value with the reason and the way out."""

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis import state as states
from git_fleet.analysis.state import IN_FLIGHT, Standing
from git_fleet.model.fleet import State
from git_fleet.model.plan import Overlap, Task

HINT_PAST = 5
"""More tasks in flight than one person reviews well; said once, never enforced unless `fleet.limit` is set."""


class Seen(NamedTuple):
    """What admission needs to know of the world."""

    standings: Mapping[str, Standing]
    branches: Collection[str]
    """Full ref names that exist."""
    checked_out: Mapping[str, str]
    """Full ref -> the worktree that has it."""
    occupied: Collection[str]
    """Those of the wanted worktree paths at which something exists."""
    lost: Collection[str] = ()
    """Worktrees that git knows and whose folder is gone: they are made again."""
    moved: Mapping[str, str] = MappingProxyType({})
    """Those of them whose folder was moved by hand, and where to."""
    foreign: Mapping[str, str] = MappingProxyType({})
    """Worktrees that git knows and whose folder belongs to another repository, and to which."""
    older: Mapping[str, str] = MappingProxyType({})
    """Short name of the branch that was made for a task under another title, by id."""
    commands: Mapping[str, str] = MappingProxyType({})
    """What to type to ask for a task again, by id; `git fleet add <id>` for all others."""


class Admission(NamedTuple):
    """`create`: make it (`new_branch`: the branch too); `exists`: there as planned; else refused, with `why`."""

    task: Task
    create: bool = False
    new_branch: bool = False
    exists: bool = False
    why: str | None = None
    hints: tuple[str, ...] = ()


def admit(
    tasks: Sequence[Task],
    seen: Seen,
    overlaps: Iterable[Overlap],
    *,
    limit: int | None,
    allow_overlap: bool,
) -> tuple[Admission, ...]:
    """An answer for each task, in order; a task that is admitted is in flight for those after it."""
    meets: dict[str, list[tuple[str, str]]] = {}
    for overlap in overlaps:
        if overlap.excused_by is None:
            one, other = overlap.tasks
            meets.setdefault(one, []).append((other, overlap.paths[0]))
            meets.setdefault(other, []).append((one, overlap.paths[0]))
    flying = {id for id, standing in seen.standings.items() if standing.state in IN_FLIGHT and standing.worktree}
    answers = []
    for task in tasks:
        answer = _there(task, seen) or _forbidden(task, seen)
        if answer is None and not allow_overlap:
            answer = _overlapping(task, meets, flying, seen.commands.get(task.id, f"git fleet add {task.id}"))
        if answer is None and limit is not None and len(flying - {task.id}) >= limit:
            answer = _full(task, flying, limit)
        if answer is None:
            answer = Admission(task, create=True, new_branch=task.ref not in seen.branches)
            flying.add(task.id)
        answers.append(answer)
    return tuple(answers)


def _there(task: Task, seen: Seen) -> Admission | None:
    standing = seen.standings[task.id]
    holder = seen.checked_out.get(task.ref)
    begun = standing.state in IN_FLIGHT and standing.state is not State.MISSING
    if begun and holder == task.worktree and holder not in seen.lost:
        return Admission(task, exists=True)
    if standing.state is State.LANDED:
        left = task.ref in seen.branches or standing.worktree is not None
        return _refused(task, "it has landed already", *states.ways_on(task.id, left=left))
    return None


def _forbidden(task: Task, seen: Seen) -> Admission | None:
    standing = seen.standings[task.id]
    if standing.state is State.DROPPED:
        return _refused(task, "it is dropped", *states.ways_back(task.id))
    if standing.state is State.BLOCKED:
        waits = [need for need in task.needs if seen.standings[need].state is not State.LANDED]
        gone = [need for need in waits if seen.standings[need].state is State.DROPPED]
        if gone:
            way_out = f"take {', '.join(gone)} out of the needs of {task.id} in the plan, or change its status there"
            return _refused(task, states.needs_dropped(gone), way_out)
        return _refused(task, f"needs {', '.join(waits)}, not landed yet", *_towards(waits, seen))
    if task.id in seen.older:
        return _retitled(task, seen.older[task.id], seen)
    holder = seen.checked_out.get(task.ref)
    for where in (holder or task.worktree, task.worktree):
        if where in seen.foreign:
            return _refused(
                task,
                f"its worktree '{where}' belongs to another repository, '{seen.foreign[where]}': was this one copied?",
                "git fleet doctor   # names the entry that is of no use here; then give the task another worktree",
            )
        if where in seen.moved:
            place = seen.moved[where]
            return _refused(task, f"its worktree '{where}' was moved to '{place}'", _repair(place))
    if holder in seen.lost:
        holder = None
    if holder is not None and standing.state is State.MISSING and task.ref not in seen.branches:
        return _refused(
            task,
            f"its worktree '{holder}' is there, but its branch '{task.branch}' is not",
            f"git -C {shlex.quote(holder)} reflog   # shows the last commit that was checked out there",
            f"git branch {shlex.quote(task.branch)} <commit>   # makes the branch again",
        )
    if holder is not None:
        return _refused(
            task,
            f"its branch '{task.branch}' is checked out in '{holder}'",
            f"make the plan say so: its worktree is '{holder}', not '{task.worktree}'",
        )
    there = next((ref for ref, path in seen.checked_out.items() if path == task.worktree), None)
    if there is not None and task.ref not in seen.branches:
        branch = there.removeprefix("refs/heads/")
        return _refused(
            task,
            f"'{task.worktree}' has '{branch}' checked out, and there is no '{task.branch}'",
            f"git fleet plan set {task.id} branch {shlex.quote(branch)}   # if that is its branch, renamed",
            "or move the worktree: git worktree move",
        )
    if task.worktree in seen.occupied:
        return _refused(task, f"'{task.worktree}' exists already", "move it away, or name another worktree in the plan")
    return None


def _repair(place: str) -> str:
    return f"git worktree repair {shlex.quote(place)}   # tells git; or move it back"


def _towards(needs: Sequence[str], seen: Seen) -> list[str]:
    """How what is needed lands, or begins."""
    begun = [need for need in needs if seen.standings[need].state in IN_FLIGHT]
    others = [need for need in needs if need not in begun]
    lands = [f"git fleet land {' '.join(begun)}"] if begun else []
    return [*lands, f"git fleet add {' '.join(others)}   # not begun yet"] if others else lands


def _retitled(task: Task, old: str, seen: Seen) -> Admission:
    holder = seen.checked_out.get(f"refs/heads/{old}")
    more = (f"git fleet plan set {task.id} worktree {shlex.quote(holder)}   # which has it",) if holder else ()
    return _refused(
        task,
        f"its branch '{old}' was made when its title was another",
        f"git fleet plan set {task.id} branch {shlex.quote(old)}   # to go on there",
        *more,
        f"git fleet plan set {task.id} branch <name>   # to begin another",
    )


def _overlapping(
    task: Task, meets: Mapping[str, Sequence[tuple[str, str]]], flying: Collection[str], command: str
) -> Admission | None:
    for other, path in meets.get(task.id, ()):
        if other in flying:
            return _refused(
                task,
                f"owns {path}, as does {other}, which is at work",
                f"git fleet land {other}   # then: {command}",
                f"{command} --allow-overlap   # side by side all the same",
            )
    return None


def _full(task: Task, flying: Collection[str], limit: int) -> Admission:
    return _refused(
        task,
        f"{len(flying)} {'task is' if len(flying) == 1 else 'tasks are'} at work and fleet.limit is {limit}",
        f"git fleet land {' '.join(sorted(flying))}   # or those that are done",
    )


def _refused(task: Task, why: str, *hints: str) -> Admission:
    return Admission(task, why=why, hints=hints)
