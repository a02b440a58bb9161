"""Everything that is wrong with a plan that could be read."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence

from git_fleet.analysis import names, ownership, waves
from git_fleet.analysis.paths import parents
from git_fleet.analysis.state import is_dropped
from git_fleet.model.plan import Folding, Plan, Problem, Severity, SourceKind, Task


def problems(plan: Plan, others: Sequence[Problem] = ()) -> tuple[Problem, ...]:
    """The plan's own problems, those found by thought, and `others`, in the order of their lines, then of the plan.

    A plan that was made up from the worktrees has none: git has accepted all that is in it.
    """
    if plan.source.kind is SourceKind.WORKTREES:
        return plan.problems
    tasks = plan.tasks
    found = (
        *plan.problems,
        *_bad_names(tasks),
        *_doubles(tasks, plan.folding),
        *_clashing_branches(tasks),
        *_nested_worktrees(tasks),
        *_bad_needs(tasks),
        *_bad_patterns(tasks),
        *_unowned(tasks),
        *others,
    )
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0))


def _error(code: str, message: str, *tasks: Task) -> Problem:
    """A problem of these tasks; it stands in the line of the last of them."""
    return Problem(Severity.ERROR, code, message, tuple(dict.fromkeys(task.id for task in tasks)), tasks[-1].line)


def _bad_names(tasks: Sequence[Task]) -> Iterator[Problem]:
    for task in tasks:
        why = names.bad_id(task.id)
        if why:
            yield _error("bad-id", why, task)
        why = names.bad_branch(task.branch)
        if why:
            yield _error("bad-branch", f"{task.id}: branch {task.branch!r} will not do: {why}", task)


def look_alike(tasks: Sequence[Task]) -> bool:
    """Do branches or worktrees of two tasks differ by case or Unicode form alone?"""
    branches, worktrees = [task.branch for task in tasks], [task.worktree for task in tasks]
    return any(len(set(map(_folded, names))) < len(set(names)) for names in (branches, worktrees))


def _doubles(tasks: Sequence[Task], folding: Folding) -> Iterator[Problem]:
    for first, second in _same(tasks, lambda task: _folded(task.id)):
        alike = "" if first.id == second.id else f" (as {first.id!r}, but for case or accents)"
        yield _error("duplicate-id", f"id {second.id!r} is taken{_by(first)}{alike}", first, second)
    for first, second in _same(tasks, lambda task: _folded(task.branch)):
        yield _double("branch", first, second, (first.branch, second.branch), folding)
    for first, second in _same(tasks, lambda task: _folded(task.worktree)):
        yield _double("worktree", first, second, (first.worktree, second.worktree), folding)


def _double(what: str, first: Task, second: Task, names: tuple[str, str], folding: Folding) -> Problem:
    one, other = names
    if one == other:
        return _error(
            f"duplicate-{what}", f"{second.id}: {what} '{other}' is that of {first.id}{_at(first)}", first, second
        )
    message = f"{second.id}: {what} '{other}' differs from '{one}' of {first.id}{_at(first)} by case or accents alone"
    only_form = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    if folding.form if only_form else folding.case:
        return _error("case-clash", f"{message}: the same for the file system here", first, second)
    return _error("case-clash", message, first, second)._replace(severity=Severity.WARNING)


def _clashing_branches(tasks: Sequence[Task]) -> Iterator[Problem]:
    by_branch = {task.branch: task for task in reversed(tasks)}
    for task in tasks:
        for prefix in parents(task.branch):
            other = by_branch.get(prefix)
            if other is not None:
                message = f"git cannot have both branch '{prefix}' of {other.id}{_at(other)} and '{task.branch}'"
                yield _error("branch-prefix-clash", message, other, task)


def _nested_worktrees(tasks: Sequence[Task]) -> Iterator[Problem]:
    by_place = {task.worktree: task for task in reversed(tasks)}
    for task in tasks:
        holder = next((by_place[folder] for folder in parents(task.worktree) if folder in by_place), None)
        if holder is not None:
            message = f"{task.id}: worktree '{task.worktree}' is inside that of {holder.id}{_at(holder)}"
            yield _error("path-escapes", message, holder, task)


def _bad_needs(tasks: Sequence[Task]) -> Iterator[Problem]:
    by_id: Mapping[str, Task] = {task.id: task for task in reversed(tasks)}
    for task in tasks:
        for need in task.needs:
            if need == task.id:
                yield _error("self-need", f"{task.id} needs itself", task)
            elif need not in by_id:
                yield _error("unknown-need", f"{task.id} needs {need!r}, which no task is", task)
            elif is_dropped(by_id[need]) and not is_dropped(task):
                said = (
                    f"{task.id} needs {need}, which is dropped: it cannot start unless {need} has landed all the same"
                )
                yield _error("dropped-need", said, task)._replace(severity=Severity.WARNING)
    for ring in waves.cycles([task for task in tasks if not is_dropped(task)]):
        members = [by_id[id] for id in (*ring[1:], ring[0])]
        yield _error("cycle", f"cycle: {' needs '.join((*ring, ring[0]))}", *members)._replace(tasks=ring)


def _bad_patterns(tasks: Sequence[Task]) -> Iterator[Problem]:
    for task in tasks:
        for pattern in task.owns:
            why = ownership.bad_pattern(pattern)
            if why:
                yield _error("bad-pattern", f"{task.id}: owned path '{pattern}' {why}", task)


def _unowned(tasks: Sequence[Task]) -> Iterator[Problem]:
    for task in tasks:
        if not task.owns and not is_dropped(task):
            message = f"{task.id} owns no path: overlaps and drift cannot be seen"
            yield _error("owns-nothing", message, task)._replace(severity=Severity.WARNING)


def _same(tasks: Sequence[Task], key: Callable[[Task], str]) -> Iterator[tuple[Task, Task]]:
    """(the first, a later one) of tasks with the same key."""
    first: dict[str, Task] = {}
    for task in tasks:
        known = first.setdefault(key(task), task)
        if known is not task:
            yield known, task


def _folded(text: str) -> str:
    """Equal for what a file system may take for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _by(task: Task) -> str:
    return f" by the task in line {task.line}" if task.line else ""


def _at(task: Task) -> str:
    return f" in line {task.line}" if task.line else ""
