"""`plan set` and `plan drop`: one value or one row of the plan and nothing else, recorded: undo takes it back."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from git_fleet.analysis import state as states
from git_fleet.analysis.problems import problems
from git_fleet.journal import locks
from git_fleet.model.errors import Refused, Usage
from git_fleet.model.events import Listener
from git_fleet.model.fleet import State
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.model.plan import Edit, Plan, Row, Severity, SourceKind, Task
from git_fleet.operations import context as contexts
from git_fleet.operations import running, survey, work
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.plan import config, files, markdown, source
from git_fleet.plan.legible import unfit
from git_fleet.plan.names import nothing
from git_fleet.plan.sheet import Sheet

SEVERAL = ("owns", "needs")


class Request(NamedTuple):
    """`key` None: drop the task. No values: unset the key."""

    task: str
    key: str | None = None
    values: tuple[str, ...] = ()
    plan_file: str | None = None


class Prepared(NamedTuple):
    """What an edit comes to: what is recorded of it, how it is written, and the plan with it."""

    edit: Edit
    changes: tuple[RecordedChange, ...]
    write: Callable[[], config.Trace | None]
    sheet: Sheet


def would(context: Context, request: Request) -> Edit:
    """What the edit would change; read-only. Raises as `edit` does."""
    return _prepared(context, request).edit


def edit(found: Context, request: Request, say: Listener) -> Edit:
    """Change the plan, read anew under the lock. Raises Refused, with nothing changed, Usage, Busy."""
    repository = found.repository
    with work.begun(found, say) as (_, journal, _, _), ExitStack() as stack:
        stack.enter_context(locks.hold(repository.fleet_dir, contexts.PLAN, waits=running.tells(say)))
        done = _prepared(contexts.find(request.plan_file), request)
        if done.edit.key is not None and done.edit.before == done.edit.after:
            return done.edit
        words = ("drop", done.edit.task) if done.edit.key is None else ("set", done.edit.task, done.edit.key)
        begun = running.begun(repository, journal, "plan", f"plan {' '.join(words)}", done.changes)
        operation, _ = stack.enter_context(begun)
        try:
            trace = done.write()
        except BaseException:
            journal.finish(operation, OperationState.FAILED)
            raise
        if trace is not None:
            running.note(journal, operation, config=trace)
        journal.finish(operation, OperationState.DONE)
        return done.edit._replace(operation=operation)


def _prepared(context: Context, request: Request) -> Prepared:
    plan = context.plan
    source.refuse_yaml(plan.source)
    if plan.source.kind is SourceKind.WORKTREES:
        raise Refused("there is no plan to edit: its tasks are the worktrees", ["git fleet init --from-branches"])
    task = find(plan, request.task)
    if request.key is None:
        _refuse_at_work(context, task)
        values: tuple[str, ...] = ()
    else:
        values = _values(plan, request.key, request.values)
    build = _in_file if plan.source.path is not None else _in_config
    prepared = build(context, task, request.key, values)
    _refuse_breaking(context, prepared)
    return prepared


def _values(plan: Plan, key: str, said: Sequence[str]) -> tuple[str, ...]:
    """The values as the plan will hold them. Raises Usage for what no plan can say."""
    if key not in config.KEYS:
        raise Usage(f"'{key}' is no key of a task", [f"keys: {', '.join(config.KEYS)}"])
    if len(said) > 1 and key not in SEVERAL:
        raise Usage(f"'{key}' has one value: quote it", [f"git fleet plan set <task> {key} '{' '.join(said)}'"])
    for value in said:
        why = unfit(value)
        if why:
            raise Usage(f"the value of '{key}' holds {why}")
        if nothing(value) is None:
            raise Usage(f"'{value}' means nothing in a plan", [f"to unset {key}, give no value"])
    values = [" ".join(value.split()) if key not in SEVERAL else value.strip() for value in said]
    return tuple(dict.fromkeys(find(plan, value).id if key == "needs" else value for value in values))


def _refuse_at_work(context: Context, task: Task) -> None:
    """Raises Refused when a branch or a worktree would lose its task; what landed or was dropped may go."""
    snapshot, _ = survey.look(context)
    standing = states.standings(context.plan, snapshot, ())[task.id]
    if standing.state in (State.LANDED, State.DROPPED):
        return
    there = [f"its branch '{task.branch}' is there"] if task.ref in snapshot.branches else []
    there += [f"its worktree is there: '{standing.worktree.path}'"] if standing.worktree else []
    if there:
        raise Refused(
            f"not dropped: {task.id} is at work: {', '.join(there)}",
            [f"git fleet land {task.id}", f"or give it up: git fleet plan set {task.id} status dropped"],
        )


def _refuse_breaking(context: Context, prepared: Prepared) -> None:
    """Raises Refused when the plan would have an error that it does not have now."""
    after = source.completed(
        context.plan.source, prepared.sheet, context.settings, context.repository, context.worktrees
    )
    known = {(one.code, one.tasks) for one in problems(context.plan)}
    new = [one for one in problems(after) if one.severity is Severity.ERROR and (one.code, one.tasks) not in known]
    if new:
        more = f" (and {len(new) - 1} more)" if len(new) > 1 else ""
        raise Refused(f"nothing was changed: {new[0].message}{more}", ["change that first: git fleet plan"])


# --------------------------------------------------------------------------------------------------------- in a file


def _in_file(context: Context, task: Task, key: str | None, values: tuple[str, ...]) -> Prepared:
    path = context.plan.source.path or ""
    data = files.read(path)
    if key is None:
        new = markdown.without(path, data, task.id)
    else:
        new = markdown.with_value(path, data, task.id, key, values)
    before = next((row for row in markdown.sheet(path, data).rows if row.id == task.id), Row(task.id))
    change = RecordedChange(ChangeKind.FILE, path, data.decode(), new.decode())
    return Prepared(
        Edit(task.id, key, _said(before, key), values, files.shown(path)),
        (change,),
        lambda: files.write(path, new, expected=data),
        markdown.sheet(path, new),
    )


def _said(row: Row, key: str | None) -> tuple[str, ...]:
    value = getattr(row, key) if key else None
    return value if isinstance(value, tuple) else (value,) if value is not None else ()


# ---------------------------------------------------------------------------------------------- in the configuration


def _in_config(context: Context, task: Task, key: str | None, values: tuple[str, ...]) -> Prepared:
    repository = context.repository
    here = config.entries(repository, task.id)
    _refuse_foreign(context, task, key, here)
    wanted: dict[str, tuple[str, ...]] = dict.fromkeys(here, ()) if key is None else {f"fleet.{task.id}.{key}": values}
    row = next(row for row in config.rows(context.settings) if row.id == task.id)
    before = _said(row, key)
    if before == values and key is not None:
        wanted = {}
    after = {**here, **{name: list(texts) for name, texts in wanted.items()}}
    if key is not None and not any(after.values()):
        raise Refused(f"{task.id} says nothing but its {key}", [f"git fleet plan drop {task.id}"])
    changes = [
        RecordedChange(ChangeKind.CONFIG, name, _json(here.get(name, ())), _json(texts))
        for name, texts in wanted.items()
    ]
    return Prepared(
        Edit(task.id, key, before, values, f"{repository.common_dir}/config"),
        tuple(changes),
        lambda: config.write(repository, wanted),
        Sheet(config.rows(context.settings._replace(rows=_rows_after(context, task, after)))),
    )


def _json(values: Sequence[str]) -> str | None:
    return json.dumps(list(values)) if values else None


def _rows_after(
    context: Context, task: Task, after: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The sections of the configuration as they will be; one without any value is gone."""
    own = tuple((name.rpartition(".")[2], text) for name, texts in after.items() for text in texts)
    rows = ((id, own if id == task.id else entries) for id, entries in context.settings.rows)
    return tuple((id, entries) for id, entries in rows if entries)


def _refuse_foreign(context: Context, task: Task, key: str | None, here: Mapping[str, Sequence[str]]) -> None:
    """Raises Refused for values that stand elsewhere than in the repository's own configuration file."""
    entries = next(entries for id, entries in context.settings.rows if id == task.id)
    for name in dict.fromkeys(name for name, _ in entries):
        full = f"fleet.{task.id}.{name}"
        if key in (None, name) and [text for one, text in entries if one == name] != list(here.get(full, ())):
            raise Refused(
                f"nothing was changed: '{full}' is set elsewhere than in {context.repository.common_dir}/config",
                [f"git config --show-origin --get-all '{full}'"],
            )
