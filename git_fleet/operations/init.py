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
from git_fleet.plan import config, convert, issues, names, source
from git_fleet.plan.sheet import Sheet
from git_fleet.repo import git


class Started(NamedTuple):
    """What was, or would be, written, in words; what was left out; and what to type next."""

    text: str
    hints: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Origin(NamedTuple):
    """Where the first rows come from: at most one of these. None of them: no row yet."""

    from_branches: bool = False
    patterns: tuple[str, ...] = ()
    file: str | None = None
    """A plan in another form."""
    issues: str | None = None
    """The name of a list of issues, for messages."""
    issues_data: bytes = b""


def start(file: str | None, origin: Origin, *, dry_run: bool) -> Started:
    """Write a plan. Raises Refused when there is one already, Fatal when no branch matches, PlanError."""
    context = contexts.find_without_plan()
    repository = context.repository
    _refuse_second_plan(context, file)
    found, notes = _first(context, origin)
    if file is not None:
        started = _in_markdown(repository, file, found, dry_run=dry_run)
    else:
        converted = convert.to_config(found)
        if not dry_run:
            config.explain(repository)
            config.append_all(repository, convert.fit_for_config(found.rows))
        started = _said(f"in {repository.common_dir}/config", found.rows, dry_run=dry_run)
        started = started._replace(notes=converted.lost)
    return started._replace(notes=(*notes, *(f"not carried over: {what}" for what in started.notes)))


def _first(context: Context, origin: Origin) -> tuple[Sheet, tuple[str, ...]]:
    """The first rows, and in words what was left out of them."""
    if origin.from_branches:
        rows = _adopted(context, origin.patterns)
        if not rows:
            wanted = ", ".join(f"'{pattern}'" for pattern in origin.patterns) or "besides the base"
            raise Fatal(f"no branch {wanted}: nothing to start from", ["git branch --list"])
        return Sheet(rows), ()
    if origin.file is not None:
        path = os.path.abspath(origin.file)
        return source.sheet(source.chosen(context.settings, context.repository, path), context.settings), ()
    if origin.issues is not None:
        listed = issues.parsed(origin.issues_data, origin.issues)
        return Sheet(listed.rows), listed.notes
    return Sheet(()), ()


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


def _in_markdown(repository: Repository, file: str, found: Sheet, *, dry_run: bool) -> Started:
    path = os.path.abspath(file)
    if os.path.lexists(path):
        raise Refused(f"'{file}' exists already", ["name another file"])
    converted = convert.to_markdown(found)
    if not dry_run:
        try:
            with open(path, "x", encoding="utf-8", newline="") as plan:
                plan.write(converted.text)
        except OSError as error:
            raise Fatal(f"cannot write '{file}': {error.strerror}") from error
        if not git.config_get_all(repository, "fleet.plan"):
            git.config_set(repository, "fleet.plan", [os.path.relpath(path, repository.main)])
    return _said(f"in {file}", found.rows, dry_run=dry_run)._replace(notes=converted.lost)


def _said(where: str, rows: Sequence[Row], *, dry_run: bool) -> Started:
    verb = "would start" if dry_run else "started"
    count = f"{len(rows)} {'task' if len(rows) == 1 else 'tasks'}" if rows else "no task yet"
    lines = [
        f"{verb} a plan {where}: {count}",
        *(f"  {row.id}  {row.branch or row.title or ''}".rstrip() for row in rows),
    ]
    if dry_run:
        return Started("\n".join(lines), ())
    hints = ("git fleet plan",) if rows else ('git fleet add "42 count" --owns cli.py   # the first task',)
    return Started("\n".join(lines), hints)
