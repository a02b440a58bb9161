"""What was said of tasks, as events: each is added, none is ever changed, and of each task the last one counts."""

from typing import TYPE_CHECKING

from git_fleet.journal.database import NAME, Journal, to_bytes
from git_fleet.model.fleet import Mark, State

if TYPE_CHECKING:
    import sqlite3

_SINCE = 4
"""The first version of the database that has them; readers change none that is older."""
_COLUMNS = "task, state, why, who, at_s, tip"


def record(journal: Journal, mark: Mark) -> None:
    """Add a mark. Raises Busy, Fatal."""
    with journal.writing("mark") as db:
        insert(db, mark)


def insert(db: "sqlite3.Connection", mark: Mark) -> None:
    """The same within somebody's transaction."""
    values = (to_bytes(mark.task), mark.state, to_bytes(mark.why), to_bytes(mark.who), mark.at_s, mark.tip)
    db.execute(f"INSERT INTO mark ({_COLUMNS}) VALUES ({NAME}, ?, {NAME}, {NAME}, ?, ?)", values)


def latest(journal: Journal) -> dict[str, Mark]:
    """The last mark of each task, by id."""
    if not journal.has(_SINCE):
        return {}
    rows = journal.db.execute(f"SELECT {_COLUMNS} FROM mark WHERE id IN (SELECT max(id) FROM mark GROUP BY task)")
    return {mark.task: mark for mark in map(_mark, rows.fetchall())}


def _mark(row: tuple[str, str, str | None, str, float, str | None]) -> Mark:
    task, state, why, who, at_s, tip = row
    try:
        return Mark(str(task), State(state), why, who, float(at_s), tip)
    except (TypeError, ValueError):
        import sqlite3

        raise sqlite3.DatabaseError(f"a mark of {task} makes no sense") from None
