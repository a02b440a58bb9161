"""Which plan there is: a file, the configuration, or, with neither, the linked worktrees; and the way back to it."""

import os
from collections.abc import Mapping, Sequence

from git_fleet.model.errors import PlanError, Refused
from git_fleet.model.fleet import Repository, Worktree
from git_fleet.model.plan import Plan, Problem, Row, Source, SourceKind, Task
from git_fleet.model.settings import Settings
from git_fleet.plan import config, files, markdown, names
from git_fleet.plan.sheet import Sheet, warning

_HEADS = "refs/heads/"
_YAML = (".yaml", ".yml")


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
    source = chosen(settings, repository, plan_file)
    if source.kind is SourceKind.WORKTREES:
        return Plan(source, _checked_out(worktrees, base_branch.removeprefix(_HEADS)))
    return completed(source, sheet(source, settings), settings, repository, worktrees)


def chosen(settings: Settings, repository: Repository, plan_file: str | None = None) -> Source:
    """Where the plan is: see `read`. Raises PlanError for a link that leads out of the repository."""
    path = plan_file or (os.path.join(repository.main, settings.plan) if settings.plan else None)
    if path is not None:
        path = os.path.normpath(path)
        _check_file(path, repository)
        return Source(SourceKind.YAML if path.lower().endswith(_YAML) else SourceKind.MARKDOWN, path)
    return Source(SourceKind.CONFIG if settings.rows else SourceKind.WORKTREES)


def sheet(source: Source, settings: Settings) -> Sheet:
    """The rows as the source has them. Raises PlanError."""
    if source.path is None:
        return Sheet(config.rows(settings))
    if source.kind is SourceKind.MARKDOWN:
        return markdown.sheet(source.path)
    from git_fleet.plan import orchestration

    return orchestration.read(source.path)


def completed(
    source: Source, sheet: Sheet, settings: Settings, repository: Repository, worktrees: Sequence[Worktree]
) -> Plan:
    """The plan that a sheet means, every gap filled."""
    own = source.kind is SourceKind.CONFIG
    pairs = [names.complete(row, settings, repository, own_config=own) for row in sheet.rows]
    problems: list[Problem] = [problem for _, found in pairs for problem in found]
    tasks = _with_checklists([task for task, _ in pairs], repository, worktrees)
    return Plan(source, _with_needs_by_id(tasks), (*sheet.problems, *_integration(sheet, settings), *problems))


def _with_checklists(tasks: list[Task], repository: Repository, worktrees: Sequence[Worktree]) -> list[Task]:
    if not any(task.checklist for task in tasks):
        return tasks
    from git_fleet.plan.checklist import with_checklist

    by_branch = {tree.branch: tree for tree in worktrees if tree.branch and not tree.main}
    return [with_checklist(task, repository, by_branch) for task in tasks]


def _integration(sheet: Sheet, settings: Settings) -> list[Problem]:
    """What the plan asks of the landing and the user's own configuration does not grant."""
    gates = {gate.name for gate in settings.gates}
    found = [
        warning("unknown-gate", f"validation test '{name}' is no gate of your configuration: it is not run")
        for name in sheet.tests
        if name not in gates
    ]
    if sheet.strategy and sheet.strategy != settings.strategy:
        said = f"strategy '{sheet.strategy}' is ignored: fleet.strategy says {settings.strategy}"
        found.append(warning("strategy-ignored", said))
    return found


def set_status(plan: Plan, settings: Settings, repository: Repository, statuses: Mapping[str, str]) -> bool:
    """Write what became of tasks, by id, where the plan came from; False where the plan has no place for it.

    Raises Refused when a row is gone, PlanError when the file is no plan any more.
    """
    if not statuses or not settings.write_status or plan.source.kind is SourceKind.WORKTREES:
        return False
    if plan.source.kind is SourceKind.YAML:
        return False
    if plan.source.path is not None:
        return markdown.set_status(plan.source.path, statuses)
    config.set_status(repository, statuses)
    return True


def refuse_row(plan: Plan, row: Row) -> None:
    """Raises Refused where `append` would, for what the plan's kind alone says."""
    refuse_yaml(plan.source)
    if plan.source.path is not None:
        markdown.with_row(plan.source.path, files.read(plan.source.path), row)


def append(plan: Plan, repository: Repository, row: Row) -> None:
    """Add a task to the plan's file, else to the configuration. Raises Refused where it cannot be held."""
    refuse_yaml(plan.source)
    if plan.source.path is not None:
        markdown.append(plan.source.path, row)
    else:
        config.append(repository, row)


def refuse_yaml(source: Source) -> None:
    """Raises Refused for a plan that cannot be written without losing its comments and layout."""
    if source.kind is SourceKind.YAML:
        shown = files.shown(source.path or "")
        raise Refused(
            f"{shown}: a plan in YAML is only read: nothing was changed",
            [f"edit it by hand, or: git fleet plan --plan {shown} --to markdown >PLAN.md"],
        )


def _check_file(path: str, repository: Repository) -> None:
    inside = f"{repository.main}/"
    if path.startswith(inside) and not os.path.realpath(path).startswith(inside):
        raise PlanError("a link that leads out of the repository", files.shown(path))


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
