"""Reviews as events: somebody was shown a task, somebody answered. Each is added, none is ever changed."""

from git_fleet.journal import marks
from git_fleet.journal.database import NAME, Journal, to_bytes
from git_fleet.model.fleet import Mark
from git_fleet.model.review import Event

_SINCE = 6
_INSERT = f"INSERT INTO review (task, tip, who, at_s, answer, began_s) VALUES ({NAME}, ?, {NAME}, ?, ?, ?)"


def show(journal: Journal, event: Event) -> None:
    """Write down that a task was shown. Raises Busy, Fatal."""
    with journal.writing("review") as db:
        db.execute(_INSERT, _values(event))


def answer(journal: Journal, event: Event, mark: Mark) -> None:
    """Write down an answer together with its mark: one is never there without the other. Raises Busy, Fatal."""
    with journal.writing("review") as db:
        marks.insert(db, mark)
        db.execute(_INSERT, _values(event))


def events(journal: Journal) -> tuple[Event, ...]:
    """All of them, oldest first."""
    if not journal.has(_SINCE):
        return ()
    rows = journal.db.execute("SELECT task, tip, who, at_s, answer, began_s FROM review ORDER BY id")
    return tuple(Event(*row) for row in rows.fetchall())


def _values(event: Event) -> tuple[bytes | str | float | None, ...]:
    return to_bytes(event.task), event.tip, to_bytes(event.who), event.at_s, event.answer, event.began_s
