"""Which plan there is: a file, the configuration, or, with neither, the linked worktrees; and the way back to it."""

import os
from collections.abc import Iterable, Mapping, Sequence

from git_fleet.model.errors import PlanError
from git_fleet.model.fleet import Repository, Worktree
from git_fleet.model.plan import Plan, Problem, Row, Source, SourceKind, Task
from git_fleet.model.settings import Settings
from git_fleet.plan import config, files, markdown, names

_HEADS = "refs/heads/"


def read(
    settings: Settings,
    repository: Repository,
    worktrees: Sequence[Worktree],
    base_branch: str,
    plan_file: str | None = None,
) -> Plan:
    """The plan: `plan_file` (an absolute path), else `fleet.plan`, else the configuration, else the worktrees.

    Needs are given as ids. `problems` holds only what filling the gaps found. Raises PlanError.
    """
    path = plan_file or (os.path.join(repository.main, settings.plan) if settings.plan else None)
    if path is not None:
        path = os.path.normpath(path)
        _check_file(path, repository)
        source = Source(SourceKind.MARKDOWN, path)
        return _completed(source, markdown.read(path), settings, repository)
    if settings.rows:
        return _completed(Source(SourceKind.CONFIG), config.rows(settings), settings, repository)
    return Plan(Source(SourceKind.WORKTREES), _checked_out(worktrees, base_branch.removeprefix(_HEADS)))


def set_status(plan: Plan, settings: Settings, repository: Repository, statuses: Mapping[str, str]) -> bool:
    """Write what became of tasks, by id, where the plan came from; False where the plan has no place for it.

    Raises Refused when a row is gone, PlanError when the file is no plan any more.
    """
    if not statuses or not settings.write_status or plan.source.kind is SourceKind.WORKTREES:
        return False
    if plan.source.path is not None:
        return markdown.set_status(plan.source.path, statuses)
    config.set_status(repository, statuses)
    return True


def append(plan: Plan, repository: Repository, row: Row) -> None:
    """Add a task to the plan's file, else to the configuration. Raises Refused where it cannot be held."""
    if plan.source.path is not None:
        markdown.append(plan.source.path, row)
    else:
        config.append(repository, row)


def _check_file(path: str, repository: Repository) -> None:
    if path.lower().endswith((".yaml", ".yml")):
        raise PlanError("a plan in YAML cannot be read yet: a Markdown table can", files.shown(path))
    inside = f"{repository.main}/"
    if path.startswith(inside) and not os.path.realpath(path).startswith(inside):
        raise PlanError("a link that leads out of the repository", files.shown(path))


def _completed(source: Source, rows: Iterable[Row], settings: Settings, repository: Repository) -> Plan:
    own = source.kind is SourceKind.CONFIG
    pairs = [names.complete(row, settings, repository, own_config=own) for row in rows]
    problems: list[Problem] = [problem for _, found in pairs for problem in found]
    return Plan(source, _with_needs_by_id([task for task, _ in pairs]), tuple(problems))


def _with_needs_by_id(tasks: Sequence[Task]) -> tuple[Task, ...]:
    """A need may name a task by id, id-slug or branch; a name that no task has stays as it is."""
    ids = {task.branch: task.id for task in tasks}
    ids |= {f"{task.id}-{task.slug}": task.id for task in tasks}
    ids |= {task.id: task.id for task in tasks}
    return tuple(
        task._replace(needs=tuple(dict.fromkeys(ids.get(need, need) for need in task.needs))) if task.needs else task
        for task in tasks
    )


def _checked_out(worktrees: Sequence[Worktree], base: str) -> tuple[Task, ...]:
    """A task for each branch but the base that a linked worktree has checked out; ids do not depend on the order."""
    found = {
        tree.branch.removeprefix(_HEADS): tree.path
        for tree in worktrees
        if tree.branch and tree.branch.startswith(_HEADS) and not tree.main
    }
    found.pop(base, None)
    return tuple(
        Task(id=row.id, title=row.title or row.id, slug=names.slugify(row.title or ""), branch=short, worktree=path)
        for row, (short, path) in zip(names.rows_of_branches(list(found)), found.items(), strict=True)
    )
