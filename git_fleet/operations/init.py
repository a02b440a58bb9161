"""`init`: start a plan, empty or from what is there; never over another one."""

import fnmatch
import os
from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Row
from git_fleet.operations import context as contexts
from git_fleet.operations.context import Context
from git_fleet.operations.survey import is_lane
from git_fleet.plan import config, markdown, names
from git_fleet.repo import git


class Started(NamedTuple):
    """What was, or would be, written, in words; and what to type next."""

    text: str
    hints: tuple[str, ...]


def start(file: str | None, patterns: Sequence[str], *, from_branches: bool, dry_run: bool) -> Started:
    """Write a plan. Raises Refused when there is one already, Fatal when no branch matches."""
    context = contexts.find_without_plan()
    repository = context.repository
    _refuse_second_plan(context, file)
    rows = _adopted(context, patterns) if from_branches else ()
    if from_branches and not rows:
        wanted = ", ".join(f"'{pattern}'" for pattern in patterns) or "besides the base"
        raise Fatal(f"no branch {wanted}: nothing to start from", ["git branch --list"])
    if file is not None:
        return _in_markdown(repository, file, rows, dry_run=dry_run)
    if not dry_run:
        config.explain(repository)
        for row in rows:
            config.append(repository, row)
    return _said(f"in {repository.common_dir}/config", rows, dry_run=dry_run)


def _refuse_second_plan(context: Context, file: str | None) -> None:
    """One of two plans would be read, and the other one hidden without a word."""
    settings, see = context.settings, "see it with: git fleet plan"
    if settings.plan is not None:
        planned = os.path.join(context.repository.main, settings.plan)
        if file is None or os.path.realpath(file) != os.path.realpath(planned):
            unset = "git config --unset fleet.plan   # where it is not to be the plan any more"
            raise Refused(f"there is a plan already: fleet.plan is '{settings.plan}'", [see, unset])
    elif settings.rows:
        ids = ", ".join(id for id, _ in settings.rows[:5]) + (", …" if len(settings.rows) > 5 else "")
        raise Refused(f"there is a plan already, in the git configuration: {ids}", [see])


def _adopted(context: Context, patterns: Sequence[str]) -> tuple[Row, ...]:
    """A row for each branch but the base, and where it is checked out; ids unique."""
    places = {
        tree.branch: tree.path
        for tree in context.worktrees
        if tree.branch and not tree.main and not is_lane(context.repository, tree)
    }
    shorts = [ref.removeprefix("refs/heads/") for ref in git.branches(context.repository) if ref != context.base.ref]
    wanted = [
        short for short in shorts if not patterns or any(fnmatch.fnmatchcase(short, pattern) for pattern in patterns)
    ]
    return tuple(
        row._replace(worktree=_relative(context.repository, places.get(f"refs/heads/{row.branch}")))
        for row in names.rows_of_branches(wanted)
    )


def _relative(repository: Repository, path: str | None) -> str | None:
    return os.path.relpath(path, repository.main) if path else None


def _in_markdown(repository: Repository, file: str, rows: Sequence[Row], *, dry_run: bool) -> Started:
    path = os.path.abspath(file)
    if os.path.lexists(path):
        raise Refused(f"'{file}' exists already", ["name another file"])
    text = markdown.document(rows)
    if not dry_run:
        try:
            with open(path, "x", encoding="utf-8", newline="") as plan:
                plan.write(text)
        except OSError as error:
            raise Fatal(f"cannot write '{file}': {error.strerror}") from error
        if not git.config_get_all(repository, "fleet.plan"):
            git.config_set(repository, "fleet.plan", [os.path.relpath(path, repository.main)])
    return _said(f"in {file}", rows, dry_run=dry_run)


def _said(where: str, rows: Sequence[Row], *, dry_run: bool) -> Started:
    verb = "would start" if dry_run else "started"
    count = f"{len(rows)} {'task' if len(rows) == 1 else 'tasks'}" if rows else "no task yet"
    lines = [f"{verb} a plan {where}: {count}", *(f"  {row.id}  {row.branch}" for row in rows)]
    if dry_run:
        return Started("\n".join(lines), ())
    hints = ("git fleet plan",) if rows else ('git fleet add "42 count" --owns cli.py   # the first task',)
    return Started("\n".join(lines), hints)
