"""Where the plan and the repository disagree: told as warnings, since either may be the one to be put right."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from git_fleet.analysis import globs, ownership
from git_fleet.analysis import state as states
from git_fleet.analysis.ownership import Claims
from git_fleet.analysis.waves import closure
from git_fleet.model.fleet import Outlook, Snapshot, State, Worktree
from git_fleet.model.plan import Plan, Problem, Severity, SourceKind, Task

_LANDED, _DONE, _BEGUN, _WAITING = "landed", "done", "begun", "waiting"
_WORDS = MappingProxyType(
    {
        **dict.fromkeys(("landed", "merged"), _LANDED),
        **dict.fromkeys(("active", "started", "running", "working", "wip", "progress"), _BEGUN),
        **dict.fromkeys(("done", "finished", "complete", "completed", "review", "approved"), _DONE),
        **dict.fromkeys(("planned", "queued", "todo", "ready", "backlog", "open", "blocked", "waiting"), _WAITING),
    }
)
"""What people write into a Status cell, and what it says."""


def problems(plan: Plan, claims: Claims, outlook: Outlook) -> tuple[Problem, ...]:
    """A warning for each thing that the plan says and the repository denies. Without a written plan there is none."""
    snapshot = outlook.snapshot
    if snapshot is None or plan.source.kind is SourceKind.WORKTREES:
        return ()
    alive = [task for task in plan.tasks if (task.status or "").strip().lower() not in states.DROPPED]
    by_branch = {tree.branch: tree for tree in reversed(snapshot.worktrees) if tree.branch}
    by_path = {tree.path: tree for tree in snapshot.worktrees if not tree.bare}
    return (
        *(
            problem
            for task in alive
            for problem in _places(task, snapshot, by_branch.get(task.ref), by_path.get(task.worktree))
        ),
        *(problem for task in alive for problem in _cell(task, snapshot)),
        *_unmatched(alive, claims, outlook, snapshot),
        *_drift(plan, [task for task in alive if task.id not in snapshot.landings], outlook.changed),
    )


def _warn(code: str, message: str, task: Task) -> Problem:
    return Problem(Severity.WARNING, code, f"{task.id}: {message}", (task.id,), task.line)


def _places(task: Task, snapshot: Snapshot, at: Worktree | None, here: Worktree | None) -> Iterator[Problem]:
    """Branch and worktree where the plan says they are; `at` has the branch checked out, `here` is at the path."""
    there = task.ref in snapshot.branches
    if here and here.foreign is not None:
        yield _warn("worktree-gone", f"its folder '{here.path}' belongs to another repository, '{here.foreign}'", task)
    elif here and here.prunable is not None:
        yield _warn("worktree-gone", f"git knows a worktree '{here.path}', but its folder is gone", task)
    elif at and at.path != task.worktree:
        yield _warn(
            "worktree-moved", f"its branch is checked out in '{at.path}', not in '{task.worktree}' as planned", task
        )
    if here and here.branch != task.ref:
        other = f"on branch '{here.branch.removeprefix('refs/heads/')}'" if here.branch else "on no branch (detached)"
        yield _warn("worktree-branch", f"its worktree '{here.path}' is {other}, not on '{task.branch}'", task)
    if here and not there and task.id not in snapshot.landings:
        yield _warn("missing-branch", f"its worktree is there, its branch '{task.branch}' is not", task)


def _cell(task: Task, snapshot: Snapshot) -> Iterator[Problem]:
    """A Status cell that lies."""
    cell = (task.status or "").strip()
    said = next((_WORDS[word] for word in re.findall(r"[a-z]+", cell.lower()) if word in _WORDS), None)
    landed = task.id in snapshot.landings
    there = task.ref in snapshot.branches
    mark = snapshot.marks.get(task.id)
    if said == _LANDED and not landed:
        ahead = there and snapshot.distances[task.ref].ahead
        what = f"'{task.branch}' has commits that {snapshot.base.branch} lacks" if ahead else "it never did"
        yield _warn("stale-status", f"the plan says '{cell}', but {what}", task)
    elif said in (_BEGUN, _WAITING) and landed:
        yield _warn("stale-status", f"the plan says '{cell}', but it has landed", task)
    elif said in (_BEGUN, _DONE) and not (landed or there) and states.worktree_of(task, snapshot.worktrees) is None:
        yield _warn("missing-branch", f"the plan says '{cell}', but there is no branch '{task.branch}'", task)
    elif said == _DONE and mark and mark.state in (State.STUCK, State.REJECTED):
        yield _warn("stale-status", f"the plan says '{cell}', but it was marked as {mark.state}", task)
    elif said == _WAITING and there and snapshot.distances[task.ref].ahead:
        yield _warn("stale-status", f"the plan says '{cell}', but '{task.branch}' has commits", task)


def _unmatched(tasks: Sequence[Task], claims: Claims, outlook: Outlook, snapshot: Snapshot) -> Iterator[Problem]:
    """Owned paths that match no file, and are no new one either as far as can be told."""
    if outlook.files is None:
        return
    folders = {""}
    for path in outlook.files:
        while path := path.rpartition("/")[0]:
            if path in folders:
                break
            folders.add(path)
    for task in tasks:
        if task.id in snapshot.landings:
            continue
        changed = outlook.changed.get(task.ref, ())
        for pattern, paths in claims.get(task.id, {}).items():
            made = len(ownership.drift([pattern], changed)) < len(changed)
            if paths or made or (not changed and _may_be_new(pattern, folders)):
                continue
            why = "and its branch has made none yet" if changed else "and there is no folder for a new one"
            yield _warn("matches-nothing", f"owned path '{pattern}' matches no file, {why}", task)


def _may_be_new(pattern: str, folders: set[str]) -> bool:
    """A path that is still to be made stands in a folder that is there."""
    parsed = globs.parse(pattern)
    literal = parsed.literal
    whole = len(literal) == len(parsed.parts)
    return "/".join(literal[:-1] if whole else literal) in folders


def _drift(plan: Plan, tasks: Sequence[Task], changed: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Files that branches changed and their task does not own. What a needed task owns came from its branch."""
    closed = None
    for task in tasks:
        strayed = ownership.drift(task.owns, changed.get(task.ref, ()))
        if not strayed:
            continue
        closed = closed or closure(plan.tasks)
        inherited = [one for one in plan.tasks if closed.needs(task.id, one.id)]
        for one in inherited:
            strayed = ownership.drift(one.owns, strayed) if one.owns else strayed
        others = [one for one in plan.tasks if one.id != task.id and one not in inherited]
        yield from _strays(task, strayed, others)


def _strays(task: Task, strayed: Sequence[str], others: Sequence[Task]) -> Iterator[Problem]:
    nobodys = list(strayed)
    for other in others:
        if not nobodys:
            break
        left = ownership.drift(other.owns, nobodys) if other.owns else tuple(nobodys)
        theirs = [path for path in nobodys if path not in left]
        if theirs:
            yield _warn("drift", f"its branch changed {_listed(theirs)}, which {other.id} owns", task)
        nobodys = list(left)
    if nobodys:
        yield _warn("drift", f"its branch changed {_listed(nobodys)}, which nobody owns", task)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
