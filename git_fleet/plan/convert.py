"""One sheet in another form, and in words what that form cannot hold."""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from git_fleet.model.plan import Plan, Row
from git_fleet.plan import config, markdown, orchestration
from git_fleet.plan.legible import unfit
from git_fleet.plan.sheet import Sheet

_FIELDS = tuple(field for field in Row._fields if field not in ("id", "line"))


class Converted(NamedTuple):
    """The text of a whole plan; `lost` names what of the source is not in it."""

    text: str
    lost: tuple[str, ...]


def to_markdown(sheet: Sheet) -> Converted:
    """A Markdown file. What its table would say differently is lost, too."""
    rows, lost = _legible(sheet.rows)
    text = markdown.document(rows, sheet.title or "Plan")
    read = markdown.rows_of(text)
    if len(read) == len(rows):
        pairs = zip(rows, read, strict=True)
        lost += [
            f"{field} of {a.id}"
            for a, b in pairs
            for field in ("id", *_FIELDS)
            if getattr(a, field) != getattr(b, field)
        ]
    else:
        lost += ["rows that say nothing"]
    lost += [f"strategy {sheet.strategy}"] if sheet.strategy else []
    lost += [f"validation test {name}" for name in sheet.tests]
    return Converted(text, (*lost, *sheet.others))


def to_config(sheet: Sheet) -> Converted:
    """Sections of git configuration; a task needs an id of its own there."""
    kept = fit_for_config(sheet.rows)
    by_identity = {row.id: row for row in kept}
    lost = [
        f"a second row {row.id}" if row.id else "a row without an id"
        for row in sheet.rows
        if by_identity.get(row.id) is not row
    ]
    lost += [f"the title of the plan: {sheet.title}"] if sheet.title else []
    lost += [f"strategy {sheet.strategy}"] if sheet.strategy else []
    lost += [f"validation test {name}" for name in sheet.tests]
    return Converted(config.document(kept), (*lost, *sheet.others))


def fit_for_config(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The first row of each id."""
    by_id: dict[str, Row] = {}
    for row in rows:
        if row.id:
            by_id.setdefault(row.id, row)
    return tuple(by_id.values())


def to_yaml(sheet: Sheet) -> Converted:
    """An orchestration file."""
    rows, lost = _legible(sheet.rows)
    return Converted(orchestration.document(sheet._replace(rows=rows)), (*lost, *sheet.others))


def of_plan(plan: Plan, main: str) -> Sheet:
    """The sheet of a plan that was made up from the worktrees: their branches and places, relative to the main one."""
    return Sheet(
        tuple(
            Row(
                id=task.id,
                title=task.title if task.title != task.id else None,
                branch=task.branch,
                worktree=os.path.relpath(task.worktree, main),
            )
            for task in plan.tasks
        )
    )


def _legible(rows: Sequence[Row]) -> tuple[tuple[Row, ...], list[str]]:
    """The rows without values that a file would refuse, and which these are."""
    lost: list[str] = []
    kept: list[Row] = []
    for row in rows:
        changes: dict[str, Any] = {}
        for field in _FIELDS:
            value = getattr(row, field)
            texts = value if isinstance(value, tuple) else (value,) if value else ()
            good = tuple(text for text in texts if unfit(text) is None)
            if good != texts:
                lost += [f"{field} of {row.id}: {why}" for text in texts if (why := unfit(text))]
                changes[field] = good if isinstance(value, tuple) else None
        kept.append(row._replace(line=None, **changes))
    return tuple(kept), lost
