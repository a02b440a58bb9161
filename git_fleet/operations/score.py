"""`score`: what is known of the tasks that have landed, from the journal and git's own dates. Read-only."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis import reviewing
from git_fleet.analysis import score as thought
from git_fleet.journal import database, past, reviews
from git_fleet.journal.past import LandedRow
from git_fleet.model.errors import Fatal, Usage
from git_fleet.model.fleet import Snapshot
from git_fleet.model.journal import ChangeKind, Operation
from git_fleet.model.plan import SourceKind, Task
from git_fleet.model.score import Authored, Gates, Past, Score, Span
from git_fleet.operations import outlook, running, survey
from git_fleet.operations.context import Context
from git_fleet.repo import git, lineage, reading


class _Journal(NamedTuple):
    """What it has, read at one instant; by task's id where not said otherwise."""

    landed: tuple[LandedRow, ...] = ()
    operations: tuple[Operation, ...] = ()
    agents: Mapping[str, Sequence[tuple[float, float | None]]] = MappingProxyType({})
    reviews: Mapping[str, Sequence[Span]] = MappingProxyType({})
    stops: Mapping[str, Sequence[Span]] = MappingProxyType({})
    done: Mapping[str, Sequence[float]] = MappingProxyType({})
    gates: Mapping[str, float] = MappingProxyType({})


def look(context: Context, since: str | None = None) -> Score:
    """The score of the plan's tasks; with `since` (an operation's number, or a date), or where nobody wrote a plan, of
    all that has landed. Raises Fatal for an operation that there is not, Usage for what is no date."""
    snapshot, _ = survey.look(context)
    known = _read(context)
    first_s = _moment(context, known, since) if since else 0.0
    rows = [row for row in _in_base(context, known.landed) if row.at_s >= first_s]
    last = {row.task: row for row in rows}
    tasks = {task.id: task for task in context.plan.tasks}
    everything = bool(since) or context.plan.source.kind is SourceKind.WORKTREES
    ids = list(last) if everything else [id for id in tasks if id in snapshot.landings]
    began = outlook.began_by_ref(known.operations)
    found = [_past(context, snapshot, known, began, id, tasks.get(id), last.get(id), rows) for id in ids]
    left = 0 if everything else len(tasks) - len(ids)
    return thought.score(found, _gates(known, [last[id] for id in ids if id in last]), left)


def _read(context: Context) -> _Journal:
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        if journal is None:
            return _Journal()
        return _Journal(
            past.landed(journal),
            journal.operations(),
            past.agents(journal),
            reviewing.lasted(reviews.events(journal)),
            thought.stops(past.phases(journal)),
            past.done(journal),
            past.gate_seconds(journal),
        )


def _moment(context: Context, known: _Journal, since: str) -> float:
    """When an operation began, or what git takes a date for."""
    if since.isdecimal() and len(since) < 10:
        for operation in known.operations:
            if operation.id == int(since):
                return operation.began_s
        raise Fatal(f"no operation {since}", ["git fleet log"])
    now = time.time()
    found = reading.moment(context.repository, since)
    if found is None or found >= int(now):  # git takes what it cannot read for now
        raise Usage(f"'{since}' is neither an operation nor a date in the past", ["git fleet score --since yesterday"])
    return found


def _in_base(context: Context, rows: Sequence[LandedRow]) -> list[LandedRow]:
    there = lineage.contained(context.repository, context.base.commit, [row.commit for row in rows])
    return [row for row in rows if row.commit in there]


def _past(
    context: Context,
    snapshot: Snapshot,
    known: _Journal,
    began: Mapping[str, float],
    id: str,
    task: Task | None,
    row: LandedRow | None,
    rows: Sequence[LandedRow],
) -> Past:
    landed_s = row.at_s if row else None
    done = [at_s for at_s in known.done.get(id, ()) if landed_s is None or at_s <= landed_s]
    return Past(
        id,
        task.title if task else "",
        began.get(task.ref) if task else None,
        _commits(context, snapshot, known, task, row, rows),
        max(done, default=None),
        landed_s,
        tuple(known.agents.get(id, ())),
        tuple(known.reviews.get(id, ())),
        tuple(known.stops.get(id, ())),
        known.gates.get(id),
        task.estimate_s if task else None,
    )


def _commits(
    context: Context,
    snapshot: Snapshot,
    known: _Journal,
    task: Task | None,
    row: LandedRow | None,
    rows: Sequence[LandedRow],
) -> tuple[Authored, ...]:
    """Those of its own: what the base did not have before, and none that it stood on landed before it."""
    if row is not None:
        before = _base_before(known, row.operation)
        below = [other.tip for other in rows[: rows.index(row)] if other.tip != row.tip]
        return reading.authored(context.repository, row.tip, [before, *below]) if before else ()
    landing = snapshot.landings.get(task.id) if task else None
    if task is None or landing is None:
        return ()
    origin = snapshot.origins.get(task.ref) or git.oldest_reflog_entry(context.repository, task.ref)
    return reading.authored(context.repository, landing.tip, [origin]) if origin else ()


def _base_before(known: _Journal, number: int) -> str | None:
    changes = next((one.changes for one in known.operations if one.id == number), ())
    return next((one.before for one in changes if one.kind is ChangeKind.REF), None)


def _gates(known: _Journal, rows: Sequence[LandedRow]) -> list[Gates]:
    """Those of the landings that landed any of it."""
    numbers = {row.operation for row in rows}
    times = [time for one in known.operations if one.id in numbers for time in running.gate_times(one)]
    return [Gates(one.began_s, one.lasted_s, one.saved_s) for one in times]
