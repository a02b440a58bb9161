"""What the journal knows of the past, for `score`: landings with their times, stops, agents, and what gates took."""

from typing import NamedTuple

from git_fleet.journal.database import Journal
from git_fleet.model.fleet import State
from git_fleet.model.journal import OperationState

_STOPS_SINCE, _MARKS_SINCE, _AGENTS_SINCE = 6, 4, 5


class LandedRow(NamedTuple):
    """A branch landed at this moment, by this operation."""

    task: str
    tip: str
    commit: str
    operation: int
    at_s: float


def landed(journal: Journal) -> tuple[LandedRow, ...]:
    """Every landing that was not taken back, oldest first. Old ones know only when their whole run ended."""
    at_s = "coalesce(at_s, ended_s, began_s)" if journal.has(_STOPS_SINCE) else "coalesce(ended_s, began_s)"
    rows = journal.db.execute(
        f"SELECT task, tip, landed_commit, operation, {at_s} AS moment FROM landing"
        " JOIN operation ON operation.id = landing.operation"
        f" WHERE kind = 'land' AND state <> '{OperationState.UNDONE}' ORDER BY moment, landing.rowid"
    )
    return tuple(LandedRow(*row) for row in rows.fetchall())


def phases(journal: Journal) -> tuple[tuple[int, str, str | None, float], ...]:
    """(operation, state, task for whose sake, moment) of each change of an operation's state, oldest first."""
    if not journal.has(_STOPS_SINCE):
        return ()
    return tuple(journal.db.execute("SELECT operation, state, task, at_s FROM phase ORDER BY rowid").fetchall())


def agents(journal: Journal) -> dict[str, list[tuple[float, float | None]]]:
    """Task -> from when to when (None: nobody saw it end) each of its agents ran."""
    if not journal.has(_AGENTS_SINCE):
        return {}
    found: dict[str, list[tuple[float, float | None]]] = {}
    for task, began_s, ended_s in journal.db.execute("SELECT task, began_s, ended_s FROM agent ORDER BY id"):
        found.setdefault(task, []).append((began_s, ended_s))
    return found


def done(journal: Journal) -> dict[str, list[float]]:
    """Task -> the moments at which it was said to be done."""
    if not journal.has(_MARKS_SINCE):
        return {}
    found: dict[str, list[float]] = {}
    for task, at_s in journal.db.execute("SELECT task, at_s FROM mark WHERE state = ? ORDER BY id", (State.DONE,)):
        found.setdefault(task, []).append(at_s)
    return found


def gate_seconds(journal: Journal) -> dict[str, float]:
    """Task -> what the gates took on the trees that were made to land it, as far as that is remembered."""
    rows = journal.db.execute("SELECT task, sum(seconds) FROM gate_result WHERE task IS NOT NULL GROUP BY task")
    return dict(rows.fetchall())
