"""What happened and what was meant, in SQLite: operations, the before and after of all they touch, gate results.

Rollback journal, not WAL: a reader of WAL creates files, and readers of ours write nothing. `synchronous=FULL`, so an
intent is on the disk before its deed. Delete the file and the fleet still works, less its history.

Files, locks and children pass Python's audit hooks (PEP 578) of themselves. What SQLite and libgit2 do does not, so
such steps are announced with `sys.audit`: the tests stop the program at every one of them.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from git_fleet.journal import rescue
from git_fleet.journal.schema import MIGRATIONS
from git_fleet.model.errors import Busy, Fatal
from git_fleet.model.fleet import Landing
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange

if TYPE_CHECKING:
    import sqlite3

BUSY_S = 60.0
"""SQLite's waiting is not fair: among many writers on a slow disk one may go away empty-handed for long."""

NAME = "CAST(? AS TEXT)"
"""For names of files and branches, which need not be UTF-8: they go in and come out as the bytes they are."""
_COLUMNS = "id, kind, state, summary, began_s, ended_s, detail"


class GateRow(NamedTuple):
    """A remembered gate result."""

    verdict: str
    seconds: float
    log: str | None


class Journal:
    """An open journal. Get one from `opened` or `opened_to_read`."""

    def __init__(self, connection: "sqlite3.Connection") -> None:
        self.db = connection
        connection.text_factory = _text

    def begin(
        self, kind: str, summary: str, changes: Sequence[RecordedChange] = (), detail: str = "{}", *, at_least: int = 1
    ) -> int:
        """Write down an operation before its first deed; its number is at least `at_least`."""
        with self.writing("begin") as db:
            highest = db.execute("SELECT coalesce(max(id), 0) FROM operation").fetchone()[0]
            number = max(int(highest) + 1, at_least)
            db.execute(
                f"INSERT INTO operation (id, kind, state, summary, began_s, detail) VALUES (?, ?, ?, {NAME}, ?, ?)",
                (number, kind, OperationState.RUNNING, to_bytes(summary), time.time(), detail),
            )
            _insert_changes(db, number, 0, changes)
        return number

    def intend(self, operation: int, changes: Sequence[RecordedChange]) -> None:
        """Add intents to a running operation, before their deeds."""
        with self.writing("intend") as db:
            last = db.execute("SELECT coalesce(max(position), -1) FROM change WHERE operation = ?", (operation,))
            _insert_changes(db, operation, int(last.fetchone()[0]) + 1, changes)

    def rewrite(self, operation: int, changes: Sequence[RecordedChange]) -> None:
        """Replace an operation's changes by what was really done."""
        with self.writing("rewrite") as db:
            db.execute("DELETE FROM change WHERE operation = ?", (operation,))
            _insert_changes(db, operation, 0, changes)

    def describe(self, operation: int, *, summary: str | None = None, detail: str | None = None) -> None:
        """Change an operation's summary or detail."""
        with self.writing("describe") as db:
            db.execute(
                f"UPDATE operation SET summary = coalesce({NAME}, summary), detail = coalesce(?, detail) WHERE id = ?",
                (to_bytes(summary), detail, operation),
            )

    def finish(self, operation: int, state: OperationState, task: str | None = None) -> None:
        """Say how an operation ended; `running` takes one up again. `task`: for whose sake it stopped."""
        now = time.time()
        with self.writing("finish") as db:
            db.execute("UPDATE operation SET state = ?, ended_s = ? WHERE id = ?", (state, now, operation))
            db.execute(f"INSERT INTO phase VALUES (?, ?, {NAME}, ?)", (operation, state, to_bytes(task), now))

    def record_landings(self, operation: int, landings: Sequence[Landing]) -> None:
        """Write down what has landed."""
        with self.writing("record_landings") as db:
            db.executemany(
                "INSERT OR REPLACE INTO landing (task, tip, landed_commit, operation, at_s) VALUES (?, ?, ?, ?, ?)",
                [(landing.task, landing.tip, landing.commit, operation, time.time()) for landing in landings],
            )

    def operations(self, limit: int = -1, states: Sequence[OperationState] = ()) -> tuple[Operation, ...]:
        """Operations with their changes, newest first."""
        marks = ", ".join("?" * len(states))
        where = f"WHERE state IN ({marks})" if states else ""
        rows = self.db.execute(
            f"SELECT {_COLUMNS} FROM operation {where} ORDER BY id DESC LIMIT ?",
            (*states, limit),
        ).fetchall()
        return tuple(self._operation(row) for row in rows)

    def has(self, version: int) -> bool:
        """Is the database of this version or a later one? Readers bring none up to date."""
        return int(self.db.execute("PRAGMA user_version").fetchone()[0]) >= version

    def operation(self, number: int) -> Operation | None:
        """One operation."""
        row = self.db.execute(f"SELECT {_COLUMNS} FROM operation WHERE id = ?", (number,)).fetchone()
        return self._operation(row) if row else None

    def landings(self) -> tuple[Landing, ...]:
        """Every landing that was recorded, oldest first; of one that was taken back the commit is in no base."""
        rows = self.db.execute("SELECT task, tip, landed_commit FROM landing ORDER BY operation").fetchall()
        return tuple(Landing(*row) for row in rows)

    def landings_of(self, operation: int) -> tuple[Landing, ...]:
        """What one operation landed."""
        rows = self.db.execute("SELECT task, tip, landed_commit FROM landing WHERE operation = ?", (operation,))
        return tuple(Landing(*row) for row in rows.fetchall())

    def landed_at(self) -> tuple[tuple[str, float], ...]:
        """(task, when its landing began, in seconds since 1970) for every landing, oldest first."""
        rows = self.db.execute(
            "SELECT task, began_s FROM landing JOIN operation ON operation.id = landing.operation"
            f" WHERE kind = 'land' AND state <> '{OperationState.UNDONE}' ORDER BY began_s"
        )
        return tuple(rows.fetchall())

    def gate_seconds(self) -> tuple[float, ...]:
        """How long each remembered gate took."""
        return tuple(row[0] for row in self.db.execute("SELECT seconds FROM gate_result"))

    def gate_result(self, tree: str, command: str, environment: str) -> GateRow | None:
        """What a gate said about this very tree, under that digest of the environment."""
        row = self.db.execute(
            f"SELECT verdict, seconds, log FROM gate_result WHERE tree = ? AND command = {NAME} AND environment = ?",
            (tree, to_bytes(command), environment),
        ).fetchone()
        return GateRow(*row) if row else None

    def gates_by_task(self) -> dict[str, str]:
        """The last gate verdict of each task."""
        rows = self.db.execute("SELECT task, verdict FROM gate_result WHERE task IS NOT NULL ORDER BY at_s").fetchall()
        verdicts: dict[str, str] = {}
        for task, verdict in rows:
            verdicts[task] = verdict
        return verdicts

    def record_gates(self, rows: Sequence[tuple[str, str, str, GateRow, str | None]]) -> None:
        """Remember what gates said: (tree, command, digest of the environment, what, task)."""
        with self.writing("record_gates") as db:
            db.executemany(
                f"INSERT OR REPLACE INTO gate_result VALUES (?, {NAME}, ?, ?, ?, {NAME}, ?, ?)",
                [
                    (tree, to_bytes(command), digest, row.verdict, row.seconds, to_bytes(row.log), time.time(), task)
                    for tree, command, digest, row, task in rows
                ],
            )

    def _operation(self, row: tuple[int, str, str, str, float, float | None, str]) -> Operation:
        number, kind, state, summary, began, ended, detail = row
        changes = self.db.execute(
            "SELECT kind, name, before, after FROM change WHERE operation = ? ORDER BY position", (number,)
        ).fetchall()
        import json
        import sqlite3

        try:
            recorded = tuple(RecordedChange(ChangeKind(k), n, b, a) for k, n, b, a in changes)
            if not isinstance(json.loads(detail), dict):
                raise ValueError
            return Operation(number, kind, OperationState(state), summary, began, ended, recorded, detail)
        except (TypeError, ValueError):
            raise sqlite3.DatabaseError(f"operation {number} makes no sense") from None

    @contextmanager
    def writing(self, step: str) -> Iterator["sqlite3.Connection"]:
        """A transaction of its own; `step` is its name where tests stop the program. Raises Busy, Fatal."""
        import sqlite3

        try:
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                sys.audit("git_fleet.journal", step)
                self.db.execute("COMMIT")
            finally:
                if self.db.in_transaction:  # where the disk is full, SQLite has rolled back by itself
                    self.db.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise Busy("the fleet's journal is in use", ["try again"]) from error
            where = 'df "$(git rev-parse --git-path fleet)"   # is there room on its disk?'
            raise Fatal(f"the fleet's journal cannot be written: {error}", [where]) from error


def _insert_changes(db: "sqlite3.Connection", operation: int, first: int, changes: Sequence[RecordedChange]) -> None:
    db.executemany(
        f"INSERT INTO change VALUES (?, ?, ?, {NAME}, {NAME}, {NAME})",
        [
            (operation, first + i, c.kind, to_bytes(c.name), to_bytes(c.before), to_bytes(c.after))
            for i, c in enumerate(changes)
        ],
    )


def to_bytes(name: str | None) -> bytes | None:
    """For `NAME`."""
    return None if name is None else name.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def path_of(fleet_dir: str) -> str:
    """Where the journal is."""
    return f"{fleet_dir}/fleet.db"


@contextmanager
def opened(fleet_dir: str) -> Iterator[Journal]:
    """The journal to write in; made, or brought up to date, first. Raises Fatal when it is damaged or too new."""
    import sqlite3

    path = path_of(fleet_dir)
    try:
        os.makedirs(fleet_dir, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        if os.path.lexists(fleet_dir) and not os.path.isdir(fleet_dir):
            aside = "git fleet doctor --repair   # moves it aside"
            raise Fatal(f"'{fleet_dir}' is no folder: nothing can be recorded there", [aside]) from error
        raise Fatal(f"cannot open '{path}': {error}") from error
    try:
        prepare(connection, path)
        yield Journal(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # what SQLite says of damage may be damaged, too
        raise _damaged(path, error) from error
    finally:
        connection.close()


def prepare(connection: "sqlite3.Connection", path: str) -> None:
    """Make the tables, or bring them up to date. Raises Fatal when the database is too new, and SQLite's errors."""
    connection.execute("PRAGMA synchronous = FULL")
    version = _checked_version(connection, path)
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    for number in range(_checked_version(connection, path), len(MIGRATIONS)):
        for statement in MIGRATIONS[number].split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("COMMIT")


def _checked_version(connection: "sqlite3.Connection", path: str) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise Fatal(
            f"'{path}' was written by a newer git fleet (its version {version}, ours {len(MIGRATIONS)})",
            ["use that version, or move the file aside: the fleet works without it, less its history"],
        )
    return version


def uri(path: str, mode: str) -> str:
    """A database's file as SQLite names it; mode `ro` or `rw`. urllib could quote it, but takes 2 ms to load."""
    for sign in "%?#":
        path = path.replace(sign, f"%{ord(sign):02x}")
    return f"file:{path}?mode={mode}"


@contextmanager
def opened_to_read(fleet_dir: str) -> Iterator[Journal | None]:
    """The journal at one instant, to read without writing anything; None where none can be read.

    Raises Fatal when it turns out to be damaged.
    """
    import sqlite3

    path = path_of(fleet_dir)
    try:
        with ExitStack() as stack:
            yield _to_read(path, stack) if os.path.exists(path) else None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from error


def _to_read(path: str, stack: ExitStack) -> Journal | None:
    """What is kept open until it was read is handed to `stack`."""
    import sqlite3

    try:
        found = _snapshot(path, "ro", stack)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN):
            return None
        try:  # a writer was killed, and only a writer may take back what it left
            copy = stack.enter_context(rescue.copied(path))
            found = _snapshot(copy or path, "rw" if copy else "ro", stack)
        except (OSError, sqlite3.Error, UnicodeDecodeError):
            return None
    except UnicodeDecodeError:
        return None
    return found


def _snapshot(path: str, mode: str, stack: ExitStack) -> Journal | None:
    """A connection that sees the database as it is now, to the end; None for a version that we do not know."""
    import sqlite3

    connection = sqlite3.connect(uri(path, mode), uri=True, timeout=BUSY_S, isolation_level=None)
    stack.callback(connection.close)
    connection.execute("BEGIN")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    return Journal(connection) if 0 < version <= len(MIGRATIONS) else None


def examine(fleet_dir: str) -> tuple[str, str, str] | None:
    """What is wrong with the journal, without writing anything: (`damaged` or `newer`, the file, why)."""
    path = path_of(fleet_dir)
    if os.path.lexists(fleet_dir) and not os.path.isdir(fleet_dir):
        return "damaged", fleet_dir, "its place is no folder"
    if not os.path.lexists(path):
        return None
    import sqlite3
    from urllib.parse import quote

    try:
        connection = sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro", uri=True, timeout=BUSY_S)
        try:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            lacking = _lacking(connection) if 0 < version <= len(MIGRATIONS) else None
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        hot = os.path.exists(f"{path}-journal") and os.path.isfile(path)  # of a killed writer: the next one mends it
        return None if hot else ("damaged", path, str(error))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return "damaged", path, str(error)
    if version > len(MIGRATIONS):
        return "newer", path, f"its version is {version}, ours {len(MIGRATIONS)}"
    if version == 0 and os.path.isdir(f"{fleet_dir}/trash") and os.listdir(f"{fleet_dir}/trash"):
        lacking = f"it is empty, though operations have left something in '{fleet_dir}/trash'"
    why = said if said != "ok" else lacking
    return ("damaged", path, str(why)) if why else None


def _lacking(connection: "sqlite3.Connection") -> str | None:
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    lacking = sorted({"operation", "change", "landing"} - there)
    return f"it lacks the table {lacking[0]}" if lacking else None


def _damaged(path: str, error: Exception) -> Fatal:
    return Fatal(
        f"the fleet's journal '{path}' cannot be used: {error}",
        ["git fleet doctor --repair   # moves it aside: the fleet works without it, less its history"],
    )
